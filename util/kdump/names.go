package kdump

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// le is the byte order of a trace.
var le = binary.LittleEndian

// argPrinter prints an argument by its meaning. It returns false if it knows none.
type argPrinter func(p *printer, v int64) bool

// specialArgs are the calls of which arguments have names.
var specialArgs = map[string][]argPrinter{
	"ioctl":                {nil, (*printer).request},
	"fcntl":                {nil, (*printer).fcntl},
	"kill":                 {nil, (*printer).killed},
	"__sigaction14":        {(*printer).signal},
	"__sigaction_sigtramp": {(*printer).signal},
}

// request prints a request of ioctl(2): "TIOCGETA", or what it is made of.
func (p *printer) request(v int64) bool {
	cmd := uint32(v)
	if name := abi.IoctlName(cmd); name != "" {
		p.printf("%s", name)
		return true
	}
	dir := ""
	if abi.IOCIn(cmd) {
		dir = "W"
	}
	if abi.IOCOut(cmd) {
		dir += "R"
	}
	group := fmt.Sprintf("0x%02x", abi.IOCGroup(cmd))
	if c := abi.IOCGroup(cmd); ' ' <= c && c <= '~' {
		group = fmt.Sprintf("'%c'", c)
	}
	p.printf("_IO%s(%s,", dir, group)
	p.long(int64(abi.IOCNum(cmd)), !p.decimal && abi.IOCNum(cmd) != 0)
	if !abi.IOCVoid(cmd) {
		p.printf(",")
		p.long(int64(abi.IOCParmLen(cmd)), !p.decimal && abi.IOCParmLen(cmd) != 0)
	}
	p.printf(")")
	return true
}

// fcntlNames are the commands of fcntl(2).
var fcntlNames = map[int64]string{
	abi.F_DUPFD: "F_DUPFD", abi.F_GETFD: "F_GETFD", abi.F_SETFD: "F_SETFD", abi.F_GETFL: "F_GETFL", abi.F_SETFL: "F_SETFL",
	abi.F_GETOWN: "F_GETOWN", abi.F_SETOWN: "F_SETOWN", abi.F_GETLK: "F_GETLK", abi.F_SETLK: "F_SETLK",
	abi.F_SETLKW: "F_SETLKW", abi.F_CLOSEM: "F_CLOSEM", abi.F_MAXFD: "F_MAXFD", abi.F_DUPFD_CLOEXEC: "F_DUPFD_CLOEXEC",
	abi.F_GETNOSIGPIPE: "F_GETNOSIGPIPE", abi.F_SETNOSIGPIPE: "F_SETNOSIGPIPE",
}

func (p *printer) fcntl(v int64) bool {
	name, ok := fcntlNames[v]
	if !ok {
		name = fmt.Sprintf("%#x", uint64(v))
	}
	p.printf("%s", name)
	return true
}

// killed prints the signal of kill(2), before which kdump(1) puts a blank.
func (p *printer) killed(v int64) bool {
	p.printf(" ")
	return p.signal(v)
}

func (p *printer) signal(v int64) bool {
	p.printf("%s", signalName(v))
	return true
}

// signalName is the name of a signal: "SIGHUP".
func signalName(n int64) string {
	if name := abi.SignalName(int(n)); strings.HasPrefix(name, "SIG") {
		return name
	}
	if n == 0 {
		return "SIG 0"
	}
	return fmt.Sprintf("SIG*unknown %d*", n)
}

// psig prints a signal and what is done about it.
func (p *printer) psig(r *Record) {
	var s abi.KtrPsig
	s.Decode(r.Data) //nolint:errcheck // it is long enough
	p.printf("%s ", signalName(int64(s.Signo)))
	if s.Action == 0 {
		p.printf("SIG_DFL")
	} else {
		p.printf("caught handler=%#x mask=(%s)", s.Action, signalSet(&s.Mask))
	}
	switch info := r.Data[abi.SizeofKtrPsig:]; {
	case len(info) < siginfoLeast && s.Code != 0:
		p.printf(" code=%#x", uint32(s.Code))
	case len(info) >= siginfoLeast:
		p.siginfo(info)
	}
	p.out = append(p.out, '\n')
}

// signalSet is the numbers of the signals in a set.
func signalSet(set *abi.Sigset) string {
	var list []string
	for n := 1; n <= 32*len(set.Bits); n++ {
		if set.Bits[(n-1)/32]&(1<<((n-1)%32)) != 0 {
			list = append(list, fmt.Sprint(n))
		}
	}
	return strings.Join(list, ",")
}

// Where siginfo_t has what is printed of it.
const (
	siginfoCode  = 4
	siginfoPID   = 16
	siginfoUID   = 20
	siginfoLeast = 24
)

// siginfo prints where a signal comes from.
func (p *printer) siginfo(b []byte) {
	pid, uid := int32(le.Uint32(b[siginfoPID:])), int32(le.Uint32(b[siginfoUID:]))
	switch code := int32(le.Uint32(b[siginfoCode:])); code {
	case abi.SI_USER:
		p.printf(": code=SI_USER sent by pid=%d, uid=%d", pid, uid)
	case abi.SI_LWP:
		p.printf(": code=SI_LWP sent by pid=%d, uid=%d", pid, uid)
	case abi.SI_NOINFO:
		p.printf(": code=SI_NOINFO")
	default:
		p.printf(": code=%d", code)
	}
}
