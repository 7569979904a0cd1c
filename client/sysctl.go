package client

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
)

// maxSysctl limits a value of the sysctl tree, in bytes.
const maxSysctl = 64 << 20

// Sysctl reads, writes or both, by the numbers of a MIB name: __sysctl(2). It sets old and
// returns how long the value is; with the error ENOMEM that is more than old has room for.
// With a nil old it returns the length alone. A nil value is not written. Errors: ENOENT,
// EPERM, ENOTDIR, EISDIR, EINVAL, EOPNOTSUPP.
func (s *Sys) Sysctl(mib []int32, old, value []byte) (int, error) {
	return s.SysctlFunc(mib, old, func(Lender) []byte { return value })
}

// SysctlFunc is Sysctl with a new value that holds addresses, as CTL_CREATE takes:
// build lends the memory they refer to and returns the value.
func (s *Sys) SysctlFunc(mib []int32, old []byte, build func(Lender) []byte) (int, error) {
	size := putUint64(uint64(len(old)))
	r := s.request(abi.SYS___sysctl)
	r.src(appendMIB(make([]byte, 0, 4*abi.CTL_MAXNAME), mib))
	r.int(len(mib))
	r.dst(old)
	r.inout(size[:])
	value := build(r.c)
	r.src(value)
	r.word(uint64(len(value)))
	err := r.do()
	n := getUint64(size[:])
	if n > maxSysctl {
		return 0, errCount
	}
	return int(n), err
}

// appendMIB appends the numbers of a MIB name as the kernel reads them.
func appendMIB(b []byte, mib []int32) []byte {
	for _, n := range mib {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}
