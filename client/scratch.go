package client

import (
	"encoding/binary"
	"sync"
)

// scratch is memory for the one structure of a call: large enough for a struct stat.
type scratch [256]byte

// scratches keeps them between calls, so that a call allocates nothing.
type scratches struct{ pool sync.Pool }

func (s *Sys) scratch() *scratch {
	if b, ok := s.buf.pool.Get().(*scratch); ok {
		return b
	}
	return new(scratch)
}

func (s *Sys) free(b *scratch) { s.buf.pool.Put(b) }

// Numbers in a kernel's memory; the machine is amd64.

func putUint64(v uint64) (b [8]byte) {
	binary.LittleEndian.PutUint64(b[:], v)
	return b
}

func getUint64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func getInt32(b []byte) int { return int(int32(binary.LittleEndian.Uint32(b))) }
