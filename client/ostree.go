package client

import (
	"io/fs"
	"path"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// MkdirAll makes a directory and those above it that do not exist.
func (p *Process) MkdirAll(name string, perm fs.FileMode) error {
	err := p.sys.Mkdir(name, sysMode(perm))
	if err == abi.ENOENT {
		parent := path.Dir(strings.TrimRight(name, "/"))
		if parent == name || parent == "." {
			return pathError("mkdir", name, err)
		}
		if err := p.MkdirAll(parent, perm); err != nil {
			return err
		}
		err = p.sys.Mkdir(name, sysMode(perm))
	}
	if err == nil {
		return nil
	}
	// It may exist, with an error that depends on the file system: EEXIST, EISDIR, EROFS.
	if fi, serr := p.Stat(name); serr == nil {
		if fi.IsDir() {
			return nil
		}
		return pathError("mkdir", name, abi.ENOTDIR)
	}
	return pathError("mkdir", name, err)
}

// RemoveAll removes a file or a directory with all that it holds, and no symbolic link's target.
// A name that does not exist is no error.
func (p *Process) RemoveAll(name string) error {
	if name == "" {
		return nil
	}
	if base := path.Base(name); base == "." || base == ".." {
		return pathError("RemoveAll", name, abi.EINVAL)
	}
	return p.removeAt(abi.AT_FDCWD, name, name)
}

// removeAt removes name in the directory dirfd; full is for messages.
func (p *Process) removeAt(dirfd int, name, full string) error {
	err := p.sys.Unlinkat(dirfd, name, 0)
	if err == nil || err == abi.ENOENT {
		return nil
	}
	fd, oerr := p.sys.Openat(dirfd, name, abi.O_RDONLY|abi.O_DIRECTORY|abi.O_NOFOLLOW|abi.O_CLOEXEC, 0)
	if oerr != nil {
		if oerr == abi.ENOTDIR || oerr == abi.EFTYPE || oerr == abi.ELOOP {
			oerr = err // not a directory: what unlink said counts
		}
		return pathError("unlinkat", full, oerr)
	}
	f := p.NewFile(fd, full)
	err = p.removeEntries(f)
	f.Close()
	if err != nil {
		return err
	}
	if err := p.sys.Unlinkat(dirfd, name, abi.AT_REMOVEDIR); err != nil && err != abi.ENOENT {
		return pathError("unlinkat", full, err)
	}
	return nil
}

// removeEntries removes all that a directory holds, until it reads as empty.
func (p *Process) removeEntries(f *File) error {
	for {
		names, err := f.names()
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := p.removeAt(f.fd, name, join(f.name, name)); err != nil {
				return err
			}
		}
		if _, err := f.Seek(0, 0); err != nil {
			return err
		}
	}
}

// names returns the names in a directory, from where it is to its end, without "." and "..".
func (f *File) names() ([]string, error) {
	var names []string
	b := make([]byte, dirBuffer)
	for {
		n, err := f.p.sys.Getdents(f.fd, b)
		if err != nil || n == 0 {
			return names, pathError("readdir", f.name, err)
		}
		for d, err := range Dirents(b[:n]) {
			if err != nil {
				return names, pathError("readdir", f.name, err)
			}
			if name := string(d.Name); name != "." && name != ".." {
				names = append(names, name)
			}
		}
	}
}
