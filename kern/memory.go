package kern

// Memory is the calling client's memory for the time of one call. Addresses are the client's; all errors are
// abi.Errno. Package sysproxy implements it over a connection, package rump for a client in this process.
//
// No lock of the kernel may be held across a method that can wait for the client: CopyIn, CopyInStr, Lend and
// Anon do (a hostile client never answers); CopyOut, Reserve and Commit do not.
type Memory interface {
	// CopyIn fills p from addr. Errors: EFAULT.
	CopyIn(addr uint64, p []byte) error
	// CopyInStr reads a string without its NUL; max counts the NUL. Errors: EFAULT, ENAMETOOLONG.
	// The result is valid until the call ends.
	CopyInStr(addr uint64, max int) ([]byte, error)
	// CopyOut writes p to addr; p may be used again when it returns. Errors: EFAULT.
	CopyOut(addr uint64, p []byte) error
	// Lend is a view, for reading, of n bytes at addr; valid until the call ends. No copy where that can be.
	Lend(addr uint64, n int) ([]byte, error)
	// Reserve gives a buffer of n bytes for Commit to send to addr.
	Reserve(addr uint64, n int) ([]byte, error)
	// Commit writes b, a prefix of what Reserve gave for addr, to addr.
	Commit(addr uint64, b []byte) error
	// Anon has the client allocate n bytes, as mmap(2) with MAP_ANON.
	Anon(n uint64) (uint64, error)
	// Block says that the call is about to wait for something other than its own client.
	Block()
}

// Canceller is implemented by a Memory whose client may leave, or may want the call to end, while it waits.
type Canceller interface {
	// Done is closed when the call should stop waiting: Sleep then gives EINTR.
	Done() <-chan struct{}
}

// Responder is implemented by a Memory that can answer the call before its handler returns: reboot(2) has the
// client told that the kernel has stopped before what carries the answer stops as well.
type Responder interface {
	// Respond answers "success"; what the handler returns later is dropped.
	Respond()
}

// encoder is a structure of package abi.
type encoder interface{ Encode([]byte) error }

// decoder is a structure of package abi.
type decoder interface{ Decode([]byte) error }

// CopyOutStruct writes a structure of package abi, of size bytes, to addr. Errors: EFAULT.
func (t *Thread) CopyOutStruct(addr uint64, s encoder, size int) error {
	b := t.small(size)
	if err := s.Encode(b); err != nil {
		return err
	}
	return t.Mem.CopyOut(addr, b)
}

// CopyInStruct reads a structure of package abi, of size bytes, from addr. Errors: EFAULT.
func (t *Thread) CopyInStruct(addr uint64, s decoder, size int) error {
	b := t.small(size)
	if err := t.Mem.CopyIn(addr, b); err != nil {
		return err
	}
	return s.Decode(b)
}

// small is a buffer of the thread for structures that pass to and from the client; its content is undefined.
func (t *Thread) small(n int) []byte {
	if n > len(t.buf) {
		return make([]byte, n)
	}
	return t.buf[:n]
}
