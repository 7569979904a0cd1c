package client

import "github.com/rumpctrl/rumpctrl/abi"

// id is a uid_t or gid_t as an argument; -1 leaves what is.
func id(v int) uint64 { return uint64(uint32(v)) }

// Mkdir makes a directory: mkdir(2).
func (s *Sys) Mkdir(path string, mode uint32) error {
	return s.onPath(abi.SYS_mkdir, path, uint64(mode))
}

// Rmdir removes an empty directory: rmdir(2).
func (s *Sys) Rmdir(path string) error { return s.onPath(abi.SYS_rmdir, path) }

// Unlink removes a name of a file: unlink(2).
func (s *Sys) Unlink(path string) error { return s.onPath(abi.SYS_unlink, path) }

// Undelete removes a whiteout, so that what it covered is seen again: undelete(2).
func (s *Sys) Undelete(path string) error { return s.onPath(abi.SYS_undelete, path) }

// Link gives a file another name: link(2).
func (s *Sys) Link(path, link string) error { return s.onPaths(abi.SYS_link, path, link) }

// Symlink makes link a symbolic link to path: symlink(2).
func (s *Sys) Symlink(path, link string) error { return s.onPaths(abi.SYS_symlink, path, link) }

// Rename moves a file: rename(2). If both are names of one file, from is removed.
func (s *Sys) Rename(from, to string) error { return s.onPaths(abi.SYS_rename, from, to) }

// PosixRename is Rename that does nothing if both are names of one file, as POSIX has it.
func (s *Sys) PosixRename(from, to string) error {
	return s.onPaths(abi.SYS___posix_rename, from, to)
}

// Readlink writes what a symbolic link says to b, without a NUL, and returns its
// length: readlink(2). A longer text is cut.
func (s *Sys) Readlink(path string, b []byte) (int, error) {
	r := s.request(abi.SYS_readlink)
	r.path(path)
	r.out(b)
	return r.size(len(b))
}

// Mknod makes a device or a fifo: mknod(2).
func (s *Sys) Mknod(path string, mode uint32, dev uint64) error {
	return s.onPath(abi.SYS___mknod50, path, uint64(mode), dev)
}

// Mkfifo makes a fifo: mkfifo(2).
func (s *Sys) Mkfifo(path string, mode uint32) error {
	return s.onPath(abi.SYS_mkfifo, path, uint64(mode))
}

// Chdir changes the working directory: chdir(2).
func (s *Sys) Chdir(path string) error { return s.onPath(abi.SYS_chdir, path) }

// Fchdir changes the working directory to an open one: fchdir(2).
func (s *Sys) Fchdir(fd int) error { return s.onFD(abi.SYS_fchdir, fd) }

// Chroot changes the root directory: chroot(2).
func (s *Sys) Chroot(path string) error { return s.onPath(abi.SYS_chroot, path) }

// Fchroot changes the root directory to an open one: fchroot(2).
func (s *Sys) Fchroot(fd int) error { return s.onFD(abi.SYS_fchroot, fd) }

// Getcwd returns the path of the working directory: getcwd(3).
func (s *Sys) Getcwd() (string, error) {
	b := make([]byte, abi.MAXPATHLEN)
	r := s.request(abi.SYS___getcwd)
	r.out(b)
	if err := r.do(); err != nil {
		return "", err
	}
	return abi.CString(b), nil
}

// Getdents fills b with directory entries, for [Dirents] to read, and returns how many
// bytes they have: getdents(2). 0 is the end of the directory.
func (s *Sys) Getdents(fd int, b []byte) (int, error) {
	r := s.request(abi.SYS___getdents30)
	r.int(fd)
	r.out(b)
	return r.size(len(b))
}

// Access tells by its error whether the real user may abi.R_OK, W_OK, X_OK: access(2).
func (s *Sys) Access(path string, how int) error {
	return s.onPath(abi.SYS_access, path, id(how))
}

// Chmod sets permissions: chmod(2).
func (s *Sys) Chmod(path string, mode uint32) error {
	return s.onPath(abi.SYS_chmod, path, uint64(mode))
}

// Lchmod is Chmod of a symbolic link itself: lchmod(2).
func (s *Sys) Lchmod(path string, mode uint32) error {
	return s.onPath(abi.SYS_lchmod, path, uint64(mode))
}

// Fchmod is Chmod of an open file: fchmod(2).
func (s *Sys) Fchmod(fd int, mode uint32) error {
	r := s.request(abi.SYS_fchmod)
	r.int(fd)
	r.word(uint64(mode))
	return r.do()
}

// Chown sets owner and group, -1 leaves one: chown(2).
func (s *Sys) Chown(path string, uid, gid int) error {
	return s.onPath(abi.SYS_chown, path, id(uid), id(gid))
}

// Lchown is Chown of a symbolic link itself: lchown(2).
func (s *Sys) Lchown(path string, uid, gid int) error {
	return s.onPath(abi.SYS_lchown, path, id(uid), id(gid))
}

// Fchown is Chown of an open file: fchown(2).
func (s *Sys) Fchown(fd, uid, gid int) error {
	r := s.request(abi.SYS_fchown)
	r.int(fd)
	r.int(uid)
	r.int(gid)
	return r.do()
}

// Chflags sets file flags: chflags(2).
func (s *Sys) Chflags(path string, flags uint32) error {
	return s.onPath(abi.SYS_chflags, path, uint64(flags))
}

// Lchflags is Chflags of a symbolic link itself: lchflags(2).
func (s *Sys) Lchflags(path string, flags uint32) error {
	return s.onPath(abi.SYS_lchflags, path, uint64(flags))
}

// Fchflags is Chflags of an open file: fchflags(2).
func (s *Sys) Fchflags(fd int, flags uint32) error {
	r := s.request(abi.SYS_fchflags)
	r.int(fd)
	r.word(uint64(flags))
	return r.do()
}

// Stat sets st to a file's attributes: stat(2).
func (s *Sys) Stat(path string, st *abi.Stat) error {
	r := s.request(abi.SYS___stat50)
	r.path(path)
	return s.stat(&r, st)
}

// Lstat is Stat of a symbolic link itself: lstat(2).
func (s *Sys) Lstat(path string, st *abi.Stat) error {
	r := s.request(abi.SYS___lstat50)
	r.path(path)
	return s.stat(&r, st)
}

// Fstat is Stat of an open file: fstat(2).
func (s *Sys) Fstat(fd int, st *abi.Stat) error {
	r := s.request(abi.SYS___fstat50)
	r.int(fd)
	return s.stat(&r, st)
}

// stat ends a call whose last argument is a struct stat.
func (s *Sys) stat(r *request, st *abi.Stat) error {
	b := s.scratch()
	defer s.free(b)
	r.dst(b[:abi.SizeofStat])
	if err := r.do(); err != nil {
		return err
	}
	return st.Decode(b[:])
}

// Utimens sets access and modification time; a Nsec of abi.UTIME_NOW or UTIME_OMIT
// stands for now or what is: utimens(2).
func (s *Sys) Utimens(path string, atime, mtime abi.Timespec) error {
	return s.Utimensat(abi.AT_FDCWD, path, atime, mtime, 0)
}

// Lutimens is Utimens of a symbolic link itself: lutimens(2).
func (s *Sys) Lutimens(path string, atime, mtime abi.Timespec) error {
	return s.Utimensat(abi.AT_FDCWD, path, atime, mtime, abi.AT_SYMLINK_NOFOLLOW)
}

// Futimens is Utimens of an open file: futimens(2).
func (s *Sys) Futimens(fd int, atime, mtime abi.Timespec) error {
	r := s.request(abi.SYS_futimens)
	r.int(fd)
	r.src(mtime.Append(atime.Append(nil)))
	return r.do()
}

// Pathconf returns a limit of abi.PC_*: pathconf(2).
func (s *Sys) Pathconf(path string, name int) (int64, error) {
	r := s.request(abi.SYS_pathconf)
	r.path(path)
	r.int(name)
	v, err := r.val()
	return int64(v), err
}

// Fpathconf is Pathconf of an open file: fpathconf(2).
func (s *Sys) Fpathconf(fd, name int) (int64, error) {
	r := s.request(abi.SYS_fpathconf)
	r.int(fd)
	r.int(name)
	v, err := r.val()
	return int64(v), err
}

// Revoke makes all descriptors of a file useless: revoke(2).
func (s *Sys) Revoke(path string) error { return s.onPath(abi.SYS_revoke, path) }
