package tmpfs_test

import (
	"math"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/tmpfs"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest"
)

// defaults are the arguments of mount_tmpfs(8) without options.
var defaults = abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, RootMode: 0o755}

// boot makes a kernel with a directory /mnt.
func boot(t testing.TB, cfg kern.Config) *kerntest.P {
	cfg.Components = []*kern.Component{rumpvfs.Component(), tmpfs.Component()}
	p := kerntest.Proc(t, kerntest.NewConfig(t, cfg))
	p.Must(abi.SYS_mkdir, "/mnt", 0o755)
	return p
}

// mount makes the mount(2) call.
func mount(p *kerntest.P, flags int, a abi.TmpfsArgs) abi.Errno {
	b := make([]byte, abi.SizeofTmpfsArgs)
	if err := a.Encode(b); err != nil {
		return abi.ToErrno(err)
	}
	_, errno := p.Call(abi.SYS___mount50, "tmpfs", "/mnt", flags, b, len(b))
	return errno
}

// mounted makes a kernel with a tmpfs at /mnt.
func mounted(t testing.TB, a abi.TmpfsArgs) *kerntest.P {
	t.Helper()
	p := boot(t, kern.Config{})
	if e := mount(p, 0, a); e != 0 {
		t.Fatalf("mount: %v", e)
	}
	return p
}

func statvfs(t testing.TB, p *kerntest.P, path string) (st abi.Statvfs) {
	t.Helper()
	b := make([]byte, abi.SizeofStatvfs)
	p.Must(abi.SYS_statvfs1, path, b, abi.ST_WAIT)
	if err := st.Decode(b); err != nil {
		t.Fatal(err)
	}
	return st
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

// TestConformance runs the suite.
func TestConformance(t *testing.T) {
	vfstest.Run(t, vfstest.Config{
		Boot: func(t testing.TB) (*kern.Kernel, string) {
			return mounted(t, defaults).K, "/mnt"
		},
		BootSmall: func(t testing.TB) (*kern.Kernel, string) {
			a := defaults
			a.SizeMax = 2 << 20
			return mounted(t, a).K, "/mnt"
		},
		Remount: func(t testing.TB, k *kern.Kernel, _ string, flags int) {
			if e := mount(kerntest.Proc(t, k), flags|abi.MNT_UPDATE, defaults); e != 0 {
				t.Fatalf("remount with %#x: %v", flags, e)
			}
		},
	})
}

// TestMount checks what a fresh tmpfs shows. The oracles are the sessions df and files-ls-R with the C kernel.
func TestMount(t *testing.T) {
	p := mounted(t, abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, RootUid: 7, RootGid: 8, RootMode: 0o1770})
	st := statvfs(t, p, "/mnt")
	if st.Blocks != 0x20001 || st.Bfree != 0x20000 || st.Files != 0x25ed0a || st.Ffree != 0x25ed09 || st.Bsize != 4096 ||
		st.Namemax != 255 || st.Flag != abi.MNT_LOCAL {
		t.Errorf("statvfs: %+v", st)
	}
	if from, typ := abi.CString(st.Mntfromname[:]), abi.CString(st.Fstypename[:]); from != "tmpfs" || typ != "tmpfs" {
		t.Errorf("%s of type %s", from, typ)
	}
	root := stat(t, p, "/mnt")
	if root.Uid != 7 || root.Gid != 8 || root.Mode != abi.S_IFDIR|0o1770 || root.Size != 0 || root.Blocks != 0 || root.Nlink != 2 {
		t.Errorf("root: %+v", root)
	}
}

// TestArguments: the oracle is mount_tmpfs(8), and mount(2) for the errors.
func TestArguments(t *testing.T) {
	p := boot(t, kern.Config{})
	for name, a := range map[string]abi.TmpfsArgs{
		"version": {Version: 2, RootMode: 0o755},
		"uid":     {Version: 1, RootUid: math.MaxUint32},
		"gid":     {Version: 1, RootGid: math.MaxUint32},
	} {
		if e := mount(p, 0, a); e != abi.EINVAL {
			t.Errorf("a bad %s: %v, want EINVAL", name, e)
		}
	}
	p.Want(abi.EINVAL, abi.SYS___mount50, "tmpfs", "/mnt", 0, nil, 0)
	p.Want(abi.EINVAL, abi.SYS___mount50, "tmpfs", "/mnt", 0, make([]byte, 8), 8)
	if e := mount(p, abi.MNT_UPDATE, defaults); e != abi.EINVAL && e != abi.EOPNOTSUPP {
		t.Errorf("MNT_UPDATE where no tmpfs is: %v", e)
	}
}

// TestLimits: the oracle is mount_tmpfs(8): -s and -n, nodes as many as KiB without -n.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name          string
		size          int64
		nodes         uint64
		blocks, files uint64
	}{
		{"size", 1 << 20, 0, 256, 3 + 1024},
		{"size and nodes", 1 << 20, 10, 256, 10},
		{"nodes alone", 0, 10, 0x20001, 10},
		{"a size below a page is none", 4095, 0, 0x20001, 0x25ed0a},
		{"three nodes are none", 1 << 20, 3, 256, 3 + 1024},
		{"more than the default", 1 << 30, 0, 1 << 18, 3 + 1<<20},
	} {
		a := defaults
		a.SizeMax, a.NodesMax = c.size, c.nodes
		if st := statvfs(t, mounted(t, a), "/mnt"); st.Blocks != c.blocks || st.Files != c.files {
			t.Errorf("%s: %d blocks, %d files; want %d, %d", c.name, st.Blocks, st.Files, c.blocks, c.files)
		}
	}
}

// TestMemLimit checks that the kernel's memory (rump_server -r) bounds a tmpfs without a size, and that the kernel
// lives on.
func TestMemLimit(t *testing.T) {
	p := boot(t, kern.Config{MemLimit: 1 << 20})
	if e := mount(p, 0, defaults); e != 0 {
		t.Fatal(e)
	}
	if st := statvfs(t, p, "/mnt"); st.Blocks > 256 || st.Bfree < 100 {
		t.Errorf("%d blocks, %d free of a kernel of 256 pages", st.Blocks, st.Bfree)
	}
	fd := int(p.Must(abi.SYS_open, "/mnt/f", abi.O_RDWR|abi.O_CREAT, 0o644))
	var total int64
	for errno := abi.Errno(0); errno == 0; {
		var n int64
		n, errno = p.Call(abi.SYS_write, fd, make([]byte, 100000), 100000)
		total += max(n, 0)
		if errno != 0 && errno != abi.ENOSPC || total > 1<<20 {
			t.Fatalf("%d bytes written, %v", total, errno)
		}
	}
	p.Must(abi.SYS_ftruncate, fd, 0, 0)
	p.Must(abi.SYS_mkdir, "/mnt/d", 0o755)
}

// TestGetArgs: the oracle is mount(2): MNT_GETARGS; tmpfs without a size says that it is the largest.
func TestGetArgs(t *testing.T) {
	a := abi.TmpfsArgs{Version: 1, RootUid: 7, RootGid: 8, RootMode: 0o700}
	p := mounted(t, a)
	get := func() (got abi.TmpfsArgs) {
		b := make([]byte, abi.SizeofTmpfsArgs)
		b[0] = abi.TMPFS_ARGS_VERSION
		if n := p.Must(abi.SYS___mount50, "tmpfs", "/mnt", abi.MNT_GETARGS, b, len(b)); n != abi.SizeofTmpfsArgs {
			t.Errorf("MNT_GETARGS gave %d", n)
		}
		if err := got.Decode(b); err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := a
	want.SizeMax, want.NodesMax = -1, math.MaxInt32
	if got := get(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p.Must(abi.SYS_chmod, "/mnt", 0o1777)
	a.SizeMax, a.NodesMax, a.RootUid, a.RootMode = 1<<20, 99, 5, 0o750
	if e := mount(p, abi.MNT_UPDATE, a); e != 0 {
		t.Fatal(e)
	}
	if got := get(); got != a {
		t.Errorf("after an update: %+v, want %+v", got, a)
	}
	p.Want(abi.EINVAL, abi.SYS___mount50, "tmpfs", "/mnt", abi.MNT_GETARGS, make([]byte, abi.SizeofTmpfsArgs), abi.SizeofTmpfsArgs)
}

// TestUpdate: limits change when more fits, and stay when something would not. The oracle is mount_tmpfs(8) with -u.
func TestUpdate(t *testing.T) {
	a := defaults
	a.SizeMax, a.NodesMax = 1<<20, 50
	p := mounted(t, a)
	fd := int(p.Must(abi.SYS_open, "/mnt/f", abi.O_RDWR|abi.O_CREAT, 0o644))
	p.Must(abi.SYS_write, fd, make([]byte, 500000), 500000)
	for _, c := range []struct {
		size          int64
		nodes         uint64
		want          abi.Errno
		blocks, files uint64
	}{
		{2 << 20, 0, 0, 512, 50},
		{0, 60, 0, 512, 60},
		{400000, 0, abi.EBUSY, 512, 60},
		{600000, 70, 0, 146, 70},
	} {
		a.SizeMax, a.NodesMax = c.size, c.nodes
		if e := mount(p, abi.MNT_UPDATE, a); e != c.want {
			t.Errorf("size %d, nodes %d: %v, want %v", c.size, c.nodes, e, c.want)
		}
		if st := statvfs(t, p, "/mnt"); st.Blocks != c.blocks || st.Files != c.files {
			t.Errorf("size %d, nodes %d: %d blocks, %d files; want %d, %d", c.size, c.nodes, st.Blocks, st.Files, c.blocks, c.files)
		}
	}
}

// TestUnmount: all memory comes back, by force too while a file is open. The oracle is unmount(2).
func TestUnmount(t *testing.T) {
	p := boot(t, kern.Config{})
	before := p.K.Mem.Used()
	for _, flags := range []int{0, abi.MNT_FORCE} {
		if e := mount(p, 0, defaults); e != 0 {
			t.Fatal(e)
		}
		fd := int(p.Must(abi.SYS_open, "/mnt/f", abi.O_RDWR|abi.O_CREAT, 0o644))
		p.Must(abi.SYS_write, fd, make([]byte, 100000), 100000)
		if flags == 0 {
			p.Want(abi.EBUSY, abi.SYS_unmount, "/mnt", 0)
			p.Close(fd)
		}
		p.Must(abi.SYS_unmount, "/mnt", flags)
		if used := p.K.Mem.Used(); used > before+4096 {
			t.Errorf("flags %#x: %d bytes used, %d before", flags, used, before)
		}
		if flags != 0 {
			p.Want(abi.EIO, abi.SYS_write, fd, "x", 1)
			p.Close(fd)
		}
	}
}
