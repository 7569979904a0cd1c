package netstat

import (
	"errors"
	"fmt"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// protocol is one that has sockets or statistics.
type protocol struct {
	name   string
	family int
	// sockets is the sysctl of its sockets, stats that of its counters; empty without.
	sockets, stats string
	items          []item
	// perInterface prints the statistics of an interface; nil if there are none.
	perInterface func(c *command, ifname string) error
}

// protocols are all that are known, in the order in which they are shown. Kernels have no statistics of those without a sysctl.
var protocols = []protocol{
	{name: "ip", family: abi.AF_INET, stats: "net.inet.ip.stats", items: ipItems},
	{name: "icmp", family: abi.AF_INET, stats: "net.inet.icmp.stats", items: icmpItems},
	{name: "igmp", family: abi.AF_INET, stats: "net.inet.igmp.stats", items: igmpItems},
	{name: "tcp", family: abi.AF_INET, sockets: "net.inet.tcp.pcblist", stats: "net.inet.tcp.stats", items: tcpItems},
	{name: "udp", family: abi.AF_INET, sockets: "net.inet.udp.pcblist", stats: "net.inet.udp.stats", items: udpItems},
	{name: "carp", family: abi.AF_INET},
	{name: "ipsec", family: abi.AF_INET},
	{name: "pim", family: abi.AF_INET},
	{name: "pfsync", family: abi.AF_INET},
	{name: "ip6", family: abi.AF_INET6, stats: "net.inet6.ip6.stats", items: ip6Items, perInterface: (*command).showIP6Interface},
	{name: "icmp6", family: abi.AF_INET6, stats: "net.inet6.icmp6.stats", items: icmp6Items, perInterface: (*command).showICMP6Interface},
	{name: "tcp6", family: abi.AF_INET6, sockets: "net.inet6.tcp6.pcblist", stats: "net.inet.tcp.stats", items: tcpItems},
	{name: "udp6", family: abi.AF_INET6, sockets: "net.inet6.udp6.pcblist", stats: "net.inet6.udp6.stats", items: udp6Items},
	{name: "ipsec6", family: abi.AF_INET6},
	{name: "pim6", family: abi.AF_INET6},
	{name: "rip6", family: abi.AF_INET6, stats: "net.inet6.raw6.stats", items: raw6Items},
	{name: "arp", family: abi.AF_ARP, stats: "net.inet.arp.stats", items: arpItems},
	{name: "pfkey", family: abi.PF_KEY},
	{name: "ddp", family: abi.AF_APPLETALK},
}

// aliases are other names of protocols, as protocols(5) has them.
var aliases = map[string]string{
	"IP": "ip", "ICMP": "icmp", "IGMP": "igmp", "TCP": "tcp", "UDP": "udp", "CARP": "carp", "PIM": "pim", "PFSYNC": "pfsync", "IPv6-ICMP": "icmp6",
}

// protocolOf finds a protocol by its name; nil if there is none.
func protocolOf(name string) *protocol {
	if alias := aliases[name]; alias != "" {
		name = alias
	}
	for i := range protocols {
		if protocols[i].name == name {
			return &protocols[i]
		}
	}
	return nil
}

// showProtocols prints the sockets or the statistics of all protocols that are wanted.
func (c *command) showProtocols() int {
	status := util.ExitOK
	for i := range protocols {
		p := &protocols[i]
		switch {
		case !c.wants(p.family):
		case c.on['i'] && c.on['s']:
			if p.perInterface != nil {
				status |= c.eachInterface(p)
			}
		case c.on['s']:
			status |= c.showStats(p, false)
		case p.sockets != "":
			status |= c.showSockets(p)
		}
	}
	if c.wants(abi.AF_LOCAL) && !c.on['s'] {
		status |= c.showLocal()
	}
	return status
}

// showStats prints a protocol's statistics. A kernel without the protocol has none, which is said only of one that was asked for.
func (c *command) showStats(p *protocol, asked bool) int {
	if p.stats == "" {
		if asked {
			fmt.Fprintf(c.env.Stdout, "%s: no stats routine\n", p.name)
		}
		return util.ExitOK
	}
	b, err := c.env.Proc.Sysctl().Bytes(p.stats)
	if errors.Is(err, abi.ENOENT) {
		return util.ExitOK
	}
	if err != nil {
		return c.env.Err(err, "%s", p.stats)
	}
	s := statistics{out: c.env.Stdout, counters: readCounters(b), brief: c.brief, interfaces: routing.Interfaces(c.env.Proc)}
	fmt.Fprintf(c.env.Stdout, "%s:\n", p.name)
	for _, it := range p.items {
		it.print(&s)
	}
	return util.ExitOK
}

// eachInterface prints the statistics of a protocol by interface.
func (c *command) eachInterface(p *protocol) int {
	list, err := c.env.Proc.Interfaces()
	if err != nil {
		return c.env.Err(err, "getifaddrs")
	}
	status := util.ExitOK
	for i := range list {
		name := list[i].Name
		if c.ifname != "" && c.ifname != name {
			continue
		}
		fmt.Fprintf(c.env.Stdout, "%s on %s:\n", p.name, name)
		if err := p.perInterface(c, name); err != nil {
			status = c.env.Err(err, "%s on %s", p.name, name)
		}
	}
	return status
}

func (c *command) showIP6Interface(ifname string) error {
	r, err := c.interfaceStats(abi.SIOCGIFSTAT_IN6, ifname)
	if err == nil {
		s := r.Stat()
		printItems(c, ip6InterfaceItems, &s)
	}
	return err
}

func (c *command) showICMP6Interface(ifname string) error {
	r, err := c.interfaceStats(abi.SIOCGIFSTAT_ICMP6, ifname)
	if err == nil {
		s := r.Icmp6stat()
		printItems(c, icmp6InterfaceItems, &s)
	}
	return err
}

// interfaceStats asks for the statistics of IPv6 on an interface.
func (c *command) interfaceStats(req uint32, ifname string) (*abi.In6Ifreq, error) {
	sys := c.env.Proc.Sys()
	fd, err := sys.Socket(abi.PF_INET6, abi.SOCK_DGRAM, 0)
	if err != nil {
		return nil, err
	}
	defer sys.Close(fd) //nolint:errcheck // nothing was written
	r := new(abi.In6Ifreq)
	b := r.Append(nil)
	copy(b[:abi.IFNAMSIZ-1], ifname)
	if err := sys.Ioctl(fd, req, b); err != nil {
		return nil, err
	}
	return r, r.Decode(b)
}

// printItems prints the counters of a structure.
func printItems[S any](c *command, items []interfaceItem[S], s *S) {
	for _, it := range items {
		if v := it.value(s); v != 0 || !c.brief {
			fmt.Fprintln(c.env.Stdout, fill(it.text, v))
		}
	}
}
