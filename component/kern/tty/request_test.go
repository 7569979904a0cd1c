package tty_test

import (
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/kern/tty"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestSysctl: the counts of characters and the size of queues. Oracle: sysctl -A of a kernel with all components, sysctl(7).
func TestSysctl(t *testing.T) {
	p := boot(t)
	check := func(want map[string]uint64) {
		t.Helper()
		for name, n := range want {
			b, e := p.Sysctl(name)
			if e != 0 || len(b) < 4 {
				t.Fatalf("%s: %v", name, e)
			}
			got := uint64(binary.LittleEndian.Uint32(b))
			if len(b) == 8 {
				got = binary.LittleEndian.Uint64(b)
			}
			if got != n {
				t.Errorf("%s = %d, want %d", name, got, n)
			}
		}
	}
	check(map[string]uint64{"kern.tkstat.nin": 0, "kern.tkstat.nout": 0, "kern.tkstat.cancc": 0, "kern.tkstat.rawcc": 0, "kern.tty.qsize": 1024})
	master, slave := pair(p)
	write(t, p, master, "ab\n")
	modes(t, p, slave, func(m *abi.Termios) { m.Lflag &^= abi.ICANON | abi.ECHO })
	write(t, p, master, "c")
	check(map[string]uint64{"kern.tkstat.nin": 4, "kern.tkstat.nout": 4, "kern.tkstat.cancc": 3, "kern.tkstat.rawcc": 1})
	for size, want := range map[int32]abi.Errno{3000: 0, 100: abi.EINVAL, 1 << 20: abi.EINVAL} {
		if e := p.SetSysctl("kern.tty.qsize", kerntest.Ints(size)); e != want {
			t.Errorf("kern.tty.qsize = %d: %v, want %v", size, e, want)
		}
	}
	check(map[string]uint64{"kern.tty.qsize": 2048})
	open(p, "/dev/ptyp1", abi.O_RDWR)
	wantInt(t, p, open(p, "/dev/ttyp1", abi.O_RDWR), abi.TIOCGQSIZE, 2048)
	wantInt(t, p, slave, abi.TIOCGQSIZE, 1024)
}

// FuzzRequest makes any request of both sides of a pair, and of the cloning device: it is refused or served, and the terminal can be
// used afterwards.
func FuzzRequest(f *testing.F) {
	for _, r := range abi.Ioctls() {
		if abi.IOCGroup(r.Cmd) == 't' {
			f.Add(r.Cmd, make([]byte, abi.IOCParmLen(r.Cmd)))
		}
	}
	f.Add(uint32(abi.IOC_VOID|'u'<<8|3), []byte{})
	f.Fuzz(func(t *testing.T, cmd uint32, data []byte) {
		p := kerntest.Proc(t, kerntest.New(t, rumpvfs.Component(), tty.Component()))
		master, slave := pair(p)
		ptm := open(p, "/dev/ptm", abi.O_RDWR)
		buf := make([]byte, abi.IOCPARM_MAX)
		copy(buf, data)
		for _, fd := range []int{slave, master, ptm} {
			p.Call(abi.SYS_ioctl, fd, cmd, buf)
		}
		for _, fd := range []int{slave, master} {
			if _, e := p.Write(fd, "x"); e != 0 && e != abi.EAGAIN && e != abi.EIO {
				t.Errorf("write after %#x: %v", cmd, e)
			}
			if _, e := p.Read(fd, 100); e != 0 && e != abi.EAGAIN {
				t.Errorf("read after %#x: %v", cmd, e)
			}
		}
		// The first open may have been revoked: TIOCGRANTPT.
		ioctl(p, open(p, "/dev/ttyp0", abi.O_RDWR|abi.O_NONBLOCK), abi.TIOCGETA, make([]byte, abi.SizeofTermios))
	})
}
