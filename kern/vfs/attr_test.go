package vfs_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// TestPermissions makes calls as three users on the file of one of them. Oracles: chmod(2), chown(2), chflags(2), utimesArg(2).
func TestPermissions(t *testing.T) {
	p := newProc(t)
	owner, other := as(p, 1000, 1000, 50), as(p, 2000)
	tree(p, "/d/", "/d/f")
	p.Must(abi.SYS_chmod, "/d", 0777)
	p.Must(abi.SYS_chown, "/d/f", 1000, 1000)
	old := timesArg(abi.Timespec{Sec: 1}, abi.Timespec{Sec: 2})
	const keep = int64(-1)
	for _, c := range []struct {
		call         int
		args         []any
		owner, other abi.Errno
	}{
		{abi.SYS_chmod, []any{"/d/f", 0600}, 0, abi.EPERM},
		{abi.SYS_chmod, []any{"/d/f", 01600}, abi.EFTYPE, abi.EPERM},
		{abi.SYS_chmod, []any{"/d/f", 02600}, 0, abi.EPERM},
		{abi.SYS_chown, []any{"/d/f", 2000, keep}, abi.EPERM, abi.EPERM},
		{abi.SYS_chown, []any{"/d/f", keep, 50}, 0, abi.EPERM},
		{abi.SYS_chown, []any{"/d/f", keep, 51}, abi.EPERM, abi.EPERM},
		{abi.SYS_chown, []any{"/d/f", 1000, 1000}, 0, abi.EPERM},
		{abi.SYS_chflags, []any{"/d/f", abi.UF_NODUMP}, 0, abi.EPERM},
		{abi.SYS_chflags, []any{"/d/f", abi.SF_ARCHIVED}, abi.EPERM, abi.EPERM},
		{abi.SYS_chflags, []any{"/d/f", 0}, 0, abi.EPERM},
		{abi.SYS_utimensat, []any{abi.AT_FDCWD, "/d/f", old, 0}, 0, abi.EPERM},
		{abi.SYS_utimensat, []any{abi.AT_FDCWD, "/d/f", nil, 0}, 0, abi.EACCES},
		{abi.SYS_truncate, []any{"/d/f", 0, 1}, 0, abi.EACCES},
		{abi.SYS_open, []any{"/d/f", abi.O_RDONLY, 0}, 0, abi.EACCES},
		{abi.SYS_access, []any{"/d/f", abi.R_OK | abi.W_OK}, 0, abi.EACCES},
		{abi.SYS_access, []any{"/d/f", abi.X_OK}, abi.EACCES, abi.EACCES},
		{abi.SYS_access, []any{"/d/f", abi.F_OK}, 0, 0},
		{abi.SYS_access, []any{"/d/f", 8}, abi.EINVAL, abi.EINVAL},
		{abi.SYS___mknod50, []any{"/d/dev", abi.S_IFCHR | 0600, 5}, abi.EPERM, abi.EPERM},
	} {
		other.Want(c.other, c.call, c.args...)
		owner.Want(c.owner, c.call, c.args...)
	}
	p.Must(abi.SYS_chmod, "/d/f", 0602)
	other.Must(abi.SYS_utimensat, abi.AT_FDCWD, "/d/f", nil, 0)
	p.Must(abi.SYS_chflags, "/d/f", abi.SF_IMMUTABLE)
	owner.Want(abi.EPERM, abi.SYS_chflags, "/d/f", 0)
	owner.Want(abi.EPERM, abi.SYS_chmod, "/d/f", 0600)
	owner.Want(abi.EPERM, abi.SYS_open, "/d/f", abi.O_RDWR, 0)
	p.Want(abi.EPERM, abi.SYS_open, "/d/f", abi.O_RDWR, 0)
	p.Want(abi.EPERM, abi.SYS_link, "/d/f", "/d/g")
	p.Must(abi.SYS_chflags, "/d/f", 0)
}

// TestSetID: which changes take the set-id bits away. Oracles: chown(2) for both kinds of it, write(2).
func TestSetID(t *testing.T) {
	p := newProc(t)
	u := as(p, 1000, 1000, 50)
	const keep = int64(-1)
	fd := open(u, "/tmp/f", abi.O_RDWR|abi.O_CREAT)
	for _, c := range []struct {
		what string
		do   func()
		want uint32
	}{
		{"chown of the owner", func() { p.Must(abi.SYS_chown, "/tmp/f", 1000, keep) }, 02755},
		{"chown of the group", func() { p.Must(abi.SYS_chown, "/tmp/f", keep, 1000) }, 04755},
		{"__posix_chown by root", func() { p.Must(abi.SYS___posix_chown, "/tmp/f", 1000, 1000) }, 06755},
		{"__posix_chown", func() { u.Must(abi.SYS___posix_chown, "/tmp/f", keep, 50) }, 0755},
		{"write", func() { u.Write(fd, "x") }, 0755},
		{"open by root", func() { p.Close(open(p, "/tmp/f", abi.O_RDWR)) }, 06755},
		{"truncate", func() { u.Must(abi.SYS_ftruncate, fd, 0, 0) }, 0755},
	} {
		p.Must(abi.SYS_chown, "/tmp/f", 1000, 1000)
		p.Must(abi.SYS_chmod, "/tmp/f", 06755)
		c.do()
		if st, _ := stat(p, "/tmp/f"); st.Mode&07777 != c.want {
			t.Errorf("%s: %o, want %o", c.what, st.Mode&07777, c.want)
		}
	}
}

// timesArg are the times of utimes(2) and its kin.
func timesArg(atime, mtime abi.Timespec) []byte {
	return append(atime.Append(nil), mtime.Append(nil)...)
}

// TestUtimes: UTIME_NOW, UTIME_OMIT, microseconds, and the time of birth, which is never later than the last change. Oracle: utimesArg(2).
func TestUtimesArg(t *testing.T) {
	p := newProc(t)
	tree(p, "/f", "/l -> f")
	born, _ := stat(p, "/f")
	set := func(a, m abi.Timespec) (abi.Stat, abi.Errno) {
		_, errno := p.Call(abi.SYS_utimensat, abi.AT_FDCWD, "/f", timesArg(a, m), 0)
		st, _ := stat(p, "/f")
		return st, errno
	}
	later := abi.Timespec{Sec: born.Birthtim.Sec + 100, Nsec: 7}
	early := abi.Timespec{Sec: 1000, Nsec: 999999999}
	omit := abi.Timespec{Nsec: abi.UTIME_OMIT}
	if st, errno := set(later, later); errno != 0 || st.Atim != later || st.Mtim != later || st.Birthtim != born.Birthtim {
		t.Errorf("later: %+v, %v", st, errno)
	}
	if st, errno := set(early, omit); errno != 0 || st.Atim != early || st.Mtim != later {
		t.Errorf("atime alone: %+v, %v", st, errno)
	}
	if st, errno := set(omit, early); errno != 0 || st.Mtim != early || st.Birthtim != early {
		t.Errorf("mtime alone: %+v, %v", st, errno)
	}
	if st, errno := set(abi.Timespec{Nsec: abi.UTIME_NOW}, omit); errno != 0 || st.Atim.Sec < born.Atim.Sec || st.Mtim != early {
		t.Errorf("now: %+v, %v", st, errno)
	}
	if _, errno := set(abi.Timespec{Nsec: 1e9}, omit); errno != abi.EINVAL {
		t.Errorf("a second of nanoseconds: %v", errno)
	}
	p.Must(abi.SYS___lutimes50, "/l", timesArg(abi.Timespec{Sec: 5, Nsec: 6}, abi.Timespec{Sec: 7, Nsec: 8}))
	if st, _ := lstat(p, "/l"); st.Atim != (abi.Timespec{Sec: 5, Nsec: 6000}) || st.Mtim != (abi.Timespec{Sec: 7, Nsec: 8000}) {
		t.Errorf("lutimes: %v, %v", st.Atim, st.Mtim)
	}
	fd := open(p, "/f", abi.O_RDONLY)
	p.Must(abi.SYS_futimens, fd, timesArg(early, early))
	p.Must(abi.SYS___futimes50, fd, timesArg(abi.Timespec{Sec: 9}, abi.Timespec{Sec: 9}))
	if st, _ := stat(p, "/f"); st.Mtim.Sec != 9 {
		t.Errorf("futimes: %v", st.Mtim)
	}
}

// TestReadOnly: on a file system that is mounted read-only nothing changes, devices can be written to. Oracle: mount(2).
func TestReadOnly(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/")
	m := mountFS(t, p, "/m", 0)
	tree(p, "/m/f", "/m/d/", "/m/l -> f")
	p.Must(abi.SYS___mknod50, "/m/null", abi.S_IFCHR|0666, kern.Makedev(2, 2))
	m.flags(abi.MNT_RDONLY)
	before, _ := stat(p, "/m/f")
	for _, c := range []struct {
		call int
		args []any
		want abi.Errno
	}{
		{abi.SYS_open, []any{"/m/f", abi.O_RDWR, 0}, abi.EROFS},
		{abi.SYS_open, []any{"/m/new", abi.O_RDWR | abi.O_CREAT, 0644}, abi.EROFS},
		{abi.SYS_open, []any{"/m/f", abi.O_RDONLY, 0}, 0},
		{abi.SYS_open, []any{"/m/f", abi.O_RDONLY | abi.O_CREAT, 0}, 0},
		{abi.SYS_open, []any{"/m/null", abi.O_RDWR, 0}, 0},
		{abi.SYS_mkdir, []any{"/m/e", 0755}, abi.EROFS},
		{abi.SYS_mkdir, []any{"/m/d", 0755}, abi.EEXIST},
		{abi.SYS_unlink, []any{"/m/f"}, abi.EROFS},
		{abi.SYS_unlink, []any{"/m/nope"}, abi.ENOENT},
		{abi.SYS_rmdir, []any{"/m/d"}, abi.EROFS},
		{abi.SYS_rename, []any{"/m/f", "/m/g"}, abi.EROFS},
		{abi.SYS_link, []any{"/m/f", "/m/g"}, abi.EROFS},
		{abi.SYS_symlink, []any{"x", "/m/g"}, abi.EROFS},
		{abi.SYS_chmod, []any{"/m/f", 0600}, abi.EROFS},
		{abi.SYS_chown, []any{"/m/f", 1, 1}, abi.EROFS},
		{abi.SYS_chflags, []any{"/m/f", 0}, abi.EROFS},
		{abi.SYS___utimes50, []any{"/m/f", nil}, abi.EROFS},
		{abi.SYS_truncate, []any{"/m/f", 0, 0}, abi.EROFS},
		{abi.SYS_access, []any{"/m/f", abi.W_OK}, abi.EROFS},
		{abi.SYS_access, []any{"/m/null", abi.W_OK}, 0},
		{abi.SYS_access, []any{"/m/f", abi.R_OK}, 0},
	} {
		p.Want(c.want, c.call, c.args...)
	}
	p.Read(open(p, "/m/f", abi.O_RDONLY), 10)
	if after, _ := stat(p, "/m/f"); after != before {
		t.Errorf("%+v has become %+v", before, after)
	}
}
