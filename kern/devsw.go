package kern

import (
	"slices"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Makedev is a device number of NetBSD: 12 bits of major, 20 of minor, as makedev(3).
func Makedev(major, minor int) uint64 {
	return uint64(major)<<8&0xfff00 | uint64(minor)<<12&0xfff00000 | uint64(minor)&0xff
}

// Major and Minor take a device number apart, as major(3) and minor(3).
func Major(dev uint64) int { return int(dev>>8) & 0xfff }

// Minor is a device number's minor part.
func Minor(dev uint64) int { return int(dev>>12&0xfff00 | dev&0xff) }

// Device is a driver's entry in the device switch.
type Device interface {
	// Open opens the device of a number, as open(2) with flags FREAD, FWRITE and others. What it returns has the
	// capabilities of file.go; each Open is closed by the Close of its Ops. Errors: ENXIO for a
	// minor that is not there, EBUSY, EROFS.
	Open(t *Thread, dev uint64, fflags uint32) (Ops, error)
}

// BlockDevice is a disk for file systems: what a Device's Ops implement where the device can be mounted.
// Offsets and lengths of ReadAt and WriteAt may be anything; those that are not whole sectors cost more.
type BlockDevice interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
	// Size is in bytes.
	Size() int64
	// SectorSize is in bytes, a power of two.
	SectorSize() int
	// Sync returns when what was written is on stable storage.
	Sync() error
}

// DevNode is a device special file that a driver wants in /dev.
type DevNode struct {
	// Name is the path below /dev.
	Name string
	// Mode has the type, S_IFCHR or S_IFBLK, and the permissions.
	Mode uint32
	Dev  uint64
	// Link makes the node a symbolic link to this instead, when it is not empty.
	Link string
}

// devsw is the device switch: drivers by major number, character and block devices apart.
type devsw struct {
	mu    sync.RWMutex
	chr   map[int]driver
	blk   map[int]driver
	nodes []DevNode
	maker func(DevNode) error // the file system faction's, makes a node in /dev
}

type driver struct {
	name string
	dev  Device
}

// AttachDevice enters a driver in the device switch; a major of -1 leaves that kind out.
//
// Errors: EEXIST when a major is taken.
func (k *Kernel) AttachDevice(name string, chrMajor, blkMajor int, d Device) error {
	k.devsw.mu.Lock()
	defer k.devsw.mu.Unlock()
	if k.devsw.chr == nil {
		k.devsw.chr, k.devsw.blk = map[int]driver{}, map[int]driver{}
	}
	if _, taken := k.devsw.chr[chrMajor]; taken && chrMajor >= 0 {
		return abi.EEXIST
	}
	if _, taken := k.devsw.blk[blkMajor]; taken && blkMajor >= 0 {
		return abi.EEXIST
	}
	if chrMajor >= 0 {
		k.devsw.chr[chrMajor] = driver{name, d}
	}
	if blkMajor >= 0 {
		k.devsw.blk[blkMajor] = driver{name, d}
	}
	return nil
}

// Device finds the driver of a device number; blk says whether among the block devices. Errors: ENXIO.
func (k *Kernel) Device(dev uint64, blk bool) (Device, error) {
	k.devsw.mu.RLock()
	defer k.devsw.mu.RUnlock()
	table := k.devsw.chr
	if blk {
		table = k.devsw.blk
	}
	d, ok := table[Major(dev)]
	if !ok {
		return nil, abi.ENXIO
	}
	return d.dev, nil
}

// AddDevNodes makes device special files in /dev: now, or when a file system faction attaches.
func (k *Kernel) AddDevNodes(nodes ...DevNode) error {
	k.devsw.mu.Lock()
	k.devsw.nodes = append(k.devsw.nodes, nodes...)
	maker := k.devsw.maker
	k.devsw.mu.Unlock()
	if maker == nil {
		return nil
	}
	return makeNodes(maker, nodes)
}

// SetDevNodeMaker gives the function that makes a node in /dev, and has it make those that are waiting;
// for the file system faction's Attach.
func (k *Kernel) SetDevNodeMaker(f func(DevNode) error) error {
	k.devsw.mu.Lock()
	k.devsw.maker = f
	nodes := slices.Clone(k.devsw.nodes)
	k.devsw.mu.Unlock()
	return makeNodes(f, nodes)
}

func makeNodes(f func(DevNode) error, nodes []DevNode) error {
	for _, n := range nodes {
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}
