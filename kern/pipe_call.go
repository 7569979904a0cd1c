package kern

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// pipeSyscalls are pipe(2) and pipe2(2); see readinessSyscalls.
func pipeSyscalls() []Syscall {
	return []Syscall{
		{abi.SYS_pipe, sysPipe},
		{abi.SYS_pipe2, sysPipe2},
	}
}

// pipeEnd is the Ops of an end of a pipe(2).
type pipeEnd struct {
	p      *Pipe
	writes bool      // it is the writing end
	made   time.Time // when the pipe was made
}

func (e *pipeEnd) Close(*Thread, *File) error {
	e.p.Detach(!e.writes, e.writes)
	return nil
}

// Read takes bytes out; the writing end is not open for reading.
func (e *pipeEnd) Read(t *Thread, f *File, b []byte, _ int64) (int, error) {
	return e.p.Read(t, b, f.Nonblock())
}

// Write puts bytes in; the reading end is not open for writing.
func (e *pipeEnd) Write(t *Thread, f *File, b []byte, _ int64) (int, error) {
	return e.p.Write(t, b, f.Nonblock())
}

// Poll says what can be done without waiting.
func (e *pipeEnd) Poll(_ *File, events int) int { return e.p.Poll(events, !e.writes, e.writes) }

// Selinfo is where changes of Poll are announced.
func (e *pipeEnd) Selinfo() *Selinfo {
	if e.writes {
		return &e.p.writeSel
	}
	return &e.p.readSel
}

// Knote has the filter of the end's own direction. Errors: EINVAL.
func (e *pipeEnd) Knote(_ *File, filter uint32) (*Selinfo, KnoteEvent, error) {
	if e.writes != (filter == abi.EVFILT_WRITE) {
		return nil, nil, abi.EINVAL
	}
	return e.p.Knote(filter)
}

// Ioctl serves FIONREAD, FIONWRITE and FIONSPACE. Errors: ENOTTY.
func (e *pipeEnd) Ioctl(_ *Thread, _ *File, cmd uint32, data []byte) error {
	switch cmd {
	case abi.FIONREAD, abi.FIONWRITE:
		le.PutUint32(data, uint32(e.p.Buffered()))
	case abi.FIONSPACE:
		le.PutUint32(data, uint32(e.p.Room()))
	default:
		return abi.ENOTTY
	}
	return nil
}

// Stat describes a fifo whose size is what waits to be read.
func (e *pipeEnd) Stat(t *Thread, _ *File, st *abi.Stat) error {
	p, c := e.p, t.Cred()
	p.mu.Lock()
	defer p.mu.Unlock()
	made := Timespec(e.made)
	*st = abi.Stat{Mode: abi.S_IFIFO | 0600, Nlink: 1, Uid: c.Euid, Gid: c.Egid, Size: int64(p.n),
		Blksize: int32(max(len(p.buf), pipeSize)), Atim: made, Mtim: made, Ctim: made, Birthtim: made}
	if !p.atime.IsZero() {
		st.Atim = Timespec(p.atime)
	}
	if !p.mtime.IsZero() {
		st.Mtim = Timespec(p.mtime)
	}
	if p.n > 0 {
		st.Blocks = 1
	}
	return nil
}

// pipe makes a pipe with descriptors for both ends. Errors: EMFILE, EINVAL for unknown flags.
func (t *Thread) pipe(flags int) (r, w int, err error) {
	if flags&^(abi.O_CLOEXEC|abi.O_NONBLOCK|abi.O_NOSIGPIPE) != 0 {
		return 0, 0, abi.EINVAL
	}
	p, made := new(Pipe), t.K.Now()
	p.Attach(true, true)
	cloexec, status := flags&abi.O_CLOEXEC != 0, uint32(flags)&(abi.O_NONBLOCK|abi.O_NOSIGPIPE)
	rf := NewFile(abi.DTYPE_PIPE, &pipeEnd{p, false, made}, abi.FREAD|status)
	wf := NewFile(abi.DTYPE_PIPE, &pipeEnd{p, true, made}, abi.FWRITE|status)
	r, err = t.Desc.Alloc(rf, 0, cloexec)
	if err != nil {
		rf.Release(t)
		wf.Release(t)
		return 0, 0, err
	}
	w, err = t.Desc.Alloc(wf, 0, cloexec)
	if err != nil {
		wf.Release(t)
		t.Desc.Close(t, r)
		return 0, 0, err
	}
	return r, w, nil
}

func sysPipe(t *Thread, _ *Args) (int64, error) {
	r, w, err := t.pipe(0)
	if err != nil {
		return 0, err
	}
	t.SetRet1(uint64(w))
	return int64(r), nil
}

func sysPipe2(t *Thread, a *Args) (int64, error) {
	r, w, err := t.pipe(a.Int(1))
	if err != nil {
		return 0, err
	}
	b := t.small(8)
	le.PutUint32(b, uint32(r))
	le.PutUint32(b[4:], uint32(w))
	if err := t.Mem.CopyOut(a[0], b); err != nil {
		t.Desc.Close(t, r)
		t.Desc.Close(t, w)
		return 0, err
	}
	return 0, nil
}
