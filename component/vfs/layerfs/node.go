package layerfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// layered is a *node or a *dir.
type layered interface {
	vfs.Node
	base() *node
}

// node is a file that is not a directory. It ends with its vnode (vfs.Activator).
type node struct {
	fs    *FS
	below *vfs.Vnode // held until the node ends
	ended bool       // guarded by fs.mu
}

// dir is a directory.
type dir struct{ node }

var (
	_ vfs.Stacked    = (*node)(nil)
	_ vfs.Activator  = (*node)(nil)
	_ vfs.AttrSetter = (*node)(nil)
	_ vfs.Directory  = (*dir)(nil)
	_ vfs.Creator    = (*dir)(nil)
	_ vfs.Linker     = (*dir)(nil)
	_ vfs.Remover    = (*dir)(nil)
	_ vfs.Renamer    = (*dir)(nil)
	_ vfs.Whiteouter = (*dir)(nil)
)

func (n *node) base() *node { return n }

// Activate says whether the node has not ended.
func (n *node) Activate() bool {
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	return !n.ended
}

// Inactive ends the node: the next lookup makes another.
func (n *node) Inactive(t *kern.Thread) {
	n.fs.mu.Lock()
	held := !n.ended && n.fs.nodes[n.below] != nil
	delete(n.fs.nodes, n.below)
	n.ended = true
	n.fs.mu.Unlock()
	if held {
		n.below.Release(t)
	}
}

// Below is the file below.
func (n *node) Below(t *kern.Thread, _ bool) (*vfs.Vnode, *kern.Thread, error) {
	return n.below, n.fs.as(t), nil
}

// Access is what the file below allows.
func (n *node) Access(t *kern.Thread, c *kern.Cred, want uint32) error {
	if n.fs.owners != nil {
		c = n.fs.owners.Cred(c)
	}
	return n.below.Access(t, c, want)
}

// Attr are the attributes of the file below, but for the owners.
func (n *node) Attr(t *kern.Thread, a *vfs.Attr) error {
	if err := n.below.Attr(t, a); err != nil {
		return err
	}
	if n.fs.owners != nil {
		a.UID, a.GID = n.fs.owners.Up(a.UID, a.GID)
	}
	return nil
}

// SetAttr changes the attributes of the file below.
func (n *node) SetAttr(t *kern.Thread, s *vfs.SetAttr) error {
	change := *s
	if n.fs.owners != nil {
		if err := n.fs.owners.Down(&change); err != nil {
			return err
		}
	}
	return n.below.SetAttr(n.fs.as(t), &change)
}

// over is the node over a vnode that a call on the directory below has found or made.
func (d *dir) over(t *kern.Thread, vp *vfs.Vnode, err error) (vfs.Node, error) {
	if err != nil {
		return nil, err
	}
	return d.fs.node(t, vp), nil
}

// Lookup finds a name in the directory below.
func (d *dir) Lookup(t *kern.Thread, name string) (vfs.Node, error) {
	vp, err := d.below.Lookup(d.fs.as(t), name)
	return d.over(t, vp, err)
}

// Parent is the directory above, up to the layer's root.
//
// Errors: ENOENT for a directory that is not below the layer's root any more, because it was moved in the real tree.
func (d *dir) Parent(t *kern.Thread) (vfs.Node, error) {
	if d == d.fs.root {
		return d, nil
	}
	vp, err := d.below.Parent(t)
	if err == nil && vp == d.below {
		vp.Release(t)
		return nil, abi.ENOENT
	}
	return d.over(t, vp, err)
}

// ReadDir lists the directory below.
func (d *dir) ReadDir(t *kern.Thread, cookie int64, emit func(vfs.Dirent) bool) error {
	return d.below.ReadDir(d.fs.as(t), cookie, emit)
}

// Create makes a file in the directory below.
func (d *dir) Create(t *kern.Thread, name string, n *vfs.NewNode) (vfs.Node, error) {
	vp, err := d.below.Create(d.fs.as(t), name, n)
	return d.over(t, vp, err)
}

// Link gives the file below another name there.
func (d *dir) Link(t *kern.Thread, name string, target vfs.Node) error {
	return d.below.Link(d.fs.as(t), name, target.(layered).base().below)
}

// Remove removes a name below.
func (d *dir) Remove(t *kern.Thread, name string, target vfs.Node) error {
	return d.below.Remove(d.fs.as(t), name, target.(layered).base().below, false)
}

// Rmdir removes a directory below.
func (d *dir) Rmdir(t *kern.Thread, name string, target vfs.Node) error {
	return d.below.Remove(d.fs.as(t), name, target.(layered).base().below, true)
}

// Rename renames below.
func (d *dir) Rename(t *kern.Thread, name string, from, to vfs.Node, newName string, existing vfs.Node) error {
	var replaced *vfs.Vnode
	if existing != nil {
		replaced = existing.(layered).base().below
	}
	return d.below.Rename(d.fs.as(t), name, from.(layered).base().below, to.(layered).base().below, newName, replaced)
}

// Whiteout makes a whiteout below.
func (d *dir) Whiteout(t *kern.Thread, name string) error {
	return d.below.Whiteout(d.fs.as(t), name)
}

// Unwhiteout takes a whiteout away below.
func (d *dir) Unwhiteout(t *kern.Thread, name string) error {
	return d.below.Unwhiteout(d.fs.as(t), name)
}

// IsWhiteout says whether there is a whiteout below.
func (d *dir) IsWhiteout(t *kern.Thread, name string) bool {
	return d.below.IsWhiteout(t, name)
}
