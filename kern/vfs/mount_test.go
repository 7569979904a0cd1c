package vfs_test

import (
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// mounted is a file system that a test has mounted.
type mounted struct {
	tb   testing.TB
	p    *kerntest.P
	path string
}

// mountFS mounts a tmpfs.
func mountFS(tb testing.TB, p *kerntest.P, path string, flags int) *mounted {
	tb.Helper()
	p.Must(abi.SYS___mount50, "tmpfs", path, flags, nil, 0)
	return &mounted{tb, p, path}
}

// flags changes the flags of the mount.
func (m *mounted) flags(flags int) {
	m.tb.Helper()
	m.p.Must(abi.SYS___mount50, "tmpfs", m.path, abi.MNT_UPDATE|flags, nil, 0)
}

func statvfs(p *kerntest.P, path string) (st abi.Statvfs, errno abi.Errno) {
	buf := make([]byte, abi.SizeofStatvfs)
	if _, errno = p.Call(abi.SYS_statvfs1, path, buf, abi.ST_WAIT); errno == 0 {
		errno = abi.ToErrno(st.Decode(buf))
	}
	return st, errno
}

// mountNames are what getvfsstat(2) lists: where and what.
func mountNames(p *kerntest.P) (names []string) {
	n := p.Must(abi.SYS_getvfsstat, nil, 0, abi.ST_NOWAIT)
	buf := make([]byte, n*abi.SizeofStatvfs)
	n = p.Must(abi.SYS_getvfsstat, buf, len(buf), abi.ST_NOWAIT)
	for i := range n {
		var st abi.Statvfs
		st.Decode(buf[i*abi.SizeofStatvfs:])
		names = append(names, abi.CString(st.Mntonname[:])+" "+abi.CString(st.Fstypename[:]))
	}
	return names
}

// TestMountErrors: what mount(2) and unmount(2) refuse. Oracles: mount(2); transcript core-02 for a type that is not loaded.
func TestMountErrors(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/", "/m/sub/", "/f", "/l -> m")
	p.Want(abi.ENODEV, abi.SYS___mount50, "nosuchfs", "/m", 0, nil, 0)
	p.Want(abi.ENODEV, abi.SYS___mount50, 0, "/m", 0, nil, 0)
	p.Want(abi.ENODEV, abi.SYS___mount50, 1, "/m", 0, nil, 0) // ffs, by its old number
	p.Want(abi.ENOENT, abi.SYS___mount50, "tmpfs", "/nope", 0, nil, 0)
	p.Want(abi.ENOTDIR, abi.SYS___mount50, "tmpfs", "/f", 0, nil, 0)
	p.Want(abi.EINVAL, abi.SYS___mount50, "tmpfs", "/m", abi.MNT_EXPORTED, nil, 0)
	p.Want(abi.EINVAL, abi.SYS___mount50, "tmpfs", "/m", 0, make([]byte, 9000), 9000)
	p.Want(abi.EINVAL, abi.SYS___mount50, "tmpfs", "/m/sub", abi.MNT_UPDATE, nil, 0)
	p.Want(abi.EOPNOTSUPP, abi.SYS___mount50, "tmpfs", "/", abi.MNT_UPDATE, make([]byte, 8), 8)
	p.Want(abi.EINVAL, abi.SYS___mount50, "tmpfs", "/", abi.MNT_GETARGS, nil, 0)
	p.Want(abi.EOPNOTSUPP, abi.SYS___mount50, "tmpfs", "/", abi.MNT_GETARGS, make([]byte, 64), 64)
	as(p, 1000).Want(abi.EPERM, abi.SYS___mount50, "tmpfs", "/m", 0, nil, 0)
	p.Want(abi.EINVAL, abi.SYS_unmount, "/m", 0)
	p.Want(abi.EINVAL, abi.SYS_unmount, "/", 0)
	p.Want(abi.EINVAL, abi.SYS_unmount, "/", abi.MNT_FORCE)
	p.Must(abi.SYS___mount50, "tmpfs", "/l", 0, nil, 0)
	if got := mountNames(p); !slices.Equal(got, []string{"/ rumpfs", "/m tmpfs"}) {
		t.Errorf("mounted %q", got)
	}
	as(p, 1000).Want(abi.EPERM, abi.SYS_unmount, "/m", 0)
	p.Want(abi.EINVAL, abi.SYS_unmount, "/l", 0) // links are not followed
	p.Must(abi.SYS_unmount, "/m", 0)
	if _, errno := stat(p, "/m/sub"); errno != 0 {
		t.Errorf("what was covered: %v", errno)
	}
}

// TestBusy: what keeps a file system from being unmounted, and what does not. Oracle: unmount(2).
func TestBusy(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/")
	mountFS(t, p, "/m", 0)
	tree(p, "/m/f", "/m/d/", "/m/sub/")
	for name, use := range map[string]func(q *kerntest.P){
		"an open file":      func(q *kerntest.P) { open(q, "/m/f", abi.O_RDONLY) },
		"an open directory": func(q *kerntest.P) { open(q, "/m", abi.O_RDONLY) },
		"a working directory": func(q *kerntest.P) {
			q.Must(abi.SYS_chdir, "/m/d")
		},
		"the root as one":  func(q *kerntest.P) { q.Must(abi.SYS_chdir, "/m") },
		"a root directory": func(q *kerntest.P) { q.Must(abi.SYS_chroot, "/m/d") },
	} {
		q := p.Fork()
		use(q)
		p.Want(abi.EBUSY, abi.SYS_unmount, "/m", 0)
		q.Exit()
		if _, errno := stat(p, "/m/f"); errno != 0 {
			t.Errorf("%s: the file system does not work any more: %v", name, errno)
		}
	}
	mountFS(t, p, "/m/sub", 0)
	p.Want(abi.EBUSY, abi.SYS_unmount, "/m", 0)
	p.Want(abi.EBUSY, abi.SYS_unmount, "/m", abi.MNT_FORCE)
	p.Want(abi.EBUSY, abi.SYS_rmdir, "/m/sub")
	p.Want(abi.EBUSY, abi.SYS_rename, "/m/sub", "/m/x")
	p.Must(abi.SYS_unmount, "/m/sub", 0)
	stat(p, "/m/f") // is in the name cache
	p.Must(abi.SYS_unmount, "/m", 0)
}

// TestForce: with MNT_FORCE open files stop working, and the directory is as it was.
func TestForce(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/", "/m/below")
	mountFS(t, p, "/m", 0)
	tree(p, "/m/f", "/m/d/")
	fd, dir := open(p, "/m/f", abi.O_RDWR), open(p, "/m/d", abi.O_RDONLY)
	q := p.Fork()
	q.Must(abi.SYS_chdir, "/m/d")
	p.Must(abi.SYS_unmount, "/m", abi.MNT_FORCE)
	if _, errno := p.Read(fd, 10); errno != abi.EIO {
		t.Errorf("read: %v", errno)
	}
	if _, errno := p.Write(fd, "x"); errno != abi.EIO {
		t.Errorf("write: %v", errno)
	}
	if _, errno := statBy(p, abi.SYS___fstat50, fd); errno != abi.EBADF {
		t.Errorf("fstat: %v", errno)
	}
	p.Want(abi.ENOENT, abi.SYS_openat, dir, "x", abi.O_RDONLY, 0)
	p.Want(abi.ENOENT, abi.SYS_mkdirat, dir, "x", 0755)
	if _, errno := stat(q, "."); errno != abi.ENOENT {
		t.Errorf("the working directory: %v", errno)
	}
	p.Close(fd)
	if _, errno := stat(p, "/m/below"); errno != 0 {
		t.Errorf("what was covered: %v", errno)
	}
	mountFS(t, p, "/m", 0)
	p.Must(abi.SYS_unmount, "/m", 0)
}

// TestMountOver: processes in the covered directory move along; "/" can be covered too. Oracle: mount(2).
func TestMountOver(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/", "/m/below")
	q := p.Fork()
	q.Must(abi.SYS_chdir, "/m")
	mountFS(t, p, "/m", 0)
	tree(p, "/m/above")
	if _, errno := stat(q, "above"); errno != 0 {
		t.Errorf("a process in the covered directory: %v", errno)
	}
	mountFS(t, p, "/", 0)
	if _, errno := stat(p, "/m"); errno != abi.ENOENT {
		t.Errorf("the old root shows: %v", errno)
	}
	tree(p, "/new")
	if a, b := ino(t, p, "/.."), ino(t, p, "/"); a != b {
		t.Errorf("/.. is %d, / is %d", a, b)
	}
	p.Must(abi.SYS_unmount, "/", abi.MNT_FORCE)
	r := kerntest.Proc(t, p.K)
	if _, errno := stat(r, "/m/above"); errno != 0 {
		t.Errorf("after the new root has gone: %v", errno)
	}
}

// TestMountFlags: noexec, nodev, noatime, and what MNT_UPDATE makes read-only. Oracle: mount(8).
func TestMountFlags(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/")
	m := mountFS(t, p, "/m", abi.MNT_NODEV|abi.MNT_NOEXEC|abi.MNT_NOATIME)
	if st, _ := statvfs(p, "/m"); st.Flag != abi.MNT_NODEV|abi.MNT_NOEXEC|abi.MNT_NOATIME|abi.MNT_LOCAL {
		t.Errorf("flags %#x", st.Flag)
	}
	p.Must(abi.SYS___mknod50, "/m/null", abi.S_IFCHR|0777, 0x202)
	p.Want(abi.ENXIO, abi.SYS_open, "/m/null", abi.O_RDWR, 0)
	fd := open(p, "/m/f", abi.O_RDWR|abi.O_CREAT)
	p.Must(abi.SYS_chmod, "/m/f", 0755)
	p.Want(abi.EACCES, abi.SYS_access, "/m/f", abi.X_OK)
	p.Write(fd, "x")
	before, _ := stat(p, "/m/f")
	p.Must(abi.SYS_pread, fd, make([]byte, 1), 1, 0, 0)
	if after, _ := stat(p, "/m/f"); after.Atim != before.Atim {
		t.Errorf("noatime: %v, %v", before.Atim, after.Atim)
	}
	p.Want(abi.EBUSY, abi.SYS___mount50, "tmpfs", "/m", abi.MNT_UPDATE|abi.MNT_RDONLY, nil, 0)
	p.Close(fd)
	m.flags(abi.MNT_RDONLY)
	p.Want(abi.EROFS, abi.SYS_open, "/m/f", abi.O_RDWR, 0)
	m.flags(0)
	p.Must(abi.SYS_access, "/m/f", abi.X_OK)
	fd = open(p, "/m/f", abi.O_RDWR)
	before, _ = stat(p, "/m/f")
	p.Must(abi.SYS_pread, fd, make([]byte, 1), 1, 0, 0)
	if after, _ := stat(p, "/m/f"); after.Atim == before.Atim {
		t.Error("atime does not change")
	}
}

// TestStatvfs compares with a recorded struct statvfs of rumpfs. Oracle: wire session mount: flags MNT_LOCAL|MNT_ROOTFS, the ids,
// names and the longest name.
func TestStatvfs(t *testing.T) {
	p := newProc(t)
	st, errno := statvfs(p, "/tmp")
	if errno != 0 {
		t.Fatal(errno)
	}
	if st.Flag != 0x5000 || st.Fsidx.Val != [2]int32{0xab01, 0x1a0ab} || st.Fsid != 0xab01 || st.Namemax != 255 || st.Owner != 0 {
		t.Errorf("flags %#x, ids %x and %x, names to %d, owner %d", st.Flag, st.Fsidx.Val, st.Fsid, st.Namemax, st.Owner)
	}
	for _, c := range [][2]string{{abi.CString(st.Fstypename[:]), "rumpfs"}, {abi.CString(st.Mntonname[:]), "/"}, {abi.CString(st.Mntfromname[:]), "rumpfs"}} {
		if c[0] != c[1] {
			t.Errorf("%q, want %q", c[0], c[1])
		}
	}
	if s, _ := stat(p, "/tmp"); s.Dev != st.Fsid {
		t.Errorf("st_dev %x", s.Dev)
	}
	p.Must(abi.SYS___mount50, "tmpfs", "/tmp", 0, nil, 0)
	buf := make([]byte, abi.SizeofStatvfs)
	if n := p.Must(abi.SYS_getvfsstat, buf, len(buf), abi.ST_WAIT); n != 1 {
		t.Errorf("%d structures in room for one", n)
	}
	p.Must(abi.SYS_fstatvfs1, open(p, "/tmp", abi.O_RDONLY), buf, abi.ST_WAIT)
	if st.Decode(buf); abi.CString(st.Mntonname[:]) != "/tmp" {
		t.Errorf("fstatvfs: %q", abi.CString(st.Mntonname[:]))
	}
}

// TestStatvfsInJail: a process sees the mounts below its root, by their names from there. Oracle: chroot(2), getvfsstat(2).
func TestStatvfsInJail(t *testing.T) {
	p := newProc(t)
	tree(p, "/jail/", "/jail/m/", "/out/")
	mountFS(t, p, "/jail/m", 0)
	mountFS(t, p, "/out", 0)
	p.Must(abi.SYS_chroot, "/jail")
	if got := mountNames(p); !slices.Equal(got, []string{"/m tmpfs", "/ rumpfs"}) {
		t.Errorf("mounted %q", got)
	}
	if st, errno := statvfs(p, "/"); errno != 0 || abi.CString(st.Mntonname[:]) != "/" {
		t.Errorf("%q, %v", abi.CString(st.Mntonname[:]), errno)
	}
}

// TestHalt: file systems are unmounted, the last one first.
func TestHalt(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/")
	mountFS(t, p, "/m", 0)
	tree(p, "/m/n/")
	mountFS(t, p, "/m/n", 0)
	open(p, "/m/n/f", abi.O_RDWR|abi.O_CREAT)
	v := vfs.Of(p.K)
	p.K.Halt()
	if left := v.Mounts(); len(left) != 0 {
		t.Errorf("%d file systems are still mounted", len(left))
	}
}
