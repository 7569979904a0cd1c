package memfs

import (
	"slices"
	"sort"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// The cookies of "." and "..", and of the first entry of a directory.
const (
	dotCookie = 1 + iota
	dotdotCookie
	firstCookie
)

// dir is a directory. Its entries stand in the order in which they came, which is that of their cookies; a cookie is
// never used again, so that a reader finds its place whatever came and went.
type dir struct {
	inode
	count  atomic.Int64 // entries
	parent *dir         // nil when removed; guarded by inode.mu

	// The entries, guarded by the vnode lock.
	names     map[string]*dirent
	order     []*dirent // by cookie; without a name where one was removed
	holes     int       // of order
	whiteouts int       // of names
	next      int64     // the next cookie
}

// dirent is an entry: a file's, or a whiteout, which has no node.
type dirent struct {
	name   string
	node   node
	cookie int64
}

func (e *dirent) isWhiteout() bool { return e.node == nil }

// entryCost is what an entry of that name is charged.
func entryCost(name string) int64 { return direntCost + nameCost(name) }

var (
	_ vfs.Directory  = (*dir)(nil)
	_ vfs.AttrSetter = (*dir)(nil)
)

func (d *dir) size() int64   { return d.fs.face.DirSize + d.count.Load()*d.fs.face.DirentSize }
func (*dir) contents() int64 { return 0 }

// SetAttr changes attributes. Errors: EISDIR for the size.
func (d *dir) SetAttr(t *kern.Thread, s *vfs.SetAttr) error {
	if s.Valid&vfs.SetSize != 0 {
		return abi.EISDIR
	}
	return d.inode.SetAttr(t, s)
}

// Lookup finds a name. Errors: ENOENT.
func (d *dir) Lookup(_ *kern.Thread, name string) (vfs.Node, error) {
	e := d.names[name]
	if e == nil || e.isWhiteout() {
		return nil, abi.ENOENT
	}
	return e.node, nil
}

// Parent is the directory above. Errors: ENOENT for one that has been removed.
func (d *dir) Parent(*kern.Thread) (vfs.Node, error) {
	if p := d.up(); p != nil {
		return p, nil
	}
	return nil, abi.ENOENT
}

func (d *dir) up() *dir {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.parent
}

func (d *dir) setUp(p *dir) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parent = p
}

// ReadDir lists what comes after cookie. A removed directory is empty.
func (d *dir) ReadDir(_ *kern.Thread, cookie int64, emit func(vfs.Dirent) bool) error {
	p := d.up()
	if p == nil {
		return nil
	}
	for _, dot := range [...]vfs.Dirent{
		{Ino: d.ino, Type: abi.DT_DIR, Name: ".", Cookie: dotCookie},
		{Ino: p.ino, Type: abi.DT_DIR, Name: "..", Cookie: dotdotCookie},
	} {
		if cookie < dot.Cookie && !emit(dot) {
			return nil
		}
	}
	for _, e := range d.order[d.after(cookie):] {
		out := vfs.Dirent{Ino: whiteoutIno, Type: abi.DT_WHT, Name: e.name, Cookie: e.cookie}
		switch {
		case e.name == "":
			continue
		case !e.isWhiteout():
			in := e.node.base()
			out.Ino, out.Type = in.ino, in.dtype()
		}
		if !emit(out) {
			return nil
		}
	}
	return nil
}

// after is the place in order of the first entry whose cookie is larger.
func (d *dir) after(cookie int64) int {
	return sort.Search(len(d.order), func(i int) bool { return d.order[i].cookie > cookie })
}

// insert adds an entry, in the place of a whiteout of the name; it is charged already. n is nil for a whiteout.
func (d *dir) insert(name string, n node) {
	d.uncover(name)
	if n == nil {
		d.whiteouts++
	}
	e := &dirent{name: name, node: n, cookie: d.next}
	d.next++
	d.count.Add(1)
	if d.names == nil {
		d.names = map[string]*dirent{}
	}
	d.names[name] = e
	d.order = append(d.order, e)
}

// remove takes an entry out. Its place is closed up when half of all places are empty.
func (d *dir) remove(e *dirent) {
	if e.isWhiteout() {
		d.whiteouts--
	}
	delete(d.names, e.name)
	d.count.Add(-1)
	e.name, e.node = "", nil
	if d.holes++; d.holes > minHoles && d.holes > len(d.order)/2 {
		d.order = slices.DeleteFunc(d.order, func(e *dirent) bool { return e.name == "" })
		d.holes = 0
	}
}

// minHoles is how many empty places a small directory may have.
const minHoles = 16
