package sysproxy

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
)

// headerSize is the size of a frame's header.
const headerSize = 24

// Classes of frames.
const (
	classReq = iota
	classResp
	classError
)

// Types of frames.
const (
	typeHandshake = iota
	typeSyscall
	typeCopyIn
	typeCopyInStr
	typeCopyOut
	typeCopyOutStr
	typeAnon
	typePrefork
	typeRaise
)

// Kinds of handshakes, in the header's word.
const (
	shakeGuest = iota
	shakeAuth
	shakeFork
	shakeExec
)

// Errors of an ERROR frame, in the header's word.
const (
	errTryAgain = 1 + iota
	errAuth
	errPrefork
	errFork
	errInExec
	errNoMem
	errMalformed
)

// errnoOf returns the error number for the word of an ERROR frame.
func errnoOf(word uint32) abi.Errno {
	table := [...]abi.Errno{
		errTryAgain:  abi.EAGAIN,
		errAuth:      abi.EPERM,
		errPrefork:   abi.ESRCH,
		errFork:      abi.EIO,
		errInExec:    abi.EBUSY,
		errNoMem:     abi.ENOMEM,
		errMalformed: abi.EINVAL,
	}
	if word == 0 || int64(word) >= int64(len(table)) {
		return abi.EINVAL
	}
	return table[word]
}

// Sizes of bodies.
const (
	shakeRespSize = 4  // int32 error
	sysRespSize   = 24 // int32 error, 4 bytes of zeroes, two 8-byte return values
	copySize      = 16 // length and address, before the data
	anonSize      = 8  // length, or address
	authSize      = 16
	shakeForkSize = authSize + 4 // auth, int32 cancel
)

// header is what every frame begins with.
type header struct {
	len   uint64 // of the whole frame
	reqno uint64
	class uint16
	typ   uint16
	word  uint32
}

// body is the length of what follows the header.
func (h header) body() uint64 { return h.len - headerSize }

// decodeHeader reads a header from the first headerSize bytes of b. Errors: the
// frame is shorter than its header or longer than limit bytes.
func decodeHeader(b []byte, limit uint64) (header, error) {
	le := binary.LittleEndian
	h := header{
		len:   le.Uint64(b),
		reqno: le.Uint64(b[8:]),
		class: le.Uint16(b[16:]),
		typ:   le.Uint16(b[18:]),
		word:  le.Uint32(b[20:headerSize]),
	}
	if h.len < headerSize || h.len > limit {
		return h, violation("frame of %d bytes, not %d to %d", h.len, headerSize, limit)
	}
	return h, nil
}

// appendHeader appends the header of a frame with a body of n bytes.
func appendHeader(b []byte, class, typ uint16, reqno uint64, word uint32, n int) []byte {
	le := binary.LittleEndian
	b = le.AppendUint64(b, headerSize+uint64(n))
	b = le.AppendUint64(b, reqno)
	b = le.AppendUint16(b, class)
	b = le.AppendUint16(b, typ)
	return le.AppendUint32(b, word)
}

// appendCopy appends the header of a COPYIN, COPYINSTR or COPYOUT request, up to
// the data of a COPYOUT: data is how many bytes of it follow, n the length
// that the request names.
func appendCopy(b []byte, typ uint16, reqno, addr, n uint64, data int) []byte {
	b = appendHeader(b, classReq, typ, reqno, 0, copySize+data)
	b = binary.LittleEndian.AppendUint64(b, n)
	return binary.LittleEndian.AppendUint64(b, addr)
}

// appendSysResp appends the whole answer to a system call.
func appendSysResp(b []byte, reqno uint64, ret [2]uint64, err abi.Errno) []byte {
	le := binary.LittleEndian
	b = appendHeader(b, classResp, typeSyscall, reqno, 0, sysRespSize)
	b = le.AppendUint32(b, uint32(err))
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, ret[0])
	return le.AppendUint64(b, ret[1])
}

// appendError appends a whole ERROR frame.
func appendError(b []byte, reqno uint64, word uint32) []byte {
	return appendHeader(b, classError, 0, reqno, word, 0)
}
