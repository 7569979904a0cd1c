package sysctl

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// parseUquad reads a whole string as strtouq(3) with base 0 does: blanks, a sign, then decimal, 0x or 0. A
// negative number is its two's complement. Errors: EINVAL, ERANGE.
func parseUquad(s string) (uint64, error) {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	base := 10
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		s, base = s[2:], 16
	case strings.HasPrefix(s, "0"):
		base = 8
	}
	n, err := strconv.ParseUint(s, base, 64)
	if ne, ok := err.(*strconv.NumError); ok {
		if ne.Err == strconv.ErrRange {
			return 0, abi.ERANGE
		}
		return 0, abi.EINVAL
	}
	if negative {
		n = -n
	}
	return n, nil
}

// encodeNumber returns a number as a node of a type has it. It reports false if the number does not fit.
func encodeNumber(typ int, v uint64) ([]byte, bool) {
	switch typ {
	case abi.CTLTYPE_BOOL:
		if v != 0 {
			return []byte{1}, true
		}
		return []byte{0}, true
	case abi.CTLTYPE_INT:
		high := uint32(v >> 32)
		return binary.LittleEndian.AppendUint32(nil, uint32(v)), high == 0 || high == ^uint32(0)
	}
	return binary.LittleEndian.AppendUint64(nil, v), true
}

// decodeNumber returns what encodeNumber made. Bytes that are missing are zero.
func decodeNumber(b []byte) uint64 {
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:])
}
