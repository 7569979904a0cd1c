package client_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// kernel boots a kernel with tmpfs and null layers and returns it.
func kernel(t *testing.T) *rump.Kernel {
	t.Helper()
	k, err := rump.New(rump.Config{Components: rump.With("rumpfs_tmpfs", "rumpfs_null"), Hostname: "host"})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	return k
}

// each runs a test with a process on a kernel in this program, and with one on a kernel behind a socket.
func each(t *testing.T, test func(t *testing.T, p *client.Process)) {
	t.Run("local", func(t *testing.T) {
		p, err := kernel(t).Process("test")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		test(t, p)
	})
	t.Run("remote", func(t *testing.T) {
		url := serve(t, kernel(t))
		p, err := client.Dial(context.Background(), url, "test")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		test(t, p)
	})
}

// serve has the kernel listen and returns the URL.
func serve(t *testing.T, k *rump.Kernel) string {
	t.Helper()
	at := "tcp://127.0.0.1:0"
	if runtime.GOOS != "windows" {
		dir, err := os.MkdirTemp("", "client") // not t.TempDir: a socket's path must be short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		at = "unix://" + filepath.Join(dir, "sock")
	}
	url, err := k.Listen(at)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// must fails the test if there is an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFS has the standard library judge a directory of the root file system, one of a tmpfs, and a null layer over a tmpfs.
func TestFS(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		for _, dir := range []string{"/low", "/up", "/tmpfs", "/d"} {
			must(t, p.Mkdir(dir, 0o755))
		}
		tmpfs := abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, RootMode: 0o755}
		must(t, p.Sys().Mount("tmpfs", "/tmpfs", 0, tmpfs.Append(nil)))
		must(t, p.Sys().Mount("tmpfs", "/low", 0, tmpfs.Append(nil)))
		_, err := p.Sys().MountFunc("null", "/up", 0, func(lend client.Lender) []byte {
			a := abi.NullArgs{La: abi.LayerArgs{Target: lend.InString("/low")}}
			return a.Append(nil)
		})
		must(t, err)
		for _, dir := range []string{"/d", "/tmpfs", "/up"} {
			judgeFS(t, p, dir)
		}
	})
}

// judgeFS makes files in a directory and has the standard library judge it.
func judgeFS(t *testing.T, p *client.Process, dir string) {
	must(t, p.MkdirAll(dir+"/sub/deep", 0o755))
	must(t, p.Mkdir(dir+"/empty", 0o700))
	must(t, p.WriteFile(dir+"/hello", []byte("hello, kernel\n"), 0o644))
	must(t, p.WriteFile(dir+"/sub/nothing", nil, 0o600))
	must(t, p.WriteFile(dir+"/sub/deep/large", []byte(strings.Repeat("0123456789", 100)), 0o644)) // TestFS reads it byte by byte, often
	must(t, p.Symlink("hello", dir+"/link"))
	fsys := p.FS(dir)
	if err := fstest.TestFS(fsys, "hello", "empty", "link", "sub/nothing", "sub/deep/large"); err != nil {
		t.Errorf("%s: %v", dir, err)
	}
	target, err := fs.ReadLink(fsys, "link")
	if err != nil || target != "hello" {
		t.Errorf("%s: link says %q, %v", dir, target, err)
	}
	if fi, err := fs.Lstat(fsys, "link"); err != nil || fi.Mode().Type() != fs.ModeSymlink {
		t.Errorf("%s: link is %v, %v", dir, fi, err)
	}
	if _, err := fsys.Open("nope"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "open nope: No such file or directory" {
		t.Errorf("%s: error %v", dir, err)
	}
	if _, err := fs.Stat(fsys, "../etc"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%s: error %v", dir, err)
	}
}

// TestErrors: errors say which operation on which path, and are both of io/fs and of the kernel.
func TestErrors(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		must(t, p.WriteFile("/f", nil, 0o644))
		must(t, p.MkdirAll("/d/e", 0o755))
		_, open := p.Open("/nope")
		_, read := p.ReadFile("/d")
		_, dir := p.ReadDir("/f")
		_, nul := p.Stat("/a\x00b")
		_, link := p.Readlink("/f")
		tests := []struct {
			err  error
			is   error
			text string
		}{
			{open, abi.ENOENT, "open /nope: No such file or directory"},
			{open, fs.ErrNotExist, ""},
			{read, abi.EISDIR, "read /d: Is a directory"},
			{dir, abi.ENOTDIR, "open /f: Not a directory"},
			{nul, abi.EINVAL, ""},
			{link, abi.EINVAL, "readlink /f: Invalid argument"},
			{p.Mkdir("/d", 0o755), fs.ErrExist, "mkdir /d: File exists"},
			{p.MkdirAll("/f/x", 0o755), abi.ENOTDIR, ""},
			{p.Remove("/d"), abi.ENOTEMPTY, "remove /d: Directory not empty"},
			{p.Remove("/nope"), fs.ErrNotExist, "remove /nope: No such file or directory"},
			{p.Remove("/f/x"), abi.ENOTDIR, ""},
			{p.Link("/nope", "/x"), fs.ErrNotExist, "link /nope /x: No such file or directory"},
			{p.Rename("/d", "/f"), abi.ENOTDIR, "rename /d /f: Not a directory"},
			{p.RemoveAll("/d/.."), abi.EINVAL, ""},
			{p.Chdir("/f"), abi.ENOTDIR, "chdir /f: Not a directory"},
		}
		for _, tt := range tests {
			if !errors.Is(tt.err, tt.is) {
				t.Errorf("error %v, want %v", tt.err, tt.is)
			}
			if tt.text != "" && (tt.err == nil || tt.err.Error() != tt.text) {
				t.Errorf("error %v, want %q", tt.err, tt.text)
			}
		}
	})
}

// TestFiles reads and writes, and changes what can be changed of files.
func TestFiles(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		f, err := p.Create("/f")
		must(t, err)
		n, err := f.ReadFrom(strings.NewReader(strings.Repeat("0123456789abcdef", 1<<16))) // 1 MiB: several calls
		if n != 1<<20 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		var b [6]byte
		if n, err := f.ReadAt(b[:], 1<<20-4); n != 4 || err != io.EOF || string(b[:4]) != "cdef" {
			t.Errorf("read %q, %v at the end", b[:n], err)
		}
		if n, err := f.WriteAt([]byte("XYZ"), 2); n != 3 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		if pos, err := f.Seek(-1, io.SeekEnd); pos != 1<<20-1 || err != nil {
			t.Errorf("at %d, %v", pos, err)
		}
		if n, err := f.Read(b[:]); n != 1 || err != nil || b[0] != 'f' {
			t.Errorf("read %q, %v", b[:n], err)
		}
		if n, err := f.Read(b[:]); n != 0 || err != io.EOF {
			t.Errorf("read %d, %v at the end", n, err)
		}
		must(t, f.Truncate(7))
		must(t, f.Sync())
		must(t, f.Chmod(0o640|fs.ModeSetgid))
		fi, err := f.Stat()
		must(t, err)
		if fi.Name() != "f" || fi.Size() != 7 || fi.Mode() != 0o640|fs.ModeSetgid || fi.IsDir() {
			t.Errorf("%v", fs.FormatFileInfo(fi))
		}
		if st, ok := fi.Sys().(*abi.Stat); !ok || st.Mode != abi.S_IFREG|0o2640 || st.Size != 7 {
			t.Errorf("Sys is %+v", fi.Sys())
		}
		must(t, f.Close())
		if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("closed again: %v", err)
		}
		if _, err := f.Read(b[:]); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("read of a closed file: %v", err)
		}
		if data, err := p.ReadFile("/f"); string(data) != "01XYZ56" || err != nil {
			t.Errorf("it holds %q, %v", data, err)
		}
		when := time.Unix(1e9, 123456789)
		must(t, p.Chtimes("/f", time.Time{}, when))
		must(t, p.Truncate("/f", 3))
		must(t, p.Chown("/f", 5, -1))
		must(t, p.Chtimes("/f", time.Time{}, when))
		fi, err = p.Stat("/f")
		must(t, err)
		if st := fi.Sys().(*abi.Stat); !fi.ModTime().Equal(when) || fi.Size() != 3 || st.Uid != 5 || st.Gid != 0 {
			t.Errorf("%v, times %v, %+v", fi, fi.ModTime(), st)
		}
	})
}

// TestTree makes, lists and removes directories.
func TestTree(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		must(t, p.MkdirAll("/tmp/a/b/c/", 0o755))
		must(t, p.MkdirAll("/tmp/a/b", 0o755))
		must(t, p.Chdir("/tmp/a"))
		must(t, p.MkdirAll("x/y", 0o755))
		wd, err := p.Getwd()
		if wd != "/tmp/a" || err != nil {
			t.Errorf("in %q, %v", wd, err)
		}
		for i := range 300 {
			must(t, p.WriteFile("/tmp/a/b/"+strings.Repeat("n", 40)+string(rune('a'+i%26))+string(rune('a'+i/26)), nil, 0o644))
		}
		must(t, p.Symlink("/dev", "/tmp/a/b/dev"))
		must(t, p.Symlink("/tmp/a", "/tmp/a/b/c/loop"))
		d, err := p.Open("b")
		must(t, err)
		seen := make(map[string]bool)
		for {
			list, err := d.ReadDir(7)
			if err == io.EOF {
				break
			}
			must(t, err)
			for _, e := range list {
				if seen[e.Name()] {
					t.Errorf("%s comes twice", e.Name())
				}
				seen[e.Name()] = true
			}
		}
		must(t, d.Close())
		if len(seen) != 302 {
			t.Errorf("%d entries, want 302", len(seen))
		}
		must(t, p.RemoveAll("/tmp/a"))
		must(t, p.RemoveAll("/tmp/a"))
		if _, err := p.Lstat("/tmp/a"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is still there: %v", err)
		}
		if _, err := p.Stat("/dev/null"); err != nil {
			t.Errorf("RemoveAll followed a link: %v", err)
		}
	})
}

// TestFork: a child has a copy of what the parent has, and a life of its own.
func TestFork(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		f, err := p.Create("/f")
		must(t, err)
		must(t, p.Chdir("/tmp"))
		child, err := p.Fork()
		must(t, err)
		pid, _ := p.Sys().Getpid()
		ppid, err := child.Sys().Getppid()
		if ppid != pid || err != nil {
			t.Errorf("parent is %d, %v; want %d", ppid, err, pid)
		}
		if wd, err := child.Getwd(); wd != "/tmp" || err != nil {
			t.Errorf("in %q, %v", wd, err)
		}
		must(t, child.Chdir("/"))
		if n, err := child.Sys().Write(f.Fd(), []byte("child")); n != 5 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		must(t, child.Exec("other"))
		if _, err := child.Sys().Write(f.Fd(), []byte("x")); err != abi.EBADF {
			t.Errorf("a descriptor that closes on exec: %v", err)
		}
		must(t, child.Close())
		if _, err := child.Sys().Getpid(); err == nil {
			t.Error("a closed process makes calls")
		}
		if wd, err := p.Getwd(); wd != "/tmp" || err != nil {
			t.Errorf("the parent is in %q, %v", wd, err)
		}
		if pos, err := f.Seek(0, io.SeekCurrent); pos != 5 || err != nil {
			t.Errorf("at %d, %v: the offset is not shared", pos, err)
		}
	})
}

// TestCloseWhileReading: a file that is closed stays open for who is reading it, and its descriptor is nobody else's.
func TestCloseWhileReading(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		r, w, err := p.Pipe()
		must(t, err)
		type result struct {
			n   int
			err error
		}
		got := make(chan result)
		started := make(chan struct{})
		go func() {
			b := make([]byte, 8)
			close(started)
			n, err := r.Read(b)
			got <- result{n, err}
		}()
		<-started
		if _, err := w.WriteString("data"); err != nil {
			t.Error(err)
		}
		if res := <-got; res.n != 4 || res.err != nil {
			t.Errorf("read %d, %v", res.n, res.err)
		}
		must(t, r.Close())
		if _, err := w.WriteString("x"); !errors.Is(err, abi.EPIPE) {
			t.Errorf("write to a pipe that nobody reads: %v", err)
		}
		must(t, w.Close())
	})
}

// TestSysctl looks names up, gets, sets, makes and removes.
func TestSysctl(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		tree := p.Sysctl()
		if s, err := tree.String("kern.ostype"); s != "NetBSD" || err != nil {
			t.Errorf("kern.ostype is %q, %v", s, err)
		}
		if n, err := tree.Int("/hw/pagesize"); n != 4096 || err != nil {
			t.Errorf("hw.pagesize is %d, %v", n, err)
		}
		if s, err := tree.String("1.10"); s != "host" || err != nil {
			t.Errorf("kern.hostname is %q, %v", s, err)
		}
		must(t, tree.SetString("kern.hostname", "other"))
		if s, err := tree.String("kern.hostname"); s != "other" || err != nil {
			t.Errorf("kern.hostname is %q, %v", s, err)
		}
		if err := tree.SetString("kern.ostype", "Plan9"); !errors.Is(err, abi.EPERM) {
			t.Errorf("kern.ostype can be set: %v", err)
		}
		if _, err := tree.Int("kern.ostype"); !errors.Is(err, abi.EINVAL) {
			t.Errorf("a string is a number: %v", err)
		}
		v, err := tree.String("kern.version")
		if err != nil || !strings.HasPrefix(v, "NetBSD 7.99.34") {
			t.Errorf("kern.version is %q, %v", v, err)
		}
		badNames(t, tree)
		makeNodes(t, tree)
	})
}

// badNames has the errors of names, in the words of transcript core-05-sysctl.
func badNames(t *testing.T, tree *client.Sysctl) {
	t.Helper()
	for name, text := range map[string]string{
		"nosuch":                          "top level name 'nosuch' in 'nosuch' is invalid",
		"kern.nosuch":                     "second level name 'nosuch' in 'kern.nosuch' is invalid",
		"kern.ostype.x":                   "third level name 'x' in 'kern.ostype.x' is invalid",
		"kern/pipe/x":                     "third level name 'x' in 'kern/pipe/x' is invalid",
		"":                                "top level name '' in '' is invalid",
		".":                               "top level name '' in '.' is invalid",
		"kern." + strings.Repeat("x", 40): "second level name '" + strings.Repeat("x", 40) + "' in 'kern." + strings.Repeat("x", 40) + "' is invalid",
		"1.1" + strings.Repeat(".1", 20):  "twelfth level name '1' in '1.1" + strings.Repeat(".1", 20) + "' is invalid",
	} {
		_, err := tree.Lookup(name)
		var bad *client.SysctlNameError
		if !errors.As(err, &bad) || bad.Error() != text {
			t.Errorf("%q: %v, want %s", name, err, text)
		}
	}
}

// makeNodes makes nodes, uses and removes them.
func makeNodes(t *testing.T, tree *client.Sysctl) {
	t.Helper()
	node := func(name string, flags uint32) abi.Sysctlnode {
		n := abi.Sysctlnode{Flags: abi.SYSCTL_VERSION | abi.CTLFLAG_READWRITE | flags, Num: abi.CTL_CREATE}
		abi.PutCString(n.Name[:], name)
		return n
	}
	top, err := tree.Create(nil, node("top", abi.CTLTYPE_NODE), nil, false)
	must(t, err)
	number := node("number", abi.CTLTYPE_INT|abi.CTLFLAG_IMMEDIATE)
	number.Size = 4
	number.SetIdata(-7)
	_, err = tree.Create([]int32{top.Num}, number, nil, false)
	must(t, err)
	text := node("text", abi.CTLTYPE_STRING|abi.CTLFLAG_OWNDATA)
	text.Size = 16
	_, err = tree.Create([]int32{top.Num}, text, []byte("some text\x00"), false)
	must(t, err)
	if n, err := tree.Int("top.number"); n != -7 || err != nil {
		t.Errorf("top.number is %d, %v", n, err)
	}
	must(t, tree.SetInt64("top.number", 1<<31-1))
	if err := tree.SetInt64("top.number", 1<<40); !errors.Is(err, abi.ERANGE) {
		t.Errorf("an int holds 1<<40: %v", err)
	}
	if s, err := tree.String("top.text"); s != "some text" || err != nil {
		t.Errorf("top.text is %q, %v", s, err)
	}
	n, err := tree.Lookup("top.text")
	must(t, err)
	if s, err := tree.SetDescription(n.MIB, "a description"); s != "a description" || err != nil {
		t.Errorf("described as %q, %v", s, err)
	}
	if s, err := tree.Describe(n.MIB); s != "a description" || err != nil {
		t.Errorf("described as %q, %v", s, err)
	}
	var paths []string
	for n, err := range tree.Walk("top") {
		must(t, err)
		paths = append(paths, n.Path)
	}
	if got := strings.Join(paths, " "); got != "top top.number top.text" {
		t.Errorf("walked %s", got)
	}
	if _, err := tree.Destroy([]int32{top.Num}); err != abi.ENOTEMPTY {
		t.Errorf("removed with children: %v", err)
	}
	for _, name := range []string{"top.text", "top.number", "top"} {
		n, err := tree.Lookup(name)
		must(t, err)
		_, err = tree.Destroy(n.MIB)
		must(t, err)
		if _, err := tree.Lookup(name); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}

// TestWalk sees all nodes, each below its parent and behind its elder siblings.
func TestWalk(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		count := 0
		var last []int32
		for n, err := range p.Sysctl().Walk("") {
			if err != nil {
				t.Errorf("%s: %v", n.Path, err)
			}
			depth := len(n.MIB)
			if depth == 0 || depth > len(last)+1 || depth <= len(last) && n.MIB[depth-1] <= last[depth-1] {
				t.Errorf("%s %v comes after %v", n.Path, n.MIB, last)
			}
			last = n.MIB
			if count++; count == 3 && n.Path == "" {
				t.Error("no path")
			}
		}
		if count < 100 {
			t.Errorf("%d nodes", count)
		}
	})
}

// TestFromEnv finds the kernel by RUMP_SERVER, and says so if there is none.
func TestFromEnv(t *testing.T) {
	url := serve(t, kernel(t))
	env := map[string]string{"RUMP_SERVER": url}
	p, err := client.FromEnv(context.Background(), "test", func(name string) string { return env[name] })
	must(t, err)
	defer p.Close()
	if p.Banner().Release != "7.99.34" {
		t.Errorf("kernel %v", p.Banner())
	}
	clear(env)
	if _, err := client.FromEnv(context.Background(), "test", func(name string) string { return env[name] }); err != sysproxy.ErrNoServer {
		t.Errorf("error %v", err)
	}
}

// TestReboot: the caller learns that the kernel is gone, others lose their connection.
func TestReboot(t *testing.T) {
	k := kernel(t)
	url := serve(t, k)
	p, err := client.Dial(context.Background(), url, "halt")
	must(t, err)
	defer p.Close()
	other, err := client.Dial(context.Background(), url, "other")
	must(t, err)
	defer other.Close()
	must(t, p.Sys().Reboot(0, ""))
	p.Wait()
	<-k.Done()
	if _, err := other.Sys().Getpid(); err == nil {
		t.Error("a halted kernel answers")
	}
	if _, err := client.Dial(context.Background(), url, "late"); err == nil {
		t.Error("a halted kernel takes clients")
	}
}
