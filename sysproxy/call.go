package sysproxy

import (
	"bytes"

	"github.com/rumpctrl/rumpctrl/abi"
)

// MaxArgs is the number of arguments that a [Process] sees: more than any
// system call of NetBSD takes. A client may send fewer, the rest are zero.
const MaxArgs = 16

// What a range is lent for.
const (
	lentIn  = 1 << iota // the kernel may read it
	lentOut             // the kernel may write it
)

// span is a range of lent memory.
type span struct {
	addr uint64
	b    []byte
	mode uint8
}

// from returns what the span has at addr and after.
func (s *span) from(addr uint64) ([]byte, bool) {
	off := addr - s.addr
	if addr < s.addr || off > uint64(len(s.b)) {
		return nil, false
	}
	return s.b[off:], true
}

// at returns n bytes at addr, if the span has all of them.
func (s *span) at(addr uint64, n int) ([]byte, bool) {
	b, ok := s.from(addr)
	if !ok || n < 0 || n > len(b) {
		return nil, false
	}
	return b[:n:n], true
}

// Call is one system call and the memory that it lends to the kernel.
//
// Fill it in by Arg, In, Out and their like, hand it to [Transport.Do], then
// look at Err and Ret. It can be used again after Reset, and goes back to where
// NewCall found it by Free. From Do's beginning until its return the call and
// the memory it lends belong to Do; otherwise they belong to one goroutine.
type Call struct {
	Num int       // the system call's number, abi.SYS_*
	Ret [2]uint64 // after Do: the two return registers
	Err abi.Errno // after Do: the kernel's answer, 0 is success

	space   *AddressSpace
	args    []uint64
	lent    []span
	scratch []byte // where strings get their NUL

	req request // used by link
}

func newCall(s *AddressSpace) *Call {
	c := &Call{
		space: s,
		args:  make([]uint64, 0, MaxArgs),
		lent:  make([]span, 0, 8),
	}
	c.req.call = c
	return c
}

// Reset makes c an empty call of system call num. It forgets arguments, lent
// memory and results.
func (c *Call) Reset(num int) {
	c.Num, c.Ret, c.Err = num, [2]uint64{}, 0
	c.args = c.args[:0]
	clear(c.lent)
	c.lent = c.lent[:0]
	c.scratch = c.scratch[:0]
}

// Free gives the call back for use by another NewCall. The caller must not
// touch it again.
func (c *Call) Free() {
	c.Reset(0)
	c.space.calls.Put(c)
}

// Arg appends an argument, in the order of the NetBSD ABI's registers,
// including its padding arguments.
func (c *Call) Arg(v uint64) { c.args = append(c.args, v) }

// Args appends arguments.
func (c *Call) Args(v ...uint64) { c.args = append(c.args, v...) }

// Arguments returns the arguments so far. The slice is the call's own.
func (c *Call) Arguments() []uint64 { return c.args }

// In lends b to the kernel for reading and returns its address. An empty b
// has an address too, at which there is nothing.
func (c *Call) In(b []byte) uint64 { return c.lend(b, lentIn) }

// Out lends b to the kernel for writing and returns its address.
func (c *Call) Out(b []byte) uint64 { return c.lend(b, lentOut) }

// InOut lends b to the kernel for reading and writing and returns its address.
func (c *Call) InOut(b []byte) uint64 { return c.lend(b, lentIn|lentOut) }

// InString lends a copy of s, with a terminating NUL, for reading and returns
// its address.
func (c *Call) InString(s string) uint64 {
	start := len(c.scratch)
	c.scratch = append(c.scratch, s...)
	c.scratch = append(c.scratch, 0)
	return c.lend(c.scratch[start:len(c.scratch):len(c.scratch)], lentIn)
}

func (c *Call) lend(b []byte, mode uint8) uint64 {
	addr := c.space.reserve(len(b))
	c.lent = append(c.lent, span{addr: addr, b: b, mode: mode})
	return addr
}

// Lend returns n bytes at addr, which must all lie within one range that is
// lent for writing (or reading, if write is false). The slice is the client's
// memory itself.
func (c *Call) Lend(addr uint64, n int, write bool) ([]byte, bool) {
	mode := uint8(lentIn)
	if write {
		mode = lentOut
	}
	for i := range c.lent {
		if c.lent[i].mode&mode == 0 {
			continue
		}
		if b, ok := c.lent[i].at(addr, n); ok {
			return b, true
		}
	}
	return c.space.Mapped(addr, n)
}

// CopyIn reads len(p) bytes at addr, as the kernel does. Errors: EFAULT
// outside of what is lent for reading.
func (c *Call) CopyIn(addr uint64, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	b, ok := c.Lend(addr, len(p), false)
	if !ok {
		return abi.EFAULT
	}
	copy(p, b)
	return nil
}

// CopyInStr returns the string at addr with its NUL. The slice is the client's
// memory itself. Errors: ENAMETOOLONG if there is no NUL within max bytes,
// EFAULT outside of what is lent for reading.
func (c *Call) CopyInStr(addr uint64, max int) ([]byte, error) {
	b, ok := c.readable(addr)
	if !ok {
		return nil, abi.EFAULT
	}
	return cstring(b, max)
}

// lends tells whether a range of the call begins at, or has, addr.
func (c *Call) lends(addr uint64) bool {
	for i := range c.lent {
		if _, ok := c.lent[i].from(addr); ok {
			return true
		}
	}
	return false
}

// readable returns what is lent for reading from addr on.
func (c *Call) readable(addr uint64) ([]byte, bool) {
	for i := range c.lent {
		if c.lent[i].mode&lentIn == 0 {
			continue
		}
		if b, ok := c.lent[i].from(addr); ok {
			return b, true
		}
	}
	return c.space.mappedFrom(addr)
}

// cstring returns the beginning of b up to and with the first NUL. Errors:
// ENAMETOOLONG if limit bytes have none, EFAULT if b ends before.
func cstring(b []byte, limit int) ([]byte, error) {
	whole := len(b) >= limit
	if whole {
		b = b[:max(limit, 0)]
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[: i+1 : i+1], nil
	}
	if whole {
		return nil, abi.ENAMETOOLONG
	}
	return nil, abi.EFAULT
}

// CopyOut writes p to addr, as the kernel does. Errors: EFAULT outside of what
// is lent for writing; nothing is written then.
func (c *Call) CopyOut(addr uint64, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	b, ok := c.Lend(addr, len(p), true)
	if !ok {
		return abi.EFAULT
	}
	copy(b, p)
	return nil
}
