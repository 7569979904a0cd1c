package kern

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Sysctl is a kernel's tree of management information, sysctl(7): nodes with a number and a name, the inner ones of
// CTLTYPE_NODE, the others with a value. Components add theirs with Create when they attach and may take them out again
// with Destroy. All methods may be called from any goroutine.
//
// The tree itself is here; sysctl_call.go has the system call's side, sysctl_value.go the kinds of values.
type Sysctl struct {
	mu      sync.RWMutex
	root    *sysctlNode
	nextNum int32  // the last number that was given for CTL_CREATE
	ver     uint32 // counts the changes of the tree
	made    int    // nodes made by processes
}

// SysctlNode describes a node that the kernel or a component adds to the tree.
type SysctlNode struct {
	// Path is the whole name: "kern.pipe.maxkvasz". The nodes above must be there.
	Path string
	// Num is the node's number among its siblings, or abi.CTL_CREATE for the next free one above CREATE_BASE.
	Num int32
	// Flags are CTLFLAG_* bits. CTLFLAG_READWRITE is added where the value can be stored, CTLFLAG_IMMEDIATE where
	// it is a constant number.
	Flags uint32
	// Desc describes it to sysctl -d; may be empty.
	Desc string
	// Value is what the node holds. Nil makes a CTLTYPE_NODE.
	Value *SysctlValue
	// Handler, when not nil, serves all requests whose name begins with the node's, except CTL_QUERY and CTL_DESCRIBE: for a
	// table whose further names are not nodes (net.route.0.0.1.0). Value then says type and size, and is not called.
	Handler SysctlHandler
}

// SysctlHandler serves a request: r.Name is what follows the node's own name. It answers with Reply.
type SysctlHandler func(r *SysctlRequest) error

// sysctlNode is a node of the tree; all its fields but desc are constant once it is in, except those that count children.
type sysctlNode struct {
	num      int32
	name     string
	flags    uint32 // CTLFLAG_* and the type
	ver      uint32
	size     uint64
	desc     string
	value    *SysctlValue
	handler  SysctlHandler
	parent   *sysctlNode
	children []*sysctlNode // by number
	csize    uint32        // room for children, as the original would have it
	made     bool          // by a process
}

func (n *sysctlNode) typ() uint32 { return n.flags & abi.SYSCTL_TYPEMASK }

// Sysctl is the kernel's tree of management information.
func (k *Kernel) Sysctl() *Sysctl { return &k.sysctl }

// createBase is the last number below those that CTL_CREATE gives, CREATE_BASE of sysctl(9).
const createBase = 1024

func (s *Sysctl) init() {
	s.root = &sysctlNode{flags: abi.CTLFLAG_PERMANENT | abi.CTLFLAG_ROOT | abi.CTLFLAG_READWRITE | abi.CTLTYPE_NODE}
	s.nextNum = createBase
}

// Create adds nodes, in order. A CTLTYPE_NODE that is there already is left as it is.
//
// Errors: an error that names the node and wraps ENOENT when there is no parent, ENOTDIR when it is not a
// CTLTYPE_NODE, EEXIST when number or name are taken, EINVAL for a bad name or number.
func (s *Sysctl) Create(nodes ...SysctlNode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range nodes {
		if err := s.create(d); err != nil {
			return fmt.Errorf("sysctl %s: %w", d.Path, err)
		}
	}
	return nil
}

// create adds one node; called with the lock held.
func (s *Sysctl) create(d SysctlNode) error {
	dir, name := "", d.Path
	if i := strings.LastIndexByte(d.Path, '.'); i >= 0 {
		dir, name = d.Path[:i], d.Path[i+1:]
	}
	parent, err := s.byPath(dir)
	if err != nil {
		return err
	}
	n := &sysctlNode{num: d.Num, name: name, flags: d.Flags, desc: d.Desc, value: d.Value, handler: d.Handler}
	n.describeValue()
	if old := parent.childNamed(name); old != nil && d.Value == nil && old.typ() == abi.CTLTYPE_NODE {
		return nil
	}
	return s.insert(parent, n)
}

// describeValue sets the type, size and flags that follow from the value.
func (n *sysctlNode) describeValue() {
	if n.value == nil {
		n.flags |= abi.CTLTYPE_NODE
		n.size = abi.SizeofSysctlnode
		return
	}
	n.flags |= n.value.Type
	n.size = uint64(n.value.Size)
	if n.value.Store != nil {
		n.flags |= abi.CTLFLAG_READWRITE
	}
	if n.value.constant {
		n.flags |= abi.CTLFLAG_IMMEDIATE
	}
}

// insert puts a node below its parent; called with the lock held. Errors: ENOTDIR, EEXIST, EINVAL.
func (s *Sysctl) insert(parent, n *sysctlNode) error {
	if parent.typ() != abi.CTLTYPE_NODE {
		return abi.ENOTDIR
	}
	if !validSysctlName(n.name) || n.num < 0 && n.num != abi.CTL_CREATE {
		return abi.EINVAL
	}
	for _, c := range parent.children {
		if (n.flags|c.flags)&abi.CTLFLAG_ANYNUMBER != 0 {
			return abi.EINVAL
		}
		if c.num == n.num || c.name == n.name {
			return abi.EEXIST
		}
	}
	if n.num == abi.CTL_CREATE {
		s.nextNum++
		for parent.child(s.nextNum) != nil {
			s.nextNum++
		}
		n.num = s.nextNum
	}
	n.parent = parent
	parent.children = append(parent.children, n)
	slices.SortFunc(parent.children, func(a, b *sysctlNode) int { return int(a.num) - int(b.num) })
	parent.grow(n.flags&abi.CTLFLAG_ANYNUMBER != 0)
	s.changed(n)
	return nil
}

// grow gives room for the children there are: eight places at first, then twice as many, or the only one.
func (n *sysctlNode) grow(single bool) {
	switch {
	case single:
		n.csize = 1
	case n.csize == 0:
		n.csize = abi.SYSCTL_DEFSIZE
	case len(n.children) > int(n.csize):
		n.csize *= 2
	}
}

// changed gives a node and those above it the tree's next version; called with the lock held.
func (s *Sysctl) changed(n *sysctlNode) {
	s.ver++
	for ; n != nil; n = n.parent {
		n.ver = s.ver
	}
}

// validSysctlName says whether a name has letters, digits, '-' and '_' alone, does not begin with a digit and is not
// too long.
func validSysctlName(name string) bool {
	if name == "" || len(name) >= abi.SYSCTL_NAMELEN || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func (n *sysctlNode) child(num int32) *sysctlNode {
	i, ok := slices.BinarySearchFunc(n.children, num, func(c *sysctlNode, num int32) int { return int(c.num) - int(num) })
	if !ok {
		return nil
	}
	return n.children[i]
}

func (n *sysctlNode) childNamed(name string) *sysctlNode {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// byPath finds a node by name, "" being the root; called with the lock held. Errors: ENOENT.
func (s *Sysctl) byPath(path string) (*sysctlNode, error) {
	n := s.root
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, ".")
		if n = n.childNamed(name); n == nil {
			return nil, abi.ENOENT
		}
	}
	return n, nil
}

// MIB is a node's number with those of the nodes above it, from the root down. Errors: ENOENT.
func (s *Sysctl) MIB(path string) ([]int32, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, err := s.byPath(path)
	if err != nil {
		return nil, err
	}
	var mib []int32
	for ; n.parent != nil; n = n.parent {
		mib = append(mib, n.num)
	}
	slices.Reverse(mib)
	return mib, nil
}

// Value reads a node's value for the kernel itself, whatever the rights of t's process; strings have their NUL.
//
// Errors: ENOENT for a node that is not there or has no value; those of the value.
func (s *Sysctl) Value(t *Thread, path string) ([]byte, error) {
	s.mu.RLock()
	n, err := s.byPath(path)
	var v *SysctlValue
	if err == nil {
		v = n.value
	}
	s.mu.RUnlock()
	if v == nil || v.Load == nil {
		return nil, abi.ENOENT
	}
	return v.Load(&SysctlRequest{T: t})
}

// Destroy takes out a node with all below it. Errors: ENOENT.
func (s *Sysctl) Destroy(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.byPath(path)
	if err != nil || n.parent == nil {
		return abi.ENOENT
	}
	s.remove(n)
	return nil
}

// remove takes out a node; called with the lock held.
func (s *Sysctl) remove(n *sysctlNode) {
	p := n.parent
	p.children = slices.DeleteFunc(p.children, func(c *sysctlNode) bool { return c == n })
	if len(p.children) == 0 {
		p.csize = 0
	}
	if n.made {
		s.made--
	}
	s.changed(p)
}

// locate goes down the tree as far as the numbers lead, and says how many of them it used.
//
// Errors: ENOENT, ENOTDIR when there are numbers beyond a value, EPERM below a private node. The node and the
// count are valid with ENOENT and ENOTDIR too.
func (s *Sysctl) locate(mib []int32, cred *Cred) (*sysctlNode, int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.root
	for i, num := range mib {
		if n.typ() != abi.CTLTYPE_NODE {
			return n, i, abi.ENOTDIR
		}
		if n.flags&abi.CTLFLAG_PRIVATE != 0 && !cred.Root() {
			return n, i, abi.EPERM
		}
		c := n.child(num)
		if c == nil && num >= 0 && len(n.children) == 1 && n.children[0].flags&abi.CTLFLAG_ANYNUMBER != 0 {
			c = n.children[0]
		}
		if c == nil {
			return n, i, abi.ENOENT
		}
		n = c
	}
	return n, len(mib), nil
}

// wire is the node as the ABI has it. The original's pointers are all zero. Called with the lock held.
func (n *sysctlNode) wire(r *SysctlRequest) abi.Sysctlnode {
	w := abi.Sysctlnode{Flags: abi.SYSCTL_VERSION | n.flags, Num: n.num, Ver: n.ver, Size: n.size}
	abi.PutCString(w.Name[:], n.name)
	switch {
	case n.typ() == abi.CTLTYPE_NODE:
		w.SetChildCsize(n.csize)
		w.SetChildClen(uint32(len(n.children)))
	case n.flags&abi.CTLFLAG_IMMEDIATE != 0:
		if b, err := n.value.Load(r); err == nil {
			copy(w.Un[:], b)
		}
	}
	return w
}
