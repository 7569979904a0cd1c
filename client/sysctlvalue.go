package client

import (
	"encoding/binary"
	"iter"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
)

// firstRead is how much room a value gets before its length is known: more than nearly all need.
const firstRead = 1024

// read returns a value of any length.
func (t *Sysctl) read(mib []int32, value []byte) ([]byte, error) {
	b := make([]byte, firstRead)
	for {
		n, err := t.s.Sysctl(mib, b, value)
		if err == abi.ENOMEM && len(b) < maxSysctl {
			// It may be longer still by the next call.
			b = make([]byte, min(max(n+n/8, 2*len(b)), maxSysctl))
			continue
		}
		if err != nil {
			return nil, err
		}
		return b[:min(n, len(b))], nil
	}
}

// Get returns the value of a node. Errors: an abi.Errno.
func (t *Sysctl) Get(mib []int32) ([]byte, error) { return t.read(mib, nil) }

// Set sets the value of a node. Errors: an abi.Errno.
func (t *Sysctl) Set(mib []int32, value []byte) error {
	_, err := t.s.Sysctl(mib, nil, value)
	return err
}

// Swap sets the value of a node and returns the one before.
func (t *Sysctl) Swap(mib []int32, value []byte) ([]byte, error) { return t.read(mib, value) }

// Len returns the length that the kernel gives for a value.
func (t *Sysctl) Len(mib []int32) (int, error) { return t.s.Sysctl(mib, nil, nil) }

// The functions by name return *SysctlNameError, or a *fs.PathError with an abi.Errno.

// Bytes returns the value of a node.
func (t *Sysctl) Bytes(name string) ([]byte, error) {
	n, err := t.Lookup(name)
	if err != nil {
		return nil, err
	}
	b, err := t.Get(n.MIB)
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
