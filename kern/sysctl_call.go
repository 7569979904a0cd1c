package kern

import (
	"bytes"

	"github.com/rumpctrl/rumpctrl/abi"
)

// SysctlRequest is one call of __sysctl(2).
type SysctlRequest struct {
	// T is the calling thread.
	T *Thread
	// MIB is the whole name, Name what follows the node that was found.
	MIB, Name []int32

	old      uint64 // where the answer goes; 0 when only its length is wanted
	oldRoom  uint64 // bytes there
	oldLen   uint64 // bytes that the answer has, room or not
	newAddr  uint64 // the new value; 0 for none
	newBytes uint64
}

// Reply answers with b: the part of it that there is room for. Where there is less than that, the call
// will fail with ENOMEM. Errors: EFAULT.
func (r *SysctlRequest) Reply(b []byte) error {
	r.oldLen = uint64(len(b))
	return r.copyOut(b[:min(uint64(len(b)), r.oldRoom)])
}

// ReplyRecords answers with a list: as many whole records, from the first on, as there is room for. Without a buffer the length told is a tenth more than
// they have now, for those that may be added before the next call; see net.route.rtable. Errors: ENOMEM when some do not fit, EFAULT.
func (r *SysctlRequest) ReplyRecords(records [][]byte) error {
	var b []byte
	needed := uint64(0)
	for _, rec := range records {
		needed += uint64(len(rec))
		if needed <= r.oldRoom {
			b = append(b, rec...)
		}
	}
	if r.old == 0 {
		r.oldLen = needed * 11 / 10
		return nil
	}
	r.oldLen = uint64(len(b))
	if err := r.copyOut(b); err != nil {
		return err
	}
	if r.oldLen < needed {
		return abi.ENOMEM
	}
	return nil
}

// copyOut writes b where the answer goes.
func (r *SysctlRequest) copyOut(b []byte) error {
	if r.old == 0 || len(b) == 0 {
		return nil
	}
	return r.T.Mem.CopyOut(r.old, b)
}

// Room is how much of an answer there is room for, in bytes; 0 when only its length is wanted.
func (r *SysctlRequest) Room() uint64 {
	if r.old == 0 {
		return 0
	}
	return r.oldRoom
}

// HasNew says whether a new value is given.
func (r *SysctlRequest) HasNew() bool { return r.newAddr != 0 }

// NewValue reads the new value. Errors: EFAULT; EINVAL when it is longer than max bytes.
func (r *SysctlRequest) NewValue(max int) ([]byte, error) {
	if r.newBytes > uint64(max) {
		return nil, abi.EINVAL
	}
	b := make([]byte, r.newBytes)
	if len(b) == 0 {
		return b, nil
	}
	return b, r.T.Mem.CopyIn(r.newAddr, b)
}

// sysctlSyscalls is __sysctl(2).
func sysctlSyscalls() []Syscall { return []Syscall{{abi.SYS___sysctl, sysSysctl}} }

func sysSysctl(t *Thread, a *Args) (int64, error) {
	r := SysctlRequest{T: t, old: a[2], newAddr: a[4], newBytes: a[5]}
	oldlenp := a[3]
	if oldlenp != 0 {
		var err error
		if r.oldRoom, err = t.copyInUint64(oldlenp); err != nil {
			return 0, err
		}
	}
	r.oldLen = r.oldRoom
	n := a.Uint(1)
	if n < 1 || n > abi.CTL_MAXNAME {
		return 0, abi.EINVAL
	}
	b := t.small(int(4 * n))
	if err := t.Mem.CopyIn(a[0], b); err != nil {
		return 0, err
	}
	t.ktraceMIB(b)
	r.MIB = make([]int32, n)
	for i := range r.MIB {
		r.MIB[i] = int32(le.Uint32(b[4*i:]))
	}
	err := t.K.sysctl.dispatch(&r)
	if oldlenp != 0 {
		if e := t.copyOutUint64(oldlenp, r.oldLen); err == nil {
			err = e
		}
	}
	if err == nil && r.old != 0 && r.oldRoom < r.oldLen {
		err = abi.ENOMEM
	}
	return 0, err
}

// dispatch finds who serves a request: the handler of the node that the name leads to, the node's value, or, for the
// negative numbers that stand for operations, the parent.
func (s *Sysctl) dispatch(r *SysctlRequest) error {
	n, used, err := s.locate(r.MIB, r.T.Cred())
	r.Name = r.MIB[used:]
	if err == abi.EPERM {
		return err
	}
	if len(r.Name) == 1 && r.Name[0] < 0 && n.typ() == abi.CTLTYPE_NODE {
		return s.operation(r, n, r.Name[0])
	}
	switch {
	case n.handler != nil:
		return n.handler(r)
	case err != nil:
		return err
	case n.typ() == abi.CTLTYPE_NODE:
		return abi.EINVAL
	}
	return n.lookup(r)
}

// operation serves the names that ask about a node's children or change them.
func (s *Sysctl) operation(r *SysctlRequest, n *sysctlNode, op int32) error {
	switch op {
	case abi.CTL_QUERY:
		return s.query(r, n)
	case abi.CTL_DESCRIBE:
		return s.describe(r, n)
	case abi.CTL_CREATE:
		return s.createFor(r, n)
	case abi.CTL_DESTROY:
		return s.destroyFor(r, n)
	case abi.CTL_MMAP:
		return s.mmap(r, n)
	}
	return abi.EOPNOTSUPP
}

// lookup reads and writes a node's value.
//
// Errors: EPERM for reading a private value and writing without being the superuser (CTLFLAG_ANYWRITE: everybody
// may), and for writing what is read only; EINVAL for a new value of the wrong size.
func (n *sysctlNode) lookup(r *SysctlRequest) error {
	root, write := r.T.Cred().Root(), r.HasNew() && r.newBytes > 0
	switch {
	case n.flags&abi.CTLFLAG_PRIVATE != 0 && !root,
		write && n.flags&abi.CTLFLAG_ANYWRITE == 0 && !root,
		write && n.flags&abi.CTLFLAG_READWRITE == 0:
		return abi.EPERM
	}
	b, err := n.value.Load(r)
	if err != nil {
		return err
	}
	if err := r.Reply(b); err != nil || !write {
		return err
	}
	b, err = n.newValue(r)
	if err != nil {
		return err
	}
	return n.value.Store(r, b)
}

// newValue reads and checks a new value of the node. Errors: EINVAL, EFAULT.
func (n *sysctlNode) newValue(r *SysctlRequest) ([]byte, error) {
	size := n.value.Size
	if n.typ() != abi.CTLTYPE_STRING && r.newBytes != uint64(size) {
		return nil, abi.EINVAL
	}
	b, err := r.NewValue(size)
	if err != nil {
		return nil, err
	}
	switch n.typ() {
	case abi.CTLTYPE_BOOL:
		if b[0] > 1 {
			return nil, abi.EINVAL
		}
	case abi.CTLTYPE_STRING:
		end := bytes.IndexByte(b, 0)
		if end < 0 && len(b) == size {
			return nil, abi.EINVAL
		}
		if end >= 0 {
			b = b[:end]
		}
	}
	return b, nil
}
