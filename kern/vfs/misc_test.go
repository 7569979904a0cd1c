package vfs_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestPathconf: the answers for kinds of files. Oracle: pathconf(2).
func TestPathconf(t *testing.T) {
	p := newProc(t)
	tree(p, "/f", "/q|")
	r, _ := p.Pipe()
	kq := int(p.Must(abi.SYS_kqueue))
	const none = -1
	for _, c := range []struct {
		name                  int
		file, chr, pipe, kque int64
	}{
		{abi.PC_LINK_MAX, abi.LINK_MAX, abi.LINK_MAX, none, none},
		{abi.PC_NAME_MAX, 255, 255, none, none},
		{abi.PC_PATH_MAX, 1024, 1024, none, none},
		{abi.PC_PIPE_BUF, 512, 512, 512, none},
		{abi.PC_MAX_CANON, none, 255, none, none},
		{abi.PC_CHOWN_RESTRICTED, 1, 1, none, none},
		{abi.PC_NO_TRUNC, 1, 1, none, none},
		{99, none, none, none, none},
	} {
		for _, x := range []struct {
			call int
			arg  any
			want int64
		}{
			{abi.SYS_pathconf, "/f", c.file},
			{abi.SYS_fpathconf, open(p, "/dev/null", abi.O_RDONLY), c.chr},
			{abi.SYS_fpathconf, r, c.pipe},
			{abi.SYS_fpathconf, kq, c.kque},
		} {
			got, errno := p.Call(x.call, x.arg, c.name)
			if x.want == none && errno != abi.EINVAL || x.want != none && (errno != 0 || got != x.want) {
				t.Errorf("name %d of %v: %d, %v; want %d", c.name, x.arg, got, errno, x.want)
			}
		}
	}
}

// TestAdvice: posix_fadvise and posix_fallocate return errors as values. Oracles: posix_fadvise(2), posix_fallocate(2).
func TestAdvice(t *testing.T) {
	p := newProc(t)
	fd := open(p, "/f", abi.O_RDWR|abi.O_CREAT)
	ro := open(p, "/f", abi.O_RDONLY)
	r, _ := p.Pipe()
	for _, c := range []struct {
		call int
		args []any
		want abi.Errno
	}{
		{abi.SYS___posix_fadvise50, []any{fd, 0, 0, 0, abi.POSIX_FADV_WILLNEED}, 0},
		{abi.SYS___posix_fadvise50, []any{fd, 0, 0, 0, 17}, abi.EINVAL},
		{abi.SYS___posix_fadvise50, []any{fd, 0, 0, -1, abi.POSIX_FADV_NORMAL}, abi.EINVAL},
		{abi.SYS___posix_fadvise50, []any{r, 0, 0, 0, abi.POSIX_FADV_NORMAL}, abi.ESPIPE},
		{abi.SYS___posix_fadvise50, []any{99, 0, 0, 0, abi.POSIX_FADV_NORMAL}, abi.EBADF},
		{abi.SYS_posix_fallocate, []any{fd, 0, -1, 10}, abi.EINVAL},
		{abi.SYS_posix_fallocate, []any{ro, 0, 0, 10}, abi.EBADF},
		{abi.SYS_posix_fallocate, []any{open(p, "/tmp", abi.O_RDONLY), 0, 0, 10}, abi.EBADF},
	} {
		if got := p.Must(c.call, c.args...); got != int64(c.want) {
			t.Errorf("call %d %v: %v, want %v", c.call, c.args, abi.Errno(got), c.want)
		}
	}
	p.Want(abi.EINVAL, abi.SYS_fdiscard, fd, 0, -1, 10)
	p.Want(abi.EBADF, abi.SYS_fdiscard, ro, 0, 0, 10)
	p.Want(abi.EOPNOTSUPP, abi.SYS_fdiscard, open(p, "/dev/null", abi.O_RDWR), 0, 0, 10)
	quota := abi.QuotactlArgs{QcOp: abi.QUOTACTL_STAT}
	p.Want(abi.EOPNOTSUPP, abi.SYS___quotactl, "/", quota.Append(nil))
	quota.QcOp = 99
	p.Want(abi.EINVAL, abi.SYS___quotactl, "/", quota.Append(nil))
	p.Must(abi.SYS_sync)
}

// TestDevNodes: drivers' nodes and links appear in /dev, with the directories that they need, and those that are there stay.
func TestDevNodes(t *testing.T) {
	p := newProc(t)
	for range 2 {
		err := p.K.AddDevNodes(
			kern.DevNode{Name: "mapper/control", Mode: abi.S_IFCHR | 0600, Dev: kern.Makedev(10, 1)},
			kern.DevNode{Name: "alias", Link: "mapper/control"})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/dev/mapper/control", "/dev/alias"} {
		if st, errno := stat(p, path); errno != 0 || st.Mode != abi.S_IFCHR|0600 || st.Rdev != kern.Makedev(10, 1) {
			t.Errorf("%s: %o, %x, %v", path, st.Mode, st.Rdev, errno)
		}
	}
}

// TestLayout: what a fresh root has. Oracles: transcripts core-02 and core-09.
func TestLayout(t *testing.T) {
	p := newProc(t)
	for path, mode := range map[string]uint32{"/": 0755, "/dev": 0755, "/tmp": 01777} {
		if st, errno := stat(p, path); errno != 0 || st.Mode != abi.S_IFDIR|mode {
			t.Errorf("%s: %o, %v", path, st.Mode, errno)
		}
	}
	got, errno := p.Sysctl("vfs.generic.fstypes")
	if text := strings.TrimRight(string(got), "\x00"); errno != 0 || text != "rumpfs tmpfs" {
		t.Errorf("vfs.generic.fstypes = %q, %v", text, errno)
	}
}

// TestTwoKernels: the trees of two kernels have nothing to do with each other.
func TestTwoKernels(t *testing.T) {
	a, b := newProc(t), newProc(t)
	tree(a, "/only")
	if _, errno := stat(b, "/only"); errno != abi.ENOENT {
		t.Errorf("%v", errno)
	}
	a.K.Halt()
	tree(b, "/works")
}

// TestForkedDirectories: a child has its parent's place in the tree and goes its own ways from there.
func TestForkedDirectories(t *testing.T) {
	p := newProc(t)
	tree(p, "/d/")
	p.Must(abi.SYS_chdir, "/d")
	p.Must(abi.SYS_umask, 077)
	c := p.Fork()
	c.Must(abi.SYS_chdir, "/tmp")
	if old := c.Must(abi.SYS_umask, 0); old != 077 {
		t.Errorf("the child's umask was %o", old)
	}
	for q, want := range map[*kerntest.P]string{p: "/d", c: "/tmp"} {
		if got, _ := getcwd(q); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if old := p.Must(abi.SYS_umask, 0); old != 077 {
		t.Errorf("the parent's umask was %o", old)
	}
}

// TestMagicLinks: variables in the targets of symbolic links, when they are switched on. Oracle: symlink(7).
func TestMagicLinks(t *testing.T) {
	p := newProc(t)
	tree(p, "/amd64/", "/x-NetBSD-7.99.34/", "/u0/", "/@uid/", "/@nothing/", "/e@machine/",
		"/a -> @machine", "/b -> x-@{ostype}-@{osrelease}/", "/c -> u@uid/.", "/d -> @nothing", "/e -> @uid", "/f -> e@machine_", "/g -> @{uid")
	plain := ino(t, p, "/e")
	if plain != ino(t, p, "/@uid") {
		t.Error("a variable counts although they are switched off")
	}
	if errno := p.SetSysctl("vfs.generic.magiclinks", kerntest.Ints(1)); errno != 0 {
		t.Fatal(errno)
	}
	for link, want := range map[string]string{"/a": "/amd64", "/b": "/x-NetBSD-7.99.34", "/c": "/u0", "/d": "/@nothing"} {
		if a, b := ino(t, p, link), ino(t, p, want); a != b {
			t.Errorf("%s does not lead to %s", link, want)
		}
	}
	for _, link := range []string{"/e", "/f", "/g"} {
		if _, errno := stat(p, link); errno != abi.ENOENT {
			t.Errorf("%s: %v", link, errno)
		}
	}
	buf := make([]byte, 64)
	if n := p.Must(abi.SYS_readlink, "/a", buf, len(buf)); string(buf[:n]) != "@machine" {
		t.Errorf("readlink: %q", buf[:n])
	}
}
