package pty

import (
	"slices"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/dev/tty"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// The device numbers, as the original's librumpkern_tty gives them.
const (
	SlaveMajor  = 5
	MasterMajor = 6
	PtmMajor    = 165
	PtmxMinor   = 0
	PtmMinor    = 1
)

// maxPtys is how many pairs there may be: what the names in /dev reach for.
const maxPtys = 992

// Ptys are the pseudo terminals of a kernel. Safe for concurrent use.
type Ptys struct {
	k     *kern.Kernel
	stats *tty.Stats

	mu    sync.Mutex
	pairs [maxPtys]*pair
	names []Namer // of mounted file systems, in order of mounting
}

// Attach enters the drivers of a kernel's masters, slaves and cloning device in the device switch.
func Attach(k *kern.Kernel) (*Ptys, error) {
	stats, err := tty.NewStats(k)
	if err != nil {
		return nil, err
	}
	ps := &Ptys{k: k, stats: stats}
	for _, d := range []struct {
		name  string
		major int
		dev   kern.Device
	}{
		{"pts", SlaveMajor, slaves{ps}},
		{"ptc", MasterMajor, masters{ps}},
		{"ptm", PtmMajor, ptm{ps}},
	} {
		if err := k.AttachDevice(d.name, d.major, -1, d.dev); err != nil {
			return nil, err
		}
	}
	return ps, nil
}

// Of is a kernel's pseudo terminals; nil in a kernel without component rumpkern_tty.
func Of(k *kern.Kernel) *Ptys {
	d, err := k.Device(kern.Makedev(SlaveMajor, 0), false)
	if err != nil {
		return nil
	}
	s, _ := d.(slaves)
	return s.ps
}

// pair finds or makes a pair. Errors: ENXIO for a number that none has.
func (ps *Ptys) pair(index int) (*pair, error) {
	if index >= maxPtys {
		return nil, abi.ENXIO
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.pairs[index] == nil {
		pt := &pair{ps: ps, index: index}
		pt.tty = tty.New(ps.k, pt, ps.stats)
		ps.pairs[index] = pt
	}
	return ps.pairs[index], nil
}

// Busy says whether a pair's master is open.
func (ps *Ptys) Busy(index int) bool {
	if index < 0 || index >= maxPtys {
		return false
	}
	ps.mu.Lock()
	pt := ps.pairs[index]
	ps.mu.Unlock()
	return pt != nil && pt.busy()
}

// free is the first pair whose master is not open. Errors: ENXIO.
func (ps *Ptys) free() (int, error) {
	for i := range maxPtys {
		if !ps.Busy(i) {
			return i, nil
		}
	}
	return 0, abi.ENXIO
}

// Side is a side of a pair.
type Side int

// The sides.
const (
	Master Side = iota
	Slave
)

// Dev is the device number of a side of a pair.
func Dev(index int, s Side) uint64 {
	if s == Master {
		return kern.Makedev(MasterMajor, index)
	}
	return kern.Makedev(SlaveMajor, index)
}

// Namer has special files of pseudo terminals.
type Namer interface {
	// Vnode is a pair's special file, held; that of a master is asked for when a cloning device gives the pair out.
	Vnode(t *kern.Thread, index int, s Side) (*vfs.Vnode, error)
	// Name is where the calling process finds a special file.
	Name(t *kern.Thread, index int, s Side) (string, error)
	// Rights are the group and the permissions that a slave gets that is given out.
	Rights() (gid, mode uint32)
	// Visible says whether the calling process sees the files at all.
	Visible(t *kern.Thread) bool
	// Has says whether a pair has been given out by these names.
	Has(index int) bool
}

// AddNamer has cloning devices use the files of a file system that has been mounted, until RemoveNamer.
func (ps *Ptys) AddNamer(n Namer) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.names = append(ps.names, n)
}

// RemoveNamer undoes AddNamer.
func (ps *Ptys) RemoveNamer(n Namer) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.names = slices.DeleteFunc(slices.Clone(ps.names), func(o Namer) bool { return o == n })
}

// namerOf is by whose names a pair has been given out; those in /dev if by no other's.
func (ps *Ptys) namerOf(index int) Namer {
	ps.mu.Lock()
	names := ps.names
	ps.mu.Unlock()
	for _, n := range names {
		if n.Has(index) {
			return n
		}
	}
	return devNames{}
}

// namer is whose files the calling process gets: the first mounted file system's that it sees; without any mounted those in /dev.
//
// Errors: EOPNOTSUPP when it sees none.
func (ps *Ptys) namer(t *kern.Thread) (Namer, error) {
	ps.mu.Lock()
	names := ps.names
	ps.mu.Unlock()
	if len(names) == 0 {
		return devNames{}, nil
	}
	for _, n := range names {
		if n.Visible(t) {
			return n, nil
		}
	}
	return nil, abi.EOPNOTSUPP
}
