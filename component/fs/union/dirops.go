package union

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

var (
	_ vfs.Creator    = (*dir)(nil)
	_ vfs.Linker     = (*dir)(nil)
	_ vfs.Remover    = (*dir)(nil)
	_ vfs.Renamer    = (*dir)(nil)
	_ vfs.Whiteouter = (*dir)(nil)
)

// writable is the directory in the upper layer. Errors: EROFS when there is none.
func (d *dir) writable() (*vfs.Vnode, error) {
	if upper := d.up(); upper != nil {
		return upper, nil
	}
	return nil, abi.EROFS
}

// Create makes a file in the upper layer.
func (d *dir) Create(t *kern.Thread, name string, n *vfs.NewNode) (vfs.Node, error) {
	upper, err := d.writable()
	if err != nil {
		return nil, err
	}
	vp, err := upper.Create(t, name, n)
	if err != nil {
		return nil, err
	}
	return d.fs.node(d.fs.place(t, vp, nil, d.place, name)), nil
}

// Link gives a file another name in the upper layer, where it is copied to.
func (d *dir) Link(t *kern.Thread, name string, target vfs.Node) error {
	upper, err := d.writable()
	if err != nil {
		return err
	}
	p := target.(unioned).base().place
	if err := p.copyUp(true); err != nil {
		return err
	}
	return upper.Link(t, name, p.up())
}

// Remove removes a name: from the upper layer, and with a whiteout what the lower one has by that name.
func (d *dir) Remove(t *kern.Thread, name string, target vfs.Node) error {
	return d.remove(t, name, target.(unioned).base().place, false)
}

// Rmdir removes a directory that is empty in both layers. Errors: ENOTEMPTY.
func (d *dir) Rmdir(t *kern.Thread, name string, target vfs.Node) error {
	sub := target.(*dir)
	if err := sub.empty(t); err != nil {
		return err
	}
	return d.remove(t, name, sub.place, true)
}

func (d *dir) remove(t *kern.Thread, name string, p *place, isDir bool) error {
	upper, err := d.writable()
	if err != nil {
		return err
	}
	if p.up() == nil {
		err = d.mayHide(t, p)
	} else {
		err = upper.Remove(t, name, p.up(), isDir)
	}
	if err != nil {
		return err
	}
	return d.hide(t, name)
}

// mayHide checks that a file of the lower layer may be removed by the caller.
func (d *dir) mayHide(t *kern.Thread, p *place) error {
	if err := d.Access(t, t.Cred(), abi.W_OK|abi.X_OK); err != nil {
		return err
	}
	var da, fa vfs.Attr
	if err := d.Attr(t, &da); err != nil {
		return err
	}
	if err := p.lower.Attr(t, &fa); err != nil {
		return err
	}
	return vfs.CheckDelete(t.Cred(), &da, &fa)
}

// hide makes a whiteout of a name that the lower layer has.
func (d *dir) hide(t *kern.Thread, name string) error {
	if covers, err := d.covers(t, name); err != nil || !covers {
		return err
	}
	return d.up().Whiteout(t, name)
}

// covers says whether the lower layer has a name in this directory.
func (d *dir) covers(t *kern.Thread, name string) (bool, error) {
	under, err := d.under(t)
	if err != nil || under == nil {
		return false, err
	}
	vp, err := under.Lookup(d.fs.k.KernelThread(), name)
	switch err {
	case nil:
		vp.Release(t)
		return true, nil
	case abi.ENOENT:
		return false, nil
	}
	return false, err
}

// empty says with ENOTEMPTY that there is something in a directory that comes from the lower layer. What the upper layer has, it
// finds itself.
func (d *dir) empty(t *kern.Thread) error {
	under, err := d.under(t)
	if err != nil || under == nil {
		return err
	}
	upper := d.up()
	empty, err := filter(t, under, 0, func(e vfs.Dirent) bool {
		return e.Name == "." || e.Name == ".." || d.hides(t, upper, &e)
	})
	if err == nil && !empty {
		err = abi.ENOTEMPTY
	}
	return err
}

// Rename renames in the upper layer; a whiteout stays where the lower one has the old name. A directory must be in the upper one alone: mv(1)
// copies others.
//
// Errors: EXDEV for a directory that is in the lower layer too, or another file that is not copied up; ENOTEMPTY.
func (d *dir) Rename(t *kern.Thread, name string, from, to vfs.Node, newName string, existing vfs.Node) error {
	upper, err := d.writable()
	if err != nil {
		return err
	}
	p, target := from.(unioned).base().place, to.(*dir)
	if target.up() == nil {
		return abi.EROFS
	}
	if err := p.movable(); err != nil {
		return err
	}
	replaced, err := target.replaceable(t, existing)
	if err != nil {
		return err
	}
	isDir := p.up().IsDir()
	covered, err := target.covers(t, newName)
	if err != nil {
		return err
	}
	if isDir && covered {
		// What the lower layer has by the new name must not be seen in it.
		if err := p.makeOpaque(); err != nil {
			return err
		}
	}
	if err := upper.Rename(t, name, p.up(), target.up(), newName, replaced); err != nil {
		return err
	}
	p.move(t, target.place, newName)
	return d.hide(t, name)
}

// movable copies a file up that is to be moved. Errors: EXDEV.
func (p *place) movable() error {
	if p.up() != nil && p.lower != nil && p.lower.IsDir() {
		return abi.EXDEV
	}
	if err := p.copyUp(true); err != abi.EROFS {
		return err
	}
	return abi.EXDEV
}

// replaceable is the vnode in the upper layer, if there is one, of what a rename replaces. Errors: ENOTEMPTY, EPERM, EACCES.
func (d *dir) replaceable(t *kern.Thread, existing vfs.Node) (*vfs.Vnode, error) {
	if existing == nil {
		return nil, nil
	}
	if sub, ok := existing.(*dir); ok {
		if err := sub.empty(t); err != nil {
			return nil, err
		}
	}
	p := existing.(unioned).base().place
	if p.up() == nil {
		return nil, d.mayHide(t, p)
	}
	return p.up(), nil
}

// makeOpaque sets the flag of a directory in the upper layer.
func (p *place) makeOpaque() error {
	t := p.fs.k.KernelThread()
	var a vfs.Attr
	if err := p.up().Attr(t, &a); err != nil {
		return err
	}
	return p.up().SetAttr(t, &vfs.SetAttr{Valid: vfs.SetFlags, Flags: a.Flags | abi.UF_OPAQUE})
}

// Whiteout makes a whiteout in the upper layer.
func (d *dir) Whiteout(t *kern.Thread, name string) error {
	upper, err := d.writable()
	if err != nil {
		return err
	}
	return upper.Whiteout(t, name)
}

// Unwhiteout takes a whiteout of the upper layer away: what the lower one has is seen again.
func (d *dir) Unwhiteout(t *kern.Thread, name string) error {
	upper, err := d.writable()
	if err != nil {
		return err
	}
	return upper.Unwhiteout(t, name)
}

// IsWhiteout says whether the upper layer has a whiteout.
func (d *dir) IsWhiteout(t *kern.Thread, name string) bool {
	upper := d.up()
	return upper != nil && upper.IsWhiteout(t, name)
}
