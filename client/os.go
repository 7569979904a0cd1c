package client

import (
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Open opens a file for reading.
func (p *Process) Open(name string) (*File, error) { return p.OpenFile(name, abi.O_RDONLY, 0) }

// Create opens a file for reading and writing; it is made if it does not exist and emptied if it
// does.
func (p *Process) Create(name string) (*File, error) {
	return p.OpenFile(name, abi.O_RDWR|abi.O_CREAT|abi.O_TRUNC, 0o666)
}

// OpenFile opens a file with flags of package abi (not of package os) and, if it is made, the permissions
// perm less the umask. The descriptor closes on exec.
func (p *Process) OpenFile(name string, flags int, perm fs.FileMode) (*File, error) {
	fd, err := p.sys.Open(name, flags|abi.O_CLOEXEC, sysMode(perm))
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return p.NewFile(fd, name), nil
}

// ReadFile returns what a file holds.
func (p *Process) ReadFile(name string) ([]byte, error) {
	f, err := p.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := 0
	if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() && fi.Size() < maxSizeHint {
		size = int(fi.Size())
	}
	b := make([]byte, 0, size+512)
	for {
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

// maxSizeHint is how large a file may say that it is and be believed ahead of reading it.
const maxSizeHint = 64 << 20

// WriteFile makes a file hold data; if it makes it, with permissions perm less the umask.
func (p *Process) WriteFile(name string, data []byte, perm fs.FileMode) error {
	f, err := p.OpenFile(name, abi.O_WRONLY|abi.O_CREAT|abi.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// Stat returns the attributes of a file, through symbolic links.
func (p *Process) Stat(name string) (fs.FileInfo, error) {
	var st abi.Stat
	if err := p.sys.Stat(name, &st); err != nil {
		return nil, pathError("stat", name, err)
	}
	return FileInfo(name, &st), nil
}

// Lstat returns the attributes of a file or symbolic link.
func (p *Process) Lstat(name string) (fs.FileInfo, error) {
	var st abi.Stat
	if err := p.sys.Lstat(name, &st); err != nil {
		return nil, pathError("lstat", name, err)
	}
	return FileInfo(name, &st), nil
}

// Mkdir makes a directory with permissions perm less the umask.
func (p *Process) Mkdir(name string, perm fs.FileMode) error {
	return pathError("mkdir", name, p.sys.Mkdir(name, sysMode(perm)))
}

// Remove removes a file or an empty directory.
func (p *Process) Remove(name string) error {
	err := p.sys.Unlink(name)
	if err == nil {
		return nil
	}
	// A directory is EPERM or EISDIR, but EPERM has other reasons too: then Rmdir says
	// ENOTDIR and the first error stands.
	rerr := p.sys.Rmdir(name)
	if rerr == nil {
		return nil
	}
	if rerr != abi.ENOTDIR {
		err = rerr
	}
	return pathError("remove", name, err)
}

// Rename moves a file.
func (p *Process) Rename(from, to string) error {
	return linkError("rename", from, to, p.sys.PosixRename(from, to))
}

// Link gives a file another name.
func (p *Process) Link(name, link string) error {
	return linkError("link", name, link, p.sys.Link(name, link))
}

// Symlink makes a symbolic link.
func (p *Process) Symlink(target, link string) error {
	return linkError("symlink", target, link, p.sys.Symlink(target, link))
}

// Readlink returns what a symbolic link says.
func (p *Process) Readlink(name string) (string, error) {
	b := make([]byte, abi.MAXPATHLEN)
	n, err := p.sys.Readlink(name, b)
	if err != nil {
		return "", pathError("readlink", name, err)
	}
	return string(b[:n]), nil
}

// Chmod sets a file's permissions, through symbolic links.
func (p *Process) Chmod(name string, mode fs.FileMode) error {
	return pathError("chmod", name, p.sys.Chmod(name, sysMode(mode)))
}

// Chown sets a file's owner and group, through symbolic links; -1 leaves one.
func (p *Process) Chown(name string, uid, gid int) error {
	return pathError("chown", name, p.sys.Chown(name, uid, gid))
}

// Lchown is Chown of a symbolic link itself.
func (p *Process) Lchown(name string, uid, gid int) error {
	return pathError("lchown", name, p.sys.Lchown(name, uid, gid))
}

// Chtimes sets a file's access and modification time, through symbolic links. A zero time leaves one.
func (p *Process) Chtimes(name string, atime, mtime time.Time) error {
	return pathError("chtimes", name, p.sys.Utimens(name, Timespec(atime), Timespec(mtime)))
}

// Truncate sets a file's size.
func (p *Process) Truncate(name string, size int64) error {
	return pathError("truncate", name, p.sys.Truncate(name, size))
}

// Getwd returns the path of the working directory.
func (p *Process) Getwd() (string, error) {
	dir, err := p.sys.Getcwd()
	return dir, syscallError("getcwd", err)
}

// Chdir changes the working directory.
func (p *Process) Chdir(dir string) error { return pathError("chdir", dir, p.sys.Chdir(dir)) }

// Pipe makes a pipe inside the kernel and returns its reading and its writing end.
func (p *Process) Pipe() (r, w *File, err error) {
	rd, wr, err := p.sys.Pipe2(abi.O_CLOEXEC)
	if err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	return p.NewFile(rd, "|0"), p.NewFile(wr, "|1"), nil
}
