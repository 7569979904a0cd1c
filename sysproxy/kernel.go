package sysproxy

import "github.com/rumpctrl/rumpctrl/abi"

// Kernel is what the server end needs of a kernel. Its methods are called by
// many goroutines at once.
type Kernel interface {
	// NewProcess makes a process for a client that connects: a child of
	// init with the name of the client's program.
	NewProcess(name string) (Process, error)
}

// Process is a client's process in the kernel. Values must be comparable: a
// Process is found again by [Server.Raise].
type Process interface {
	// Syscall makes a system call as a thread of the process. It is called by
	// as many goroutines at once as the client has calls in flight. args has
	// MaxArgs values, zero where the client sent none; it and m are valid
	// until Syscall returns.
	Syscall(m Memory, num int, args []uint64) (ret [2]uint64, err abi.Errno)

	// Fork copies the process, descriptors included.
	Fork() (Process, error)

	// Exec gives the process a new name and closes its close-on-exec
	// descriptors. It is called while no call of the process is in flight.
	Exec(name string) error

	// Exit ends the process: the client vanished, or closed its connection.
	// It is called once, perhaps while calls are in flight, whose Memory is
	// Done by then; it interrupts those that wait, and returns when they
	// have left and everything that the process held is free.
	Exit()
}

// Memory is the client's memory for the time of one system call, and what
// else the call has to do with its client. It belongs to the goroutine that
// makes the call. Errors are values of abi.Errno.
//
// What a call writes by CopyOut and Commit leaves together with its answer, or
// before the call next asks the client for something. A call reads its own
// writes.
type Memory interface {
	// CopyIn reads len(p) bytes at addr. Errors: EFAULT.
	CopyIn(addr uint64, p []byte) error

	// CopyInStr returns the string at addr, without its NUL. Errors: EFAULT,
	// ENAMETOOLONG if there is no NUL within max bytes.
	CopyInStr(addr uint64, max int) ([]byte, error)

	// CopyOut writes p to addr; p may be used again when it returns. Errors:
	// EFAULT if the client is gone, or is known not to lend the memory (a
	// remote client drops what it did not lend in silence).
	CopyOut(addr uint64, p []byte) error

	// Lend returns n bytes at addr for reading, without a copy where it can:
	// the slice is valid until the call ends and must not be written.
	// Errors: EFAULT; ENOMEM if n is more than a client may have buffered
	// (ServerConfig.MaxBuffered): move large amounts in pieces.
	Lend(addr uint64, n int) ([]byte, error)

	// Reserve returns a buffer of n bytes, of undefined contents, that
	// Commit sends to addr without a copy. Errors: EFAULT, ENOMEM as Lend.
	Reserve(addr uint64, n int) ([]byte, error)

	// Commit writes b, which is a prefix of what Reserve(addr, n) returned, to
	// addr. The buffer must not be touched after it. What is reserved and not
	// committed is dropped at the end of the call.
	Commit(addr uint64, b []byte) error

	// Anon allocates n zeroed bytes in the client and returns their address
	// (ANONMMAP). Errors: ENOMEM.
	Anon(n uint64) (uint64, error)

	// Block says that the call is about to wait for something other than its
	// own client, so that somebody else reads what the client says next. It
	// costs nothing if somebody already does. While a call waits without it,
	// nobody may notice other threads of its client, or that the client
	// vanished.
	Block()

	// Done is closed when the call should stop waiting: the client vanished,
	// the process is in exec, or the server shuts down. To ask for it is to
	// Block.
	Done() <-chan struct{}

	// Respond sends the answer "success" now: for reboot(2), which does not
	// return. Nothing is sent when Syscall returns after it.
	Respond()
}
