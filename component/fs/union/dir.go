package union

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// dir is a directory of the union.
type dir struct{ node }

var _ vfs.Directory = (*dir)(nil)

// under is the directory in the lower layer that is seen through this one; nil when there is none or the upper one is opaque.
func (d *dir) under(t *kern.Thread) (*vfs.Vnode, error) {
	upper := d.up()
	if upper == nil || d.lower == nil {
		return d.lower, nil
	}
	var a vfs.Attr
	if err := upper.Attr(t, &a); err != nil {
		return nil, err
	}
	if a.Flags&abi.UF_OPAQUE != 0 {
		return nil, nil
	}
	return d.lower, nil
}

// Lookup finds a name in the upper layer, then in the lower one, unless there is a whiteout of it.
func (d *dir) Lookup(t *kern.Thread, name string) (vfs.Node, error) {
	d.copying.RLock()
	defer d.copying.RUnlock()
	upper, lower, err := d.both(t, name)
	if err != nil {
		return nil, err
	}
	if upper == nil && lower.IsDir() {
		upper = d.shadow(t, name)
	}
	p := d.fs.place(t, upper, lower, d.place, name)
	if p.top().IsDir() {
		p.foundIn(t, d.place, name)
	}
	return d.fs.node(p), nil
}

// foundIn notes where a directory was found, which may have been moved in the upper layer.
func (p *place) foundIn(t *kern.Thread, parent *place, name string) {
	if at, as := p.where(); at != nil && (at != parent || as != name) {
		p.move(t, parent, name)
	}
}

// both are the files that a name leads to in the layers, held. The lower one is nil where the upper one hides it: two directories
// are one, and nothing else is. Errors: ENOENT when there is neither.
func (d *dir) both(t *kern.Thread, name string) (upper, lower *vfs.Vnode, err error) {
	if dir := d.up(); dir != nil {
		upper, err = dir.Lookup(t, name)
		if err == abi.ENOENT && dir.IsWhiteout(t, name) || err != nil && err != abi.ENOENT {
			return nil, nil, err
		}
		if upper != nil && !upper.IsDir() {
			return upper, nil, nil
		}
	}
	under, err := d.under(t)
	if err == nil && under == nil {
		err = abi.ENOENT
	}
	if err == nil {
		lower, err = under.Lookup(t, name)
	}
	switch {
	case err == abi.ENOENT && upper != nil:
		return upper, nil, nil
	case err != nil:
		release(t, upper)
		return nil, nil, err
	case upper != nil && !lower.IsDir():
		lower.Release(t)
		return upper, nil, nil
	}
	return upper, lower, nil
}

// shadow makes the directory in the upper layer that belongs to one of the lower layer, and returns it held; nil where it cannot be
// made: names below it are then only to be looked at.
func (d *dir) shadow(t *kern.Thread, name string) *vfs.Vnode {
	dir := d.up()
	if dir == nil {
		return nil
	}
	as := t.As(&d.fs.maker)
	vp, err := dir.Create(as, name, &vfs.NewNode{Mode: abi.S_IFDIR | d.fs.mode})
	if err == abi.EEXIST { // somebody was faster
		if vp, err = dir.Lookup(as, name); err == nil && !vp.IsDir() {
			vp.Release(t)
			return nil
		}
	}
	if err != nil {
		return nil
	}
	return vp
}

// Parent is the directory that the union has this one in.
func (d *dir) Parent(*kern.Thread) (vfs.Node, error) {
	f := d.fs
	f.mu.Lock()
	p := d.parent
	if p != nil {
		p.refs++
	}
	f.mu.Unlock()
	if p == nil {
		return d, nil
	}
	return f.node(p), nil
}

// Positions in a directory: twice that in the upper layer, and then twice that in the lower one and one more.
const lowerBit = 1

// ReadDir lists what the upper layer alone has, and then what the lower one has but for what whiteouts hide: so a name stays in
// its place when its file is copied up or gets a shadow.
func (d *dir) ReadDir(t *kern.Thread, cookie int64, emit func(vfs.Dirent) bool) error {
	under, err := d.under(t)
	if err != nil {
		return err
	}
	upper, more := d.up(), true
	if upper != nil && cookie&lowerBit == 0 {
		more, err = filter(t, upper, cookie/2, func(e vfs.Dirent) bool {
			e.Cookie *= 2
			return d.inLower(under, &e) || emit(e)
		})
		cookie = 0
	}
	if err != nil || !more || under == nil {
		return err
	}
	_, err = filter(t, under, cookie/2, func(e vfs.Dirent) bool {
		e.Ino ^= d.fs.salt
		e.Cookie = e.Cookie*2 + lowerBit
		return d.hides(t, upper, &e) || emit(e)
	})
	return err
}

// batchSize is how many entries of a layer are read at a time.
const batchSize = 64

// filter calls do for the entries of a layer's directory after cookie, with no lock held, until it says false; more is false then.
func filter(t *kern.Thread, layer *vfs.Vnode, cookie int64, do func(e vfs.Dirent) bool) (more bool, err error) {
	for {
		var batch []vfs.Dirent
		err := layer.ReadDir(t, cookie, func(e vfs.Dirent) bool {
			if len(batch) == batchSize {
				return false
			}
			batch = append(batch, e)
			return true
		})
		if err != nil || len(batch) == 0 {
			return true, err
		}
		for _, e := range batch {
			if !do(e) {
				return false, nil
			}
		}
		cookie = batch[len(batch)-1].Cookie
	}
}

// inLower says whether a name of the upper layer is listed with the lower one's.
func (d *dir) inLower(under *vfs.Vnode, e *vfs.Dirent) bool {
	if under == nil || e.Type == abi.DT_WHT || e.Name == "." || e.Name == ".." {
		return false
	}
	t := d.fs.k.KernelThread()
	vp, err := under.Lookup(t, e.Name)
	if err != nil {
		return false
	}
	vp.Release(t)
	return true
}

// hides says whether an entry of the lower layer is not listed. One that is in the upper layer too is made to look like what is there.
func (d *dir) hides(t *kern.Thread, upper *vfs.Vnode, e *vfs.Dirent) bool {
	if e.Type == abi.DT_WHT {
		return true
	}
	if upper == nil {
		return false
	}
	if e.Name == "." || e.Name == ".." || upper.IsWhiteout(t, e.Name) {
		return true
	}
	vp, err := upper.Lookup(d.fs.k.KernelThread(), e.Name)
	if err != nil {
		return false
	}
	defer vp.Release(t)
	var a vfs.Attr
	if vp.Attr(t, &a) == nil {
		e.Ino, e.Type = a.Ino, uint8(a.Mode&abi.S_IFMT>>12)
	}
	return false
}
