package client

import "github.com/rumpctrl/rumpctrl/abi"

// Mount mounts a file system of a type on a directory: mount(2). Flags are
// abi.MNT_*; data is the type's argument structure, which with MNT_GETARGS is written
// and otherwise read; nil for a type that takes none. Errors: ENODEV if the kernel has no such file system.
func (s *Sys) Mount(fstype, dir string, flags int, data []byte) error {
	_, err := s.MountFunc(fstype, dir, flags, func(Lender) []byte { return data })
	return err
}

// MountFunc is Mount for arguments that hold addresses: build lends the memory they
// refer to and returns the arguments. The result is how many bytes of them
// MNT_GETARGS has written.
func (s *Sys) MountFunc(fstype, dir string, flags int, build func(Lender) []byte) (int, error) {
	r := s.request(abi.SYS___mount50)
	r.path(fstype)
	r.path(dir)
	r.int(flags)
	data := build(r.c)
	if data == nil {
		r.word(0)
	} else {
		r.inout(data)
	}
	r.word(uint64(len(data)))
	return r.size(len(data))
}

// Unmount unmounts what is mounted on a directory: unmount(2).
func (s *Sys) Unmount(dir string, flags int) error {
	return s.onPath(abi.SYS_unmount, dir, id(flags))
}

// Getvfsstat sets b, one element a mounted file system, and returns how many: getvfsstat(2).
// With an empty b it returns how many there are. Flags: abi.ST_WAIT or ST_NOWAIT.
func (s *Sys) Getvfsstat(b []abi.Statvfs, flags int) (int, error) {
	raw := make([]byte, len(b)*abi.SizeofStatvfs)
	r := s.request(abi.SYS_getvfsstat)
	if len(b) == 0 {
		r.dst(nil)
		r.word(0)
	} else {
		r.out(raw)
	}
	r.int(flags)
	n, err := r.num()
	if err != nil || len(b) == 0 {
		return n, err
	}
	if n < 0 || n > len(b) {
		return 0, errCount
	}
	for i := range n {
		if err := b[i].Decode(raw[i*abi.SizeofStatvfs:]); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Statvfs sets st to what is known of the file system that a path is in: statvfs1(2).
func (s *Sys) Statvfs(path string, st *abi.Statvfs, flags int) error {
	r := s.request(abi.SYS_statvfs1)
	r.path(path)
	return statvfs(&r, st, flags)
}

// Fstatvfs is Statvfs by an open file: fstatvfs1(2).
func (s *Sys) Fstatvfs(fd int, st *abi.Statvfs, flags int) error {
	r := s.request(abi.SYS_fstatvfs1)
	r.int(fd)
	return statvfs(&r, st, flags)
}

func statvfs(r *request, st *abi.Statvfs, flags int) error {
	b := make([]byte, abi.SizeofStatvfs)
	r.dst(b)
	r.int(flags)
	if err := r.do(); err != nil {
		return err
	}
	return st.Decode(b)
}

// QuotactlFunc makes a request of __quotactl(2) on the file system that a path is in:
// build lends memory and returns a struct quotactl_args.
func (s *Sys) QuotactlFunc(path string, build func(Lender) []byte) error {
	r := s.request(abi.SYS___quotactl)
	r.path(path)
	r.inout(build(r.c))
	return r.do()
}

// maxHandle is the longest file handle, FHANDLE_SIZE_MAX of sys/mount.h.
const maxHandle = 1024

// Getfh returns the handle of a file: getfh(2).
func (s *Sys) Getfh(path string) ([]byte, error) {
	b := make([]byte, maxHandle)
	size := putUint64(maxHandle)
	r := s.request(abi.SYS___getfh30)
	r.path(path)
	r.dst(b)
	r.inout(size[:])
	if err := r.do(); err != nil {
		return nil, err
	}
	n := getUint64(size[:])
	if n > maxHandle {
		return nil, errCount
	}
	return b[:n], nil
}

// Fhopen opens a file by its handle: fhopen(2).
func (s *Sys) Fhopen(fh []byte, flags int) (int, error) {
	r := s.request(abi.SYS___fhopen40)
	r.in(fh)
	r.int(flags)
	return r.num()
}

// Fhstat is Stat by a file's handle: fhstat(2).
func (s *Sys) Fhstat(fh []byte, st *abi.Stat) error {
	r := s.request(abi.SYS___fhstat50)
	r.in(fh)
	return s.stat(&r, st)
}

// Fhstatvfs is Statvfs by a file's handle: fhstatvfs1(2).
func (s *Sys) Fhstatvfs(fh []byte, st *abi.Statvfs, flags int) error {
	r := s.request(abi.SYS___fhstatvfs140)
	r.in(fh)
	return statvfs(&r, st, flags)
}
