package util

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestSetMode follows chmod(1) and setmode(3).
func TestSetMode(t *testing.T) {
	const (
		reg = abi.S_IFREG
		dir = abi.S_IFDIR
	)
	tests := []struct {
		mode  string
		umask uint32
		old   uint32
		want  uint32
	}{
		{"644", 0o22, reg | 0o777, reg | 0o644},
		{"0", 0, reg | 0o7777, reg},
		{"7777", 0o77, dir, dir | 0o7777},
		{"u=rw,go=r", 0o22, reg | 0o777, reg | 0o644},
		{"a+x", 0o77, reg | 0o644, reg | 0o755},
		{"+x", 0o22, reg | 0o644, reg | 0o755},
		{"+w", 0o22, reg | 0o444, reg | 0o644}, // the umask keeps the others'
		{"-w", 0o22, reg | 0o666, reg | 0o466},
		{"=rw", 0o22, reg | 0o777, reg | 0o644},
		{"=", 0o22, reg | 0o777, reg},
		{"go-w", 0, reg | 0o666, reg | 0o644},
		{"u+s", 0, reg | 0o755, reg | 0o4755},
		{"g+s", 0, dir | 0o755, dir | 0o2755},
		{"o+s", 0, reg | 0o755, reg | 0o755}, // nothing to set
		{"+s", 0, reg | 0o755, reg | 0o6755},
		{"ug=s", 0, reg | 0o755, reg | 0o6005},
		{"+t", 0o22, dir | 0o777, dir | 0o1777},
		{"o+t", 0, dir | 0o777, dir | 0o777},
		{"a=rwx,+t", 0, dir, dir | 0o1777},
		{"u=rwx", 0, dir | 0o1777, dir | 0o1777}, // = leaves the sticky bit
		{"+X", 0, reg | 0o644, reg | 0o644},
		{"+X", 0, dir | 0o644, dir | 0o755},
		{"+X", 0, reg | 0o744, reg | 0o755},
		{"a-x,a+X", 0, reg | 0o711, reg | 0o711}, // X goes by the mode there was
		{"g=u", 0, reg | 0o640, reg | 0o660},
		{"u=u", 0, reg | 0o750, reg | 0o750},
		{"o=g-w", 0, reg | 0o660, reg | 0o664},
		{"go=u,go-w", 0, reg | 0o755, reg | 0o755},
		{"u+g", 0, reg | 0o070, reg | 0o770},
		{"u-g", 0, reg | 0o740, reg | 0o340},
		{"u+w-x", 0, reg | 0o500, reg | 0o600},
		{"a=,u+r", 0, reg | 0o777, reg | 0o400},
	}
	for _, tt := range tests {
		m, ok := SetMode(tt.mode, tt.umask)
		if !ok {
			t.Errorf("%q is no mode", tt.mode)
			continue
		}
		if got := m.Apply(tt.old); got != tt.want {
			t.Errorf("%q, umask %o, makes %o of %o, want %o", tt.mode, tt.umask, got, tt.old, tt.want)
		}
	}
	for _, bad := range []string{"", "u", "x", "u+z", "u+x,", ",u+x", "888", "10000", "77777777777777777777", "u++,", "rw", "7x", "-1"} {
		if _, ok := SetMode(bad, 0); ok {
			t.Errorf("%q is a mode", bad)
		}
	}
}

func FuzzSetMode(f *testing.F) {
	f.Add("u=rwX,go-w", uint32(0o22), uint32(0o755))
	f.Fuzz(func(t *testing.T, s string, umask, old uint32) {
		if m, ok := SetMode(s, umask); ok {
			if got := m.Apply(old); got&^uint32(bitsSet) != old&^uint32(bitsSet) {
				t.Errorf("%q makes %o of %o: other bits than permissions change", s, got, old)
			}
		}
	})
}

// TestStrMode follows strmode(3).
func TestStrMode(t *testing.T) {
	for mode, want := range map[uint32]string{
		abi.S_IFREG | 0o644:  "-rw-r--r-- ",
		abi.S_IFDIR | 0o1777: "drwxrwxrwt ",
		abi.S_IFDIR | 0o1776: "drwxrwxrwT ",
		abi.S_IFLNK | 0o755:  "lrwxr-xr-x ",
		abi.S_IFCHR | 0o600:  "crw------- ",
		abi.S_IFBLK | 0o640:  "brw-r----- ",
		abi.S_IFIFO | 0o644:  "prw-r--r-- ",
		abi.S_IFSOCK | 0o755: "srwxr-xr-x ",
		abi.S_IFWHT:          "w--------- ",
		abi.S_IFREG | 0o4755: "-rwsr-xr-x ",
		abi.S_IFREG | 0o6644: "-rwSr-Sr-- ",
		abi.S_IFREG | 0o2750: "-rwxr-s--- ",
		0:                    "?--------- ",
	} {
		if got := StrMode(mode); got != want {
			t.Errorf("%o is %q, want %q", mode, got, want)
		}
	}
}
