package kern

import (
	"github.com/rumpctrl/rumpctrl/abi"
)

// emulName is the emulation that processes run under, as a rump kernel calls it.
const emulName = "netbsd-rump"

// maxKtraceIO is how much of a transfer one record has: with its header it fills a page.
const maxKtraceIO = 4096 - abi.SizeofKtrGenio

// ktraceFor is the process's tracing if it makes records of a type.
func (p *Proc) ktraceFor(typ int16) *ktrace {
	if kt := p.ktrace.Load(); kt != nil && kt.has(typ) {
		return kt
	}
	return nil
}

// ktraceRecord makes a record: a header and the parts.
func (p *Proc) ktraceRecord(kt *ktrace, lwp int32, typ int16, parts ...[]byte) {
	p.ktraceEmul(kt, lwp)
	h := p.ktraceHeader(kt, lwp)
	h.Type = typ
	for _, b := range parts {
		h.Len += int32(len(b))
	}
	kt.to.add(&h, parts...)
}

// ktraceEmul makes the record of KTR_EMUL if it is due.
func (p *Proc) ktraceEmul(kt *ktrace, lwp int32) {
	if kt.emul.Load() && kt.emul.Swap(false) {
		h := p.ktraceHeader(kt, lwp)
		h.Type, h.Len = abi.KTR_EMUL, int32(len(emulName))
		kt.to.add(&h, []byte(emulName))
	}
}

// ktraceHeader is a header without type and length.
func (p *Proc) ktraceHeader(kt *ktrace, lwp int32) abi.KtrHeader {
	h := abi.KtrHeader{Version: kt.version, Pid: int32(p.PID)}
	abi.PutCString(h.Comm[:], p.Name())
	now := p.K.Now()
	switch kt.version {
	case 0:
		h.SetV0TvSec(int32(now.Unix()))
		h.SetV0TvUsec(int64(now.Nanosecond() / 1000))
	case 1:
		h.SetV1TsSec(int32(now.Unix()))
		h.SetV1TsNsec(int64(now.Nanosecond()))
		h.SetV1Lid(lwp)
	default:
		h.SetV2Ts(abi.Timespec{Sec: now.Unix(), Nsec: int64(now.Nanosecond())})
		h.SetV2Lid(lwp)
	}
	return h
}

// ktraceCall runs a call of a traced process: KTR_SYSCALL, KTR_SYSRET. A process that is traced from this call on has
// nothing of it in the trace.
func (t *Thread) ktraceCall(num int) (v int64, err error) {
	t.ktraceSyscall(num)
	v, err = t.dispatch(num)
	t.ktraceSysret(num, v, err)
	return v, err
}

func (t *Thread) ktraceSyscall(num int) {
	kt := t.ktrace.Load()
	if kt == nil {
		return
	}
	t.ktraceEmul(kt, t.LWP)
	if !kt.has(abi.KTR_SYSCALL) {
		return
	}
	nargs := 0
	if row := abi.SyscallByNum(num); row != nil {
		nargs = min(len(row.Args), MaxArgs)
	}
	b := (&abi.KtrSyscall{Code: int32(num), Argsize: int32(8 * nargs)}).Append(nil)
	for _, a := range t.args[:nargs] {
		b = le.AppendUint64(b, a)
	}
	t.ktraceRecord(kt, t.LWP, abi.KTR_SYSCALL, b)
	kt.to.flush(t)
}

func (t *Thread) ktraceSysret(num int, v int64, err error) {
	if kt := t.ktraceFor(abi.KTR_SYSRET); kt != nil {
		r := abi.KtrSysret{Code: int16(num)}
		if err != nil {
			r.Error = int32(abi.ToErrno(err))
		} else {
			r.Retval, r.Retval1 = v, int64(t.ret1)
		}
		t.ktraceRecord(kt, t.LWP, abi.KTR_SYSRET, r.Append(nil))
	}
	if kt := t.ktrace.Load(); kt != nil {
		kt.to.flush(t)
	}
}

// KtraceNamei records the path of a lookup, KTR_NAMEI, if the process is traced.
func (t *Thread) KtraceNamei(path []byte) {
	if t.ktrace.Load() != nil {
		t.ktraceNamei(path)
	}
}

func (t *Thread) ktraceNamei(path []byte) {
	if kt := t.ktraceFor(abi.KTR_NAMEI); kt != nil {
		t.ktraceRecord(kt, t.LWP, abi.KTR_NAMEI, path, []byte{0})
	}
}

// KtraceIO records what was read from a descriptor (UIO_READ) or written to it (UIO_WRITE), KTR_GENIO, if the process is
// traced. p may be empty, and is not kept.
func (t *Thread) KtraceIO(fd int, rw uint32, p []byte) {
	if t.ktrace.Load() != nil {
		t.ktraceIO(fd, rw, p)
	}
}

func (t *Thread) ktraceIO(fd int, rw uint32, p []byte) {
	kt := t.ktraceFor(abi.KTR_GENIO)
	if kt == nil {
		return
	}
	head := (&abi.KtrGenio{Fd: int32(fd), Rw: rw}).Append(nil)
	for {
		n := min(len(p), maxKtraceIO)
		t.ktraceRecord(kt, t.LWP, abi.KTR_GENIO, head, p[:n])
		if p = p[n:]; len(p) == 0 {
			return
		}
	}
}

// ktraceMIB records the name of a sysctl, KTR_MIB.
func (t *Thread) ktraceMIB(name []byte) {
	if kt := t.ktraceFor(abi.KTR_MIB); kt != nil {
		t.ktraceRecord(kt, t.LWP, abi.KTR_MIB, name)
	}
}

// ktraceSignal records a signal, KTR_PSIG. What the client does about it the kernel cannot know: the action is SIG_DFL.
// The record is written with those of the process's next call.
func (p *Proc) ktraceSignal(sig int) {
	if kt := p.ktraceFor(abi.KTR_PSIG); kt != nil {
		s := abi.KtrPsig{Signo: int32(sig)}
		p.ktraceRecord(kt, 1, abi.KTR_PSIG, s.Append(nil))
	}
}

// sysUtrace is utrace(2): a record of the caller's own, KTR_USER, with its label and data. A label that cannot be read is empty.
//
// Errors: ENOSPC for more than KTR_USER_MAXLEN bytes, EFAULT; none when the process is not traced.
func sysUtrace(t *Thread, a *Args) (int64, error) {
	kt := t.ktraceFor(abi.KTR_USER)
	if kt == nil {
		return 0, nil
	}
	if a[2] > abi.KTR_USER_MAXLEN {
		return 0, abi.ENOSPC
	}
	var u abi.KtrUser
	if label, err := t.Mem.CopyInStr(a[0], len(u.Id)); err == nil {
		copy(u.Id[:], label)
	}
	data := make([]byte, a[2])
	err := t.Mem.CopyIn(a[1], data)
	if err != nil {
		data = nil
	}
	t.ktraceRecord(kt, t.LWP, abi.KTR_USER, u.Append(nil), data)
	return 0, err
}
