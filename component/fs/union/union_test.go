package union_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/null"
	"github.com/rumpctrl/rumpctrl/component/fs/tmpfs"
	"github.com/rumpctrl/rumpctrl/component/fs/union"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest"
)

// boot makes a kernel with a tmpfs of a few megabytes on /high and directories /u and /other.
func boot(t testing.TB) *kerntest.P {
	p := kerntest.Proc(t, kerntest.New(t, rumpvfs.Component(), tmpfs.Component(), layerfs.Component(), null.Component(),
		union.Component()))
	for _, dir := range []string{"/high", "/u", "/other"} {
		p.Must(abi.SYS_mkdir, dir, 0o755)
	}
	mountTmpfs(p, "/high", 0)
	return p
}

func mountTmpfs(p *kerntest.P, dir string, flags int) {
	a := abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, RootMode: 0o755, SizeMax: 2 << 20}
	p.Must(abi.SYS___mount50, "tmpfs", dir, flags, kerntest.Struct(&a), abi.SizeofTmpfsArgs)
}

func mountNull(p *kerntest.P, target, on string) {
	a := abi.NullArgs{La: abi.LayerArgs{Target: p.Mem.Map(append([]byte(target), 0))}}
	p.Must(abi.SYS___mount50, "null", on, 0, kerntest.Struct(&a), abi.SizeofNullArgs)
}

// mount mounts a union of target on a directory.
func mount(p *kerntest.P, target, on string, how int32, flags int) abi.Errno {
	a := abi.UnionArgs{Target: p.Mem.Map(append([]byte(target), 0)), Mntflags: how}
	_, errno := p.Call(abi.SYS___mount50, "union", on, flags, kerntest.Struct(&a), abi.SizeofUnionArgs)
	return errno
}

// united makes /u the union of /high, above, and what prepare puts into /u.
func united(t testing.TB, prepare func(p *kerntest.P)) *kerntest.P {
	t.Helper()
	p := boot(t)
	if prepare != nil {
		prepare(p)
	}
	if e := mount(p, "/high", "/u", abi.UNMNT_ABOVE, 0); e != 0 {
		t.Fatal(e)
	}
	return p
}

// TestConformance runs the suite in unions with an empty lower layer: of all three kinds, and in stacks of layers.
func TestConformance(t *testing.T) {
	how := func(how int32, target, on string) func(t testing.TB) (*kern.Kernel, string) {
		return func(t testing.TB) (*kern.Kernel, string) {
			p := boot(t)
			if e := mount(p, target, on, how, 0); e != 0 {
				t.Fatal(e)
			}
			return p.K, on
		}
	}
	for name, c := range map[string]vfstest.Config{
		"above": {
			Boot: how(abi.UNMNT_ABOVE, "/high", "/u"),
			Remount: func(t testing.TB, k *kern.Kernel, _ string, flags int) {
				mountTmpfs(kerntest.Proc(t, k), "/high", flags|abi.MNT_UPDATE)
			}},
		"below":   {Boot: how(abi.UNMNT_BELOW, "/other", "/high")},
		"replace": {Boot: how(abi.UNMNT_REPLACE, "/high", "/u")},
		"seen through a null layer": {Boot: func(t testing.TB) (*kern.Kernel, string) {
			p := united(t, nil)
			mountNull(p, "/u", "/other")
			return p.K, "/other"
		}},
		"over null layers": {Boot: func(t testing.TB) (*kern.Kernel, string) {
			p := boot(t)
			p.Must(abi.SYS_mkdir, "/high/upper", 0o755)
			p.Must(abi.SYS_mkdir, "/high/lower", 0o755)
			mountNull(p, "/high/upper", "/u")
			mountNull(p, "/high/lower", "/other")
			if e := mount(p, "/u", "/other", abi.UNMNT_ABOVE, 0); e != 0 {
				t.Fatal(e)
			}
			return p.K, "/other"
		}},
		"of unions": {Boot: func(t testing.TB) (*kern.Kernel, string) {
			p := united(t, nil)
			if e := mount(p, "/u", "/other", abi.UNMNT_ABOVE, 0); e != 0 {
				t.Fatal(e)
			}
			return p.K, "/other"
		}},
	} {
		c.BootSmall = c.Boot
		c.Lacks = []vfstest.Feature{vfstest.Handles} // union_mount has none in the original either
		t.Run(name, func(t *testing.T) { vfstest.Run(t, c) })
	}
}

func create(p *kerntest.P, path, contents string) {
	fd := int(p.Must(abi.SYS_open, path, abi.O_CREAT|abi.O_RDWR, 0o644))
	if contents != "" {
		p.Must(abi.SYS_write, fd, contents, len(contents))
	}
	p.Close(fd)
}

// cat is a file's contents, or the name of an error.
func cat(t testing.TB, p *kerntest.P, path string) string {
	t.Helper()
	fd, errno := p.Call(abi.SYS_open, path, abi.O_RDONLY, 0)
	if errno != 0 {
		return errno.Name()
	}
	defer p.Close(int(fd))
	s, errno := p.Read(int(fd), 1<<16)
	if errno != 0 {
		return errno.Name()
	}
	return s
}

func stat(t testing.TB, p *kerntest.P, path string) (st abi.Stat) {
	t.Helper()
	b := make([]byte, abi.SizeofStat)
	p.Must(abi.SYS___lstat50, path, b)
	if err := st.Decode(b); err != nil {
		t.Fatal(err)
	}
	return st
}

// ls lists a directory as getdents(2) does, in order; whiteouts have a "%".
func ls(t testing.TB, p *kerntest.P, path string) string {
	t.Helper()
	fd := int(p.Must(abi.SYS_open, path, abi.O_RDONLY, 0))
	defer p.Close(fd)
	var names []string
	for {
		buf := make([]byte, 128)
		got := p.Must(abi.SYS___getdents30, fd, buf, len(buf))
		if got == 0 {
			slices.Sort(names)
			return strings.Join(names, " ")
		}
		for b := buf[:got]; len(b) > 0; {
			name := string(b[abi.DirentOffName:][:b[abi.DirentOffNamlen]])
			if b[abi.DirentOffType] == abi.DT_WHT {
				name = "%" + name
			}
			if name != "." && name != ".." {
				names = append(names, name)
			}
			b = b[int(b[abi.DirentOffReclen])|int(b[abi.DirentOffReclen+1])<<8:]
		}
	}
}

// layers are two layers with something in each.
func layers(p *kerntest.P) {
	p.Must(abi.SYS_umask, 0o022)
	create(p, "/u/low", "below")
	create(p, "/u/both", "below")
	p.Must(abi.SYS_mkdir, "/u/d", 0o700)
	create(p, "/u/d/low", "below")
	p.Must(abi.SYS_symlink, "low", "/u/link")
	create(p, "/high/both", "above")
	create(p, "/high/high", "above")
}

// TestLookup: names are looked up in the upper layer, then in the lower one; a directory of the lower one gets a shadow, owned
// by who mounted the union, with mode 0777 but for the umask. Oracle: mount_union(8).
func TestLookup(t *testing.T) {
	p := united(t, layers)
	for path, want := range map[string]string{"/u/low": "below", "/u/both": "above", "/u/high": "above", "/u/d/low": "below",
		"/u/link": "below", "/u/none": "ENOENT", "/high/low": "ENOENT"} {
		if got := cat(t, p, path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if st := stat(t, p, "/high/d"); st.Mode != abi.S_IFDIR|0o755 || st.Uid != 0 {
		t.Errorf("shadow of mode %o, user %d", st.Mode, st.Uid)
	}
	if got := ls(t, p, "/u"); got != "both d high link low" {
		t.Errorf("%s", got)
	}
	if got := ls(t, p, "/u/d"); got != "low" {
		t.Errorf("%s", got)
	}
	p.Must(abi.SYS_chdir, "/u/d")
	p.Must(abi.SYS_chdir, "..")
	if got := cat(t, p, "high"); got != "above" {
		t.Errorf("..: %s", got)
	}
	if a, b := stat(t, p, "/u/low"), stat(t, p, "/u/both"); a.Dev != b.Dev || a.Ino == b.Ino {
		t.Errorf("%d and %d", a.Ino, b.Ino)
	}
}

// TestCopyUp: a file of the lower layer is copied when it is opened to be written or changed, and stays below as it was. Oracle:
// mount_union(8); the copy's attributes are the file's.
func TestCopyUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *kerntest.P)
		want   string // contents; "" when it is not copied
	}{
		{"read", func(p *kerntest.P) { p.Close(int(p.Must(abi.SYS_open, "/u/low", abi.O_RDONLY, 0))) }, ""},
		{"write", func(p *kerntest.P) {
			fd := int(p.Must(abi.SYS_open, "/u/low", abi.O_RDWR, 0))
			p.Must(abi.SYS_pwrite, fd, "W", 1, 0, 1)
			p.Close(fd)
		}, "bWlow"},
		{"append", func(p *kerntest.P) {
			fd := int(p.Must(abi.SYS_open, "/u/low", abi.O_WRONLY|abi.O_APPEND, 0))
			p.Must(abi.SYS_write, fd, "!", 1)
			p.Close(fd)
		}, "below!"},
		{"open O_TRUNC", func(p *kerntest.P) { p.Close(int(p.Must(abi.SYS_open, "/u/low", abi.O_RDWR|abi.O_TRUNC, 0))) }, "-"},
		{"truncate", func(p *kerntest.P) { p.Must(abi.SYS_truncate, "/u/low", 0, 2) }, "be"},
		{"chmod", func(p *kerntest.P) { p.Must(abi.SYS_chmod, "/u/low", 0o600) }, "below"},
		{"extattr", func(p *kerntest.P) {
			p.Must(abi.SYS_extattr_set_file, "/u/low", abi.EXTATTR_NAMESPACE_USER, "b", "c", 1)
		}, "below"},
		{"link", func(p *kerntest.P) { p.Must(abi.SYS_link, "/u/low", "/u/low2") }, "below"},
		{"rename", func(p *kerntest.P) {
			p.Must(abi.SYS_rename, "/u/low", "/u/x")
			p.Must(abi.SYS_rename, "/u/x", "/u/low")
		}, "below"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := united(t, func(p *kerntest.P) {
				layers(p)
				p.Must(abi.SYS_chown, "/u/low", 5, 6)
				p.Must(abi.SYS_chmod, "/u/low", 0o604)
				p.Must(abi.SYS_extattr_set_file, "/u/low", abi.EXTATTR_NAMESPACE_USER, "a", "value", 5)
			})
			c.change(p)
			if got := cat(t, p, "/high/low"); got != strings.TrimPrefix(c.want, "-") && !(c.want == "" && got == "ENOENT") {
				t.Fatalf("above: %s, want %s", got, c.want)
			}
			if c.want == "" {
				return
			}
			st := stat(t, p, "/high/low")
			if st.Uid != 5 || st.Gid != 6 || c.name != "chmod" && st.Mode&0o777 != 0o604 {
				t.Errorf("the copy is %d:%d, mode %o", st.Uid, st.Gid, st.Mode)
			}
			if n := p.Must(abi.SYS_extattr_get_file, "/high/low", abi.EXTATTR_NAMESPACE_USER, "a", make([]byte, 9), 9); n != 5 {
				t.Errorf("an attribute of %d bytes", n)
			}
			p.Must(abi.SYS_unmount, "/u", 0)
			if got := cat(t, p, "/u/low"); got != "below" {
				t.Errorf("below: %s", got)
			}
		})
	}
}

// TestReadersOfCopies: who has a file open sees what is written to its copy.
func TestReadersOfCopies(t *testing.T) {
	p := united(t, layers)
	r := int(p.Must(abi.SYS_open, "/u/low", abi.O_RDONLY, 0))
	w := int(p.Must(abi.SYS_open, "/u/low", abi.O_RDWR, 0))
	p.Must(abi.SYS_write, w, "ABOVE!", 6)
	if got, _ := p.Read(r, 10); got != "ABOVE!" {
		t.Errorf("%s", got)
	}
}

// TestLinksBelow: each name of a file in the lower layer is copied for itself.
func TestLinksBelow(t *testing.T) {
	p := united(t, func(p *kerntest.P) {
		layers(p)
		p.Must(abi.SYS_link, "/u/low", "/u/low2")
	})
	fd := int(p.Must(abi.SYS_open, "/u/low", abi.O_RDONLY, 0))
	p.Must(abi.SYS_truncate, "/u/low2", 0, 1)
	if a, b := cat(t, p, "/u/low"), cat(t, p, "/u/low2"); a != "below" || b != "b" {
		t.Errorf("%s, %s", a, b)
	}
	p.Close(fd)
}

// TestPermissions: a copy is made for those who may change the file. Oracle: mount_union(8): the usual checks; for a directory, in both layers.
func TestPermissions(t *testing.T) {
	p := united(t, func(p *kerntest.P) {
		layers(p)
		p.Must(abi.SYS_chmod, "/u/low", 0o646)
		p.Must(abi.SYS_mkdir, "/u/t", 0o777)
		p.Must(abi.SYS_chmod, "/u/t", 0o777)
		create(p, "/u/t/f", "")
	})
	q := p.Fork()
	q.SetCred(&kern.Cred{Ruid: 9, Euid: 9, Svuid: 9, Rgid: 9, Egid: 9, Svgid: 9})
	q.Want(abi.EACCES, abi.SYS_open, "/u/d/low", abi.O_RDONLY) // mode 0700 below, 0755 above
	q.Want(abi.EACCES, abi.SYS_open, "/u/both", abi.O_RDWR)
	q.Want(abi.EPERM, abi.SYS_chmod, "/u/low", 0o777)
	q.Want(abi.EACCES, abi.SYS_unlink, "/u/low")
	if got := cat(t, p, "/high/low"); got != "ENOENT" {
		t.Errorf("copied for nothing: %s", got)
	}
	q.Close(int(q.Must(abi.SYS_open, "/u/low", abi.O_RDWR, 0)))
	if st := stat(t, p, "/high/low"); st.Uid != 0 {
		t.Errorf("the copy belongs to %d", st.Uid)
	}
	p.Must(abi.SYS_chmod, "/u/t", 0o1777)
	q.Want(abi.EPERM, abi.SYS_unlink, "/u/t/f")
	q.Want(abi.EPERM, abi.SYS_rename, "/u/t/f", "/u/t/g")
	p.Must(abi.SYS_chmod, "/u/t", 0o777)
	q.Must(abi.SYS_unlink, "/u/t/f")
}

// TestWhiteouts: what is removed is gone from the union and stays in the lower layer. Oracle: mount_union(8), undelete(2).
func TestWhiteouts(t *testing.T) {
	p := united(t, layers)
	p.Must(abi.SYS_unlink, "/u/low")
	p.Must(abi.SYS_unlink, "/u/both")
	p.Must(abi.SYS_unlink, "/u/high")
	p.Must(abi.SYS_unlink, "/u/link")
	p.Want(abi.ENOTEMPTY, abi.SYS_rmdir, "/u/d")
	p.Must(abi.SYS_unlink, "/u/d/low")
	p.Must(abi.SYS_rmdir, "/u/d")
	if got := ls(t, p, "/u"); got != "%both %d %link %low" {
		t.Errorf("%s", got)
	}
	p.Want(abi.ENOENT, abi.SYS_open, "/u/low", abi.O_RDONLY)
	create(p, "/u/low", "new")
	if got := cat(t, p, "/u/low"); got != "new" {
		t.Errorf("%s", got)
	}
	p.Must(abi.SYS_mkdir, "/u/d", 0o755)
	if got := ls(t, p, "/u/d"); got != "" {
		t.Errorf("a new directory has %s", got)
	}
	p.Must(abi.SYS_undelete, "/u/both")
	if got := cat(t, p, "/u/both"); got != "below" {
		t.Errorf("%s", got)
	}
	p.Must(abi.SYS_unmount, "/u", 0)
	if got := ls(t, p, "/u"); got != "both d link low" {
		t.Errorf("below: %s", got)
	}
}

// TestRename: what is renamed leaves a whiteout where the lower layer has it. A directory of the lower layer cannot be moved:
// EXDEV has mv(1) copy it.
func TestRename(t *testing.T) {
	p := united(t, layers)
	p.Must(abi.SYS_rename, "/u/low", "/u/moved")
	p.Want(abi.ENOENT, abi.SYS_open, "/u/low", abi.O_RDONLY)
	p.Must(abi.SYS_rename, "/u/high", "/u/both")
	if a, b := cat(t, p, "/u/moved"), cat(t, p, "/u/both"); a != "below" || b != "above" {
		t.Errorf("%s, %s", a, b)
	}
	p.Want(abi.EXDEV, abi.SYS_rename, "/u/d", "/u/e")
	p.Want(abi.EXDEV, abi.SYS_rename, "/u/link", "/u/l")
	p.Must(abi.SYS_mkdir, "/u/new", 0o755)
	p.Want(abi.ENOTEMPTY, abi.SYS_rename, "/u/new", "/u/d")
	p.Must(abi.SYS_unlink, "/u/d/low")
	p.Must(abi.SYS_rename, "/u/new", "/u/d")
	if got := ls(t, p, "/u/d"); got != "" {
		t.Errorf("moved over a directory of the lower layer, it has %s", got)
	}
	p.Must(abi.SYS_rename, "/u/moved", "/u/link")
	if got := ls(t, p, "/u"); got != "%low both d link" {
		t.Errorf("%s", got)
	}
}

// TestUnchangeable: what is not copied up cannot be changed. Oracle: mount_union(8).
func TestUnchangeable(t *testing.T) {
	p := united(t, func(p *kerntest.P) {
		layers(p)
		p.Must(abi.SYS_mkfifo, "/u/p", 0o644)
	})
	p.Want(abi.EROFS, abi.SYS_chmod, "/u/p", 0o600)
	p.Want(abi.EROFS, abi.SYS_lchown, "/u/link", 1, 1)
	p.Want(abi.EROFS, abi.SYS_link, "/u/p", "/u/q")
	r := int(p.Must(abi.SYS_open, "/u/p", abi.O_RDONLY|abi.O_NONBLOCK, 0))
	w := int(p.Must(abi.SYS_open, "/u/p", abi.O_WRONLY|abi.O_NONBLOCK, 0))
	p.Must(abi.SYS_write, w, "x", 1)
	if got, _ := p.Read(r, 1); got != "x" {
		t.Errorf("%s", got)
	}
}

// TestReadOnly: with an upper layer that is read-only the union is, and the lower layer is seen without shadows.
func TestReadOnly(t *testing.T) {
	p := boot(t)
	layers(p)
	mountTmpfs(p, "/high", abi.MNT_UPDATE|abi.MNT_RDONLY)
	if e := mount(p, "/high", "/u", abi.UNMNT_ABOVE, 0); e != 0 {
		t.Fatal(e)
	}
	if got := ls(t, p, "/u"); got != "both d high link low" {
		t.Errorf("%s", got)
	}
	if got := cat(t, p, "/u/d/low"); got != "below" {
		t.Errorf("%s", got)
	}
	p.Want(abi.EROFS, abi.SYS_open, "/u/low", abi.O_RDWR)
	p.Want(abi.EROFS, abi.SYS_unlink, "/u/d/low")
	p.Want(abi.EROFS, abi.SYS_chmod, "/u/low", 0o600)
}

// TestNoSpace: a copy that does not fit leaves nothing behind.
func TestNoSpace(t *testing.T) {
	p := united(t, func(p *kerntest.P) { create(p, "/u/big", strings.Repeat("x", 3<<20)) })
	p.Want(abi.ENOSPC, abi.SYS_open, "/u/big", abi.O_RDWR)
	if got := ls(t, p, "/high"); got != "" {
		t.Errorf("%s is left", got)
	}
	if st := stat(t, p, "/u/big"); st.Size != 3<<20 {
		t.Errorf("%d bytes", st.Size)
	}
	p.Close(int(p.Must(abi.SYS_open, "/u/big", abi.O_RDWR|abi.O_TRUNC, 0)))
}

// TestMount: the oracles are mount_union(8), mount(2), and the original's names of what is mounted. A union that would be part of
// itself is EDEADLK.
func TestMount(t *testing.T) {
	for _, c := range []struct {
		target, on string
		how        int32
		want       abi.Errno
		from       string
	}{
		{"/high", "/u", abi.UNMNT_ABOVE, 0, "<above>:/high"},
		{"/high", "/u", abi.UNMNT_BELOW, 0, "<below>:/high"},
		{"/high", "/u", abi.UNMNT_REPLACE, 0, "/high"},
		{"/high", "/u", 0, abi.EINVAL, ""},
		{"/none", "/u", abi.UNMNT_ABOVE, abi.ENOENT, ""},
		{"/dev/null", "/u", abi.UNMNT_ABOVE, abi.EINVAL, ""},
		{"/u", "/u", abi.UNMNT_ABOVE, abi.EDEADLK, ""},
		{"/", "/u", abi.UNMNT_ABOVE, abi.EDEADLK, ""},
		{"/u/sub", "/u", abi.UNMNT_BELOW, abi.EDEADLK, ""},
	} {
		p := boot(t)
		p.Must(abi.SYS_mkdir, "/u/sub", 0o755)
		if e := mount(p, c.target, c.on, c.how, 0); e != c.want {
			t.Errorf("%s on %s, %d: %v, want %v", c.target, c.on, c.how, e, c.want)
		}
		if c.want != 0 {
			p.Must(abi.SYS_rmdir, "/u/sub")
			p.Must(abi.SYS_rmdir, "/u")
			continue
		}
		var st abi.Statvfs
		b := make([]byte, abi.SizeofStatvfs)
		p.Must(abi.SYS_statvfs1, c.on, b, abi.ST_WAIT)
		if err := st.Decode(b); err != nil || abi.CString(st.Mntfromname[:]) != c.from {
			t.Errorf("from %s, want %s", abi.CString(st.Mntfromname[:]), c.from)
		}
		args := make([]byte, abi.SizeofUnionArgs)
		p.Must(abi.SYS___mount50, "union", c.on, abi.MNT_GETARGS, args, len(args))
		var a abi.UnionArgs
		if err := a.Decode(args); err != nil || a.Mntflags != c.how {
			t.Errorf("MNT_GETARGS: %+v", a)
		}
		p.Want(abi.EOPNOTSUPP, abi.SYS___mount50, "union", c.on, abi.MNT_UPDATE, args, len(args))
		p.Want(abi.EBUSY, abi.SYS_rmdir, "/u")
		p.Must(abi.SYS_unmount, c.on, 0)
	}
}

// TestUnmount: nothing is held when the union is gone, with force or without. Oracle: unmount(2).
func TestUnmount(t *testing.T) {
	for _, flags := range []int{0, abi.MNT_FORCE} {
		p := united(t, layers)
		fd := int(p.Must(abi.SYS_open, "/u/d/low", abi.O_RDWR, 0))
		p.Must(abi.SYS_flock, fd, abi.LOCK_EX)
		p.Must(abi.SYS_rename, "/u/low", "/u/d/x")
		if flags == 0 {
			p.Want(abi.EBUSY, abi.SYS_unmount, "/u", 0)
			p.Want(abi.EBUSY, abi.SYS_unmount, "/high", 0)
			p.Close(fd)
		}
		p.Must(abi.SYS_unmount, "/u", flags)
		if flags != 0 {
			p.Want(abi.EIO, abi.SYS_write, fd, "x", 1)
			p.Close(fd)
		}
		if got := ls(t, p, "/high"); got != "%low both d high" {
			t.Errorf("%s", got)
		}
		p.Must(abi.SYS_unmount, "/high", 0)
	}
}

// TestRaces: files of the lower layer are changed, removed and listed by many at once. What was there all the time is listed, and
// whoever writes writes to the one copy.
func TestRaces(t *testing.T) {
	const files = 20
	p := united(t, func(p *kerntest.P) {
		p.Must(abi.SYS_mkdir, "/u/d", 0o755)
		for i := range files {
			create(p, fmt.Sprint("/u/d/f", i), "0")
			p.Must(abi.SYS_mkdir, fmt.Sprint("/u/d/sub", i), 0o755)
		}
	})
	var all sync.WaitGroup
	for range 3 {
		all.Add(2)
		go func() {
			defer all.Done()
			for i := range files {
				fd := int(p.Must(abi.SYS_open, fmt.Sprint("/u/d/f", i), abi.O_WRONLY|abi.O_APPEND, 0))
				p.Must(abi.SYS_write, fd, "+", 1)
				p.Close(fd)
				stat(t, p, fmt.Sprint("/u/d/sub", i))
			}
		}()
		go func() {
			defer all.Done()
			for range 10 {
				if n := len(strings.Fields(ls(t, p, "/u/d"))); n != 2*files {
					t.Errorf("%d names listed, want %d", n, 2*files)
				}
			}
		}()
	}
	all.Wait()
	for i := range files {
		if got := cat(t, p, fmt.Sprint("/u/d/f", i)); got != "0+++" {
			t.Errorf("f%d: %s", i, got)
		}
	}
	p.Must(abi.SYS_unmount, "/u", 0)
	p.Must(abi.SYS_unmount, "/high", 0)
}

// TestThroughNull: what changes a file through another layer copies it up, and only that.
func TestThroughNull(t *testing.T) {
	p := united(t, layers)
	mountNull(p, "/u", "/other")
	r := int(p.Must(abi.SYS_open, "/other/low", abi.O_RDONLY, 0))
	if got := cat(t, p, "/high/low"); got != "ENOENT" {
		t.Errorf("copied to be read: %s", got)
	}
	w := int(p.Must(abi.SYS_open, "/other/low", abi.O_RDWR, 0))
	p.Must(abi.SYS_write, w, "ABOVE", 5)
	if a, b := cat(t, p, "/high/low"), cat(t, p, "/u/low"); a != "ABOVE" || b != "ABOVE" {
		t.Errorf("%s, %s", a, b)
	}
	if got, _ := p.Read(r, 5); got != "ABOVE" {
		t.Errorf("read %s", got)
	}
	p.Close(r)
	p.Close(w)
	p.Must(abi.SYS_unlink, "/other/low")
	if got := ls(t, p, "/high"); got != "%low both high" {
		t.Errorf("%s", got)
	}
	for _, dir := range []string{"/other", "/u", "/high"} {
		p.Must(abi.SYS_unmount, dir, 0)
	}
}
