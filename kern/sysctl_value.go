package kern

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
)

// SysctlValue is what a node of the tree holds: a type, and how it is read and written, in the form of the ABI (ints of
// 4 bytes, quads of 8, strings with a NUL).
type SysctlValue struct {
	// Type is one of abi.CTLTYPE_*.
	Type uint32
	// Size is what the node says that the value takes, in bytes; what can be stored must have just this size, strings with
	// their NUL at most. 0 where it varies.
	Size int
	// Load reads the value.
	Load func(r *SysctlRequest) ([]byte, error)
	// Store writes it; nil makes it read only. b has Size bytes, or for CTLTYPE_STRING the text without a NUL; it is 0 or 1
	// for CTLTYPE_BOOL.
	Store func(r *SysctlRequest, b []byte) error

	constant bool // a number that is part of the node
}

// SysctlConst is a constant int.
func SysctlConst(v int32) *SysctlValue {
	b := le.AppendUint32(nil, uint32(v))
	return &SysctlValue{Type: abi.CTLTYPE_INT, Size: 4, constant: true,
		Load: func(*SysctlRequest) ([]byte, error) { return b, nil }}
}

// SysctlConstQuad is a constant quad.
func SysctlConstQuad(v int64) *SysctlValue {
	b := le.AppendUint64(nil, uint64(v))
	return &SysctlValue{Type: abi.CTLTYPE_QUAD, Size: 8, constant: true,
		Load: func(*SysctlRequest) ([]byte, error) { return b, nil }}
}

// SysctlText is a constant string.
func SysctlText(s string) *SysctlValue {
	b := append([]byte(s), 0)
	return &SysctlValue{Type: abi.CTLTYPE_STRING, Size: len(b),
		Load: func(*SysctlRequest) ([]byte, error) { return b, nil }}
}

// SysctlInt is an int that get reads and set writes; without set it cannot be written.
func SysctlInt(get func(r *SysctlRequest) (int32, error), set func(r *SysctlRequest, v int32) error) *SysctlValue {
	v := &SysctlValue{Type: abi.CTLTYPE_INT, Size: 4, Load: func(r *SysctlRequest) ([]byte, error) {
		i, err := get(r)
		return le.AppendUint32(nil, uint32(i)), err
	}}
	if set != nil {
		v.Store = func(r *SysctlRequest, b []byte) error { return set(r, int32(le.Uint32(b))) }
	}
	return v
}

// SysctlQuad is a quad that get reads and set writes; without set it cannot be written.
func SysctlQuad(get func(r *SysctlRequest) (int64, error), set func(r *SysctlRequest, v int64) error) *SysctlValue {
	v := &SysctlValue{Type: abi.CTLTYPE_QUAD, Size: 8, Load: func(r *SysctlRequest) ([]byte, error) {
		i, err := get(r)
		return le.AppendUint64(nil, uint64(i)), err
	}}
	if set != nil {
		v.Store = func(r *SysctlRequest, b []byte) error { return set(r, int64(le.Uint64(b))) }
	}
	return v
}

// SysctlIntVar is an int variable that can be written, from lo to hi. Errors of writing: EINVAL.
func SysctlIntVar(p *atomic.Int32, lo, hi int32) *SysctlValue {
	return SysctlInt(func(*SysctlRequest) (int32, error) { return p.Load(), nil },
		func(_ *SysctlRequest, v int32) error {
			if v < lo || v > hi {
				return abi.EINVAL
			}
			p.Store(v)
			return nil
		})
}

// SysctlBoolVar is a bool variable that can be written.
func SysctlBoolVar(p *atomic.Bool) *SysctlValue {
	return &SysctlValue{Type: abi.CTLTYPE_BOOL, Size: 1,
		Load: func(*SysctlRequest) ([]byte, error) {
			if p.Load() {
				return []byte{1}, nil
			}
			return []byte{0}, nil
		},
		Store: func(_ *SysctlRequest, b []byte) error { p.Store(b[0] != 0); return nil }}
}

// SysctlString is a string of at most size-1 bytes that get reads and set writes; without set it cannot be written.
func SysctlString(size int, get func(r *SysctlRequest) (string, error), set func(r *SysctlRequest, s string) error) *SysctlValue {
	v := &SysctlValue{Type: abi.CTLTYPE_STRING, Size: size, Load: func(r *SysctlRequest) ([]byte, error) {
		s, err := get(r)
		return append([]byte(s), 0), err
	}}
	if set != nil {
		v.Store = func(r *SysctlRequest, b []byte) error { return set(r, string(b)) }
	}
	return v
}

// SysctlStruct is a structure, or an array of them, that get reads; size 0 where it varies.
func SysctlStruct(size int, get func(r *SysctlRequest) ([]byte, error)) *SysctlValue {
	return &SysctlValue{Type: abi.CTLTYPE_STRUCT, Size: size, Load: get}
}

// textVar is a string variable.
type textVar struct {
	mu sync.Mutex
	s  string
}

func (v *textVar) get() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.s
}

func (v *textVar) set(s string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.s = s
}

// value is the variable as a node's value of at most size-1 bytes.
func (v *textVar) value(size int) *SysctlValue {
	return SysctlString(size, func(*SysctlRequest) (string, error) { return v.get(), nil },
		func(_ *SysctlRequest, s string) error { v.set(s); return nil })
}

// ownedValue is the value of a node that a process has made: bytes of the node's own.
type ownedValue struct {
	mu sync.Mutex
	b  []byte // strings without a NUL
}

// value is the bytes as a node's value; they can be written where the node's flags say so.
func (o *ownedValue) value(typ uint32, size int, writable bool) *SysctlValue {
	v := &SysctlValue{Type: typ, Size: size, Load: func(*SysctlRequest) ([]byte, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		b := slices.Clone(o.b)
		if typ == abi.CTLTYPE_STRING {
			b = append(b, 0)
		}
		return b, nil
	}}
	if writable {
		v.Store = func(_ *SysctlRequest, b []byte) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.b = slices.Clone(b)
			return nil
		}
	}
	return v
}
