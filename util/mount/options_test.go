package mount

import (
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// TestHelperArgs holds what options become against mount(8): its example is the first.
func TestHelperArgs(t *testing.T) {
	for in, want := range map[string]string{
		"nosuid,-N,-s=32m": "-o nosuid -N -s 32m",
		"rw":               "",
		"ro,,noatime":      "-o ro -o noatime",
		"-s20M,-m=0700":    "-s20M -m 0700",
		"rw,-o=a=b":        "-o a=b",
	} {
		if got := strings.Join(helperArgs(in), " "); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// TestHasOption checks which of several options holds: the last.
func TestHasOption(t *testing.T) {
	for _, c := range []struct {
		list, name string
		want       bool
	}{
		{"rw,noauto", "noauto", true},
		{"noauto,auto", "noauto", false},
		{"rw", "noauto", false},
		{"RUMP", "rump", true},
		{"rump,norump", "rump", false},
		{"", "union", false},
	} {
		if got := hasOption(c.list, c.name); got != c.want {
			t.Errorf("%q has %s: %v", c.list, c.name, got)
		}
	}
}

// TestStandardOptions holds the flags against getmntopts(3) and mount(8).
func TestStandardOptions(t *testing.T) {
	for _, c := range []struct {
		list string
		want uint32
		err  string
	}{
		{"ro", abi.MNT_RDONLY, ""},
		{"rdonly,rw", 0, ""},
		{"nosuid,nodev,noexec,nocoredump", abi.MNT_NOSUID | abi.MNT_NODEV | abi.MNT_NOEXEC | abi.MNT_NOCOREDUMP, ""},
		{"nodev,dev", 0, ""},
		{"hidden,union,symperm", abi.MNT_IGNORE | abi.MNT_UNION | abi.MNT_SYMPERM, ""},
		{"noatime", abi.MNT_NOATIME, ""},
		{"update", abi.MNT_UPDATE, ""},
		{"sync", 0, "-o sync: option not supported"},
		{"bogus", 0, "-o bogus: option not supported"},
	} {
		var f util.MountFlags
		err := f.Parse(c.list, StandardOptions("atime", "update"))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.err || err == nil && f.Flags != c.want {
			t.Errorf("-o %s: %#x, %q; want %#x, %q", c.list, f.Flags, got, c.want, c.err)
		}
	}
}

// TestTypes holds lists of types against mount(8).
func TestTypes(t *testing.T) {
	all := []string{"ffs", "nfs", "mfs", "tmpfs"}
	for list, want := range map[string][]string{
		"ffs,mfs":   {"ffs", "mfs"},
		"nonfs,mfs": {"ffs", "tmpfs"},
	} {
		types := ParseTypes(list)
		got := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !types.Has(s) })
		if !slices.Equal(got, want) {
			t.Errorf("-t %s: %v, want %v", list, got, want)
		}
	}
	if !(Types{}).Has("any") || (Types{}).Given() {
		t.Error("no list is not all types")
	}
}

// TestDescribe holds what is told of flags against transcript fs-01.
func TestDescribe(t *testing.T) {
	flags := uint64(abi.MNT_NOATIME | abi.MNT_NOSUID | abi.MNT_NOEXEC | abi.MNT_LOCAL)
	if got := strings.Join(describe(flags, false), ", "); got != "noatime, noexec, nosuid, local" {
		t.Errorf("%q", got)
	}
	if got := strings.Join(describe(abi.MNT_LOCAL|abi.MNT_ROOTFS, true), ", "); got != "local, root file system" {
		t.Errorf("%q", got)
	}
	if got := describe(abi.MNT_ROOTFS, false); got != nil {
		t.Errorf("%q", got)
	}
}
