package client

import "github.com/rumpctrl/rumpctrl/abi"

// The calls that take a directory's descriptor, or abi.AT_FDCWD, with a path relative to
// it, and the flags abi.AT_*.

// at begins a call with a descriptor and a path.
func (s *Sys) at(num, fd int, path string) request {
	r := s.request(num)
	r.int(fd)
	r.path(path)
	return r
}

// Fstatat is Stat or, with AT_SYMLINK_NOFOLLOW, Lstat: fstatat(2).
func (s *Sys) Fstatat(fd int, path string, st *abi.Stat, flags int) error {
	b := s.scratch()
	defer s.free(b)
	r := s.at(abi.SYS_fstatat, fd, path)
	r.dst(b[:abi.SizeofStat])
	r.int(flags)
	if err := r.do(); err != nil {
		return err
	}
	return st.Decode(b[:])
}

// Unlinkat is Unlink or, with AT_REMOVEDIR, Rmdir: unlinkat(2).
func (s *Sys) Unlinkat(fd int, path string, flags int) error {
	r := s.at(abi.SYS_unlinkat, fd, path)
	r.int(flags)
	return r.do()
}

// Mkdirat is Mkdir: mkdirat(2).
func (s *Sys) Mkdirat(fd int, path string, mode uint32) error {
	r := s.at(abi.SYS_mkdirat, fd, path)
	r.word(uint64(mode))
	return r.do()
}

// Mkfifoat is Mkfifo: mkfifoat(2).
func (s *Sys) Mkfifoat(fd int, path string, mode uint32) error {
	r := s.at(abi.SYS_mkfifoat, fd, path)
	r.word(uint64(mode))
	return r.do()
}

// Mknodat is Mknod: mknodat(2).
func (s *Sys) Mknodat(fd int, path string, mode uint32, dev uint64) error {
	r := s.at(abi.SYS_mknodat, fd, path)
	r.word(uint64(mode))
	r.word(0)
	r.word(dev)
	return r.do()
}

// Linkat is Link; of a symbolic link itself unless AT_SYMLINK_FOLLOW: linkat(2).
func (s *Sys) Linkat(fd int, path string, linkfd int, link string, flags int) error {
	r := s.at(abi.SYS_linkat, fd, path)
	r.int(linkfd)
	r.path(link)
	r.int(flags)
	return r.do()
}

// Symlinkat is Symlink: symlinkat(2).
func (s *Sys) Symlinkat(path string, fd int, link string) error {
	r := s.request(abi.SYS_symlinkat)
	r.path(path)
	r.int(fd)
	r.path(link)
	return r.do()
}

// Readlinkat is Readlink: readlinkat(2).
func (s *Sys) Readlinkat(fd int, path string, b []byte) (int, error) {
	r := s.at(abi.SYS_readlinkat, fd, path)
	r.out(b)
	return r.size(len(b))
}

// Renameat is Rename: renameat(2).
func (s *Sys) Renameat(fromfd int, from string, tofd int, to string) error {
	r := s.at(abi.SYS_renameat, fromfd, from)
	r.int(tofd)
	r.path(to)
	return r.do()
}

// Faccessat is Access, of the effective user with AT_EACCESS: faccessat(2).
func (s *Sys) Faccessat(fd int, path string, how, flags int) error {
	r := s.at(abi.SYS_faccessat, fd, path)
	r.int(how)
	r.int(flags)
	return r.do()
}

// Fchmodat is Chmod or, with AT_SYMLINK_NOFOLLOW, Lchmod: fchmodat(2).
func (s *Sys) Fchmodat(fd int, path string, mode uint32, flags int) error {
	r := s.at(abi.SYS_fchmodat, fd, path)
	r.word(uint64(mode))
	r.int(flags)
	return r.do()
}

// Fchownat is Chown or, with AT_SYMLINK_NOFOLLOW, Lchown: fchownat(2).
func (s *Sys) Fchownat(fd int, path string, uid, gid, flags int) error {
	r := s.at(abi.SYS_fchownat, fd, path)
	r.int(uid)
	r.int(gid)
	r.int(flags)
	return r.do()
}

// Utimensat is Utimens or, with AT_SYMLINK_NOFOLLOW, Lutimens: utimensat(2).
func (s *Sys) Utimensat(fd int, path string, atime, mtime abi.Timespec, flags int) error {
	r := s.at(abi.SYS_utimensat, fd, path)
	r.src(mtime.Append(atime.Append(nil)))
	r.int(flags)
	return r.do()
}
