package route

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Attach makes a kernel's routing table and enters it in the socket layer: what component rumpnet_net does after ifnet.Attach.
func Attach(k *kern.Kernel) (*Table, error) {
	n := ifnet.Of(k)
	t := New(n)
	n.Layer.SetPart(key{}, t)
	n.Layer.Register(abi.PF_ROUTE, domain{t})
	return t, t.createSysctls()
}
