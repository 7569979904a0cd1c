package rump

import (
	"errors"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// hostTypes are the types of drives in the words of package vfs.
var hostTypes = map[DriveType]vfs.HostType{Blk: vfs.HostBlk, Chr: vfs.HostChr, Reg: vfs.HostReg}

var errNoVFS = errors.New("the kernel has no rumpvfs")

// mapDrives maps the drives into the running kernel.
func (k *Kernel) mapDrives() error {
	v := vfs.Of(k.kernel)
	var disks []disk
	for _, d := range k.drives {
		if v == nil {
			return d.failed("etfs register", because{abi.ENOSYS, errNoVFS})
		}
		w, err := d.open(&k.images)
		if err != nil {
			return err
		}
		if d.Type != Reg {
			w, disks = k.side(d, w, disks)
		}
		if err := v.MapHost(d.Key, hostTypes[d.Type], w); err != nil {
			return d.failed("etfs register", err)
		}
	}
	return nil
}

// disk is a drive that has been mapped as a device.
type disk struct {
	drive  Drive
	window *host.Window
}

// side returns what a device maps, and the disks with the new one. A block and a character device that begin at the same
// place of the same file are the two sides of one disk, with one device number: what one writes the other reads,
// and the disk is as large as the first says.
func (k *Kernel) side(d Drive, w *host.Window, disks []disk) (*host.Window, []disk) {
	for _, o := range disks {
		if o.drive.Type == d.Type || o.window.Image() != w.Image() || o.window.Offset() != w.Offset() {
			continue
		}
		if o.window.Size() != w.Size() {
			k.kernel.Logf("%s is the other side of %s: its size is %d, not %d\n", d.Key, o.drive.Key, o.window.Size(), w.Size())
		}
		return o.window, disks
	}
	return w, append(disks, disk{d, w})
}
