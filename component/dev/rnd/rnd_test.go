package rnd_test

import (
	"bytes"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/dev/rnd"
	"github.com/rumpctrl/rumpctrl/component/rumpdev"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestDevices checks names, numbers and what reading gives. The oracles are rnd(4) and the listing of /dev in the original:
// random is 256, 0 and urandom 256, 1.
func TestDevices(t *testing.T) {
	k := kerntest.New(t, rumpvfs.Component(), rumpdev.Component(), rnd.Component())
	p := kerntest.Proc(t, k)
	for name, dev := range map[string]uint64{"/dev/random": 0x10000, "/dev/urandom": 0x10001} {
		b := make([]byte, abi.SizeofStat)
		p.Must(abi.SYS___lstat50, name, b)
		var st abi.Stat
		if err := st.Decode(b); err != nil || st.Mode != abi.S_IFCHR|0o644 || st.Rdev != dev {
			t.Errorf("%s: mode %o, device %#x, %v; want %#x", name, st.Mode, st.Rdev, err, dev)
		}
		fd := int(p.Must(abi.SYS_open, name, abi.O_RDWR))
		x, y := make([]byte, 64), make([]byte, 64)
		for _, buf := range [][]byte{x, y} {
			if n := p.Must(abi.SYS_read, fd, buf, len(buf)); n != 64 {
				t.Errorf("%s: read gave %d", name, n)
			}
		}
		if bytes.Equal(x, y) || bytes.Equal(x, make([]byte, 64)) {
			t.Errorf("%s is not random: %x, %x", name, x, y)
		}
		if n := p.Must(abi.SYS_write, fd, "seed", 4); n != 4 {
			t.Errorf("%s: write took %d", name, n)
		}
	}
	p.Must(abi.SYS___mknod50, "/other", abi.S_IFCHR|0o644, 0x10002)
	p.Want(abi.ENXIO, abi.SYS_open, "/other", abi.O_RDONLY)
}
