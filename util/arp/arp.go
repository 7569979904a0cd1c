// Package arp is arp(8): it shows and changes the table of the Ethernet addresses of IPv4 hosts. See ndp for IPv6's.
//
// A deletion that fails gives the exit status 1, where the original gives 0; -d -a leaves our own addresses alone, of which the
// table only tells.
//
// Start reading at run; set.go has what changes entries.
package arp

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// Utility is arp(8).
var Utility = util.Utility{
	Name:    "arp",
	Section: 8,
	Doc:     "address resolution display and control",
	Usage: []string{
		"Usage: arp [-n] hostname",
		"       arp [-nv] -a",
		"       arp [-v] -d [-a|hostname [proxy]]",
		"       arp [-v] -s hostname ether_addr [temp] [pub [proxy]]",
		"       arp [-v] -f filename",
	},
	Options: []util.Option{
		{Letter: 'a', Doc: "Show all entries; with -d, delete all."},
		{Letter: 'd', Doc: "Delete an entry."},
		{Letter: 'f', Doc: "Make the entries of a file in the kernel, - for standard input."},
		{Letter: 'n', Doc: "Print addresses alone, no names."},
		{Letter: 's', Doc: "Make an entry."},
		{Letter: 'v', Doc: "Tell what was added or deleted."},
	},
	Operands: []util.Operand{
		{Name: "hostname", Doc: "The host, by name or address."},
		{Name: "ether_addr", Doc: "Its Ethernet address: six bytes in hexadecimal, separated by colons."},
		{Name: "temp", Doc: "The entry lasts for twenty minutes, not for ever."},
		{Name: "pub [proxy]", Doc: "Answer requests for the host's address in its place; with proxy, do not use the entry otherwise."},
		{Name: "ifscope interface", Doc: "The entry is one of this interface."},
		{Name: "filename", Doc: "Has lines with the operands of -s."},
	},
	Main: run,
}

// command is one run.
type command struct {
	ctx   context.Context
	env   *util.Env
	on    [128]bool // options
	sock  *routing.Socket
	names map[int]string // interfaces by index
}

func run(ctx context.Context, env *util.Env) int {
	c := &command{ctx: ctx, env: env}
	var op byte
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case '?':
			return env.UsageError()
		case 'd', 's', 'f':
			if op != 0 {
				return env.UsageError()
			}
			op = g.Letter
		}
		c.on[g.Letter] = true
	}
	args := g.Args()
	all := c.on['a']
	switch {
	case op == 'd' && all && len(args) == 0:
		return c.changing((*command).deleteAll)
	case op == 'd' && !all && (len(args) == 1 || len(args) == 2):
		return c.changing(func(c *command) int { return c.deleteHost(args) })
	case op == 's' && len(args) >= 2 && len(args) <= 7:
		return c.changing(func(c *command) int { return c.set(args) })
	case op == 'f' && len(args) == 1:
		return c.changing(func(c *command) int { return c.file(args[0]) })
	case op == 0 && all:
		return c.show(netip.Addr{})
	case op == 0 && len(args) == 1:
		return c.showHost(args[0])
	}
	return env.UsageError()
}

// changing runs what needs a routing socket.
func (c *command) changing(do func(*command) int) int {
	var err error
	if c.sock, err = routing.Open(c.env.Proc); err != nil {
		return c.env.Err(err, "socket")
	}
	defer c.sock.Close() //nolint:errcheck // the process ends
	return do(c)
}

// lookup finds a host's address; when there is none, that has been said.
func (c *command) lookup(host string) (netip.Addr, bool) {
	a, err := hostaddr.Lookup(c.ctx, host, abi.AF_INET)
	if err != nil {
		c.env.Warnx("%s: Unknown host", host)
	}
	return a, err == nil
}

// showHost prints the entries of a host.
func (c *command) showHost(host string) int {
	a, ok := c.lookup(host)
	if !ok {
		return util.ExitFailure
	}
	return c.show(a, host)
}

// show prints all entries, or those of an address, of which there must be one then.
func (c *command) show(a netip.Addr, host ...string) int {
	list, err := routing.Neighbors(c.env.Proc, abi.AF_INET)
	if err != nil {
		return c.env.Err(err, "route-sysctl-estimate")
	}
	c.names = routing.Interfaces(c.env.Proc)
	found := false
	for i := range list {
		if !a.IsValid() || list[i].Addr == a {
			found = true
			c.print(&list[i])
		}
	}
	if a.IsValid() && !found {
		return c.env.Errx("%s (%s) -- no entry", host[0], a)
	}
	return util.ExitOK
}

// print prints an entry.
func (c *command) print(n *routing.Neighbor) {
	out := c.env.Stdout
	number := n.Addr.String()
	name := hostaddr.Name(c.ctx, n.Addr, c.on['n'])
	if name == number {
		name = "?"
	}
	fmt.Fprintf(out, "%s (%s) at %s", name, number, linkText(&n.Link))
	if name, ok := c.names[int(n.Link.Index)]; ok {
		fmt.Fprintf(out, " on %s", name)
	}
	if n.Header.Rmx.Expire == 0 {
		fmt.Fprint(out, " permanent")
	}
	if n.Proxy() {
		fmt.Fprint(out, " published (proxy only)")
	}
	published, odd := n.Published()
	if published {
		fmt.Fprint(out, " published")
	}
	if odd {
		fmt.Fprint(out, "(weird)")
	}
	fmt.Fprintln(out)
}

// linkText is a link-level address, or that it is not known yet.
func linkText(l *sockaddr.Link) string {
	if len(l.Addr) == 0 {
		return "(incomplete)"
	}
	return net.HardwareAddr(l.Addr).String()
}
