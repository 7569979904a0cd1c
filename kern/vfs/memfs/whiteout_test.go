package memfs

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// TestWhiteoutSpace: a whiteout is charged as an entry of its name, and every way in which it goes gives that back. The oracle is
// the account itself.
func TestWhiteoutSpace(t *testing.T) {
	f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace, Mode: 0o755, MaxBytes: 1 << 20})
	root := f.root
	start := f.space.usage().used
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"undelete", func() { must(root.Whiteout(nil, "w")); must(root.Unwhiteout(nil, "w")) }},
		{"twice", func() {
			must(root.Whiteout(nil, "w"))
			must(root.Whiteout(nil, "w"))
			must(root.Unwhiteout(nil, "w"))
		}},
		{"a file in its place", func() {
			must(root.Whiteout(nil, "w"))
			n := create[*file](t, root, "w", vfs.NewNode{Mode: abi.S_IFREG})
			must(root.Remove(nil, "w", n))
			n.Inactive(nil)
		}},
		{"renamed to its name, within and across", func() {
			d := create[*dir](t, root, "d", vfs.NewNode{Mode: abi.S_IFDIR})
			n := create[*file](t, root, "f", vfs.NewNode{Mode: abi.S_IFREG})
			must(root.Whiteout(nil, "w"))
			must(d.Whiteout(nil, "x"))
			must(root.Rename(nil, "f", n, root, "w", nil))
			must(root.Rename(nil, "w", n, d, "x", nil))
			must(d.Remove(nil, "x", n))
			n.Inactive(nil)
			must(root.Rmdir(nil, "d", d))
			d.Inactive(nil)
		}},
		{"with its directory", func() {
			d := create[*dir](t, root, "d", vfs.NewNode{Mode: abi.S_IFDIR})
			must(d.Whiteout(nil, "w"))
			must(d.Whiteout(nil, "x"))
			must(root.Rmdir(nil, "d", d))
			d.Inactive(nil)
		}},
	} {
		c.run()
		if used := f.space.usage().used; used != start {
			t.Errorf("%s: %d bytes held, %d before", c.name, used, start)
		}
	}
	if len(root.names) != 0 || root.whiteouts != 0 || root.count.Load() != 0 {
		t.Errorf("%d names, %d whiteouts, %d entries are left", len(root.names), root.whiteouts, root.count.Load())
	}
}

// TestWhiteoutNoSpace: a whiteout that does not fit is not there.
func TestWhiteoutNoSpace(t *testing.T) {
	f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace, Mode: 0o755, MaxBytes: 4096})
	var err error
	n := 0
	for ; err == nil && n < 4096; n++ {
		err = f.root.Whiteout(nil, string(rune('a'+n%26))+string(rune('a'+n/26)))
	}
	if err != abi.ENOSPC || f.root.whiteouts != n-1 || len(f.root.names) != n-1 {
		t.Errorf("%d whiteouts of %d, %v", f.root.whiteouts, n, err)
	}
}
