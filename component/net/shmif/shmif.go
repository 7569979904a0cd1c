// Package shmif is component rumpnet_shmif: Ethernet interfaces on a bus that kernels share (shmif0, shmif1, ...). A bus is a file that any
// number of programs map, kernels of the C implementation among them, or memory of this program (package membus).
//
// It moves frames between a bus and package ifnet; the file's format is package ondisk/shmif's, and docs/shmif.md describes it. Start reading at
// driver, which is the interface's, then at medium and fileBus.
package shmif

import (
	"crypto/rand"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_shmif",
		Needs:  []string{"rumpnet", "rumpnet_net"},
		Doc:    "an Ethernet in a file that kernels share",
		Attach: func(k *kern.Kernel) error { Attach(ifnet.Of(k)); return nil },
	}
}

// Attach brings the cloner of shmif interfaces, which leave their buses when the kernel halts.
func Attach(n *ifnet.Net) {
	n.RegisterCloner(cloner{})
	if n.K != nil {
		n.K.AtHalt(func() { leaveAll(n) })
	}
	n.Observe(func(e ifnet.Event) {
		if d, ok := e.If.Driver.(*driver); ok && e.Kind == ifnet.LinkAddrChanged {
			d.announce(e.If)
		}
	})
}

// leaveAll takes all interfaces off their buses.
func leaveAll(n *ifnet.Net) {
	n.Config.Lock()
	defer n.Config.Unlock()
	for _, ifp := range n.Interfaces() {
		if d, ok := ifp.Driver.(*driver); ok {
			d.Stop(ifp)
			d.Disconnect(ifp)
		}
	}
}

// The limits of SIOCSIFMTU: what is above etherMTU needs a bus with large frames.
const (
	minMTU, maxMTU = 46, 65535
	etherMTU       = 1500
)

type cloner struct{}

func (cloner) Prefix() string { return "shmif" }

// Create makes an interface that is down and on no bus, with an Ethernet address of its own.
func (cloner) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	ifp := ifnet.NewEthernet("shmif", unit, &driver{})
	ifp.MinMTU, ifp.MaxMTU = minMTU, maxMTU
	mac := [6]byte{0xb2, 0xa0}
	rand.Read(mac[2:])
	err := n.Attach(ifp, mac[:], etherMTU, abi.IFF_BROADCAST|abi.IFF_SIMPLEX|abi.IFF_MULTICAST)
	return ifp, err
}
