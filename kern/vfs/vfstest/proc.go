package vfstest

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// proc is a process that makes the calls of the tests. Its methods are the system calls, with what they give in Go's types
// and the error's number last, 0 for success.
type proc struct {
	*kerntest.P
}

// newProc makes a process of root in a directory.
func newProc(t testing.TB, k *kern.Kernel, dir string) *proc {
	p := &proc{kerntest.Proc(t, k)}
	if e := p.do(abi.SYS_chdir, dir); e != 0 {
		t.Fatalf("chdir %s: %v", dir, e)
	}
	return p
}

// become gives up root for a user. Its first group is the effective one.
func (p *proc) become(uid int, groups ...int) abi.Errno {
	list := make([]byte, 0, 4*len(groups))
	for _, g := range groups {
		list = binary.LittleEndian.AppendUint32(list, uint32(g))
	}
	for _, e := range []abi.Errno{
		p.do(abi.SYS_setgroups, len(groups), list),
		p.do(abi.SYS_setgid, groups[0]),
		p.do(abi.SYS_setuid, uid),
	} {
		if e != 0 {
			return e
		}
	}
	return 0
}

// do is a call whose value does not matter.
func (p *proc) do(num int, args ...any) abi.Errno {
	_, e := p.Call(num, args...)
	return e
}

func (p *proc) open(path string, flags, mode int) (int, abi.Errno) {
	fd, e := p.Call(abi.SYS_open, path, flags, mode)
	return int(fd), e
}

func (p *proc) close(fd int) abi.Errno { return p.do(abi.SYS_close, fd) }

func (p *proc) read(fd, n int) ([]byte, abi.Errno) {
	b := make([]byte, n)
	got, e := p.Call(abi.SYS_read, fd, b, n)
	return b[:max(got, 0)], e
}

func (p *proc) pread(fd, n int, off int64) ([]byte, abi.Errno) {
	b := make([]byte, n)
	got, e := p.Call(abi.SYS_pread, fd, b, n, 0, off)
	return b[:max(got, 0)], e
}

func (p *proc) write(fd int, b []byte) (int, abi.Errno) {
	n, e := p.Call(abi.SYS_write, fd, b, len(b))
	return int(n), e
}

func (p *proc) pwrite(fd int, b []byte, off int64) (int, abi.Errno) {
	n, e := p.Call(abi.SYS_pwrite, fd, b, len(b), 0, off)
	return int(n), e
}

func (p *proc) lseek(fd int, off int64, whence int) (int64, abi.Errno) {
	return p.Call(abi.SYS_lseek, fd, 0, off, whence)
}

func (p *proc) ftruncate(fd int, size int64) abi.Errno { return p.do(abi.SYS_ftruncate, fd, 0, size) }

func (p *proc) mkdir(path string) abi.Errno { return p.do(abi.SYS_mkdir, path, 0o755) }

func (p *proc) unlink(path string) abi.Errno { return p.do(abi.SYS_unlink, path) }

func (p *proc) rmdir(path string) abi.Errno { return p.do(abi.SYS_rmdir, path) }

func (p *proc) rename(from, to string) abi.Errno { return p.do(abi.SYS_rename, from, to) }

func (p *proc) stat(path string) (abi.Stat, abi.Errno) { return p.statBy(abi.SYS___stat50, path) }

func (p *proc) lstat(path string) (abi.Stat, abi.Errno) { return p.statBy(abi.SYS___lstat50, path) }

func (p *proc) fstat(fd int) (abi.Stat, abi.Errno) { return p.statBy(abi.SYS___fstat50, fd) }

func (p *proc) statBy(num int, what any, more ...any) (st abi.Stat, e abi.Errno) {
	b := make([]byte, abi.SizeofStat)
	args := []any{what, b}
	if path, ok := more, len(more) > 0; ok {
		args = []any{what, path[0], b, path[1]}
	}
	if e = p.do(num, args...); e == 0 {
		e = abi.ToErrno(st.Decode(b))
	}
	return st, e
}

func (p *proc) statvfs(path string) (st abi.Statvfs, e abi.Errno) {
	b := make([]byte, abi.SizeofStatvfs)
	if e = p.do(abi.SYS_statvfs1, path, b, abi.ST_WAIT); e == 0 {
		e = abi.ToErrno(st.Decode(b))
	}
	return st, e
}

func (p *proc) readlink(path string, n int) (string, abi.Errno) {
	b := make([]byte, n)
	got, e := p.Call(abi.SYS_readlink, path, b, n)
	return string(b[:max(got, 0)]), e
}

func (p *proc) getcwd() (string, abi.Errno) {
	b := make([]byte, abi.PATH_MAX)
	e := p.do(abi.SYS___getcwd, b, len(b))
	return abi.CString(b), e
}

// entry is a directory entry as getdents(2) gives it.
type entry struct {
	name string
	ino  uint64
	typ  uint8
}

// getdents reads one buffer of directory entries. Errors: EIO for a buffer that is not well formed.
func (p *proc) getdents(fd, size int) ([]entry, abi.Errno) {
	b := make([]byte, size)
	n, e := p.Call(abi.SYS___getdents30, fd, b, size)
	if e != 0 {
		return nil, e
	}
	return parseDirents(b[:n])
}

// parseDirents takes apart what getdents(2) wrote: d_fileno, d_reclen, d_namlen, d_type and the name with its NUL, as dirent(5).
func parseDirents(b []byte) ([]entry, abi.Errno) {
	const header = 13
	var list []entry
	for len(b) > 0 {
		if len(b) < header {
			return nil, abi.EIO
		}
		length, name := int(binary.LittleEndian.Uint16(b[8:])), int(binary.LittleEndian.Uint16(b[10:]))
		if length > len(b) || header+name >= length || length%8 != 0 || b[header+name] != 0 {
			return nil, abi.EIO
		}
		list = append(list, entry{string(b[header : header+name]), binary.LittleEndian.Uint64(b), b[12]})
		b = b[length:]
	}
	return list, 0
}

// readdir lists a whole directory without "." and "..".
func (p *proc) readdir(path string) ([]entry, abi.Errno) {
	all, e := p.entries(path)
	return slices.DeleteFunc(all, func(d entry) bool { return d.typ == abi.DT_WHT }), e
}

// entries are all entries of a directory but "." and "..", whiteouts too.
func (p *proc) entries(path string) ([]entry, abi.Errno) {
	fd, e := p.open(path, abi.O_RDONLY, 0)
	if e != 0 {
		return nil, e
	}
	defer p.close(fd)
	var all []entry
	for {
		part, e := p.getdents(fd, 4096)
		if e != 0 || len(part) == 0 {
			return all, e
		}
		for _, d := range part {
			if d.name != "." && d.name != ".." {
				all = append(all, d)
			}
		}
	}
}

// writeFile makes a file with contents, replacing what is there.
func (p *proc) writeFile(path string, data []byte) abi.Errno {
	fd, e := p.open(path, abi.O_WRONLY|abi.O_CREAT|abi.O_TRUNC, 0o644)
	if e != 0 {
		return e
	}
	defer p.close(fd)
	if len(data) == 0 {
		return 0
	}
	n, e := p.write(fd, data)
	if e == 0 && n < len(data) {
		return abi.ENOSPC
	}
	return e
}

// readFile reads a file as long as it is.
func (p *proc) readFile(path string) ([]byte, abi.Errno) {
	fd, e := p.open(path, abi.O_RDONLY, 0)
	if e != 0 {
		return nil, e
	}
	defer p.close(fd)
	var all []byte
	for {
		part, e := p.read(fd, 1<<16)
		if e != 0 || len(part) == 0 {
			return all, e
		}
		all = append(all, part...)
	}
}

// typeName is the short name of a file's type, as the tables have it.
func typeName(mode uint32) string {
	names := map[uint32]string{abi.S_IFREG: "reg", abi.S_IFDIR: "dir", abi.S_IFLNK: "lnk", abi.S_IFIFO: "fifo",
		abi.S_IFCHR: "chr", abi.S_IFBLK: "blk", abi.S_IFSOCK: "sock"}
	return names[mode&abi.S_IFMT]
}

// names are the names of entries, joined with commas.
func names(list []entry) string {
	s := make([]string, len(list))
	for i, e := range list {
		s[i] = e.name
	}
	return strings.Join(s, ",")
}
