package kern

import "github.com/rumpctrl/rumpctrl/abi"

// Locker is implemented by Ops with record locks, fcntl(2)'s F_GETLK, F_SETLK and F_SETLKW: EINVAL otherwise.
type Locker interface {
	// Lock sets, removes or, for F_GETLK, looks for a lock of the process t.Proc; cmd is one of the three. l.Whence is
	// SEEK_SET or SEEK_END, l.Type has been checked, against the file's mode too. F_GETLK changes l to the lock in the way, or its type to
	// F_UNLCK. F_SETLKW waits. The process's locks on a file go when it closes any descriptor of it: see DescriptorCloser.
	//
	// Errors: EAGAIN when the lock is held by another, EDEADLK, EINTR, EINVAL for a range that begins before the file, ENOLCK.
	Lock(t *Thread, f *File, cmd int, l *abi.Flock) error
}

// fcntlFlags are the status flags that F_SETFL changes.
const fcntlFlags = abi.O_APPEND | abi.O_ASYNC | abi.O_SYNC | abi.O_NONBLOCK | abi.O_DSYNC | abi.O_RSYNC | abi.O_ALT_IO |
	abi.O_DIRECT | abi.O_NOSIGPIPE

// fcntlCommand serves a command of fcntl(2) on an open descriptor.
type fcntlCommand func(t *Thread, fd int, f *File, arg uint64) (int64, error)

// fcntlTable has the commands that need an open descriptor, by number.
var fcntlTable = map[int]fcntlCommand{
	abi.F_DUPFD:         func(t *Thread, fd int, _ *File, arg uint64) (int64, error) { return t.dupfd(fd, arg, false) },
	abi.F_DUPFD_CLOEXEC: func(t *Thread, fd int, _ *File, arg uint64) (int64, error) { return t.dupfd(fd, arg, true) },
	abi.F_GETFD:         fcntlGetfd,
	abi.F_SETFD:         fcntlSetfd,
	abi.F_GETFL:         func(_ *Thread, _ int, f *File, _ uint64) (int64, error) { return int64(OFlags(f.Flags())), nil },
	abi.F_SETFL:         fcntlSetfl,
	abi.F_GETOWN:        func(_ *Thread, _ int, f *File, _ uint64) (int64, error) { return int64(f.owner()), nil },
	abi.F_SETOWN:        func(t *Thread, _ int, f *File, arg uint64) (int64, error) { return 0, f.setOwner(t, int32(arg)) },
	abi.F_GETNOSIGPIPE:  fcntlGetnosigpipe,
	abi.F_SETNOSIGPIPE:  fcntlSetnosigpipe,
	abi.F_GETLK: func(t *Thread, _ int, f *File, arg uint64) (int64, error) {
		return 0, t.recordLock(f, abi.F_GETLK, arg)
	},
	abi.F_SETLK: func(t *Thread, _ int, f *File, arg uint64) (int64, error) {
		return 0, t.recordLock(f, abi.F_SETLK, arg)
	},
	abi.F_SETLKW: func(t *Thread, _ int, f *File, arg uint64) (int64, error) {
		return 0, t.recordLock(f, abi.F_SETLKW, arg)
	},
}

func sysFcntl(t *Thread, a *Args) (int64, error) {
	fd, cmd := a.Int(0), a.Int(1)
	switch cmd {
	case abi.F_CLOSEM:
		return 0, t.Desc.closeFrom(t, fd)
	case abi.F_MAXFD:
		return int64(t.Desc.last()), nil
	}
	f, err := t.Desc.Get(fd)
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	if uint32(cmd)&fsctl != 0 {
		return 0, abi.EOPNOTSUPP
	}
	serve, ok := fcntlTable[cmd]
	if !ok {
		return 0, abi.EINVAL
	}
	return serve(t, fd, f, a[2])
}

// fsctl marks the commands that are a file system's own, F_FSCTL; no file system here has any.
const fsctl = 1 << 31

// dupfd is F_DUPFD: unlike dup's, a bad lower bound is EINVAL.
func (t *Thread) dupfd(fd int, arg uint64, cloexec bool) (int64, error) {
	from := int(int32(arg))
	if from < 0 || from >= t.Desc.limit() {
		return 0, abi.EINVAL
	}
	return t.dup(fd, from, cloexec)
}

func fcntlGetfd(t *Thread, fd int, _ *File, _ uint64) (int64, error) {
	on, err := t.Desc.Cloexec(fd)
	if on {
		return abi.FD_CLOEXEC, err
	}
	return 0, err
}

func fcntlSetfd(t *Thread, fd int, _ *File, arg uint64) (int64, error) {
	return 0, t.Desc.SetCloexec(fd, arg&abi.FD_CLOEXEC != 0)
}

func fcntlSetfl(t *Thread, _ int, f *File, arg uint64) (int64, error) {
	set := uint32(arg) & fcntlFlags
	f.SetFlags(set, fcntlFlags)
	f.asyncChanged(t)
	return 0, nil
}

func fcntlGetnosigpipe(_ *Thread, _ int, f *File, _ uint64) (int64, error) {
	if f.Flags()&abi.O_NOSIGPIPE != 0 {
		return 1, nil
	}
	return 0, nil
}

func fcntlSetnosigpipe(_ *Thread, _ int, f *File, arg uint64) (int64, error) {
	if arg != 0 {
		f.SetFlags(abi.O_NOSIGPIPE, 0)
	} else {
		f.SetFlags(0, abi.O_NOSIGPIPE)
	}
	return 0, nil
}

// recordLock is F_GETLK, F_SETLK and F_SETLKW.
func (t *Thread) recordLock(f *File, cmd int, addr uint64) error {
	var l abi.Flock
	if err := t.CopyInStruct(addr, &l, abi.SizeofFlock); err != nil {
		return err
	}
	locker, ok := f.Ops.(Locker)
	if !ok {
		return abi.EINVAL
	}
	if err := checkLock(f, cmd, &l); err != nil {
		return err
	}
	if err := locker.Lock(t, f, cmd, &l); err != nil || cmd != abi.F_GETLK {
		return err
	}
	return t.CopyOutStruct(addr, &l, abi.SizeofFlock)
}

// checkLock checks a lock's type, and turns a range that counts from the file's offset into one from its beginning.
// Errors: EINVAL, EBADF for a file that is not open for what the lock protects.
func checkLock(f *File, cmd int, l *abi.Flock) error {
	switch l.Type {
	case abi.F_UNLCK:
	case abi.F_RDLCK:
		if cmd != abi.F_GETLK && !f.Readable() {
			return abi.EBADF
		}
	case abi.F_WRLCK:
		if cmd != abi.F_GETLK && !f.Writable() {
			return abi.EBADF
		}
	default:
		return abi.EINVAL
	}
	switch l.Whence {
	case abi.SEEK_SET, abi.SEEK_END:
	case abi.SEEK_CUR:
		f.OffMu.Lock()
		l.Start += f.Offset
		f.OffMu.Unlock()
		l.Whence = abi.SEEK_SET
	default:
		return abi.EINVAL
	}
	return nil
}
