package vfs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// unionMount makes a kernel with a mount on /u that is the union with the directory there: /u has a, b and d/ of its own, and the
// mount b, c and d/.
func unionMount(tb testing.TB) *kerntest.P {
	p := newProc(tb)
	tree(p, "/u/", "/u/a", "/u/b", "/u/d/", "/u/d/low")
	p.Must(abi.SYS___mount50, "tmpfs", "/u", abi.MNT_UNION, nil, 0)
	p.Close(open(p, "/u/b", abi.O_CREAT|abi.O_RDWR|abi.O_EXCL))
	tree(p, "/u/c", "/u/d/", "/u/d/up")
	return p
}

// list are the names in a directory as getdents(2) gives them, whiteouts with a "%", read into a buffer of n bytes at a time.
func list(tb testing.TB, p *kerntest.P, path string, n int) string {
	tb.Helper()
	fd := open(p, path, abi.O_RDONLY)
	defer p.Close(fd)
	var names []string
	for {
		buf := make([]byte, n)
		got := p.Must(abi.SYS___getdents30, fd, buf, n)
		if got == 0 {
			return strings.Join(names, " ")
		}
		for b := buf[:got]; len(b) > 0; {
			size := int(b[abi.DirentOffReclen]) | int(b[abi.DirentOffReclen+1])<<8
			name := string(b[abi.DirentOffName:][:b[abi.DirentOffNamlen]])
			if b[abi.DirentOffType] == abi.DT_WHT {
				name = "%" + name
			}
			names, b = append(names, name), b[size:]
		}
	}
}

// TestUnionLookup: the mount is searched first, then the directory that it covers. Oracle: mount(8), option union.
func TestUnionLookup(t *testing.T) {
	p := unionMount(t)
	root, _ := stat(p, "/u")
	for path, inMount := range map[string]bool{"/u/a": false, "/u/b": true, "/u/c": true, "/u/d": true, "/u/d/up": true} {
		if st, errno := stat(p, path); errno != 0 || (st.Dev == root.Dev) != inMount {
			t.Errorf("%s: device %#x, %v", path, st.Dev, errno)
		}
	}
	p.Want(abi.ENOENT, abi.SYS_open, "/u/d/low", abi.O_RDONLY)
	p.Want(abi.ENOENT, abi.SYS_open, "/u/none", abi.O_RDONLY)
	p.Must(abi.SYS_chdir, "/u/d")
	p.Must(abi.SYS_chdir, "..")
	if cwd, _ := getcwd(p); cwd != "/u" || ino(t, p, ".") != root.Ino {
		t.Errorf("at %s", cwd)
	}
}

// TestUnionMake: what is made is made in the mount, even if there is something by that name below; what is removed or renamed is
// what a lookup finds. Oracle: mount(8), option union.
func TestUnionMake(t *testing.T) {
	p := unionMount(t)
	root, _ := stat(p, "/u")
	p.Close(open(p, "/u/a", abi.O_CREAT|abi.O_RDWR))
	if st, _ := stat(p, "/u/a"); st.Dev != root.Dev {
		t.Error("opened below to be made")
	}
	p.Must(abi.SYS_unlink, "/u/a")
	if st, errno := stat(p, "/u/a"); errno != 0 || st.Dev == root.Dev {
		t.Errorf("what is below is not seen again: %v", errno)
	}
	p.Want(abi.EXDEV, abi.SYS_rename, "/u/a", "/u/z")
	p.Must(abi.SYS_unlink, "/u/a")
	p.Want(abi.ENOENT, abi.SYS_unlink, "/u/a")
	p.Must(abi.SYS_mkdir, "/u/e", 0o755)
	p.Must(abi.SYS_rename, "/u/b", "/u/e/b")
	if st, errno := stat(p, "/u/b"); errno != 0 || st.Dev == root.Dev {
		t.Errorf("b below: %v", errno)
	}
	p.Must(abi.SYS_unmount, "/u", 0)
	if got := list(t, p, "/u", 512); got != ". .. b d" {
		t.Errorf("below: %s", got)
	}
}

// TestUnionReadDir: each name is listed once, whatever the size of the buffer. Oracle: opendir(3) of a union.
func TestUnionReadDir(t *testing.T) {
	p := unionMount(t)
	for i := range 100 {
		tree(p, "/u/"+strings.Repeat("x", 40)+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	p.Must(abi.SYS___mknod50, "/u/w", abi.S_IFWHT, 0)
	want := list(t, p, "/u", 8192)
	if !strings.HasPrefix(want, ". .. b c d xxx") || !strings.HasSuffix(want, "%w a") {
		t.Errorf("%s", want)
	}
	names := strings.Fields(want)
	slices.Sort(names)
	if len(slices.Compact(names)) != 107 {
		t.Errorf("%d names", len(names))
	}
	for _, n := range []int{64, 65, 512, 4096} {
		if got := list(t, p, "/u", n); got != want {
			t.Errorf("%d bytes at a time: %s", n, got)
		}
	}
	fd := open(p, "/u", abi.O_RDONLY)
	p.Want(abi.EINVAL, abi.SYS___getdents30, fd, make([]byte, 8), 8)
	p.Must(abi.SYS_lseek, fd, 0, 1<<62, abi.SEEK_SET)
	p.Must(abi.SYS___getdents30, fd, make([]byte, 512), 512)
}

// TestUnionWhiteout: a whiteout in the mount hides what is below, until it is undeleted. Oracle: undelete(2).
func TestUnionWhiteout(t *testing.T) {
	p := unionMount(t)
	p.Must(abi.SYS___mknod50, "/u/a", abi.S_IFWHT, 0)
	p.Want(abi.ENOENT, abi.SYS_open, "/u/a", abi.O_RDONLY)
	if got := list(t, p, "/u", 512); got != ". .. b c d %a" {
		t.Errorf("%s", got)
	}
	p.Must(abi.SYS_undelete, "/u/a")
	p.Close(open(p, "/u/a", abi.O_RDONLY))
}

// TestUnionOfUnions: a union over a union searches all three.
func TestUnionOfUnions(t *testing.T) {
	p := unionMount(t)
	p.Must(abi.SYS___mount50, "tmpfs", "/u", abi.MNT_UNION, nil, 0)
	tree(p, "/u/top")
	if got := list(t, p, "/u", 64); got != ". .. top b c d a" {
		t.Errorf("%s", got)
	}
	p.Close(open(p, "/u/a", abi.O_RDONLY))
	p.Must(abi.SYS_unlink, "/u/c")
	p.Must(abi.SYS_unmount, "/u", 0)
	if got := list(t, p, "/u", 64); got != ". .. b d a" {
		t.Errorf("%s", got)
	}
}
