package ndp

import (
	"fmt"
	"net"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// The columns' widths. An address that is wider takes from those that follow.
const (
	addrWidth = 36
	linkWidth = 17
	nameWidth = 6
)

// list are the entries of hosts.
func (c *command) list() ([]routing.Neighbor, error) {
	all, err := routing.Neighbors(c.env.Proc, abi.AF_INET6)
	var list []routing.Neighbor
	for _, n := range all {
		if n.Header.Flags&abi.RTF_HOST == 0 {
			continue
		}
		if n.Scope == 0 && sockaddr.Scoped(n.Addr) {
			n.Scope = uint32(n.Link.Index)
		}
		list = append(list, n)
	}
	return list, err
}

// title prints the head of the columns, unless entries begin with the time.
func (c *command) title() {
	if !c.stamp {
		fmt.Fprintf(c.env.Stdout, "%-*s %-*s %*s %-9s %s %5s\n", addrWidth, "Neighbor", linkWidth, "Linklayer Address", nameWidth, "Netif",
			"Expire", "S", "Flags")
	}
}

// show prints all entries.
func (c *command) show() int {
	c.title()
	list, err := c.list()
	if err != nil {
		return c.env.Err(err, "sysctl(PF_ROUTE, NET_RT_FLAGS)")
	}
	for i := range list {
		if !list[i].Addr.IsMulticast() {
			c.print(&list[i])
		}
	}
	return util.ExitOK
}

// showHost prints the entries of a host, of which there must be one.
func (c *command) showHost(text string) int {
	h, ok := c.lookup(text)
	if !ok {
		return util.ExitFailure
	}
	c.title()
	list, err := c.list()
	if err != nil {
		return c.env.Err(err, "sysctl(PF_ROUTE, NET_RT_FLAGS)")
	}
	_, _, scope, _ := sockaddr.ParseInet(h.dst)
	found := false
	for i := range list {
		if n := &list[i]; n.Addr == h.addr && n.Scope == scope {
			found = true
			c.print(n)
		}
	}
	if !found {
		return c.env.Errx("%s (%s) -- no entry", text, c.namer.Host(h.dst))
	}
	return util.ExitOK
}

// name is the host of an entry.
func (c *command) name(n *routing.Neighbor) string {
	text := hostaddr.Name(c.ctx, n.Addr, c.namer.Numeric)
	if n.Scope != 0 && sockaddr.Scoped(n.Addr) {
		text += "%" + c.ifname(int(n.Scope))
	}
	return text
}

// states are the letters of ND6_LLINFO_*. -1 was a state of older kernels.
var states = map[int32]byte{
	abi.ND6_LLINFO_NOSTATE: 'N', -1: 'W', abi.ND6_LLINFO_INCOMPLETE: 'I', abi.ND6_LLINFO_REACHABLE: 'R', abi.ND6_LLINFO_STALE: 'S',
	abi.ND6_LLINFO_DELAY: 'D', abi.ND6_LLINFO_PROBE: 'P',
}

// print prints an entry.
func (c *command) print(n *routing.Neighbor) {
	out, now := c.env.Stdout, time.Now()
	if c.stamp {
		fmt.Fprint(out, now.In(c.env.Location()).Format("15:04:05.000000 "))
	}
	link := "(incomplete)"
	if len(n.Link.Addr) > 0 {
		link = net.HardwareAddr(n.Link.Addr).String()
	}
	name := c.name(n)
	left := max(addrWidth, len(name))
	middle := max(addrWidth+linkWidth-left, len(link))
	right := addrWidth + linkWidth + nameWidth - left - middle
	fmt.Fprintf(out, "%-*s %-*s %*s", left, name, middle, link, max(right, 0), c.ifname(int(n.Link.Index)))
	flags, asked := "", int64(0)
	nbi, err := c.info(n)
	if err != nil {
		c.env.Warn(err, "ioctl(SIOCGNBRINFO_IN6)")
		c.env.Warnx("failed to get neighbor information")
		fmt.Fprint(out, "  ")
	} else {
		state, ok := states[nbi.State]
		if !ok {
			state = '?'
		}
		fmt.Fprintf(out, " %-9s %c", expiry(int64(nbi.Expire), now.Unix()), state)
		asked = nbi.Asked
		if nbi.Isrouter != 0 {
			flags = "R"
		}
	}
	if n.Header.Flags&abi.RTF_ANNOUNCE != 0 {
		flags += "p"
	}
	line := " " + flags
	if asked != 0 {
		line += fmt.Sprintf(" %d", asked)
	}
	fmt.Fprintln(out, line)
}

// expiry words when an entry ends, at Unix time now.
func expiry(at, now int64) string {
	switch {
	case at > now:
		return duration(at - now)
	case at == 0:
		return "permanent"
	}
	return "expired"
}

// info asks what is known of a neighbour.
func (c *command) info(n *routing.Neighbor) (*abi.In6Nbrinfo, error) {
	r := abi.In6Nbrinfo{}
	copy(r.Ifname[:abi.IFNAMSIZ-1], c.namer.Interfaces[int(n.Link.Index)])
	dst := sockaddr.Inet(n.Addr, 0, 0)
	sockaddr.EmbedScope(dst, n.Scope)
	copy(r.Addr.Addr[:], dst[8:24])
	b := r.Append(nil)
	if err := c.ioctl(abi.SIOCGNBRINFO_IN6, b); err != nil {
		return nil, err
	}
	return &r, r.Decode(b)
}

// ioctl does an ioctl of IPv6.
func (c *command) ioctl(req uint32, b []byte) error {
	fd, err := c.sys.Socket(abi.PF_INET6, abi.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer c.sys.Close(fd) //nolint:errcheck // nothing was written
	return c.sys.Ioctl(fd, req, b)
}

// deleteLearned deletes all entries that were not made by hand.
func (c *command) deleteLearned() int {
	if !c.open() {
		return util.ExitFailure
	}
	list, err := c.list()
	if err != nil {
		return c.env.Err(err, "sysctl(PF_ROUTE, NET_RT_FLAGS)")
	}
	status := util.ExitOK
	for i := range list {
		if n := &list[i]; n.Header.Flags&abi.RTF_STATIC == 0 {
			h := &host{addr: n.Addr, dst: sockaddr.Inet(n.Addr, 0, 0)}
			sockaddr.EmbedScope(h.dst, n.Scope)
			h.text = c.name(n)
			status |= c.delete(h)
		}
	}
	return status
}
