package client

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// Sys has the system calls of a process, by their names in section 2 of the
// manual where there is one, with the flags and structures of package abi. Errors are
// an abi.Errno, or what broke the connection. Memory that is passed to a
// call belongs to it until it returns. A string with a NUL inside is EINVAL.
type Sys struct {
	t   sysproxy.Transport
	buf scratches
}

// request is a system call in the making. The methods that add arguments are
// called in the order of the arguments; val, do and their like end it.
type request struct {
	t    sysproxy.Transport
	c    *sysproxy.Call
	err  error
	made bool // the call has been made already: see together
}

func (s *Sys) request(num int) request {
	return request{t: s.t, c: s.t.NewCall(num)}
}

// int adds a 32-bit argument. As in C, nothing is said of the register's upper half.
func (r *request) int(v int) { r.c.Arg(uint64(uint32(v))) }

// word adds a 64-bit argument.
func (r *request) word(v uint64) { r.c.Arg(v) }

// off adds a file offset, which the ABI aligns with a register of padding.
func (r *request) off(v int64) {
	r.c.Arg(0)
	r.c.Arg(uint64(v))
}

// path adds the address of a string.
func (r *request) path(s string) {
	if strings.IndexByte(s, 0) >= 0 {
		r.err = abi.EINVAL
		return
	}
	r.c.Arg(r.c.InString(s))
}

// in adds the address and the length of what the kernel reads.
func (r *request) in(b []byte) {
	r.c.Arg(r.c.In(b))
	r.c.Arg(uint64(len(b)))
}

// out adds the address and the length of what the kernel writes.
func (r *request) out(b []byte) {
	r.c.Arg(r.c.Out(b))
	r.c.Arg(uint64(len(b)))
}

// src adds the address of what the kernel reads, or null if b is nil.
func (r *request) src(b []byte) {
	if b == nil {
		r.c.Arg(0)
		return
	}
	r.c.Arg(r.c.In(b))
}

// dst adds the address of what the kernel writes, or null if b is nil.
func (r *request) dst(b []byte) {
	if b == nil {
		r.c.Arg(0)
		return
	}
	r.c.Arg(r.c.Out(b))
}

// inout adds the address of what the kernel reads and writes.
func (r *request) inout(b []byte) { r.c.Arg(r.c.InOut(b)) }

// pair makes the call and returns both return registers.
func (r *request) pair() (uint64, uint64, error) {
	err := r.err
	if err == nil && !r.made {
		err = r.t.Do(r.c)
	}
	if err == nil && r.c.Err != 0 {
		err = r.c.Err
	}
	r0, r1 := r.c.Ret[0], r.c.Ret[1]
	r.c.Free()
	r.c = nil
	if err != nil {
		return 0, 0, err
	}
	return r0, r1, nil
}

// val makes the call and returns the first return register.
func (r *request) val() (uint64, error) {
	v, _, err := r.pair()
	return v, err
}

// num makes a call that returns an int: a descriptor, a count, an identifier.
func (r *request) num() (int, error) {
	v, err := r.val()
	if err != nil {
		return -1, err
	}
	return int(int32(v)), nil
}

// size makes a call that returns a count of bytes of a buffer of max bytes. A
// kernel that claims more has broken the protocol.
func (r *request) size(max int) (int, error) {
	v, err := r.val()
	if err != nil {
		return 0, err
	}
	if v > uint64(max) {
		return 0, errCount
	}
	return int(v), nil
}

// do makes a call that returns nothing but its error.
func (r *request) do() error {
	_, err := r.val()
	return err
}

// errCount says that the kernel returned more than was asked for.
var errCount = &sysproxy.ProtocolError{What: "a call returned more than it was asked for"}

// Lender lends memory to the kernel for the time of one call and says under which
// address, for structures that hold addresses.
type Lender interface {
	In(b []byte) uint64       // for reading
	Out(b []byte) uint64      // for writing
	InOut(b []byte) uint64    // for both
	InString(s string) uint64 // for reading, with a NUL at the end
}

var _ Lender = (*sysproxy.Call)(nil)

// fail makes the call end with err before it is made, if err is not nil.
func (r *request) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// errno makes a call whose result is its error's number.
func (r *request) errno() error {
	n, err := r.num()
	if err == nil && n != 0 {
		err = abi.Errno(n)
	}
	return err
}

// plain makes a call without arguments or result.
func (s *Sys) plain(num int) error {
	r := s.request(num)
	return r.do()
}

// onFD makes a call with a descriptor and no more.
func (s *Sys) onFD(num, fd int) error {
	r := s.request(num)
	r.int(fd)
	return r.do()
}

// onPath makes a call with a path, and a word where the call takes one.
func (s *Sys) onPath(num int, path string, args ...uint64) error {
	r := s.request(num)
	r.path(path)
	r.c.Args(args...)
	return r.do()
}

// onPaths makes a call with two paths.
func (s *Sys) onPaths(num int, a, b string) error {
	r := s.request(num)
	r.path(a)
	r.path(b)
	return r.do()
}

// ints makes a call with 32-bit arguments.
func (s *Sys) ints(num int, args ...int) error {
	_, err := s.number(num, args...)
	return err
}

// number makes a call with 32-bit arguments and a result.
func (s *Sys) number(num int, args ...int) (int, error) {
	r := s.request(num)
	for _, v := range args {
		r.int(v)
	}
	return r.num()
}
