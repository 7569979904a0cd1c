package vfs_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestOpen checks flags against kinds of files. Oracle: open(2).
func TestOpen(t *testing.T) {
	p := newProc(t)
	tree(p, "/f", "/d/", "/l -> f", "/ld -> d", "/dang -> made", "/ddang -> nodir/made")
	for _, c := range []struct {
		path  string
		flags int
		want  abi.Errno
	}{
		{"/f", abi.O_RDONLY, 0},
		{"/f", abi.O_ACCMODE, abi.EINVAL},
		{"/nope", abi.O_RDONLY, abi.ENOENT},
		{"/f", abi.O_CREAT | abi.O_EXCL | abi.O_RDWR, abi.EEXIST},
		{"/l", abi.O_CREAT | abi.O_EXCL | abi.O_RDWR, abi.EEXIST},
		{"/dang", abi.O_CREAT | abi.O_EXCL | abi.O_RDWR, abi.EEXIST},
		{"/dang", abi.O_CREAT | abi.O_RDWR, 0},
		{"/made", abi.O_RDONLY, 0},
		{"/ddang", abi.O_CREAT | abi.O_RDWR, abi.ENOENT},
		{"/new/", abi.O_CREAT | abi.O_RDWR, abi.ENOENT},
		{"/f/", abi.O_CREAT | abi.O_RDWR, abi.ENOTDIR},
		{"/d/", abi.O_CREAT | abi.O_RDWR, abi.EISDIR},
		{"/d", abi.O_WRONLY, abi.EISDIR},
		{"/d", abi.O_RDONLY | abi.O_TRUNC, abi.EISDIR},
		{"/d", abi.O_RDONLY | abi.O_DIRECTORY, 0},
		{"/ld", abi.O_RDONLY | abi.O_DIRECTORY, 0},
		{"/f", abi.O_RDONLY | abi.O_DIRECTORY, abi.ENOTDIR},
		{"/new", abi.O_RDWR | abi.O_CREAT | abi.O_DIRECTORY, abi.EINVAL},
		{"/l", abi.O_RDONLY | abi.O_NOFOLLOW, abi.EFTYPE},
		{"/f", abi.O_RDONLY | abi.O_NOFOLLOW, 0},
		{"/d", abi.O_RDONLY | abi.O_SEARCH, 0},
		{"/", abi.O_RDONLY, 0},
		{"/", abi.O_CREAT | abi.O_RDONLY, 0},
		{"/.", abi.O_CREAT | abi.O_EXCL | abi.O_RDONLY, abi.EEXIST},
	} {
		fd, errno := p.Call(abi.SYS_open, c.path, c.flags, 0644)
		if errno != c.want {
			t.Errorf("open %s %#x: %v, want %v", c.path, c.flags, errno, c.want)
		}
		if errno == 0 {
			p.Close(int(fd))
		}
	}
}

// TestOpenMode: the umask applies, the sticky bit does not, and a file made unreadable is open nevertheless. Oracle: open(2).
func TestOpenMode(t *testing.T) {
	p := newProc(t)
	p.Must(abi.SYS_chmod, "/tmp", 0777)
	u := as(p, 1000)
	for _, c := range []struct {
		umask, mode int
		want        uint32
	}{{022, 0666, 0644}, {0, 07777, 06777}, {077, 0777, 0700}, {0777, 0777, 0}} {
		u.Must(abi.SYS_umask, c.umask)
		fd := int(u.Must(abi.SYS_open, "/tmp/f", abi.O_RDWR|abi.O_CREAT, c.mode))
		if _, errno := u.Write(fd, "x"); errno != 0 {
			t.Errorf("mode %o: write: %v", c.mode, errno)
		}
		st, _ := stat(p, "/tmp/f")
		// The write of another than the superuser has taken the set-id bits away.
		if want := abi.S_IFREG | c.want&^06000; st.Mode != want || st.Uid != 1000 {
			t.Errorf("mode %o with umask %o: %o of %d, want %o", c.mode, c.umask, st.Mode, st.Uid, want)
		}
		u.Close(fd)
		u.Must(abi.SYS_unlink, "/tmp/f")
	}
	if old := u.Must(abi.SYS_umask, 022); old != 0777 {
		t.Errorf("umask was %o", old)
	}
}

// TestOpenLosesNothing: an open that fails for want of a descriptor has not truncated the file.
func TestOpenLosesNothing(t *testing.T) {
	p := newProc(t)
	fd := open(p, "/f", abi.O_RDWR|abi.O_CREAT)
	p.Write(fd, "precious")
	limit := abi.Rlimit{Cur: uint64(fd + 1), Max: uint64(fd + 1)}
	p.Must(abi.SYS_setrlimit, abi.RLIMIT_NOFILE, limit.Append(nil))
	p.Want(abi.EMFILE, abi.SYS_open, "/f", abi.O_RDWR|abi.O_TRUNC, 0)
	if st, _ := stat(p, "/f"); st.Size != int64(len("precious")) {
		t.Errorf("%d bytes are left", st.Size)
	}
}

// TestAppend: with O_APPEND every write goes to the end; an append-only file is opened no other way. Oracles: open(2), chflags(2).
func TestAppend(t *testing.T) {
	p := newProc(t)
	tree(p, "/f")
	a, b := open(p, "/f", abi.O_RDWR|abi.O_APPEND), open(p, "/f", abi.O_RDWR)
	p.Write(a, "one")
	p.Write(b, "12345")
	p.Write(a, "two")
	p.Must(abi.SYS_lseek, a, 0, 0, abi.SEEK_SET)
	if got, _ := p.Read(a, 64); got != "12345two" {
		t.Errorf("%q", got)
	}
	p.Must(abi.SYS_chflags, "/f", abi.UF_APPEND)
	p.Want(abi.EPERM, abi.SYS_open, "/f", abi.O_RDWR, 0)
	p.Want(abi.EPERM, abi.SYS_open, "/f", abi.O_RDWR|abi.O_APPEND|abi.O_TRUNC, 0)
	p.Close(open(p, "/f", abi.O_RDWR|abi.O_APPEND))
	p.Want(abi.EPERM, abi.SYS_truncate, "/f", 0, 0)
	p.Want(abi.EPERM, abi.SYS_unlink, "/f")
	p.Want(abi.EPERM, abi.SYS_chmod, "/f", 0600)
	p.Must(abi.SYS_chflags, "/f", 0)
	p.Must(abi.SYS_unlink, "/f")
}

// TestFileSizeLimit: RLIMIT_FSIZE gives EFBIG and SIGXFSZ, the largest offset EFBIG. Oracle: write(2).
func TestFileSizeLimit(t *testing.T) {
	p := newProc(t)
	fd := open(p, "/f", abi.O_RDWR|abi.O_CREAT)
	p.Want(abi.EFBIG, abi.SYS_pwrite, fd, []byte("xy"), 2, 0, int64(1<<63-2))
	limit := abi.Rlimit{Cur: 10, Max: 10}
	p.Must(abi.SYS_setrlimit, abi.RLIMIT_FSIZE, limit.Append(nil))
	p.Must(abi.SYS_pwrite, fd, []byte("0123456789"), 10, 0, 0)
	p.Want(abi.EFBIG, abi.SYS_pwrite, fd, []byte("x"), 1, 0, 10)
	p.Want(abi.EFBIG, abi.SYS_ftruncate, fd, 0, 11)
	p.Must(abi.SYS_ftruncate, fd, 0, 9)
	if got := p.Signals(); len(got) != 2 || got[0] != abi.SIGXFSZ || got[1] != abi.SIGXFSZ {
		t.Errorf("signals %v", got)
	}
}
