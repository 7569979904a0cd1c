package route

import (
	"fmt"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/rtmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// bitName is a bit and its name.
type bitName struct {
	bit  uint64
	name string
}

// The names of flags, metrics and addresses, in the order of their bits.
var (
	routeFlags = []bitName{
		{abi.RTF_UP, "UP"}, {abi.RTF_GATEWAY, "GATEWAY"}, {abi.RTF_HOST, "HOST"}, {abi.RTF_REJECT, "REJECT"}, {abi.RTF_DYNAMIC, "DYNAMIC"},
		{abi.RTF_MODIFIED, "MODIFIED"}, {abi.RTF_DONE, "DONE"}, {abi.RTF_MASK, "MASK_PRESENT"}, {abi.RTF_CONNECTED, "CONNECTED"},
		{abi.RTF_LLDATA, "LLINFO"}, {abi.RTF_STATIC, "STATIC"}, {abi.RTF_BLACKHOLE, "BLACKHOLE"}, {abi.RTF_PROTO2, "PROTO2"},
		{abi.RTF_PROTO1, "PROTO1"}, {abi.RTF_ANNOUNCE, "ANNOUNCE"}, {abi.RTF_LOCAL, "LOCAL"}, {abi.RTF_BROADCAST, "BROADCAST"},
	}
	ifFlags = []bitName{
		{abi.IFF_UP, "UP"}, {abi.IFF_BROADCAST, "BROADCAST"}, {abi.IFF_DEBUG, "DEBUG"}, {abi.IFF_LOOPBACK, "LOOPBACK"},
		{abi.IFF_POINTOPOINT, "PTP"}, {abi.IFF_NOTRAILERS, "NOTRAILERS"}, {abi.IFF_RUNNING, "RUNNING"}, {abi.IFF_NOARP, "NOARP"},
		{abi.IFF_PROMISC, "PPROMISC"}, {abi.IFF_ALLMULTI, "ALLMULTI"}, {abi.IFF_OACTIVE, "OACTIVE"}, {abi.IFF_SIMPLEX, "SIMPLEX"},
		{abi.IFF_LINK0, "LINK0"}, {abi.IFF_LINK1, "LINK1"}, {abi.IFF_LINK2, "LINK2"}, {abi.IFF_MULTICAST, "MULTICAST"},
	}
	metricNames = []bitName{
		{abi.RTV_MTU, "mtu"}, {abi.RTV_HOPCOUNT, "hopcount"}, {abi.RTV_EXPIRE, "expire"}, {abi.RTV_RPIPE, "recvpipe"},
		{abi.RTV_SPIPE, "sendpipe"}, {abi.RTV_SSTHRESH, "ssthresh"}, {abi.RTV_RTT, "rtt"}, {abi.RTV_RTTVAR, "rttvar"},
	}
	addrNames = []bitName{
		{abi.RTA_DST, "DST"}, {abi.RTA_GATEWAY, "GATEWAY"}, {abi.RTA_NETMASK, "NETMASK"}, {abi.RTA_GENMASK, "GENMASK"},
		{abi.RTA_IFP, "IFP"}, {abi.RTA_IFA, "IFA"}, {abi.RTA_AUTHOR, "AUTHOR"}, {abi.RTA_BRD, "BRD"}, {abi.RTA_TAG, "TAG"},
	}
)

// names words a set of bits: "<UP,HOST>", or "none".
func names(v uint64, table []bitName) string {
	if v == 0 {
		return "none"
	}
	var on []string
	for _, n := range table {
		if v&n.bit != 0 {
			on = append(on, n.name)
		}
	}
	if on == nil {
		return ""
	}
	return "<" + strings.Join(on, ",") + ">"
}

// messageTypes are the kinds of messages.
var messageTypes = map[int]string{
	abi.RTM_ADD: "RTM_ADD: Add Route", abi.RTM_DELETE: "RTM_DELETE: Delete Route",
	abi.RTM_CHANGE: "RTM_CHANGE: Change Metrics, Flags or Gateway", abi.RTM_GET: "RTM_GET: Report Metrics",
	abi.RTM_LOSING: "RTM_LOSING: Kernel Suspects Partitioning", abi.RTM_REDIRECT: "RTM_REDIRECT: Told to use different route",
	abi.RTM_MISS: "RTM_MISS: Lookup failed on this address", abi.RTM_LOCK: "RTM_LOCK: fix specified metrics",
	abi.RTM_NEWADDR: "RTM_NEWADDR: address being added to iface", abi.RTM_DELADDR: "RTM_DELADDR: address being removed from iface",
	abi.RTM_IFANNOUNCE: "RTM_IFANNOUNCE: iface arrival/departure", abi.RTM_IFINFO: "RTM_IFINFO: iface status change",
	abi.RTM_CHGADDR: "RTM_CHGADDR: address being changed on iface",
}

// linkStates word LINK_STATE_*.
var linkStates = map[int32]string{
	abi.LINK_STATE_UNKNOWN: "unknown", abi.LINK_STATE_DOWN: "no carrier", abi.LINK_STATE_UP: "active",
}

// printMessage prints a routing message of any kind.
func (c *command) printMessage(b []byte) {
	out := c.env.Stdout
	if len(b) < 4 {
		fmt.Fprintf(out, "routing message of %d bytes\n", len(b))
		return
	}
	if b[2] != abi.RTM_VERSION {
		fmt.Fprintf(out, "routing message version %d not understood\n", b[2])
		return
	}
	typ := rtmsg.Type(b)
	if text, ok := messageTypes[typ]; ok {
		fmt.Fprintf(out, "%s: ", text)
	} else {
		fmt.Fprintf(out, "#%d: ", typ)
	}
	fmt.Fprintf(out, "len %d, ", int(b[0])|int(b[1])<<8)
	var err error
	switch typ {
	case abi.RTM_IFINFO:
		err = c.printIfinfo(b)
	case abi.RTM_NEWADDR, abi.RTM_DELADDR, abi.RTM_CHGADDR:
		err = c.printIfaddr(b)
	case abi.RTM_IFANNOUNCE:
		err = c.printAnnounce(b)
	default:
		err = c.printRoutingMessage(b)
	}
	if err != nil {
		fmt.Fprintf(out, "(truncated)\n")
	}
}

func (c *command) printIfinfo(b []byte) error {
	var h abi.IfMsghdr
	if err := h.Decode(b); err != nil {
		return err
	}
	state, ok := linkStates[h.Data.LinkState]
	if !ok {
		state = fmt.Sprintf("0x%x", h.Data.LinkState)
	}
	fmt.Fprintf(c.env.Stdout, "if# %d, carrier: %s, flags: %s", h.Index, state, names(uint64(uint32(h.Flags)), ifFlags))
	return c.printAddrs(h.Addrs, b[abi.SizeofIfMsghdr:])
}

func (c *command) printIfaddr(b []byte) error {
	var h abi.IfaMsghdr
	if err := h.Decode(b); err != nil {
		return err
	}
	fmt.Fprintf(c.env.Stdout, "metric %d, flags: %s", h.Metric, names(uint64(uint32(h.Flags)), routeFlags))
	return c.printAddrs(h.Addrs, b[abi.SizeofIfaMsghdr:])
}

func (c *command) printAnnounce(b []byte) error {
	var h abi.IfAnnouncemsghdr
	if err := h.Decode(b); err != nil {
		return err
	}
	what, ok := map[uint16]string{abi.IFAN_ARRIVAL: "arrival", abi.IFAN_DEPARTURE: "departure"}[h.What]
	if !ok {
		what = fmt.Sprintf("#%d", h.What)
	}
	fmt.Fprintf(c.env.Stdout, "if# %d, what: %s\n", h.Index, what)
	return nil
}

func (c *command) printRoutingMessage(b []byte) error {
	var h abi.RtMsghdr
	if err := h.Decode(b); err != nil {
		return err
	}
	fmt.Fprintf(c.env.Stdout, "pid %d, seq %d, errno %d, flags: %s\nlocks: %s inits: %s", h.Pid, h.Seq, h.Errno,
		names(uint64(uint32(h.Flags)), routeFlags), names(h.Rmx.Locks, metricNames), names(uint64(uint32(h.Inits)), metricNames))
	return c.printAddrs(h.Addrs, b[abi.SizeofRtMsghdr:])
}

// printAddrs prints the addresses of a message.
func (c *command) printAddrs(mask int32, b []byte) error {
	out := c.env.Stdout
	defer fmt.Fprintln(out)
	if mask == 0 {
		return nil
	}
	fmt.Fprintf(out, "\nsockaddrs: %s\n", names(uint64(uint32(mask)), addrNames))
	addrs, err := rtmsg.Parse(mask, b)
	if err != nil {
		return err
	}
	family := sockaddr.Family(addrs[abi.RTAX_DST])
	if addrs[abi.RTAX_DST] == nil {
		family = sockaddr.Family(addrs[abi.RTAX_IFA])
	}
	for i, sa := range addrs {
		switch {
		case sa == nil && mask&(1<<i) == 0:
		case i == abi.RTAX_NETMASK && len(sa) > 0:
			fmt.Fprintf(out, " %s", c.namer.Mask(sa, family))
		default:
			fmt.Fprintf(out, " %s", c.namer.Host(sa))
		}
	}
	return nil
}

// printRoute prints what get found.
func (c *command) printRoute(asked []byte, r *routing.Message) {
	out, h := c.env.Stdout, &r.Header
	fmt.Fprintf(out, "   route to: %s\n", c.namer.Host(asked))
	dst, mask := r.Addrs[abi.RTAX_DST], r.Addrs[abi.RTAX_NETMASK]
	if dst != nil {
		fmt.Fprintf(out, "destination: %s\n", c.namer.Host(dst))
	}
	if mask != nil && h.Addrs&abi.RTA_NETMASK != 0 {
		fmt.Fprintf(out, "       mask: %s\n", c.namer.Mask(mask, sockaddr.Family(dst)))
	}
	if gw := r.Addrs[abi.RTAX_GATEWAY]; gw != nil && h.Flags&abi.RTF_GATEWAY != 0 {
		fmt.Fprintf(out, "    gateway: %s\n", c.namer.Host(gw))
	}
	if ifa := r.Addrs[abi.RTAX_IFA]; ifa != nil {
		fmt.Fprintf(out, " local addr: %s\n", c.namer.Host(ifa))
	}
	if l, ok := sockaddr.ParseLink(r.Addrs[abi.RTAX_IFP]); ok && l.Name != "" {
		fmt.Fprintf(out, "  interface: %s\n", l.Name)
	}
	fmt.Fprintf(out, "      flags: %s\n", names(uint64(uint32(h.Flags)), routeFlags))
	fmt.Fprintln(out, " recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire")
	x := &h.Rmx
	expire := x.Expire
	if expire != 0 {
		expire -= time.Now().Unix()
	}
	for i, m := range []struct {
		value int64
		bit   uint64
	}{
		{int64(x.Recvpipe), abi.RTV_RPIPE}, {int64(x.Sendpipe), abi.RTV_SPIPE}, {int64(x.Ssthresh), abi.RTV_SSTHRESH},
		{(int64(x.Rtt) + 500) / 1000, abi.RTV_RTT}, {(int64(x.Rttvar) + 500) / 1000, abi.RTV_RTTVAR},
		{int64(x.Hopcount), abi.RTV_HOPCOUNT}, {int64(x.Mtu), abi.RTV_MTU}, {expire, abi.RTV_EXPIRE},
	} {
		locked, end := byte(' '), " "
		if x.Locks&m.bit != 0 {
			locked = 'L'
		}
		if i == 7 {
			end = "\n"
		}
		fmt.Fprintf(out, "%8d%c%s", m.value, locked, end)
	}
	if c.has('v') {
		fmt.Fprintf(out, "\nlocks: %s inits: %s", names(x.Locks, metricNames), names(uint64(uint32(h.Inits)), metricNames))
		tail, addrs := r.Addrs.Append(nil)
		c.printAddrs(addrs, tail) //nolint:errcheck // it was parsed before
	}
}
