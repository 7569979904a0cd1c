package vfs_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
	"github.com/rumpctrl/rumpctrl/kern/vfs/memdev"
	"github.com/rumpctrl/rumpctrl/kern/vfs/memfs"
)

// memType is a type of file systems in memory.
func memType(name string) *vfs.Type {
	return &vfs.Type{Name: name, ArgsSize: 8, Mount: func(t *kern.Thread, _ *vfs.MountArgs) (vfs.FS, error) {
		return memfs.New(t.K, memfs.Config{
			Face:   memfs.Face{BlockSize: 512, DirSize: 512, SpecialSize: 512, FirstIno: 3},
			Source: name, Mode: 0755,
		})
	}}
}

// boot makes a kernel with rumpfs for its root, the type "tmpfs" to mount, and the memory devices.
func boot(tb testing.TB) *kern.Kernel {
	tb.Helper()
	more := &kern.Component{Name: "more", Needs: []string{"rumpvfs"}, Attach: func(k *kern.Kernel) error {
		if err := vfs.Of(k).Register(memType("tmpfs")); err != nil {
			return err
		}
		return memdev.AttachMem(k)
	}}
	return kerntest.New(tb, vfs.NewComponent(memType("rumpfs")), more)
}

// newProc is a process on a new kernel.
func newProc(tb testing.TB) *kerntest.P {
	tb.Helper()
	return kerntest.Proc(tb, boot(tb))
}

// as makes a child of p with the ids of a user: uid, then groups, the first of which is the effective one.
func as(p *kerntest.P, uid uint32, groups ...uint32) *kerntest.P {
	c := p.Fork()
	if len(groups) == 0 {
		groups = []uint32{uid}
	}
	c.SetCred(&kern.Cred{Ruid: uid, Euid: uid, Svuid: uid, Rgid: groups[0], Egid: groups[0], Svgid: groups[0], Groups: groups})
	return c
}

// tree makes directories (names with a slash at the end), symbolic links ("name -> target"), fifos ("name|") and files.
func tree(p *kerntest.P, names ...string) {
	for _, name := range names {
		link, target, isLink := strings.Cut(name, " -> ")
		switch {
		case isLink:
			p.Must(abi.SYS_symlink, target, link)
		case strings.HasSuffix(name, "/"):
			p.Must(abi.SYS_mkdir, name, 0755)
		case strings.HasSuffix(name, "|"):
			p.Must(abi.SYS_mkfifo, strings.TrimSuffix(name, "|"), 0644)
		default:
			p.Close(open(p, name, abi.O_RDWR|abi.O_CREAT))
		}
	}
}

func open(p *kerntest.P, path string, flags int) int {
	return int(p.Must(abi.SYS_open, path, flags, 0644))
}

func stat(p *kerntest.P, path string) (st abi.Stat, errno abi.Errno) {
	return statBy(p, abi.SYS___stat50, path)
}

func lstat(p *kerntest.P, path string) (st abi.Stat, errno abi.Errno) {
	return statBy(p, abi.SYS___lstat50, path)
}

func statBy(p *kerntest.P, num int, what any) (st abi.Stat, errno abi.Errno) {
	buf := make([]byte, abi.SizeofStat)
	if _, errno = p.Call(num, what, buf); errno == 0 {
		errno = abi.ToErrno(st.Decode(buf))
	}
	return st, errno
}

// ino is the inode number of a path.
func ino(tb testing.TB, p *kerntest.P, path string) uint64 {
	tb.Helper()
	st, errno := stat(p, path)
	if errno != 0 {
		tb.Fatalf("stat %s: %v", path, errno)
	}
	return st.Ino
}

func getcwd(p *kerntest.P) (string, abi.Errno) {
	buf := make([]byte, 1024)
	n, errno := p.Call(abi.SYS___getcwd, buf, len(buf))
	if errno != 0 {
		return "", errno
	}
	return string(buf[:n-1]), 0
}
