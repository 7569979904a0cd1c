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
