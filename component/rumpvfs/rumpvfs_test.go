package rumpvfs_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest"
)

// TestConformance runs the suite in the root file system.
func TestConformance(t *testing.T) {
	vfstest.Run(t, vfstest.Config{
		Boot: func(t testing.TB) (*kern.Kernel, string) {
			return kerntest.New(t, rumpvfs.Component()), "/"
		},
		BootSmall: func(t testing.TB) (*kern.Kernel, string) {
			return kerntest.NewConfig(t, kern.Config{MemLimit: 2 << 20, Components: []*kern.Component{rumpvfs.Component()}}), "/"
		},
		Remount: func(t testing.TB, k *kern.Kernel, dir string, flags int) {
			kerntest.Proc(t, k).Must(abi.SYS___mount50, "rumpfs", dir, flags|abi.MNT_UPDATE, nil, 0)
		},
	})
}

// TestTree checks what a fresh root file system has. The oracles are the listings of / and /dev in the original: dev 0755, tmp
// 01777, both of 512 bytes and one block; null 2, 2 and zero 2, 12, mode 0644. Unlike there, a directory's
// links count its subdirectories.
func TestTree(t *testing.T) {
	p := kerntest.Proc(t, kerntest.New(t, rumpvfs.Component()))
	for _, c := range []struct {
		path              string
		mode              uint32
		nlink             uint32
		rdev              uint64
		size, blocks, ino int64
	}{
		{path: "/", mode: abi.S_IFDIR | 0o755, nlink: 4, rdev: 1<<64 - 1, size: 512, blocks: 1, ino: 3},
		{path: "/dev", mode: abi.S_IFDIR | 0o755, nlink: 2, rdev: 1<<64 - 1, size: 512, blocks: 1, ino: 4},
		{path: "/tmp", mode: abi.S_IFDIR | 0o1777, nlink: 2, rdev: 1<<64 - 1, size: 512, blocks: 1, ino: 5},
		{path: "/dev/null", mode: abi.S_IFCHR | 0o644, nlink: 1, rdev: 0x202, size: 512, blocks: 1, ino: 6},
		{path: "/dev/zero", mode: abi.S_IFCHR | 0o644, nlink: 1, rdev: 0x20c, size: 512, blocks: 1, ino: 7},
	} {
		b := make([]byte, abi.SizeofStat)
		p.Must(abi.SYS___lstat50, c.path, b)
		var st abi.Stat
		if err := st.Decode(b); err != nil {
			t.Fatal(err)
		}
		if st.Mode != c.mode || st.Nlink != c.nlink || st.Rdev != c.rdev || st.Size != c.size || st.Blocks != c.blocks ||
			st.Ino != uint64(c.ino) || st.Blksize != 512 {
			t.Errorf("%s: %+v, want %+v", c.path, st, c)
		}
	}
}

// TestMemoryDevices: the oracles are null(4), zero(4) and full(4).
func TestMemoryDevices(t *testing.T) {
	p := kerntest.Proc(t, kerntest.New(t, rumpvfs.Component()))
	p.Must(abi.SYS___mknod50, "/full", abi.S_IFCHR|0o666, 0x20b)
	for _, c := range []struct {
		path  string
		read  int64
		write abi.Errno
	}{{"/dev/null", 0, 0}, {"/dev/zero", 8, 0}, {"/full", 8, abi.ENOSPC}} {
		fd := int(p.Must(abi.SYS_open, c.path, abi.O_RDWR))
		buf := []byte("01234567")
		if n := p.Must(abi.SYS_read, fd, buf, len(buf)); n != c.read {
			t.Errorf("%s: read gave %d, want %d", c.path, n, c.read)
		}
		if c.read > 0 && string(buf) != "\x00\x00\x00\x00\x00\x00\x00\x00" {
			t.Errorf("%s: read %q", c.path, buf)
		}
		n, errno := p.Call(abi.SYS_write, fd, "data", 4)
		if errno != c.write || errno == 0 && n != 4 {
			t.Errorf("%s: write took %d, %v, want %v", c.path, n, errno, c.write)
		}
	}
	p.Must(abi.SYS___mknod50, "/mem", abi.S_IFCHR|0o666, 0x200)
	p.Want(abi.ENXIO, abi.SYS_open, "/mem", abi.O_RDONLY)
}

// TestMountElsewhere mounts a second rumpfs: two file systems, each with its own files.
func TestMountElsewhere(t *testing.T) {
	p := kerntest.Proc(t, kerntest.New(t, rumpvfs.Component()))
	p.Must(abi.SYS_mkdir, "/mnt", 0o755)
	p.Must(abi.SYS___mount50, "rumpfs", "/mnt", 0, nil, 0)
	p.Must(abi.SYS_mkdir, "/mnt/d", 0o755)
	p.Want(abi.ENOENT, abi.SYS_rmdir, "/d")
	p.Want(abi.EXDEV, abi.SYS_rename, "/mnt/d", "/d")
	p.Must(abi.SYS_unmount, "/mnt", 0)
	p.Want(abi.ENOENT, abi.SYS_rmdir, "/mnt/d")
}
