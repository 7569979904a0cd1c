package vfs

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// toyFS is the smallest file system: directories whose names come from a table, and nothing else.
type toyFS struct{ root *toyDir }

func (f *toyFS) Root() (Node, error)                   { return f.root, nil }
func (*toyFS) Statfs(*kern.Thread, *abi.Statvfs) error { return nil }
func (*toyFS) Sync(*kern.Thread, bool) error           { return nil }
func (*toyFS) Unmount(*kern.Thread, bool) error        { return nil }
func (*toyFS) Source() string                          { return "toy" }

// toyDir is a directory; it counts what is asked of it.
type toyDir struct {
	ino uint64
	up  *toyDir

	mu       sync.Mutex
	names    map[string]*toyDir
	lookups  int
	inactive int
}

func newToy() *toyDir {
	d := &toyDir{ino: 1, names: map[string]*toyDir{}}
	d.up = d
	return d
}

func (d *toyDir) add(name string) *toyDir {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := newToy()
	c.up, c.ino = d, d.ino*100+uint64(len(d.names))+1
	d.names[name] = c
	return c
}

func (d *toyDir) Attr(_ *kern.Thread, a *Attr) error {
	*a = Attr{Mode: abi.S_IFDIR | 0755, Nlink: 2, Ino: d.ino}
	return nil
}

func (d *toyDir) Inactive(*kern.Thread) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inactive++
}

func (d *toyDir) Lookup(_ *kern.Thread, name string) (Node, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lookups++
	if c := d.names[name]; c != nil {
		return c, nil
	}
	return nil, abi.ENOENT
}

func (d *toyDir) Parent(*kern.Thread) (Node, error) { return d.up, nil }

func (d *toyDir) ReadDir(_ *kern.Thread, _ int64, _ func(Dirent) bool) error { return nil }

func (d *toyDir) counts() (lookups, inactive int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lookups, d.inactive
}

// bootToy makes a kernel whose root file system is a directory; /dev and /tmp cannot be made in it, so there is
// no component but a VFS alone.
func bootToy(t *testing.T, root *toyDir, names int) (*VFS, *kern.Thread) {
	t.Helper()
	k, err := kern.New(kern.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	v := newVFS(k)
	v.cache.limit = names
	typ := &Type{Name: "toy", Mount: func(*kern.Thread, *MountArgs) (FS, error) { return &toyFS{root}, nil }}
	kt := k.KernelThread()
	if _, err := v.Mount(kt, typ, &MountArgs{Path: "/", VFS: v}); err != nil {
		t.Fatal(err)
	}
	k.SetFaction(kern.FactionVFS, v)
	k.SetCwdinfo(v.newCwdinfo)
	return v, kt
}

// walk looks a path up and lets it go.
func walk(t *testing.T, v *VFS, path string, want error) {
	t.Helper()
	vp, err := v.Lookup(path)
	if err != want {
		t.Errorf("%s: %v, want %v", path, err, want)
	}
	if err == nil {
		vp.Release(v.k.KernelThread())
	}
}

// TestCacheRemembers: a name is asked for once, whether it is there or not, until it is forgotten.
func TestCacheRemembers(t *testing.T) {
	root := newToy()
	a := root.add("a")
	a.add("b")
	v, kt := bootToy(t, root, 100)
	for range 3 {
		walk(t, v, "/a/b", nil)
		walk(t, v, "/nope", abi.ENOENT)
	}
	if n, _ := root.counts(); n != 2 {
		t.Errorf("the root was asked %d times for two names", n)
	}
	if n, _ := a.counts(); n != 1 {
		t.Errorf("the directory was asked %d times for one name", n)
	}
	vp, err := v.Lookup("/")
	if err != nil {
		t.Fatal(err)
	}
	if gone := v.cache.forget(vp, "a"); gone == nil {
		t.Error("nothing was remembered")
	} else {
		gone.Release(kt)
	}
	if _, n := a.counts(); n != 1 {
		t.Errorf("a directory that nothing refers to is inactive %d times", n)
	}
	vp.Release(kt)
	walk(t, v, "/a/b", nil)
	if n, _ := a.counts(); n != 2 {
		t.Errorf("what was in a forgotten directory is still remembered: asked %d times", n)
	}
}

// TestCacheBounded: there are never more entries than the limit; those in use stay, and what goes is let go.
func TestCacheBounded(t *testing.T) {
	const limit, dirs = 16, 200
	root := newToy()
	busy := root.add("busy")
	var all []*toyDir
	for i := range dirs {
		all = append(all, root.add(fmt.Sprint(i)))
	}
	v, _ := bootToy(t, root, limit)
	for i := range dirs {
		walk(t, v, "/busy", nil)
		walk(t, v, fmt.Sprint("/", i), nil)
		walk(t, v, fmt.Sprint("/nope", i), abi.ENOENT)
	}
	if n := len(v.cache.ring); n > limit {
		t.Errorf("%d entries", n)
	}
	if _, n := busy.counts(); n != 0 {
		t.Error("a name that is used all the time has been dropped")
	}
	left := 0
	for _, d := range all {
		if _, n := d.counts(); n == 0 {
			left++
		}
	}
	if left > limit {
		t.Errorf("%d of %d vnodes are left", left, dirs)
	}
	vp := v.Root()
	defer vp.Release(v.k.KernelThread())
	if n := len(vp.names.m); n > limit {
		t.Errorf("the directory has %d names in the cache", n)
	}
}

// TestCachePurge: after a purge only the users' references are left.
func TestCachePurge(t *testing.T) {
	root := newToy()
	deep := root
	path := ""
	for range 50 {
		deep = deep.add("d")
		path += "/d"
	}
	v, kt := bootToy(t, root, 1000)
	walk(t, v, path, nil)
	m := v.Mounts()[0]
	held, err := v.Lookup("/d/d")
	if err != nil {
		t.Fatal(err)
	}
	v.cache.purgeMount(kt, m)
	if len(m.vnodes) != 2 || held.refs.Load() != 1 {
		t.Errorf("%d vnodes are left, of which one has %d references", len(m.vnodes), held.refs.Load())
	}
	for _, e := range v.cache.ring {
		if e != nil {
			t.Errorf("%s is still in the ring", e.name)
		}
	}
	held.Release(kt)
	if len(m.vnodes) != 1 {
		t.Errorf("%d vnodes are left", len(m.vnodes))
	}
}

// TestMemoryLimit: a kernel with little memory remembers fewer names.
func TestMemoryLimit(t *testing.T) {
	for limit, want := range map[int64]int{0: defaultNames, 1 << 40: defaultNames, 8 << 20: 512, 1 << 10: 64} {
		var c nameCache
		if c.init(limit); c.limit != want {
			t.Errorf("%d bytes: %d names, want %d", limit, c.limit, want)
		}
	}
}

// TestRelatime: the access time is marked after a change, or when it is a day old. Oracle: mount(8), relatime.
func TestRelatime(t *testing.T) {
	root := newToy()
	v, kt := bootToy(t, root, 10)
	m := v.Mounts()[0]
	m.flags.Store(abi.MNT_RELATIME)
	now := v.k.Now()
	for _, c := range []struct {
		name         string
		atime, mtime time.Time
		want         bool
	}{
		{"read since the change", now.Add(-time.Hour), now.Add(-2 * time.Hour), false},
		{"changed since the read", now.Add(-2 * time.Hour), now.Add(-time.Hour), true},
		{"a day ago", now.Add(-25 * time.Hour), now.Add(-26 * time.Hour), true},
	} {
		n := &timed{atime: c.atime, mtime: c.mtime}
		vp, err := m.Vnode(kt, n)
		if err != nil {
			t.Fatal(err)
		}
		vp.touchRead(kt)
		if n.touched != c.want {
			t.Errorf("%s: touched %v", c.name, n.touched)
		}
		vp.Release(kt)
	}
}

// timed is a node with times.
type timed struct {
	atime, mtime time.Time
	touched      bool
}

func (n *timed) Attr(_ *kern.Thread, a *Attr) error {
	*a = Attr{Mode: abi.S_IFREG, Nlink: 1, Atime: n.atime, Mtime: n.mtime, Ctime: n.mtime}
	return nil
}

func (*timed) Inactive(*kern.Thread) {}

func (n *timed) Touch(TimeMask, time.Time) { n.touched = true }
