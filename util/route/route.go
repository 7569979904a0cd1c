// Package route is route(8): it shows and changes the kernel's routing table.
//
// The commands are in the table commands; what they take is read in words.go, messages of route(4) are printed in message.go.
package route

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/rtmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// Utility is route(8).
var Utility = util.Utility{
	Name:    "route",
	Section: 8,
	Doc:     "manually manipulate the routing tables",
	Usage:   []string{"Usage: route [-dfLnqSsTtv] cmd [[-<qualifers>] args]"},
	Options: []util.Option{
		{Letter: 'd', Doc: "Make messages, print them with -v, and send none."},
		{Letter: 'f', Doc: "Flush first."},
		{Letter: 'L', Doc: "Do not show entries of the link level."},
		{Letter: 'n', Doc: "Print numbers, no names."},
		{Letter: 'q', Doc: "Print nothing of what is changed."},
		{Letter: 'S', Doc: "Print a space where a flag is missing."},
		{Letter: 's', Doc: "Of get, print the gateway alone."},
		{Letter: 'T', Doc: "Show tags."},
		{Letter: 't', Doc: "Test only: send nothing."},
		{Letter: 'v', Doc: "Print details."},
	},
	Operands: []util.Operand{
		{Name: "add, change, delete, get", Doc: "One route: [-net | -host] destination [gateway], with modifiers."},
		{Name: "flush [family]", Doc: "Delete all routes by gateways, and those that were added by hand."},
		{Name: "flushall [family]", Doc: "Delete all routes."},
		{Name: "show [family]", Doc: "Print the table."},
		{Name: "monitor", Doc: "Print what the kernel tells of its routes and interfaces until interrupted."},
		{Name: "-inet, -inet6, -link", Doc: "The family of the addresses that follow."},
		{Name: "-iface, -interface", Doc: "The gateway is an interface or its address: the destination is directly reachable."},
		{Name: "-netmask mask, -prefixlen n, destination/n", Doc: "The size of the network."},
		{Name: "-gateway a, -dst a, -ifp name, -ifa a, -genmask a", Doc: "Parts of the route by name."},
		{Name: "-[no]static, -[no]reject, -[no]blackhole, -[no]cloning, -[no]connected, -proto1, -proto2, -proxy", Doc: "Flags."},
		{Name: "-mtu, -hopcount, -expire, -recvpipe, -sendpipe, -ssthresh, -rtt, -rttvar n", Doc: "Metrics."},
		{Name: "-lock, -lockrest", Doc: "Lock the next metric, or all that follow."},
	},
	SumsUp: true,
	Main:   run,
}

// errUsage says that a command line is not one of route's.
var errUsage = errors.New("usage")

// errTold is a failure of which everything has been said.
var errTold = errors.New("told")

// command is one run.
type command struct {
	ctx   context.Context
	env   *util.Env
	on    [128]bool // options
	namer routing.Namer
	sock  *routing.Socket
}

func (c *command) has(letter byte) bool { return c.on[letter] }

// commands are those of the command line; their arguments do not have the command in them.
var commands = map[string]func(*command, []string) error{
	"add":      func(c *command, args []string) error { return c.change("add", abi.RTM_ADD, args) },
	"change":   func(c *command, args []string) error { return c.change("change", abi.RTM_CHANGE, args) },
	"delete":   func(c *command, args []string) error { return c.change("delete", abi.RTM_DELETE, args) },
	"get":      (*command).get,
	"show":     (*command).show,
	"monitor":  (*command).monitor,
	"flush":    func(c *command, args []string) error { return c.flush(args, false) },
	"flushall": func(c *command, args []string) error { return c.flush(args, true) },
}

func run(ctx context.Context, env *util.Env) int {
	c := &command{ctx: ctx, env: env}
	g := env.Getopt()
	for g.Next() {
		if g.Letter == '?' {
			return env.UsageError()
		}
		c.on[g.Letter] = true
	}
	args := g.Args()
	if len(args) == 0 && c.has('f') {
		args = []string{"flush"}
	}
	if len(args) == 0 {
		return env.UsageError()
	}
	do := commands[args[0]]
	if do == nil {
		env.Warnx("botched keyword: %s", args[0])
		return env.UsageError()
	}
	var err error
	if c.sock, err = routing.Open(env.Proc); err != nil {
		return env.Err(err, "socket")
	}
	c.namer = routing.Namer{Ctx: ctx, Numeric: c.has('n'), Interfaces: routing.Interfaces(env.Proc)}
	if c.has('f') && args[0] != "flush" && args[0] != "flushall" {
		if err := c.flush(nil, false); err != nil {
			return c.complain(err)
		}
	}
	if err := do(c, args[1:]); err != nil {
		return c.complain(err)
	}
	return util.ExitOK
}

func (c *command) complain(err error) int {
	switch {
	case errors.Is(err, errTold):
		return util.ExitFailure
	case errors.Is(err, errUsage):
		return c.env.UsageError()
	}
	return c.env.Errx("%s", util.ErrorText(err))
}

// reason is the text of what the kernel says of a message.
func reason(err error) string {
	switch err {
	case abi.ESRCH:
		return "not in table"
	case abi.EBUSY:
		return "entry in use"
	case abi.ENOBUFS:
		return "routing table overflow"
	}
	return util.ErrorText(err)
}

// writeFailed tells that a message was not taken.
func (c *command) writeFailed(err error) {
	c.env.Warnx("writing to routing socket: %s", reason(err))
}

// dry says whether nothing is to be sent.
func (c *command) dry() bool { return c.has('d') || c.has('t') }

// change adds, changes or deletes a route.
func (c *command) change(name string, typ uint8, args []string) error {
	w, err := c.readWords(args, name == "add")
	if err != nil {
		return err
	}
	if err := c.sock.Deaf(); err != nil {
		return err
	}
	m := w.message(typ)
	if c.has('v') {
		c.printMessage(m.Append(nil))
	}
	if !c.dry() {
		if err = c.sock.Send(m); err != nil {
			c.writeFailed(err)
		}
	}
	if !c.has('q') {
		c.printChange(name, w, err)
	}
	if err != nil {
		return errTold
	}
	return nil
}

// printChange says what was done, or what was to be done and why it was not.
func (c *command) printChange(name string, w *words, err error) {
	kind := "net"
	if w.host {
		kind = "host"
	}
	text := fmt.Sprintf("%s %s %s", name, kind, w.dstText)
	if w.gatewayText != "" {
		text += ": gateway " + w.gatewayText
	}
	if err != nil {
		text += ": " + reason(err)
	}
	fmt.Fprintln(c.env.Stdout, text)
}

// get asks for the route to a destination.
func (c *command) get(args []string) error {
	w, err := c.readWords(args, false)
	if err != nil {
		return err
	}
	if w.addrs[abi.RTAX_IFP] == nil {
		w.addrs[abi.RTAX_IFP] = (&sockaddr.Link{}).Append(nil)
	}
	m := w.message(abi.RTM_GET)
	if c.has('v') && !c.has('s') {
		c.printMessage(m.Append(nil))
	}
	if c.dry() {
		return nil
	}
	r, err := c.sock.Ask(m)
	if err != nil {
		c.writeFailed(err)
		return errTold
	}
	if c.has('s') {
		if r.Header.Flags&abi.RTF_GATEWAY == 0 || r.Addrs[abi.RTAX_GATEWAY] == nil {
			return errTold
		}
		fmt.Fprintln(c.env.Stdout, c.namer.Host(r.Addrs[abi.RTAX_GATEWAY]))
		return nil
	}
	c.printRoute(w.addrs[abi.RTAX_DST], r)
	return nil
}

// show prints the table.
func (c *command) show(args []string) error {
	family, must, err := readShow(args)
	if err != nil {
		return err
	}
	routes, err := routing.Table(c.env.Proc, family, abi.NET_RT_DUMP, 0)
	if err != nil {
		return fmt.Errorf("route-sysctl-estimate: %s", util.ErrorText(err))
	}
	p := routing.Printer{
		Namer: c.namer, Out: c.env.Stdout, Must: must,
		Interesting: abi.RTF_UP | abi.RTF_GATEWAY | abi.RTF_HOST | abi.RTF_REJECT | abi.RTF_BLACKHOLE | abi.RTF_LOCAL | abi.RTF_BROADCAST,
		Tags:        c.has('T'), Verbose: c.has('v'), Aligned: c.has('S'), NoLinks: c.has('L'),
	}
	p.Print(routes, family)
	return nil
}

// readShow reads the arguments of show and flush: a family, and flags that routes must have.
func readShow(args []string) (family int, must int32, err error) {
	for _, a := range args {
		if len(a) < 2 || a[0] != '-' {
			return 0, 0, errUsage
		}
		word := a[1:]
		if f, ok := familyWords[word]; ok {
			family = f
			continue
		}
		bit, ok := map[string]int32{
			"host": abi.RTF_HOST, "gateway": abi.RTF_GATEWAY, "static": abi.RTF_STATIC, "reject": abi.RTF_REJECT,
			"blackhole": abi.RTF_BLACKHOLE, "proto1": abi.RTF_PROTO1, "proto2": abi.RTF_PROTO2, "connected": abi.RTF_CONNECTED,
			"proxy": abi.RTF_ANNOUNCE, "llinfo": abi.RTF_LLDATA,
		}[word]
		if !ok {
			return 0, 0, errUsage
		}
		must |= bit
	}
	return family, must, nil
}

// flush deletes the routes that somebody added, or all.
func (c *command) flush(args []string, all bool) error {
	family, must, err := readShow(args)
	if err != nil {
		return err
	}
	if err := c.sock.Deaf(); err != nil {
		return err
	}
	routes, err := routing.Table(c.env.Proc, family, abi.NET_RT_DUMP, 0)
	if err != nil {
		return fmt.Errorf("route-sysctl-estimate: %s", util.ErrorText(err))
	}
	if c.has('v') {
		fmt.Fprintln(c.env.Stdout, "Examining routing table from sysctl")
	}
	for _, m := range routes {
		if m.Header.Flags&must != must || !all && m.Header.Flags&(abi.RTF_GATEWAY|abi.RTF_STATIC) == 0 ||
			family != abi.AF_UNSPEC && sockaddr.Family(m.Addrs[abi.RTAX_DST]) != family {
			continue
		}
		if err := c.flushRoute(m); err != nil {
			return err
		}
	}
	return nil
}

// flushRoute deletes one route of the table.
func (c *command) flushRoute(m *routing.Message) error {
	m.Header.Type = abi.RTM_DELETE
	if c.has('v') {
		c.printMessage(m.Append(nil))
	}
	if c.dry() {
		return nil
	}
	if err := c.sock.Send(m); err != nil {
		c.writeFailed(err)
		return errTold
	}
	if c.has('q') || c.has('v') {
		return nil
	}
	dst := c.namer.Host(m.Addrs[abi.RTAX_DST])
	if m.Header.Flags&abi.RTF_HOST == 0 {
		dst = c.namer.Net(m.Addrs[abi.RTAX_DST], m.Addrs[abi.RTAX_NETMASK])
	}
	fmt.Fprintf(c.env.Stdout, "%-20.20s %-20.20s done\n", dst, c.namer.Host(m.Addrs[abi.RTAX_GATEWAY]))
	return nil
}

// monitor prints messages until interrupted; with -d it prints the interfaces and ends.
func (c *command) monitor(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	if c.has('d') {
		b, err := c.env.Proc.Sysctl().Get([]int32{abi.CTL_NET, abi.PF_ROUTE, 0, 0, abi.NET_RT_IFLIST, 0})
		if err != nil {
			return err
		}
		for m, err := range rtmsg.All(b) {
			if err != nil {
				return err
			}
			c.printMessage(m)
		}
		return nil
	}
	type received struct {
		b   []byte
		err error
	}
	messages := make(chan received)
	go func() {
		for {
			b, err := c.sock.Receive()
			select {
			case messages <- received{b, err}:
			case <-c.ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for {
		select {
		case <-c.ctx.Done():
			return nil
		case m := <-messages:
			if m.err != nil {
				return m.err
			}
			fmt.Fprintf(c.env.Stdout, "got message of size %d on %s\n", len(m.b), time.Now().In(c.env.Location()).Format(time.ANSIC))
			c.printMessage(m.b)
			if err := c.env.Flush(); err != nil {
				return err
			}
		}
	}
}
