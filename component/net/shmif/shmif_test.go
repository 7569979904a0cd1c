//go:build unix

package shmif

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	format "github.com/rumpctrl/rumpctrl/ondisk/shmif"
	"github.com/rumpctrl/rumpctrl/ondisk/shmif/shmiftest"
)

// testType is the ethertype of the tests' packets: the second of those that IEEE 802 keeps for local use.
const testType = 0x88b6

// card is an interface of a network of its own, as another kernel's, whose received frames are in frames.
type card struct {
	tb     testing.TB
	kernel *kern.Kernel // nil for most
	net    *ifnet.Net
	ifp    *ifnet.Interface
	frames chan *ifnet.Packet
}

func newCard(tb testing.TB) *card {
	tb.Helper()
	c := &card{tb: tb, net: ifnet.New(nil, nil), frames: make(chan *ifnet.Packet, 4096)}
	Attach(c.net)
	c.net.HandleProtocol(testType, func(_ *ifnet.Interface, p *ifnet.Packet) { c.frames <- p })
	var err error
	if c.ifp, err = c.net.Create(nil, "shmif0"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.net.Destroy("shmif0") })
	return c
}

// on is a card that is up on a bus.
func on(tb testing.TB, linkstr string) *card {
	tb.Helper()
	c := newCard(tb)
	if err := c.linkstr(0, linkstr); err != nil {
		tb.Fatal(err)
	}
	c.up()
	return c
}

func (c *card) driver() *driver { return c.ifp.Driver.(*driver) }

func (c *card) up() {
	c.tb.Helper()
	if err := c.setFlags(abi.IFF_UP, 0); err != nil {
		c.tb.Fatal(err)
	}
}

func (c *card) setFlags(set, clear uint32) error {
	c.net.Config.Lock()
	defer c.net.Config.Unlock()
	return c.ifp.SetFlags(set, clear)
}

// ioctl calls the driver as package ifnet does, with memory of a client.
func (c *card) ioctl(mem kern.Memory, cmd uint32, arg interface{ Append([]byte) []byte }) ([]byte, error) {
	data := arg.Append(nil)
	c.net.Config.Lock()
	defer c.net.Config.Unlock()
	err := c.driver().Ioctl(&kern.Thread{Proc: &kern.Proc{K: c.kernel}, Mem: mem}, c.ifp, cmd, data)
	return data, err
}

// linkstr is SIOCSLINKSTR with a name, as ifconfig(8) calls it.
func (c *card) linkstr(cmd uint64, name string) error {
	mem := new(kerntest.Memory)
	req := abi.Ifdrv{Cmd: cmd, Len: uint64(len(name) + 1), Data: mem.Map(append([]byte(name), 0))}
	_, err := c.ioctl(mem, abi.SIOCSLINKSTR, &req)
	return err
}

// frame is an Ethernet frame of size bytes from one address to another; i is in it and shapes it.
func frame(dst, src []byte, i, size int) []byte {
	b := make([]byte, size)
	copy(b, dst)
	copy(b[6:], src)
	binary.BigEndian.PutUint16(b[12:], testType)
	for j := 14; j < size; j++ {
		b[j] = byte(i + j)
	}
	binary.BigEndian.PutUint32(b[14:], uint32(i))
	return b
}

var broadcast = bytes.Repeat([]byte{0xff}, 6)

func (c *card) send(dst []byte, i, size int) {
	c.tb.Helper()
	if err := c.ifp.Output(ifnet.NewPacket(frame(dst, c.ifp.LinkAddr(), i, size))); err != nil {
		c.tb.Fatal(err)
	}
}

// want receives the frame that send sent.
func (c *card) want(src []byte, dst []byte, i, size int) {
	c.tb.Helper()
	p := <-c.frames
	defer p.Release()
	if !bytes.Equal(p.Buf.Flatten(), frame(dst, src, i, size)) {
		c.tb.Fatalf("frame %d of %d bytes: got %d bytes, %x...", i, size, p.Len(), p.Buf.Flatten()[:20])
	}
}

// TestLinkstr checks SIOCGLINKSTR and SIOCSLINKSTR. The oracles are the recorded sessions ifconfig-linkstr (struct ifdrv, the name with
// its NUL) and net-01 (what ifconfig shows), and docs/shmif.md.
func TestLinkstr(t *testing.T) {
	c := newCard(t)
	dir := t.TempDir()
	bus := filepath.Join(dir, "busmem")
	if mac := c.ifp.LinkAddr(); len(mac) != 6 || mac[0] != 0xb2 || mac[1] != 0xa0 {
		t.Errorf("address %x", mac)
	}
	if f := c.ifp.Flags(); f != 0x8802 {
		t.Errorf("flags %#x when created", f)
	}
	if err := c.setFlags(abi.IFF_UP, 0); err != abi.ENXIO {
		t.Errorf("up on no bus: %v", err)
	}
	get := abi.Ifdrv{}
	if _, err := c.ioctl(new(kerntest.Memory), abi.SIOCGLINKSTR, &get); err != abi.ENOENT {
		t.Errorf("no linkstr: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		filepath.Join(dir, "script"): abi.ENOEXEC, dir: abi.EISDIR, filepath.Join(dir, "no", "bus"): abi.ENOENT,
		strings.Repeat("x", 1024): abi.E2BIG, os.DevNull: abi.EINVAL,
	} {
		if err := c.linkstr(0, name); err != want {
			t.Errorf("linkstr %.30q: %v, want %v", name, err, want)
		}
	}
	if script, err := os.ReadFile(filepath.Join(dir, "script")); err != nil || string(script) != "#!/bin/sh\n" {
		t.Errorf("the script has become %d bytes, %v", len(script), err)
	}
	if err := c.linkstr(7, bus); err != abi.ENOTTY {
		t.Errorf("another command: %v", err)
	}
	if err := c.linkstr(0, bus); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(bus); err != nil || info.Size() != format.FileSize {
		t.Errorf("the file: %v, %v", info, err)
	}
	if err := c.linkstr(0, bus); err != abi.EBUSY {
		t.Errorf("on a second bus: %v", err)
	}
	checkGet(t, c, bus)
	c.up()
	if f := c.ifp.Flags(); f != 0x8843 {
		t.Errorf("flags %#x when up", f)
	}
	if err := c.linkstr(abi.IFLINKSTR_UNSET, ""); err != abi.EBUSY {
		t.Errorf("leaving while up: %v", err)
	}
	if err := c.setFlags(0, abi.IFF_UP); err != nil || c.ifp.Flags() != 0x8802 {
		t.Errorf("down: %v, flags %#x", err, c.ifp.Flags())
	}
	if err := c.linkstr(abi.IFLINKSTR_UNSET, ""); err != nil || c.driver().linkstr != "" {
		t.Errorf("leaving: %v", err)
	}
}

func checkGet(t *testing.T, c *card, want string) {
	t.Helper()
	mem, room := new(kerntest.Memory), make([]byte, len(want)+1)
	req := abi.Ifdrv{Cmd: abi.IFLINKSTR_QUERYLEN}
	data, err := c.ioctl(mem, abi.SIOCGLINKSTR, &req)
	if err != nil || req.Decode(data) != nil || req.Len != uint64(len(room)) {
		t.Errorf("the length is %d, %v", req.Len, err)
	}
	req.Cmd, req.Data = 0, mem.Map(room)
	if _, err := c.ioctl(mem, abi.SIOCGLINKSTR, &req); err != nil || string(room) != want+"\x00" {
		t.Errorf("linkstr %q, %v", room, err)
	}
	req.Len--
	if _, err := c.ioctl(mem, abi.SIOCGLINKSTR, &req); err != abi.ENOBUFS {
		t.Errorf("without room: %v", err)
	}
}

// plain is a member written from the description alone, as the C implementation's are.
type plain struct {
	tb testing.TB
	*shmiftest.Member
	watch *host.Watch
}

var plainMAC = []byte{0xb2, 0xa0, 9, 9, 9, 9}

func newPlain(tb testing.TB, path string) *plain {
	tb.Helper()
	s, err := host.OpenShared(path, format.FileSize)
	if err != nil {
		tb.Fatal(err)
	}
	w, err := host.WatchFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { w.Close(); s.Close() })
	wake := func() { s.WriteAt([]byte{3, 0, 0, 0}, 4) }
	return &plain{tb, shmiftest.Join(s, 0x1234, wake), w}
}

// next waits for the next frame, woken as the C code is.
func (p *plain) next() []byte {
	p.tb.Helper()
	for {
		if f, _ := p.Receive(); f != nil {
			return f
		}
		if err := p.watch.Wait(false); err != nil {
			p.tb.Fatal(err)
		}
	}
}

// TestPlainMember exchanges frames with a member written from docs/shmif.md alone, both ways, several times around the ring.
func TestPlainMember(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	them := newPlain(t, path)
	us := on(t, path)
	us.send(broadcast, 0, 60)
	if f := them.next(); !bytes.Equal(f, frame(broadcast, us.ifp.LinkAddr(), 0, 60)) {
		t.Fatalf("they got %x", f)
	}
	for i := range 3000 {
		size := 60 + i*53%1455
		us.send(plainMAC, i, size)
		if f := them.next(); !bytes.Equal(f, frame(plainMAC, us.ifp.LinkAddr(), i, size)) {
			t.Fatalf("frame %d: they got %d bytes", i, len(f))
		}
		them.Send(frame(us.ifp.LinkAddr(), plainMAC, i, size))
		us.want(plainMAC, us.ifp.LinkAddr(), i, size)
	}
}

// TestFilter: frames for others are taken in promiscuous mode alone, and damage is passed over.
func TestFilter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	them := newPlain(t, path)
	us := on(t, path)
	var seen tap
	us.ifp.AddTap(&seen)
	other := []byte{2, 0, 0, 0, 0, 1}
	them.Send(frame(other, plainMAC, 1, 60))
	them.Send([]byte("short"))
	them.Send(frame([]byte{1, 0, 0x5e, 0, 0, 1}, plainMAC, 2, 60))
	us.want(plainMAC, []byte{1, 0, 0x5e, 0, 0, 1}, 2, 60)
	us.net.Config.Lock()
	us.ifp.SetPromiscuous(1)
	us.net.Config.Unlock()
	them.Send(frame(other, plainMAC, 3, 60))
	them.Send(frame(broadcast, plainMAC, 4, 60))
	us.want(plainMAC, broadcast, 4, 60)
	if got := seen.numbers(); fmt.Sprint(got) != "[2 3 4]" {
		t.Errorf("the interface saw frames %v", got)
	}
}

// tap notes the numbers of the frames that it sees.
type tap struct {
	mu   sync.Mutex
	seen []uint32
}

func (c *tap) Tap(_ *ifnet.Interface, p *ifnet.Packet, _ bool) {
	var b [18]byte
	p.Header(b[:])
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, binary.BigEndian.Uint32(b[14:]))
}

func (c *tap) numbers() []uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// TestDeadPeer: a member that dies with the lock held stops nobody of ours: what is sent meanwhile arrives.
func TestDeadPeer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	a, b := on(t, path), on(t, path)
	a.send(b.ifp.LinkAddr(), 0, 60)
	b.want(a.ifp.LinkAddr(), b.ifp.LinkAddr(), 0, 60)
	newPlain(t, path).Lock() // and dies
	for i := range 100 {
		a.send(b.ifp.LinkAddr(), i, 1000)
	}
	for i := range 100 {
		b.want(a.ifp.LinkAddr(), b.ifp.LinkAddr(), i, 1000)
	}
	c := on(t, path)
	c.send(b.ifp.LinkAddr(), 200, 60)
	b.want(c.ifp.LinkAddr(), b.ifp.LinkAddr(), 200, 60)
}

// TestOvertaken: a receiver that is slower than the senders loses frames, and none that it gets is damaged.
func TestOvertaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	them := newPlain(t, path)
	us := on(t, path)
	held := make(chan struct{})
	us.net.HandleProtocol(testType, func(_ *ifnet.Interface, p *ifnet.Packet) {
		<-held
		us.frames <- p
	})
	const n = 5000
	for i := range n {
		them.Send(frame(us.ifp.LinkAddr(), plainMAC, i, 1000))
	}
	close(held)
	last := -1
	for last < n-1 {
		p := <-us.frames
		b := p.Buf.Flatten()
		i := int(binary.BigEndian.Uint32(b[14:]))
		if i <= last || !bytes.Equal(b, frame(us.ifp.LinkAddr(), plainMAC, i, 1000)) {
			t.Fatalf("after %d came %d, or it is damaged", last, i)
		}
		last = i
	}
	if us.ifp.Stats.Iqdrops.Load() == 0 {
		t.Error("the loss was not counted")
	}
}

// TestOwnFrames: who sends for long and is sent nothing is not overtaken by its own frames, and takes the next of another. Iqdrops would count
// that it was.
func TestOwnFrames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	a, b := on(t, path), on(t, path)
	own := a.driver().medium.Load().medium.(*fileBus)
	for i := range 3 * format.DataSize / 1000 {
		a.send(b.ifp.LinkAddr(), i, 1000)
		b.want(a.ifp.LinkAddr(), b.ifp.LinkAddr(), i, 1000)
		for own.unread.Load() >= 2*maxUnread {
			runtime.Gosched()
		}
	}
	b.send(a.ifp.LinkAddr(), 7, 100)
	a.want(b.ifp.LinkAddr(), a.ifp.LinkAddr(), 7, 100)
	if n := a.ifp.Stats.Iqdrops.Load(); n != 0 {
		t.Errorf("overtaken %d times", n)
	}
}

// TestTruncated: a bus file that is cut short ends the interface's traffic and nothing else.
func TestTruncated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	c := on(t, path)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	p := ifnet.NewPacket(frame(broadcast, c.ifp.LinkAddr(), 1, 60))
	if err := c.ifp.Output(p); err != abi.ENETDOWN {
		t.Errorf("sending on a bus that is gone: %v", err)
	}
}

// TestDownUp: an interface that was down sees only what is sent after it is up again.
func TestDownUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	them := newPlain(t, path)
	us := on(t, path)
	for i := range 20 {
		if err := us.setFlags(0, abi.IFF_UP); err != nil {
			t.Fatal(err)
		}
		them.Send(frame(broadcast, plainMAC, 1000+i, 60))
		us.up()
		them.Send(frame(broadcast, plainMAC, i, 60))
		us.want(plainMAC, broadcast, i, 60)
	}
}

// TestManyTransmit sends from many goroutines at once; all that is sent to a receiver that keeps up arrives. What there is no room for while somebody
// has the lock is refused, and sent again.
func TestManyTransmit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	a, b := on(t, path), on(t, path)
	const senders, each = 8, 100
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				for a.ifp.Output(ifnet.NewPacket(frame(b.ifp.LinkAddr(), a.ifp.LinkAddr(), s<<16|i, 100))) == abi.ENOBUFS {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	next := [senders]int{}
	for range senders * each {
		p := <-b.frames
		v := int(binary.BigEndian.Uint32(p.Buf.Flatten()[14:]))
		if s, i := v>>16, v&0xffff; next[s] != i {
			t.Fatalf("of sender %d came %d in place of %d", s, i, next[s])
		} else {
			next[s]++
		}
	}
}
