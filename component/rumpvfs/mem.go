package rumpvfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// memMajor is the memory devices' major number, of character devices.
const memMajor = 2

// memDevices are the memory devices by minor number: null(4), full(4), zero(4).
func memDevices() map[int]kern.Ops {
	return map[int]kern.Ops{2: null{}, 11: full{}, 12: zero{}}
}

// attachMemory enters the memory devices in the device switch and makes /dev/null and /dev/zero; full has no node, as in the
// original (mknod full c 2 11).
func attachMemory(k *kern.Kernel) error {
	if err := k.AttachDevice("mem", memMajor, -1, memory{}); err != nil {
		return err
	}
	return k.AddDevNodes(
		kern.DevNode{Name: "null", Mode: abi.S_IFCHR | 0o644, Dev: kern.Makedev(memMajor, 2)},
		kern.DevNode{Name: "zero", Mode: abi.S_IFCHR | 0o644, Dev: kern.Makedev(memMajor, 12)},
	)
}

// memory is the driver.
type memory struct{}

// Open opens a memory device. Errors: ENXIO.
func (memory) Open(_ *kern.Thread, dev uint64, _ uint32) (kern.Ops, error) {
	ops := memDevices()[kern.Minor(dev)]
	if ops == nil {
		return nil, abi.ENXIO
	}
	return ops, nil
}

var (
	_ kern.Device = memory{}
	_ kern.Reader = null{}
	_ kern.Writer = null{}
	_ kern.Reader = full{}
	_ kern.Writer = full{}
	_ kern.Reader = zero{}
	_ kern.Writer = zero{}
)

// null is at its end, and takes everything.
type null struct{}

func (null) Close(*kern.Thread, *kern.File) error                               { return nil }
func (null) Read(*kern.Thread, *kern.File, []byte, int64) (int, error)          { return 0, nil }
func (null) Write(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) { return len(p), nil }

// zero gives zeroes without end, and takes everything.
type zero struct{ null }

// Read fills p with zeroes.
func (zero) Read(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

// full gives zeroes without end, and has no room.
type full struct{ zero }

// Write fails. Errors: ENOSPC.
func (full) Write(*kern.Thread, *kern.File, []byte, int64) (int, error) { return 0, abi.ENOSPC }
