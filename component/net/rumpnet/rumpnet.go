// Package rumpnet is component rumpnet, the network faction: the calls on sockets, without any protocol. Package kern/net/socket has
// what is behind them; rumpnet_local, rumpnet_net and their kin bring domains.
package rumpnet

import (
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:     "rumpnet",
		Doc:      "sockets: their calls and options, without a protocol",
		Syscalls: socket.Syscalls(),
		Attach:   socket.Attach,
	}
}
