// Package local is component rumpnet_local: sockets in the file system. Package kern/net/local has what is behind it.
package local

import (
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/local"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_local",
		Needs:  []string{"rumpvfs", "rumpnet"},
		Doc:    "sockets in the file system: streams, records and datagrams between processes, and descriptors passed",
		Attach: local.Attach,
	}
}
