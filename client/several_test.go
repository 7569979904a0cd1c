package client_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// TestFstatats holds many at once against one after the other: by several goroutines, with errors among them, and more than leave
// together.
func TestFstatats(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		if err := p.Mkdir("/many", 0o755); err != nil {
			t.Fatal(err)
		}
		const n = 200
		for i := range n {
			if err := p.WriteFile(fmt.Sprintf("/many/%d", i), make([]byte, i), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		dir, err := p.Open("/many")
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { statMany(t, p, dir.Fd(), n) })
		}
		wg.Wait()
	})
}

func statMany(t *testing.T, p *client.Process, fd, n int) {
	files := make([]client.FileStat, n+2)
	for i := range n {
		files[i].Path = fmt.Sprint(i)
	}
	files[n].Path, files[n+1].Path = "nope", "a\x00b"
	p.Sys().Fstatats(fd, files, abi.AT_SYMLINK_NOFOLLOW)
	for i := range n {
		if f := &files[i]; f.Err != nil || f.Stat.Size != int64(i) {
			t.Errorf("%s: %d bytes, %v", f.Path, f.Stat.Size, f.Err)
		}
	}
	if !errors.Is(files[n].Err, abi.ENOENT) || !errors.Is(files[n+1].Err, abi.EINVAL) {
		t.Errorf("%v, %v", files[n].Err, files[n+1].Err)
	}
	p.Sys().Fstatats(fd, nil, 0)
}

// TestFstatatsGone reports a connection that is closed for each file.
func TestFstatatsGone(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		child, err := p.Fork()
		if err != nil {
			t.Fatal(err)
		}
		child.Close()
		files := []client.FileStat{{Path: "/"}, {Path: "/tmp"}}
		child.Sys().Fstatats(abi.AT_FDCWD, files, 0)
		for _, f := range files {
			if f.Err == nil {
				t.Errorf("%s: no error", f.Path)
			}
		}
	})
}

// TestReadSmall reads files at once: such as are missing, are no files, and are larger than the room for them.
func TestReadSmall(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		for name, data := range map[string]string{"a": "some", "b": "", "c": "more than there is room for"} {
			if err := p.WriteFile("/"+name, []byte(data), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		room := func(path string) client.SmallFile { return client.SmallFile{Path: path, Data: make([]byte, 8)} }
		files := []client.SmallFile{room("a"), room("nope"), room("b"), room("c"), room(".")}
		root, err := p.Open("/")
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		for range 40 { // more than there are descriptors, if any were left open
			for i := range files {
				files[i].Data = files[i].Data[:cap(files[i].Data)]
			}
			p.Sys().ReadSmall(root.Fd(), files)
		}
		for i, want := range []struct {
			data string
			err  error
		}{{"some", nil}, {"", abi.ENOENT}, {"", nil}, {"more tha", nil}, {"", abi.EISDIR}} {
			f := files[i]
			if !errors.Is(f.Err, want.err) || f.Err == nil && string(f.Data) != want.data {
				t.Errorf("%s: %q, %v", f.Path, f.Data, f.Err)
			}
		}
	})
}

// TestReadDirectories reads directories at once, and holds what is in them against one after the other: some are
// missing, no directories, or have more in them than there is room for.
func TestReadDirectories(t *testing.T) {
	each(t, func(t *testing.T, p *client.Process) {
		sys := p.Sys()
		for i := range 60 {
			if err := p.MkdirAll(fmt.Sprintf("/d/many/%d", i), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.WriteFile("/d/file", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		dir, err := sys.Open("/d", abi.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		old, err := sys.Open("/", abi.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		room := func(path string, size int) client.DirectoryRead {
			return client.DirectoryRead{Path: path, Flags: abi.O_RDONLY | abi.O_DIRECTORY, Data: make([]byte, size), More: make([]byte, size)}
		}
		list := []client.DirectoryRead{room("many", 8<<10), room("nope", 1024), room("file", 1024), room("many/3", 1024), room("many", 256), room("many", 4)}
		sys.ReadDirectories([]int{old}, dir, list)
		for i, want := range []struct {
			err  error
			n    int
			more bool
		}{{nil, 62, false}, {abi.ENOENT, 0, false}, {abi.ENOTDIR, 0, false}, {nil, 2, false}, {nil, -1, true}, {abi.EINVAL, 0, false}} {
			d := list[i]
			if !errors.Is(d.Err, want.err) {
				t.Errorf("%s: %v, want %v", d.Path, d.Err, want.err)
			}
			if d.Err != nil {
				continue
			}
			n := 0
			for _, b := range [][]byte{d.Data, d.More} {
				for _, err := range client.Dirents(b) {
					if n++; err != nil {
						t.Fatal(err)
					}
				}
			}
			if more := len(d.Data) > 0 && len(d.More) > 0; want.n >= 0 && n != want.n || more != want.more {
				t.Errorf("%s: %d entries, more: %v", d.Path, n, more)
			}
			sys.Close(d.FD)
		}
		if fd, err := sys.Open("/", abi.O_RDONLY, 0); err != nil || fd != old {
			t.Errorf("the next descriptor is %d, want %d; %v", fd, old, err)
		}
	})
}
