package util

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestMountFlags follows mount(8) and getmntopts(3).
func TestMountFlags(t *testing.T) {
	table := []MountOption{
		{Name: "rdonly", Flag: abi.MNT_RDONLY},
		{Name: "rw", Flag: abi.MNT_RDONLY, Inverse: true},
		{Name: "atime", Flag: abi.MNT_NOATIME, Inverse: true},
		{Name: "dev", Flag: abi.MNT_NODEV, Inverse: true},
		{Name: "force", Flag: abi.MNT_FORCE},
		{Name: "long", Flag: 1, Alt: true},
		{Name: "norm", Flag: 2, Alt: true},
		{Name: "size"},
	}
	tests := []struct {
		lists      []string
		flags, alt uint32
	}{
		{nil, 0, 0},
		{[]string{""}, 0, 0},
		{[]string{"rdonly"}, abi.MNT_RDONLY, 0},
		{[]string{"RDONLY,force"}, abi.MNT_RDONLY | abi.MNT_FORCE, 0},
		{[]string{"noatime,nodev"}, abi.MNT_NOATIME | abi.MNT_NODEV, 0},
		{[]string{"noatime", "atime"}, 0, 0},
		{[]string{"rdonly,rw"}, 0, 0},
		{[]string{"rw,rdonly"}, abi.MNT_RDONLY, 0},
		{[]string{"long,norm"}, 0, 3},
		{[]string{"long,norm", "nolong,nonorm"}, 0, 0},
		{[]string{"size=4m,,"}, 0, 0},
	}
	for _, tt := range tests {
		var f MountFlags
		for _, l := range tt.lists {
			if err := f.Parse(l, table); err != nil {
				t.Errorf("%q: %v", tt.lists, err)
			}
		}
		if f.Flags != tt.flags || f.Alt != tt.alt {
			t.Errorf("%q: %#x, %#x; want %#x, %#x", tt.lists, f.Flags, f.Alt, tt.flags, tt.alt)
		}
	}
	var f MountFlags
	if err := f.Parse("size=4m", table); err != nil || f.Values["size"] != "4m" {
		t.Errorf("values %q, %v", f.Values, err)
	}
	if err := f.Parse("rdonly,bogus=1", table); err == nil || err.Error() != "-o bogus: option not supported" {
		t.Errorf("error %v", err)
	}
}
