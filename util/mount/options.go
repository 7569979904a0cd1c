package mount

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// StandardOptions returns the options of -o that every mount helper takes, and those of more that are named:
// MOPT_STDOPTS of <mntopts.h>, and "update", "atime" and so on.
func StandardOptions(more ...string) []util.MountOption {
	list := []util.MountOption{
		{Name: "userquota"},
		{Name: "groupquota"},
		{Name: "ro", Flag: abi.MNT_RDONLY},
		{Name: "rw", Flag: abi.MNT_RDONLY, Inverse: true},
		{Name: "auto"},
		{Name: "coredump", Flag: abi.MNT_NOCOREDUMP, Inverse: true},
		{Name: "dev", Flag: abi.MNT_NODEV, Inverse: true},
		{Name: "exec", Flag: abi.MNT_NOEXEC, Inverse: true},
		{Name: "suid", Flag: abi.MNT_NOSUID, Inverse: true},
		{Name: "rdonly", Flag: abi.MNT_RDONLY},
		{Name: "union", Flag: abi.MNT_UNION},
		{Name: "hidden", Flag: abi.MNT_IGNORE},
		{Name: "symperm", Flag: abi.MNT_SYMPERM},
		{Name: "rump"},
	}
	for _, o := range []util.MountOption{
		{Name: "async", Flag: abi.MNT_ASYNC},
		{Name: "sync", Flag: abi.MNT_SYNCHRONOUS},
		{Name: "atime", Flag: abi.MNT_NOATIME, Inverse: true},
		{Name: "relatime", Flag: abi.MNT_RELATIME},
		{Name: "devmtime", Flag: abi.MNT_NODEVMTIME, Inverse: true},
		{Name: "log", Flag: abi.MNT_LOG},
		{Name: "extattr", Flag: abi.MNT_EXTATTR},
		{Name: "discard", Flag: abi.MNT_DISCARD},
		{Name: "force", Flag: abi.MNT_FORCE},
		{Name: "update", Flag: abi.MNT_UPDATE},
		{Name: "reload", Flag: abi.MNT_RELOAD},
		{Name: "getargs", Flag: abi.MNT_GETARGS},
	} {
		for _, name := range more {
			if name == o.Name {
				list = append(list, o)
			}
		}
	}
	return list
}

// hasOption tells whether the last of a list of options that concern the named one, which may begin with "no", sets it.
func hasOption(list, name string) bool {
	name, negative := strings.CutPrefix(name, "no")
	found := false
	for opt := range strings.SplitSeq(list, ",") {
		rest, no := strings.CutPrefix(opt, "no")
		if strings.EqualFold(rest, name) {
			found = no == negative
		}
	}
	return found
}

// helperArgs returns the arguments that a list of options comes to for a helper: "-o opt", and for "-x=value" the
// two words "-x value".
func helperArgs(list string) []string {
	var args []string
	for opt := range strings.SplitSeq(list, ",") {
		switch {
		case opt == "" || opt == "rw":
		case opt[0] == '-':
			name, value, has := strings.Cut(opt, "=")
			args = append(args, name)
			if has {
				args = append(args, value)
			}
		default:
			args = append(args, "-o", opt)
		}
	}
	return args
}
