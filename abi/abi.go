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
// # Names
//
// Constants have their C names without leading underscores; X_ stands before
// a name that would begin with a small letter or that another constant has
// (_S_IFDIR is X_S_IFDIR). Error numbers are of type [Errno], all others are
// untyped. A constant of an unsigned 64-bit type (NODEV, UINT64_MAX) is
// positive and fits in a uint64 only.
//
// Structures have their C tag in CamelCase, and so have fields, without the
// prefix that all of them share: st_birthtim of struct stat is Stat.Birthtim.
//
//   - Integers have C's size and sign, pointers are integers.
//   - Characters are byte arrays; see [CString] and [PutCString].
//   - A union is a byte array with accessors for its members (Ifreq.Flags,
//     Ifreq.SetFlags), or a plain field if its first member fills it.
//   - Bit-fields have accessors over the byte that holds them (Ip.Hl).
//   - Ports and Internet addresses are in network byte order in memory; see
//     [Htons] and [InAddr.As4].
//   - Records of variable length, such as directory entries, use the offset
//     constants: [DirentOffName].
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
