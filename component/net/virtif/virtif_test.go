package virtif

import (
	"bytes"
	"encoding/binary"
	stdnet "net"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

const testType = 0x88b6

// world is virt0 on a network of its own, and a host in place of the real one, which no test touches: the other end of a pipe.
type world struct {
	t        *testing.T
	net      *ifnet.Net
	ifp      *ifnet.Interface
	opened   string
	err      error
	host     stdnet.Conn
	received chan []byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, net: ifnet.New(nil, nil), received: make(chan []byte, 100)}
	attach(w.net, func(name string) (link, error) {
		w.opened = name
		if w.err != nil {
			return nil, w.err
		}
		ours, theirs := stdnet.Pipe()
		w.host = theirs
		return ours, nil
	})
	w.net.HandleProtocol(testType, func(_ *ifnet.Interface, p *ifnet.Packet) { w.received <- p.Buf.Flatten() })
	var err error
	if w.ifp, err = w.net.Create(nil, "virt0"); err != nil {
		t.Fatal(err)
	}
	return w
}

// linkstr is SIOCSLINKSTR.
func (w *world) linkstr(cmd uint64, name string) error {
	w.t.Helper()
	k := kerntest.New(w.t, rumpnet.Component())
	mem := new(kerntest.Memory)
	req := abi.Ifdrv{Cmd: cmd, Len: uint64(len(name) + 1), Data: mem.Map(append([]byte(name), 0))}
	w.net.Config.Lock()
	defer w.net.Config.Unlock()
	th := &kern.Thread{Proc: &kern.Proc{K: k}, Mem: mem}
	return w.ifp.Driver.(ifnet.Ioctler).Ioctl(th, w.ifp, abi.SIOCSLINKSTR, req.Append(nil))
}

func (w *world) setUp(up bool) error {
	w.net.Config.Lock()
	defer w.net.Config.Unlock()
	if up {
		return w.ifp.SetFlags(abi.IFF_UP, 0)
	}
	return w.ifp.SetFlags(0, abi.IFF_UP)
}

func (w *world) frame(size int) []byte {
	b := bytes.Repeat([]byte{3}, size)
	copy(b, w.ifp.LinkAddr())
	binary.BigEndian.PutUint16(b[12:], testType)
	return b
}

// TestLinkstr: names are the host's, numbers those of its tun interfaces, and its errors are told.
func TestLinkstr(t *testing.T) {
	w := newWorld(t)
	if mac := w.ifp.LinkAddr(); mac[0] != 0xb2 || mac[1] != 0x0a || w.ifp.Flags() != 0x8802 {
		t.Errorf("address %x, flags %#x", mac, w.ifp.Flags())
	}
	if err := w.setUp(true); err != abi.ENXIO {
		t.Errorf("up without a host: %v", err)
	}
	for _, c := range []struct {
		name, opened string
		err          error
		want         error
	}{{"tap7", "tap7", abi.EPERM, abi.EPERM}, {"3", "tun3", abi.EBUSY, abi.EBUSY}, {"", "", nil, abi.EINVAL}, {"tap7", "tap7", nil, nil},
		{"tap8", "", nil, abi.EBUSY}} {
		w.opened, w.err = "", c.err
		if err := w.linkstr(0, c.name); err != c.want || w.opened != c.opened {
			t.Errorf("linkstr %q: %v, opened %q", c.name, err, w.opened)
		}
	}
	if err := w.linkstr(abi.IFLINKSTR_UNSET, ""); err != nil {
		t.Error(err)
	}
	if _, err := w.host.Read(make([]byte, 1)); err == nil {
		t.Error("the host's interface is open still")
	}
}

// TestTraffic: frames pass both ways while the interface is up, and again after it was down.
func TestTraffic(t *testing.T) {
	w := newWorld(t)
	if err := w.linkstr(0, "tap0"); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := w.setUp(true); err != nil || w.ifp.Flags() != 0x8843 {
			t.Fatalf("%v, flags %#x", err, w.ifp.Flags())
		}
		in, out := w.frame(60+i), w.frame(1514-i)
		if _, err := w.host.Write(in); err != nil {
			t.Fatal(err)
		}
		if got := <-w.received; !bytes.Equal(got, in) {
			t.Errorf("received %d bytes", len(got))
		}
		sent := make(chan error, 1)
		go func() { sent <- w.ifp.Output(ifnet.NewPacket(out)) }()
		buf := make([]byte, 2000)
		n, err := w.host.Read(buf)
		if err != nil || <-sent != nil || !bytes.Equal(buf[:n], out) {
			t.Errorf("sent %d bytes, %v", n, err)
		}
		if err := w.setUp(false); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.ifp.Output(ifnet.NewPacket(w.frame(60))); err != abi.ENETDOWN {
		t.Errorf("sending when down: %v", err)
	}
	if err := w.net.Destroy("virt0"); err != nil {
		t.Error(err)
	}
	<-w.ifp.Driver.(*driver).reader.done
}
