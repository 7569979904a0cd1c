package linkstr

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// fake is a driver that connects to anything but "bad".
type fake struct{ name string }

func (f *fake) Linkstr() string { return f.name }

func (f *fake) Connect(_ *kern.Thread, _ *ifnet.Interface, name string) error {
	if name == "bad" {
		return abi.ENOEXEC
	}
	f.name = name
	return nil
}

func (f *fake) Disconnect(*ifnet.Interface) { f.name = "" }

func (f *fake) Transmit(*ifnet.Interface, []*ifnet.Packet) error { return nil }

// TestIoctl goes through the life of a linkstr; the recorded session ifconfig-linkstr has the layout of the argument.
func TestIoctl(t *testing.T) {
	f := &fake{}
	n := ifnet.New(nil, nil)
	ifp := ifnet.NewEthernet("fake", 0, f)
	if err := n.Attach(ifp, nil, 1500, 0); err != nil {
		t.Fatal(err)
	}
	mem := new(kerntest.Memory)
	call := func(ioctl uint32, cmd, size uint64, b []byte) (uint64, error) {
		req := abi.Ifdrv{Cmd: cmd, Len: size}
		if b != nil {
			req.Data = mem.Map(b)
		}
		data := req.Append(nil)
		err := Ioctl(&kern.Thread{Mem: mem}, ifp, f, ioctl, data)
		if err := req.Decode(data); err != nil {
			t.Fatal(err)
		}
		return req.Len, err
	}
	name, room := []byte("bus\x00"), make([]byte, 4)
	for i, c := range []struct {
		ioctl     uint32
		cmd, size uint64
		b         []byte
		up        bool
		want      error
		wantLen   uint64
	}{
		{abi.SIOCGLINKSTR, 0, 4, room, false, abi.ENOENT, 4},
		{abi.SIOCGLINKSTR, abi.IFLINKSTR_QUERYLEN, 0, nil, false, abi.ENOENT, 0},
		{abi.SIOCSLINKSTR, 0, 4, name, true, abi.EBUSY, 4},
		{abi.SIOCSLINKSTR, 9, 4, name, false, abi.ENOTTY, 4},
		{abi.SIOCSLINKSTR, 0, 0, name, false, abi.EINVAL, 0},
		{abi.SIOCSLINKSTR, 0, 1, []byte{0}, false, abi.EINVAL, 1},
		{abi.SIOCSLINKSTR, 0, 1025, []byte(strings.Repeat("x", 1025)), false, abi.E2BIG, 1025},
		{abi.SIOCSLINKSTR, 0, 3, name, false, abi.ENAMETOOLONG, 3},
		{abi.SIOCSLINKSTR, 0, 4, nil, false, abi.EFAULT, 4},
		{abi.SIOCSLINKSTR, 0, 4, []byte("bad\x00"), false, abi.ENOEXEC, 4},
		{abi.SIOCSLINKSTR, 0, 4, name, false, nil, 4},
		{abi.SIOCSLINKSTR, 0, 4, name, false, abi.EBUSY, 4},
		{abi.SIOCGLINKSTR, abi.IFLINKSTR_QUERYLEN, 0, nil, false, nil, 4},
		{abi.SIOCGLINKSTR, 9, 4, room, false, abi.ENOTTY, 4},
		{abi.SIOCGLINKSTR, 0, 3, room, false, abi.ENOBUFS, 3},
		{abi.SIOCGLINKSTR, 0, 4, nil, false, abi.EFAULT, 4},
		{abi.SIOCGLINKSTR, 0, 4, room, true, nil, 4},
		{abi.SIOCSLINKSTR, abi.IFLINKSTR_UNSET, 0, nil, true, abi.EBUSY, 0},
		{abi.SIOCSLINKSTR, abi.IFLINKSTR_UNSET, 0, nil, false, nil, 0},
		{abi.SIOCGIFFLAGS, 0, 0, nil, false, abi.ENOTTY, 0},
	} {
		set, clear := uint32(0), uint32(abi.IFF_UP)
		if c.up {
			set, clear = clear, set
		}
		if err := ifp.SetFlags(set, clear); err != nil {
			t.Fatal(err)
		}
		if got, err := call(c.ioctl, c.cmd, c.size, c.b); err != c.want || got != c.wantLen {
			t.Errorf("call %d, %s, command %d: %v, length %d; want %v, %d", i, abi.IoctlName(c.ioctl), c.cmd, err, got, c.want, c.wantLen)
		}
	}
	if string(room) != "bus\x00" || f.name != "" {
		t.Errorf("read %q; connected to %q at the end", room, f.name)
	}
}
