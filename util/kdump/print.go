package kdump

import (
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// printer prints records.
type printer struct {
	*options
	env   *util.Env
	out   []byte // what has been printed and not been written
	width int    // of the screen
	time  abi.Timespec
	timed bool // a record with a time has been printed
}

// defaultWidth is how wide a screen is that does not tell.
const defaultWidth = 80

func newPrinter(env *util.Env, o *options) *printer {
	p := &printer{options: o, env: env, width: defaultWidth}
	if columns, _, ok := util.TerminalSize(env.Stderr); ok && columns > 8 && o.plain == 0 {
		p.width = columns
	}
	return p
}

func (p *printer) printf(format string, args ...any) { p.out = fmt.Appendf(p.out, format, args...) }

// flush writes what has been printed.
func (p *printer) flush() error {
	_, err := p.env.Stdout.Write(p.out)
	p.out = p.out[:0]
	return err
}

// kind is what is known of a type of records.
type kind struct {
	name  string
	least int // bytes of data
	print func(p *printer, r *Record)
}

var kinds = map[int16]kind{
	abi.KTR_SYSCALL:  {"CALL", abi.SizeofKtrSyscall, (*printer).syscall},
	abi.KTR_SYSRET:   {"RET ", sysretLeast, (*printer).sysret},
	abi.KTR_NAMEI:    {"NAMI", 0, (*printer).quoted},
	abi.KTR_GENIO:    {"GIO ", abi.SizeofKtrGenio, (*printer).genio},
	abi.KTR_PSIG:     {"PSIG", abi.SizeofKtrPsig, (*printer).psig},
	abi.KTR_CSW:      {"CSW ", abi.SizeofKtrCsw, (*printer).csw},
	abi.KTR_EMUL:     {"EMUL", 0, (*printer).quoted},
	abi.KTR_USER:     {"MISC", abi.SizeofKtrUser, (*printer).user},
	abi.KTR_EXEC_ARG: {"ARG", 0, (*printer).text},
	abi.KTR_EXEC_ENV: {"ENV", 0, (*printer).text},
	abi.KTR_EXEC_FD:  {"FD", abi.SizeofKtrExecfd, (*printer).execFD},
	abi.KTR_MIB:      {"MIB", 0, (*printer).mib},
	abi.KTR_SAUPCALL: {"SAU", 0, (*printer).unknown},
}

// sysretLeast is the length of the data of KTR_SYSRET without the second value, which old traces do not have.
const sysretLeast = abi.SizeofKtrSysret - 8

// print prints a record.
func (p *printer) print(r *Record) {
	k, known := kinds[r.Type]
	if !known {
		k = kind{fmt.Sprintf("UNKNOWN(%d)", r.Type), 0, (*printer).unknown}
	}
	p.printf("%6d ", r.PID)
	if r.Version > 0 {
		p.printf("%6d ", r.LWP)
	}
	p.printf("%-8.*s ", abi.MAXCOMLEN, r.Comm)
	p.timestamp(r)
	p.printf("%-4s  ", k.name)
	if len(r.Data) < k.least {
		p.printf("[%d bytes]", len(r.Data))
		k.print = (*printer).unknown
	}
	k.print(p, r)
}

// timestamp prints the time that the options ask for.
func (p *printer) timestamp(r *Record) {
	var since abi.Timespec
	switch p.options.time {
	case noTime:
		return
	case relative, elapsed:
		if since = p.time; !p.timed {
			since = r.Time
		}
		if !p.timed || p.options.time == relative {
			p.time, p.timed = r.Time, true
		}
	}
	sec, nsec := r.Time.Sec-since.Sec, r.Time.Nsec-since.Nsec
	if nsec < 0 {
		sec, nsec = sec-1, nsec+1e9
	}
	if r.Version == 0 {
		p.printf("%d.%06d ", sec, nsec/1000)
	} else {
		p.printf("%d.%09d ", sec, nsec)
	}
}

// long prints a number: in hexadecimal if hex is set.
func (p *printer) long(v int64, hex bool) {
	if hex {
		p.printf("%#x", uint64(v))
	} else {
		p.printf("%d", v)
	}
}

// small tells whether a number is so small that it is always printed in decimal.
func small(v int64) bool { return 0 <= v && v < 10 }

// arg prints an argument.
func (p *printer) arg(v int64) { p.long(v, !p.decimal && !small(v)) }

// callName is the name of a system call, or its number in brackets.
func callName(code int, numeric bool) string {
	if s := abi.SyscallByNum(code); s != nil && !numeric {
		return s.Name
	}
	return fmt.Sprintf("[%d]", code)
}

// syscall prints a call with its arguments: "open(0x46df33,0x400000,0)".
func (p *printer) syscall(r *Record) {
	var s abi.KtrSyscall
	s.Decode(r.Data) //nolint:errcheck // it is long enough
	name := callName(int(s.Code), p.numeric)
	p.printf("%s", name)
	args := registers(r.Data[abi.SizeofKtrSyscall:], int(s.Argsize)/8)
	special := specialArgs[name]
	if p.plain > 0 {
		special = nil
	}
	lead := byte('(')
	for i, v := range args {
		p.out = append(p.out, lead)
		lead = ','
		if i >= len(special) || special[i] == nil || !special[i](p, v) {
			p.arg(v)
		}
	}
	if len(args) > 0 {
		p.out = append(p.out, ')')
	}
	p.out = append(p.out, '\n')
}

// registers are the first n registers in b, or those that are there.
func registers(b []byte, n int) []int64 {
	var list []int64
	for ; n > 0 && len(b) >= 8; n, b = n-1, b[8:] {
		list = append(list, int64(le.Uint64(b)))
	}
	return list
}

// sysret prints what a call returns: "open 3", "ioctl -1 errno 25 Inappropriate ioctl for device".
func (p *printer) sysret(r *Record) {
	var s abi.KtrSysret
	second := len(r.Data) >= abi.SizeofKtrSysret
	if raw := r.Data; second {
		s.Decode(raw) //nolint:errcheck // it is long enough
	} else {
		s.Decode(append(raw[:sysretLeast:sysretLeast], 0, 0, 0, 0, 0, 0, 0, 0)) //nolint:errcheck // it is now
	}
	p.printf("%s ", callName(int(s.Code), p.numeric || p.plain > 1))
	switch errno := abi.Errno(uint32(s.Error)); errno {
	case 0:
		p.result(s.Retval)
		if s.Retval1 != 0 {
			p.printf(", ")
			p.result(s.Retval1)
		}
	case abi.ERESTART:
		p.printf("RESTART")
	case abi.EJUSTRETURN:
		p.printf("JUSTRETURN")
	default:
		p.printf("-1 errno %d", s.Error)
		if p.plain == 0 {
			p.printf(" %s", errno.Error())
		}
	}
	p.out = append(p.out, '\n')
}

// result prints a value that a call returns, large ones in hexadecimal too.
func (p *printer) result(v int64) {
	if p.plain > 0 {
		p.arg(v)
		return
	}
	p.long(v, false)
	if !small(v) {
		p.out = append(p.out, '/')
		p.long(v, true)
	}
}

// quoted prints a path or a name.
func (p *printer) quoted(r *Record) { p.printf("\"%s\"\n", abi.CString(r.Data)) }

// text prints what a program is given.
func (p *printer) text(r *Record) { p.visible(r.Data, p.column()) }

// column is where in the line the next character goes.
func (p *printer) column() int { return len(p.out) - 1 - strings.LastIndexByte(string(p.out), '\n') }

// genio prints what was read or written.
func (p *printer) genio(r *Record) {
	var g abi.KtrGenio
	g.Decode(r.Data) //nolint:errcheck // it is long enough
	data := r.Data[abi.SizeofKtrGenio:]
	if g.Fd != -1 {
		p.printf("fd %d ", g.Fd)
	}
	verb := "wrote"
	if g.Rw == abi.UIO_READ {
		verb = "read"
	}
	p.printf("%s %d bytes\n", verb, len(data))
	if p.maxData == 0 {
		return
	}
	if p.maxData > 0 {
		data = data[:min(len(data), p.maxData)]
	}
	if p.wordSize > 0 {
		p.hex(data, p.wordSize)
		return
	}
	p.printf("       ")
	p.visible(data, 7)
}

// csw prints a context switch.
func (p *printer) csw(r *Record) {
	var c abi.KtrCsw
	c.Decode(r.Data) //nolint:errcheck // it is long enough
	what, where := "resume", "kernel"
	if c.Out != 0 {
		what = "stop"
	}
	if c.User != 0 {
		where = "user"
	}
	p.printf("%s %s\n", what, where)
}

// user prints a record of utrace(2).
func (p *printer) user(r *Record) {
	var u abi.KtrUser
	u.Decode(r.Data) //nolint:errcheck // it is long enough
	data := r.Data[abi.SizeofKtrUser:]
	if p.wordSize > 0 {
		p.printf("%s:\n", abi.CString(u.Id[:]))
		p.hex(data, p.wordSize)
		return
	}
	p.printf("%s: %d, %x\n", abi.CString(u.Id[:]), len(data), data)
}

// mib prints the name of a sysctl in numbers.
func (p *printer) mib(r *Record) {
	dot := ""
	for b := r.Data; len(b) >= 4; b = b[4:] {
		p.printf("%s%d", dot, int32(le.Uint32(b)))
		dot = "."
	}
	p.out = append(p.out, '\n')
}

// execFD prints a descriptor that a program is given.
func (p *printer) execFD(r *Record) {
	var e abi.KtrExecfd
	e.Decode(r.Data) //nolint:errcheck // it is long enough
	if name, ok := fileTypes[e.Dtype]; ok {
		p.printf("%s %d\n", name, e.Fd)
	} else {
		p.printf("UNKNOWN(%d) %d\n", e.Dtype, e.Fd)
	}
}

// fileTypes are the names of types of files.
var fileTypes = map[uint32]string{
	abi.DTYPE_VNODE: "file", abi.DTYPE_SOCKET: "socket", abi.DTYPE_PIPE: "pipe", abi.DTYPE_KQUEUE: "kqueue",
	abi.DTYPE_MISC: "misc", abi.DTYPE_CRYPTO: "crypto", abi.DTYPE_MQUEUE: "mqueue", abi.DTYPE_SEM: "semaphore",
}

// unknown prints data of which nothing is known.
func (p *printer) unknown(r *Record) {
	p.out = append(p.out, '\n')
	p.hex(r.Data, max(p.wordSize, 1))
}
