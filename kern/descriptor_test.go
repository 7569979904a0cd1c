package kern_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

const readWrite = abi.FREAD | abi.FWRITE

// Oracle: read(2), write(2), lseek(2), ftruncate(2), fstat(2).
func TestFileCalls(t *testing.T) {
	p := start(t)
	m := &memFile{}
	fd := open(t, p, m, readWrite)
	if n, errno := p.Write(fd, "hello, world"); n != 12 || errno != 0 {
		t.Fatal(n, errno)
	}
	if off := p.Must(abi.SYS_lseek, fd, 0, -5, abi.SEEK_CUR); off != 7 {
		t.Errorf("lseek = %d", off)
	}
	if s, _ := p.Read(fd, 100); s != "world" {
		t.Errorf("read %q", s)
	}
	if s, _ := p.Read(fd, 100); s != "" {
		t.Errorf("read at the end %q", s)
	}
	b := make([]byte, 5)
	if n := p.Must(abi.SYS_pread, fd, b, 5, 0, 3); n != 5 || string(b) != "lo, w" {
		t.Errorf("pread %d %q", n, b)
	}
	if n := p.Must(abi.SYS_pwrite, fd, []byte("HE"), 2, 0, 0); n != 2 || !bytes.HasPrefix(m.data, []byte("HEllo")) {
		t.Errorf("pwrite %d %q", n, m.data)
	}
	p.Must(abi.SYS_ftruncate, fd, 0, 4)
	stat := make([]byte, abi.SizeofStat)
	p.Must(abi.SYS___fstat50, fd, stat)
	var st abi.Stat
	st.Decode(stat)
	if st.Size != 4 || st.Mode != abi.S_IFREG|0644 {
		t.Errorf("fstat %+v", st)
	}
	p.Must(abi.SYS_fsync, fd)
	p.Must(abi.SYS_fdatasync, fd)
	p.Must(abi.SYS_fsync_range, fd, abi.FFILESYNC, 0, 10)
	p.Must(abi.SYS_fsync_range, fd, abi.FDATASYNC|abi.FDISKSYNC, 0, 0)
	if want := []bool{false, true, false, true}; !slicesEqual(m.synced, want) {
		t.Errorf("synced %v, want %v", m.synced, want)
	}
	p.Close(fd)
	if m.closed != 1 {
		t.Errorf("closed %d times", m.closed)
	}
}

func slicesEqual(a, b []bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Oracle: the ERRORS sections of the manual pages.
func TestDescriptorErrors(t *testing.T) {
	p := start(t)
	rw := open(t, p, &memFile{}, readWrite)
	ro := open(t, p, &memFile{}, abi.FREAD)
	wo := open(t, p, &memFile{}, abi.FWRITE)
	none := open(t, p, bare{}, readWrite)
	r, w := p.Pipe()
	b := make([]byte, 16)
	const closed = 99
	huge := uint64(math.MaxInt64) + 1
	for _, c := range []struct {
		errno abi.Errno
		num   int
		args  []any
	}{
		{abi.EBADF, abi.SYS_read, []any{closed, b, 1}},
		{abi.EBADF, abi.SYS_read, []any{-1, b, 1}},
		{abi.EBADF, abi.SYS_read, []any{wo, b, 1}},
		{abi.EBADF, abi.SYS_write, []any{ro, b, 1}},
		{abi.EFAULT, abi.SYS_write, []any{rw, 1, 1}},
		{abi.EFAULT, abi.SYS_read, []any{rw, nil, 1}},
		{0, abi.SYS_read, []any{rw, nil, 0}},
		{0, abi.SYS_write, []any{rw, 1, 0}},
		{abi.EFAULT, abi.SYS_read, []any{rw, b, 17}},
		{abi.EINVAL, abi.SYS_read, []any{none, b, 1}},
		{abi.EINVAL, abi.SYS_write, []any{none, b, 1}},
		{abi.EINVAL, abi.SYS_read, []any{rw, b, huge}},
		{abi.EINVAL, abi.SYS_write, []any{rw, b, huge}},
		{abi.ESPIPE, abi.SYS_pread, []any{r, b, 1, 0, 0}},
		{abi.ESPIPE, abi.SYS_pwrite, []any{w, b, 1, 0, 0}},
		{abi.ESPIPE, abi.SYS_lseek, []any{r, 0, 0, abi.SEEK_SET}},
		{abi.ESPIPE, abi.SYS_lseek, []any{1, 0, 0, abi.SEEK_CUR}},
		{abi.EINVAL, abi.SYS_pread, []any{rw, b, 1, 0, -1}},
		{abi.EINVAL, abi.SYS_pwrite, []any{rw, b, 1, 0, -1}},
		{abi.EBADF, abi.SYS_pwrite, []any{ro, b, 1, 0, -1}},
		{abi.EINVAL, abi.SYS_lseek, []any{rw, 0, 0, 7}},
		{abi.EINVAL, abi.SYS_lseek, []any{rw, 0, -1, abi.SEEK_SET}},
		{abi.EBADF, abi.SYS_lseek, []any{closed, 0, 0, abi.SEEK_SET}},
		{abi.EINVAL, abi.SYS_ftruncate, []any{rw, 0, -1}},
		{abi.EINVAL, abi.SYS_ftruncate, []any{ro, 0, 1}},
		{abi.EINVAL, abi.SYS_ftruncate, []any{r, 0, 1}},
		{abi.EINVAL, abi.SYS_fsync, []any{r}},
		{0, abi.SYS_fsync, []any{ro}},
		{abi.EBADF, abi.SYS_fdatasync, []any{ro}},
		{abi.EINVAL, abi.SYS_fsync_range, []any{rw, 0, 0, 0}},
		{abi.EINVAL, abi.SYS_fsync_range, []any{rw, abi.FDATASYNC | abi.FFILESYNC, 0, 0}},
		{abi.EINVAL, abi.SYS_fsync_range, []any{rw, abi.FFILESYNC, -1, 0}},
		{abi.EINVAL, abi.SYS_fsync_range, []any{rw, abi.FFILESYNC, 1, math.MaxInt64}},
		{abi.EBADF, abi.SYS_close, []any{closed}},
		{abi.EBADF, abi.SYS_dup, []any{closed}},
		{abi.EBADF, abi.SYS_dup2, []any{rw, -1}},
		{abi.EBADF, abi.SYS_dup2, []any{rw, 128}},
		{abi.EBADF, abi.SYS_dup2, []any{closed, 5}},
		{abi.EINVAL, abi.SYS_dup3, []any{rw, 20, abi.O_APPEND}},
		{abi.EOPNOTSUPP, abi.SYS___fstat50, []any{none, make([]byte, abi.SizeofStat)}},
		{abi.EFAULT, abi.SYS___fstat50, []any{rw, b}},
		{abi.EBADF, abi.SYS___fstat50, []any{closed, b}},
		{abi.ENOTTY, abi.SYS_ioctl, []any{none, abi.TIOCGETA, make([]byte, abi.SizeofTermios)}},
		{abi.EFAULT, abi.SYS_ioctl, []any{rw, abi.FIONBIO, 1}},
		{abi.EBADF, abi.SYS_ioctl, []any{closed, abi.FIOCLEX, 0}},
		{abi.ENOTTY, abi.SYS_ioctl, []any{rw, 0xdfff0000 | 0x1fff<<16, b}},
		{abi.ENOSYS, abi.SYS_open, []any{"/", 0}},
		{abi.ENOSYS, abi.SYS___socket30, []any{1, 1, 0}},
		{abi.ENOSYS, 9999, nil},
	} {
		p.Want(c.errno, c.num, c.args...)
	}
}

// Oracle: dup(2), dup3(2), fcntl(2).
func TestDup(t *testing.T) {
	p := start(t)
	m := &memFile{data: []byte("0123456789")}
	fd := open(t, p, m, readWrite)
	if fd != 3 {
		t.Fatalf("first descriptor %d", fd)
	}
	if n := p.Must(abi.SYS_dup, fd); n != 4 {
		t.Errorf("dup = %d", n)
	}
	if n := p.Must(abi.SYS_dup2, fd, 10); n != 10 {
		t.Errorf("dup2 = %d", n)
	}
	p.Read(10, 4) // descriptors share the offset
	if off := p.Must(abi.SYS_lseek, 4, 0, 0, abi.SEEK_CUR); off != 4 {
		t.Errorf("offset %d", off)
	}
	p.Must(abi.SYS_dup3, fd, 11, abi.O_CLOEXEC|abi.O_NONBLOCK)
	if v := p.Must(abi.SYS_fcntl, 11, abi.F_GETFD); v != abi.FD_CLOEXEC {
		t.Errorf("dup3's close-on-exec %d", v)
	}
	if v := p.Must(abi.SYS_fcntl, fd, abi.F_GETFL); v != abi.O_RDWR|abi.O_NONBLOCK {
		t.Errorf("flags %#x", v)
	}
	if n := p.Must(abi.SYS_fcntl, fd, abi.F_DUPFD, 7); n != 7 {
		t.Errorf("F_DUPFD = %d", n)
	}
	if n := p.Must(abi.SYS_fcntl, fd, abi.F_DUPFD_CLOEXEC, 7); n != 8 {
		t.Errorf("F_DUPFD_CLOEXEC = %d", n)
	}
	if v := p.Must(abi.SYS_fcntl, 8, abi.F_GETFD); v != abi.FD_CLOEXEC {
		t.Errorf("F_GETFD = %d", v)
	}
	p.Want(abi.EINVAL, abi.SYS_fcntl, fd, abi.F_DUPFD, 128)
	p.Want(abi.EINVAL, abi.SYS_fcntl, fd, abi.F_DUPFD, -1)
	if v := p.Must(abi.SYS_fcntl, fd, abi.F_MAXFD); v != 11 {
		t.Errorf("F_MAXFD = %d", v)
	}
	p.Must(abi.SYS_fcntl, 7, abi.F_CLOSEM)
	if v := p.Must(abi.SYS_fcntl, 0, abi.F_MAXFD); v != 4 {
		t.Errorf("F_MAXFD after F_CLOSEM = %d", v)
	}
	p.Want(abi.EBADF, abi.SYS_fcntl, -1, abi.F_CLOSEM)
	if n := p.Must(abi.SYS_dup2, fd, fd); n != 3 || m.closed != 0 {
		t.Errorf("dup2 to itself = %d, closed %d times", n, m.closed)
	}
	p.Close(3)
	p.Close(4)
	if m.closed != 1 {
		t.Errorf("closed %d times", m.closed)
	}
}

// Oracle: getrlimit(2), dup(2): EMFILE at the limit, and the lowest free descriptor below.
func TestDescriptorLimit(t *testing.T) {
	p := start(t)
	for want := int64(3); ; want++ {
		fd, errno := p.Call(abi.SYS_dup, 0)
		if errno != 0 {
			if errno != abi.EMFILE || want != 128 {
				t.Fatalf("dup at %d: %v", want, errno)
			}
			break
		}
		if fd != want {
			t.Fatalf("dup = %d, want %d", fd, want)
		}
	}
	p.Want(abi.EMFILE, abi.SYS_pipe)
	p.Close(50)
	p.Close(20)
	for _, want := range []int64{20, 50} {
		if fd := p.Must(abi.SYS_dup, 0); fd != want {
			t.Errorf("dup = %d, want %d", fd, want)
		}
	}
	p.Close(60)
	p.Want(abi.EMFILE, abi.SYS_pipe) // one is not enough, and is given back
	if fd := p.Must(abi.SYS_dup, 0); fd != 60 {
		t.Errorf("dup = %d after a failed pipe", fd)
	}
}

// Oracle: fcntl(2), ioctl's FIONBIO and FIOCLEX in <sys/filio.h>.
func TestFcntlFlags(t *testing.T) {
	p := start(t)
	r, _ := p.Pipe()
	set := func(cmd int, arg any) { t.Helper(); p.Must(abi.SYS_fcntl, r, cmd, arg) }
	get := func(cmd int, want int64) {
		t.Helper()
		if v := p.Must(abi.SYS_fcntl, r, cmd); v != want {
			t.Errorf("fcntl %d = %#x, want %#x", cmd, v, want)
		}
	}
	get(abi.F_GETFL, abi.O_RDONLY)
	set(abi.F_SETFL, abi.O_NONBLOCK|abi.O_RDWR|abi.O_APPEND|abi.O_CREAT)
	get(abi.F_GETFL, abi.O_NONBLOCK|abi.O_APPEND)
	p.Must(abi.SYS_ioctl, r, abi.FIONBIO, kerntest.Ints(0))
	get(abi.F_GETFL, abi.O_APPEND)
	p.Must(abi.SYS_ioctl, r, abi.FIONBIO, kerntest.Ints(1))
	get(abi.F_GETFL, abi.O_APPEND|abi.O_NONBLOCK)
	get(abi.F_GETFD, 0)
	p.Must(abi.SYS_ioctl, r, abi.FIOCLEX, 0)
	get(abi.F_GETFD, abi.FD_CLOEXEC)
	p.Must(abi.SYS_ioctl, r, abi.FIONCLEX, 0)
	get(abi.F_GETFD, 0)
	set(abi.F_SETFD, abi.FD_CLOEXEC)
	get(abi.F_GETFD, abi.FD_CLOEXEC)
	get(abi.F_GETNOSIGPIPE, 0)
	set(abi.F_SETNOSIGPIPE, 1)
	get(abi.F_GETNOSIGPIPE, 1)
	set(abi.F_SETNOSIGPIPE, 0)
	get(abi.F_GETNOSIGPIPE, 0)
	p.Want(abi.EINVAL, abi.SYS_fcntl, r, 999)
	p.Want(abi.EOPNOTSUPP, abi.SYS_fcntl, r, abi.F_FSCTL)
	p.Want(abi.EBADF, abi.SYS_fcntl, 99, abi.F_GETFL)
}

// Oracle: fcntl(2): what a lock's l_type and l_whence may be, EBADF for the wrong mode.
func TestRecordLocks(t *testing.T) {
	p := start(t)
	m := &memFile{data: make([]byte, 100)}
	rw, ro := open(t, p, m, readWrite), open(t, p, m, abi.FREAD)
	p.Must(abi.SYS_lseek, rw, 0, 40, abi.SEEK_SET)
	lock := func(l abi.Flock) []byte { return kerntest.Struct(&l) }
	p.Must(abi.SYS_fcntl, rw, abi.F_SETLK, lock(abi.Flock{Start: 2, Len: 3, Type: abi.F_WRLCK, Whence: abi.SEEK_CUR}))
	if want := (abi.Flock{Start: 42, Len: 3, Type: abi.F_WRLCK, Whence: abi.SEEK_SET}); m.locks[0] != want {
		t.Errorf("lock %+v, want %+v", m.locks[0], want)
	}
	got := lock(abi.Flock{Type: abi.F_WRLCK})
	p.Must(abi.SYS_fcntl, ro, abi.F_GETLK, got)
	var l abi.Flock
	if l.Decode(got); l.Type != abi.F_UNLCK {
		t.Errorf("F_GETLK %+v", l)
	}
	p.Want(abi.EBADF, abi.SYS_fcntl, ro, abi.F_SETLK, lock(abi.Flock{Type: abi.F_WRLCK}))
	p.Want(abi.EINVAL, abi.SYS_fcntl, rw, abi.F_SETLKW, lock(abi.Flock{Type: 77}))
	p.Want(abi.EINVAL, abi.SYS_fcntl, rw, abi.F_SETLK, lock(abi.Flock{Type: abi.F_RDLCK, Whence: 9}))
	p.Want(abi.EFAULT, abi.SYS_fcntl, rw, abi.F_SETLK, 5)
	r, _ := p.Pipe()
	p.Want(abi.EINVAL, abi.SYS_fcntl, r, abi.F_SETLK, lock(abi.Flock{Type: abi.F_RDLCK}))
}

// Oracle: wire/sysctl-hostname.jsonl and wire/files-ed.jsonl: fstat, TIOCGETA and TIOCGWINSZ on the console.
func TestConsole(t *testing.T) {
	var out bytes.Buffer
	k := kerntest.NewConfig(t, kern.Config{Console: &out, ConsoleInput: strings.NewReader("some input")})
	p := kerntest.Proc(t, k)
	p.Write(1, "out ")
	p.Write(2, "err")
	if out.String() != "out err" {
		t.Errorf("console has %q", out.String())
	}
	if s, errno := p.Read(0, 4); s != "some" || errno != 0 {
		t.Errorf("read %q, %v", s, errno)
	}
	if s, _ := p.Read(0, 100); s != " input" {
		t.Errorf("read %q", s)
	}
	if s, errno := p.Read(0, 100); s != "" || errno != 0 {
		t.Errorf("at the end: read %q, %v", s, errno)
	}
	stat := make([]byte, abi.SizeofStat)
	p.Must(abi.SYS___fstat50, 1, stat)
	var st abi.Stat
	st.Decode(stat)
	boot := kern.Timespec(k.BootTime())
	if want := (abi.Stat{Mode: abi.S_IFCHR | 0600, Atim: boot, Mtim: boot, Ctim: boot, Birthtim: boot}); st != want {
		t.Errorf("fstat %+v, want %+v", st, want)
	}
	termios := bytes.Repeat([]byte{1}, abi.SizeofTermios)
	p.Must(abi.SYS_ioctl, 1, abi.TIOCGETA, termios)
	if !bytes.Equal(termios, make([]byte, abi.SizeofTermios)) {
		t.Errorf("TIOCGETA gives %x", termios)
	}
	p.Want(abi.ENOTTY, abi.SYS_ioctl, 0, abi.TIOCGWINSZ, make([]byte, 8))
	p.Want(0, abi.SYS_read, 0, []byte{0}, 0)
}

// Without an input the console is at end of file.
func TestConsoleWithoutInput(t *testing.T) {
	p := start(t)
	if s, errno := p.Read(0, 10); s != "" || errno != 0 {
		t.Errorf("read %q, %v", s, errno)
	}
	if n, errno := p.Write(1, "lost"); n != 4 || errno != 0 {
		t.Errorf("write %d, %v", n, errno)
	}
}
