// Package memdev has the drivers of the devices without hardware that every kernel has: null, zero and full (null(4), zero(4), full(4)),
// and random and urandom (rnd(4)). Components attach them; the nodes in /dev are theirs to choose.
//
// Start reading with Mem and Random.
package memdev

import (
	"crypto/rand"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// The device numbers, as NetBSD has them on all machines.
const (
	MemMajor     = 2
	NullMinor    = 2
	FullMinor    = 11
	ZeroMinor    = 12
	RandomMajor  = 256
	RandomMinor  = 0
	UrandomMinor = 1
)

// nodeMode is the type and permissions of the nodes in /dev: what 0666 becomes under the kernel's umask.
const nodeMode = abi.S_IFCHR | 0644

// AttachMem attaches null, zero and full, with nodes for the first two, as the original's rumpvfs does.
func AttachMem(k *kern.Kernel) error {
	if err := k.AttachDevice("mem", MemMajor, -1, Mem{}); err != nil {
		return err
	}
	return k.AddDevNodes(
		kern.DevNode{Name: "null", Mode: nodeMode, Dev: kern.Makedev(MemMajor, NullMinor)},
		kern.DevNode{Name: "zero", Mode: nodeMode, Dev: kern.Makedev(MemMajor, ZeroMinor)},
	)
}

// AttachRandom attaches random and urandom, with their nodes.
func AttachRandom(k *kern.Kernel) error {
	if err := k.AttachDevice("rnd", RandomMajor, -1, Random{}); err != nil {
		return err
	}
	return k.AddDevNodes(
		kern.DevNode{Name: "random", Mode: nodeMode, Dev: kern.Makedev(RandomMajor, RandomMinor)},
		kern.DevNode{Name: "urandom", Mode: nodeMode, Dev: kern.Makedev(RandomMajor, UrandomMinor)},
	)
}

// Mem is the driver of null, zero and full.
type Mem struct{}

// Open opens one of them. Errors: ENXIO for another minor number.
func (Mem) Open(_ *kern.Thread, dev uint64, _ uint32) (kern.Ops, error) {
	switch kern.Minor(dev) {
	case NullMinor:
		return null{}, nil
	case ZeroMinor:
		return zero{}, nil
	case FullMinor:
		return full{}, nil
	}
	return nil, abi.ENXIO
}

// null is always at end of file and takes everything.
type null struct{}

func (null) Close(*kern.Thread, *kern.File) error { return nil }

func (null) Read(*kern.Thread, *kern.File, []byte, int64) (int, error) { return 0, nil }

func (null) Write(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) { return len(p), nil }

// zero gives zeroes and takes everything.
type zero struct{ null }

func (zero) Read(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

// full gives zeroes and has no room.
type full struct{ zero }

func (full) Write(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return 0, abi.ENOSPC
}

// Random is the driver of random and urandom. Both give bytes of the host's generator, at once and without end; what is
// written is taken and changes nothing, for there is no pool to stir.
type Random struct{}

// Open opens either. Errors: ENXIO for another minor number.
func (Random) Open(_ *kern.Thread, dev uint64, _ uint32) (kern.Ops, error) {
	if m := kern.Minor(dev); m != RandomMinor && m != UrandomMinor {
		return nil, abi.ENXIO
	}
	return random{}, nil
}

type random struct{ null }

func (random) Read(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) {
	rand.Read(p) // never fails, by its documentation
	return len(p), nil
}

var (
	_ kern.Device = Mem{}
	_ kern.Device = Random{}
	_ kern.Reader = full{}
	_ kern.Writer = full{}
)
