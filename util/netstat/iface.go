package netstat

import (
	"fmt"
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// showInterfaces prints the interfaces and their addresses.
func (c *command) showInterfaces() int {
	list, err := c.env.Proc.Interfaces()
	if err != nil {
		return c.env.Err(err, "sysctl")
	}
	c.interfaceTitle()
	for i := range list {
		if c.ifname == "" || c.ifname == list[i].Name {
			c.printInterface(&list[i])
		}
	}
	return util.ExitOK
}

func (c *command) interfaceTitle() {
	out := c.env.Stdout
	fmt.Fprintf(out, "%-5s %-5s %-13s %-17s ", "Name", "Mtu", "Network", "Address")
	if c.on['b'] {
		fmt.Fprintf(out, "%10s %10s", "Ibytes", "Obytes")
	} else {
		fmt.Fprintf(out, "%8s %5s %8s %5s %5s", "Ipkts", "Ierrs", "Opkts", "Oerrs", "Colls")
	}
	if c.on['t'] {
		fmt.Fprint(out, " Time")
	}
	if c.on['d'] {
		fmt.Fprint(out, " Drops")
	}
	fmt.Fprintln(out)
}

// printInterface prints an interface: a line for its link-level address and one for each other.
func (c *command) printInterface(ifp *client.Interface) {
	c.printAddress(ifp, "<Link>", ifp.LinkAddr.String())
	n := routing.Namer{Ctx: c.ctx, Numeric: c.on['n'], Interfaces: map[int]string{ifp.Index: ifp.Name}}
	for _, a := range ifp.Addrs {
		net := ifp.Sockaddr(a.Prefix.Masked().Addr())
		address := hostaddr.Name(c.ctx, a.Prefix.Addr(), c.on['n'] || a.Prefix.Addr().Is6())
		if c.on['v'] && sockaddr.Scoped(a.Prefix.Addr()) {
			address += "%" + ifp.Name
		} else if !c.on['v'] {
			net = sockaddr.Inet(a.Prefix.Masked().Addr(), 0, 0)
		}
		c.printAddress(ifp, n.Net(net, sockaddr.Mask(sockaddr.Family(net), a.Prefix.Bits())), address)
	}
}

// printAddress prints a line about an interface.
func (c *command) printAddress(ifp *client.Interface, network, address string) {
	out, d := c.env.Stdout, &ifp.Data
	name := ifp.Name
	if ifp.Flags&abi.IFF_UP == 0 {
		name += "*"
	}
	fmt.Fprintf(out, "%-5s %-5d %s %s ", name, d.Mtu, c.column(network, 13), c.column(address, 17))
	if c.on['b'] {
		fmt.Fprintf(out, "%10s %10s", c.bytes(d.Ibytes), c.bytes(d.Obytes))
	} else {
		fmt.Fprintf(out, "%8d %5d %8d %5d %5d", d.Ipackets, d.Ierrors, d.Opackets, d.Oerrors, d.Collisions)
	}
	if c.on['t'] {
		fmt.Fprintf(out, " %4d", 0)
	}
	if c.on['d'] {
		fmt.Fprintf(out, " %5d", d.Iqdrops)
	}
	fmt.Fprintln(out)
}

// column is text in a column, which -v makes wider where it must be.
func (c *command) column(s string, width int) string {
	if c.on['v'] {
		width = max(width, len(s))
	}
	return fmt.Sprintf("%-*.*s", width, width, s)
}

// bytes is a number of bytes, with a unit if -h is given.
func (c *command) bytes(n uint64) string {
	if c.on['h'] {
		if text, ok := (util.Humanize{NoSpace: true, Bytes: true}).Format(int64(min(n, math.MaxInt64)), 7); ok {
			return text
		}
	}
	return fmt.Sprint(n)
}
