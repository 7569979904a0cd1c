package union

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// unioned is a *node or a *dir.
type unioned interface {
	vfs.Node
	base() *node
}

// node is a file of the union while it has a vnode (vfs.Activator).
type node struct {
	*place      // held
	ended  bool // guarded by fs.mu
}

var (
	_ vfs.Stacked    = (*node)(nil)
	_ vfs.Activator  = (*node)(nil)
	_ vfs.Opener     = (*node)(nil)
	_ vfs.AttrSetter = (*node)(nil)
)

func (n *node) base() *node { return n }

// Activate says whether the node has not ended.
func (n *node) Activate() bool {
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	return !n.ended
}

// Inactive ends the node; its place may stay, for those below it.
func (n *node) Inactive(t *kern.Thread) {
	n.fs.mu.Lock()
	was := n.ended
	n.ended = true
	if n.unode != nil && n.unode.base() == n {
		n.unode = nil
	}
	n.fs.mu.Unlock()
	if !was {
		n.drop(t)
	}
}

// Attr are the attributes of the upper file, or else the lower one's, with another inode number. The links of a directory are those
// in both layers.
func (n *node) Attr(t *kern.Thread, a *vfs.Attr) error {
	upper := n.up()
	if upper == nil {
		if err := n.lower.Attr(t, a); err != nil {
			return err
		}
		a.Ino ^= n.fs.salt
		return nil
	}
	if n.lower != nil && n.lower.IsDir() {
		var low vfs.Attr
		if err := n.lower.Attr(t, &low); err != nil {
			return err
		}
		if err := upper.Attr(t, a); err != nil {
			return err
		}
		a.Nlink += low.Nlink - min(low.Nlink, 2)
		return nil
	}
	return upper.Attr(t, a)
}

// Access is what the upper file allows, or else the lower one; for a directory both must. A file of the lower layer may be written if its
// mode says so, wherever it is: the copy is written.
func (n *node) Access(t *kern.Thread, c *kern.Cred, want uint32) error {
	upper := n.up()
	switch {
	case upper == nil && want&abi.W_OK != 0 && n.lower.Type() == abi.S_IFREG:
		return n.accessCopy(t, c, want)
	case upper == nil && want&abi.W_OK != 0 && n.lower.IsDir():
		return abi.EROFS
	case upper == nil:
		return n.lower.Access(t, c, want)
	}
	if n.lower != nil && n.lower.IsDir() {
		if err := n.lower.Access(t, c, want&^abi.W_OK); err != nil {
			return err
		}
	}
	return upper.Access(t, c, want)
}

// immutable are the file flags that forbid changes.
const immutable = abi.UF_IMMUTABLE | abi.SF_IMMUTABLE

// accessCopy is Access for a file that would be copied up.
func (n *node) accessCopy(t *kern.Thread, c *kern.Cred, want uint32) error {
	var a vfs.Attr
	if err := n.lower.Attr(t, &a); err != nil {
		return err
	}
	if a.Flags&immutable != 0 {
		return abi.EPERM
	}
	return vfs.CheckMode(c, &a, want)
}

// Below is the file that has the contents. To be changed it is copied up. Errors: EROFS for what is not copied; those of copying.
func (n *node) Below(t *kern.Thread, write bool) (*vfs.Vnode, *kern.Thread, error) {
	if write {
		if err := n.copyUp(true); err != nil {
			return nil, nil, err
		}
	}
	return n.top(), t, nil
}

// Open copies a file up that is opened to be written, without its contents if they are to go.
func (n *node) Open(_ *kern.Thread, fflags uint32) (kern.Ops, error) {
	if fflags&(abi.FWRITE|abi.O_TRUNC) == 0 || n.up() != nil || n.lower.Type() != abi.S_IFREG {
		return nil, nil
	}
	return nil, n.copyUp(fflags&abi.O_TRUNC == 0)
}

// SetAttr changes the upper file; a file of the lower layer is copied up for that, if the caller may change it.
//
// Errors: EROFS for what is not copied.
func (n *node) SetAttr(t *kern.Thread, s *vfs.SetAttr) error {
	if n.up() == nil {
		if err := n.mayChange(t, s); err != nil {
			return err
		}
		if err := n.copyUp(s.Valid&vfs.SetSize == 0 || s.Size != 0); err != nil {
			return err
		}
	}
	return n.up().SetAttr(t, s)
}

// mayChange says whether the caller may change attributes of a file in the lower layer, as far as it matters whether to copy it
// up: what he may change of it in detail is checked with the copy. Who changes the size has been found to be allowed to write.
//
// Errors: EPERM.
func (n *node) mayChange(t *kern.Thread, s *vfs.SetAttr) error {
	var a vfs.Attr
	if err := n.lower.Attr(t, &a); err != nil {
		return err
	}
	c := t.Cred()
	if c.Root() || c.Euid == a.UID || s.Valid == vfs.SetSize {
		return nil
	}
	if s.Now {
		return vfs.CheckMode(c, &a, abi.W_OK)
	}
	return abi.EPERM
}
