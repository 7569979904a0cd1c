// Package rumpdev is component rumpdev, the device faction: what every rumpdev_X needs. It says that a kernel has devices
// and nothing else: drivers enter the device switch by themselves (kern.AttachDevice).
package rumpdev

import "github.com/rumpctrl/rumpctrl/kern"

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name: "rumpdev",
		Doc:  "the device faction, which every rumpdev_X needs; nothing by itself",
	}
}
