package inpcb

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/rumpctrl/rumpctrl/kern/net/inet"
)

// What sysctl says of new sockets. Package inet has the variables.

// portRange is where ports come from that nobody asks for by number, or, with low, those of IP_PORTRANGE_LOW.
func (ts *Tables) portRange(v6, low bool) (first, last uint16) {
	prefix, name := "net.inet.ip.", "anonport"
	if v6 {
		prefix = "net.inet6.ip6."
	}
	if low {
		name = "lowport"
	}
	return uint16(ts.in.Int(prefix + name + "min")), uint16(ts.in.Int(prefix + name + "max"))
}

// v6onlyDefault is whether a new PF_INET6 socket is for IPv6 alone.
func (ts *Tables) v6onlyDefault() bool { return ts.in.Int("net.inet6.ip6.v6only") != 0 }

// defaultTTL and defaultHopLimit are what packets have that say nothing else.
func (ts *Tables) defaultTTL() uint8      { return uint8(ts.in.Int("net.inet.ip.ttl")) }
func (ts *Tables) defaultHopLimit() uint8 { return uint8(ts.in.Int("net.inet6.ip6.hlim")) }

// udpSpace and tcpSpace are the sizes of new sockets' buffers.
func (ts *Tables) udpSpace(v6 bool) (send, recv int32) {
	if v6 {
		return ts.in.Int("net.inet6.udp6.sendspace"), ts.in.Int("net.inet6.udp6.recvspace")
	}
	return ts.in.Int("net.inet.udp.sendspace"), ts.in.Int("net.inet.udp.recvspace")
}

func (ts *Tables) tcpSpace() (send, recv int32) {
	return ts.in.Int("net.inet.tcp.sendspace"), ts.in.Int("net.inet.tcp.recvspace")
}

// ticks is a time that sysctl has in the slow ticks of TCP, of which there are two a second.
func (ts *Tables) ticks(name string) time.Duration {
	return time.Duration(ts.in.Int("net.inet.tcp."+name)) * (time.Second / 2)
}

// defaultKeepalive gives a new endpoint the kernel's times of keepalive.
func (p *tcp) defaultKeepalive() {
	idle, intvl := tcpip.KeepaliveIdleOption(p.ts.ticks("keepidle")), tcpip.KeepaliveIntervalOption(p.ts.ticks("keepintvl"))
	p.ep.SetSockOpt(&idle)
	p.ep.SetSockOpt(&intvl)
	p.ep.SetSockOptInt(tcpip.KeepaliveCountOption, int(p.ts.in.Int("net.inet.tcp.keepcnt")))
	p.keepInit.Store(int32(p.ts.ticks("keepinit") / time.Second))
}

// timeWait is how long a connection stays in TIME_WAIT: twice the maximum segment lifetime, which is shorter within the host.
func (p *tcp) timeWait() time.Duration {
	if p.within() {
		return 2 * p.ts.ticks("mslt.loopback")
	}
	return 2 * p.ts.ticks("mslt.remote")
}

// setDefaults gives the stack's TCP the settings of NetBSD's. That it would size receive buffers by itself has it offer a scale of windows
// that fits the largest; the sizing is ours (autosize.go).
func (ts *Tables) setDefaults() {
	sack, nagle, auto := tcpip.TCPSACKEnabled(true), tcpip.TCPDelayEnabled(true), tcpip.TCPModerateReceiveBufferOption(true)
	_, recv := ts.tcpSpace()
	for _, o := range []tcpip.SettableTransportProtocolOption{
		&sack, &nagle, &auto, inet.ReceiveRange(max(recv, ts.in.Int("net.inet.tcp.recvbuf_max"))),
	} {
		if err := ts.stack.SetTransportProtocolOption(gtcp.ProtocolNumber, o); err != nil {
			ts.k.Logf("tcp: %T: %s\n", o, err)
		}
	}
}
