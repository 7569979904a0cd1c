package inpcb

import (
	"encoding/binary"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

var le = binary.LittleEndian

// optFlags are options that are on or off: which control messages are received, and how packets are sent.
type optFlags uint32

const (
	optRecvOpts optFlags = 1 << iota
	optRecvRetOpts
	optRecvDstAddr
	optRecvIf
	optRecvTTL
	optRecvPktinfo
	optPktinfo
	optHdrIncl
	optNoHeader
	optLowPort
	optHighPort
	optRecvPktinfo6
	optRecvHopLimit
	optRecvTClass

	// controlOpts are those for which a received packet's particulars are looked at.
	controlOpts = optRecvOpts | optRecvRetOpts | optRecvDstAddr | optRecvIf | optRecvTTL | optRecvPktinfo | optPktinfo |
		optRecvPktinfo6 | optRecvHopLimit | optRecvTClass
)

// ipOptions are a socket's options of IPPROTO_IP and IPPROTO_IPV6.
type ipOptions struct {
	mu       sync.Mutex
	flags    optFlags
	tos, ttl uint8 // ttl 0: the kernel's default
	minTTL   uint8
	options  []byte // IP_OPTIONS, as in a header
	errorMTU int32

	hops   int32           // IPV6_UNICAST_HOPS; -1: the kernel's default
	cksum  int32           // IPV6_CHECKSUM: where in a packet it is; -1 for none
	filter abi.Icmp6Filter // ICMP6_FILTER: a set bit lets a type pass
	sticky pktopts

	multi4, multi6 multicast
}

func (o *ipOptions) init() {
	o.hops, o.cksum = -1, -1
	o.sticky = newPktopts()
	for i := range o.filter.Filt {
		o.filter.Filt[i] = ^uint32(0)
	}
	o.multi4.init()
	o.multi6.init()
}

// has says whether a flag is set.
func (o *ipOptions) has(f optFlags) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.flags&f != 0
}

// option is how an option is read and set; val has any length. get or set may be nil: ENOPROTOOPT. o.mu is not held.
type option struct {
	get func(p *pcb) ([]byte, error)
	set func(t *kern.Thread, p *pcb, val []byte) error
}

// options4 are those of level IPPROTO_IP.
var options4 = map[int]option{
	abi.IP_OPTIONS:     {getIPOptions, setIPOptions},
	abi.IP_RETOPTS:     {getIPOptions, nil},
	abi.IP_TOS:         byteOption(func(o *ipOptions) *uint8 { return &o.tos }, 0),
	abi.IP_TTL:         byteOption(func(o *ipOptions) *uint8 { return &o.ttl }, 0),
	abi.IP_MINTTL:      notTCP(byteOption(func(o *ipOptions) *uint8 { return &o.minTTL }, 1)),
	abi.IP_RECVOPTS:    flagOption(optRecvOpts),
	abi.IP_RECVRETOPTS: flagOption(optRecvRetOpts),
	abi.IP_RECVDSTADDR: flagOption(optRecvDstAddr),
	abi.IP_RECVIF:      flagOption(optRecvIf),
	abi.IP_RECVTTL:     flagOption(optRecvTTL),
	abi.IP_RECVPKTINFO: flagOption(optRecvPktinfo),
	abi.IP_PKTINFO:     flagOption(optPktinfo),
	abi.IP_ERRORMTU:    {get: number(func(o *ipOptions) int32 { return o.errorMTU })},
	abi.IP_PORTRANGE:   {getPortRange, setPortRange},
	abi.IP_PORTALGO:    portAlgoOption,

	abi.IP_MULTICAST_IF:    {getMulticastIf4, setMulticastIf4},
	abi.IP_MULTICAST_TTL:   {multicastByte(func(m *multicast) *uint8 { return &m.ttl }), setMulticastByte(func(m *multicast) *uint8 { return &m.ttl }, 255)},
	abi.IP_MULTICAST_LOOP:  {multicastByte(func(m *multicast) *uint8 { return &m.loop }), setMulticastByte(func(m *multicast) *uint8 { return &m.loop }, 1)},
	abi.IP_ADD_MEMBERSHIP:  {refuseGet, addMembership4},
	abi.IP_DROP_MEMBERSHIP: {refuseGet, dropMembership4},
}

// cint is a C int as the value of an option.
func cint(v int) []byte { return le.AppendUint32(nil, uint32(int32(v))) }

// getint reads a C int. Errors: EINVAL for a value of another size.
func getint(val []byte) (int32, error) {
	if len(val) != 4 {
		return 0, abi.EINVAL
	}
	return int32(le.Uint32(val)), nil
}

// number reads a number of ipOptions.
func number(v func(o *ipOptions) int32) func(p *pcb) ([]byte, error) {
	return func(p *pcb) ([]byte, error) {
		p.opt.mu.Lock()
		defer p.opt.mu.Unlock()
		return cint(int(v(&p.opt))), nil
	}
}

// intOption is a number from least to most.
func intOption(least, most int32, get func(o *ipOptions) int32, set func(o *ipOptions, v int32)) option {
	return option{number(get), func(_ *kern.Thread, p *pcb, val []byte) error {
		v, err := getint(val)
		if err != nil {
			return err
		}
		if v < least || v > most {
			return abi.EINVAL
		}
		p.opt.mu.Lock()
		defer p.opt.mu.Unlock()
		set(&p.opt, v)
		return nil
	}}
}

// byteOption is a byte of the header. Below least 1 nothing is out of range: what is above 255 is cut off.
func byteOption(v func(o *ipOptions) *uint8, least int32) option {
	lo, hi := int32(-1<<31), int32(1<<31-1)
	if least > 0 {
		lo, hi = least, 255
	}
	return intOption(lo, hi, func(o *ipOptions) int32 { return int32(*v(o)) }, func(o *ipOptions, n int32) { *v(o) = uint8(n) })
}

// flagOption is an option that is on or off.
func flagOption(f optFlags) option {
	get := func(o *ipOptions) int32 {
		if o.flags&f != 0 {
			return 1
		}
		return 0
	}
	return intOption(-1<<31, 1<<31-1, get, func(o *ipOptions, v int32) {
		o.flags &^= f
		if v != 0 {
			o.flags |= f
		}
	})
}

// The algorithms that choose ports (netinet/portalgo.h): how many the original knows, and the one that there is here.
const (
	portAlgos       = 6
	portRandomStart = 1
)

// portAlgoOption is IP_PORTALGO. Errors: EINVAL, EOPNOTSUPP.
var portAlgoOption = option{
	func(*pcb) ([]byte, error) { return cint(portRandomStart), nil },
	func(_ *kern.Thread, _ *pcb, val []byte) error {
		v, err := getint(val)
		switch {
		case err != nil:
			return err
		case v < 0 || v >= portAlgos:
			return abi.EINVAL
		case v != portRandomStart:
			return abi.EOPNOTSUPP
		}
		return nil
	},
}

// notTCP is an option that the stack's TCP has no way to honour. Errors: EOPNOTSUPP.
func notTCP(o option) option {
	set := o.set
	o.set = func(t *kern.Thread, p *pcb, val []byte) error {
		if p.proto == abi.IPPROTO_TCP {
			return abi.EOPNOTSUPP
		}
		return set(t, p, val)
	}
	return o
}

// offOption is an option for what there is not here: it can be set off, which it is. Errors: EOPNOTSUPP.
var offOption = option{
	func(*pcb) ([]byte, error) { return cint(0), nil },
	func(_ *kern.Thread, _ *pcb, val []byte) error {
		v, err := getint(val)
		if err == nil && v != 0 {
			err = abi.EOPNOTSUPP
		}
		return err
	},
}

func refuseGet(*pcb) ([]byte, error) { return nil, abi.EOPNOTSUPP }

func getPortRange(p *pcb) ([]byte, error) {
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	switch {
	case p.opt.flags&optLowPort != 0:
		return cint(abi.IP_PORTRANGE_LOW), nil
	case p.opt.flags&optHighPort != 0:
		return cint(abi.IP_PORTRANGE_HIGH), nil
	}
	return cint(abi.IP_PORTRANGE_DEFAULT), nil
}

// portRanges are the values of IP_PORTRANGE and IPV6_PORTRANGE, which are the same; only the latter remembers HIGH.
var portRanges = map[int32]optFlags{abi.IP_PORTRANGE_DEFAULT: 0, abi.IP_PORTRANGE_HIGH: optHighPort, abi.IP_PORTRANGE_LOW: optLowPort}

func setPortRange(_ *kern.Thread, p *pcb, val []byte) error {
	v, err := getint(val)
	if err != nil {
		return err
	}
	f, ok := portRanges[v]
	if !ok {
		return abi.EINVAL
	}
	if !p.v6 {
		f &^= optHighPort
	}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	p.opt.flags = p.opt.flags&^(optLowPort|optHighPort) | f
	return nil
}

func getIPOptions(p *pcb) ([]byte, error) {
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	if p.opt.options == nil {
		return nil, nil
	}
	return append(make([]byte, 4), p.opt.options...), nil
}

// setIPOptions takes the options for the headers of packets, RFC 791. Source routes are refused; TCP takes none.
//
// Errors: EINVAL for what is no list of options, or too long a one; EOPNOTSUPP.
func setIPOptions(_ *kern.Thread, p *pcb, val []byte) error {
	if len(val)%4 != 0 || len(val) > abi.MAX_IPOPTLEN {
		return abi.EINVAL
	}
	if len(val) > 0 && p.proto == abi.IPPROTO_TCP {
		return abi.EOPNOTSUPP
	}
	if err := checkIPOptions(val); err != nil {
		return err
	}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	p.opt.options = append([]byte(nil), val...)
	return nil
}

// checkIPOptions says whether b is a list of options. Errors: EINVAL; EOPNOTSUPP for source routes.
func checkIPOptions(b []byte) error {
	for len(b) > 0 {
		switch b[0] {
		case abi.IPOPT_EOL:
			return nil
		case abi.IPOPT_NOP:
			b = b[1:]
			continue
		case abi.IPOPT_LSRR, abi.IPOPT_SSRR:
			return abi.EOPNOTSUPP
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return abi.EINVAL
		}
		b = b[b[1]:]
	}
	return nil
}

// getopt reads an option of IPPROTO_IP or IPPROTO_IPV6. Errors: ENOPROTOOPT.
func (p *pcb) getopt(level, name int) ([]byte, error) {
	o, ok := p.findOption(level, name)
	if !ok || o.get == nil {
		return nil, abi.ENOPROTOOPT
	}
	return o.get(p)
}

// setopt sets one. Errors: ENOPROTOOPT, EINVAL, and the option's.
func (p *pcb) setopt(t *kern.Thread, level, name int, val []byte) error {
	o, ok := p.findOption(level, name)
	if !ok || o.set == nil {
		return abi.ENOPROTOOPT
	}
	return o.set(t, p, val)
}

// findOption is the option of a level for sockets of p's family: on PF_INET6 those of IPPROTO_IP that concern multicast groups too.
func (p *pcb) findOption(level, name int) (option, bool) {
	switch {
	case level == abi.IPPROTO_IP && !p.v6:
		o, ok := options4[name]
		return o, ok
	case level == abi.IPPROTO_IP && name >= abi.IP_MULTICAST_IF && name <= abi.IP_DROP_MEMBERSHIP:
		o, ok := options4[name]
		return o, ok
	case level == abi.IPPROTO_IPV6 && p.v6:
		o, ok := options6[name]
		return o, ok
	}
	return option{}, false
}
