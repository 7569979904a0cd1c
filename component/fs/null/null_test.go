package null_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/null"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs/layertest"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// boot makes a kernel with a tmpfs on /low and a null layer of it on /up.
func boot(t testing.TB) *kerntest.P {
	p := layertest.Boot(t, null.Component())
	mount(p, "/low", "/up", 0)
	return p
}

func mount(p *kerntest.P, target, on string, flags int) {
	a := abi.NullArgs{La: abi.LayerArgs{Target: p.Mem.Map(append([]byte(target), 0))}}
	p.Must(abi.SYS___mount50, "null", on, flags, kerntest.Struct(&a), abi.SizeofNullArgs)
}

// TestConformance runs the suite through the layer.
func TestConformance(t *testing.T) {
	layertest.Conformance(t, func(t testing.TB) (*kern.Kernel, string) { return boot(t).K, "/up" })
}

// TestLayer runs what all layers have in common.
func TestLayer(t *testing.T) { layertest.Layer(t, boot) }

// TestArguments: the oracles are mount(2) and the original's mount of null.
func TestArguments(t *testing.T) {
	p := layertest.Boot(t, null.Component())
	call := func(target string, size int) abi.Errno {
		a := abi.NullArgs{La: abi.LayerArgs{Target: p.Mem.Map(append([]byte(target), 0))}}
		_, errno := p.Call(abi.SYS___mount50, "null", "/up", 0, kerntest.Struct(&a), size)
		return errno
	}
	p.Close(int(p.Must(abi.SYS_open, "/low/f", abi.O_CREAT|abi.O_RDWR, 0o644)))
	for _, c := range []struct {
		target string
		size   int
		want   abi.Errno
	}{
		{"/nope", abi.SizeofNullArgs, abi.ENOENT},
		{"/low/f", abi.SizeofNullArgs, abi.EINVAL},
		{"/low/f/x", abi.SizeofNullArgs, abi.ENOTDIR},
		{"/low", 100, abi.EINVAL},
		{"/low", abi.SizeofNullArgs, 0},
	} {
		if got := call(c.target, c.size); got != c.want {
			t.Errorf("%s, %d bytes: %v, want %v", c.target, c.size, got, c.want)
		}
	}
	p.Want(abi.EINVAL, abi.SYS___mount50, "null", "/low", 0, nil, 0)
	data := make([]byte, abi.SizeofNullArgs)
	p.Want(abi.EOPNOTSUPP, abi.SYS___mount50, "null", "/up", abi.MNT_UPDATE, data, len(data))
	data[0], data[8] = 0xff, 0xff
	if n := p.Must(abi.SYS___mount50, "null", "/up", abi.MNT_GETARGS, data, len(data)); n != abi.SizeofNullArgs || data[0] != 0 || data[8] != 0xff {
		t.Errorf("MNT_GETARGS: %d, % x", n, data[:16])
	}
}

// TestFlags: a layer has flags of its own. Oracle: mount(8).
func TestFlags(t *testing.T) {
	p := layertest.Boot(t, null.Component())
	p.Must(abi.SYS___mknod50, "/low/zero", abi.S_IFCHR|0o666, 0x20c)
	p.Close(int(p.Must(abi.SYS_open, "/low/f", abi.O_CREAT|abi.O_RDWR, 0o755)))
	mount(p, "/low", "/up", abi.MNT_RDONLY|abi.MNT_NODEV|abi.MNT_NOEXEC)
	p.Want(abi.EROFS, abi.SYS_open, "/up/f", abi.O_RDWR)
	p.Want(abi.EROFS, abi.SYS_truncate, "/up/f", 0, 0)
	p.Want(abi.EROFS, abi.SYS_chmod, "/up/f", 0o700)
	p.Want(abi.EROFS, abi.SYS_mkdir, "/up/d", 0o755)
	p.Want(abi.EROFS, abi.SYS_unlink, "/up/f")
	p.Want(abi.EROFS, abi.SYS_extattr_set_file, "/up/f", abi.EXTATTR_NAMESPACE_USER, "a", "b", 1)
	p.Want(abi.ENXIO, abi.SYS_open, "/up/zero", abi.O_RDONLY)
	p.Want(abi.EACCES, abi.SYS_access, "/up/f", abi.X_OK)
	p.Close(int(p.Must(abi.SYS_open, "/low/f", abi.O_RDWR, 0)))
	p.Close(int(p.Must(abi.SYS_open, "/low/zero", abi.O_RDWR, 0)))
	p.Must(abi.SYS_access, "/low/f", abi.X_OK)
}

// TestNesting: a layer over itself, over a layer, under its own target and over the root. The original has no error for these: a layer
// shows what is under a mount. Oracle: mount_null(8) and the original's mount of null.
func TestNesting(t *testing.T) {
	for _, c := range []struct {
		name    string
		mounts  [][2]string // target, place
		through string      // leads to /low/d
	}{
		{"on itself", [][2]string{{"/low", "/low"}}, "/low/d"},
		{"below its target", [][2]string{{"/low", "/low/d/e"}}, "/low/d/e/d"},
		{"above its target", [][2]string{{"/low/d", "/low"}}, "/low"},
		{"in a layer", [][2]string{{"/low", "/up"}, {"/up/d", "/up/d/e"}}, "/up/d/e"},
		{"of a layer", [][2]string{{"/low", "/up"}, {"/up", "/other"}, {"/other/d", "/third"}}, "/third"},
		{"each other", [][2]string{{"/low/d", "/up"}, {"/up", "/low/d"}}, "/low/d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := layertest.Boot(t, null.Component())
			for _, dir := range []string{"/other", "/third", "/low/d", "/low/d/e"} {
				p.Must(abi.SYS_mkdir, dir, 0o755)
			}
			want := layertest.Stat(t, p, "/low/d").Ino
			for _, m := range c.mounts {
				mount(p, m[0], m[1], 0)
			}
			if got := layertest.Stat(t, p, c.through).Ino; got != want {
				t.Errorf("%s is inode %d, want %d", c.through, got, want)
			}
			p.Close(int(p.Must(abi.SYS_open, c.through+"/f", abi.O_CREAT|abi.O_RDWR, 0o644)))
			p.Must(abi.SYS_rename, c.through+"/f", c.through+"/e/f")
			p.Must(abi.SYS_chdir, c.through)
			b := make([]byte, 100)
			if n := p.Must(abi.SYS___getcwd, b, len(b)); string(b[:n-1]) != c.through {
				t.Errorf("getcwd: %s", b[:n-1])
			}
			p.Must(abi.SYS_chdir, "/")
			for i := len(c.mounts) - 1; i >= 0; i-- {
				p.Must(abi.SYS_unmount, c.mounts[i][1], 0)
			}
			if layertest.Stat(t, p, "/low/d/e/f").Size != 0 {
				t.Error("not below")
			}
			p.Must(abi.SYS_unmount, "/low", 0)
		})
	}
}
