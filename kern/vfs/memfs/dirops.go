package memfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

var (
	_ vfs.Creator = (*dir)(nil)
	_ vfs.Linker  = (*dir)(nil)
	_ vfs.Remover = (*dir)(nil)
	_ vfs.Renamer = (*dir)(nil)
)

// Create makes a file of any type. Errors: ENOSPC, EMLINK for one directory too many.
func (d *dir) Create(_ *kern.Thread, name string, n *vfs.NewNode) (vfs.Node, error) {
	isDir := n.Mode&abi.S_IFMT == abi.S_IFDIR
	if isDir {
		if err := d.link(1); err != nil {
			return nil, err
		}
	}
	made, err := d.fs.newNode(n, entryCost(name))
	if err != nil {
		if isDir {
			d.link(-1)
		}
		return nil, err
	}
	if isDir {
		made.(*dir).setUp(d)
	}
	if isDir && d.IsWhiteout(nil, name) {
		made.base().setFlags(abi.UF_OPAQUE)
	}
	d.insert(name, made)
	return made, nil
}

// Link gives target another name. Errors: EMLINK, ENOSPC, ENOENT when its last link has gone meanwhile.
func (d *dir) Link(_ *kern.Thread, name string, target vfs.Node) error {
	n, err := d.own(target)
	if err != nil {
		return err
	}
	if err := d.fs.space.take(entryCost(name)); err != nil {
		return err
	}
	if err := n.base().link(1); err != nil {
		d.fs.space.give(entryCost(name))
		return err
	}
	d.insert(name, n)
	return nil
}

// own is a node of this file system. Errors: EXDEV.
func (d *dir) own(n vfs.Node) (node, error) {
	own, ok := n.(node)
	if !ok || own.base().fs != d.fs {
		return nil, abi.EXDEV
	}
	return own, nil
}

// Remove removes the name of what is not a directory. Errors: ENOENT when it does not refer to target.
func (d *dir) Remove(_ *kern.Thread, name string, target vfs.Node) error {
	e, err := d.entry(name, target)
	if err != nil {
		return err
	}
	n := e.node
	d.drop(e)
	return n.base().link(-1)
}

// Rmdir removes an empty directory. Errors: ENOTEMPTY; ENOENT when the name does not refer to target.
func (d *dir) Rmdir(_ *kern.Thread, name string, target vfs.Node) error {
	e, err := d.entry(name, target)
	if err != nil {
		return err
	}
	old, ok := e.node.(*dir)
	if !ok {
		return abi.ENOTDIR
	}
	if !old.empty() {
		return abi.ENOTEMPTY
	}
	d.drop(e)
	d.bury(old)
	return nil
}

// entry finds a name that refers to target. Errors: ENOENT.
func (d *dir) entry(name string, target vfs.Node) (*dirent, error) {
	e := d.names[name]
	if e == nil || vfs.Node(e.node) != target {
		return nil, abi.ENOENT
	}
	return e, nil
}

// drop takes an entry out and gives its space back.
func (d *dir) drop(e *dirent) {
	cost := entryCost(e.name)
	d.remove(e)
	d.fs.space.give(cost)
}

// empty says whether there is nothing in the directory but whiteouts.
func (d *dir) empty() bool { return len(d.names) == d.whiteouts }

// bury takes an empty directory out of the tree below d; its whiteouts go.
func (d *dir) bury(old *dir) {
	for name := range old.names {
		old.uncover(name)
	}
	old.setUp(nil)
	old.link(-2)
	d.link(-1)
}

// Rename moves an entry to the directory to, replacing existing. An entry that stays in its directory, or that takes the
// place of another, keeps the cookie of the place, so that readers of the directory see it once.
//
// Errors: ENOTEMPTY, EMLINK, ENOSPC; ENOENT when a name does not refer to what it should.
// Nothing has changed then.
func (d *dir) Rename(_ *kern.Thread, name string, from, to vfs.Node, newName string, existing vfs.Node) error {
	e, err := d.entry(name, from)
	if err != nil {
		return err
	}
	target, ok := to.(*dir)
	if !ok || target.fs != d.fs {
		return abi.EXDEV
	}
	moved := e.node
	switch {
	case existing != nil:
		err = target.replace(newName, existing, moved)
	case target == d:
		err = d.relabel(e, newName)
	default:
		err = target.accept(newName, moved)
	}
	if err != nil {
		return err
	}
	if target != d {
		d.emigrate(moved, target)
	}
	if existing != nil || target != d {
		d.drop(e)
	}
	return nil
}

// relabel gives an entry another name in its place. Errors: ENOSPC.
func (d *dir) relabel(e *dirent, name string) error {
	more := entryCost(name) - entryCost(e.name)
	if more > 0 {
		if err := d.fs.space.take(more); err != nil {
			return err
		}
	} else {
		d.fs.space.give(-more)
	}
	d.uncover(name)
	delete(d.names, e.name)
	e.name = name
	d.names[name] = e
	return nil
}

// accept adds a name for a node that comes from another directory. Errors: ENOSPC, EMLINK.
func (d *dir) accept(name string, moved node) error {
	if err := d.fs.space.take(entryCost(name)); err != nil {
		return err
	}
	if _, ok := moved.(*dir); ok {
		if err := d.link(1); err != nil {
			d.fs.space.give(entryCost(name))
			return err
		}
	}
	d.insert(name, moved)
	return nil
}

// replace makes the name of existing refer to moved, which comes from this directory or another one.
// Errors: ENOTEMPTY, ENOENT.
func (d *dir) replace(name string, existing vfs.Node, moved node) error {
	e, err := d.entry(name, existing)
	if err != nil {
		return err
	}
	if err := d.unlinkReplaced(e.node); err != nil {
		return err
	}
	if sub, ok := moved.(*dir); ok && sub.up() != d {
		d.link(1)
	}
	e.node = moved
	return nil
}

// unlinkReplaced takes its link from what a rename replaces. Errors: ENOTEMPTY.
func (d *dir) unlinkReplaced(n node) error {
	old, ok := n.(*dir)
	if !ok {
		return n.base().link(-1)
	}
	if !old.empty() {
		return abi.ENOTEMPTY
	}
	d.bury(old)
	return nil
}

// emigrate notes that an entry has gone from d to another directory.
func (d *dir) emigrate(moved node, to *dir) {
	if sub, ok := moved.(*dir); ok {
		sub.setUp(to)
		d.link(-1)
	}
}
