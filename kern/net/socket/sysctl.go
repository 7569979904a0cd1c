package socket

import (
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// The defaults of the variables, the original's in a kernel of 512 MiB.
const (
	defaultSomaxkva = 16 << 20
	nmbclusters     = 16384
	mblowat         = 16
	mcllowat        = 8
	// leastSbmax is the smallest kern.sbmax.
	leastSbmax = 16 << 10
)

// The numbers below kern.mbuf, MBUF_* of sys/mbuf.h.
const (
	mbufMsize = 1 + iota
	mbufMclbytes
	mbufNmbclusters
	mbufMblowat
	mbufMcllowat
	mbufStats
)

func (v *vars) init() {
	v.sbMax.Store(abi.SB_MAX)
	v.somaxkva.Store(defaultSomaxkva)
	v.nmbclusters.Store(nmbclusters)
	v.mblowat.Store(mblowat)
	v.mcllowat.Store(mcllowat)
}

// mbstatSize is the size of a struct mbstat: seven longs and the counts of 256 types.
const mbstatSize = 7*8 + 256*2

// createSysctls makes kern.sbmax, kern.somaxkva and kern.mbuf, as sysctl(7) has them. There are no mbufs here: their sizes are what the
// limits of a socket's buffers are reckoned in, their limits are kept and bound nothing, and their statistics are zeroes.
func (l *Layer) createSysctls() error {
	v := &l.vars
	return l.k.Sysctl().Create(
		kern.SysctlNode{Path: "kern.mbuf", Num: abi.KERN_MBUF, Desc: "mbuf control variables"},
		kern.SysctlNode{Path: "kern.mbuf.msize", Num: mbufMsize, Desc: "mbuf base size",
			Value: kern.SysctlConst(abi.MSIZE)},
		kern.SysctlNode{Path: "kern.mbuf.mclbytes", Num: mbufMclbytes, Desc: "mbuf cluster size",
			Value: kern.SysctlConst(abi.MCLBYTES)},
		kern.SysctlNode{Path: "kern.mbuf.nmbclusters", Num: mbufNmbclusters,
			Desc: "Limit on the number of mbuf clusters", Value: kern.SysctlIntVar(&v.nmbclusters, 0, math.MaxInt32)},
		kern.SysctlNode{Path: "kern.mbuf.mblowat", Num: mbufMblowat,
			Desc: "mbuf low water mark", Value: kern.SysctlIntVar(&v.mblowat, 0, math.MaxInt32)},
		kern.SysctlNode{Path: "kern.mbuf.mcllowat", Num: mbufMcllowat,
			Desc: "mbuf cluster low water mark", Value: kern.SysctlIntVar(&v.mcllowat, 0, math.MaxInt32)},
		kern.SysctlNode{Path: "kern.mbuf.stats", Num: mbufStats, Desc: "mbuf allocation statistics",
			Value: kern.SysctlStruct(mbstatSize, func(*kern.SysctlRequest) ([]byte, error) { return make([]byte, mbstatSize), nil })},
		kern.SysctlNode{Path: "kern.sbmax", Num: abi.KERN_SBMAX, Desc: "Maximum socket buffer size",
			Value: kern.SysctlIntVar(&v.sbMax, leastSbmax, math.MaxInt32)},
		kern.SysctlNode{Path: "kern.somaxkva", Num: abi.KERN_SOMAXKVA,
			Desc:  "Maximum amount of kernel memory to be used for socket buffers",
			Value: kern.SysctlIntVar(&v.somaxkva, leastSbmax, math.MaxInt32)},
	)
}
