package memfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

var _ vfs.Whiteouter = (*dir)(nil)

// whiteoutIno is the inode number that whiteouts are listed with.
const whiteoutIno = 1

// Whiteout makes a whiteout. Errors: EEXIST, ENOSPC.
func (d *dir) Whiteout(_ *kern.Thread, name string) error {
	switch e := d.names[name]; {
	case e == nil:
	case e.isWhiteout():
		return nil
	default:
		return abi.EEXIST
	}
	if err := d.fs.space.take(entryCost(name)); err != nil {
		return err
	}
	d.insert(name, nil)
	return nil
}

// Unwhiteout takes a whiteout away. Errors: ENOENT.
func (d *dir) Unwhiteout(_ *kern.Thread, name string) error {
	if !d.IsWhiteout(nil, name) {
		return abi.ENOENT
	}
	d.uncover(name)
	return nil
}

// IsWhiteout says whether there is a whiteout of a name.
func (d *dir) IsWhiteout(_ *kern.Thread, name string) bool {
	e := d.names[name]
	return e != nil && e.isWhiteout()
}

// uncover drops the whiteout of a name, if there is one.
func (d *dir) uncover(name string) {
	if e := d.names[name]; e != nil && e.isWhiteout() {
		d.drop(e)
	}
}
