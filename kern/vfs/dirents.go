package vfs

import (
	"encoding/binary"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// direntSize is the length of a dirent record: header, name, NUL, rounded up to 8 bytes (getdents(2)).
func direntSize(name string) int { return (abi.DirentOffName + len(name) + 1 + 7) &^ 7 }

// putDirent writes a record of the given size.
func putDirent(b []byte, size int, e *Dirent) {
	clear(b[:size])
	binary.LittleEndian.PutUint64(b[abi.DirentOffFileno:], e.Ino)
	binary.LittleEndian.PutUint16(b[abi.DirentOffReclen:], uint16(size))
	binary.LittleEndian.PutUint16(b[abi.DirentOffNamlen:], uint16(len(e.Name)))
	b[abi.DirentOffType] = e.Type
	copy(b[abi.DirentOffName:], e.Name)
}

// getdents is __getdents30(2): as many entries as fit, from the file's offset on.
//
// Errors: EBADF, EINVAL for what is no directory and for a buffer that holds not even one entry.
func getdents(t *kern.Thread, a *kern.Args) (int64, error) {
	f, of, err := fileOf(t, a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	switch {
	case !f.Readable():
		return 0, abi.EBADF
	case !of.vp.IsDir():
		return 0, abi.EINVAL
	}
	buf, err := t.Mem.Reserve(a[1], int(min(a[2], abi.MAXBSIZE)))
	if err != nil {
		return 0, err
	}
	f.OffMu.Lock()
	defer f.OffMu.Unlock()
	n, next, err := of.vp.readDir(t, f.Offset, buf)
	if err != nil {
		return 0, err
	}
	f.Offset = next
	t.KtraceIO(a.Int(0), abi.UIO_READ, buf[:n])
	if n == 0 {
		return 0, nil
	}
	return int64(n), t.Mem.Commit(a[1], buf[:n])
}

// hostCookie is the first cookie of the host files mapped into a directory: they come after the file system's entries.
const hostCookie = 1 << 55

// readDir fills buf with the entries after cookie and says where the last one ends. A removed directory is empty.
func (vp *Vnode) readDir(t *kern.Thread, cookie int64, buf []byte) (n int, next int64, err error) {
	if vp.isUnion() {
		return vp.readUnion(t, cookie, buf)
	}
	if err := vp.rlock(); err != nil {
		return 0, 0, err
	}
	defer vp.mu.RUnlock()
	next = cookie
	full, err := vp.list(t, cookie, func(e Dirent) bool {
		size := direntSize(e.Name)
		if n+size > len(buf) {
			return false
		}
		putDirent(buf[n:], size, &e)
		n, next = n+size, e.Cookie
		return true
	})
	if full && n == 0 {
		return 0, next, abi.EINVAL
	}
	return n, next, err
}

// list calls emit for the entries after cookie until it says false, and says whether it did. The vnode is locked shared.
func (vp *Vnode) list(t *kern.Thread, cookie int64, emit func(Dirent) bool) (full bool, err error) {
	if vp.removed {
		return false, nil
	}
	next := cookie
	step := func(e Dirent) bool {
		if full = !emit(e); !full {
			next = e.Cookie
		}
		return !full
	}
	if cookie < hostCookie || vp.stacked != nil {
		err = vp.dir.ReadDir(t, cookie, step)
	}
	if err == nil && !full && vp.stacked == nil {
		vp.readHosts(t, next, step)
	}
	if err == nil {
		vp.touch(Atime)
	}
	return full, err
}

// readHosts emits the host files mapped into a directory, in order of their names.
func (vp *Vnode) readHosts(t *kern.Thread, cookie int64, emit func(Dirent) bool) {
	vp.extraMu.RLock()
	names := make([]string, 0, len(vp.extra))
	for name := range vp.extra {
		names = append(names, name)
	}
	vp.extraMu.RUnlock()
	slices.Sort(names)
	for i, name := range names {
		pos := hostCookie + int64(i) + 1
		if pos <= cookie {
			continue
		}
		child := vp.hostChild([]byte(name))
		if child == nil {
			continue
		}
		e := Dirent{Ino: child.node.(*hostNode).ino, Type: uint8(child.typ >> 12), Name: name, Cookie: pos}
		child.Release(t)
		if !emit(e) {
			return
		}
	}
}
