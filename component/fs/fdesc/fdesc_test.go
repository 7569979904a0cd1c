package fdesc_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/fdesc"
	"github.com/rumpctrl/rumpctrl/component/kern/tty"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest"
)

// mounted makes a kernel with an fdesc at /f.
func mounted(t testing.TB, more ...*kern.Component) *kerntest.P {
	t.Helper()
	p := kerntest.Proc(t, kerntest.New(t, append(more, rumpvfs.Component(), fdesc.Component())...))
	p.Must(abi.SYS_mkdir, "/f", 0o755)
	p.Must(abi.SYS___mount50, "fdesc", "/f", 0, nil, 0)
	return p
}

// TestConformance runs the part of the suite that is for fixed names.
func TestConformance(t *testing.T) {
	vfstest.RunFixed(t, vfstest.Fixed{
		Boot:      func(t testing.TB) (*kern.Kernel, string) { return mounted(t).K, "/f" },
		Type:      "fdesc",
		Dirs:      []string{"fd"},
		Refused:   abi.EOPNOTSUPP,
		ByProcess: true,
	})
}

func open(p *kerntest.P, path string, flags int) int {
	return int(p.Must(abi.SYS_open, path, flags, 0o644))
}

func stat(t *testing.T, p *kerntest.P, num int, what any) (st abi.Stat) {
	t.Helper()
	b := make([]byte, abi.SizeofStat)
	p.Must(num, what, b)
	if err := st.Decode(b); err != nil {
		t.Fatal(err)
	}
	return st
}

// names lists a directory of a few entries.
func names(t *testing.T, p *kerntest.P, path string) []string {
	t.Helper()
	fd := open(p, path, abi.O_RDONLY)
	defer p.Close(fd)
	b := make([]byte, 4096)
	b = b[:p.Must(abi.SYS___getdents30, fd, b, len(b))]
	var list []string
	for len(b) > 0 {
		size := int(b[abi.DirentOffReclen]) | int(b[abi.DirentOffReclen+1])<<8
		list = append(list, abi.CString(b[abi.DirentOffName:size]))
		b = b[size:]
	}
	return list
}

// TestOpen: to open a file is to duplicate the descriptor: offset and flags are shared, nothing is truncated. Oracle: fd(4).
func TestOpen(t *testing.T) {
	p := mounted(t)
	fd := open(p, "/file", abi.O_RDWR|abi.O_CREAT)
	p.Write(fd, "hello world")
	p.Must(abi.SYS_lseek, fd, 0, 6, abi.SEEK_SET)
	path := fmt.Sprintf("/f/fd/%d", fd)
	again := open(p, path, abi.O_RDWR|abi.O_TRUNC|abi.O_CLOEXEC)
	if s, _ := p.Read(again, 3); s != "wor" {
		t.Errorf("read %q", s)
	}
	if s, _ := p.Read(fd, 10); s != "ld" {
		t.Errorf("read %q", s)
	}
	if p.Must(abi.SYS_fcntl, again, abi.F_GETFD, 0) != 1 || p.Must(abi.SYS_fcntl, fd, abi.F_GETFD, 0) != 0 {
		t.Error("close-on-exec is the descriptor's own")
	}
	p.Must(abi.SYS_fcntl, fd, abi.F_SETFL, abi.O_APPEND)
	if p.Must(abi.SYS_fcntl, again, abi.F_GETFL, 0)&abi.O_APPEND == 0 {
		t.Error("flags are not shared")
	}
	ro := open(p, "/file", abi.O_RDONLY)
	p.Want(abi.EACCES, abi.SYS_open, fmt.Sprintf("/f/fd/%d", ro), abi.O_RDWR, 0)
	p.Want(abi.EACCES, abi.SYS_open, fmt.Sprintf("/f/fd/%d", ro), abi.O_WRONLY|abi.O_TRUNC, 0)
	p.Close(open(p, fmt.Sprintf("/f/fd/%d", ro), abi.O_RDONLY))
	p.Close(fd)
	p.Want(abi.EBADF, abi.SYS_open, path, abi.O_RDONLY, 0)

	// Whoever has the descriptor may use it, whatever the mode of the file.
	p.Must(abi.SYS_fchmod, again, 0)
	user := p.Fork()
	user.Must(abi.SYS_setuid, 1000)
	user.Want(abi.EACCES, abi.SYS_open, "/file", abi.O_RDONLY, 0)
	user.Must(abi.SYS_open, fmt.Sprintf("/f/fd/%d", again), abi.O_RDWR, 0)
	user.Must(abi.SYS_access, fmt.Sprintf("/f/fd/%d", again), abi.R_OK|abi.W_OK)
}

// TestKinds: descriptors that are no files can be opened too, but for sockets; directories not be searched. Oracle: fd(4), and the
// original's errors.
func TestKinds(t *testing.T) {
	p := mounted(t)
	r, w := p.Pipe()
	end := open(p, fmt.Sprintf("/f/fd/%d", w), abi.O_WRONLY)
	p.Write(end, "through")
	if s, _ := p.Read(open(p, fmt.Sprintf("/f/fd/%d", r), abi.O_RDONLY), 10); s != "through" {
		t.Errorf("read %q", s)
	}
	kq := int(p.Must(abi.SYS_kqueue))
	open(p, fmt.Sprintf("/f/fd/%d", kq), abi.O_RDWR)
	dir := open(p, "/dev", abi.O_RDONLY)
	path := fmt.Sprintf("/f/fd/%d", dir)
	if st := stat(t, p, abi.SYS___stat50, path); st.Mode != abi.S_IFDIR|0o644 {
		t.Errorf("a directory's mode is %o", st.Mode)
	}
	p.Want(abi.ENOTDIR, abi.SYS___stat50, path+"/null", make([]byte, abi.SizeofStat))
	if got := names(t, p, path); !slices.Contains(got, "null") {
		t.Errorf("the directory has %q", got)
	}
	p.Must(abi.SYS_fchdir, open(p, path, abi.O_RDONLY))
	open(p, "null", abi.O_RDONLY)
	p.Want(abi.EISDIR, abi.SYS_open, path, abi.O_RDWR, 0)
	for name, want := range map[string]abi.Errno{"x": abi.ENOENT, "-1": abi.ENOENT, "1x": abi.ENOENT, "": 0, "99": abi.EBADF,
		"99999999999999999999": abi.EBADF, "+1": abi.ENOENT} {
		p.Want(want, abi.SYS_open, "/f/fd/"+name, abi.O_RDONLY, 0)
	}
}

// TestNames: stdin, stdout and stderr lead to the descriptors; each process has its own. Oracle: fd(4).
func TestNames(t *testing.T) {
	p := mounted(t)
	for i, name := range []string{"stdin", "stdout", "stderr"} {
		b := make([]byte, 16)
		n := p.Must(abi.SYS_readlink, "/f/"+name, b, len(b))
		if want := fmt.Sprintf("fd/%d", i); string(b[:n]) != want {
			t.Errorf("%s leads to %s", name, b[:n])
		}
	}
	file := open(p, "/file", abi.O_RDWR|abi.O_CREAT)
	p.Must(abi.SYS_dup2, file, 0)
	p.Write(open(p, "/f/stdin", abi.O_WRONLY), "text")
	want, got := stat(t, p, abi.SYS___fstat50, file), stat(t, p, abi.SYS___stat50, "/f/stdin")
	if want.Size != 4 || got.Size != 4 || got.Mode != want.Mode || got.Mtim != want.Mtim {
		t.Errorf("%+v, want %+v", got, want)
	}
	child := p.Fork()
	child.Close(2)
	child.Close(1) // reading the directory will take it
	if got := names(t, child, "/f"); !slices.Equal(got, []string{".", "..", "fd", "stdin", "stdout"}) {
		t.Errorf("without descriptor 2: %q", got)
	}
	if got := names(t, p, "/f"); !slices.Equal(got, []string{".", "..", "fd", "stdin", "stdout", "stderr"}) {
		t.Errorf("%q", got)
	}
	if got := names(t, child, "/f/fd"); !slices.Equal(got, []string{".", "..", "0", "1", "3", "4"}) {
		t.Errorf("descriptors %q", got)
	}
	child.Want(abi.EBADF, abi.SYS_open, "/f/stderr", abi.O_RDONLY, 0)
	p.Want(abi.ENXIO, abi.SYS_open, "/f/tty", abi.O_RDONLY, 0)
	p.Want(abi.EOPNOTSUPP, abi.SYS_chmod, "/f/fd/0", 0o600)
}

// TestTTY: tty is the controlling terminal of a process that has one. Oracle: fd(4).
func TestTTY(t *testing.T) {
	p := mounted(t, tty.Component())
	const flags = abi.O_RDWR | abi.O_NONBLOCK
	master, slave := open(p, "/dev/ptyp0", flags), open(p, "/dev/ttyp0", flags)
	p.Want(abi.ENXIO, abi.SYS_open, "/f/tty", flags, 0)
	l := p.Fork()
	l.Must(abi.SYS_setsid)
	l.Must(abi.SYS_ioctl, slave, abi.TIOCSCTTY, 0)
	if got := names(t, l, "/f"); !slices.Contains(got, "tty") {
		t.Errorf("%q", got)
	}
	if st := stat(t, l, abi.SYS___stat50, "/f/tty"); st.Mode != abi.S_IFCHR|0o666 || st.Rdev != kern.Makedev(1, 0) {
		t.Errorf("%+v", st)
	}
	l.Write(open(l, "/f/tty", flags), "x")
	if s, _ := p.Read(master, 10); s != "x" {
		t.Errorf("read %q", s)
	}
}
