package host

import (
	"sync/atomic"
	"unsafe"
)

// This file is the only one of the module that names package unsafe. Words of a shared mapping are changed by other
// programs with the processor's atomic instructions, so that they must be here too; package sync/atomic works on Go
// variables, and a mapping is a []byte. The two functions check what the compiler otherwise would: bounds and alignment.

// wordAt is the word at an offset of mapped memory. It panics outside, as indexing does.
func wordAt(mem []byte, off int) *atomic.Uint32 {
	w := mem[off : off+4 : off+4]
	p := unsafe.Pointer(unsafe.SliceData(w))
	if uintptr(p)%4 != 0 {
		panic("host: a shared word is not aligned")
	}
	return (*atomic.Uint32)(p)
}

// within says whether an address is one of mem's.
func within(mem []byte, addr uintptr) bool {
	base := uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
	return len(mem) > 0 && addr >= base && addr-base < uintptr(len(mem))
}
