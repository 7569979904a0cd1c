// Package netstat is netstat(1): it shows sockets, interfaces, routes and statistics of the kernel.
//
// What can only be had from a kernel's memory is refused: -M and -N, -P, -q and -m. -X is how it always works. The numbers of -d are the packets
// that interfaces have dropped on input, the only drops that they tell of; -a with -i adds nothing, since kernels do not list the
// groups that interfaces have joined; -t shows 0, since no interface has a watchdog.
//
// Start reading at run; protocol.go has the table of protocols, sockets.go and local.go their sockets, stats.go, items4.go and items6.go
// their statistics, iface.go and interval.go the interfaces, bpf.go the users of bpf(4).
package netstat

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// Utility is netstat(1).
var Utility = util.Utility{
	Name:    "netstat",
	Section: 1,
	Doc:     "show network status",
	Usage: []string{
		"[-Aan] [-f address_family[,family ...]] [-M core] [-N system]",
		"[-bdghiLlmnqrSsTtvX] [-f address_family[,family ...]] [-M core] [-N system]",
		"[-dn] [-I interface] [-M core] [-N system] [-w wait]",
		"[-p protocol] [-M core] [-N system]",
		"[-p protocol] [-M core] [-N system] -P pcbaddr",
		"[-p protocol] [-i] [-I Interface]",
		"[-s] [-f address_family[,family ...]] [-i] [-I Interface]",
		"[-s] [-B] [-I interface]",
	},
	Options: []util.Option{
		{Letter: 'A', Doc: "Begin each socket with the number that stands for its protocol control block."},
		{Letter: 'a', Doc: "Show sockets without a peer, too."},
		{Letter: 'B', Doc: "Show the users of bpf(4); with -s, its statistics."},
		{Letter: 'b', Doc: "With -i or -w, show bytes, not packets."},
		{Letter: 'd', Doc: "With -i or -w, show packets that were dropped."},
		{Letter: 'f', Arg: "families", Doc: "Only these: inet, inet6, arp, local or unix, and pfkey, atalk, mpls, ns, of which kernels have nothing."},
		{Letter: 'g', Doc: "Show multicast routing, of which kernels have none."},
		{Letter: 'h', Doc: "With -b, write bytes with a unit."},
		{Letter: 'I', Arg: "interface", Doc: "Only this interface."},
		{Letter: 'i', Doc: "Show interfaces; with -s or -p, statistics by interface."},
		{Letter: 'L', Doc: "With -r, leave out entries of the link level."},
		{Letter: 'l', Doc: "With -g, wider columns."},
		{Letter: 'M', Arg: "core", Doc: "Refused: there are no core dumps."},
		{Letter: 'm', Doc: "Refused: there are no mbufs."},
		{Letter: 'N', Arg: "system", Doc: "Refused, as -M."},
		{Letter: 'n', Doc: "Print addresses and ports as numbers."},
		{Letter: 'P', Arg: "pcbaddr", Doc: "Refused: the memory of a kernel cannot be read."},
		{Letter: 'p', Arg: "protocol", Doc: "Show statistics of a protocol."},
		{Letter: 'q', Doc: "Refused: there are no software interrupt queues."},
		{Letter: 'r', Doc: "Show routes; with -s, statistics of routing."},
		{Letter: 'S', Doc: "Print addresses as numbers, ports by name."},
		{Letter: 's', Doc: "Show statistics; twice: without those that are 0."},
		{Letter: 'T', Doc: "With -r, show tags."},
		{Letter: 't', Doc: "With -i, show watchdog timers."},
		{Letter: 'u', Doc: "Only local sockets, as -f local."},
		{Letter: 'v', Doc: "With -r, show metrics; do not cut addresses."},
		{Letter: 'w', Arg: "wait", Doc: "Show the traffic every so many seconds."},
		{Letter: 'X', Doc: "Read everything by sysctl(3), as always."},
	},
	Operands: []util.Operand{{Name: "wait", Doc: "As -w."}},
	Main:     run,
}

// command is one run.
type command struct {
	ctx      context.Context
	env      *util.Env
	on       [128]bool // options
	brief    bool      // -s twice
	ifname   string    // of -I
	families []int     // of -f; nil for all
	protocol *protocol // of -p
	wait     int       // of -w
	titled   map[string]bool
}

// families are the names of -f.
var families = map[string]int{
	"inet": abi.AF_INET, "inet6": abi.AF_INET6, "arp": abi.AF_ARP, "local": abi.AF_LOCAL, "unix": abi.AF_LOCAL, "pfkey": abi.PF_KEY,
	"atalk": abi.AF_APPLETALK, "mpls": abi.AF_MPLS, "ns": abi.AF_NS,
}

// refused are the options that need the memory of a kernel.
var refused = map[byte]string{
	'M': "core dumps are not supported", 'N': "core dumps are not supported", 'P': "the memory of a kernel cannot be read",
	'm': "there are no mbufs", 'q': "there are no software interrupt queues",
}

func run(ctx context.Context, env *util.Env) int {
	c := &command{ctx: ctx, env: env, titled: map[string]bool{}}
	if status, ok := c.parse(); !ok {
		return status
	}
	switch {
	case c.on['B'] && c.on['s']:
		return c.showBPFStats()
	case c.on['B']:
		return c.showBPF()
	case c.wait > 0:
		return c.watch()
	case c.protocol != nil && c.on['i'] && c.protocol.perInterface != nil:
		return c.eachInterface(c.protocol)
	case c.protocol != nil:
		return c.showStats(c.protocol, true)
	case c.on['i'] && c.families == nil && !c.on['s']:
		return c.showInterfaces()
	case c.on['r'] && c.on['s']:
		return c.showRouteStats()
	case c.on['r']:
		return c.showRoutes()
	case c.on['g']:
		return c.showMulticast()
	}
	return c.showProtocols()
}

// parse reads the command line. When ok is false it is over, with the status.
func (c *command) parse() (status int, ok bool) {
	g := c.env.Getopt()
	for g.Next() {
		if text := refused[g.Letter]; text != "" {
			return c.env.Errx("-%c: %s", g.Letter, text), false
		}
		c.brief = c.brief || g.Letter == 's' && c.on['s']
		switch g.Letter {
		case '?':
			return c.env.UsageError(), false
		case 'f':
			c.addFamilies(g.Arg)
		case 'u':
			c.families = []int{abi.AF_LOCAL}
		case 'I':
			c.ifname, c.on['i'] = g.Arg, true
		case 'p':
			if c.protocol = protocolOf(g.Arg); c.protocol == nil {
				return c.env.Errx("%s: unknown or uninstrumented protocol", g.Arg), false
			}
		case 'w':
			if !c.setWait(g.Arg) {
				return c.env.Errx("%s: invalid interval", g.Arg), false
			}
		}
		c.on[g.Letter] = true
	}
	args := g.Args()
	if len(args) > 0 && c.setWait(args[0]) {
		args = args[1:]
	}
	if len(args) > 0 {
		return c.env.UsageError(), false
	}
	return util.ExitOK, true
}

// setWait takes an interval in seconds.
func (c *command) setWait(s string) bool {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n == 0 {
		return false
	}
	c.wait = int(n)
	return true
}

// addFamilies takes a list of families. One that is unknown is told and passed over.
func (c *command) addFamilies(list string) {
	c.families = []int{}
	for name := range strings.SplitSeq(list, ",") {
		if family, ok := families[name]; ok {
			c.families = append(c.families, family)
		} else {
			c.env.Warnx("%s: unknown address family", name)
		}
	}
}

// wants says whether a family is to be shown.
func (c *command) wants(family int) bool {
	for _, f := range c.families {
		if f == family {
			return true
		}
	}
	return c.families == nil
}

// numericAddr and numericPort say what is to be printed as numbers.
func (c *command) numericAddr() bool { return c.on['n'] || c.on['S'] }
func (c *command) numericPort() bool { return c.on['n'] }

// title prints a head once.
func (c *command) title(text string) {
	if !c.titled[text] {
		c.titled[text] = true
		fmt.Fprint(c.env.Stdout, text)
	}
}

// showRoutes prints the routing tables.
func (c *command) showRoutes() int {
	list := c.families
	if list == nil {
		list = []int{abi.AF_UNSPEC}
	}
	p := routing.Printer{
		Namer: routing.Namer{Ctx: c.ctx, Numeric: c.on['n'], Interfaces: routing.Interfaces(c.env.Proc)}, Out: c.env.Stdout,
		Interesting: -1, Tags: c.on['T'], Verbose: c.on['v'], NoLinks: c.on['L'],
	}
	for _, family := range list {
		routes, err := routing.Table(c.env.Proc, family, abi.NET_RT_DUMP, 0)
		if err != nil {
			return c.env.Err(err, "sysctl")
		}
		p.Print(routes, family)
	}
	return util.ExitOK
}

// routeTexts are the counters of struct rtstat.
var routeTexts = []interfaceItem[abi.Rtstat]{
	{"\t# bad routing redirect~", func(s *abi.Rtstat) uint64 { return s.Badredirect }},
	{"\t# dynamically created route~", func(s *abi.Rtstat) uint64 { return s.Dynamic }},
	{"\t# new gateway~ due to redirects", func(s *abi.Rtstat) uint64 { return s.Newgateway }},
	{"\t# destination~ found unreachable", func(s *abi.Rtstat) uint64 { return s.Unreach }},
	{"\t# use~ of a wildcard route", func(s *abi.Rtstat) uint64 { return s.Wildcard }},
}

// showRouteStats prints the statistics of routing.
func (c *command) showRouteStats() int {
	b, err := c.env.Proc.Sysctl().Bytes("net.route.stats")
	var s abi.Rtstat
	if err == nil {
		err = s.Decode(b)
	}
	if err != nil {
		return c.env.Err(err, "rt_stats: sysctl")
	}
	fmt.Fprintln(c.env.Stdout, "routing:")
	for _, t := range routeTexts {
		fmt.Fprintln(c.env.Stdout, fill(t.text, t.value(&s)))
	}
	return util.ExitOK
}

// showMulticast says that there is no multicast routing.
func (c *command) showMulticast() int {
	for _, m := range []struct {
		family int
		text   string
	}{{abi.AF_INET, "no multicast routing compiled into this system"}, {abi.AF_INET6, "no IPv6 multicast routing compiled into this system"}} {
		if c.wants(m.family) {
			fmt.Fprintln(c.env.Stdout, m.text)
		}
	}
	return util.ExitOK
}
