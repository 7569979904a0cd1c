// Package abi has NetBSD's numbers and layouts: constants, error numbers with
// their texts, ioctl requests, the system call table and the structures that
// pass between a process and a kernel, each with its size and with methods
// that encode and decode it.
//
// Everything in the files named z*.go is generated from netbsd-amd64.json,
// which was measured with a compiler, and extra.json, which has what
// measuring does not give (texts above all). structs.txt says which
// structures are generated. The package has no behaviour of a kernel or a
// client and imports nothing of ours.
//
// Start reading at [Errno], [Syscall] and [Ioctl]; a typical structure is
// [Stat].
package abi

//go:generate go run ../internal/abigen -data netbsd-amd64.json

import "errors"

// ErrShort is returned by the Encode and Decode methods if the buffer is
// shorter than the structure.
var ErrShort = errors.New("abi: buffer shorter than the structure")

// CString returns the text in b up to the first NUL, or all of b.
func CString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// PutCString fills b with s and zeroes. A text that does not fit is cut short,
// so that b always ends with a NUL.
func PutCString(b []byte, s string) {
	if len(b) == 0 {
		return
	}
	n := copy(b[:len(b)-1], s)
	clear(b[n:])
}

// boolByte is a C _Bool.
func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}
