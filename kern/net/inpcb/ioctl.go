package inpcb

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// ioctl serves the ioctls of the addresses of interfaces, those of the socket's family. Errors: package inet's.
func (p *pcb) ioctl(t *kern.Thread, cmd uint32, data []byte) error {
	family := abi.AF_INET
	if p.v6 {
		family = abi.AF_INET6
	}
	return p.ts.in.Ioctl(t, family, cmd, data)
}
