package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// What is here is the union option of mount(8): names that the root of such a mount has not are looked for in the directory that
// it covers, and both are listed. Names are made in the mount. The file system union is another thing (mount_union(8)).

// isUnion says whether vp is the root of a mount with MNT_UNION.
func (vp *Vnode) isUnion() bool {
	return vp == vp.mount.root && vp.mount.flags.Load()&abi.MNT_UNION != 0
}

// maxUnion is how many directories a union has at most, so that their numbers fit into offsets; others below are not seen.
const maxUnion = 8

// unionDirs are a directory and those that it is the union with, the upper ones first, held.
func (vp *Vnode) unionDirs() []*Vnode {
	list := []*Vnode{vp.Hold()}
	for vp.isUnion() && len(list) < maxUnion {
		if vp = vp.mount.coveredDir(); vp == nil {
			break
		}
		list = append(list, vp)
	}
	return list
}

func releaseAll(t *kern.Thread, list []*Vnode) {
	for _, vp := range list {
		vp.Release(t)
	}
}

// unionChild looks the component at hand up where it is not hidden below dir, which has not got it. dir is then the directory that has.
//
// Errors: ENOENT; those of lookup.child.
func (lk *lookup) unionChild() (*Vnode, error) {
	dirs := lk.dir.unionDirs()
	defer releaseAll(lk.t, dirs)
	for i, dir := range dirs[1:] {
		if dirs[i].IsWhiteout(lk.t, string(lk.name)) {
			break
		}
		vp, err := lk.child(dir)
		if err == nil {
			lk.dir.Release(lk.t)
			lk.dir = dir.Hold()
		}
		if err != abi.ENOENT {
			return vp, err
		}
	}
	return nil, abi.ENOENT
}

// unionDepth is where, in the offset of a directory that is a union, the number of the directory begins that the offset is in; below
// it are the cookies of that directory.
const unionDepth = 60

// unionBatch is how many entries of a directory are read before they are looked for in those above it.
const unionBatch = 64

// readUnion is readDir for a union: the directories follow each other, and what is there in one above, as a whiteout too, is
// left out.
func (vp *Vnode) readUnion(t *kern.Thread, cookie int64, buf []byte) (n int, next int64, err error) {
	dirs := vp.unionDirs()
	defer releaseAll(t, dirs)
	next = cookie
	for depth := int(cookie >> unionDepth); depth < len(dirs); {
		own := next & (1<<unionDepth - 1)
		batch, err := dirs[depth].batch(t, own)
		if err != nil {
			return n, next, err
		}
		if len(batch) == 0 {
			depth++
			next = int64(depth) << unionDepth
			continue
		}
		for i := range batch {
			e := &batch[i]
			at := int64(depth)<<unionDepth | e.Cookie
			if depth > 0 && hidden(t, dirs[:depth], e.Name) {
				next = at
				continue
			}
			size := direntSize(e.Name)
			if n+size > len(buf) && n == 0 {
				return 0, next, abi.EINVAL
			}
			if n+size > len(buf) {
				return n, next, nil
			}
			putDirent(buf[n:], size, e)
			n, next = n+size, at
		}
	}
	return n, next, nil
}

// batch reads some entries of a directory.
func (vp *Vnode) batch(t *kern.Thread, cookie int64) ([]Dirent, error) {
	list := make([]Dirent, 0, unionBatch)
	err := vp.ReadDir(t, cookie, func(e Dirent) bool {
		if len(list) == unionBatch {
			return false
		}
		list = append(list, e)
		return true
	})
	return list, err
}

// hidden says whether a name is there in one of the directories; "." and ".." are everywhere.
func hidden(t *kern.Thread, dirs []*Vnode, name string) bool {
	if name == "." || name == ".." {
		return true
	}
	for _, dir := range dirs {
		if dir.IsWhiteout(t, name) {
			return true
		}
		lk := dir.entry(t, name)
		lk.cred = t.K.KernelThread().Cred()
		vp, err := lk.child(dir)
		lk.done()
		if err == nil {
			vp.Release(t)
			return true
		}
	}
	return false
}
