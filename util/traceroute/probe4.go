package traceroute

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

// probe4 is the prober of IPv4: UDP datagrams or ICMP echo requests with headers of its own.
type probe4 struct {
	*trace
	fd     int    // to send by
	to     []byte // the sockaddr to send to
	source netip.Addr
	ident  uint16 // the source port, or the echo's number
	pkt    []byte // the packet, whose last part is what follows the IP header
	upper  int    // where that begins
}

// mtus are those that links have, RFC 1191, and that -P tries one after the other.
var mtus = []int{
	17914, 8166, 4464, 4352, 2048, 2002, 1536, 1500, 1492, 1480, 1280, 1006, 576, 552, 544, 512, 508, 296, 68,
}

// smaller is the next MTU to try.
func smaller(size int) int {
	for _, m := range mtus {
		if m < size {
			return m
		}
	}
	return mtus[len(mtus)-1]
}

func (k *probe4) open() (fd int, err error) {
	sys := k.env.Proc.Sys()
	if fd, err = sys.Socket(abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP); err != nil {
		return 0, util.Messagef("icmp socket: %s", err)
	}
	if k.fd, err = sys.Socket(abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_RAW); err != nil {
		return 0, util.Messagef("raw socket: %s", err)
	}
	if err := sys.SetsockoptInt(k.fd, abi.SOL_SOCKET, abi.SO_SNDBUF, k.size); err != nil {
		return 0, util.Messagef("SO_SNDBUF: %s", err)
	}
	if err := sys.SetsockoptInt(k.fd, abi.IPPROTO_IP, abi.IP_HDRINCL, 1); err != nil {
		return 0, util.Messagef("IP_HDRINCL: %s", err)
	}
	for _, s := range []int{fd, k.fd} {
		if err := k.setSocketOptions(s); err != nil {
			return 0, err
		}
	}
	if k.source, err = k.findSource(); err != nil {
		return 0, err
	}
	var id [2]byte
	rand.Read(id[:]) //nolint:errcheck // never fails
	k.ident = binary.BigEndian.Uint16(id[:]) | 0x8000
	k.build()
	return fd, nil
}

// findSource is the address that packets come from: -s, -i's or what suits the route.
func (k *probe4) findSource() (netip.Addr, error) {
	list, err := k.env.Proc.Interfaces()
	if err != nil {
		return netip.Addr{}, util.Messagef("ifaddrlist (%s)", err)
	}
	var dev netip.Addr
	if k.device != "" {
		var ok bool
		if dev, ok = deviceAddr(list, k.device); !ok {
			return dev, util.Messagef("Can't find interface %.32s", k.device)
		}
	}
	if k.options.source != "" {
		a, err := k.lookup(k.ctx, k.options.source)
		if err == nil && dev.IsValid() && a != dev {
			err = util.Messagef("%s is not on interface %s", k.options.source, k.device)
		}
		return a, err
	}
	if dev.IsValid() {
		return dev, nil
	}
	dst := k.target
	if len(k.gateways) > 0 {
		dst = k.gateways[0]
	}
	if sa, err := sourceOf(k.env.Proc.Sys(), abi.AF_INET, sockaddr.Inet(dst, 42, 0)); err == nil {
		a, _, _, _ := sockaddr.ParseInet(sa)
		return a, nil
	}
	for i := range list {
		if a, ok := deviceAddr(list, list[i].Name); ok && list[i].Flags&abi.IFF_LOOPBACK == 0 {
			k.env.Warnx("Multiple interfaces found; using %s @ %s", a, list[i].Name)
			return a, nil
		}
	}
	return netip.Addr{}, util.Messagef("Can't find any network interfaces")
}

// deviceAddr is the first IPv4 address of an interface that is up.
func deviceAddr(list []client.Interface, name string) (netip.Addr, bool) {
	for i := range list {
		if list[i].Name != name || list[i].Flags&abi.IFF_UP == 0 {
			continue
		}
		for _, a := range list[i].Addrs {
			if a.Prefix.Addr().Is4() {
				return a.Prefix.Addr(), true
			}
		}
	}
	return netip.Addr{}, false
}

func (k *probe4) heading() string {
	from := ""
	if k.options.source != "" {
		from = " from " + k.options.source
	}
	return fmt.Sprintf("%s to %s (%s)%s, %d hops max, %d byte packets\n", k.env.Name(), k.options.host, k.target, from, k.max, k.size)
}

// build makes the packet: the kernel fills in its lengths in its own byte order, as IP_HDRINCL has it, and the header's checksum.
func (k *probe4) build() {
	opts, dst := k.sourceRoute()
	k.upper = 20 + len(opts)
	k.pkt = make([]byte, k.size)
	ip := k.pkt
	ip[0], ip[1] = 4<<4|byte(k.upper/4), byte(k.tos)
	if k.has('F') || k.has('P') {
		binary.LittleEndian.PutUint16(ip[6:], abi.IP_DF)
	}
	copy(ip[12:], k.source.AsSlice())
	copy(ip[16:], dst.AsSlice())
	copy(ip[20:], opts)
	k.to = sockaddr.Inet(dst, 0, 0)
	up := ip[k.upper:]
	if k.has('I') {
		ip[9], up[0] = abi.IPPROTO_ICMP, abi.ICMP_ECHO
		binary.BigEndian.PutUint16(up[4:], k.ident)
	} else {
		ip[9] = abi.IPPROTO_UDP
		binary.BigEndian.PutUint16(up, k.ident)
	}
}

// sourceRoute are the IP options for the gateways, and where to send to.
func (k *probe4) sourceRoute() (opts []byte, dst netip.Addr) {
	if len(k.gateways) == 0 {
		return nil, k.target
	}
	opts = []byte{abi.IPOPT_NOP, abi.IPOPT_LSRR, byte(3 + 4*len(k.gateways)), abi.IPOPT_MINOFF}
	for _, a := range append(k.gateways[1:len(k.gateways):len(k.gateways)], k.target) {
		opts = append(opts, a.AsSlice()...)
	}
	return opts, k.gateways[0]
}

// finish fills in what differs from probe to probe, and the checksums.
func (k *probe4) finish(seq, ttl int, now time.Time) {
	ip, up := k.pkt, k.pkt[k.upper:]
	binary.LittleEndian.PutUint16(ip[2:], uint16(len(ip)))
	binary.BigEndian.PutUint16(ip[4:], k.ident+uint16(seq))
	ip[8] = byte(ttl)
	data := up[8:]
	data[0], data[1] = byte(seq), byte(ttl)
	binary.BigEndian.PutUint32(data[4:], uint32(now.Unix()))
	binary.BigEndian.PutUint32(data[8:], uint32(now.Nanosecond()/1000))
	if k.has('I') {
		binary.BigEndian.PutUint16(up[6:], uint16(seq))
		up[2], up[3] = 0, 0
		binary.BigEndian.PutUint16(up[2:], echo.Checksum(up))
		return
	}
	binary.BigEndian.PutUint16(up[2:], uint16(k.port+seq))
	binary.BigEndian.PutUint16(up[4:], uint16(len(up)))
	up[6], up[7] = 0, 0
	if !k.has('x') {
		sum := udpChecksum(k.source, k.target, up)
		binary.BigEndian.PutUint16(up[6:], sum)
	}
}

// udpChecksum is that of a datagram, with the pseudo header of RFC 768; 0 is written as all ones.
func udpChecksum(src, dst netip.Addr, datagram []byte) uint16 {
	pseudo := append(src.AsSlice(), dst.AsSlice()...)
	pseudo = append(pseudo, 0, abi.IPPROTO_UDP, byte(len(datagram)>>8), byte(len(datagram)))
	if sum := echo.Checksum(append(pseudo, datagram...)); sum != 0 {
		return sum
	}
	return 0xffff
}

func (k *probe4) send(seq, ttl int) (notice string, anew bool) {
	var text strings.Builder
	for {
		k.finish(seq, ttl, time.Now())
		if k.verbosity > 1 {
			text.WriteString(words(k.pkt))
		}
		if k.has('D') {
			dump(k.env, k.pkt)
		}
		n, err := k.env.Proc.Sys().Sendto(k.fd, k.pkt, 0, k.to)
		if errors.Is(err, abi.EMSGSIZE) && len(k.pkt) > mtus[len(mtus)-1] && k.shrink(smaller(len(k.pkt))) {
			anew = true
			continue
		}
		if err != nil {
			k.env.Warn(err, "sendto")
			n = -1
		}
		if n != len(k.pkt) {
			fmt.Fprintf(&text, "%s: wrote %s %d chars, ret=%d\n", k.env.Name(), k.options.host, len(k.pkt), n)
		}
		if anew {
			fmt.Fprintf(&text, "message too big, trying new MTU = %d\n", len(k.pkt))
		}
		return text.String(), anew
	}
}

// shrink makes packets smaller; those that what must be in them does not fit into are not.
func (k *probe4) shrink(size int) bool {
	if size < k.upper+8+stampSize || size >= len(k.pkt) {
		return false
	}
	k.pkt = k.pkt[:size]
	return true
}

// words are a packet in words of 16 bits.
func words(b []byte) string {
	var text strings.Builder
	fmt.Fprintf(&text, "[ %d bytes", len(b))
	for i := 0; i < len(b); i += 2 {
		if i%16 == 0 {
			text.WriteString("\n\t")
		}
		fmt.Fprintf(&text, " %x", b[i:min(i+2, len(b))])
	}
	return text.String() + "]\n"
}

// dump prints a packet to standard error.
func dump(env *util.Env, b []byte) {
	var text bytes.Buffer
	text.WriteString("packet data:")
	for i, c := range b {
		if i%24 == 0 {
			text.WriteString("\n ")
		}
		fmt.Fprintf(&text, " %02x", c)
	}
	fmt.Fprintln(env.Stderr, text.String())
}

// unreachable4 are the verdicts of ICMP_UNREACH, RFC 792 and RFC 1812.
var unreachable4 = map[byte]verdict{
	abi.ICMP_UNREACH_PORT:     {arrived: true},
	abi.ICMP_UNREACH_PROTOCOL: {mark: "!P", arrived: true},
	abi.ICMP_UNREACH_NET:      {mark: "!N", unreachable: true},
	abi.ICMP_UNREACH_HOST:     {mark: "!H", unreachable: true},
	abi.ICMP_UNREACH_SRCFAIL:  {mark: "!S", unreachable: true},
	13:                        {mark: "!X", unreachable: true}, // administratively prohibited
	14:                        {mark: "!V", unreachable: true}, // precedence of the host
	15:                        {mark: "!C", unreachable: true}, // precedence cutoff
}

// split4 splits an IP packet into its header and what follows, of which there are at least 8 bytes.
func split4(b []byte) (ip, rest []byte, ok bool) {
	if len(b) < 20 {
		return nil, nil, false
	}
	n := int(b[0]&0xf) * 4
	if n < 20 || len(b) < n+8 {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

func (k *probe4) examine(p *echo.Packet, seq int) (r reply, ok bool) {
	ip, icmp, ok := split4(p.Data)
	if !ok {
		return r, false
	}
	r = reply{from: p.From, at: p.At, to: netip.AddrFrom4([4]byte(ip[16:20])), size: len(icmp), labels: labels(icmp)}
	typ, code := icmp[0], icmp[1]
	switch {
	case k.has('I') && typ == abi.ICMP_ECHOREPLY && k.ours(abi.IPPROTO_ICMP, icmp, seq):
		r.verdict = verdict{arrived: true}
	case typ == abi.ICMP_TIMXCEED && code == abi.ICMP_TIMXCEED_INTRANS && k.quotes(icmp[8:], seq):
	case typ == abi.ICMP_UNREACH && k.quotes(icmp[8:], seq):
		var known bool
		if r.verdict, known = unreachable4[code]; !known {
			r.verdict = verdict{mark: fmt.Sprintf("!<%d>", code), unreachable: true}
		}
		if code == abi.ICMP_UNREACH_NEEDFRAG {
			k.tooBig(&r, int(binary.BigEndian.Uint16(icmp[6:])))
		}
	default:
		return r, false
	}
	if k.has('l') {
		r.annotation = fmt.Sprintf(" (ttl = %d)", ip[8])
	}
	r.annotation += r.text(int(ip[8]))
	return r, true
}

// quotes says whether the packet that an error quotes is the probe of a number.
func (k *probe4) quotes(b []byte, seq int) bool {
	ip, rest, ok := split4(b)
	return ok && k.ours(ip[9], rest, seq)
}

// ours says whether what follows an IP header is the probe of a number, or an echo's answer.
func (k *probe4) ours(proto byte, b []byte, seq int) bool {
	if k.has('I') {
		return proto == abi.IPPROTO_ICMP && binary.BigEndian.Uint16(b[4:]) == k.ident && binary.BigEndian.Uint16(b[6:]) == uint16(seq)
	}
	return proto == abi.IPPROTO_UDP && binary.BigEndian.Uint16(b) == k.ident && binary.BigEndian.Uint16(b[2:]) == uint16(k.port+seq)
}

// tooBig is the answer that the packet had to be fragmented and may not be. With -P smaller ones are tried, as large as the router says or,
// where it does not, as the next of the usual MTUs.
func (k *probe4) tooBig(r *reply, mtu int) {
	r.verdict = verdict{mark: fmt.Sprintf("!F-%d", mtu), unreachable: true}
	if !k.has('P') {
		return
	}
	was := len(k.pkt)
	text := "\nfragmentation required and DF set"
	switch {
	case mtu > 0 && k.shrink(mtu):
		text += fmt.Sprintf(", next hop MTU = %d\n", mtu)
	case k.shrink(smaller(was)):
		text += ". "
		if mtu != 0 {
			text += fmt.Sprintf("\nBogus next hop MTU = %d > last MTU = %d. ", mtu, was)
		}
		text += fmt.Sprintf("Trying new MTU = %d\n", len(k.pkt))
	default:
		return
	}
	r.verdict, r.anew = verdict{}, text
}

// types4 are the names of ICMP's types.
var types4 = map[byte]string{
	0: "Echo Reply", 3: "Dest Unreachable", 4: "Source Quench", 5: "Redirect", 8: "Echo", 11: "Time Exceeded", 12: "Param Problem",
	13: "Timestamp", 14: "Timestamp Reply", 15: "Info Request", 16: "Info Reply",
}

func (k *probe4) verbose(p *echo.Packet) string {
	from, _, _, _ := sockaddr.ParseInet(p.From)
	ip, icmp, ok := split4(p.Data)
	if !ok {
		return fmt.Sprintf("packet too short (%d bytes) from %s\n", len(p.Data), from)
	}
	name, ok := types4[icmp[0]]
	switch {
	case !ok && icmp[0] > 16:
		name = "OUT-OF-RANGE"
	case !ok:
		name = fmt.Sprintf("ICMP %d", icmp[0])
	}
	text := fmt.Sprintf("\n%d bytes from %s to %s: icmp type %d (%s) code %d\n", len(icmp), from, netip.AddrFrom4([4]byte(ip[16:20])),
		icmp[0], name, icmp[1])
	for i := 4; i+8 <= len(icmp); i += 4 {
		text += fmt.Sprintf("%2d: x%x\n", i, icmp[i+4:i+8])
	}
	return text
}

func (k *probe4) host(r *reply) string {
	a, _, _, _ := sockaddr.ParseInet(r.from)
	text := fmt.Sprintf(" %s", a)
	if !k.has('n') {
		text = fmt.Sprintf(" %s (%s)", k.hostname(r.from), a)
	}
	if k.verbosity > 0 {
		text += fmt.Sprintf(" %d bytes to %s", r.size, r.to)
	}
	return text
}

func (k *probe4) milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.3f", echo.Milliseconds(d))
}
