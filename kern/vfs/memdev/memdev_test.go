package memdev_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
	"github.com/rumpctrl/rumpctrl/kern/vfs/memdev"
	"github.com/rumpctrl/rumpctrl/kern/vfs/memfs"
)

// boot makes a kernel with all devices and a node for full.
func boot(t *testing.T) *kerntest.P {
	root := &vfs.Type{Name: "rumpfs", Mount: func(t *kern.Thread, _ *vfs.MountArgs) (vfs.FS, error) {
		return memfs.New(t.K, memfs.Config{Face: memfs.Face{BlockSize: 512, FirstIno: 2}, Mode: 0755})
	}}
	devices := &kern.Component{Name: "devices", Needs: []string{"rumpvfs"}, Attach: func(k *kern.Kernel) error {
		if err := memdev.AttachRandom(k); err != nil {
			return err
		}
		return memdev.AttachMem(k)
	}}
	p := kerntest.Proc(t, kerntest.New(t, vfs.NewComponent(root), devices))
	p.Must(abi.SYS___mknod50, "/dev/full", abi.S_IFCHR|0666, kern.Makedev(memdev.MemMajor, memdev.FullMinor))
	return p
}

// TestDevices reads and writes each device. Oracles: null(4), zero(4), full(4), rnd(4).
func TestDevices(t *testing.T) {
	p := boot(t)
	for _, c := range []struct {
		name  string
		read  int // of 64
		zeros bool
		write abi.Errno
	}{
		{"null", 0, true, 0},
		{"zero", 64, true, 0},
		{"full", 64, true, abi.ENOSPC},
		{"random", 64, false, 0},
		{"urandom", 64, false, 0},
	} {
		fd := int(p.Must(abi.SYS_open, "/dev/"+c.name, abi.O_RDWR, 0))
		got, errno := p.Read(fd, 64)
		if errno != 0 || len(got) != c.read {
			t.Errorf("%s: read %d bytes, %v; want %d", c.name, len(got), errno, c.read)
		}
		if zeros := strings.Trim(got, "\x00") == ""; zeros != c.zeros {
			t.Errorf("%s: read %q", c.name, got)
		}
		n, errno := p.Write(fd, "twelve bytes")
		if errno != c.write || errno == 0 && n != 12 {
			t.Errorf("%s: wrote %d, %v; want %v", c.name, n, errno, c.write)
		}
		p.Close(fd)
	}
}

// TestNodes checks type, permissions and device numbers. Oracles: transcripts core-09 and the list of /dev of a kernel with every component.
func TestNodes(t *testing.T) {
	p := boot(t)
	for name, dev := range map[string][2]int{"null": {2, 2}, "zero": {2, 12}, "random": {256, 0}, "urandom": {256, 1}} {
		buf := make([]byte, abi.SizeofStat)
		p.Must(abi.SYS___stat50, "/dev/"+name, buf)
		var st abi.Stat
		if err := st.Decode(buf); err != nil {
			t.Fatal(err)
		}
		if st.Mode != abi.S_IFCHR|0644 || st.Rdev != kern.Makedev(dev[0], dev[1]) {
			t.Errorf("%s: mode %o, device %d, %d", name, st.Mode, kern.Major(st.Rdev), kern.Minor(st.Rdev))
		}
	}
	p.Must(abi.SYS___mknod50, "/dev/mem", abi.S_IFCHR|0600, kern.Makedev(memdev.MemMajor, 0))
	p.Want(abi.ENXIO, abi.SYS_open, "/dev/mem", abi.O_RDONLY, 0)
}

// TestRandomDiffers: two reads agree once in 2^512 times.
func TestRandomDiffers(t *testing.T) {
	p := boot(t)
	fd := int(p.Must(abi.SYS_open, "/dev/urandom", abi.O_RDONLY, 0))
	a, _ := p.Read(fd, 64)
	b, _ := p.Read(fd, 64)
	if bytes.Equal([]byte(a), []byte(b)) {
		t.Errorf("twice %x", a)
	}
}
