package vfs_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestNamei walks paths on a tree with links of all sorts. Oracles: symlink(7), intro(2) for the error numbers, POSIX pathname resolution.
func TestNamei(t *testing.T) {
	p := newProc(t)
	tree(p, "/d/", "/d/e/", "/d/e/file", "/file", "/empty/",
		"/ld -> d", "/lfile -> /file", "/labs -> /d/e", "/lup -> ../../d/../d/e", "/ldot -> .", "/lroot -> /", "/lslash -> d/",
		"/dangling -> nowhere", "/loop -> loop", "/ping -> pong", "/pong -> ping", "/d/e/back -> ../..",
		"/d/"+strings.Repeat("n", 255))
	long := strings.Repeat("n", 256)
	p.Must(abi.SYS_chdir, "/d")
	for _, c := range []struct {
		path   string
		same   string // the file it must be
		follow abi.Errno
		at     abi.Errno // with lstat
	}{
		{"/", "/", 0, 0},
		{"////", "/", 0, 0},
		{"/..", "/", 0, 0},
		{"/../../d", "/d", 0, 0},
		{".", "/d", 0, 0},
		{"..", "/", 0, 0},
		{"e", "/d/e", 0, 0},
		{"e/", "/d/e", 0, 0},
		{"e//", "/d/e", 0, 0},
		{"e/.", "/d/e", 0, 0},
		{"e/..", "/d", 0, 0},
		{"e/../../d/./e/file", "/d/e/file", 0, 0},
		{"/file/", "", abi.ENOTDIR, abi.ENOTDIR},
		{"/file/x", "", abi.ENOTDIR, abi.ENOTDIR},
		{"/file/.", "", abi.ENOTDIR, abi.ENOTDIR},
		{"/file/..", "", abi.ENOTDIR, abi.ENOTDIR},
		{"/nope", "", abi.ENOENT, abi.ENOENT},
		{"/nope/", "", abi.ENOENT, abi.ENOENT},
		{"/nope/x", "", abi.ENOENT, abi.ENOENT},
		{"", "", abi.ENOENT, abi.ENOENT},
		{"/ld/e/file", "/d/e/file", 0, 0},
		{"/ld/", "/d", 0, 0},
		{"/lslash", "/d", 0, 0},
		{"/lslash/e", "/d/e", 0, 0},
		{"/lfile", "/file", 0, 0},
		{"/lfile/", "", abi.ENOTDIR, abi.ENOTDIR},
		{"/labs/file", "/d/e/file", 0, 0},
		{"/lup/file", "/d/e/file", 0, 0},
		{"/ldot/ldot/ldot/d", "/d", 0, 0},
		{"/lroot", "/", 0, 0},
		{"/lroot/d", "/d", 0, 0},
		{"e/back/d/e", "/d/e", 0, 0},
		{"/dangling", "", abi.ENOENT, 0},
		{"/dangling/", "", abi.ENOENT, abi.ENOENT},
		{"/loop", "", abi.ELOOP, 0},
		{"/loop/x", "", abi.ELOOP, abi.ELOOP},
		{"/ping", "", abi.ELOOP, 0},
		{"/d/" + long[:255], "/d/" + long[:255], 0, 0},
		{"/d/" + long, "", abi.ENAMETOOLONG, abi.ENAMETOOLONG},
		{long + "/x", "", abi.ENAMETOOLONG, abi.ENAMETOOLONG},
		{strings.Repeat("/", 1022) + "d", "/d", 0, 0},
		{strings.Repeat("/", 1023) + "d", "", abi.ENAMETOOLONG, abi.ENAMETOOLONG},
	} {
		name := c.path
		if len(name) > 40 {
			name = name[:40] + "..."
		}
		st, errno := stat(p, c.path)
		if errno != c.follow {
			t.Errorf("stat %q: %v, want %v", name, errno, c.follow)
		} else if errno == 0 && st.Ino != ino(t, p, c.same) {
			t.Errorf("stat %q is another file than %s", name, c.same)
		}
		if _, errno := lstat(p, c.path); errno != c.at {
			t.Errorf("lstat %q: %v, want %v", name, errno, c.at)
		}
	}
}

// TestSymlinkLimit: a path may lead through 32 symbolic links, MAXSYMLINKS, no more; a link's target may make it too long.
func TestSymlinkLimit(t *testing.T) {
	p := newProc(t)
	tree(p, "/l0 -> file", "/file", "/m/", "/m/file")
	name := "/l0"
	for i := 1; i < abi.MAXSYMLINKS; i++ {
		next := "/l" + strings.Repeat("x", i)
		tree(p, next+" -> "+name)
		name = next
	}
	if _, errno := stat(p, name); errno != 0 {
		t.Errorf("32 links: %v", errno)
	}
	tree(p, "/one -> "+name)
	if _, errno := stat(p, "/one"); errno != abi.ELOOP {
		t.Errorf("33 links: %v", errno)
	}
	tree(p, "/far -> "+strings.Repeat("./", 500)+"m")
	if _, errno := stat(p, "/far/file"); errno != 0 {
		t.Errorf("a long target: %v", errno)
	}
	if _, errno := stat(p, "/far/"+strings.Repeat("./", 20)+"file"); errno != abi.ENAMETOOLONG {
		t.Errorf("a target that makes the path too long: %v", errno)
	}
}

// TestSearchPermission: each directory on the way must be searchable, the file itself need not be readable.
func TestSearchPermission(t *testing.T) {
	p := newProc(t)
	tree(p, "/open/", "/open/file", "/closed/", "/closed/d/", "/closed/d/file", "/open/l -> /closed/d")
	p.Must(abi.SYS_chmod, "/closed", 0700)
	p.Must(abi.SYS_chmod, "/open/file", 0)
	u := as(p, 1000)
	for path, want := range map[string]abi.Errno{
		"/open/file": 0, "/closed": 0, "/closed/": 0, "/closed/.": abi.EACCES, "/closed/..": abi.EACCES, "/closed/d": abi.EACCES,
		"/closed/nope": abi.EACCES, "/open/l": abi.EACCES, "/closed/d/file": abi.EACCES, "/open/../open/file": 0,
	} {
		if _, errno := stat(u, path); errno != want {
			t.Errorf("stat %s: %v, want %v", path, errno, want)
		}
	}
	g := as(p, 1000, 5, 7)
	p.Must(abi.SYS_chown, "/closed", 0, 7)
	p.Must(abi.SYS_chmod, "/closed", 0710)
	if _, errno := stat(g, "/closed/d/file"); errno != 0 {
		t.Errorf("by a supplementary group: %v", errno)
	}
	p.Must(abi.SYS_chown, "/closed", 1000, 7)
	p.Must(abi.SYS_chmod, "/closed", 0077)
	if _, errno := stat(g, "/closed/d/file"); errno != abi.EACCES {
		t.Errorf("the owner's bits count for the owner: %v", errno)
	}
}

// TestCrossMount walks into and out of mounts, one of them on another's root.
func TestCrossMount(t *testing.T) {
	p := newProc(t)
	tree(p, "/d/", "/d/m/", "/d/m/hidden")
	p.Must(abi.SYS___mount50, "tmpfs", "/d/m", 0, nil, 0)
	if _, errno := stat(p, "/d/m/hidden"); errno != abi.ENOENT {
		t.Errorf("the covered directory shows: %v", errno)
	}
	tree(p, "/d/m/x/", "/d/m/x/y")
	p.Must(abi.SYS_chdir, "/d/m/x")
	if a, b := ino(t, p, "../.."), ino(t, p, "/d"); a != b {
		t.Errorf("../.. is %d, not %d", a, b)
	}
	p.Must(abi.SYS___mount50, "tmpfs", "/d/m", 0, nil, 0)
	if _, errno := stat(p, "/d/m/x"); errno != abi.ENOENT {
		t.Errorf("what is mounted on a mount's root does not cover it: %v", errno)
	}
	p.Must(abi.SYS_chdir, "/d/m")
	if cwd, errno := getcwd(p); errno != 0 || cwd != "/d/m" {
		t.Errorf("getcwd: %q, %v", cwd, errno)
	}
	if a, b := ino(t, p, ".."), ino(t, p, "/d"); a != b {
		t.Errorf(".. of two mounts is %d, not %d", a, b)
	}
}

// TestChroot: nothing outside of the root is reached. Oracle: chroot(2).
func TestChroot(t *testing.T) {
	p := newProc(t)
	tree(p, "/jail/", "/jail/in/", "/jail/in/file", "/out", "/jail/labs -> /in/file", "/jail/lup -> ../../../out", "/jail/other/")
	out := open(p, "/", abi.O_RDONLY)
	c := p.Fork()
	c.Must(abi.SYS_chdir, "/jail/in")
	c.Must(abi.SYS_chroot, "/jail")
	for path, want := range map[string]abi.Errno{
		"/in/file": 0, "file": 0, "../../in/file": 0, "/labs": 0, "/lup": abi.ENOENT, "/../out": abi.ENOENT, "../../../out": abi.ENOENT,
	} {
		if _, errno := stat(c, path); errno != want {
			t.Errorf("stat %s: %v, want %v", path, errno, want)
		}
	}
	if cwd, errno := getcwd(c); errno != 0 || cwd != "/in" {
		t.Errorf("getcwd: %q, %v", cwd, errno)
	}
	c.Want(abi.EPERM, abi.SYS_fchdir, out)
	// A directory that is moved out of the root does not lead out.
	p.Must(abi.SYS_rename, "/jail/in", "/moved")
	if _, errno := stat(c, "../out"); errno != abi.ENOENT {
		t.Errorf("escaped through a moved directory: %v", errno)
	}
	if a, b := ino(t, c, ".."), ino(t, c, "/"); a != b {
		t.Errorf(".. outside of the root is %d, not %d", a, b)
	}
	// A working directory outside of the new root is left.
	d := p.Fork()
	d.Must(abi.SYS_chdir, "/tmp")
	d.Must(abi.SYS_fchroot, open(d, "/jail", abi.O_RDONLY))
	if cwd, errno := getcwd(d); errno != 0 || cwd != "/" {
		t.Errorf("getcwd after fchroot: %q, %v", cwd, errno)
	}
	as(p, 1000).Want(abi.EPERM, abi.SYS_chroot, "/jail")
	if _, errno := stat(p, "/out"); errno != 0 {
		t.Errorf("the parent is in jail too: %v", errno)
	}
}

// TestGetcwd: the path is right after a rename above, ERANGE without room, ENOENT in a removed directory. Oracle: getcwd(3).
func TestGetcwd(t *testing.T) {
	p := newProc(t)
	tree(p, "/a/", "/a/b/", "/a/b/c/")
	p.Must(abi.SYS_chdir, "/a/b/c")
	want := func(path string, errno abi.Errno) {
		t.Helper()
		if got, e := getcwd(p); got != path || e != errno {
			t.Errorf("getcwd: %q, %v; want %q, %v", got, e, path, errno)
		}
	}
	want("/a/b/c", 0)
	p.Must(abi.SYS_rename, "/a/b", "/a/x")
	want("/a/x/c", 0)
	p.Must(abi.SYS_rename, "/a/x", "/y")
	want("/y/c", 0)
	p.Want(abi.ERANGE, abi.SYS___getcwd, make([]byte, 4), 4)
	p.Want(abi.ERANGE, abi.SYS___getcwd, make([]byte, 1), 1)
	if n := p.Must(abi.SYS___getcwd, make([]byte, 5), 5); n != 5 {
		t.Errorf("length with NUL is %d", n)
	}
	p.Must(abi.SYS_rmdir, "/y/c")
	want("", abi.ENOENT)
	if _, errno := stat(p, "x"); errno != abi.ENOENT {
		t.Errorf("a name in a removed directory: %v", errno)
	}
	p.Want(abi.ENOENT, abi.SYS_mkdir, "x", 0755)
	p.Want(abi.ENOENT, abi.SYS_open, "x", abi.O_CREAT|abi.O_RDWR, 0644)
	p.Must(abi.SYS_chdir, "/")
	want("/", 0)
}

// modelNode is a file of the tree that FuzzNamei walks: one that is simply there.
type modelNode struct {
	ino    uint64
	up     *modelNode
	names  map[string]*modelNode // of a directory
	target string                // of a symbolic link
	closed bool                  // may not be searched
}

// walk is what POSIX says on pathname resolution, without locks, mounts and caches.
func (root *modelNode) walk(path string, follow bool) (*modelNode, abi.Errno) {
	if path == "" {
		return nil, abi.ENOENT
	}
	if len(path) >= abi.PATH_MAX {
		return nil, abi.ENAMETOOLONG
	}
	at := root // the working directory is the root
	for links := 0; ; {
		path = strings.TrimLeft(path, "/")
		if path == "" {
			return at, 0
		}
		name, tail := path, ""
		if i := strings.IndexByte(path, '/'); i >= 0 {
			name, tail = path[:i], path[i:]
		}
		if len(name) > 255 {
			return nil, abi.ENAMETOOLONG
		}
		if at.names == nil {
			return nil, abi.ENOTDIR
		}
		if at.closed {
			return nil, abi.EACCES
		}
		next := map[string]*modelNode{".": at, "..": at.up}[name]
		if next == nil {
			next = at.names[name]
		}
		if next == nil {
			return nil, abi.ENOENT
		}
		last := strings.Trim(tail, "/") == ""
		if next.target != "" && (!last || follow || tail != "") {
			if links++; links > abi.MAXSYMLINKS {
				return nil, abi.ELOOP
			}
			if path = next.target + tail; len(path) >= abi.PATH_MAX {
				return nil, abi.ENAMETOOLONG
			}
			if path[0] == '/' {
				at = root
			}
			continue
		}
		if tail != "" && next.names == nil {
			return nil, abi.ENOTDIR
		}
		if last {
			return next, 0
		}
		at, path = next, tail
	}
}

// modelTree makes a tree in the kernel, with a mount in it, and its model.
func modelTree(tb testing.TB, p *kerntest.P) *modelNode {
	root := &modelNode{names: map[string]*modelNode{}}
	root.up = root
	add := func(name string) {
		if name == "/m/" {
			p.Must(abi.SYS_mkdir, name, 0755)
			p.Must(abi.SYS___mount50, "tmpfs", name, 0, nil, 0)
		} else {
			tree(p, name)
		}
		link, target, _ := strings.Cut(name, " -> ")
		isDir := strings.HasSuffix(name, "/") && target == ""
		link = strings.Trim(link, "/")
		dir, base := "", link
		if i := strings.LastIndexByte(link, '/'); i >= 0 {
			dir, base = link[:i], link[i+1:]
		}
		up, errno := root.walk("/"+dir, true)
		if errno != 0 {
			tb.Fatalf("model: %s: %v", name, errno)
		}
		n := &modelNode{up: up, target: target}
		if isDir {
			n.names = map[string]*modelNode{}
		}
		up.names[base] = n
		st, errno := lstat(p, "/"+link)
		if errno != 0 {
			tb.Fatalf("lstat %s: %v", link, errno)
		}
		n.ino = st.Dev<<32 | st.Ino
	}
	st, _ := stat(p, "/")
	root.ino = st.Dev<<32 | st.Ino
	for _, name := range []string{"/a/", "/a/b/", "/a/b/c/", "/a/f", "/f", "/m/", "/m/a/", "/m/f", "/m/up -> ../a", "/m/a/top -> /",
		"/l -> a/b", "/a/b/c/l -> ../../..", "/a/b/m -> /m", "/x -> x", "/y -> nope", "/z -> a/", "/p/", "/p/f", "/a/p -> ../p/f"} {
		add(name)
	}
	p.Must(abi.SYS_chmod, "/p", 0700)
	root.names["p"].closed = true
	return root
}

// FuzzNamei walks any path as an ordinary user: the kernel and a simple model of the same tree agree.
func FuzzNamei(f *testing.F) {
	for _, s := range []string{"/", "a/b/c", "l/c/l/m/up/b", "/m/..", "m/a/top/a/p", "x", "y/", "z/f", "p/.", "p/..", "a//b/../../m/./f/",
		strings.Repeat("l/c/l/", 40), strings.Repeat("n", 256), strings.Repeat("a/../", 210), "a\x00b", "\xff"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	p := newProc(f)
	root := modelTree(f, p)
	u := as(p, 1000)
	f.Fuzz(func(t *testing.T, path string, follow bool) {
		want, wantErrno := root.walk(strings.SplitN(path, "\x00", 2)[0], follow)
		num := abi.SYS___lstat50
		if follow {
			num = abi.SYS___stat50
		}
		var m kerntest.Memory
		var st abi.Stat
		buf := make([]byte, abi.SizeofStat)
		_, errno := u.Syscall(&m, num, []uint64{m.Map(append([]byte(path), 0)), m.Map(buf)})
		st.Decode(buf)
		if errno != wantErrno {
			t.Fatalf("%q: %v, want %v", path, errno, wantErrno)
		}
		if errno == 0 && st.Dev<<32|st.Ino != want.ino {
			t.Fatalf("%q: another file than the model's", path)
		}
	})
}
