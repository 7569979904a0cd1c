// Package net is component rumpnet_net: interfaces with lo0, the routing table and routing sockets. Packages kern/net/ifnet, kern/net/loop and
// kern/net/route have what is behind them; rumpnet_shmif and its kin bring drivers, rumpnet_netinet the protocols.
package net

import (
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/loop"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_net",
		Needs:  []string{"rumpnet"},
		Doc:    "interfaces, Ethernet, the routing table and its sockets",
		Attach: attach,
	}
}

func attach(k *kern.Kernel) error {
	n, err := ifnet.Attach(k)
	if err != nil {
		return err
	}
	if _, err := route.Attach(k); err != nil {
		return err
	}
	return loop.Attach(n)
}
