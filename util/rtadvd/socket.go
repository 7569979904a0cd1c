package rtadvd

import (
	"errors"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// noFiles says whether a kernel has no files at all.
func noFiles(err error) bool { return errors.Is(err, abi.ENOSYS) }

var (
	allNodes   = netip.MustParseAddr("ff02::1")
	allRouters = netip.MustParseAddr("ff02::2")
)

// hopLimit is that of neighbor discovery: such packets have passed no router.
const hopLimit = 255

// open makes the socket: it receives routers' advertisements and solicitations, with where they come from.
func (d *daemon) open() (err error) {
	sys := d.proc.Sys()
	if d.fd, err = sys.Socket(abi.AF_INET6, abi.SOCK_RAW, abi.IPPROTO_ICMPV6); err != nil {
		return util.Messagef("socket: %s", err)
	}
	filter := make([]byte, 32)
	for _, typ := range []byte{abi.ND_ROUTER_SOLICIT, abi.ND_ROUTER_ADVERT} {
		filter[typ/8] |= 1 << (typ % 8)
	}
	if err := sys.Setsockopt(d.fd, abi.IPPROTO_ICMPV6, abi.ICMP6_FILTER, filter); err != nil {
		return util.Messagef("ICMP6_FILTER: %s", err)
	}
	for _, o := range []struct {
		name, val int
		what      string
	}{
		{abi.IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"},
		{abi.IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT"},
		{abi.IPV6_MULTICAST_LOOP, 0, "IPV6_MULTICAST_LOOP"},
	} {
		if err := sys.SetsockoptInt(d.fd, abi.IPPROTO_IPV6, o.name, o.val); err != nil {
			return util.Messagef("%s: %s", o.what, err)
		}
	}
	for _, r := range d.routers {
		mreq := abi.Ipv6Mreq{Interface: uint32(r.ifp.Index)}
		mreq.Multiaddr.Addr = allRouters.As16()
		if err := sys.Setsockopt(d.fd, abi.IPPROTO_IPV6, abi.IPV6_JOIN_GROUP, mreq.Append(nil)); err != nil {
			return util.Messagef("IPV6_JOIN_GROUP(link) on %s: %s", r.ifp.Name, err)
		}
	}
	return nil
}

// send sends an advertisement to all nodes on an interface's link.
func (d *daemon) send(ifp *client.Interface, b []byte) error {
	info := abi.In6Pktinfo{Ifindex: uint32(ifp.Index)}
	control := (&cmsg.Message{Level: abi.IPPROTO_IPV6, Type: abi.IPV6_PKTINFO, Data: info.Append(nil)}).Append(nil)
	control = (&cmsg.Message{Level: abi.IPPROTO_IPV6, Type: abi.IPV6_HOPLIMIT, Data: []byte{hopLimit, 0, 0, 0}}).Append(control)
	to := sockaddr.Inet(allNodes, 0, uint32(ifp.Index))
	_, err := d.proc.Sys().Sendmsg(d.fd, &client.Message{Addr: to, Bufs: [][]byte{b}, Control: control}, 0)
	return err
}

// reflect tells the kernel what is advertised of the link: the hop limit, and the times of neighbor unreachability detection.
func (d *daemon) reflect(ifname string, c *config) error {
	sys := d.proc.Sys()
	fd, err := sys.Socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer sys.Close(fd) //nolint:errcheck // nothing was written
	var req abi.In6Ndireq
	copy(req.Ifname[:], ifname)
	b := req.Append(nil)
	if err := sys.Ioctl(fd, abi.SIOCGIFINFO_IN6, b); err != nil {
		return err
	}
	if err := req.Decode(b); err != nil {
		return err
	}
	req.Ndi.Chlim, req.Ndi.Retrans, req.Ndi.Basereachable = c.hopLimit, c.retrans, c.reachable
	return sys.Ioctl(fd, abi.SIOCSIFINFO_IN6, req.Append(nil))
}
