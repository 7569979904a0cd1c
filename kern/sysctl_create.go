package kern

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	// maxMadeNodes bounds the nodes that processes make, maxMadeSize the value of one, in bytes.
	maxMadeNodes = 4096
	maxMadeSize  = 64 << 10
)

// createFor is CTL_CREATE: a process, the superuser's, adds a node below one that is writable. The new node comes back; when
// name or number are taken, the node that has them.
//
// Errors: EPERM, EINVAL, EEXIST, ENOMEM, EFAULT. See sysctl(9).
func (s *Sysctl) createFor(r *SysctlRequest, parent *sysctlNode) error {
	if !r.T.Cred().Root() || parent.flags&abi.CTLFLAG_READWRITE == 0 {
		return abi.EPERM
	}
	q, err := r.newNode()
	if err != nil {
		return err
	}
	if q.Parent != 0 {
		return abi.EINVAL
	}
	if q.Func != 0 || q.Flags&^(abi.SYSCTL_VERS_MASK|abi.SYSCTL_TYPEMASK|abi.SYSCTL_USERFLAGS) != 0 {
		return abi.EPERM
	}
	n := &sysctlNode{num: q.Num, name: abi.CString(q.Name[:]), made: true,
		flags: q.Flags &^ uint32(abi.SYSCTL_VERS_MASK|abi.SYSCTL_TYPEMASK)}
	if n.value, err = madeValue(r, &q); err != nil {
		return err
	}
	writable := n.flags & abi.CTLFLAG_READWRITE
	n.describeValue()
	n.flags = n.flags&^uint32(abi.CTLFLAG_READWRITE) | writable
	return s.insertFor(r, parent, n, q.Ver)
}

// insertFor inserts the node that a process made, and answers.
func (s *Sysctl) insertFor(r *SysctlRequest, parent, n *sysctlNode, ver uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range parent.children {
		if c.num == n.num || c.name == n.name {
			if err := r.replyNodes(c.wire(r)); err != nil {
				return err
			}
			return abi.EEXIST
		}
	}
	if ver != 0 && ver != s.ver && ver != parent.ver {
		return abi.EINVAL
	}
	if s.made >= maxMadeNodes {
		return abi.ENOMEM
	}
	if err := s.insert(parent, n); err != nil {
		return err
	}
	s.made++
	return r.replyNodes(n.wire(r))
}

// madeValue is the value of a node that a process makes: nil for a CTLTYPE_NODE. The value is the node's own, a copy of
// what the process has, or is given with the node itself (CTLFLAG_IMMEDIATE).
//
// Errors: EINVAL for a size that does not fit the type, and a node without a value; EPERM for one that would refer to
// memory outside of it; ENOMEM, EFAULT.
func madeValue(r *SysctlRequest, q *abi.Sysctlnode) (*SysctlValue, error) {
	typ := q.Flags & abi.SYSCTL_TYPEMASK
	if typ == abi.CTLTYPE_NODE {
		if q.Size != 0 || q.Flags&(abi.CTLFLAG_OWNDATA|abi.CTLFLAG_IMMEDIATE) != 0 || q.Un != [16]byte{} {
			return nil, abi.EINVAL
		}
		return nil, nil
	}
	writable := q.Flags&abi.CTLFLAG_READWRITE != 0
	switch q.Flags & (abi.CTLFLAG_OWNDATA | abi.CTLFLAG_IMMEDIATE) {
	case abi.CTLFLAG_IMMEDIATE:
		size, ok := fixedSize(typ)
		if !ok || q.Size != 0 && q.Size != uint64(size) {
			return nil, abi.EINVAL
		}
		o := &ownedValue{b: slices.Clone(q.Un[:size])}
		return o.value(typ, size, writable), nil
	case abi.CTLFLAG_OWNDATA:
		return ownData(r, q, typ, writable)
	case 0:
		if q.DataData() != 0 {
			return nil, abi.EPERM
		}
	}
	return nil, abi.EINVAL
}

// fixedSize is the size of a type's values where they all have the same.
func fixedSize(typ uint32) (int, bool) {
	switch typ {
	case abi.CTLTYPE_BOOL:
		return 1, true
	case abi.CTLTYPE_INT:
		return 4, true
	case abi.CTLTYPE_QUAD:
		return 8, true
	}
	return 0, false
}

// ownData is the value of a CTLFLAG_OWNDATA node: copied from the process, zeroes where it gives no address.
func ownData(r *SysctlRequest, q *abi.Sysctlnode, typ uint32, writable bool) (*SysctlValue, error) {
	addr := q.DataData()
	size, fixed := fixedSize(typ)
	switch {
	case fixed && q.Size != 0 && q.Size != uint64(size):
		return nil, abi.EINVAL
	case !fixed && typ != abi.CTLTYPE_STRING && typ != abi.CTLTYPE_STRUCT:
		return nil, abi.EINVAL
	case q.Size > maxMadeSize:
		return nil, abi.ENOMEM
	case !fixed:
		size = int(q.Size)
	}
	if typ == abi.CTLTYPE_STRING {
		return ownString(r, addr, size, writable)
	}
	if size == 0 {
		return nil, abi.EINVAL
	}
	o := &ownedValue{b: make([]byte, size)}
	if addr != 0 {
		if err := r.T.Mem.CopyIn(addr, o.b); err != nil {
			return nil, err
		}
	}
	return o.value(typ, size, writable), nil
}

// ownString is ownData for a string; without a size it has room for what it is.
func ownString(r *SysctlRequest, addr uint64, size int, writable bool) (*SysctlValue, error) {
	if addr == 0 {
		if size == 0 {
			return nil, abi.EINVAL
		}
		return (&ownedValue{}).value(abi.CTLTYPE_STRING, size, writable), nil
	}
	limit := size
	if limit == 0 {
		limit = maxMadeSize
	}
	text, err := r.T.Mem.CopyInStr(addr, limit)
	if err == abi.ENAMETOOLONG {
		return nil, abi.ERANGE
	}
	if err != nil {
		return nil, err
	}
	if size == 0 {
		size = len(text) + 1
	}
	o := &ownedValue{b: slices.Clone(text)}
	return o.value(abi.CTLTYPE_STRING, size, writable), nil
}

// destroyFor is CTL_DESTROY: a process, the superuser's, removes a node below one that is writable. The node comes back.
//
// Errors: EPERM, also for a permanent node; ENOENT; ENOTEMPTY; EINVAL.
func (s *Sysctl) destroyFor(r *SysctlRequest, parent *sysctlNode) error {
	if !r.T.Cred().Root() || parent.flags&abi.CTLFLAG_READWRITE == 0 {
		return abi.EPERM
	}
	q, err := r.newNode()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := parent.child(q.Num)
	name := abi.CString(q.Name[:])
	switch {
	case n == nil, name != "" && name != n.name, q.Ver != 0 && q.Ver != n.ver:
		return abi.ENOENT
	case n.flags&abi.CTLFLAG_PERMANENT != 0:
		return abi.EPERM
	case len(n.children) > 0:
		return abi.ENOTEMPTY
	}
	gone := n.wire(r)
	s.remove(n)
	return r.replyNodes(gone)
}
