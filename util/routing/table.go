package routing

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
)

// Printer prints routing tables as route(8)'s show and netstat(1)'s -r do.
type Printer struct {
	Namer
	Out io.Writer
	// Interesting are the RTF_* that are shown; Must those that a route must have to be listed.
	Interesting, Must int32
	// Tags shows tags, Verbose metrics, Aligned flags in columns, NoLinks leaves out entries of the link level.
	Tags, Verbose, Aligned, NoLinks bool
}

// Interfaces are the names of the kernel's interfaces by index, empty if they cannot be had.
func Interfaces(p *client.Process) map[int]string {
	names := map[int]string{}
	list, err := p.Interfaces()
	if err != nil {
		return names
	}
	for i := range list {
		names[list[i].Index] = list[i].Name
	}
	return names
}

// Family is how a family's table is headed.
func Family(family int) string {
	switch family {
	case abi.AF_INET:
		return "Internet"
	case abi.AF_INET6:
		return "Internet6"
	}
	return "Protocol Family " + strconv.Itoa(family)
}

// width is that of the columns for destinations and gateways, which numbers of IPv6 need more of.
func (p *Printer) width(family int) (dst, gateway int) {
	if family == abi.AF_INET6 && p.Numeric {
		return 39, 30
	}
	return 18, 18
}

// Print prints the routes of a family, AF_UNSPEC for all, with a head for each family.
func (p *Printer) Print(routes []*Message, family int) {
	fmt.Fprintln(p.Out, "Routing tables")
	last := -1
	for _, m := range routes {
		dst := m.Addrs[abi.RTAX_DST]
		f := sockaddr.Family(dst)
		if m.Header.Flags&p.Must != p.Must || family != abi.AF_UNSPEC && f != family ||
			p.NoLinks && m.Header.Flags&abi.RTF_LLDATA != 0 {
			continue
		}
		if f != last {
			last = f
			fmt.Fprintf(p.Out, "\n%s:\n", Family(f))
			p.head(f)
		}
		p.entry(m, f)
	}
}

func (p *Printer) head(family int) {
	d, g := p.width(family)
	tag := ""
	if p.Tags {
		tag = fmt.Sprintf("%7s ", "Tag")
	}
	fmt.Fprintf(p.Out, "%-*.*s %-*.*s %-*s %6s %8s %6s %s%s\n",
		d, d, "Destination", g, g, "Gateway", p.flagWidth(), "Flags", "Refs", "Use", "Mtu", tag, "Interface")
}

// flagWidth is that of the column for flags.
func (p *Printer) flagWidth() int {
	if p.Aligned {
		return len(Flags)
	}
	return 6
}

// entry prints one route.
func (p *Printer) entry(m *Message, family int) {
	d, g := p.width(family)
	h := &m.Header
	dst := p.Net(m.Addrs[abi.RTAX_DST], m.Addrs[abi.RTAX_NETMASK])
	if h.Flags&abi.RTF_HOST != 0 || m.Addrs[abi.RTAX_NETMASK] == nil {
		dst = p.Host(m.Addrs[abi.RTAX_DST])
	}
	mtu := "-"
	if h.Rmx.Mtu != 0 {
		mtu = strconv.FormatUint(h.Rmx.Mtu, 10)
	}
	locked := byte(' ')
	if h.Rmx.Locks&abi.RTV_MTU != 0 {
		locked = 'L'
	}
	tag := ""
	if p.Tags {
		tag = "-"
		if sa := m.Addrs[abi.RTAX_TAG]; sa != nil {
			tag = p.Host(sa)
		}
		tag = fmt.Sprintf("%7s", tag)
	}
	fmt.Fprintf(p.Out, "%s %s %-*s %6s %8s %6s%c%s %s\n", p.column(dst, d), p.column(p.Host(m.Addrs[abi.RTAX_GATEWAY]), g),
		p.flagWidth(), FlagLetters(h.Flags&p.Interesting, p.Aligned), "-", "-", mtu, locked, tag,
		cmp.Or(p.Interfaces[int(h.Index)], strconv.Itoa(int(h.Index))))
	if p.Verbose {
		p.metrics(&h.Rmx)
	}
}

// column is text in a column: numbers are never cut, names are.
func (p *Printer) column(s string, width int) string {
	if p.Numeric {
		return fmt.Sprintf("%-*s", width, s)
	}
	return fmt.Sprintf("%-*.*s", width, width, s)
}

// metrics prints a route's metrics, each with an L if it is locked.
func (p *Printer) metrics(x *abi.RtMetrics) {
	for i, m := range []struct {
		name  string
		value uint64
		bit   uint64
	}{
		{"\texpire   ", uint64(x.Expire), abi.RTV_EXPIRE}, {"  recvpipe ", x.Recvpipe, abi.RTV_RPIPE},
		{"  sendpipe ", x.Sendpipe, abi.RTV_SPIPE}, {"\tssthresh ", x.Ssthresh, abi.RTV_SSTHRESH},
		{"  rtt      ", uint64(x.Rtt), abi.RTV_RTT}, {"  rttvar   ", uint64(x.Rttvar), abi.RTV_RTTVAR},
		{"\thopcount ", x.Hopcount, abi.RTV_HOPCOUNT},
	} {
		locked, end := byte(' '), ""
		if x.Locks&m.bit != 0 {
			locked = 'L'
		}
		if i%3 == 2 || m.bit == abi.RTV_HOPCOUNT {
			end = "\n"
		}
		fmt.Fprintf(p.Out, "%s%10d%c%s", m.name, m.value, locked, end)
	}
}
