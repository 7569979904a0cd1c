package client

import (
	"io/fs"

	"github.com/rumpctrl/rumpctrl/abi"
)

// dirFS is a directory of the kernel as an fs.FS.
type dirFS struct {
	p   *Process
	dir string
}

var (
	_ fs.ReadDirFS  = dirFS{}
	_ fs.ReadFileFS = dirFS{}
	_ fs.StatFS     = dirFS{}
	_ fs.SubFS      = dirFS{}
	_ fs.ReadLinkFS = dirFS{}
)

// FS returns a directory of the kernel as an fs.FS. It also is an fs.ReadDirFS, fs.ReadFileFS, fs.StatFS,
// fs.SubFS and fs.ReadLinkFS. Symbolic links are followed, out of the directory too.
func (p *Process) FS(dir string) fs.FS { return dirFS{p, dir} }

// in calls do with the path of a name in the directory, and puts the name into the error.
func (d dirFS) in(op, name string, do func(full string) error) error {
	if !fs.ValidPath(name) {
		return pathError(op, name, fs.ErrInvalid)
	}
	full := d.dir
	if name != "." {
		full = join(d.dir, name)
	}
	err := do(full)
	if pe, ok := err.(*fs.PathError); ok {
		return pathError(pe.Op, name, pe.Err)
	}
	return err
}

// Open opens a file for reading.
func (d dirFS) Open(name string) (fs.File, error) {
	var f *File
	err := d.in("open", name, func(full string) (err error) {
		f, err = d.p.OpenFile(full, abi.O_RDONLY|abi.O_NONBLOCK, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// ReadFile returns what a file holds.
func (d dirFS) ReadFile(name string) (b []byte, err error) {
	err = d.in("open", name, func(full string) (err error) {
		b, err = d.p.ReadFile(full)
		return err
	})
	return b, err
}

// ReadDir returns the entries of a directory, sorted by name.
func (d dirFS) ReadDir(name string) (list []fs.DirEntry, err error) {
	err = d.in("open", name, func(full string) (err error) {
		list, err = d.p.ReadDir(full)
		return err
	})
	return list, err
}

// Stat returns the attributes of a file, through symbolic links.
func (d dirFS) Stat(name string) (fi fs.FileInfo, err error) {
	err = d.in("stat", name, func(full string) error {
		var st abi.Stat
		if err := d.p.sys.Stat(full, &st); err != nil {
			return pathError("stat", name, err)
		}
		fi = FileInfo(name, &st)
		return nil
	})
	return fi, err
}

// Lstat returns the attributes of a file or symbolic link.
func (d dirFS) Lstat(name string) (fi fs.FileInfo, err error) {
	err = d.in("lstat", name, func(full string) error {
		var st abi.Stat
		if err := d.p.sys.Lstat(full, &st); err != nil {
			return pathError("lstat", name, err)
		}
		fi = FileInfo(name, &st)
		return nil
	})
	return fi, err
}

// ReadLink returns what a symbolic link says.
func (d dirFS) ReadLink(name string) (target string, err error) {
	err = d.in("readlink", name, func(full string) (err error) {
		target, err = d.p.Readlink(full)
		return err
	})
	return target, err
}

// Sub returns the file system of a directory below.
func (d dirFS) Sub(dir string) (fs.FS, error) {
	var sub fs.FS
	err := d.in("sub", dir, func(full string) error {
		sub = dirFS{d.p, full}
		return nil
	})
	return sub, err
}
