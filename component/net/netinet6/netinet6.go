// Package netinet6 is component rumpnet_netinet6: IPv6 with ICMPv6, neighbour discovery and MLD, for TCP and UDP too. Package
// kern/net/inet has the protocols, package kern/net/inpcb their sockets.
package netinet6

import (
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
	"github.com/rumpctrl/rumpctrl/kern/net/inpcb"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_netinet6",
		Needs:  []string{"rumpnet", "rumpnet_net", "rumpnet_netinet"},
		Doc:    "IPv6: addresses, neighbour discovery, autoconfiguration",
		Attach: attach,
	}
}

func attach(k *kern.Kernel) error {
	if err := inet.Attach6(k); err != nil {
		return err
	}
	return inpcb.Attach6(k)
}
