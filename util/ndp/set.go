package ndp

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// lifetime is how long an entry lasts that is temporary.
const lifetime = 20 * time.Minute

// open opens the routing socket, once. When it cannot be, that has been said.
func (c *command) open() bool {
	if c.sock != nil {
		return true
	}
	sock, err := routing.Open(c.env.Proc)
	if err != nil {
		c.env.Warn(err, "socket")
		return false
	}
	c.sock = sock
	return true
}

// set makes an entry.
func (c *command) set(args []string) int {
	if !c.open() {
		return util.ExitFailure
	}
	h, ok := c.lookup(args[0])
	if !ok {
		return util.ExitFailure
	}
	mac, err := net.ParseMAC(padded(args[1]))
	if err != nil || len(mac) != 6 {
		return c.env.Errx("invalid Ethernet address '%s'", args[1])
	}
	var flags int32
	var expire int64
	for _, word := range args[2:] {
		switch {
		case strings.HasPrefix(word, "temp"):
			expire = time.Now().Add(lifetime).Unix()
		case strings.HasPrefix(word, "proxy"):
			flags |= abi.RTF_ANNOUNCE
		default:
			return c.env.UsageError()
		}
	}
	n, ok, err := c.sock.Neighbor(h.dst)
	switch {
	case err != nil:
		return c.env.Err(err, "writing to routing socket")
	case !ok:
		return c.env.Errx("cannot intuit interface index and type for %s", h.text)
	case n.Addr == h.addr && (n.Header.Flags&abi.RTF_GATEWAY != 0 || !n.Ethernet()):
		fmt.Fprintln(c.env.Stderr, "set: cannot configure a new entry")
		return util.ExitFailure
	}
	link := sockaddr.Link{Index: n.Link.Index, Type: n.Link.Type, Addr: mac}
	if err := c.sock.AddNeighbor(h.dst, &link, flags, expire, false); err != nil {
		return c.env.Err(err, "writing to routing socket")
	}
	return util.ExitOK
}

// padded gives each byte of an Ethernet address two digits, as net.ParseMAC wants them.
func padded(s string) string {
	parts := strings.Split(s, ":")
	for i, p := range parts {
		if len(p) == 1 {
			parts[i] = "0" + p
		}
	}
	return strings.Join(parts, ":")
}

// file makes the entries of a file: lines with the operands of -s.
func (c *command) file(name string) int {
	return routing.Entries(c.env, name, name, 2, 4, c.set)
}

// deleteHost deletes the entry of a host.
func (c *command) deleteHost(text string) int {
	if !c.open() {
		return util.ExitFailure
	}
	h, ok := c.lookup(text)
	if !ok {
		return util.ExitFailure
	}
	return c.delete(h)
}

// delete deletes the entry of an address.
func (c *command) delete(h *host) int {
	n, ok, err := c.sock.Neighbor(h.dst)
	switch {
	case err != nil:
		return c.env.Err(err, "writing to routing socket")
	case n.Addr == h.addr && (!ok || n.Header.Flags&abi.RTF_GATEWAY != 0):
		return c.env.Errx("delete: cannot delete non-NDP entry")
	case !ok:
		return c.env.Errx("cannot locate %s", h.text)
	}
	if err := c.sock.DeleteNeighbor(h.dst, &n); err != nil {
		return c.env.Err(err, "writing to routing socket")
	}
	fmt.Fprintf(c.env.Stdout, "%s (%s) deleted\n", h.text, c.namer.Host(h.dst))
	return util.ExitOK
}
