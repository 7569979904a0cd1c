// Package tty is component rumpkern_tty: terminals. It brings /dev/tty, the pseudo terminals /dev/ptyp0 and /dev/ttyp0 to
// /dev/ptyp8 and /dev/ttyp8, and the cloning devices /dev/ptmx and /dev/ptm. The line discipline is package kern/dev/tty's, the drivers are
// package kern/dev/pty's.
package tty

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/dev/pty"
	"github.com/rumpctrl/rumpctrl/kern/dev/tty"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpkern_tty",
		Needs:  []string{"rumpvfs"},
		Doc:    "terminals: /dev/tty, pseudo terminals, /dev/ptmx",
		Attach: attach,
	}
}

// pairs is how many pseudo terminals have names in /dev, as in the original; mknod(8) makes those of more.
const pairs = 9

// nodeMode is the type and permissions of the nodes in /dev: what 0666 becomes under the kernel's umask.
const nodeMode = abi.S_IFCHR | 0644

func attach(k *kern.Kernel) error {
	if err := k.AttachDevice("ctty", tty.CttyMajor, -1, tty.Ctty{}); err != nil {
		return err
	}
	if _, err := pty.Attach(k); err != nil {
		return err
	}
	nodes := []kern.DevNode{
		{Name: "tty", Mode: nodeMode, Dev: kern.Makedev(tty.CttyMajor, 0)},
		{Name: "ptmx", Mode: nodeMode, Dev: kern.Makedev(pty.PtmMajor, pty.PtmxMinor)},
		{Name: "ptm", Mode: nodeMode, Dev: kern.Makedev(pty.PtmMajor, pty.PtmMinor)},
	}
	for i := range pairs {
		for _, s := range []pty.Side{pty.Master, pty.Slave} {
			nodes = append(nodes, kern.DevNode{Name: pty.DevName(i, s), Mode: nodeMode, Dev: pty.Dev(i, s)})
		}
	}
	return k.AddDevNodes(nodes...)
}
