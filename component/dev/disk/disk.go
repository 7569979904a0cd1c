// Package disk is component rumpdev_disk: what disk drivers share, and file systems on disks need. The disks that a server maps with
// -d belong to component rumpvfs and work without it.
package disk

import "github.com/rumpctrl/rumpctrl/kern"

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:  "rumpdev_disk",
		Needs: []string{"rumpdev", "rumpvfs"},
		Doc:   "what disk drivers share; nothing by itself so far: disks of -d come with rumpvfs",
	}
}
