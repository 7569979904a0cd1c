// Package rumpvfs is component rumpvfs, the file system faction: package vfs's calls on a root file system in memory,
// rumpfs, with the memory devices in its /dev.
package rumpvfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
	"github.com/rumpctrl/rumpctrl/kern/vfs/memdev"
	"github.com/rumpctrl/rumpctrl/kern/vfs/memfs"
)

// Component is the component.
func Component() *kern.Component {
	c := vfs.NewComponent(&vfs.Type{Name: "rumpfs", Mount: mount})
	attach := c.Attach
	c.Attach = func(k *kern.Kernel) error {
		if err := attach(k); err != nil {
			return err
		}
		return memdev.AttachMem(k)
	}
	return c
}

// FS is a rumpfs.
type FS struct{ *memfs.FS }

var (
	_ vfs.Updater      = FS{}
	_ vfs.HandleFinder = FS{}
)

// mount makes an empty rumpfs: it takes no arguments, and can be mounted in other places than the root too. It shows 512-byte
// blocks, and that size for directories and devices.
func mount(t *kern.Thread, _ *vfs.MountArgs) (vfs.FS, error) {
	f, err := memfs.New(t.K, memfs.Config{
		Face:   memfs.Face{BlockSize: abi.DEV_BSIZE, DirSize: abi.DEV_BSIZE, SpecialSize: abi.DEV_BSIZE, FirstIno: 3},
		Source: "rumpfs",
		Mode:   0o755,
	})
	return FS{f}, err
}

// Update has nothing to change but the flags, which package vfs keeps.
func (FS) Update(*kern.Thread, *vfs.MountArgs) error { return nil }
