package socket

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

var le = binary.LittleEndian

// maxSockaddr is the length of the longest struct sockaddr: sa_len is a byte.
const maxSockaddr = 255

// copyInSockaddr reads a struct sockaddr of n bytes. sa_len is what the call says; an address of 4.3BSD, whose family is where sa_len is now,
// is put right.
//
// Errors: EINVAL for one too long, or too short to be one; EFAULT.
func copyInSockaddr(t *kern.Thread, addr uint64, n uint32) ([]byte, error) {
	if n > maxSockaddr || n <= 2 {
		return nil, abi.EINVAL
	}
	sa := make([]byte, n)
	if err := t.Mem.CopyIn(addr, sa); err != nil {
		return nil, err
	}
	if sa[1] == abi.AF_UNSPEC && sa[0] < abi.AF_MAX {
		sa[1] = sa[0]
	}
	sa[0] = byte(n)
	return sa, nil
}

// copyOutName writes as much of a struct sockaddr to addr as there are n bytes of room, and says how much; none to address 0.
//
// Errors: EINVAL for a negative length; EFAULT.
func copyOutName(t *kern.Thread, addr uint64, n int32, sa []byte) (int32, error) {
	if n < 0 {
		return 0, abi.EINVAL
	}
	n = min(n, int32(len(sa)))
	if n == 0 {
		return 0, nil
	}
	return n, t.Mem.CopyOut(addr, sa[:n])
}

// copyOutSockaddr writes a struct sockaddr to addr, and its length where the room was said: at lenAddr. Nothing is done for address 0.
func copyOutSockaddr(t *kern.Thread, addr, lenAddr uint64, sa []byte) error {
	if addr == 0 {
		return nil
	}
	var b [4]byte
	if err := t.Mem.CopyIn(lenAddr, b[:]); err != nil {
		return err
	}
	n, err := copyOutName(t, addr, int32(le.Uint32(b[:])), sa)
	if err != nil {
		return err
	}
	le.PutUint32(b[:], uint32(n))
	return t.Mem.CopyOut(lenAddr, b[:])
}
