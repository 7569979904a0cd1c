package mknod

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestDrivers holds the list of drivers against mknod(8), -l and a driver in place of a major number.
func TestDrivers(t *testing.T) {
	var b []byte
	for _, d := range []struct {
		name             string
		character, block int32
	}{{"mem", 2, -1}, {"vnd", 41, 14}, {"nothing", -1, -1}} {
		k := abi.KinfoDrivers{Cmajor: d.character, Bmajor: d.block}
		abi.PutCString(k.Name[:], d.name)
		b = k.Append(b)
	}
	list, err := parseDrivers(append(b, 1, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	const mem, vnd = "mem character major 2\n", "vnd character major 41 block major 14\n"
	if got := describe(list, nil); got != mem+vnd+"nothing\n" {
		t.Errorf("%s", got)
	}
	if got := describe(list, []string{"vnd", "nope", "mem"}); got != vnd+mem {
		t.Errorf("%s", got)
	}
	for _, c := range []struct {
		name string
		typ  uint32
		want int32
	}{{"vnd", abi.S_IFBLK, 14}, {"vnd", abi.S_IFCHR, 41}, {"mem", abi.S_IFBLK, -1}, {"nope", abi.S_IFCHR, -1}} {
		if got := majorOf(list, c.name, c.typ); got != c.want {
			t.Errorf("major of %s: %d, want %d", c.name, got, c.want)
		}
	}
}
