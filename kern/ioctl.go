package kern

import "github.com/rumpctrl/rumpctrl/abi"

// ioctlArg is the size of the plain argument of a request without a parameter of its own.
const ioctlArg = 8

// sysIoctl copies the parameter in and out and serves what all files have in common; the rest is the file's.
func sysIoctl(t *Thread, a *Args) (int64, error) {
	fd, cmd := a.Int(0), uint32(a[1])
	f, err := t.getFor(fd, abi.FREAD|abi.FWRITE)
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	switch cmd {
	case abi.FIOCLEX, abi.FIONCLEX:
		return 0, t.Desc.SetCloexec(fd, cmd == abi.FIOCLEX)
	}
	data, err := t.ioctlData(cmd, a[2])
	if err != nil {
		return 0, err
	}
	if abi.IOCIn(cmd) {
		t.KtraceIO(fd, abi.UIO_WRITE, data)
	}
	if err := f.ioctl(t, cmd, data); err != nil {
		if err == abi.EPASSTHROUGH {
			err = abi.ENOTTY
		}
		return 0, err
	}
	if n := abi.IOCParmLen(cmd); n > 0 && abi.IOCOut(cmd) {
		t.KtraceIO(fd, abi.UIO_READ, data[:n])
		return 0, t.Mem.CopyOut(a[2], data[:n])
	}
	return 0, nil
}

// ioctlData is the parameter of a request: copied in, or zeroes, or the plain argument of one that has none.
//
// Errors: EFAULT; ENOTTY for a parameter longer than any there is.
func (t *Thread) ioctlData(cmd uint32, arg uint64) ([]byte, error) {
	n := abi.IOCParmLen(cmd)
	switch {
	case n > abi.IOCPARM_MAX:
		return nil, abi.ENOTTY
	case n == 0:
		return le.AppendUint64(make([]byte, 0, ioctlArg), arg), nil
	}
	data := make([]byte, n)
	if abi.IOCIn(cmd) {
		if err := t.Mem.CopyIn(arg, data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// ioctl serves FIONBIO, FIOASYNC and the owner's requests, and hands all others to the file.
func (f *File) ioctl(t *Thread, cmd uint32, data []byte) error {
	switch cmd {
	case abi.FIONBIO:
		f.setFlag(abi.O_NONBLOCK, le.Uint32(data) != 0)
		return nil
	case abi.FIOASYNC:
		f.setFlag(abi.O_ASYNC, le.Uint32(data) != 0)
		f.asyncChanged(t)
		return nil
	case abi.FIOSETOWN:
		return f.setOwner(t, int32(le.Uint32(data)))
	case abi.FIOGETOWN:
		le.PutUint32(data, uint32(f.owner()))
		return nil
	}
	i, ok := f.Ops.(Ioctler)
	if !ok {
		return abi.ENOTTY
	}
	return i.Ioctl(t, f, cmd, data)
}

func (f *File) setFlag(flag uint32, on bool) {
	if on {
		f.SetFlags(flag, 0)
	} else {
		f.SetFlags(0, flag)
	}
}
