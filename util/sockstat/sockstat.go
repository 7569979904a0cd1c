// Package sockstat is sockstat(1): it lists the sockets that processes have open.
//
// The kernel's list of descriptors tells which process has which socket, its lists of sockets what they are: package kinfo reads both.
//
// Start reading at run; select.go has which sockets are wanted.
package sockstat

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/kinfo"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// Utility is sockstat(1).
var Utility = util.Utility{
	Name:    "sockstat",
	Section: 1,
	Doc:     "list open sockets",
	Usage:   []string{"[-46clnu] [-f address_family] [-p ports]"},
	Options: []util.Option{
		{Letter: '4', Doc: "Show sockets of IPv4."},
		{Letter: '6', Doc: "Show sockets of IPv6."},
		{Letter: 'c', Doc: "Show sockets that are connected."},
		{Letter: 'f', Arg: "address_family", Doc: "Show sockets of inet, inet6, local or unix."},
		{Letter: 'l', Doc: "Show sockets that listen."},
		{Letter: 'n', Doc: "Print addresses and ports as numbers."},
		{Letter: 'p', Arg: "ports", Doc: "Only those with one of these ports on either side: numbers and ranges with commas between, or a service."},
		{Letter: 'u', Doc: "Show local sockets."},
	},
	Main: run,
}

// command is one run.
type command struct {
	ctx     context.Context
	env     *util.Env
	numeric bool
	filter
	names  *passwd.DB
	titled bool
}

func run(ctx context.Context, env *util.Env) int {
	c := &command{ctx: ctx, env: env, names: passwd.New(env.Proc.Sys())}
	if status, ok := c.parse(); !ok {
		return status
	}
	sockets := map[uint64]*abi.KinfoPcb{}
	for _, name := range c.lists() {
		list, err := kinfo.Sockets(env.Proc, name)
		if err != nil {
			return env.Err(err, "sysctl")
		}
		for i := range list {
			sockets[list[i].Sockaddr] = &list[i]
		}
	}
	files, err := kinfo.Files(env.Proc)
	if err != nil {
		return env.Err(err, "sysctl")
	}
	slices.SortFunc(files, func(a, b abi.KinfoFile) int { return cmp.Or(cmp.Compare(a.Pid, b.Pid), cmp.Compare(a.Fd, b.Fd)) })
	for i := range files {
		f := &files[i]
		if k := sockets[f.Fdata]; f.Ftype == abi.DTYPE_SOCKET && k != nil && c.wants(k) {
			if name, ok := kinfo.Command(env.Proc, int32(f.Pid)); ok {
				c.print(f, k, name)
			}
		}
	}
	return util.ExitOK
}

// parse reads the command line. When ok is false it is over, with the status.
func (c *command) parse() (status int, ok bool) {
	g := c.env.Getopt()
	for g.Next() {
		switch g.Letter {
		case '4':
			c.inet = true
		case '6':
			c.inet6 = true
		case 'u':
			c.local = true
		case 'c':
			c.connected = true
		case 'l':
			c.listening = true
		case 'n':
			c.numeric = true
		case 'f':
			if !c.family(g.Arg) {
				return c.env.Errx("%s: unsupported protocol family", g.Arg), false
			}
		case 'p':
			if err := c.addPorts(g.Arg); err != nil {
				return c.env.Err(err, "%s", g.Arg), false
			}
		default:
			return c.env.UsageError(), false
		}
	}
	if len(g.Args()) > 0 {
		return c.env.UsageError(), false
	}
	if !c.complete() {
		return c.env.Errx("local domain sockets do not have ports"), false
	}
	return util.ExitOK, true
}

// print prints a socket that a process has open.
func (c *command) print(f *abi.KinfoFile, k *abi.KinfoPcb, name string) {
	out := c.env.Stdout
	if !c.titled {
		c.titled = true
		fmt.Fprintf(out, "%-8s %-10s %-5s %-2s %-6s %-21s %s\n", "USER", "COMMAND", "PID", "FD", "PROTO", "LOCAL ADDRESS", "FOREIGN ADDRESS")
	}
	foreign := "-"
	switch {
	case isConnected(k):
		foreign = c.address(k, &k.D)
	case k.Family != abi.AF_LOCAL:
		foreign = "*.*"
	}
	fmt.Fprintf(out, "%-8s %-10.10s %-5d %2d %-6s %-21s %s\n", c.names.UserName(f.Fuid), name, f.Pid, f.Fd, protocol(k), c.address(k, &k.S), foreign)
}

// protocols are the names of protocols of the internet, types those of local sockets.
var (
	protocols = map[uint32]string{abi.IPPROTO_TCP: "tcp", abi.IPPROTO_UDP: "udp", abi.IPPROTO_RAW: "raw"}
	types     = map[uint32]string{
		abi.SOCK_STREAM: "stream", abi.SOCK_DGRAM: "dgram", abi.SOCK_RAW: "raw", abi.SOCK_RDM: "rdm", abi.SOCK_SEQPACKET: "seq",
	}
)

// protocol is the name of a socket's protocol, or its family and protocol in numbers.
func protocol(k *abi.KinfoPcb) string {
	name, suffix := "", ""
	switch k.Family {
	case abi.AF_INET6:
		suffix = "6"
		fallthrough
	case abi.AF_INET:
		name = protocols[k.Protocol]
	case abi.AF_LOCAL:
		name = types[k.Type]
	default:
		return fmt.Sprintf("%d/%d/%d", k.Family, k.Type, k.Protocol)
	}
	if name == "" {
		return fmt.Sprintf("%d/%d", k.Family, k.Protocol)
	}
	return name + suffix
}

// address is an address of a socket: with its port, or a path.
func (c *command) address(k *abi.KinfoPcb, sa *[264]byte) string {
	if k.Family == abi.AF_LOCAL {
		return cmp.Or(kinfo.Path(sa), "-")
	}
	a, port := kinfo.Inet(sa)
	return c.host(a) + "." + hostaddr.Service(port, k.Type == abi.SOCK_DGRAM, c.numeric)
}

func (c *command) host(a netip.Addr) string {
	if !a.IsValid() || a.IsUnspecified() {
		return "*"
	}
	return hostaddr.Name(c.ctx, a, c.numeric)
}
