package route

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/rtmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// words are what the arguments of add, change, delete and get say.
type words struct {
	c       *command
	family  int
	addrs   rtmsg.Addrs
	flags   int32
	metrics abi.RtMetrics
	inits   int32

	host                 bool // the destination is one host
	asHost, asNet, iface bool // -host, -net, -iface
	lock, lockRest       bool
	dstText, gatewayText string
}

// familyWords choose a family.
var familyWords = map[string]int{"inet": abi.AF_INET, "inet6": abi.AF_INET6, "link": abi.AF_LINK}

// flagWords set flags, and clear them with "no" before the word.
var flagWords = map[string]int32{
	"static": abi.RTF_STATIC, "reject": abi.RTF_REJECT, "blackhole": abi.RTF_BLACKHOLE, "proto1": abi.RTF_PROTO1,
	"proto2": abi.RTF_PROTO2, "proxy": abi.RTF_ANNOUNCE, "connected": abi.RTF_CONNECTED, "cloning": abi.RTF_CONNECTED,
}

// metricWords take a number.
var metricWords = map[string]struct {
	bit int32
	set func(*abi.RtMetrics, uint64)
}{
	"mtu":      {abi.RTV_MTU, func(m *abi.RtMetrics, v uint64) { m.Mtu = v }},
	"hopcount": {abi.RTV_HOPCOUNT, func(m *abi.RtMetrics, v uint64) { m.Hopcount = v }},
	"expire":   {abi.RTV_EXPIRE, func(m *abi.RtMetrics, v uint64) { m.Expire = int64(v) }},
	"recvpipe": {abi.RTV_RPIPE, func(m *abi.RtMetrics, v uint64) { m.Recvpipe = v }},
	"sendpipe": {abi.RTV_SPIPE, func(m *abi.RtMetrics, v uint64) { m.Sendpipe = v }},
	"ssthresh": {abi.RTV_SSTHRESH, func(m *abi.RtMetrics, v uint64) { m.Ssthresh = v }},
	"rtt":      {abi.RTV_RTT, func(m *abi.RtMetrics, v uint64) { m.Rtt = uint64(v) }},
	"rttvar":   {abi.RTV_RTTVAR, func(m *abi.RtMetrics, v uint64) { m.Rttvar = uint64(v) }},
}

// addrWords take an address.
var addrWords = map[string]int{
	"ifa": abi.RTAX_IFA, "ifp": abi.RTAX_IFP, "genmask": abi.RTAX_GENMASK, "gateway": abi.RTAX_GATEWAY, "dst": abi.RTAX_DST,
	"netmask": abi.RTAX_NETMASK,
}

// readWords reads the arguments; a route to add needs a gateway.
func (c *command) readWords(args []string, add bool) (*words, error) {
	w := &words{c: c, flags: abi.RTF_STATIC}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if !strings.HasPrefix(word, "-") || len(word) == 1 {
			if err := w.positional(word); err != nil {
				return nil, err
			}
			continue
		}
		n, err := w.modifier(word[1:], args)
		if err != nil {
			return nil, err
		}
		args = args[n:]
	}
	switch {
	case w.addrs[abi.RTAX_DST] == nil:
		return nil, errors.New("missing destination specification")
	case add && w.addrs[abi.RTAX_GATEWAY] == nil:
		return nil, errors.New("missing gateway specification")
	case w.asHost && w.asNet:
		return nil, errors.New("-host and -net conflict")
	}
	w.host = (w.host || w.asHost) && !w.asNet
	return w, nil
}

// positional reads the destination, the gateway, or a netmask.
func (w *words) positional(word string) error {
	switch {
	case w.addrs[abi.RTAX_DST] == nil:
		w.dstText, _, _ = strings.Cut(word, "/")
		return w.address(abi.RTAX_DST, word)
	case w.addrs[abi.RTAX_GATEWAY] == nil:
		w.gatewayText = word
		return w.address(abi.RTAX_GATEWAY, word)
	}
	return w.address(abi.RTAX_NETMASK, word)
}

// modifier reads a word that began with a dash, and says how many arguments it took.
func (w *words) modifier(word string, args []string) (int, error) {
	if f, ok := familyWords[word]; ok {
		w.family = f
		return 0, nil
	}
	if bit, ok := flagWords[word]; ok {
		w.flags |= bit
		return 0, nil
	}
	if bit, ok := flagWords[strings.TrimPrefix(word, "no")]; ok && strings.HasPrefix(word, "no") {
		w.flags &^= bit
		return 0, nil
	}
	switch word {
	case "iface", "interface":
		w.iface = true
		return 0, nil
	case "host":
		w.asHost = true
		return 0, nil
	case "net":
		w.asNet = true
		return 0, nil
	case "lock":
		w.lock = true
		return 0, nil
	case "lockrest":
		w.lockRest = true
		return 0, nil
	case "tag", "mpls", "atalk", "sa", "xns":
		return 0, fmt.Errorf("-%s: not supported", word)
	}
	if len(args) == 0 {
		return 0, errUsage
	}
	return 1, w.withArgument(word, args[0])
}

// withArgument reads a word with its argument.
func (w *words) withArgument(word, arg string) error {
	if m, ok := metricWords[word]; ok {
		v, err := strconv.ParseUint(arg, 0, 63)
		if err != nil {
			return fmt.Errorf("%s: bad value", arg)
		}
		m.set(&w.metrics, v)
		w.inits |= m.bit
		if w.lock || w.lockRest {
			w.metrics.Locks |= uint64(m.bit)
		}
		w.lock = false
		return nil
	}
	if which, ok := addrWords[word]; ok {
		switch which {
		case abi.RTAX_NETMASK:
			w.asNet = true
		case abi.RTAX_DST:
			w.dstText, _, _ = strings.Cut(arg, "/")
		}
		return w.address(which, arg)
	}
	if word == "prefixlen" {
		return w.prefixlen(arg)
	}
	return errUsage
}

// inet is the family that addresses are of.
func (w *words) inet() int {
	if w.family == abi.AF_INET6 {
		return abi.AF_INET6
	}
	return abi.AF_INET
}

// prefixlen sets the netmask.
func (w *words) prefixlen(s string) error {
	most := map[int]int{abi.AF_INET: 32, abi.AF_INET6: 128}[w.inet()]
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > most {
		return fmt.Errorf("%s: bad value", s)
	}
	w.addrs[abi.RTAX_NETMASK] = sockaddr.Mask(w.inet(), n)
	w.host = n == most
	return nil
}

// address reads an address of the route.
func (w *words) address(which int, s string) error {
	switch {
	case which == abi.RTAX_IFP || w.family == abi.AF_LINK:
		l, err := parseLink(s)
		if err != nil {
			return err
		}
		w.addrs[which] = l.Append(nil)
		w.host = w.host || which == abi.RTAX_DST
		return nil
	case which == abi.RTAX_GATEWAY && w.iface:
		if ifp, err := w.c.env.Proc.InterfaceByName(s); err == nil {
			w.addrs[which] = (&sockaddr.Link{Index: uint16(ifp.Index)}).Append(nil)
			return nil
		}
	case s == "default":
		return w.defaultAddress(which)
	}
	if which == abi.RTAX_DST {
		return w.destination(s)
	}
	a, scope, err := w.lookup(s)
	if err != nil {
		return err
	}
	w.addrs[which] = sockaddr.Inet(a, 0, scope)
	return nil
}

// defaultAddress is the word "default": the whole family's network.
func (w *words) defaultAddress(which int) error {
	any := sockaddr.Inet(netip.IPv4Unspecified(), 0, 0)
	if w.inet() == abi.AF_INET6 {
		any = sockaddr.Inet(netip.IPv6Unspecified(), 0, 0)
	}
	w.addrs[which] = any
	if which == abi.RTAX_DST {
		w.asNet = true
		w.addrs[abi.RTAX_NETMASK] = sockaddr.Mask(w.inet(), 0)
	}
	return nil
}

// destination reads a host or a network: by its prefix length, or by its form.
func (w *words) destination(s string) error {
	text, bits, slash := strings.Cut(s, "/")
	if w.family == abi.AF_UNSPEC && strings.Contains(text, ":") {
		w.family = abi.AF_INET6
	}
	var a netip.Addr
	var scope uint32
	var err error
	isNet := w.asNet || slash
	if net4, ok := parseNetwork(text); ok && isNet && w.inet() == abi.AF_INET {
		a = net4
	} else if a, scope, err = w.lookup(text); err != nil {
		return err
	}
	w.addrs[abi.RTAX_DST] = sockaddr.Inet(a, 0, scope)
	if slash {
		return w.prefixlen(bits)
	}
	ones, host := implied(a, w.asNet)
	w.host = host
	if !host {
		w.addrs[abi.RTAX_NETMASK] = sockaddr.Mask(w.inet(), ones)
	}
	return nil
}

// lookup finds an address by number or name, and the scope that its zone names.
func (w *words) lookup(s string) (netip.Addr, uint32, error) {
	a, err := hostaddr.Lookup(w.c.ctx, s, w.inet())
	if err != nil {
		return a, 0, fmt.Errorf("%s: bad value", s)
	}
	zone := a.Zone()
	if zone == "" {
		return a, 0, nil
	}
	for index, name := range w.c.namer.Interfaces {
		if name == zone || strconv.Itoa(index) == zone {
			return a.WithZone(""), uint32(index), nil
		}
	}
	return a, 0, fmt.Errorf("%s: bad value", s)
}

// parseNetwork reads a network of IPv4 whose last bytes are left out: "10.1" is 10.1.0.0.
func parseNetwork(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var b [4]byte
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 0, 8)
		if err != nil {
			return netip.Addr{}, false
		}
		b[i] = byte(n)
	}
	return netip.AddrFrom4(b), true
}

// implied is the size of a network that is not said: of IPv4 by the address's class, a /64 of IPv6. Without -net an address that has a
// host's part is a host.
func implied(a netip.Addr, asNet bool) (ones int, host bool) {
	if a.Is6() {
		b := a.As16()
		switch {
		case a.IsUnspecified():
			return 0, false
		case [8]byte(b[8:]) == [8]byte{} && b[0]&0xe0 == 0x20, asNet:
			return 64, false
		}
		return 128, true
	}
	b := a.As4()
	class := 32
	switch {
	case a.IsUnspecified():
		return 0, false
	case b[0] < 128:
		class = 8
	case b[0] < 192:
		class = 16
	case b[0] < 224:
		class = 24
	}
	if !asNet {
		masked, _ := a.Prefix(class) //nolint:errcheck // at most 32
		return class, masked.Addr() != a
	}
	for class < 32 && b[class/8] != 0 {
		class += 8
	}
	return class, false
}

// parseLink reads a link-level address as link_addr(3): "shmif0", "shmif0:2.0.0.0.0.1", "2:0:0:0:0:1".
func parseLink(s string) (*sockaddr.Link, error) {
	name, addr, both := strings.Cut(s, ":")
	if !both && !strings.Contains(s, ".") {
		if len(s) == 0 || len(s) >= abi.IFNAMSIZ {
			return nil, fmt.Errorf("%s: bad value", s)
		}
		return &sockaddr.Link{Name: s}, nil
	}
	l := &sockaddr.Link{Name: name}
	if hw, err := net.ParseMAC(s); err == nil {
		return &sockaddr.Link{Addr: hw}, nil
	}
	if _, err := strconv.ParseUint(name, 16, 8); err == nil || !both {
		l.Name, addr = "", s
	}
	for part := range strings.FieldsFuncSeq(addr, func(r rune) bool { return r == '.' || r == ':' || r == '-' }) {
		n, err := strconv.ParseUint(part, 16, 8)
		if err != nil {
			return nil, fmt.Errorf("%s: bad value", s)
		}
		l.Addr = append(l.Addr, byte(n))
	}
	if len(l.Addr) > 64 {
		return nil, fmt.Errorf("%s: bad value", s)
	}
	return l, nil
}

// message is the message of the words.
func (w *words) message(typ uint8) *routing.Message {
	m := &routing.Message{Addrs: w.addrs}
	flags := w.flags | abi.RTF_UP
	if w.host {
		flags |= abi.RTF_HOST
	}
	if !w.iface {
		flags |= abi.RTF_GATEWAY
	}
	m.Header = abi.RtMsghdr{Type: typ, Flags: flags, Inits: w.inits, Rmx: w.metrics}
	if mask := m.Addrs[abi.RTAX_NETMASK]; mask != nil {
		if w.host {
			mask = nil
		} else {
			mask = routing.TrimMask(mask)
		}
		m.Addrs[abi.RTAX_NETMASK] = mask
	}
	for _, sa := range m.Addrs {
		if a, _, scope, ok := sockaddr.ParseInet(sa); ok && len(sa) == abi.SizeofSockaddrIn6 && scope != 0 && sockaddr.Scoped(a) {
			sockaddr.EmbedScope(sa, scope)
			clear(sa[24:28])
		}
	}
	return m
}
