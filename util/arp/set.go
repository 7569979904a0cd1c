package arp

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// lifetime is how long an entry lasts that is temporary.
const lifetime = 20 * time.Minute

// entry is what -s asks for.
type entry struct {
	host   string
	addr   netip.Addr
	link   sockaddr.Link
	expire int64 // Unix time, 0 for never
	public bool
	proxy  bool // public alone
}

// readEntry reads the operands of -s. When they are wrong, that has been said.
func (c *command) readEntry(args []string) (*entry, bool) {
	e := &entry{host: args[0]}
	var ok bool
	if e.addr, ok = c.lookup(e.host); !ok {
		return nil, false
	}
	if e.link.Addr, ok = parseLink(args[1]); !ok {
		c.env.Warnx("invalid link-level address '%s'", args[1])
		return nil, false
	}
	for rest := args[2:]; len(rest) > 0; rest = rest[1:] {
		switch word := rest[0]; {
		case strings.HasPrefix(word, "temp"):
			e.expire = time.Now().Add(lifetime).Unix()
		case strings.HasPrefix(word, "pub"):
			e.public = true
			if len(rest) > 1 && strings.HasPrefix(rest[1], "pro") {
				e.proxy = true
				rest = rest[1:]
			}
		case strings.HasPrefix(word, "trail"):
			c.env.Warnx("%s: Sending trailers is no longer supported", e.host)
		case word == "ifscope" && len(rest) > 1:
			rest = rest[1:]
			ifp, err := c.env.Proc.InterfaceByName(rest[0])
			if err != nil {
				c.env.Warnx("cannot get link address for %s", rest[0])
				return nil, false
			}
			e.link.Index, e.link.Type = uint16(ifp.Index), ifp.Data.Type
		case word == "ifscope":
			c.env.Warnx("missing interface for ifscope")
			return nil, false
		default:
			c.env.Warnx("%s: unknown keyword", word)
			return nil, false
		}
	}
	return e, true
}

// maxLink is room for a link-level address in a struct sockaddr_dl.
const maxLink = 12

// parseLink reads a link-level address: bytes in hexadecimal between colons.
func parseLink(s string) ([]byte, bool) {
	var b []byte
	for part := range strings.SplitSeq(s, ":") {
		n, err := strconv.ParseUint(part, 16, 8)
		if err != nil || len(b) == maxLink {
			return nil, false
		}
		b = append(b, byte(n))
	}
	return b, true
}

// set makes an entry.
func (c *command) set(args []string) int {
	e, ok := c.readEntry(args)
	if !ok {
		return util.ExitFailure
	}
	dst := sockaddr.Inet(e.addr, 0, 0)
	if e.link.Index == 0 && !c.findInterface(e, dst) {
		return util.ExitFailure
	}
	var flags int32
	if e.public {
		flags = abi.RTF_ANNOUNCE
	}
	if err := c.sock.AddNeighbor(dst, &e.link, flags, e.expire, e.proxy); err != nil {
		return c.env.Err(err, "writing to routing socket")
	}
	if c.on['v'] {
		fmt.Fprintf(c.env.Stdout, "%s (%s) added\n", e.host, args[1])
	}
	return util.ExitOK
}

// findInterface finds out which interface an entry belongs to: that of the route to the host, to which it must be directly connected. When it
// is not, that has been said.
func (c *command) findInterface(e *entry, dst []byte) bool {
	n, ok, err := c.sock.Neighbor(dst)
	switch {
	case err != nil:
		c.requestFailed(err, e.host)
	case !ok:
		c.env.Warnx("cannot intuit interface index and type for %s", e.host)
	case n.Addr == e.addr && !(n.Resolved(e.addr) && n.Ethernet()) && !e.public:
		c.env.Warnx("set: can only proxy for %s", e.host)
	default:
		e.link.Index, e.link.Type = n.Link.Index, n.Link.Type
		return true
	}
	return false
}

// requestFailed says why a host's entry could not be asked for.
func (c *command) requestFailed(err error, host string) {
	c.env.Warn(err, "writing to routing socket")
	c.env.Warn(err, "%s", host)
}

// file makes the entries of a file.
func (c *command) file(name string) int {
	return routing.Entries(c.env, name, "Cannot open "+name, 2, math.MaxInt, c.set)
}

// deleteHost deletes an entry, with the second operand only one that is published.
func (c *command) deleteHost(args []string) int {
	a, ok := c.lookup(args[0])
	if !ok {
		return util.ExitFailure
	}
	if len(args) == 2 {
		if !strings.HasPrefix(args[1], "pro") {
			return c.env.UsageError()
		}
		published, err := c.published(a)
		if err != nil {
			return c.env.Err(err, "route-sysctl-estimate")
		}
		if !published {
			return c.env.Errx("delete: can't locate %s", args[0])
		}
	}
	return c.delete(args[0], a)
}

// published says whether an address has an entry that is published.
func (c *command) published(a netip.Addr) (bool, error) {
	list, err := routing.Neighbors(c.env.Proc, abi.AF_INET)
	for i := range list {
		if list[i].Addr == a && list[i].Proxy() {
			return true, nil
		}
	}
	return false, err
}

// delete deletes the entry of an address.
func (c *command) delete(host string, a netip.Addr) int {
	dst := sockaddr.Inet(a, 0, 0)
	n, ok, err := c.sock.Neighbor(dst)
	if err != nil {
		c.requestFailed(err, host)
		return util.ExitFailure
	}
	if !ok || !n.Resolved(a) || !n.Ethernet() {
		return c.env.Errx("delete: can't locate %s", host)
	}
	if err := c.sock.DeleteNeighbor(dst, &n); err != nil {
		return c.env.Err(err, "writing to routing socket")
	}
	if c.on['v'] {
		fmt.Fprintf(c.env.Stdout, "%s (%s) deleted\n", host, a)
	}
	return util.ExitOK
}

// deleteAll deletes all entries but those of our own addresses.
func (c *command) deleteAll() int {
	list, err := routing.Neighbors(c.env.Proc, abi.AF_INET)
	if err != nil {
		return c.env.Err(err, "route-sysctl-estimate")
	}
	ifps, err := c.env.Proc.Interfaces()
	if err != nil {
		return c.env.Err(err, "getifaddrs")
	}
	own := map[netip.Addr]bool{}
	for i := range ifps {
		for _, a := range ifps[i].Addrs {
			own[a.Prefix.Addr()] = true
		}
	}
	status := util.ExitOK
	for i := range list {
		if a := list[i].Addr; !own[a] {
			status |= c.delete(a.String(), a)
		}
	}
	return status
}
