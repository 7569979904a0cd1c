// Package ndp is ndp(8): it shows and changes what neighbour discovery knows of IPv6's neighbours, routers and prefixes. See arp for IPv4's
// neighbours.
//
// An operation that fails gives the exit status 1, where the original gives 0 for some; -f makes the entries of a file, which
// the original only takes the name of.
//
// Start reading at run; cache.go has the entries of neighbours, set.go changes them, iface.go has settings of interfaces, routers.go
// what routers advertise.
package ndp

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// Utility is ndp(8).
var Utility = util.Utility{
	Name:    "ndp",
	Section: 8,
	Doc:     "control/diagnose IPv6 neighbor discovery protocol",
	Usage: []string{
		"Usage: ndp [-nt] hostname",
		"       ndp [-nt] -a | -c | -p | -r | -H | -P | -R",
		"       ndp [-nt] -A wait",
		"       ndp [-nt] -d hostname",
		"       ndp [-nt] -f filename",
		"       ndp [-nt] -i interface [flags...]",
		"       ndp [-nt] -I [interface|delete]",
		"       ndp [-nt] -s nodename etheraddr [temp] [proxy]",
	},
	Options: []util.Option{
		{Letter: 'A', Arg: "wait", Doc: "As -a, again and again with so many seconds between."},
		{Letter: 'a', Doc: "Show all entries."},
		{Letter: 'c', Doc: "Delete all entries that were learned."},
		{Letter: 'd', Arg: "hostname", Doc: "Delete an entry."},
		{Letter: 'f', Arg: "filename", Doc: "Make the entries of a file in the kernel, - for standard input."},
		{Letter: 'H', Doc: "Install the default route anew from the list of routers."},
		{Letter: 'I', Doc: "Show the default interface, or set it."},
		{Letter: 'i', Arg: "interface", Doc: "Show the settings of an interface, or change them."},
		{Letter: 'n', Doc: "Print addresses alone, no names."},
		{Letter: 'P', Doc: "Forget the prefixes of routers."},
		{Letter: 'p', Doc: "Show the list of prefixes."},
		{Letter: 'R', Doc: "Forget the default routers."},
		{Letter: 'r', Doc: "Show the list of default routers."},
		{Letter: 's', Doc: "Make an entry."},
		{Letter: 't', Doc: "Begin each entry with the time."},
	},
	Operands: []util.Operand{
		{Name: "hostname", Doc: "The host, by name or address."},
		{Name: "etheraddr", Doc: "Its Ethernet address: six bytes in hexadecimal, separated by colons."},
		{Name: "temp", Doc: "The entry lasts for twenty minutes, not for ever."},
		{Name: "proxy", Doc: "Answer for the host in its place."},
		{Name: "[-]nud, [-]accept_rtadv, [-]auto_linklocal, [-]override_rtadv, [-]prefer_source, [-]disabled", Doc: "Of -i: flags."},
		{Name: "basereachable=ms, retrans=ms, curhlim=n", Doc: "Of -i: times and the hop limit."},
	},
	Main: run,
}

// command is one run.
type command struct {
	ctx   context.Context
	env   *util.Env
	sys   *client.Sys
	sock  *routing.Socket
	namer routing.Namer
	stamp bool // -t
}

// modes are what ndp does, by the letter of the option, 0 for none; arg is the option's argument, at most so many operands follow.
var modes = map[byte]struct {
	min, max int
	do       func(c *command, arg string, args []string) int
}{
	0:   {1, 1, func(c *command, _ string, args []string) int { return c.showHost(args[0]) }},
	'a': {0, 0, func(c *command, _ string, _ []string) int { return c.show() }},
	'A': {0, 0, (*command).watch},
	'c': {0, 0, func(c *command, _ string, _ []string) int { return c.deleteLearned() }},
	'd': {0, 0, func(c *command, arg string, _ []string) int { return c.deleteHost(arg) }},
	'f': {0, 0, func(c *command, arg string, _ []string) int { return c.file(arg) }},
	'H': {0, 0, func(c *command, _ string, _ []string) int { return c.order(abi.SIOCSNDFLUSH_IN6, "SIOCSNDFLUSH_IN6") }},
	'I': {0, 1, func(c *command, _ string, args []string) int { return c.defaultInterface(args) }},
	'i': {0, 99, (*command).interfaceInfo},
	'P': {0, 0, func(c *command, _ string, _ []string) int { return c.order(abi.SIOCSPFXFLUSH_IN6, "SIOCSPFXFLUSH_IN6") }},
	'p': {0, 0, func(c *command, _ string, _ []string) int { return c.showPrefixes() }},
	'R': {0, 0, func(c *command, _ string, _ []string) int { return c.order(abi.SIOCSRTRFLUSH_IN6, "SIOCSRTRFLUSH_IN6") }},
	'r': {0, 0, func(c *command, _ string, _ []string) int { return c.showRouters() }},
	's': {2, 4, func(c *command, _ string, args []string) int { return c.set(args) }},
}

func run(ctx context.Context, env *util.Env) int {
	c := &command{ctx: ctx, env: env, sys: env.Proc.Sys()}
	c.namer = routing.Namer{Ctx: ctx}
	var mode byte
	var arg string
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case '?':
			return env.UsageError()
		case 'n':
			c.namer.Numeric = true
		case 't':
			c.stamp = true
		default:
			if mode != 0 {
				return env.UsageError()
			}
			mode, arg = g.Letter, g.Arg
		}
	}
	args := g.Args()
	m := modes[mode]
	if len(args) < m.min || len(args) > m.max {
		return env.UsageError()
	}
	c.namer.Interfaces = routing.Interfaces(env.Proc)
	return m.do(c, arg, args)
}

// watch shows all entries again and again.
func (c *command) watch(arg string, _ []string) int {
	seconds, err := strconv.ParseUint(arg, 10, 31)
	if err != nil {
		return c.env.Errx("%s: invalid number of seconds", arg)
	}
	for {
		status := c.show()
		if status != util.ExitOK || seconds == 0 {
			return status
		}
		fmt.Fprintln(c.env.Stdout)
		if err := c.env.Flush(); err != nil {
			return util.ExitFailure
		}
		select {
		case <-c.ctx.Done():
			return util.ExitOK
		case <-time.After(time.Duration(seconds) * time.Second):
		}
	}
}

// host is an address of the command line.
type host struct {
	text string
	addr netip.Addr // without its zone
	dst  []byte     // as messages have it: the scope in the address
}

// lookup finds a host's address; when there is none, that has been said.
func (c *command) lookup(text string) (*host, bool) {
	bare, zone, zoned := strings.Cut(text, "%")
	a, err := hostaddr.Lookup(c.ctx, bare, abi.AF_INET6)
	scope := uint32(0)
	if zoned && err == nil {
		scope = c.index(zone)
	}
	if err != nil || zoned && scope == 0 {
		c.env.Warnx("%s: hostname nor servname provided, or not known", text)
		return nil, false
	}
	dst := sockaddr.Inet(a, 0, 0)
	if scope != 0 {
		sockaddr.EmbedScope(dst, scope)
	}
	return &host{text: text, addr: a, dst: dst}, true
}

// index is the index of an interface by its name or number; 0 if there is none.
func (c *command) index(zone string) uint32 {
	for index, name := range c.namer.Interfaces {
		if name == zone || strconv.Itoa(index) == zone {
			return uint32(index)
		}
	}
	return 0
}

// ifname is the name of an interface.
func (c *command) ifname(index int) string {
	if name, ok := c.namer.Interfaces[index]; ok {
		return name
	}
	return "?"
}

// duration writes seconds as days, hours, minutes and seconds, from the largest that there is: "1d0h0m5s".
func duration(seconds int64) string {
	var b []byte
	for _, u := range []struct {
		size int64
		unit byte
	}{{24 * 3600, 'd'}, {3600, 'h'}, {60, 'm'}} {
		if n := seconds / u.size; n != 0 || len(b) > 0 {
			b = append(strconv.AppendInt(b, n, 10), u.unit)
			seconds %= u.size
		}
	}
	return string(append(strconv.AppendInt(b, seconds, 10), 's'))
}
