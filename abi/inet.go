package abi

import (
	"encoding/binary"
	"math/bits"
)

// Htons converts between the machine's byte order and that of the network,
// which is what structures have in their port fields: SockaddrIn{Port: Htons(80)}
// and Htons(sin.Port).
func Htons(v uint16) uint16 {
	if BYTE_ORDER == BIG_ENDIAN {
		return v
	}
	return bits.ReverseBytes16(v)
}

// Htonl is Htons for 32 bits, as in INADDR_LOOPBACK.
func Htonl(v uint32) uint32 {
	if BYTE_ORDER == BIG_ENDIAN {
		return v
	}
	return bits.ReverseBytes32(v)
}

// As4 returns the address as it is on the wire, as netip.AddrFrom4 takes it.
func (s InAddr) As4() (a [4]byte) {
	binary.BigEndian.PutUint32(a[:], Htonl(s.Addr))
	return a
}

// InAddrFrom4 returns the structure for the address a, as netip.Addr.As4
// gives it.
func InAddrFrom4(a [4]byte) InAddr {
	return InAddr{Addr: Htonl(binary.BigEndian.Uint32(a[:]))}
}
