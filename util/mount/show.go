package mount

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// shownFlags are the flags of a mounted file system that mount(8) tells of, in its order. Those that are quiet it
// tells with -v only.
var shownFlags = [...]struct {
	flag  uint64
	quiet bool
	name  string
}{
	{abi.MNT_ASYNC, false, "asynchronous"},
	{abi.MNT_DISCARD, false, "discard"},
	{abi.MNT_EXTATTR, false, "extattr"},
	{abi.MNT_IGNORE, false, "hidden"},
	{abi.MNT_LOG, false, "log"},
	{abi.MNT_NOATIME, false, "noatime"},
	{abi.MNT_NOCOREDUMP, false, "nocoredump"},
	{abi.MNT_NODEV, false, "nodev"},
	{abi.MNT_NODEVMTIME, false, "nodevmtime"},
	{abi.MNT_NOEXEC, false, "noexec"},
	{abi.MNT_NOSUID, false, "nosuid"},
	{abi.MNT_RDONLY, false, "read-only"},
	{abi.MNT_RELATIME, false, "relatime"},
	{abi.MNT_SOFTDEP, false, "soft dependencies"},
	{abi.MNT_SYMPERM, false, "symperm"},
	{abi.MNT_SYNCHRONOUS, false, "synchronous"},
	{abi.MNT_UNION, false, "union"},
	{abi.MNT_EXRDONLY, true, "exported read-only"},
	{abi.MNT_EXPORTED, false, "NFS exported"},
	{abi.MNT_DEFEXPORTED, true, "exported to the world"},
	{abi.MNT_EXPORTANON, true, "anon uid mapping"},
	{abi.MNT_EXKERB, true, "kerberos uid mapping"},
	{abi.MNT_EXNORESPORT, false, "non-reserved ports"},
	{abi.MNT_EXPUBLIC, false, "WebNFS exports"},
	{abi.MNT_LOCAL, false, "local"},
	{abi.MNT_QUOTA, false, "with quotas"},
	{abi.MNT_ROOTFS, true, "root file system"},
}

// describe returns what there is to tell of a file system's flags.
func describe(flags uint64, verbose bool) []string {
	var words []string
	for _, f := range shownFlags {
		if flags&f.flag != 0 && (!f.quiet || verbose) {
			words = append(words, f.name)
		}
	}
	return words
}

// show prints a line about a mounted file system.
func (m *mounter) show(ctx context.Context, st *abi.Statvfs) {
	words := describe(st.Flag, m.verbose > 0)
	if st.Owner != 0 {
		words = append(words, "mounted by "+passwd.New(m.sys).UserName(st.Owner))
	}
	if m.verbose > 0 {
		words = append(words,
			fmt.Sprintf("fsid: 0x%x/0x%x", uint32(st.Fsidx.Val[0]), uint32(st.Fsidx.Val[1])),
			fmt.Sprintf("reads: sync %d async %d", st.Syncreads, st.Asyncreads),
			fmt.Sprintf("writes: sync %d async %d", st.Syncwrites, st.Asyncwrites))
	}
	if m.verbose > 1 {
		if args := m.arguments(ctx, st); args != "" {
			words = append(words, "["+TypeName(st)+": "+args+"]")
		}
	}
	tail := ""
	if len(words) > 0 {
		tail = " (" + strings.Join(words, ", ") + ")"
	}
	fmt.Fprintf(m.env.Stdout, "%s on %s type %s%s\n", FromName(st), OnName(st), TypeName(st), tail)
}

// arguments returns what a file system was mounted with, as its helper tells with -o getargs.
func (m *mounter) arguments(ctx context.Context, st *abi.Statvfs) string {
	helper := "mount_" + strings.TrimPrefix(TypeName(st), puffsPrefix)
	if m.env.Lookup(helper) == nil {
		return ""
	}
	var out bytes.Buffer
	quiet := *m.env
	quiet.Stdout, quiet.Stderr = &out, &bytes.Buffer{}
	if quiet.Run(ctx, helper, "-o", "getargs", FromName(st), OnName(st)) != 0 {
		return ""
	}
	line, _, _ := strings.Cut(out.String(), "\n")
	return line
}

// puffsPrefix begins the type of a file system in user space.
const puffsPrefix = "puffs|"
