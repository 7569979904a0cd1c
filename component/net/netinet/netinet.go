// Package netinet is component rumpnet_netinet: IPv4 with ICMP, IGMP, ARP, TCP and UDP. Package kern/net/inet has the protocols, package
// kern/net/inpcb their sockets. As the original's, it gives lo0 the address 127.0.0.1.
package netinet

import (
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
	"github.com/rumpctrl/rumpctrl/kern/net/inpcb"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_netinet",
		Needs:  []string{"rumpnet", "rumpnet_net"},
		Doc:    "IPv4: addresses, ARP, ICMP, TCP, UDP",
		Attach: attach,
	}
}

func attach(k *kern.Kernel) error {
	in, err := inet.Attach(k)
	if err != nil {
		return err
	}
	if err := inpcb.Attach4(k); err != nil {
		return err
	}
	k.AtBoot(in.ConfigureLoopback) // when IPv6 has given it its own addresses, as the original does
	return nil
}
