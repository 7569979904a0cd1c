package ifconfig

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
)

// isKind says whether the interface is one of a cloner: "vlan0" of "vlan".
func (c *config) isKind(prefix string) bool {
	unit, ok := strings.CutPrefix(c.name, prefix)
	return ok && unit != "" && unit[0] >= '0' && unit[0] <= '9'
}

// needKind is an error unless the interface is of a kind.
func (c *config) needKind(prefix string) error {
	if !c.isKind(prefix) {
		return fmt.Errorf("valid only with %s(4) interfaces", prefix)
	}
	return nil
}

// setTunnel sets the outer addresses: SIOCSLIFPHYADDR. Each may have a port after a comma.
func setTunnel(c *config, args []string) (action, error) {
	src, err := c.outer(args[0])
	if err != nil {
		return nil, err
	}
	dst, err := c.outer(args[1])
	if err != nil {
		return nil, err
	}
	return func() error {
		sa, _, srcScope, _ := sockaddr.ParseInet(src)
		da, _, dstScope, _ := sockaddr.ParseInet(dst)
		switch {
		case sa.Is4() != da.Is4():
			return errors.New("source and destination address families do not match")
		case srcScope != dstScope:
			return errors.New("scope mismatch")
		case sa.Is6() && (sa.IsMulticast() || da.IsMulticast()):
			return errors.New("tunnel src/dst is multicast")
		}
		r := c.laddrreq(src)
		storage(&r.Dstaddr, dst)
		if err := c.ioctl(abi.AF_UNSPEC, abi.SIOCSLIFPHYADDR, r.Append(nil)); err != nil {
			return failed(err, "SIOCSLIFPHYADDR")
		}
		return nil
	}, nil
}

// outer reads an address of a tunnel.
func (c *config) outer(s string) ([]byte, error) {
	text, service, _ := strings.Cut(s, ",")
	var port int64
	if service != "" {
		var err error
		if port, err = integer(service, 0, 1<<16-1); err != nil {
			return nil, err
		}
	}
	family := c.family
	if family == abi.AF_LINK {
		family = abi.AF_UNSPEC
	}
	a, scope, err := c.lookup(text, family)
	return sockaddr.Inet(a, uint16(port), scope), err
}

func deleteTunnel(c *config, _ []string) (action, error) {
	return func() error {
		_, err := c.ifreqNumber(abi.SIOCDIFPHYADDR, 0)
		return failed(err, "SIOCDIFPHYADDR")
	}, nil
}

// showTunnel prints the outer addresses, if there are such.
func (c *config) showTunnel() {
	q := make([]byte, abi.SizeofIfLaddrreq)
	if c.ioctl(abi.AF_UNSPEC, abi.SIOCGLIFPHYADDR, q) != nil {
		return
	}
	var r abi.IfLaddrreq
	if r.Decode(q) != nil {
		return
	}
	ends := make([]string, 2)
	var family int
	for i, st := range []*abi.SockaddrStorage{&r.Addr, &r.Dstaddr} {
		sa := st.Append(nil)
		a, port, scope, ok := sockaddr.ParseInet(sa)
		if !ok {
			return
		}
		family = sockaddr.Family(sa)
		ends[i] = c.addrText(a, scope)
		if port != 0 {
			ends[i] += "," + strconv.Itoa(int(port))
		}
	}
	fmt.Fprintf(c.env.Stdout, "\ttunnel %s %s --> %s\n", familyName(family), ends[0], ends[1])
}

// addrText is an address as it is printed: in numbers unless -N is given, with its zone.
func (c *config) addrText(a netip.Addr, scope uint32) string {
	text := hostaddr.Name(c.ctx, a, !c.flags.has("N"))
	if scope == 0 || !sockaddr.Scoped(a) {
		return text
	}
	return text + "%" + c.zone(scope)
}

// zone is the name of the interface of an index.
func (c *config) zone(scope uint32) string {
	list, _ := c.env.Proc.Interfaces() //nolint:errcheck // the number serves without names
	for i := range list {
		if list[i].Index == int(scope) {
			return list[i].Name
		}
	}
	return strconv.Itoa(int(scope))
}

// vlanreq makes a request about a vlan.
func (c *config) vlanreq(req uint32, r *abi.Vlanreq) error {
	raw := r.Append(nil)
	err := c.ifreqData(req, func(l client.Lender) uint64 { return l.InOut(raw) })
	if err != nil {
		return err
	}
	return r.Decode(raw)
}

// setVlan remembers the tag, and sets it at once on a vlan that has its parent.
func setVlan(c *config, args []string) (action, error) {
	tag, err := integer(args[0], 0, 1<<16-1)
	if err != nil {
		return nil, err
	}
	c.vlanTag, c.vlanSeen = int(tag), true
	return func() error {
		var r abi.Vlanreq
		if err := c.needKind("vlan"); err != nil {
			return err
		}
		if err := c.vlanreq(abi.SIOCGETVLAN, &r); err != nil {
			return failed(err, "SIOCGETVLAN")
		}
		r.Tag = uint16(tag)
		return failed(c.vlanreq(abi.SIOCSETVLAN, &r), "SIOCSETVLAN")
	}, nil
}

func setVlanif(c *config, args []string) (action, error) {
	if len(args[0]) >= abi.IFNAMSIZ {
		return nil, errUsage
	}
	return func() error {
		if !c.vlanSeen {
			return errors.New("must specify both vlan and vlanif")
		}
		return c.vlanParent(args[0], c.vlanTag)
	}, nil
}

func unsetVlanif(c *config, _ []string) (action, error) {
	return func() error { return c.vlanParent("", 0) }, nil
}

func (c *config) vlanParent(parent string, tag int) error {
	if err := c.needKind("vlan"); err != nil {
		return err
	}
	r := abi.Vlanreq{Tag: uint16(tag)}
	copy(r.Parent[:abi.IFNAMSIZ-1], parent)
	return failed(c.vlanreq(abi.SIOCSETVLAN, &r), "SIOCSETVLAN")
}

func (c *config) showVlan() {
	var r abi.Vlanreq
	if !c.isKind("vlan") || c.vlanreq(abi.SIOCGETVLAN, &r) != nil {
		return
	}
	parent := abi.CString(r.Parent[:])
	if r.Tag == 0 && parent == "" {
		return
	}
	if parent == "" {
		parent = "<none>"
	}
	fmt.Fprintf(c.env.Stdout, "\tvlan: %d parent: %s\n", r.Tag, parent)
}
