package vfs

import (
	"encoding/binary"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// A file handle is the mount's fsid (8 bytes), the length of the rest (2 bytes, itself included), 2 bytes of nothing, and the file
// system's own, as getfh(2).
const (
	handleHead = 12
	handleMin  = 28   // sizeof(fhandle_t)
	handleMax  = 1024 // FHANDLE_SIZE_MAX
)

// handle is a vnode's file handle. Errors: EOPNOTSUPP.
func (vp *Vnode) handle() ([]byte, error) {
	own, err := vp.Handle()
	if err != nil {
		return nil, err
	}
	b := make([]byte, max(handleMin, handleHead+len(own)))
	binary.LittleEndian.PutUint32(b, uint32(vp.mount.fsid.Val[0]))
	binary.LittleEndian.PutUint32(b[4:], uint32(vp.mount.fsid.Val[1]))
	binary.LittleEndian.PutUint16(b[8:], uint16(4+len(own)))
	copy(b[handleHead:], own)
	return b, nil
}

// byHandle is the vnode of a file handle, held. Errors: ESTALE, EINVAL, EOPNOTSUPP.
func (v *VFS) byHandle(t *kern.Thread, b []byte) (*Vnode, error) {
	if len(b) < handleMin {
		return nil, abi.EINVAL
	}
	id := abi.Fsid{Val: [2]int32{int32(binary.LittleEndian.Uint32(b)), int32(binary.LittleEndian.Uint32(b[4:]))}}
	n := int(binary.LittleEndian.Uint16(b[8:])) - 4
	if n < 0 || handleHead+n > len(b) {
		return nil, abi.EINVAL
	}
	mounts := v.Mounts()
	i := slices.IndexFunc(mounts, func(m *Mount) bool { return m.fsid == id })
	if i < 0 {
		return nil, abi.ESTALE
	}
	return mounts[i].Find(t, b[handleHead:handleHead+n])
}

// Handle is the file system's own part of a vnode's file handle. Errors: EOPNOTSUPP.
func (vp *Vnode) Handle() ([]byte, error) {
	finder, ok := vp.mount.fs.(HandleFinder)
	if !ok || vp.isHost() {
		return nil, abi.EOPNOTSUPP
	}
	return finder.Handle(vp.node)
}

// Find is the vnode, held, of the file system's own part of a file handle. Errors: ESTALE, EOPNOTSUPP.
func (m *Mount) Find(t *kern.Thread, own []byte) (*Vnode, error) {
	if !m.enter() {
		return nil, abi.ESTALE
	}
	defer m.leave()
	finder, ok := m.fs.(HandleFinder)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	return m.vnodeOf(t, func() (Node, error) { return finder.Find(own) })
}

// getfh is __getfh30(2): path, buffer, address of its size. Errors: EPERM, EOPNOTSUPP, E2BIG, with the size that is needed.
func getfh(t *kern.Thread, a *kern.Args) (int64, error) {
	if !t.Cred().Root() {
		return 0, abi.EPERM
	}
	name, err := t.Mem.CopyInStr(a[0], abi.PATH_MAX)
	if err != nil {
		return 0, err
	}
	var size [8]byte
	if err := t.Mem.CopyIn(a[2], size[:]); err != nil {
		return 0, err
	}
	vp, err := Of(t.K).namei(t, abi.AT_FDCWD, name, follow)
	if err != nil {
		return 0, err
	}
	b, err := vp.handle()
	vp.Release(t)
	if err != nil {
		return 0, err
	}
	room := binary.LittleEndian.Uint64(size[:])
	binary.LittleEndian.PutUint64(size[:], uint64(len(b)))
	if err := t.Mem.CopyOut(a[2], size[:]); err != nil {
		return 0, err
	}
	if room < uint64(len(b)) {
		return 0, abi.E2BIG
	}
	return 0, t.Mem.CopyOut(a[1], b)
}

// copyInHandle is the vnode of a handle in the client's memory, held; for the superuser alone.
func copyInHandle(t *kern.Thread, addr, size uint64) (*Vnode, error) {
	if !t.Cred().Root() {
		return nil, abi.EPERM
	}
	if size < handleMin || size > handleMax {
		return nil, abi.EINVAL
	}
	b := make([]byte, size)
	if err := t.Mem.CopyIn(addr, b); err != nil {
		return nil, err
	}
	return Of(t.K).byHandle(t, b)
}

// fhopen is __fhopen40(2): handle, its size, flags. Errors: EPERM, ESTALE, EINVAL for O_CREAT.
func fhopen(t *kern.Thread, a *kern.Args) (int64, error) {
	oflags := a.Int(2)
	fflags := kern.FFlags(oflags)
	if fflags&(abi.FREAD|abi.FWRITE) == 0 || oflags&abi.O_CREAT != 0 {
		return 0, abi.EINVAL
	}
	vp, err := copyInHandle(t, a[0], a[1])
	if err != nil {
		return 0, err
	}
	v := Of(t.K)
	lk := v.scratch(t)
	lk.cred = t.Cred()
	err = lk.mayOpen(vp, fflags)
	lk.put()
	if err != nil {
		vp.Release(t)
		return 0, err
	}
	return v.openFD(t, vp, fflags)
}

func fhstat(t *kern.Thread, a *kern.Args) (int64, error) {
	vp, err := copyInHandle(t, a[0], a[1])
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	var st abi.Stat
	if err := vp.stat(t, &st); err != nil {
		return 0, err
	}
	return 0, copyOutStat(t, a[2], &st)
}

func fhstatvfs(t *kern.Thread, a *kern.Args) (int64, error) {
	vp, err := copyInHandle(t, a[0], a[1])
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	return 0, vp.copyOutStatvfs(t, a[2])
}
