package kern

import "github.com/rumpctrl/rumpctrl/abi"

// maxDesc bounds a node's description, in bytes with its NUL and the structure before it.
const maxDesc = 1024

// newNode reads the structure sysctlnode that comes with an operation. Errors: EINVAL for what is none of this version,
// EFAULT.
func (r *SysctlRequest) newNode() (abi.Sysctlnode, error) {
	var n abi.Sysctlnode
	if !r.HasNew() || r.newBytes != abi.SizeofSysctlnode {
		return n, abi.EINVAL
	}
	b, err := r.NewValue(abi.SizeofSysctlnode)
	if err != nil {
		return n, err
	}
	if err := n.Decode(b); err != nil {
		return n, err
	}
	if n.Flags&abi.SYSCTL_VERS_MASK != abi.SYSCTL_VERSION {
		return n, abi.EINVAL
	}
	return n, nil
}

// replyNodes answers with nodes: as many whole ones as there is room for.
func (r *SysctlRequest) replyNodes(nodes ...abi.Sysctlnode) error {
	r.oldLen = uint64(len(nodes)) * abi.SizeofSysctlnode
	fit := int(min(uint64(len(nodes)), r.oldRoom/abi.SizeofSysctlnode))
	b := make([]byte, 0, fit*abi.SizeofSysctlnode)
	for i := range fit {
		b = nodes[i].Append(b)
	}
	return r.copyOut(b)
}

// query is CTL_QUERY: the children of a node. The request's node may give a version that the tree must have.
func (s *Sysctl) query(r *SysctlRequest, n *sysctlNode) error {
	q, err := r.newNode()
	if err != nil {
		return err
	}
	s.mu.RLock()
	if q.Ver != 0 && q.Ver != n.ver && q.Ver != s.ver {
		s.mu.RUnlock()
		return abi.EINVAL
	}
	nodes := make([]abi.Sysctlnode, len(n.children))
	for i, c := range n.children {
		nodes[i] = c.wire(r)
	}
	s.mu.RUnlock()
	return r.replyNodes(nodes...)
}

// describe is CTL_DESCRIBE: the descriptions of all children of a node, or of the one that the request's node gives the
// number of; with a description it is set, where there is none.
//
// Errors: ENOENT, EINVAL; EPERM for setting one that is there, or a permanent node's, or without being the superuser.
func (s *Sysctl) describe(r *SysctlRequest, n *sysctlNode) error {
	if !r.HasNew() {
		return s.replyDescs(r, n, func(*sysctlNode) bool { return true })
	}
	q, err := r.newNode()
	if err != nil {
		return err
	}
	if q.Desc != 0 {
		if err := s.setDesc(r, n, &q); err != nil {
			return err
		}
	}
	if err := s.replyDescs(r, n, func(c *sysctlNode) bool { return c.num == q.Num }); err != nil {
		return err
	}
	if r.oldLen == 0 {
		return abi.ENOENT
	}
	return nil
}

func (s *Sysctl) setDesc(r *SysctlRequest, n *sysctlNode, q *abi.Sysctlnode) error {
	if !r.T.Cred().Root() {
		return abi.EPERM
	}
	text, err := r.T.Mem.CopyInStr(q.Desc, maxDesc-abi.SizeofSysctldesc)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := n.child(q.Num)
	switch {
	case c == nil:
		return abi.ENOENT
	case q.Ver != 0 && q.Ver != c.ver:
		return abi.EINVAL
	case c.flags&abi.CTLFLAG_PERMANENT != 0 || c.desc != "":
		return abi.EPERM
	}
	c.desc = string(text)
	c.flags |= abi.CTLFLAG_OWNDESC
	return nil
}

// replyDescs answers with the descriptions of a node's children that want says; private ones are for the superuser.
func (s *Sysctl) replyDescs(r *SysctlRequest, n *sysctlNode, want func(*sysctlNode) bool) error {
	var b []byte
	r.oldLen = 0
	root := r.T.Cred().Root()
	s.mu.RLock()
	for _, c := range n.children {
		if !want(c) || c.flags&abi.CTLFLAG_PRIVATE != 0 && !root {
			continue
		}
		d := c.describe()
		if uint64(len(b)+len(d)) <= r.oldRoom {
			b = append(b, d...)
		}
		r.oldLen += uint64(len(d))
	}
	s.mu.RUnlock()
	return r.copyOut(b)
}

// describe is the node's description as the ABI has it: the structure's head, the text with its NUL, and padding to a
// multiple of 4.
func (n *sysctlNode) describe() []byte {
	text := min(len(n.desc), maxDesc-abi.SizeofSysctldesc-1)
	d := abi.Sysctldesc{Num: n.num, Ver: n.ver, Len: uint32(text + 1)}
	head := d.Append(nil)
	b := append(head[:sysctlDescStr], n.desc[:text]...)
	return append(b, make([]byte, (text+4)&^3-text)...)
}

// sysctlDescStr is the offset of the text in a structure sysctldesc, which ends with its first bytes.
const sysctlDescStr = abi.SizeofSysctldesc - 4

// mmap is CTL_MMAP, which no node has. Errors: EINVAL, ENOENT, EOPNOTSUPP.
func (s *Sysctl) mmap(r *SysctlRequest, n *sysctlNode) error {
	q, err := r.newNode()
	if err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n.child(q.Num) == nil {
		return abi.ENOENT
	}
	return abi.EOPNOTSUPP
}
