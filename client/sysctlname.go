package client

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Sysctl is the kernel's sysctl tree: nodes with names, numbers, types and values, as sysctl(7) and
// sysctl(3) describe it. What it has learned of names it keeps; a name that is not found
// is looked for afresh.
type Sysctl struct {
	s *Sys

	mu       sync.Mutex
	children map[string][]abi.Sysctlnode // by the parent's MIB, in bytes
}

// Sysctl returns the kernel's sysctl tree.
func (p *Process) Sysctl() *Sysctl { return &p.tree }

// SysctlNode is a node of the tree and where it is.
type SysctlNode struct {
	abi.Sysctlnode
	MIB  []int32 // its number and those above it
	Path string  // its name and those above it, separated as they were when it was looked up
}

// Type returns the node's type, abi.CTLTYPE_*.
func (n *SysctlNode) Type() int { return int(n.Flags & abi.SYSCTL_TYPEMASK) }

// Has tells whether all of the flags abi.CTLFLAG_* are set.
func (n *SysctlNode) Has(flags uint32) bool { return n.Flags&flags == flags }

// NodeName returns the node's own name.
func (n *SysctlNode) NodeName() string { return abi.CString(n.Name[:]) }

// SysctlNameError says which part of a name is wrong.
type SysctlNameError struct {
	Name  string    // all of it
	Part  string    // that is wrong
	Level int       // of the part, 0 is the top
	Err   abi.Errno // ENOENT, ENOTDIR, ENAMETOOLONG, ERANGE, EINVAL
}

// Error returns the text that sysctl(8) prints.
func (e *SysctlNameError) Error() string {
	return fmt.Sprintf("%s level name '%s' in '%s' is invalid", ordinal(e.Level), e.Part, e.Name)
}

func (e *SysctlNameError) Unwrap() error { return e.Err }

// ordinal returns the name of a level.
func ordinal(level int) string {
	names := [...]string{
		"top", "second", "third", "fourth", "fifth", "sixth",
		"seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
	}
	if level < len(names) {
		return names[level]
	}
	return strconv.Itoa(level + 1)
}

// Forget drops what is known of names.
func (t *Sysctl) Forget() {
	t.mu.Lock()
	t.children = nil
	t.mu.Unlock()
}

// Separator returns what separates the parts of a name: '.' or '/', whichever comes first in it.
func Separator(name string) string {
	if i := strings.IndexAny(name, "./"); i >= 0 {
		return name[i : i+1]
	}
	return "."
}

// Lookup returns the node of a name: "kern.hostname", "/kern/hostname", or with
// numbers for names, "1.10". Errors: *SysctlNameError.
func (t *Sysctl) Lookup(name string) (*SysctlNode, error) {
	n, fresh, err := t.lookup(name)
	if err != nil && !fresh {
		t.Forget()
		n, _, err = t.lookup(name)
	}
	return n, err
}

// lookup is Lookup. It also tells whether all that it saw came from the kernel now.
func (t *Sysctl) lookup(name string) (n *SysctlNode, fresh bool, err error) {
	sep := Separator(name)
	rest := strings.TrimPrefix(name, sep)
	n, fresh = t.root(), true
	if len(rest) < len(name) {
		n.Path = sep
	}
	for level := 0; rest != ""; level++ {
		var part string
		part, rest, _ = strings.Cut(rest, sep)
		known, errno := t.step(n, part, sep)
		fresh = fresh && !known
		if errno != 0 {
			return nil, fresh, &SysctlNameError{name, part, level, errno}
		}
	}
	if len(n.MIB) == 0 {
		return nil, fresh, &SysctlNameError{name, "", 0, abi.EINVAL}
	}
	return n, fresh, nil
}

// root returns the root of the tree, which has no number.
func (t *Sysctl) root() *SysctlNode {
	n := new(SysctlNode)
	n.Flags = abi.SYSCTL_VERSION | abi.CTLFLAG_ROOT | abi.CTLTYPE_NODE
	n.Sysctlnode.Size = abi.SizeofSysctlnode
	return n
}

// step goes from a node to the one of its children that part names. It tells whether the children
// were known before.
func (t *Sysctl) step(n *SysctlNode, part, sep string) (known bool, errno abi.Errno) {
	num, isNum := mibNumber(part)
	switch {
	case len(part) >= abi.SYSCTL_NAMELEN:
		return false, abi.ENAMETOOLONG
	case len(n.MIB) == abi.CTL_MAXNAME-1:
		return false, abi.ERANGE
	case n.Type() == abi.CTLTYPE_NODE:
	case isNum && len(n.MIB) > 0:
		n.enter(num, part, sep)
		return false, 0
	default:
		return false, abi.ENOTDIR
	}
	list, known, err := t.known(n.MIB)
	if err != nil {
		return known, abi.ToErrno(err)
	}
	for i := range list {
		c := &list[i]
		name := abi.CString(c.Name[:])
		switch {
		case name == part || isNum && num == c.Num:
			n.enter(c.Num, name, sep)
		case isNum && c.Flags&abi.CTLFLAG_ANYNUMBER != 0:
			n.enter(num, part, sep)
		default:
			continue
		}
		n.Sysctlnode = *c
		return known, 0
	}
	return known, abi.ENOENT
}

// enter appends a number and a name.
func (n *SysctlNode) enter(num int32, name, sep string) {
	if len(n.MIB) > 0 {
		n.Path += sep
	}
	n.Path += name
	n.MIB = append(n.MIB, num)
}

// mibNumber reads a number as strtoimax(3) with base 0 does, if it fits a MIB.
func mibNumber(s string) (int32, bool) {
	digits := strings.TrimLeft(s, "+-")
	if strings.Contains(s, "_") || len(digits) > 1 && digits[0] == '0' && strings.ContainsAny(digits[1:2], "bBoO") {
		return 0, false // numbers in Go, not in C
	}
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxUint32 {
		return 0, false
	}
	return int32(n), true
}

// Children returns the nodes below a node, sorted by number; below the root with an empty mib.
// Errors: ENOTDIR, ENOENT.
func (t *Sysctl) Children(mib []int32) ([]abi.Sysctlnode, error) {
	list, err := t.query(mib)
	if err == nil {
		t.remember(mib, list)
	}
	return list, err
}

// known returns the nodes below a node, from memory if they are there.
func (t *Sysctl) known(mib []int32) (list []abi.Sysctlnode, known bool, err error) {
	t.mu.Lock()
	list, known = t.children[mibKey(mib)]
	t.mu.Unlock()
	if !known {
		list, err = t.Children(mib)
	}
	return list, known, err
}

func (t *Sysctl) remember(mib []int32, list []abi.Sysctlnode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.children == nil {
		t.children = make(map[string][]abi.Sysctlnode)
	}
	t.children[mibKey(mib)] = list
}

func mibKey(mib []int32) string { return string(appendMIB(nil, mib)) }

// queryRoom is room for the nodes below most others.
const queryRoom = 32 * abi.SizeofSysctlnode

// query asks the kernel for the nodes below a node.
func (t *Sysctl) query(mib []int32) ([]abi.Sysctlnode, error) {
	q := abi.Sysctlnode{Flags: abi.SYSCTL_VERSION}
	b, err := t.read(append(slices.Clip(mib), abi.CTL_QUERY), queryRoom, q.Append(nil))
	if err != nil {
		return nil, err
	}
	list := make([]abi.Sysctlnode, len(b)/abi.SizeofSysctlnode)
	for i := range list {
		if err := list[i].Decode(b[i*abi.SizeofSysctlnode:]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b abi.Sysctlnode) int { return cmp.Compare(a.Num, b.Num) })
	return list, nil
}
