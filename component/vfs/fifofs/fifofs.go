// Package fifofs is component rumpvfs_fifofs, by which the original has named pipes, and fails to open them without (EOPNOTSUPP). Here they
// come with rumpvfs, as part of package vfs: a fifo is a pipe with a vnode, and no socket. The component is there for
// those who ask for it by name.
package fifofs

import "github.com/rumpctrl/rumpctrl/kern"

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:  "rumpvfs_fifofs",
		Needs: []string{"rumpvfs"},
		Doc:   "named pipes; nothing by itself: rumpvfs has them without",
	}
}
