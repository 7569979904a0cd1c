// Package mount is mount(8): it mounts file systems of the kernel and lists those that are mounted.
//
// The work of mounting is a helper's, mount_TYPE, which is a utility of the same set. What the helpers share is
// here too: [StandardOptions], [AdjustPath]; and, for others that ask what is mounted, [Mounted] and [Types].
//
// Start reading at run.
package mount

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fstab"
)

// Utility is mount.
var Utility = util.Utility{
	Name:    "mount",
	Section: 8,
	Doc:     "mount file systems",
	Usage: []string{
		"Usage: mount [-Aadfruvw] [-t type]",
		"\tmount [-dfruvw] special | node",
		"\tmount [-dfruvw] [-o options] [-t type] special node",
	},
	Options: []util.Option{
		{Letter: 'A', Doc: "Mount everything in /etc/fstab but what is noauto."},
		{Letter: 'a', Doc: "As -A, but not what is mounted already."},
		{Letter: 'd', Doc: "Do everything but to run the helper."},
		{Letter: 'f', Doc: "Take write access away by force with -u -r."},
		{Letter: 'o', Arg: "options", Doc: "Options of the file system, separated by commas."},
		{Letter: 'r', Doc: "Mount read-only."},
		{Letter: 't', Arg: "type", Doc: "The type, or the types that actions are for; \"no\" in front is all but these."},
		{Letter: 'u', Doc: "Change the options of what is mounted."},
		{Letter: 'v', Doc: "Tell more; twice, also what file systems were mounted with."},
		{Letter: 'w', Doc: "Mount for reading and writing."},
	},
	Operands: []util.Operand{
		{Name: "special", Doc: "What to mount."},
		{Name: "node", Doc: "Where to mount it."},
	},
	Main: run,
}

// mounter is a run of mount.
type mounter struct {
	env     *util.Env
	sys     *client.Sys
	flags   uint32 // MNT_FORCE, MNT_RDONLY, MNT_UPDATE
	options string // of -o, separated by commas
	types   Types
	typ     string // the argument of -t
	debug   bool
	verbose int
	table   *fstab.Table
}

// request is a file system to mount.
type request struct {
	typ, from, on string
	guessed       bool   // the type is the default
	options       string // of /etc/fstab
	given         bool   // there are options, if only empty ones
	skipMounted   bool
}

// defaultType is the type where nothing says another.
const defaultType = "ffs"

func run(ctx context.Context, env *util.Env) int {
	m := &mounter{env: env, sys: env.Proc.Sys()}
	var all, force bool
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'A':
			all, force = true, true
		case 'a':
			all = true
		case 'd':
			m.debug = true
		case 'f':
			m.flags |= abi.MNT_FORCE
		case 'o':
			m.options = joinOptions(m.options, g.Arg)
		case 'r':
			m.flags |= abi.MNT_RDONLY
		case 't':
			if m.types.Given() {
				return env.Errx("Only one -t option may be specified.")
			}
			m.types, m.typ = ParseTypes(g.Arg), g.Arg
		case 'u':
			m.flags |= abi.MNT_UPDATE
		case 'v':
			m.verbose++
		case 'w':
			m.flags &^= abi.MNT_RDONLY
		default:
			return env.UsageError()
		}
	}
	args := g.Args()
	switch {
	case len(args) == 0 && all:
		return m.everything(ctx, !force)
	case len(args) == 0:
		return m.list(ctx)
	case len(args) == 1 && !m.types.Given():
		return m.byName(ctx, args[0])
	case len(args) == 2:
		return m.pair(ctx, args[0], args[1])
	}
	return env.UsageError()
}

// joinOptions adds options to a list.
func joinOptions(list, more string) string {
	if list == "" || more == "" {
		return list + more
	}
	return list + "," + more
}

// list prints what is mounted.
func (m *mounter) list(ctx context.Context) int {
	mounted, err := Mounted(m.sys, abi.ST_NOWAIT)
	if err != nil {
		return m.env.Err(err, "getmntinfo")
	}
	for i := range mounted {
		if m.types.Has(TypeName(&mounted[i])) {
			m.show(ctx, &mounted[i])
		}
	}
	return util.ExitOK
}

// fstab returns the entries of /etc/fstab, none if it cannot be read. What is wrong with it is said once.
func (m *mounter) fstab() *fstab.Table {
	if m.table != nil {
		return m.table
	}
	t, err := fstab.Read(m.sys)
	if err != nil {
		m.env.Warn(err, "Cannot open `%s'", fstab.Path)
		t = new(fstab.Table)
	}
	for _, line := range t.Bad {
		m.env.Warnx("%s, %d: Missing fields", fstab.Path, line)
	}
	m.table = t
	return t
}

// fromMount in /etc/fstab stands for what is mounted already.
const fromMount = "from_mount"

// everything mounts what is in /etc/fstab: -a and -A.
func (m *mounter) everything(ctx context.Context, skipMounted bool) int {
	status := util.ExitOK
	for _, e := range m.fstab().Entries {
		if !e.Mountable() || !m.types.Has(e.Type) || hasOption(e.Options, "noauto") {
			continue
		}
		from := e.Spec
		if from == fromMount {
			st := m.mounted(e.File)
			if st == nil {
				return m.env.Errx("Unknown file system %s", e.File)
			}
			from = FromName(st)
		}
		if m.isLabel(from) {
			return util.ExitFailure
		}
		r := request{typ: e.Type, from: from, on: e.File, options: e.Options, given: true, skipMounted: skipMounted}
		if m.mount(ctx, r) != util.ExitOK {
			status = util.ExitFailure
		}
	}
	return status
}

// mounted returns the file system that is mounted from or on a name, or nil.
func (m *mounter) mounted(name string) *abi.Statvfs {
	list, err := Mounted(m.sys, abi.ST_NOWAIT)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(list, func(st abi.Statvfs) bool { return FromName(&st) == name || OnName(&st) == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// isLabel tells whether a device is named by a label, which no disk of a rump kernel has, and says so.
func (m *mounter) isLabel(from string) bool {
	if len(from) < 5 || !strings.EqualFold(from[:5], "NAME=") {
		return false
	}
	m.env.Warn(abi.ESRCH, "no match for `%s'", from[5:])
	return true
}

// byName mounts what /etc/fstab says of a device or a directory or, with -u, changes what is mounted there.
func (m *mounter) byName(ctx context.Context, name string) int {
	find := m.entry
	if m.flags&abi.MNT_UPDATE != 0 {
		find = m.update
	}
	real, err := util.RealPath(m.sys, name)
	var r *request
	if err == nil {
		r = find(real)
	}
	if r == nil && (err != nil || real != name) {
		r = find(name)
	}
	switch {
	case r == nil:
		return m.env.Errx("Unknown special file or file system `%s'", name)
	case r.typ == "":
		return m.env.Errx("Unknown file system type for `%s'", name)
	case m.isLabel(r.from):
		return util.ExitFailure
	}
	return m.mount(ctx, *r)
}

// entry returns what /etc/fstab says of a name, or nil. Without a type it is nothing to mount.
func (m *mounter) entry(name string) *request {
	e := m.fstab().Find(name)
	if e == nil {
		return nil
	}
	r := &request{typ: e.Type, from: e.Spec, on: e.File, options: e.Options, given: true}
	if !e.Mountable() {
		r.typ = ""
	}
	if e.Spec == fromMount {
		st := m.mounted(name)
		if st == nil {
			return nil
		}
		r.from = FromName(st)
	}
	return r
}

// update returns what is mounted from or on a name, or nil.
func (m *mounter) update(name string) *request {
	st := m.mounted(name)
	if st == nil {
		return nil
	}
	return &request{typ: TypeName(st), from: FromName(st), on: OnName(st)}
}

// pair mounts a device, or what the type takes for one, on a directory.
func (m *mounter) pair(ctx context.Context, from, on string) int {
	if m.isLabel(from) {
		return util.ExitFailure
	}
	r := request{typ: m.typ, from: from, on: on}
	switch {
	case m.types.Given():
	case strings.ContainsAny(from, ":@"):
		fmt.Fprintf(m.env.Stderr, "WARNING: autoselecting nfs based on : or @ in the device name is deprecated!\n"+
			"WARNING: This behaviour will be removed in a future release\n")
		r.typ = "nfs"
	default:
		typ, err := labelType(m.sys, from)
		if err != nil {
			return m.env.Err(err, "cannot open `%s'", from)
		}
		r.typ = typ
		if typ == "" {
			r.typ, r.guessed = defaultType, true
		}
	}
	return m.mount(ctx, r)
}

// mount runs the helper for a request.
func (m *mounter) mount(ctx context.Context, r request) int {
	on, err := util.RealPath(m.sys, r.on)
	if err != nil {
		return m.env.Err(err, "realpath `%s'", r.on)
	}
	options := joinOptions(r.options, m.options)
	if !r.given && m.options == "" {
		options = "rw"
	}
	flags := m.flags
	getargs := strings.Contains(m.options, "getargs")
	switch {
	case on == "/" && !getargs && !hasOption(options, "union"):
		flags |= abi.MNT_UPDATE
	case r.skipMounted:
		if found, err := m.alreadyMounted(on, r.typ); err != nil || found {
			return status(err)
		}
	}
	if flags&abi.MNT_FORCE != 0 {
		options = joinOptions(options, "force")
	}
	if flags&abi.MNT_RDONLY != 0 {
		options = joinOptions(options, "ro")
	}
	if flags&abi.MNT_UPDATE != 0 {
		options = joinOptions(options, "update")
		var st abi.Statvfs
		if r.guessed && m.sys.Statvfs(on, &st, abi.ST_WAIT) == nil {
			r.typ = TypeName(&st)
		}
	}
	return m.help(ctx, r, on, options)
}

func status(err error) int {
	if err != nil {
		return util.ExitFailure
	}
	return util.ExitOK
}

// alreadyMounted tells whether a file system of a type is mounted on a directory, and with -v says so.
func (m *mounter) alreadyMounted(on, typ string) (bool, error) {
	list, err := Mounted(m.sys, abi.ST_WAIT)
	if err != nil {
		m.env.Warn(err, "getmntinfo")
		return false, err
	}
	for i := range list {
		st := &list[i]
		if OnName(st) != on || strings.TrimPrefix(TypeName(st), puffsPrefix) != typ {
			continue
		}
		if m.verbose > 0 {
			fmt.Fprintf(m.env.Stdout, "%s on %s type %s: already mounted\n", FromName(st), on, TypeName(st))
		}
		return true, nil
	}
	return false, nil
}

// help runs the helper of the request's type.
func (m *mounter) help(ctx context.Context, r request, on, options string) int {
	helper := "mount_" + strings.TrimPrefix(r.typ, puffsPrefix)
	if hasOption(options, "rump") {
		helper = "rump_" + r.typ
	}
	args := append(helperArgs(options), r.from, on)
	if m.verbose > 0 || m.debug {
		fmt.Fprintf(m.env.Stdout, "exec: %s %s\n", helper, strings.Join(args, " "))
	}
	if m.debug {
		return util.ExitOK
	}
	if m.env.Lookup(helper) == nil {
		return m.env.Errx("%s not found for %s", helper, on)
	}
	if err := m.env.Flush(); err != nil {
		return util.ExitFailure
	}
	if status := m.env.Run(ctx, helper, args...); status != util.ExitOK {
		return status
	}
	if m.verbose == 0 {
		return util.ExitOK
	}
	var st abi.Statvfs
	if err := m.sys.Statvfs(on, &st, abi.ST_WAIT); err != nil {
		return m.env.Err(err, "statvfs %s", on)
	}
	m.show(ctx, &st)
	return util.ExitOK
}
