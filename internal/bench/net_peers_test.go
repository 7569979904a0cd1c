package bench

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/rump"
)

// The services of every kernel of these benchmarks: discard (RFC 863) tells at the end how much it was, and reads by calls that block or as a net.Conn
// does; echo (RFC 862) is UDP's, and hang up closes what connects.
const (
	discardPort     = 9
	discardConnPort = 10
	echoPort        = 7
	hangUpPort      = 11
)

// service is the address of one of them.
func service(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// near and far are the addresses of the two kernels of a bus, far in the other process where there is one.
var near, far = netip.MustParsePrefix("10.9.9.1/24"), netip.MustParsePrefix("10.9.9.2/24")

// netNode is a kernel of a network, with a process on it.
type netNode struct {
	k *rump.Kernel
	p *client.Process
}

// newNetNode boots a kernel with TCP/IP and its services. buses may be nil.
func newNetNode(buses *rump.Buses) (*netNode, error) {
	k, err := rump.New(rump.Config{Components: rump.With("rumpnet_netinet", "rumpnet_shmif"), Buses: buses})
	if err != nil {
		return nil, err
	}
	if err := k.Boot(); err != nil {
		return nil, err
	}
	n := &netNode{k: k}
	if n.p, err = k.Process("bench"); err != nil {
		return nil, err
	}
	return n, n.serve()
}

// serve begins the services.
func (n *netNode) serve() error {
	ctx := context.Background()
	for port, serve := range map[int]func(net.Listener){
		discardPort:     func(l net.Listener) { accept(l, discardCalled) },
		discardConnPort: func(l net.Listener) { accept(l, discard) },
		hangUpPort:      hangUp,
	} {
		l, err := n.p.Listen(ctx, "tcp", service("", port))
		if err != nil {
			return err
		}
		go serve(l)
	}
	return n.echoUDP()
}

// echoUDP sends back what comes, by calls that block.
func (n *netNode) echoUDP() error {
	s := n.p.Sys()
	fd, err := s.Socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	if err := s.Bind(fd, sockaddr.Inet(netip.IPv4Unspecified(), echoPort, 0)); err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 64<<10)
		for {
			got, from, err := s.Recvfrom(fd, buf, 0)
			if err != nil {
				return
			}
			s.Sendto(fd, buf[:got], 0, from)
		}
	}()
	return nil
}

// join puts interface shmif0, shmif1, ... on a bus. mtu 0 is Ethernet's; plain has the kernel cut and sum up all segments itself, as for a C
// kernel on the bus.
func (n *netNode) join(name, linkstr string, a netip.Prefix, mtu uint32, plain bool) error {
	if err := n.p.CreateInterface(name); err != nil {
		return err
	}
	if err := n.p.SetLinkstr(name, linkstr); err != nil {
		return err
	}
	ifp := n.ifp(name)
	if plain {
		ifp.SetCaps(0)
	}
	if mtu != 0 {
		ifp.Net.Config.Lock()
		ifp.SetMTU(mtu)
		ifp.Net.Config.Unlock()
	}
	return n.p.AddAddress(name, a)
}

// ifp is the kernel's side of an interface.
func (n *netNode) ifp(name string) *ifnet.Interface {
	return ifnet.Of(n.k.Kernel()).ByName(name)
}

// netNodeOf is newNetNode for as long as a benchmark runs.
func netNodeOf(b *testing.B, buses *rump.Buses) *netNode {
	b.Helper()
	n, err := newNetNode(buses)
	check(b, err)
	b.Cleanup(n.k.Halt)
	return n
}

// link is how two kernels are joined: by a bus file or in memory, with what MTU, and whether segments are cut.
type link struct {
	name  string
	mtu   uint32
	plain bool
}

// links are Ethernet as a C kernel has it, as members of ours have it (segments pass uncut), and with frames of 64 KiB.
var links = []link{{"1500-plain", 1500, true}, {"1500", 1500, false}, {"65535", 65535, false}}

// pair boots two kernels of this process on a bus in memory.
func (l link) pair(b *testing.B) (x, y *netNode) {
	b.Helper()
	buses := new(rump.Buses)
	x, y = netNodeOf(b, buses), netNodeOf(b, buses)
	check(b, x.join("shmif0", "mem:bus", near, l.mtu, l.plain))
	check(b, y.join("shmif0", "mem:bus", far, l.mtu, l.plain))
	return x, y
}

// apart boots one kernel here and one in another process, on a bus file. Through the socket of the other one is a client of it. pid is that process's.
func (l link) apart(b *testing.B) (x *netNode, socket string, pid int) {
	b.Helper()
	dir := tempDir(b)
	x = netNodeOf(b, nil)
	check(b, x.join("shmif0", dir+"/bus", near, l.mtu, l.plain))
	socket, pid = startPeer(b, "net-kernel", l.name+" "+dir)
	return x, socket, pid
}

// serveNetKernel is the far kernel of apart: "LINK DIR". It is found at a socket in DIR.
func serveNetKernel(where string) (string, error) {
	name, dir, _ := strings.Cut(where, " ")
	n, err := newNetNode(nil)
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if l.name == name {
			err = n.join("shmif0", dir+"/bus", far, l.mtu, l.plain)
		}
	}
	if err != nil {
		return "", err
	}
	socket := "unix://" + dir + "/s"
	_, err = n.k.Listen(socket)
	return socket, err
}

// discard reads all that comes, and then says how many bytes that was.
func discard(c net.Conn) { discardFrom(c, c.Read) }

// discardCalled is discard by calls that block.
func discardCalled(c net.Conn) {
	blocking(c.(client.Conn), func(s *client.Sys, fd int) {
		discardFrom(c, func(b []byte) (int, error) {
			n, err := s.Read(fd, b)
			if n == 0 && err == nil {
				err = io.EOF
			}
			return n, err
		})
	})
}

// blocking calls f with a connection's descriptor, on which calls wait.
func blocking(c client.Conn, f func(s *client.Sys, fd int)) error {
	return c.Control(func(s *client.Sys, fd int) error {
		if _, err := s.Fcntl(fd, abi.F_SETFL, 0); err != nil {
			return err
		}
		f(s, fd)
		return nil
	})
}

func discardFrom(c net.Conn, read func([]byte) (int, error)) {
	defer c.Close()
	var total uint64
	buf := make([]byte, 256<<10)
	for {
		n, err := read(buf)
		total += uint64(n)
		if err == io.EOF {
			c.Write(binary.BigEndian.AppendUint64(nil, total))
			return
		}
		if err != nil {
			return
		}
	}
}

// hangUp takes connections and closes them when the other end has.
func hangUp(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		var b [1]byte
		c.Read(b[:])
		c.Close()
	}
}

// echoPackets sends back what comes.
func echoPackets(c net.PacketConn) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		c.WriteTo(buf[:n], from)
	}
}

// serveDiscard is discard at a unix socket of the host's.
func serveDiscard(path string) (string, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return "", err
	}
	go accept(l, discard)
	return path, nil
}

// serveHostTCP are the services discard and hang up by the host's TCP: "DISCARD HANGUP", two addresses.
func serveHostTCP(string) (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go accept(l, discard)
	h, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go hangUp(h)
	return l.Addr().String() + " " + h.Addr().String(), nil
}

// serveHostUDP is echo by the host's UDP.
func serveHostUDP(string) (string, error) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go echoPackets(c)
	return c.LocalAddr().String(), nil
}
