// Package brconfig is brconfig(8): it shows and sets the parameters of the kernel's bridges.
//
// The commands are a table (commands.go), showing is in status.go. All of it goes through two ioctls, SIOCSDRVSPEC and SIOCGDRVSPEC, with the BRDG* commands of
// bridge(4). What a kernel's bridge lacks (here: the spanning tree and packet filtering) it refuses itself, and its error is printed.
package brconfig

import (
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is brconfig(8).
var Utility = util.Utility{
	Name:    "brconfig",
	Section: 8,
	Doc:     "configure network bridge parameters",
	Usage: []string{
		"-a",
		"<bridge>",
		"<bridge> up|down",
		"<bridge> addr",
		"<bridge> add <interface>",
		"<bridge> delete <interface>",
		"<bridge> maxaddr <size>",
		"<bridge> timeout <time>",
		"<bridge> static <interface> <address>",
		"<bridge> deladdr <address>",
		"<bridge> flush",
		"<bridge> flushall",
		"<bridge> ipf|-ipf",
		"<bridge> discover|-discover <interface>",
		"<bridge> learn|-learn <interface>",
		"<bridge> stp|-stp <interface>",
		"<bridge> maxage <time>",
		"<bridge> fwddelay <time>",
		"<bridge> hellotime <time>",
		"<bridge> priority <value>",
		"<bridge> ifpriority <interface> <value>",
		"<bridge> ifpathcost <interface> <value>",
	},
	Options: []util.Option{{Letter: 'a', Doc: "Show all bridges."}},
	Operands: []util.Operand{
		{Name: "up, down", Doc: "Begin or end to forward."},
		{Name: "add interface, delete interface", Doc: "Make an interface a member, or no longer."},
		{Name: "addr", Doc: "Show the addresses that have been learned."},
		{Name: "maxaddr size", Doc: "How many addresses are kept."},
		{Name: "timeout time", Doc: "How many seconds an address is kept; 0 is for ever."},
		{Name: "static interface address", Doc: "Add an address that stays."},
		{Name: "deladdr address, flush, flushall", Doc: "Forget an address, all that were learned, all."},
		{Name: "[-]discover interface", Doc: "Send frames to unknown addresses to a member, or not."},
		{Name: "[-]learn interface", Doc: "Learn addresses from a member's frames, or not."},
		{Name: "[-]stp interface, maxage, fwddelay, hellotime, priority, ifpriority, ifpathcost", Doc: "The spanning tree and its parameters: " +
			"kernels of this repository have none and refuse them."},
		{Name: "[-]ipf", Doc: "Filter packets: refused by kernels of this repository."},
	},
	Main: run,
}

// config is one run.
type config struct {
	env    *util.Env
	sys    *client.Sys
	fd     int
	bridge string

	flags   uint32 // of the interface, as they are to be at the end
	changed bool
}

func run(_ context.Context, env *util.Env) int {
	all := false
	g := env.Getopt()
	for g.Next() {
		if g.Letter != 'a' {
			return env.UsageError()
		}
		all = true
	}
	args := g.Args()
	if all != (len(args) == 0) {
		return env.UsageError()
	}
	c := &config{env: env, sys: env.Proc.Sys()}
	var err error
	if c.fd, err = c.sys.Socket(abi.AF_INET, abi.SOCK_DGRAM, 0); err != nil {
		return env.Err(err, "socket")
	}
	if all {
		err = c.showAll()
	} else {
		err = c.one(args[0], args[1:])
	}
	if err != nil {
		return env.Errx("%v", err)
	}
	return util.ExitOK
}

// isBridge says whether it is the name of a bridge.
func isBridge(name string) bool {
	unit, ok := strings.CutPrefix(name, "bridge")
	return ok && unit != "" && unit[0] >= '0' && unit[0] <= '9'
}

// showAll is -a.
func (c *config) showAll() error {
	list, err := c.env.Proc.Interfaces()
	if err != nil {
		return failed(err, "getifaddrs")
	}
	for i := range list {
		if !isBridge(list[i].Name) {
			continue
		}
		if err := c.use(list[i].Name); err != nil {
			return err
		}
		if err := c.status(); err != nil {
			return err
		}
	}
	return nil
}

// use makes a bridge the one that everything is about.
func (c *config) use(name string) error {
	c.bridge = name
	ifr := c.ifreq()
	if err := c.sys.Ioctl(c.fd, abi.SIOCGIFFLAGS, ifr); err != nil {
		return failed(err, "unable to get interface flags")
	}
	c.flags = uint32(le.Uint16(ifr[abi.IFNAMSIZ:]))
	return nil
}

func (c *config) ifreq() []byte {
	ifr := make([]byte, abi.SizeofIfreq)
	copy(ifr[:abi.IFNAMSIZ-1], c.bridge)
	return ifr
}

// one shows a bridge, or runs the commands one after the other. Flags are set when all have succeeded.
func (c *config) one(bridge string, args []string) error {
	if !isBridge(bridge) {
		return util.Messagef("%s is not a bridge", bridge)
	}
	if err := c.use(bridge); err != nil {
		return err
	}
	if len(args) == 0 {
		return c.status()
	}
	for len(args) > 0 {
		name := args[0]
		cmd, known := commands[name]
		if !known {
			return util.Messagef("unknown command: %s", name)
		}
		if args = args[1:]; len(args) < cmd.args {
			plural := "s"
			if cmd.args == 1 {
				plural = ""
			}
			return util.Messagef("command %s requires %d argument%s", name, cmd.args, plural)
		}
		if err := cmd.run(c, name, args[:cmd.args]); err != nil {
			return err
		}
		args = args[cmd.args:]
	}
	if !c.changed {
		return nil
	}
	ifr := c.ifreq()
	le.PutUint16(ifr[abi.IFNAMSIZ:], uint16(c.flags))
	return failed(c.sys.Ioctl(c.fd, abi.SIOCSIFFLAGS, ifr), "unable to set interface flags")
}

// failed is the message of an error with what failed; nil for none.
func failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return util.Messagef("%s: %s", fmt.Sprintf(format, args...), err)
}

// drv runs a BRDG* command with its argument, into which a get puts the answer. It returns the length that the kernel says the answer has.
func (c *config) drv(ioctl uint32, cmd uint64, arg []byte) (int, error) {
	r := abi.Ifdrv{Cmd: cmd, Len: uint64(len(arg))}
	copy(r.Name[:abi.IFNAMSIZ-1], c.bridge)
	var raw []byte
	err := c.sys.IoctlFunc(c.fd, ioctl, func(l client.Lender) []byte {
		r.Data = l.InOut(arg)
		raw = r.Append(nil)
		return raw
	})
	if err != nil {
		return 0, err
	}
	if err := r.Decode(raw); err != nil {
		return 0, err
	}
	return int(min(r.Len, maxList)), nil
}

func (c *config) set(cmd uint64, arg []byte) error {
	_, err := c.drv(abi.SIOCSDRVSPEC, cmd, arg)
	return err
}

func (c *config) get(cmd uint64, arg []byte) error {
	_, err := c.drv(abi.SIOCGDRVSPEC, cmd, arg)
	return err
}

// maxList is more than any list of a kernel has, in bytes.
const maxList = 1 << 24

// list gets a list of records of a size, with more room until there is some left.
func (c *config) list(cmd uint64, size int) ([]byte, error) {
	for room := 8192; ; room *= 4 {
		buf := make([]byte, room)
		n, err := c.drv(abi.SIOCGDRVSPEC, cmd, buf)
		if err != nil {
			return nil, err
		}
		if n <= room-size || room >= maxList {
			n = min(n, room)
			return buf[:n-n%size], nil
		}
	}
}
