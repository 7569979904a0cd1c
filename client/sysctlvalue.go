package client

import (
	"encoding/binary"
	"iter"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
)

// firstRead is how much room a value gets before its length is known: more than nearly all need.
const firstRead = 1024

// room returns how much room the value of a node gets at first. Numbers get what they need: there are
// some of which a caller can have more if he asks for it.
func (n *SysctlNode) room() int {
	switch n.Type() {
	case abi.CTLTYPE_INT, abi.CTLTYPE_BOOL, abi.CTLTYPE_QUAD:
		if n.Size <= 8 {
			return int(n.Size)
		}
	}
	return int(max(firstRead, min(n.Size, maxSysctl)))
}

// read returns a value of any length. room is for the first try, in is what a query takes.
func (t *Sysctl) read(mib []int32, room int, in []byte) ([]byte, error) {
	b := make([]byte, room)
	for {
		n, err := t.s.Sysctl(mib, b, in)
		if err == abi.ENOMEM && len(b) < maxSysctl {
			// It may be longer still by the next call.
			b = make([]byte, min(max(n+n/8, 2*len(b), firstRead), maxSysctl))
			continue
		}
		if err != nil {
			return nil, err
		}
		return b[:min(n, len(b))], nil
	}
}

// Get returns a value by its numbers, without a look at the node. Errors: an abi.Errno.
func (t *Sysctl) Get(mib []int32) ([]byte, error) { return t.read(mib, firstRead, nil) }

// Set sets a value by its numbers. Errors: an abi.Errno.
func (t *Sysctl) Set(mib []int32, value []byte) error {
	_, err := t.s.Sysctl(mib, nil, value)
	return err
}

// Value returns the value of a node. Errors: an abi.Errno.
func (t *Sysctl) Value(n *SysctlNode) ([]byte, error) { return t.read(n.MIB, n.room(), nil) }

// Swap sets the value of a node and returns the one before, cut short if that grew in the meantime.
func (t *Sysctl) Swap(n *SysctlNode, value []byte) ([]byte, error) {
	room := n.room()
	if n.Size == 0 {
		size, err := t.Len(n)
		if err != nil {
			return nil, err
		}
		room = size
	}
	b := make([]byte, room)
	size, err := t.s.Sysctl(n.MIB, b, value)
	if err != nil && err != abi.ENOMEM { // ENOMEM is said of the old value; the new one is set
		return nil, err
	}
	return b[:min(size, len(b))], nil
}

// Len returns the length that the kernel gives for a value.
func (t *Sysctl) Len(n *SysctlNode) (int, error) { return t.s.Sysctl(n.MIB, nil, nil) }

// The functions by name return *SysctlNameError, or a *fs.PathError with an abi.Errno.

// Bytes returns the value of a node.
func (t *Sysctl) Bytes(name string) ([]byte, error) {
	n, err := t.Lookup(name)
	if err != nil {
		return nil, err
	}
	b, err := t.Value(n)
	return b, pathError("sysctl", name, err)
}

// String returns the value of a string node.
func (t *Sysctl) String(name string) (string, error) {
	b, err := t.Bytes(name)
	return abi.CString(b), err
}

// Int64 returns the value of a number or a boolean; an int is sign-extended. Errors: EINVAL if the
// value has another length than these.
func (t *Sysctl) Int64(name string) (int64, error) {
	b, err := t.Bytes(name)
	if err != nil {
		return 0, err
	}
	v, ok := number(b)
	if !ok {
		return 0, pathError("sysctl", name, abi.EINVAL)
	}
	return v, nil
}

// Int is Int64 as an int.
func (t *Sysctl) Int(name string) (int, error) {
	v, err := t.Int64(name)
	return int(v), err
}

// number decodes a bool, an int or a quad by its length.
func number(b []byte) (int64, bool) {
	switch len(b) {
	case 1:
		return int64(b[0]), true
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case 8:
		return int64(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}

// SetBytes sets the value of a node.
func (t *Sysctl) SetBytes(name string, value []byte) error {
	n, err := t.Lookup(name)
	if err != nil {
		return err
	}
	return pathError("sysctl", name, t.Set(n.MIB, value))
}

// SetString sets the value of a string node.
func (t *Sysctl) SetString(name, value string) error {
	return t.SetBytes(name, append([]byte(value), 0))
}

// SetInt64 sets the value of a number or a boolean, in the length that the node's type has. Errors:
// EINVAL for other types, ERANGE.
func (t *Sysctl) SetInt64(name string, value int64) error {
	n, err := t.Lookup(name)
	if err != nil {
		return err
	}
	b, errno := encodeNumber(n.Type(), value)
	if errno != 0 {
		return pathError("sysctl", name, errno)
	}
	return pathError("sysctl", name, t.Set(n.MIB, b))
}

func encodeNumber(typ int, v int64) ([]byte, abi.Errno) {
	switch typ {
	case abi.CTLTYPE_BOOL:
		if v != 0 && v != 1 {
			return nil, abi.ERANGE
		}
		return []byte{byte(v)}, 0
	case abi.CTLTYPE_INT:
		if v != int64(int32(v)) && v != int64(uint32(v)) {
			return nil, abi.ERANGE
		}
		return binary.LittleEndian.AppendUint32(nil, uint32(v)), 0
	case abi.CTLTYPE_QUAD:
		return binary.LittleEndian.AppendUint64(nil, uint64(v)), 0
	}
	return nil, abi.EINVAL
}

// Walk yields a node and all that are below it, each before its children and these by number; with an
// empty name, all nodes there are. A node whose children cannot be had comes again, with
// the error. Aliases have no children.
func (t *Sysctl) Walk(name string) iter.Seq2[*SysctlNode, error] {
	return func(yield func(*SysctlNode, error) bool) {
		n := t.root()
		if name != "" {
			var err error
			if n, err = t.Lookup(name); err != nil {
				yield(nil, err)
				return
			}
			if !yield(n, nil) {
				return
			}
		}
		t.walk(n, Separator(name), yield)
	}
}

func (t *Sysctl) walk(n *SysctlNode, sep string, yield func(*SysctlNode, error) bool) bool {
	if n.Type() != abi.CTLTYPE_NODE || n.Has(abi.CTLFLAG_ALIAS) {
		return true
	}
	list, err := t.Children(n.MIB)
	if err != nil {
		return yield(n, err)
	}
	for i := range list {
		c := n.Child(&list[i], sep)
		if !yield(c, nil) || !t.walk(c, sep, yield) {
			return false
		}
	}
	return true
}

// Child returns a node below n, one of those that Children returned.
func (n *SysctlNode) Child(c *abi.Sysctlnode, sep string) *SysctlNode {
	d := &SysctlNode{Sysctlnode: *c, MIB: slices.Clone(n.MIB), Path: n.Path}
	d.enter(c.Num, abi.CString(c.Name[:]), sep)
	return d
}
