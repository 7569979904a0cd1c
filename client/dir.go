package client

import (
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// dirBuffer is how much of a directory is read at once.
const dirBuffer = 32 << 10

// dirReader is what has been read of a directory and not been returned yet.
type dirReader struct {
	mu    sync.Mutex
	ready []dirEntry
	end   bool
}

// forget drops what has been read.
func (d *dirReader) forget() {
	d.mu.Lock()
	d.ready, d.end = nil, false
	d.mu.Unlock()
}

// dirEntry is an fs.DirEntry.
type dirEntry struct {
	p    *Process
	dir  string
	name string
	typ  uint8 // abi.DT_*
}

func (e *dirEntry) Name() string      { return e.name }
func (e *dirEntry) IsDir() bool       { return e.typ == abi.DT_DIR }
func (e *dirEntry) Type() fs.FileMode { return fileTypes[e.typ&0xf] }
func (e *dirEntry) String() string    { return fs.FormatDirEntry(e) }

// Info returns the attributes that the file has now.
func (e *dirEntry) Info() (fs.FileInfo, error) { return e.p.Lstat(join(e.dir, e.name)) }

// join puts a name behind a directory as it is: unlike path.Join it cleans nothing, since "a/../b"
// need not be "b".
func join(dir, name string) string {
	if dir == "" || strings.HasSuffix(dir, "/") {
		return dir + name
	}
	return dir + "/" + name
}

// ReadDir returns the next n entries in the directory's order, or with n <= 0 all that are left, without
// "." and "..". At the end it returns io.EOF if n > 0.
func (f *File) ReadDir(n int) ([]fs.DirEntry, error) {
	if err := f.use("readdir"); err != nil {
		return nil, err
	}
	defer f.done()
	f.dir.mu.Lock()
	defer f.dir.mu.Unlock()
	d := &f.dir
	var err error
	for !d.end && err == nil && (n <= 0 || len(d.ready) < n) {
		err = f.readEntries()
	}
	count := len(d.ready)
	if n > 0 {
		count = min(count, n)
	}
	list := make([]fs.DirEntry, count)
	for i := range list {
		list[i] = &d.ready[i]
	}
	d.ready = d.ready[count:]
	switch {
	case count > 0 && n > 0:
		return list, nil
	case err != nil:
		return list, pathError("readdir", f.name, err)
	case n > 0:
		return list, io.EOF
	}
	return list, nil
}

// readEntries reads one buffer of entries, or finds the end.
func (f *File) readEntries() error {
	b := make([]byte, dirBuffer)
	n, err := f.p.sys.Getdents(f.fd, b)
	if err != nil {
		return err
	}
	f.dir.end = n == 0
	for d, err := range Dirents(b[:n]) {
		if err != nil {
			return err
		}
		name := string(d.Name)
		if name == "." || name == ".." || d.Type == abi.DT_WHT {
			continue // a whiteout is no file: opendir(3) hides it too
		}
		e := dirEntry{p: f.p, dir: f.name, name: name, typ: d.Type}
		if err := e.fillType(); err == nil {
			f.dir.ready = append(f.dir.ready, e)
		}
	}
	return nil
}

// fillType asks for the type if the file system has not said it. Errors: ENOENT if the file is gone.
func (e *dirEntry) fillType() error {
	if e.typ != abi.DT_UNKNOWN {
		return nil
	}
	var st abi.Stat
	if err := e.p.sys.Lstat(join(e.dir, e.name), &st); err != nil {
		return err
	}
	e.typ = uint8(st.Mode & abi.S_IFMT >> 12)
	return nil
}

// ReadDir returns all entries of a directory sorted by name, without "." and "..".
func (p *Process) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := p.OpenFile(name, abi.O_RDONLY|abi.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}
