package inpcb

import (
	"bytes"
	"math"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// tcpOption is an option of IPPROTO_TCP. What is not there is ENOPROTOOPT, TCP_MD5SIG among it, as in a kernel without TCP_SIGNATURE.
type tcpOption struct {
	get func(p *tcp) ([]byte, error)
	set func(p *tcp, val []byte) error
}

var tcpOptions = map[int]tcpOption{
	abi.TCP_NODELAY: {
		func(p *tcp) ([]byte, error) { return cbool(!p.ep.SocketOptions().GetDelayOption()), nil },
		setInt(math.MinInt32, func(p *tcp, v int32) error { p.ep.SocketOptions().SetDelayOption(v == 0); return nil }),
	},
	abi.TCP_MAXSEG: {
		func(p *tcp) ([]byte, error) { return cint(p.maxSeg()), nil },
		setInt(1, (*tcp).setMaxSeg),
	},
	abi.TCP_KEEPIDLE:  keepTime(func() keepOption { return new(tcpip.KeepaliveIdleOption) }),
	abi.TCP_KEEPINTVL: keepTime(func() keepOption { return new(tcpip.KeepaliveIntervalOption) }),
	abi.TCP_KEEPCNT: {
		func(p *tcp) ([]byte, error) {
			n, err := p.ep.GetSockOptInt(tcpip.KeepaliveCountOption)
			return cint(n), errnoOf(err)
		},
		setInt(1, func(p *tcp, v int32) error { return errnoOf(p.ep.SetSockOptInt(tcpip.KeepaliveCountOption, int(v))) }),
	},
	abi.TCP_KEEPINIT: {
		func(p *tcp) ([]byte, error) { return cint(int(p.keepInit.Load())), nil },
		setInt(1, func(p *tcp, v int32) error { p.keepInit.Store(v); return nil }),
	},
	abi.TCP_INFO:    {(*tcp).info, nil},
	abi.TCP_CONGCTL: {(*tcp).congctl, (*tcp).setCongctl},
}

func cbool(v bool) []byte {
	if v {
		return cint(1)
	}
	return cint(0)
}

// setInt sets an option that is an int of at least least. Errors: EINVAL.
func setInt(least int32, set func(p *tcp, v int32) error) func(p *tcp, val []byte) error {
	return func(p *tcp, val []byte) error {
		v, err := getint(val)
		if err != nil {
			return err
		}
		if v < least {
			return abi.EINVAL
		}
		return set(p, v)
	}
}

// keepOption is one of the stack's times of keepalive.
type keepOption interface {
	tcpip.SettableSocketOption
	tcpip.GettableSocketOption
}

// keepTime is a time in seconds.
func keepTime(option func() keepOption) tcpOption {
	return tcpOption{
		func(p *tcp) ([]byte, error) {
			o := option()
			if err := p.ep.GetSockOpt(o); err != nil {
				return nil, errnoOf(err)
			}
			return cint(int(keepDuration(o) / time.Second)), nil
		},
		setInt(1, func(p *tcp, v int32) error {
			o := option()
			switch o := o.(type) {
			case *tcpip.KeepaliveIdleOption:
				*o = tcpip.KeepaliveIdleOption(time.Duration(v) * time.Second)
			case *tcpip.KeepaliveIntervalOption:
				*o = tcpip.KeepaliveIntervalOption(time.Duration(v) * time.Second)
			}
			return errnoOf(p.ep.SetSockOpt(o))
		}),
	}
}

func keepDuration(o keepOption) time.Duration {
	if i, ok := o.(*tcpip.KeepaliveIdleOption); ok {
		return time.Duration(*i)
	}
	return time.Duration(*o.(*tcpip.KeepaliveIntervalOption))
}

// inheritKeepalive gives a new connection the times of the socket that it was made for.
func (p *tcp) inheritKeepalive(from *tcp) {
	for _, name := range []int{abi.TCP_KEEPIDLE, abi.TCP_KEEPINTVL, abi.TCP_KEEPCNT} {
		if v, err := tcpOptions[name].get(from); err == nil {
			_ = tcpOptions[name].set(p, v)
		}
	}
}

// Getopt reads an option. Errors: ENOPROTOOPT.
func (p *tcp) Getopt(_ *kern.Thread, level, name int) ([]byte, error) {
	if level != abi.IPPROTO_TCP {
		return p.getopt(level, name)
	}
	o, ok := tcpOptions[name]
	if !ok {
		return nil, abi.ENOPROTOOPT
	}
	return o.get(p)
}

// Setopt sets an option. Errors: ENOPROTOOPT, EINVAL.
func (p *tcp) Setopt(t *kern.Thread, level, name int, val []byte) error {
	if level != abi.IPPROTO_TCP {
		err := p.setopt(t, level, name, val)
		if err == nil {
			p.apply()
		}
		return err
	}
	o, ok := tcpOptions[name]
	if !ok || o.set == nil {
		return abi.ENOPROTOOPT
	}
	return o.set(p, val)
}

// apply gives the endpoint the options of IP and of the socket that concern it.
func (p *tcp) apply() {
	p.opt.mu.Lock()
	ttl, hops, tos, tclass := int(p.opt.ttl), int(p.opt.hops), int(p.opt.tos), int(p.opt.sticky.tclass)
	p.opt.mu.Unlock()
	if ttl > 0 {
		p.ep.SetSockOptInt(tcpip.IPv4TTLOption, ttl)
	}
	p.ep.SetSockOptInt(tcpip.IPv6HopLimitOption, hops)
	if p.v6 {
		tos = max(tclass, 0)
	}
	p.ep.SetSockOptInt(tcpip.IPv4TOSOption, tos)
	p.ep.SocketOptions().SetKeepAlive(p.so.Option(abi.SO_KEEPALIVE))
	p.setLinger()
}

// setLinger gives the endpoint SO_LINGER: with a time of 0 the connection is reset when it is closed.
func (p *tcp) setLinger() {
	on, d := p.so.Linger()
	p.ep.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: on, Timeout: d})
}

// SetSocketOption acts on an option of SOL_SOCKET. A buffer whose size has been set does not grow by itself any more.
func (p *tcp) SetSocketOption(name, value int) error {
	switch name {
	case abi.SO_KEEPALIVE:
		p.ep.SocketOptions().SetKeepAlive(value != 0)
	case abi.SO_RCVBUF:
		p.fixRecv(int32(value))
	case abi.SO_SNDBUF:
		p.fixSend(int32(value))
	case abi.SO_LINGER:
		p.setLinger()
	}
	return nil
}

// maxSeg is the largest segment that may be sent: what fits into a packet of the interface that leads to the peer, or what TCP_MAXSEG said; of
// a connection that is not made yet, RFC 1122's default. What the peer takes the stack does not tell.
func (p *tcp) maxSeg() int {
	user, err := p.ep.GetSockOptInt(tcpip.MaxSegOption)
	_, foreign, st := p.names()
	switch {
	case err != nil:
		return abi.TCP_MSS
	case st != connected:
		return user
	}
	e := p.ts.routes.Lookup(foreign.ip.Unmap(), foreign.scope)
	if e == nil || e.If == nil {
		return abi.TCP_MSS
	}
	headers := abi.SizeofIp + abi.SizeofTcphdr
	if foreign.ip.Unmap().Is6() {
		headers = abi.SizeofIp6Hdr + abi.SizeofTcphdr
	}
	return int(e.If.MTU()) - headers
}

// setMaxSeg is TCP_MAXSEG, which can only make segments smaller, and, here, only before the connection is made.
func (p *tcp) setMaxSeg(v int32) error {
	if int(v) > p.maxSeg() || p.phase() != idle {
		return abi.EINVAL
	}
	return errnoOf(p.ep.SetSockOptInt(tcpip.MaxSegOption, int(v)))
}

// congctl is the name of the congestion control: newreno, which is what the stack's reno is, or cubic.
func (p *tcp) congctl() ([]byte, error) {
	var cc tcpip.CongestionControlOption
	if err := p.ep.GetSockOpt(&cc); err != nil {
		return nil, errnoOf(err)
	}
	if cc == "reno" {
		cc = "newreno"
	}
	return append([]byte(cc), 0), nil
}

// setCongctl errors: ENOENT for a name that the stack does not know.
func (p *tcp) setCongctl(val []byte) error {
	name, _, _ := bytes.Cut(val, []byte{0})
	cc := tcpip.CongestionControlOption(name)
	if cc == "newreno" {
		cc = "reno"
	}
	return errnoOf(p.ep.SetSockOpt(&cc))
}

// tcpStates are the states of connections as NetBSD numbers them.
var tcpStates = map[gtcp.EndpointState]uint8{
	gtcp.StateInitial: abi.TCPS_CLOSED, gtcp.StateBound: abi.TCPS_CLOSED, gtcp.StateConnecting: abi.TCPS_SYN_SENT,
	gtcp.StateError: abi.TCPS_CLOSED, gtcp.StateClose: abi.TCPS_CLOSED, gtcp.StateListen: abi.TCPS_LISTEN,
	gtcp.StateSynSent: abi.TCPS_SYN_SENT, gtcp.StateSynRecv: abi.TCPS_SYN_RECEIVED, gtcp.StateEstablished: abi.TCPS_ESTABLISHED,
	gtcp.StateCloseWait: abi.TCPS_CLOSE_WAIT, gtcp.StateFinWait1: abi.TCPS_FIN_WAIT_1, gtcp.StateClosing: abi.TCPS_CLOSING,
	gtcp.StateLastAck: abi.TCPS_LAST_ACK, gtcp.StateFinWait2: abi.TCPS_FIN_WAIT_2, gtcp.StateTimeWait: abi.TCPS_TIME_WAIT,
}

// info is TCP_INFO: a struct tcp_info, its times in microseconds. What the stack does not tell is 0.
func (p *tcp) info() ([]byte, error) {
	var o tcpip.TCPInfoOption
	if err := p.ep.GetSockOpt(&o); err != nil {
		return nil, errnoOf(err)
	}
	mss := uint32(p.maxSeg())
	i := abi.TcpInfo{
		State:       tcpStates[p.epState()],
		Rto:         uint32(o.RTO / time.Microsecond),
		Rtt:         uint32(o.RTT / time.Microsecond),
		Rttvar:      uint32(o.RTTVar / time.Microsecond),
		SndSsthresh: o.SndSsthresh,
		SndCwnd:     o.SndCwnd,
		SndMss:      mss,
		RcvMss:      mss,
		RcvSpace:    uint32(p.so.Rcvbuf.Load()),
	}
	if s, ok := p.ep.Stats().(*gtcp.Stats); ok {
		n := uint32(s.SendErrors.Retransmits.Value())
		i.Retransmits, i.Retrans, i.SndRexmitpack = uint8(n), n, n
	}
	return i.Append(nil), nil
}
