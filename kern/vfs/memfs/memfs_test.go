package memfs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// The two faces, as components rumpvfs and rumpfs_tmpfs have them.
var (
	rumpfsFace = Face{BlockSize: 512, DirSize: 512, SpecialSize: 512, FirstIno: 3}
	tmpfsFace  = Face{BlockSize: 4096, DirentSize: 48, FirstIno: 2}
)

// newKernel makes a kernel with a limit of memory.
func newKernel(t testing.TB, limit int64) *kern.Kernel {
	t.Helper()
	k, err := kern.New(kern.Config{MemLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newFS makes a file system.
func newFS(t testing.TB, k *kern.Kernel, c Config) *FS {
	t.Helper()
	f, err := New(k, c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// create makes a file of a type in a directory.
func create[N vfs.Node](t testing.TB, d *dir, name string, n vfs.NewNode) N {
	t.Helper()
	made, err := d.Create(nil, name, &n)
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	return made.(N)
}

func attrOf(t testing.TB, n vfs.Node) vfs.Attr {
	t.Helper()
	var a vfs.Attr
	if err := n.Attr(nil, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestFaces checks sizes, block counts, links and numbers. Oracles: the sessions files-* and ls-l with the C kernel and what ls -l
// prints there: tmpfs counts 48 bytes an entry and whole pages, rumpfs shows 512 bytes for every directory and device.
func TestFaces(t *testing.T) {
	for _, c := range []struct {
		name              string
		face              Face
		empty, two        [3]int64 // st_size, blocks of 512, links of a directory
		file, lnk, device [2]int64 // st_size, blocks of 512
		rootIno           uint64
	}{
		{"tmpfs", tmpfsFace, [3]int64{0, 0, 2}, [3]int64{96, 8, 3}, [2]int64{4, 8}, [2]int64{3, 8}, [2]int64{0, 0}, 2},
		{"rumpfs", rumpfsFace, [3]int64{512, 1, 2}, [3]int64{512, 1, 3}, [2]int64{4, 8}, [2]int64{3, 1}, [2]int64{512, 1}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFS(t, newKernel(t, 0), Config{Face: c.face, Mode: 0o755})
			checkDir := func(d *dir, want [3]int64) {
				t.Helper()
				a := attrOf(t, d)
				if got := [3]int64{a.Size, a.Bytes / 512, int64(a.Nlink)}; got != want {
					t.Errorf("directory: size, blocks, links %v, want %v", got, want)
				}
			}
			checkFile := func(n vfs.Node, want [2]int64) {
				t.Helper()
				if a := attrOf(t, n); [2]int64{a.Size, a.Bytes / 512} != want {
					t.Errorf("size %d, %d blocks, want %v", a.Size, a.Bytes/512, want)
				}
			}
			if a := attrOf(t, f.root); a.Ino != c.rootIno || a.Mode != abi.S_IFDIR|0o755 || a.Rdev != 1<<64-1 {
				t.Errorf("root: %+v", a)
			}
			d := create[*dir](t, f.root, "d", vfs.NewNode{Mode: abi.S_IFDIR | 0o755})
			checkDir(d, c.empty)
			create[*dir](t, d, "sub", vfs.NewNode{Mode: abi.S_IFDIR | 0o755})
			reg := create[*file](t, d, "f", vfs.NewNode{Mode: abi.S_IFREG | 0o644})
			checkDir(d, c.two)
			if _, err := reg.WriteAt(nil, []byte("abc\n"), 0); err != nil {
				t.Fatal(err)
			}
			checkFile(reg, c.file)
			checkFile(create[*symlink](t, d, "l", vfs.NewNode{Mode: abi.S_IFLNK | 0o755, Target: "a/b"}), c.lnk)
			dev := create[*special](t, d, "c", vfs.NewNode{Mode: abi.S_IFCHR | 0o644, Rdev: 0x202})
			checkFile(dev, c.device)
			if a := attrOf(t, dev); a.Rdev != 0x202 {
				t.Errorf("device number %#x", a.Rdev)
			}
		})
	}
}

// TestStatfs: oracles: the session df with the C kernel, whose tmpfs has 0x20001 pages of which 0x20000 are free, and
// 0x25ed0a nodes of which 0x25ed09 are.
func TestStatfs(t *testing.T) {
	f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace, Mode: 0o755})
	var st abi.Statvfs
	if err := f.Statfs(nil, &st); err != nil {
		t.Fatal(err)
	}
	got := [...]uint64{st.Bsize, st.Frsize, st.Iosize, st.Blocks, st.Bfree, st.Bavail, st.Files, st.Ffree, st.Favail, st.Namemax}
	want := [...]uint64{4096, 4096, 4096, 0x20001, 0x20000, 0x20000, 0x25ed0a, 0x25ed09, 0x25ed09, 255}
	if got != want {
		t.Errorf("%#x, want %#x", got, want)
	}
}

// TestMemLimit checks that the kernel's limit of memory (rump_server -r) holds, that all file systems share it, and
// that what is removed comes back.
func TestMemLimit(t *testing.T) {
	const limit = 4 << 20
	k := newKernel(t, limit)
	f := newFS(t, k, Config{Face: tmpfsFace})
	g := newFS(t, k, Config{Face: rumpfsFace, MaxBytes: 1 << 30})
	start := k.Mem.Used()
	big := create[*file](t, f.root, "big", vfs.NewNode{Mode: abi.S_IFREG})
	n, err := big.WriteAt(nil, make([]byte, 2*limit), 0)
	if !errors.Is(err, abi.ENOSPC) || n < limit/2 || k.Mem.Used() > limit {
		t.Fatalf("wrote %d, %v; %d used", n, err, k.Mem.Used())
	}
	var st abi.Statvfs
	if err := g.Statfs(nil, &st); err != nil || st.Bfree*st.Frsize >= 4096 {
		t.Errorf("the other file system says that %d bytes are free, %v", st.Bfree*st.Frsize, err)
	}
	other := create[*file](t, g.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
	if n, err := other.WriteAt(nil, make([]byte, 8192), 0); !errors.Is(err, abi.ENOSPC) {
		t.Errorf("the other file system took %d, %v", n, err)
	}
	remove(t, g.root, "f", other)
	remove(t, f.root, "big", big)
	if used := k.Mem.Used(); used != start {
		t.Errorf("%d bytes used when all is removed, %d before", used, start)
	}
}

// remove unlinks a node that nobody refers to.
func remove(t testing.TB, d *dir, name string, n vfs.Node) {
	t.Helper()
	if err := d.Remove(nil, name, n); err != nil {
		t.Fatalf("remove %s: %v", name, err)
	}
	n.Inactive(nil)
}

// TestUnmount checks that unmounting gives all memory back, once, whatever is still in use.
func TestUnmount(t *testing.T) {
	k := newKernel(t, 0)
	f := newFS(t, k, Config{Face: tmpfsFace})
	reg := create[*file](t, f.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
	if _, err := reg.WriteAt(nil, make([]byte, 100000), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Unmount(nil, true); err != nil || k.Mem.Used() != 0 {
		t.Fatalf("%v, %d bytes used", err, k.Mem.Used())
	}
	if n, err := reg.WriteAt(nil, make([]byte, 1), 200000); !errors.Is(err, abi.ENOSPC) {
		t.Errorf("writing to what is unmounted: %d, %v", n, err)
	}
	remove(t, f.root, "f", reg)
	if used := k.Mem.Used(); used != 0 {
		t.Errorf("%d bytes used", used)
	}
}

// TestNodeLimit checks the limit of nodes and SetLimits. The oracle is mount_tmpfs(8).
func TestNodeLimit(t *testing.T) {
	f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace, MaxNodes: 4})
	for i := range 3 {
		create[*file](t, f.root, fmt.Sprint(i), vfs.NewNode{Mode: abi.S_IFREG})
	}
	for _, typ := range []uint32{abi.S_IFREG, abi.S_IFDIR, abi.S_IFLNK, abi.S_IFIFO} {
		if _, err := f.root.Create(nil, "more", &vfs.NewNode{Mode: typ}); !errors.Is(err, abi.ENOSPC) {
			t.Errorf("type %o past the limit: %v", typ, err)
		}
	}
	if a := attrOf(t, f.root); a.Nlink != 2 || a.Size != 3*48 {
		t.Errorf("after that the root has %d links, size %d", a.Nlink, a.Size)
	}
	for _, c := range []struct {
		bytes, nodes int64
		want         error
	}{{0, 3, abi.EBUSY}, {4095, 4, abi.EBUSY}, {4096, 4, nil}, {0, 5, nil}} {
		if err := f.SetLimits(c.bytes, c.nodes); !errors.Is(err, c.want) {
			t.Errorf("SetLimits(%d, %d): %v, want %v", c.bytes, c.nodes, err, c.want)
		}
	}
	create[*file](t, f.root, "more", vfs.NewNode{Mode: abi.S_IFREG})
}

// TestHandles checks that a handle finds its node as long as it is there, in its own file system alone.
func TestHandles(t *testing.T) {
	k := newKernel(t, 0)
	f, g := newFS(t, k, Config{Face: tmpfsFace}), newFS(t, k, Config{Face: tmpfsFace})
	reg := create[*file](t, f.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
	h, err := f.Handle(reg)
	if err != nil || len(h) > 28 {
		t.Fatalf("%d bytes, %v", len(h), err)
	}
	if n, err := f.Find(h); err != nil || n != vfs.Node(reg) {
		t.Errorf("found %v, %v", n, err)
	}
	if _, err := g.Find(h); !errors.Is(err, abi.ESTALE) {
		t.Errorf("another file system: %v", err)
	}
	if _, err := f.Find(h[1:]); !errors.Is(err, abi.EINVAL) {
		t.Errorf("a short handle: %v", err)
	}
	remove(t, f.root, "f", reg)
	if _, err := f.Find(h); !errors.Is(err, abi.ESTALE) {
		t.Errorf("when the file is gone: %v", err)
	}
	if err := reg.Attr(nil, new(vfs.Attr)); !errors.Is(err, abi.ESTALE) {
		t.Errorf("attributes when the file is gone: %v", err)
	}
	if n, err := reg.WriteAt(nil, []byte("x"), 0); !errors.Is(err, abi.ESTALE) {
		t.Errorf("writing when the file is gone: %d, %v", n, err)
	}
}

// TestLinkMax: the oracle is link(2): EMLINK; LINK_MAX is 32767.
func TestLinkMax(t *testing.T) {
	f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace})
	reg := create[*file](t, f.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
	for i := range abi.LINK_MAX - 1 {
		if err := f.root.Link(nil, fmt.Sprint(i), reg); err != nil {
			t.Fatalf("link %d: %v", i, err)
		}
	}
	before := f.space.usage()
	if err := f.root.Link(nil, "over", reg); !errors.Is(err, abi.EMLINK) {
		t.Errorf("one link too many: %v", err)
	}
	if after := f.space.usage(); after != before {
		t.Errorf("the link that failed was charged: %+v, %+v before", after, before)
	}
	d := create[*dir](t, f.root, "d", vfs.NewNode{Mode: abi.S_IFDIR})
	d.nlink = abi.LINK_MAX
	if _, err := d.Create(nil, "sub", &vfs.NewNode{Mode: abi.S_IFDIR}); !errors.Is(err, abi.EMLINK) {
		t.Errorf("one directory too many: %v", err)
	}
}

// TestExtAttrs checks that values are copied, charged, and freed with the file.
func TestExtAttrs(t *testing.T) {
	f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace})
	before := f.space.usage()
	reg := create[*file](t, f.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
	made := f.space.usage()
	value := []byte("value")
	for _, name := range []string{"b", "a"} {
		if err := reg.SetExtAttr(nil, abi.EXTATTR_NAMESPACE_USER, name, value); err != nil {
			t.Fatal(err)
		}
	}
	value[0] = 'X'
	got, err := reg.GetExtAttr(nil, abi.EXTATTR_NAMESPACE_USER, "a")
	if err != nil || string(got) != "value" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := reg.GetExtAttr(nil, abi.EXTATTR_NAMESPACE_SYSTEM, "a"); !errors.Is(err, abi.ENODATA) {
		t.Errorf("the other namespace: %v", err)
	}
	if names, err := reg.ListExtAttr(nil, abi.EXTATTR_NAMESPACE_USER); err != nil || !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("%v, %v", names, err)
	}
	if err := reg.SetExtAttr(nil, abi.EXTATTR_NAMESPACE_USER, "big", make([]byte, maxXattr+1)); !errors.Is(err, abi.E2BIG) {
		t.Errorf("a value too long: %v", err)
	}
	if err := reg.DeleteExtAttr(nil, abi.EXTATTR_NAMESPACE_USER, "a"); err != nil {
		t.Error(err)
	}
	if now := f.space.usage(); now.used <= made.used {
		t.Errorf("attributes are not charged: %d bytes, %d without", now.used, made.used)
	}
	remove(t, f.root, "f", reg)
	if after := f.space.usage(); after != before {
		t.Errorf("after all: %+v, %+v before", after, before)
	}
}

// TestDirectoryModel makes random changes to a directory while it is read in pieces, and checks that what stayed is
// seen once and that what is listed is there. The oracle is the comment on vfs.Directory.
func TestDirectoryModel(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace})
		stay := map[string]bool{}
		for i := range 300 {
			name := fmt.Sprint("f", i)
			create[*file](t, f.root, name, vfs.NewNode{Mode: abi.S_IFREG})
			stay[name] = true
		}
		seen, cookie := map[string]int{}, int64(0)
		for {
			n := rng.IntN(20) + 1
			got := 0
			if err := f.root.ReadDir(nil, cookie, func(e vfs.Dirent) bool {
				if e.Cookie <= cookie {
					t.Fatalf("cookie %d after %d", e.Cookie, cookie)
				}
				seen[e.Name]++
				cookie = e.Cookie
				got++
				return got < n
			}); err != nil {
				t.Fatal(err)
			}
			if got == 0 {
				break
			}
			changeRandomly(t, f.root, rng, stay)
		}
		for name := range stay {
			if seen[name] != 1 {
				t.Errorf("seed %d: %s was seen %d times", seed, name, seen[name])
			}
		}
		if int(f.root.count.Load()) != len(f.root.names) || f.root.holes > len(f.root.order) {
			t.Errorf("seed %d: %d entries counted, %d names, %d holes of %d", seed, f.root.count.Load(), len(f.root.names),
				f.root.holes, len(f.root.order))
		}
	}
}

// changeRandomly removes, renames, replaces and makes a few files; stay loses the names that do not stay.
func changeRandomly(t *testing.T, d *dir, rng *rand.Rand, stay map[string]bool) {
	for range rng.IntN(30) {
		name, other := fmt.Sprint("f", rng.IntN(400)), fmt.Sprint("f", rng.IntN(400))
		e, o := d.names[name], d.names[other]
		switch {
		case e == nil:
			create[*file](t, d, name, vfs.NewNode{Mode: abi.S_IFREG})
			delete(stay, name)
		case rng.IntN(3) == 0 || name == other:
			remove(t, d, name, e.node)
			delete(stay, name)
		case o == nil:
			if err := d.Rename(nil, name, e.node, d, other, nil); err != nil {
				t.Fatal(err)
			}
			delete(stay, name)
			delete(stay, other)
		default:
			existing := o.node
			if err := d.Rename(nil, name, e.node, d, other, existing); err != nil {
				t.Fatal(err)
			}
			existing.Inactive(nil)
			delete(stay, name)
		}
	}
}

// TestRenameSpace checks that renames leave the account right, and that one that fails for space changes nothing.
func TestRenameSpace(t *testing.T) {
	f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace})
	before := f.space.usage()
	a := create[*dir](t, f.root, "a", vfs.NewNode{Mode: abi.S_IFDIR})
	b := create[*dir](t, f.root, "b", vfs.NewNode{Mode: abi.S_IFDIR})
	reg := create[*file](t, a, "f", vfs.NewNode{Mode: abi.S_IFREG})
	long := string(make([]byte, 200))
	f.space.limit = f.space.used
	if err := a.Rename(nil, "f", reg, a, long, nil); !errors.Is(err, abi.ENOSPC) {
		t.Errorf("a longer name without space: %v", err)
	}
	if err := a.Rename(nil, "f", reg, b, "f", nil); !errors.Is(err, abi.ENOSPC) {
		t.Errorf("another directory without space: %v", err)
	}
	if n, err := a.Lookup(nil, "f"); err != nil || n != vfs.Node(reg) {
		t.Errorf("the file is not where it was: %v, %v", n, err)
	}
	f.space.limit = 1 << 20
	for _, s := range []struct {
		from     *dir
		name     string
		to       *dir
		newName  string
		existing vfs.Node
	}{{a, "f", a, long, nil}, {a, long, b, "x", nil}, {b, "x", a, long, nil}, {a, long, a, "f", nil}} {
		if err := s.from.Rename(nil, s.name, reg, s.to, s.newName, s.existing); err != nil {
			t.Fatal(err)
		}
	}
	remove(t, a, "f", reg)
	for name, d := range map[string]*dir{"a": a, "b": b} {
		if err := f.root.Rmdir(nil, name, d); err != nil {
			t.Fatal(err)
		}
		d.Inactive(nil)
	}
	if after := f.space.usage(); after.used != before.used || after.nodes != before.nodes {
		t.Errorf("after all: %+v, %+v before", after, before)
	}
}
