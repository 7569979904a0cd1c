// Package ifconfig is ifconfig(8): it shows and sets the parameters of the kernel's network interfaces.
//
// The words of a command line are data (words.go): each knows how many arguments it takes and what it does. They are checked
// in full before the first does something. What a word says of an address is collected and done at the end (address.go), as
// the manual page has it. Showing is in status.go.
package ifconfig

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is ifconfig(8).
var Utility = util.Utility{
	Name:    "ifconfig",
	Section: 8,
	Doc:     "configure network interface parameters",
	Usage:   usage,
	Options: []util.Option{
		{Letter: 'A', Doc: "Say that -A is deprecated; nothing else."},
		{Letter: 'a', Doc: "Show all interfaces."},
		{Letter: 'b', Doc: "With -a or -l, only those that can broadcast."},
		{Letter: 'C', Doc: "List the kinds of interfaces that can be created."},
		{Letter: 'd', Doc: "With -a or -l, only those that are down."},
		{Letter: 'h', Doc: "With -v or -z, print counts of bytes with a unit."},
		{Letter: 'L', Doc: "Print the lifetimes of IPv6 addresses."},
		{Letter: 'l', Doc: "List the names of the interfaces alone."},
		{Letter: 'm', Doc: "Print the media that an interface supports."},
		{Letter: 'N', Doc: "Print names of hosts where there are such."},
		{Letter: 's', Doc: "Tell by the exit status whether the interface is connected; with -a or -l, only those that may be."},
		{Letter: 'u', Doc: "With -a or -l, only those that are up."},
		{Letter: 'v', Doc: "Print statistics."},
		{Letter: 'W', Arg: "seconds", Doc: "With -w, wait so long for detached addresses of interfaces that are up, too."},
		{Letter: 'w', Arg: "seconds", Doc: "Wait until no address is tentative, at most so long; 0 is for ever."},
		{Letter: 'z', Doc: "Print statistics, and set them to zero."},
	},
	Operands: []util.Operand{
		{Name: "interface", Doc: "The interface."},
		{Name: "family", Doc: "inet, inet6 or link: what the rest is about."},
		{Name: "create, destroy", Doc: "Make or remove the interface."},
		{Name: "up, down, [-]arp, [-]debug, [-]link0, [-]link1, [-]link2", Doc: "Set or clear a flag."},
		{Name: "address[/n] [destination or netmask]", Doc: "Give the interface an address, in place of the first one unless alias is said."},
		{Name: "alias, -alias, delete", Doc: "Add the address to the others, or take it away."},
		{Name: "netmask mask, prefixlen n, broadcast address, preference n", Doc: "Of the address."},
		{Name: "[-]anycast, [-]deprecated, pltime n, vltime n, eui64", Doc: "Of an IPv6 address."},
		{Name: "active", Doc: "Of a link-level address: send from it."},
		{Name: "metric n, mtu n, linkstr string, -linkstr", Doc: "Of the interface."},
		{Name: "media type, [-]mediaopt options, mode mode, instance n", Doc: "Choose the medium, of interfaces that have such."},
		{Name: "[-]ip4csum, [-]tso4, ...", Doc: "Switch a capability of the hardware."},
		{Name: "tunnel source destination, deletetunnel", Doc: "The outer addresses of a gif."},
		{Name: "vlan n vlanif interface, -vlanif interface", Doc: "The tag and the parent of a vlan."},
		{Name: "[-]agrport interface", Doc: "Add a port to an agr, or remove it."},
	},
	Main: run,
}

// usage is the original's, lines for carp(4), pfsync(4) and wireless networks included: their words are known and refused.
var usage = []string{
	"usage: ifconfig [-h] [-m] [-v] [-z] [-L] interface",
	"\t[ af [ address [ dest_addr ] ] [ netmask mask ] [ prefixlen n ]",
	"\t\t[ alias | -alias ] ]",
	"\t[ up ] [ down ] [ metric n ] [ mtu n ]",
	"\t[ advbase n ] [ advskew n ] [ carpdev iface ] [ pass passphrase ] [ state state ] [ vhid n ]",
	"\t[ anycast | -anycast ] [ deprecated | -deprecated ]",
	"\t[ pltime n ] [ vltime n ] [ eui64 ]",
	"\t[ agrport i ] [ -agrport i ]",
	"\t[ nwid network_id ] [ nwkey network_key | -nwkey ]",
	"\t[ list scan ]",
	"\t[ powersave | -powersave ] [ powersavesleep duration ]",
	"\t[ hidessid | -hidessid ] [ apbridge | -apbridge ]",
	"\t[ media type ] [ mediaopt opts ] [ -mediaopt opts ] [ instance minst ]",
	"\t[ [ af ] tunnel src_addr dest_addr ] [ deletetunnel ]",
	"\t[ vlan n vlanif i ] [ -vlanif i ]",
	"\t[ maxupd n ] [ syncdev iface ] [syncpeer peer_addr]",
	"\t[ arp | -arp ]",
	"\t[ preference n ]",
	"\t[ link0 | -link0 ] [ link1 | -link1 ] [ link2 | -link2 ]",
	"       ifconfig -a [-b] [-d] [-h] [-m] [-u] [-v] [-z] [ af ]",
	"       ifconfig -l [-b] [-d] [-s] [-u]",
	"       ifconfig -C",
	"       ifconfig -w n",
	"       ifconfig interface create",
	"       ifconfig interface destroy",
}

// flags are the options that were given, by their letters.
type flags struct {
	set               [128]bool
	wait, waitCarrier int // of -w and -W, in seconds
}

func (f *flags) has(letters string) bool {
	return slices.ContainsFunc([]byte(letters), func(c byte) bool { return f.set[c] })
}

// errUsage says that a command line is not one of ifconfig's.
var errUsage = errors.New("usage")

// failure is an error and what failed, as warn(3) prints them.
type failure struct {
	what string
	err  error
}

func (f *failure) Error() string { return f.what + ": " + util.ErrorText(f.err) }

// failed wraps err, unless it is nil, with what failed.
func failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &failure{fmt.Sprintf(format, args...), err}
}

func run(ctx context.Context, env *util.Env) int {
	f, err := parseFlags(env)
	if err != nil {
		return complain(env, err)
	}
	c := &config{ctx: ctx, env: env, sys: env.Proc.Sys(), flags: f, socks: map[int]int{}}
	status, err := c.run()
	if err != nil {
		return complain(env, err)
	}
	return status
}

// complain says what went wrong and returns the status.
func complain(env *util.Env, err error) int {
	var f *failure
	switch {
	case errors.Is(err, errUsage):
		return env.UsageError()
	case errors.As(err, &f):
		return env.Err(f.err, "%s", f.what)
	}
	return env.Errx("%v", err)
}

func parseFlags(env *util.Env) (*flags, error) {
	f := new(flags)
	g := env.Getopt()
	for g.Next() {
		var err error
		switch g.Letter {
		case '?':
			return nil, errUsage
		case 'A':
			env.Warnx("-A is deprecated")
		case 'w':
			f.wait, err = seconds(g.Arg)
		case 'W':
			f.waitCarrier, err = seconds(g.Arg)
		}
		if err != nil {
			return nil, err
		}
		f.set[g.Letter] = true
	}
	modes := 0
	for _, c := range "lCw" {
		if f.set[c] {
			modes++
		}
	}
	if modes > 1 || modes == 1 && f.has("amLvz") {
		return nil, errUsage
	}
	env.Args = append(env.Args[:1:1], g.Args()...)
	return f, nil
}

// config is one run: what was asked for and, once the words have been read, what is to be set.
type config struct {
	ctx   context.Context
	env   *util.Env
	sys   *client.Sys
	flags *flags
	socks map[int]int // a socket a family, for ioctls

	name   string // of the interface
	family int    // AF_UNSPEC if none was named

	address  addressChange
	media    mediaChange
	caps     []capChange
	vlanTag  int
	vlanSeen bool
}

// run does what the options and operands say.
func (c *config) run() (int, error) {
	args := c.env.Args[1:]
	switch {
	case c.flags.has("C"):
		return c.nullary(args, c.listCloners)
	case c.flags.has("l"):
		return c.nullary(args, c.listNames)
	case c.flags.has("w"):
		return c.nullary(args, c.waitTentative)
	case c.flags.has("a") || len(args) == 0:
		if len(args) == 0 && c.flags.has("s") && !c.flags.has("a") {
			return 0, errUsage
		}
		if len(args) > 1 || len(args) == 1 && !c.setFamily(args[0]) {
			return 0, errUsage
		}
		return 0, c.showAll()
	}
	c.name, args = args[0], args[1:]
	if len(c.name) >= abi.IFNAMSIZ {
		return 0, errUsage
	}
	if c.flags.has("s") {
		if len(args) > 0 {
			return 0, errUsage
		}
		return c.carrierStatus()
	}
	if len(args) > 0 && c.setFamily(args[0]) {
		args = args[1:]
	}
	if len(args) == 0 {
		return 0, c.showOne()
	}
	if c.flags.has("mLz") {
		return 0, errUsage
	}
	return 0, c.change(args)
}

// nullary runs a mode that takes no operands.
func (c *config) nullary(args []string, f func() error) (int, error) {
	if len(args) > 0 {
		return 0, errUsage
	}
	return 0, f()
}

// families are the address families by their names on the command line, in the order in which their addresses are shown.
var families = []struct {
	name   string
	family int
}{{"inet6", abi.AF_INET6}, {"inet", abi.AF_INET}, {"link", abi.AF_LINK}}

func (c *config) setFamily(name string) bool {
	for _, f := range families {
		if f.name == name {
			c.family = f.family
			return true
		}
	}
	return false
}

// sock is a socket of a family; AF_UNSPEC is any that the kernel has.
func (c *config) sock(family int) (int, error) {
	if family == abi.AF_UNSPEC {
		for _, fd := range c.socks {
			return fd, nil
		}
		family = abi.AF_INET
	}
	if fd, ok := c.socks[family]; ok {
		return fd, nil
	}
	fd, err := c.sys.Socket(family, abi.SOCK_DGRAM, 0)
	if err != nil {
		return -1, failed(err, "socket")
	}
	c.socks[family] = fd
	return fd, nil
}

// ioctl makes a request with a structure that begins with the interface's name, on a socket of the family. The error is the call's own
// or, without a socket, a failure.
func (c *config) ioctl(family int, req uint32, data []byte) error {
	fd, err := c.sock(family)
	if err != nil {
		return err
	}
	copy(data[:abi.IFNAMSIZ], make([]byte, abi.IFNAMSIZ))
	copy(data[:abi.IFNAMSIZ-1], c.name)
	return c.sys.Ioctl(fd, req, data)
}

// ifreqNumber makes a request whose structure is a name and an int.
func (c *config) ifreqNumber(req uint32, v int) (int, error) {
	ifr := make([]byte, abi.SizeofIfreq)
	putInt(ifr[abi.IFNAMSIZ:], v)
	err := c.ioctl(abi.AF_UNSPEC, req, ifr)
	return getInt(ifr[abi.IFNAMSIZ:]), err
}

// ifreqData makes a request whose ifreq points to other data.
func (c *config) ifreqData(req uint32, build func(l client.Lender) uint64) error {
	fd, err := c.sock(abi.AF_UNSPEC)
	if err != nil {
		return err
	}
	return c.sys.IoctlFunc(fd, req, func(l client.Lender) []byte {
		ifr := make([]byte, abi.SizeofIfreq)
		copy(ifr[:abi.IFNAMSIZ-1], c.name)
		le.PutUint64(ifr[abi.IFNAMSIZ:], build(l))
		return ifr
	})
}

// ifflags asks for the interface's IFF_*.
func (c *config) ifflags() (int, error) {
	v, err := c.ifreqNumber(abi.SIOCGIFFLAGS, 0)
	var f *failure
	if err != nil && !errors.As(err, &f) {
		err = failed(err, "SIOCGIFFLAGS %s", c.name)
	}
	return v & 0xffff, err
}
