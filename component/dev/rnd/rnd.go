// Package rnd is component rumpdev_rnd: the devices random and urandom, which give random bytes without end (rnd(4)). The
// driver is package memdev's: the host's generator is behind both, and neither ever waits.
package rnd

import (
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs/memdev"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpdev_rnd",
		Needs:  []string{"rumpdev", "rumpvfs"},
		Doc:    "/dev/random and /dev/urandom",
		Attach: memdev.AttachRandom,
	}
}
