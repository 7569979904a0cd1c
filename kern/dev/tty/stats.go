package tty

import (
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Stats are what the terminals of a kernel have in common: kern.tkstat and kern.tty.
type Stats struct {
	in, out, cooked, rawIn atomic.Int64
	qsize                  atomic.Int32
}

// NewStats makes a kernel's, with its sysctl nodes; for a component's Attach.
func NewStats(k *kern.Kernel) (*Stats, error) {
	st := &Stats{}
	st.qsize.Store(defaultQueue)
	count := func(v *atomic.Int64) *kern.SysctlValue {
		return kern.SysctlQuad(func(*kern.SysctlRequest) (int64, error) { return v.Load(), nil }, nil)
	}
	size := kern.SysctlInt(func(*kern.SysctlRequest) (int32, error) { return st.qsize.Load(), nil },
		func(_ *kern.SysctlRequest, n int32) error {
			size, err := queueSize(int(n))
			if err == nil {
				st.qsize.Store(int32(size))
			}
			return err
		})
	const permanent = abi.CTLFLAG_PERMANENT
	return st, k.Sysctl().Create(
		kern.SysctlNode{Path: "kern.tkstat", Num: abi.KERN_TKSTAT, Flags: permanent},
		kern.SysctlNode{Path: "kern.tkstat.nin", Num: abi.KERN_TKSTAT_NIN, Flags: permanent, Value: count(&st.in)},
		kern.SysctlNode{Path: "kern.tkstat.nout", Num: abi.KERN_TKSTAT_NOUT, Flags: permanent, Value: count(&st.out)},
		kern.SysctlNode{Path: "kern.tkstat.cancc", Num: abi.KERN_TKSTAT_CANCC, Flags: permanent, Value: count(&st.cooked)},
		kern.SysctlNode{Path: "kern.tkstat.rawcc", Num: abi.KERN_TKSTAT_RAWCC, Flags: permanent, Value: count(&st.rawIn)},
		kern.SysctlNode{Path: "kern.tty", Num: abi.CTL_CREATE, Flags: permanent},
		kern.SysctlNode{Path: "kern.tty.qsize", Num: abi.CTL_CREATE, Flags: permanent, Value: size},
	)
}
