package ifnet

import (
	"bytes"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// Ioctl serves the ioctls of interfaces, group 'i', of any socket. In this order: those of no interface (SIOCGIFCONF, SIOCIFCREATE...); the
// interface's driver; the generic ones; and at last the socket's protocol, for its addresses. Driver and generic ones run with Config
// held, the protocol without: it takes Config itself.
//
// Errors: ENXIO without such an interface, EPERM for changes by others than the superuser, those of each.
func (n *Net) Ioctl(t *kern.Thread, so *socket.Socket, cmd uint32, data []byte) error {
	if c, ok := netIoctls[cmd]; ok {
		if c.root && !t.Cred().Root() {
			return abi.EPERM
		}
		return c.do(n, t, data)
	}
	if len(data) < abi.IFNAMSIZ {
		return abi.ENOTTY
	}
	name := ifrName(data)
	if n.ByName(name) == nil {
		return abi.ENXIO
	}
	if rootIoctls[cmd] && !t.Cred().Root() {
		return abi.EPERM
	}
	if err := n.ifIoctl(t, so, name, cmd, data); err != abi.ENOTTY {
		return err
	}
	if p, ok := so.Protocol().(socket.Ioctler); ok {
		return p.Ioctl(t, cmd, data)
	}
	return abi.EOPNOTSUPP
}

// ifIoctl asks the interface's driver, and then the generic code. Errors: ENOTTY when neither knows the command; ENXIO, theirs.
func (n *Net) ifIoctl(t *kern.Thread, so *socket.Socket, name string, cmd uint32, data []byte) error {
	var lent lentMemory
	for {
		err := n.tryIfIoctl(t, so, &lent, name, cmd, data)
		again, fault := lent.fetch(t)
		if fault != nil {
			return fault
		}
		if !again {
			return err
		}
	}
}

// tryIfIoctl is ifIoctl with the memory of the client that has been fetched so far.
func (n *Net) tryIfIoctl(t *kern.Thread, so *socket.Socket, lent *lentMemory, name string, cmd uint32, data []byte) error {
	n.Config.Lock()
	defer n.Config.Unlock()
	ifp := n.ByName(name)
	if ifp == nil {
		return abi.ENXIO
	}
	defer lent.install(t)()
	if d, ok := ifp.Driver.(Ioctler); ok {
		if err := d.Ioctl(t, ifp, cmd, data); err != abi.ENOTTY {
			return err
		}
	}
	if f := ifIoctls[cmd]; f != nil {
		return f(ifp, data)
	}
	if cmd == abi.SIOCGIFADDRPREF || cmd == abi.SIOCSIFADDRPREF {
		return ifp.ioctlAddrPref(so.Domain, cmd, data)
	}
	return abi.ENOTTY
}

// ifrName is the name that most arguments of these ioctls begin with.
func ifrName(data []byte) string {
	name, _, _ := bytes.Cut(data[:abi.IFNAMSIZ], []byte{0})
	return string(name)
}

// rootIoctls are the ioctls of an interface that are the superuser's, whoever serves them. Protocols look after their own.
var rootIoctls = map[uint32]bool{
	abi.SIOCALIFADDR: true, abi.SIOCDLIFADDR: true, abi.SIOCSIFADDRPREF: true, abi.SIOCSIFFLAGS: true, abi.SIOCSIFCAP: true,
	abi.SIOCSIFMETRIC: true, abi.SIOCZIFDATA: true, abi.SIOCSIFMTU: true, abi.SIOCSIFPHYADDR: true, abi.SIOCDIFPHYADDR: true,
	abi.SIOCSLIFPHYADDR: true, abi.SIOCSIFPHYADDR_IN6: true, abi.SIOCADDMULTI: true, abi.SIOCDELMULTI: true, abi.SIOCSIFMEDIA: true,
	abi.SIOCSDRVSPEC: true, abi.SIOCSLINKSTR: true, abi.SIOCSVH: true, abi.SIOCSETVLAN: true,
}
