package vfs_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestRename checks what rename says and does. Oracle: rename(2); the cases of "." and ".." are NetBSD's.
func TestRename(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/")
	p.Must(abi.SYS___mount50, "tmpfs", "/m", 0, nil, 0)
	setup := []string{"/t/", "/t/d/", "/t/d/sub/", "/t/d/sub/file", "/t/e/", "/t/f", "/t/g", "/t/l -> f", "/t/ld -> d", "/m/x"}
	for _, c := range []struct {
		from, to string
		want     abi.Errno
		gone     string // "": the old name
		there    string
	}{
		{"/t/f", "/t/new", 0, "", "/t/new"},
		{"/t/f", "/t/g", 0, "", "/t/g"},
		{"/t/d", "/t/new", 0, "", "/t/new/sub/file"},
		{"/t/d", "/t/e", 0, "", "/t/e/sub"},
		{"/t/d/sub", "/t/e/sub", 0, "", "/t/e/sub/file"},
		{"/t/d/", "/t/new/", 0, "", "/t/new/sub"},
		{"/t/l", "/t/new", 0, "", "/t/new"},
		{"/t/ld/", "/t/new", 0, "/t/d", "/t/new/sub"}, // slashes follow the link
		{"/t/d/sub", "/t/d", abi.ENOTEMPTY, "/no", "/t/d/sub"},
		{"/t/d/sub/file", "/t/d", abi.EISDIR, "/no", "/t/d"},
		{"/t/e", "/t/d", abi.ENOTEMPTY, "/no", "/t/e"},
		{"/t/d", "/t/d/sub/new", abi.EINVAL, "/no", "/t/d"},
		{"/t/d", "/t/d/new", abi.EINVAL, "/no", "/t/d"},
		{"/t/d", "/t/f", abi.ENOTDIR, "/no", "/t/d"},
		{"/t/f", "/t/e", abi.EISDIR, "/no", "/t/f"},
		{"/t/f", "/t/new/", abi.ENOENT, "/no", "/t/f"},
		{"/t/f", "/t/g/", abi.ENOTDIR, "/no", "/t/f"},
		{"/t/f/", "/t/new", abi.ENOTDIR, "/no", "/t/f"},
		{"/t/nope", "/t/new", abi.ENOENT, "/no", "/t"},
		{"/t/nope", "/t/f/new", abi.ENOENT, "/no", "/t"},
		{"/t/f", "/t/nope/new", abi.ENOENT, "/no", "/t/f"},
		{"/t/f", "/m/new", abi.EXDEV, "/no", "/t/f"},
		{"/t/d/.", "/t/new", abi.EINVAL, "/no", "/t/d"},
		{"/t/d/..", "/t/new", abi.EINVAL, "/no", "/t/d"},
		{"/t/f", "/t/e/.", abi.EISDIR, "/no", "/t/f"},
		{"/t/f", "/t/e/..", abi.EINVAL, "/no", "/t/f"},
		{"/t/e", "/m", abi.EBUSY, "/no", "/t/e"},
		{"/m", "/t/new", abi.EBUSY, "/no", "/m/x"},
		{"/", "/t/new", abi.EBUSY, "/no", "/t"},
		{"/t/f", "/", abi.EBUSY, "/no", "/t/f"},
		{"/t/f", "/t/f", 0, "/no", "/t/f"},
		{"/t/d", "/t/d", 0, "/no", "/t/d"},
	} {
		tree(p, setup...)
		p.Want(c.want, abi.SYS_rename, c.from, c.to)
		gone := c.gone
		if gone == "" {
			gone = c.from
		}
		if _, errno := lstat(p, gone); errno == 0 {
			t.Errorf("rename %s %s: %s is still there", c.from, c.to, gone)
		}
		if _, errno := lstat(p, c.there); errno != 0 {
			t.Errorf("rename %s %s: %s: %v", c.from, c.to, c.there, errno)
		}
		removeAll(t, p, "/t")
		p.Must(abi.SYS_unlink, "/m/x")
	}
}

// TestRenameReadOnly: that a file system cannot be written to comes before that it is another. Oracle: pjdfstest, rename/16.t.
func TestRenameReadOnly(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/", "/f")
	m := mountFS(t, p, "/m", 0)
	tree(p, "/m/f")
	p.Want(abi.EXDEV, abi.SYS_rename, "/m/f", "/new")
	m.flags(abi.MNT_RDONLY)
	p.Want(abi.EROFS, abi.SYS_rename, "/m/f", "/new")
	p.Want(abi.EROFS, abi.SYS_rename, "/f", "/m/new")
	p.Want(abi.EROFS, abi.SYS_rename, "/f", "/m/f")
}

// TestRenameSameFile: two names of one file. rename takes the old one away, __posix_rename leaves both. Oracle: rename(2).
func TestRenameSameFile(t *testing.T) {
	p := newProc(t)
	tree(p, "/f", "/d/")
	p.Must(abi.SYS_link, "/f", "/g")
	p.Must(abi.SYS_link, "/f", "/d/h")
	p.Must(abi.SYS___posix_rename, "/f", "/g")
	p.Must(abi.SYS___posix_rename, "/f", "/d/h")
	if st, errno := stat(p, "/f"); errno != 0 || st.Nlink != 3 {
		t.Errorf("after __posix_rename: %d links, %v", st.Nlink, errno)
	}
	p.Must(abi.SYS_rename, "/f", "/d/h")
	if st, errno := stat(p, "/g"); errno != 0 || st.Nlink != 2 {
		t.Errorf("after rename: %d links, %v", st.Nlink, errno)
	}
	if _, errno := stat(p, "/f"); errno != abi.ENOENT {
		t.Errorf("the old name: %v", errno)
	}
}

// TestRenamePermissions: sticky directories, immutable files, the ".." of a directory that is another's.
func TestRenamePermissions(t *testing.T) {
	p := newProc(t)
	u := as(p, 1000)
	tree(p, "/s/", "/s/theirs", "/s/td/", "/w/", "/r/", "/r/f", "/w/d/", "/w/i", "/w/mine")
	p.Must(abi.SYS_chmod, "/s", 01777)
	p.Must(abi.SYS_chmod, "/w", 0777)
	p.Must(abi.SYS_chflags, "/w/i", abi.UF_IMMUTABLE)
	p.Must(abi.SYS_chown, "/w/mine", 1000, 1000)
	u.Want(abi.EPERM, abi.SYS_rename, "/s/theirs", "/s/x")
	u.Want(abi.EPERM, abi.SYS_rename, "/w/mine", "/s/theirs")
	u.Want(abi.EACCES, abi.SYS_rename, "/r/f", "/w/f")
	u.Want(abi.EACCES, abi.SYS_rename, "/w/mine", "/r/new")
	u.Want(abi.EPERM, abi.SYS_rename, "/w/i", "/w/x")
	u.Want(abi.EACCES, abi.SYS_rename, "/w/d", "/s/d")
	u.Want(0, abi.SYS_rename, "/w/d", "/w/e")
	u.Want(0, abi.SYS_rename, "/w/mine", "/s/mine")
	p.Want(abi.EPERM, abi.SYS_rename, "/w/i", "/w/x")
	p.Must(abi.SYS_chflags, "/w/i", 0)
	p.Must(abi.SYS_rename, "/w/i", "/w/x")
}

// TestRenameRace has processes move directories about in each other, by descriptors that follow them wherever they go: what comes of
// it is a tree with all of them in it, and nobody waits for ever.
func TestRenameRace(t *testing.T) {
	const dirs, movers, moves = 12, 6, 400
	p := newProc(t)
	for i := range dirs {
		tree(p, fmt.Sprintf("/tmp/d%d/", i))
	}
	fds := []int{open(p, "/tmp", abi.O_RDONLY)}
	for i := range dirs {
		fds = append(fds, open(p, fmt.Sprintf("/tmp/d%d", i), abi.O_RDONLY))
	}
	var all sync.WaitGroup
	for m := range movers {
		q := p.Fork()
		all.Go(func() { moveDirs(t, q, fds, uint64(m), moves) })
	}
	all.Wait()
	seen := map[string]uint64{}
	checkTree(t, p, "/tmp", seen)
	if len(seen) != dirs {
		t.Errorf("%d directories are left of %d: %v", len(seen), dirs, seen)
	}
}

// moveDirs renames random directories in and into the open ones, onto themselves, each other and their own subtrees.
func moveDirs(t *testing.T, p *kerntest.P, fds []int, seed uint64, moves int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range moves {
		from, to := fds[rng.IntN(len(fds))], fds[rng.IntN(len(fds))]
		name := fmt.Sprint("d", rng.IntN(len(fds)-1))
		switch _, errno := p.Call(abi.SYS_renameat, from, name, to, name); errno {
		case 0, abi.ENOENT, abi.EINVAL, abi.ENOTEMPTY:
		default:
			t.Errorf("renameat: %v", errno)
		}
		p.Call(abi.SYS_mkdirat, to, "temp", 0755)
		if _, errno := p.Call(abi.SYS_unlinkat, to, "temp", abi.AT_REMOVEDIR); errno != 0 && errno != abi.ENOENT {
			t.Errorf("unlinkat: %v", errno)
		}
	}
}

// checkTree checks that each directory's ".." is where it was found, and that none is found twice.
func checkTree(t *testing.T, p *kerntest.P, path string, seen map[string]uint64) {
	here := ino(t, p, path)
	for _, e := range readDir(t, p, path) {
		if e.name == "." || e.name == ".." {
			continue
		}
		if seen[e.name] != 0 {
			t.Errorf("%s is there twice", e.name)
		}
		seen[e.name] = e.ino
		if up := ino(t, p, path+"/"+e.name+"/.."); up != here {
			t.Errorf("%s/%s/.. is %d, not %d", path, e.name, up, here)
		}
		checkTree(t, p, path+"/"+e.name, seen)
	}
}
