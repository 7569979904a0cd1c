package vfs_test

import (
	"encoding/binary"
	"sync/atomic"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// bareFS is a file system whose nodes can do nothing that they need not.
type bareFS struct {
	root  *bareDir
	spec  string
	path  string
	force atomic.Bool
	busy  atomic.Bool // it will not be unmounted
}

func (f *bareFS) Root() (vfs.Node, error)               { return f.root, nil }
func (*bareFS) Statfs(*kern.Thread, *abi.Statvfs) error { return nil }
func (*bareFS) Sync(*kern.Thread, bool) error           { return nil }

func (f *bareFS) Source() string { return f.spec }

func (f *bareFS) Unmount(_ *kern.Thread, force bool) error {
	if f.busy.Load() && !force {
		return abi.EBUSY
	}
	f.force.Store(force)
	return nil
}

// uncachedFS does not want its names remembered.
type uncachedFS struct{ bareFS }

func (*uncachedFS) Uncached() {}

// bareNode is a file of a kind.
type bareNode struct {
	mode     uint32
	ino      uint64
	inactive atomic.Int32
}

func (n *bareNode) Attr(_ *kern.Thread, a *vfs.Attr) error {
	*a = vfs.Attr{Mode: n.mode, Nlink: 1, Ino: n.ino}
	return nil
}

func (n *bareNode) Inactive(*kern.Thread) { n.inactive.Add(1) }

// bareDir is a directory with fixed names.
type bareDir struct {
	bareNode
	names   map[string]vfs.Node
	lookups atomic.Int32
}

func (d *bareDir) Lookup(_ *kern.Thread, name string) (vfs.Node, error) {
	d.lookups.Add(1)
	if n := d.names[name]; n != nil {
		return n, nil
	}
	return nil, abi.ENOENT
}

func (d *bareDir) Parent(*kern.Thread) (vfs.Node, error) { return d, nil }

func (*bareDir) ReadDir(*kern.Thread, int64, func(vfs.Dirent) bool) error { return nil }

// ownOps is a file that is opened as something of its own, and knows an ioctl and a pathconf name.
type ownOps struct{ bareNode }

func (*ownOps) Open(_ *kern.Thread, fflags uint32) (kern.Ops, error) {
	if fflags&abi.FWRITE != 0 {
		return nil, abi.EBUSY
	}
	return greeting{}, nil
}

func (*ownOps) Pathconf(_ *kern.Thread, name int) (int64, error) {
	if name == abi.PC_LINK_MAX {
		return 1, nil
	}
	return 0, abi.EINVAL
}

// greeting is what the file is opened as.
type greeting struct{}

func (greeting) Close(*kern.Thread, *kern.File) error { return nil }

func (greeting) Read(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) {
	return copy(p, "hello"), nil
}

// ioctler is a file with an ioctl of the file system's own.
type ioctler struct{ bareNode }

func (*ioctler) Ioctl(_ *kern.Thread, cmd uint32, data []byte) error {
	if cmd != abi.DIOCGMEDIASIZE {
		return abi.ENOTTY
	}
	binary.LittleEndian.PutUint64(data, 42)
	return nil
}

// synced is a file that counts how often it is put on stable storage.
type synced struct {
	bareNode
	data, all atomic.Int32
}

func (*synced) WriteAt(_ *kern.Thread, p []byte, _ int64) (int, error) { return len(p), nil }

func (n *synced) Fsync(_ *kern.Thread, dataOnly bool) error {
	if dataOnly {
		n.data.Add(1)
	} else {
		n.all.Add(1)
	}
	return nil
}

// mountBare boots a kernel with one of each kind of file in /m. With uncached, names are not remembered.
func mountBare(t *testing.T, uncached bool) (*kerntest.P, *bareFS) {
	t.Helper()
	bare := func(mode uint32, ino uint64) *bareNode { return &bareNode{mode: mode, ino: ino} }
	fs := &uncachedFS{bareFS{root: &bareDir{bareNode: bareNode{mode: abi.S_IFDIR | 0777, ino: 1}}}}
	fs.root.names = map[string]vfs.Node{
		"reg": bare(abi.S_IFREG|0666, 2), "lnk": bare(abi.S_IFLNK|0777, 3), "sock": bare(abi.S_IFSOCK|0666, 4),
		"own": &ownOps{bareNode{mode: abi.S_IFREG | 0666, ino: 5}}, "ioctl": &ioctler{bareNode{mode: abi.S_IFREG | 0666, ino: 6}},
	}
	refs := func(data []byte) (vfs.Refs, error) {
		addr := func(off int) uint64 { return binary.LittleEndian.Uint64(data[off:]) }
		return vfs.Refs{Strings: []uint64{addr(8), addr(0)}}, nil
	}
	typ := &vfs.Type{Name: "bare", Remote: true, ArgsSize: 16, Refs: refs, Mount: func(_ *kern.Thread, m *vfs.MountArgs) (vfs.FS, error) {
		fs.spec, fs.path = m.Strings[0]+m.Strings[1], m.Path
		if uncached {
			return fs, nil
		}
		return &fs.bareFS, nil
	}}
	p := newProc(t)
	if err := vfs.Of(p.K).Register(typ); err != nil {
		t.Fatal(err)
	}
	if err := vfs.Of(p.K).Register(typ); err != abi.EEXIST {
		t.Errorf("registered twice: %v", err)
	}
	tree(p, "/m/")
	args := make([]byte, 16)
	binary.LittleEndian.PutUint64(args[8:], p.Mem.Map([]byte("spec\x00")))
	p.Must(abi.SYS___mount50, "bare", "tmp/../m/", 0, args, 0) // no length: the type's
	if fs.path != "/m" {
		t.Errorf("mounted on %q", fs.path)
	}
	return p, &fs.bareFS
}

// TestMissingCapabilities: what a node does not implement fails as node.go says.
func TestMissingCapabilities(t *testing.T) {
	p, fs := mountBare(t, false)
	st, _ := statvfs(p, "/m")
	if abi.CString(st.Mntfromname[:]) != "spec" || st.Flag&abi.MNT_LOCAL != 0 {
		t.Errorf("mounted from %q with flags %#x", abi.CString(st.Mntfromname[:]), st.Flag)
	}
	fd := open(p, "/m/reg", abi.O_RDWR)
	ctl := open(p, "/m/ioctl", abi.O_RDONLY)
	dir := open(p, "/m", abi.O_RDONLY)
	buf := make([]byte, 64)
	for _, c := range []struct {
		call int
		args []any
		want abi.Errno
	}{
		{abi.SYS_open, []any{"/m/new", abi.O_RDWR | abi.O_CREAT, 0644}, abi.EOPNOTSUPP},
		{abi.SYS_open, []any{"/m/sock", abi.O_RDWR, 0}, abi.EOPNOTSUPP},
		{abi.SYS_open, []any{"/m/lnk", abi.O_RDONLY, 0}, abi.EINVAL},
		{abi.SYS_mkdir, []any{"/m/new", 0755}, abi.EOPNOTSUPP},
		{abi.SYS_symlink, []any{"x", "/m/new"}, abi.EOPNOTSUPP},
		{abi.SYS_link, []any{"/m/reg", "/m/new"}, abi.EOPNOTSUPP},
		{abi.SYS_unlink, []any{"/m/reg"}, abi.EOPNOTSUPP},
		{abi.SYS_rename, []any{"/m/reg", "/m/new"}, abi.EOPNOTSUPP},
		{abi.SYS_read, []any{fd, buf, 64}, abi.EOPNOTSUPP},
		{abi.SYS_write, []any{fd, buf, 64}, abi.EOPNOTSUPP},
		{abi.SYS_fsync, []any{fd}, 0},
		{abi.SYS_ftruncate, []any{fd, 0, 1}, abi.EOPNOTSUPP},
		{abi.SYS_chmod, []any{"/m/reg", 0600}, abi.EOPNOTSUPP},
		{abi.SYS_ioctl, []any{fd, abi.DIOCGMEDIASIZE, buf}, abi.ENOTTY},
		{abi.SYS_ioctl, []any{ctl, abi.DIOCGMEDIASIZE, buf}, 0},
		{abi.SYS_fdiscard, []any{fd, 0, 0, 1}, abi.EOPNOTSUPP},
		{abi.SYS_getxattr, []any{"/m/reg", "user.x", buf, 64}, abi.ENOTSUP},
		{abi.SYS_extattr_get_file, []any{"/m/reg", abi.EXTATTR_NAMESPACE_USER, "x", buf, 64}, abi.EOPNOTSUPP},
		{abi.SYS_extattrctl, []any{"/m", abi.EXTATTR_CMD_START, nil, 0, nil}, abi.EOPNOTSUPP},
		{abi.SYS___getfh30, []any{"/m/reg", buf, make([]byte, 8)}, abi.EOPNOTSUPP},
		{abi.SYS___mount50, []any{"bare", "/m", abi.MNT_UPDATE, make([]byte, 16), 16}, abi.EOPNOTSUPP},
		{abi.SYS___mount50, []any{"bare", "/m", abi.MNT_UPDATE | abi.MNT_NOATIME, nil, 0}, 0},
		{abi.SYS___getdents30, []any{dir, buf, 64}, 0},
		{abi.SYS_open, []any{"/m/own", abi.O_RDWR, 0}, abi.EBUSY},
	} {
		p.Want(c.want, c.call, c.args...)
	}
	if n := p.Must(abi.SYS_posix_fallocate, fd, 0, 0, 1); n != int64(abi.EOPNOTSUPP) {
		t.Errorf("posix_fallocate: %v", abi.Errno(n))
	}
	own := open(p, "/m/own", abi.O_RDONLY)
	if got, errno := p.Read(own, 10); got != "hello" || errno != 0 {
		t.Errorf("what opens itself: %q, %v", got, errno)
	}
	if st, errno := statBy(p, abi.SYS___fstat50, own); errno != 0 || st.Ino != 5 {
		t.Errorf("fstat of what opens itself: %+v, %v", st, errno)
	}
	for name, want := range map[int]int64{abi.PC_LINK_MAX: 1, abi.PC_NAME_MAX: 255} {
		if got := p.Must(abi.SYS_fpathconf, own, name); got != want {
			t.Errorf("pathconf %d: %d, want %d", name, got, want)
		}
	}
	for _, f := range []int{fd, ctl, dir, own} {
		p.Close(f)
	}
	p.Must(abi.SYS_unmount, "/m", 0)
	if fs.force.Load() {
		t.Error("unmounted with force")
	}
	for name, n := range fs.root.names {
		if b, ok := n.(*bareNode); ok && b.inactive.Load() == 0 {
			t.Errorf("%s has not become inactive", name)
		}
	}
}

// TestSync: which calls put a file on stable storage. Oracles: open(2) for O_SYNC and O_DSYNC, mount(8) for sync, fsync(2), fdatasync(2),
// fsync_range(2).
func TestSync(t *testing.T) {
	p, fs := mountBare(t, false)
	n := &synced{bareNode: bareNode{mode: abi.S_IFREG | 0666, ino: 9}}
	fs.root.names["synced"] = n
	write := func(flags int) func() {
		return func() {
			fd := open(p, "/m/synced", abi.O_RDWR|flags)
			p.Write(fd, "x")
			p.Close(fd)
		}
	}
	fd := open(p, "/m/synced", abi.O_RDWR)
	for _, c := range []struct {
		what      string
		do        func()
		data, all int32
	}{
		{"write", write(0), 0, 0},
		{"O_SYNC", write(abi.O_SYNC), 0, 1},
		{"O_DSYNC", write(abi.O_DSYNC), 1, 0},
		{"fsync", func() { p.Must(abi.SYS_fsync, fd) }, 0, 1},
		{"fdatasync", func() { p.Must(abi.SYS_fdatasync, fd) }, 1, 0},
		{"fsync_range", func() { p.Must(abi.SYS_fsync_range, fd, abi.FDATASYNC, 0, 0) }, 1, 0},
		{"mounted sync", func() {
			p.Must(abi.SYS___mount50, "bare", "/m", abi.MNT_UPDATE|abi.MNT_SYNCHRONOUS, nil, 0)
			write(0)()
		}, 0, 1},
	} {
		n.data.Store(0)
		n.all.Store(0)
		c.do()
		if data, all := n.data.Load(), n.all.Load(); data != c.data || all != c.all {
			t.Errorf("%s: synced %d times, %d of them data alone", c.what, data+all, data)
		}
	}
}

// TestUnmountRefused: a file system that does not want to go stays as it is; with force it goes.
func TestUnmountRefused(t *testing.T) {
	p, fs := mountBare(t, false)
	fs.busy.Store(true)
	p.Want(abi.EBUSY, abi.SYS_unmount, "/m", 0)
	if _, errno := stat(p, "/m/reg"); errno != 0 {
		t.Errorf("afterwards: %v", errno)
	}
	p.Must(abi.SYS_unmount, "/m", abi.MNT_FORCE)
	if !fs.force.Load() {
		t.Error("unmounted without force")
	}
}

// TestUncached: a file system that says so is asked for every name, every time.
func TestUncached(t *testing.T) {
	for _, c := range []struct {
		uncached bool
		want     int32
	}{{false, 2}, {true, 6}} {
		p, fs := mountBare(t, c.uncached)
		for range 3 {
			stat(p, "/m/reg")
			stat(p, "/m/nope")
		}
		if n := fs.root.lookups.Load(); n != c.want {
			t.Errorf("uncached %v: asked %d times, want %d", c.uncached, n, c.want)
		}
	}
}
