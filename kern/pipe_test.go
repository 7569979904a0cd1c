package kern_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Oracle: pipe(2): data, end of file, EPIPE with SIGPIPE, O_NONBLOCK.
func TestPipe(t *testing.T) {
	p := start(t)
	r, w := p.Pipe()
	if r != 3 || w != 4 {
		t.Errorf("pipe gave %d and %d", r, w)
	}
	p.Write(w, "abc")
	p.Write(w, "def")
	if s, _ := p.Read(r, 4); s != "abcd" {
		t.Errorf("read %q", s)
	}
	p.Want(abi.EBADF, abi.SYS_write, r, []byte("x"), 1)
	p.Want(abi.EBADF, abi.SYS_read, w, make([]byte, 1), 1)
	p.Must(abi.SYS_fcntl, r, abi.F_SETFL, abi.O_NONBLOCK)
	p.Read(r, 4)
	p.Want(abi.EAGAIN, abi.SYS_read, r, make([]byte, 1), 1)
	p.Want(0, abi.SYS_read, r, []byte{}, 0)
	p.Write(w, "last")
	p.Close(w)
	if s, _ := p.Read(r, 10); s != "last" {
		t.Errorf("read %q", s)
	}
	for range 2 {
		if s, errno := p.Read(r, 10); s != "" || errno != 0 {
			t.Errorf("at the end: %q, %v", s, errno)
		}
	}
	r, w = p.Pipe()
	p.Close(r)
	if _, errno := p.Write(w, "x"); errno != abi.EPIPE {
		t.Errorf("write without a reader: %v", errno)
	}
	if s := p.Signals(); len(s) != 1 || s[0] != abi.SIGPIPE {
		t.Errorf("signals %v", s)
	}
	p.Must(abi.SYS_fcntl, w, abi.F_SETNOSIGPIPE, 1)
	if _, errno := p.Write(w, "x"); errno != abi.EPIPE || len(p.Signals()) != 1 {
		t.Errorf("%v, signals %v", errno, p.Signals())
	}
}

// Oracle: pipe2(2).
func TestPipe2(t *testing.T) {
	p := start(t)
	fds := make([]byte, 8)
	p.Must(abi.SYS_pipe2, fds, abi.O_CLOEXEC|abi.O_NONBLOCK|abi.O_NOSIGPIPE)
	for i, access := range []int64{abi.O_RDONLY, abi.O_WRONLY} {
		fd := kerntest.Int(fds[4*i:])
		if fl := p.Must(abi.SYS_fcntl, fd, abi.F_GETFL); fl != access|abi.O_NONBLOCK|abi.O_NOSIGPIPE {
			t.Errorf("flags %#x", fl)
		}
		if p.Must(abi.SYS_fcntl, fd, abi.F_GETFD) != abi.FD_CLOEXEC {
			t.Error("no FD_CLOEXEC")
		}
	}
	p.Want(abi.EINVAL, abi.SYS_pipe2, fds, abi.O_APPEND)
	p.Want(abi.EFAULT, abi.SYS_pipe2, 1, 0)
	if last := p.Must(abi.SYS_fcntl, 0, abi.F_MAXFD); last != 4 {
		t.Errorf("a failed pipe2 left descriptors up to %d", last)
	}
}

// Oracle: write(2) of POSIX on pipes: what fits PIPE_BUF goes in as a whole or not at all; more goes in as far as there is room.
func TestPipeAtomicity(t *testing.T) {
	p := start(t)
	r, w := p.Pipe()
	p.Must(abi.SYS_fcntl, w, abi.F_SETFL, abi.O_NONBLOCK)
	const size = 16 << 10
	if n, errno := p.Write(w, strings.Repeat("x", size-100)); n != size-100 || errno != 0 {
		t.Fatal(n, errno)
	}
	if _, errno := p.Write(w, strings.Repeat("y", 101)); errno != abi.EAGAIN {
		t.Errorf("101 bytes into a room of 100: %v", errno)
	}
	if n, errno := p.Write(w, strings.Repeat("y", abi.PIPE_BUF+1)); n != 100 || errno != 0 {
		t.Errorf("%d bytes, %v", n, errno)
	}
	if _, errno := p.Write(w, strings.Repeat("y", abi.PIPE_BUF+1)); errno != abi.EAGAIN {
		t.Errorf("into a full pipe: %v", errno)
	}
	n := make([]byte, 4)
	p.Must(abi.SYS_ioctl, r, abi.FIONREAD, n)
	if kerntest.Int(n) != size {
		t.Errorf("FIONREAD %d", kerntest.Int(n))
	}
	p.Must(abi.SYS_ioctl, w, abi.FIONWRITE, n)
	if kerntest.Int(n) != size {
		t.Errorf("FIONWRITE %d", kerntest.Int(n))
	}
	p.Must(abi.SYS_ioctl, w, abi.FIONSPACE, n)
	if kerntest.Int(n) != 0 {
		t.Errorf("FIONSPACE %d", kerntest.Int(n))
	}
	p.Want(abi.ENOTTY, abi.SYS_ioctl, w, abi.TIOCGETA, make([]byte, abi.SizeofTermios))
	b := make([]byte, abi.SizeofStat)
	p.Must(abi.SYS___fstat50, r, b)
	var st abi.Stat
	if st.Decode(b); st.Mode != abi.S_IFIFO|0600 || st.Size != size || st.Blksize != size {
		t.Errorf("fstat %+v", st)
	}
}

// Much more than a pipe holds goes through it unchanged, in pieces of any size.
func TestPipeStream(t *testing.T) {
	p := start(t)
	r, w := p.Pipe()
	data := make([]byte, 1<<20+7)
	for i := range data {
		data[i] = byte(i*i>>4 + i)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for off, step := 0, 1; off < len(data); step = step*3%70000 + 1 {
			end := min(off+step, len(data))
			if n, errno := p.Write(w, string(data[off:end])); n != end-off || errno != 0 {
				t.Errorf("write %d of %d, %v", n, end-off, errno)
				break
			}
			off = end
		}
		p.Close(w)
	})
	var got bytes.Buffer
	for step := 1; ; step = step*5%50000 + 1 {
		s, errno := p.Read(r, step)
		if errno != 0 {
			t.Fatal(errno)
		}
		if s == "" {
			break
		}
		io.WriteString(&got, s)
	}
	wg.Wait()
	if !bytes.Equal(got.Bytes(), data) {
		t.Errorf("%d bytes came out, or others", got.Len())
	}
}

// Oracle: kern.pipe of sysctl(7): buffers are counted and given back, big ones have a limit of their own.
func TestPipeAccounting(t *testing.T) {
	p := start(t)
	node := func(name string) int32 { b, _ := p.Sysctl("kern.pipe." + name); return kerntest.Int(b) }
	r, w := p.Pipe()
	if node("kvasize") != 0 {
		t.Errorf("an empty pipe takes %d", node("kvasize"))
	}
	p.Write(w, "x")
	if node("kvasize") != 16384 || node("nbigpipes") != 0 {
		t.Errorf("kvasize %d, big %d", node("kvasize"), node("nbigpipes"))
	}
	p.Read(r, 1)
	p.Must(abi.SYS_fcntl, w, abi.F_SETFL, abi.O_NONBLOCK)
	if n, _ := p.Write(w, strings.Repeat("x", 100000)); n != 65536 {
		t.Errorf("wrote %d into a big pipe", n)
	}
	if node("kvasize") != 65536 || node("nbigpipes") != 1 {
		t.Errorf("kvasize %d, big %d", node("kvasize"), node("nbigpipes"))
	}
	p.Close(r)
	p.Close(w)
	if node("kvasize") != 0 || node("nbigpipes") != 0 {
		t.Errorf("closed: kvasize %d, big %d", node("kvasize"), node("nbigpipes"))
	}
	p.SetSysctl("kern.pipe.maxbigpipes", kerntest.Ints(0))
	_, w = p.Pipe()
	p.Must(abi.SYS_fcntl, w, abi.F_SETFL, abi.O_NONBLOCK)
	if n, _ := p.Write(w, strings.Repeat("x", 100000)); n != 16384 {
		t.Errorf("wrote %d where no pipe may be big", n)
	}
	p.SetSysctl("kern.pipe.maxkvasz", kerntest.Ints(20000))
	_, w = p.Pipe()
	if _, errno := p.Write(w, "x"); errno != abi.ENOMEM {
		t.Errorf("past maxkvasz: %v", errno)
	}
}

// Pipes that are open and empty do not use up the memory of all.
func TestEmptyPipesGiveBack(t *testing.T) {
	p := start(t)
	p.SetSysctl("kern.pipe.maxkvasz", kerntest.Ints(4*16384))
	for range 20 {
		r, w := p.Pipe()
		if _, errno := p.Write(w, "x"); errno != 0 {
			t.Fatal(errno)
		}
		p.Read(r, 1)
	}
}

// Oracle: ioctl FIOASYNC, fcntl F_SETOWN: SIGIO for the owner, a process or a group.
func TestSigio(t *testing.T) {
	p := start(t)
	child := p.Fork()
	r, w := p.Pipe()
	own := func(id int, want abi.Errno) {
		t.Helper()
		p.Want(want, abi.SYS_fcntl, r, abi.F_SETOWN, id)
	}
	own(9999, abi.ESRCH)
	own(-9999, abi.ESRCH)
	own(-kerntest.Proc(t, p.K).PID, abi.EPERM)
	own(child.PID, 0)
	if v := p.Must(abi.SYS_fcntl, r, abi.F_GETOWN); v != int64(child.PID) {
		t.Errorf("owner %d", v)
	}
	b := make([]byte, 4)
	p.Must(abi.SYS_ioctl, r, abi.FIOGETOWN, b)
	if kerntest.Int(b) != int32(child.PID) {
		t.Errorf("owner %d", kerntest.Int(b))
	}
	p.Must(abi.SYS_ioctl, r, abi.FIOASYNC, kerntest.Ints(1))
	p.Write(w, "x")
	if s := child.WaitSignals(1); s[0] != abi.SIGIO {
		t.Errorf("signal %d", s[0])
	}
	p.Must(abi.SYS_ioctl, r, abi.FIOSETOWN, kerntest.Ints(-int32(p.PID)))
	p.Write(w, "x")
	if s := p.WaitSignals(1); s[0] != abi.SIGIO {
		t.Errorf("signal %d", s[0])
	}
	p.Must(abi.SYS_fcntl, r, abi.F_SETFL, 0)
	if fl := p.Must(abi.SYS_fcntl, r, abi.F_GETFL); fl&abi.O_ASYNC != 0 {
		t.Errorf("flags %#x", fl)
	}
}

// A pipe by itself, as a fifo uses it.
func TestPipeEnds(t *testing.T) {
	p := start(t)
	th := p.K.KernelThread()
	var pipe kern.Pipe
	if got := pipe.Poll(abi.POLLIN, true, false); got != 0 {
		t.Errorf("nobody has written ever: poll %#x", got)
	}
	pipe.Attach(true, false)
	pipe.Attach(false, true)
	pipe.Write(th, []byte("abc"), true)
	if pipe.Readers() != 1 || pipe.Writers() != 1 || pipe.Buffered() != 3 || pipe.Room() != 16384-3 {
		t.Errorf("%d readers, %d writers, %d bytes, room for %d", pipe.Readers(), pipe.Writers(), pipe.Buffered(), pipe.Room())
	}
	pipe.Detach(false, true)
	if got := pipe.Poll(abi.POLLIN|abi.POLLOUT, true, false); got != abi.POLLIN|abi.POLLHUP {
		t.Errorf("the writer has gone: poll %#x", got)
	}
	_, event, err := pipe.Knote(abi.EVFILT_READ)
	if err != nil {
		t.Fatal(err)
	}
	if active, data, _, flags := event(0, 0); !active || data != 3 || flags != abi.EV_EOF {
		t.Errorf("knote %v %d %#x", active, data, flags)
	}
	pipe.Attach(false, true)
	if active, data, _, flags := event(0, 0); !active || data != 3 || flags != 0 {
		t.Errorf("knote %v %d %#x", active, data, flags)
	}
	pipe.Detach(true, true)
	if pipe.Buffered() != 0 {
		t.Errorf("%d bytes left of a closed fifo", pipe.Buffered())
	}
	if _, _, err := pipe.Knote(abi.EVFILT_VNODE); err != abi.EINVAL {
		t.Errorf("EVFILT_VNODE: %v", err)
	}
}

// FuzzPipe checks a pipe against a byte slice: each byte of the input is a step.
func FuzzPipe(f *testing.F) {
	f.Add([]byte{10, 200, 3, 255, 129, 0, 64})
	k, err := kern.New(kern.Config{})
	if err != nil {
		f.Fatal(err)
	}
	th := k.KernelThread()
	f.Fuzz(func(t *testing.T, steps []byte) {
		var pipe kern.Pipe
		pipe.Attach(true, true)
		defer pipe.Detach(true, true)
		var want []byte
		next := byte(0)
		for _, s := range steps {
			n := int(s&0x7f) * 211
			if s&0x80 != 0 {
				b := make([]byte, n)
				got, err := pipe.Read(th, b, true)
				if err != nil && (err != abi.EAGAIN || len(want) > 0) {
					t.Fatalf("read: %v with %d bytes there", err, len(want))
				}
				if !bytes.Equal(b[:got], want[:got]) || err == nil && got != min(n, len(want)) {
					t.Fatalf("read %d of %d", got, len(want))
				}
				want = want[got:]
				continue
			}
			b := make([]byte, n)
			for i := range b {
				b[i] = next
				next++
			}
			got, err := pipe.Write(th, b, true)
			if err != nil && err != abi.EAGAIN || n <= abi.PIPE_BUF && got != 0 && got != n {
				t.Fatalf("write %d of %d: %v", got, n, err)
			}
			next -= byte(n - got)
			want = append(want, b[:got]...)
			if pipe.Buffered() != len(want) {
				t.Fatalf("%d bytes there, want %d", pipe.Buffered(), len(want))
			}
		}
	})
}

// pollfds is an array of structures pollfd.
func pollfds(entries ...abi.Pollfd) []byte {
	var b []byte
	for i := range entries {
		b = entries[i].Append(b)
	}
	return b
}

// revents are what poll answered.
func revents(b []byte) (r []int16) {
	for ; len(b) > 0; b = b[abi.SizeofPollfd:] {
		r = append(r, int16(binary.LittleEndian.Uint16(b[6:])))
	}
	return r
}
