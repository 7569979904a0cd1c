package vfs_test

import (
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestFifoOpen: who waits for whom. Oracles: open(2), mkfifo(2).
func TestFifoOpen(t *testing.T) {
	p := newProc(t)
	tree(p, "/q|")
	p.Want(abi.ENXIO, abi.SYS_open, "/q", abi.O_WRONLY|abi.O_NONBLOCK, 0)
	r := open(p, "/q", abi.O_RDONLY|abi.O_NONBLOCK)
	w := open(p, "/q", abi.O_WRONLY)
	p.Close(r)
	p.Close(w)
	p.Close(open(p, "/q", abi.O_RDWR))

	// One who reads and one who writes let each other in, whoever comes first.
	for _, c := range [][2]int{{abi.O_RDONLY, abi.O_WRONLY}, {abi.O_WRONLY, abi.O_RDONLY}} {
		fds := make(chan int64, 1)
		go func() {
			fd, _ := p.Call(abi.SYS_open, "/q", c[0], 0)
			fds <- fd
		}()
		p.Close(open(p, "/q", c[1]))
		p.Close(int(<-fds))
	}

	// One who waits stops when the process goes.
	child := p.Fork()
	done := make(chan abi.Errno, 1)
	go func() {
		_, errno := child.Call(abi.SYS_open, "/q", abi.O_RDONLY, 0)
		done <- errno
	}()
	child.Proc.Exit()
	if errno := <-done; errno != abi.EINTR && errno != abi.ESRCH {
		t.Errorf("open of a process that has gone: %v", errno)
	}
}

// TestFifoData: bytes come out in order, end of file is where no writer is, and writing without readers raises SIGPIPE. Oracles: read(2),
// write(2).
func TestFifoData(t *testing.T) {
	p := newProc(t)
	tree(p, "/q|")
	r := open(p, "/q", abi.O_RDONLY|abi.O_NONBLOCK)
	if got, errno := p.Read(r, 10); got != "" || errno != 0 {
		t.Errorf("without writers: %q, %v", got, errno)
	}
	w := open(p, "/q", abi.O_WRONLY|abi.O_NONBLOCK)
	if _, errno := p.Read(r, 10); errno != abi.EAGAIN {
		t.Errorf("with a writer: %v", errno)
	}
	p.Write(w, "hello ")
	p.Write(w, "world")
	count := make([]byte, 4)
	p.Must(abi.SYS_ioctl, r, abi.FIONREAD, count)
	if n := binary.LittleEndian.Uint32(count); n != 11 {
		t.Errorf("%d bytes are there", n)
	}
	if got, errno := p.Read(r, 64); got != "hello world" || errno != 0 {
		t.Errorf("%q, %v", got, errno)
	}
	p.Want(abi.ESPIPE, abi.SYS_lseek, r, 0, 0, abi.SEEK_SET)
	p.Want(abi.ESPIPE, abi.SYS_pread, r, make([]byte, 1), 1, 0, 0)
	if st, errno := statBy(p, abi.SYS___fstat50, w); errno != 0 || st.Mode != abi.S_IFIFO|0644 {
		t.Errorf("fstat: %o, %v", st.Mode, errno)
	}
	p.Write(w, "rest")
	p.Close(w)
	if got, errno := p.Read(r, 64); got != "rest" || errno != 0 {
		t.Errorf("after the writer has gone: %q, %v", got, errno)
	}
	if got, errno := p.Read(r, 64); got != "" || errno != 0 {
		t.Errorf("end of file: %q, %v", got, errno)
	}
	w = open(p, "/q", abi.O_WRONLY)
	p.Close(r)
	if _, errno := p.Write(w, "x"); errno != abi.EPIPE {
		t.Errorf("without readers: %v", errno)
	}
	if got := p.Signals(); len(got) != 1 || got[0] != abi.SIGPIPE {
		t.Errorf("signals %v", got)
	}
	p.Close(w)
	r = open(p, "/q", abi.O_RDONLY|abi.O_NONBLOCK)
	open(p, "/q", abi.O_WRONLY)
	if _, errno := p.Read(r, 1); errno != abi.EAGAIN {
		t.Errorf("what was in the fifo is still there: %v", errno)
	}
}

// TestFifoPoll: what can be done without waiting. Oracle: poll(2).
func TestFifoPoll(t *testing.T) {
	p := newProc(t)
	tree(p, "/q|")
	r := open(p, "/q", abi.O_RDONLY|abi.O_NONBLOCK)
	w := open(p, "/q", abi.O_WRONLY|abi.O_NONBLOCK)
	poll := func(fd, events int) int {
		e := abi.Pollfd{Fd: int32(fd), Events: int16(events)}
		buf := e.Append(nil)
		p.Must(abi.SYS_poll, buf, 1, 0)
		e.Decode(buf)
		return int(e.Revents)
	}
	if got := poll(w, abi.POLLOUT); got != abi.POLLOUT {
		t.Errorf("empty, to write: %#x", got)
	}
	if got := poll(r, abi.POLLIN); got != 0 {
		t.Errorf("empty, to read: %#x", got)
	}
	waiting := make(chan int64)
	go func() {
		e := abi.Pollfd{Fd: int32(r), Events: abi.POLLIN}
		waiting <- p.Must(abi.SYS_poll, e.Append(nil), 1, -1)
	}()
	p.Write(w, "x")
	if n := <-waiting; n != 1 {
		t.Errorf("a waiting poll found %d", n)
	}
	p.Close(w)
	if got := poll(r, abi.POLLIN); got&abi.POLLHUP == 0 {
		t.Errorf("without writers: %#x", got)
	}
}
