package umap_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/umap"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs/layertest"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// pairs are the entries of a map: the id that is shown, and the one below.
type pairs [][2]uint64

func (l pairs) array(p *kerntest.P) uint64 {
	var b []byte
	for _, e := range l {
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, e[0]), e[1])
	}
	return p.Mem.Map(append(b, 0)) // never empty
}

func mount(p *kerntest.P, users, groups pairs) abi.Errno {
	a := abi.UmapArgs{La: abi.LayerArgs{Target: p.Mem.Map([]byte("/low\x00"))},
		Nentries: int32(len(users)), Mapdata: users.array(p), Gnentries: int32(len(groups)), Gmapdata: groups.array(p)}
	_, errno := p.Call(abi.SYS___mount50, "umap", "/up", 0, kerntest.Struct(&a), abi.SizeofUmapArgs)
	return errno
}

// boot makes a kernel with a tmpfs on /low, of mode 0777, and a umap of it on /up.
func boot(t testing.TB, users, groups pairs) *kerntest.P {
	t.Helper()
	p := layertest.Boot(t, umap.Component())
	if e := mount(p, users, groups); e != 0 {
		t.Fatal(e)
	}
	p.Must(abi.SYS_chmod, "/low", 0o777)
	return p
}

// shifted maps root to itself, and ids to others.
func shifted(ids ...uint64) pairs {
	l := pairs{{0, 0}}
	for _, id := range ids {
		l = append(l, [2]uint64{id, id + 7000})
	}
	return l
}

// bootShifted maps every id that the suite uses.
func bootShifted(t testing.TB) *kerntest.P {
	p := boot(t, shifted(1, 3, 5, 7, 1001, 1002), shifted(1, 2, 4, 5, 6, 1001, 1002, 2000, 3000))
	p.Must(abi.SYS_chmod, "/low", 0o755)
	return p
}

// TestConformance runs the suite where all users and groups but root have other numbers below.
func TestConformance(t *testing.T) {
	layertest.Conformance(t, func(t testing.TB) (*kern.Kernel, string) { return bootShifted(t).K, "/up" })
}

// TestLayer runs what all layers have in common.
func TestLayer(t *testing.T) { layertest.Layer(t, bootShifted) }

// as makes a child of p with the ids of a user.
func as(p *kerntest.P, uid uint32, groups ...uint32) *kerntest.P {
	c := p.Fork()
	c.SetCred(&kern.Cred{Ruid: uid, Euid: uid, Svuid: uid, Rgid: groups[0], Egid: groups[0], Svgid: groups[0], Groups: groups})
	return c
}

func owner(t testing.TB, p *kerntest.P, path string) [2]uint32 {
	st := layertest.Stat(t, p, path)
	return [2]uint32{st.Uid, st.Gid}
}

func create(p *kerntest.P, path string, mode int) {
	p.Close(int(p.Must(abi.SYS_open, path, abi.O_CREAT|abi.O_RDWR, mode)))
}

// TestOwners: the oracle is mount_umap(8): the first number of an entry is the layer's, the second the original's; what is in no entry
// is NOBODY and NULLGROUP.
func TestOwners(t *testing.T) {
	p := boot(t, pairs{{2000, 1000}, {2001, 1001}}, pairs{{200, 100}})
	p.Must(abi.SYS_chown, "/low", 1000, 100)
	if got := owner(t, p, "/up"); got != [2]uint32{2000, 200} {
		t.Errorf("1000:100 is %v", got)
	}
	create(as(p, 2001, 200), "/up/f", 0o600)
	if got := owner(t, p, "/low/f"); got != [2]uint32{1001, 100} {
		t.Errorf("made by 2001: %v below", got)
	}
	for _, c := range []struct{ below, shown [2]uint32 }{
		{[2]uint32{0, 0}, [2]uint32{abi.NOBODY, abi.NULLGROUP}},
		{[2]uint32{2000, 200}, [2]uint32{abi.NOBODY, abi.NULLGROUP}},
		{[2]uint32{1000, 7}, [2]uint32{2000, abi.NULLGROUP}},
		{[2]uint32{7, 100}, [2]uint32{abi.NOBODY, 200}},
	} {
		p.Must(abi.SYS_chown, "/low/f", c.below[0], c.below[1])
		if got := owner(t, p, "/up/f"); got != c.shown {
			t.Errorf("%v is shown as %v, want %v", c.below, got, c.shown)
		}
	}
}

// TestCredentials: who may do what is decided below with the numbers below. The superuser is nobody there, unless an entry says
// otherwise. Oracle: mount_umap(8), and the original's mapping of credentials.
func TestCredentials(t *testing.T) {
	p := boot(t, pairs{{2000, 1000}, {3000, 1000}, {0, 1000}}, pairs{{200, 100}, {300, 101}})
	create(p, "/low/private", 0o600)
	create(p, "/low/theirs", 0o600)
	p.Must(abi.SYS_chown, "/low/theirs", 1000, 100)
	create(p, "/low/group", 0o600)
	p.Must(abi.SYS_chmod, "/low/group", 0o060)
	p.Must(abi.SYS_chown, "/low/group", 0, 101)
	for _, c := range []struct {
		uid    uint32
		groups []uint32
		path   string
		want   abi.Errno
	}{
		{0, []uint32{0}, "/up/private", abi.EACCES},
		{0, []uint32{0}, "/up/theirs", 0},
		{2000, []uint32{200}, "/up/theirs", 0},
		{3000, []uint32{200}, "/up/theirs", 0},
		{1000, []uint32{100}, "/up/theirs", abi.EACCES},
		{2000, []uint32{200}, "/up/group", abi.EACCES},
		{2000, []uint32{200, 300}, "/up/group", 0},
		{9, []uint32{300}, "/up/group", 0},
		{9, []uint32{101}, "/up/group", abi.EACCES},
	} {
		q := as(p, c.uid, c.groups...)
		fd, errno := q.Call(abi.SYS_open, c.path, abi.O_RDWR, 0)
		if errno != c.want {
			t.Errorf("%d, groups %v, opens %s: %v, want %v", c.uid, c.groups, c.path, errno, c.want)
		}
		if errno == 0 {
			q.Close(int(fd))
		}
		if _, errno = q.Call(abi.SYS_access, c.path, abi.R_OK|abi.W_OK); errno != c.want {
			t.Errorf("%d, groups %v, access to %s: %v, want %v", c.uid, c.groups, c.path, errno, c.want)
		}
	}
	q := as(p, 3000, 200)
	q.Must(abi.SYS_chmod, "/up/theirs", 0o640)
	p.Want(abi.EPERM, abi.SYS_chmod, "/up/private", 0o640)
	p.Must(abi.SYS_chmod, "/low", 0o1777)
	p.Want(abi.EPERM, abi.SYS_unlink, "/up/private")
	q.Must(abi.SYS_unlink, "/up/theirs")
}

// TestChown: new owners are given by the layer's numbers.
func TestChown(t *testing.T) {
	p := boot(t, pairs{{0, 0}, {2000, 1000}}, pairs{{0, 0}, {200, 100}})
	create(p, "/up/f", 0o644)
	p.Must(abi.SYS_chown, "/up/f", 2000, 200)
	if got := owner(t, p, "/low/f"); got != [2]uint32{1000, 100} {
		t.Errorf("2000:200 is %v below", got)
	}
	p.Want(abi.EINVAL, abi.SYS_chown, "/up/f", 1000, -1)
	p.Want(abi.EINVAL, abi.SYS_chown, "/up/f", -1, 100)
	p.Must(abi.SYS_chown, "/up/f", -1, 0)
	if got := owner(t, p, "/low/f"); got != [2]uint32{1000, 0} {
		t.Errorf("%v below", got)
	}
}

// TestArguments: the oracles are mount_umap(8) for how many entries there may be, and mount(2).
func TestArguments(t *testing.T) {
	p := layertest.Boot(t, umap.Component())
	if e := mount(p, make(pairs, 65), nil); e != abi.EINVAL {
		t.Errorf("65 users: %v", e)
	}
	if e := mount(p, nil, make(pairs, 17)); e != abi.EINVAL {
		t.Errorf("17 groups: %v", e)
	}
	a := abi.UmapArgs{La: abi.LayerArgs{Target: p.Mem.Map([]byte("/low\x00"))}, Nentries: 1, Mapdata: 8}
	p.Want(abi.EFAULT, abi.SYS___mount50, "umap", "/up", 0, kerntest.Struct(&a), abi.SizeofUmapArgs)
	a.Nentries = -1
	p.Want(abi.EINVAL, abi.SYS___mount50, "umap", "/up", 0, kerntest.Struct(&a), abi.SizeofUmapArgs)
	p.Want(abi.EINVAL, abi.SYS___mount50, "umap", "/up", 0, make([]byte, 20), 20)
	p.Want(abi.EINVAL, abi.SYS___mount50, "umap", "/up", 0, nil, 0)
	if e := mount(p, append(make(pairs, 63), [2]uint64{1 << 40, 7}), make(pairs, 16)); e != 0 {
		t.Fatal(e)
	}
	b := make([]byte, abi.SizeofUmapArgs)
	p.Must(abi.SYS___mount50, "umap", "/up", abi.MNT_GETARGS, b, len(b))
	if err := a.Decode(b); err != nil || a.Nentries != 64 || a.Gnentries != 16 || a.La.Target != 0 {
		t.Errorf("MNT_GETARGS: %+v, %v", a, err)
	}
	p.Must(abi.SYS_chown, "/low", 7, math.MaxUint32)
	if got := owner(t, p, "/up"); got[0] != abi.NOBODY {
		t.Errorf("an entry that is no pair of ids shows %d", got[0])
	}
}
