package util

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Permission bits, as the C library groups them.
const (
	bitsUser  = abi.S_ISUID | 0o700
	bitsGroup = abi.S_ISGID | 0o070
	bitsOther = 0o007
	bitsAll   = bitsUser | bitsGroup | bitsOther // those that '=' without a who clears
	bitsSet   = bitsAll | abi.S_ISVTX            // all that a mode can be set to
	bitsExec  = 0o111
)

// Mode is what a mode operand says: a number or a change, as setmode(3) compiles it.
type Mode struct {
	ops []modeOp
}

// modeOp is an operator with its permissions.
type modeOp struct {
	op      byte   // '+', '-', '='
	who     uint32 // bits that '=' clears
	allowed uint32 // bits that may be set or removed
	bits    uint32 // those that were named
	exec    bool   // and execute, for directories and what is executable already
	copies  string // and those of 'u', 'g', 'o'
}

// SetMode compiles a mode, octal or symbolic ("u=rw,go-w", "+X"), as setmode(3). The bits in umask stay
// as they are where nobody was named. It reports false if s is no mode.
func SetMode(s string, umask uint32) (Mode, bool) {
	if s == "" {
		return Mode{}, false
	}
	if s[0] >= '0' && s[0] <= '9' {
		bits, ok := octal(s)
		return Mode{[]modeOp{{op: '=', who: bitsSet, allowed: bitsSet, bits: bits}}}, ok
	}
	var m Mode
	for _, clause := range strings.Split(s, ",") {
		if !m.clause(clause, umask) {
			return Mode{}, false
		}
	}
	return m, true
}

// octal reads a number of permission bits.
func octal(s string) (uint32, bool) {
	var n uint32
	for i := range len(s) {
		d := s[i] - '0'
		if d > 7 || n > bitsSet {
			return 0, false
		}
		n = n<<3 | uint32(d)
	}
	return n, n <= bitsSet
}

// whoBits has what each letter before the operator stands for.
var whoBits = [...]struct {
	letter byte
	bits   uint32
}{
	{'u', bitsUser}, {'g', bitsGroup}, {'o', bitsOther}, {'a', bitsAll},
}

// clause compiles "[ugoa...][+-=][permissions]...".
func (m *Mode) clause(s string, umask uint32) bool {
	var who uint32
	for s != "" {
		bits, ok := lookupBits(whoBits[:], s[0])
		if !ok {
			break
		}
		who |= bits
		s = s[1:]
	}
	if s == "" {
		return false
	}
	for s != "" {
		op := s[0]
		if op != '+' && op != '-' && op != '=' {
			return false
		}
		n := strings.IndexAny(s[1:], "+-=") + 1
		if n == 0 {
			n = len(s)
		}
		if !m.actions(op, who, umask, s[1:n]) {
			return false
		}
		s = s[n:]
	}
	return true
}

// permBits has what each letter after the operator stands for.
var permBits = [...]struct {
	letter byte
	bits   uint32
}{
	{'r', 0o444}, {'w', 0o222}, {'x', bitsExec}, {'s', abi.S_ISUID | abi.S_ISGID}, {'t', abi.S_ISVTX},
}

func lookupBits(table []struct {
	letter byte
	bits   uint32
}, letter byte) (uint32, bool) {
	for _, t := range table {
		if t.letter == letter {
			return t.bits, true
		}
	}
	return 0, false
}

// actions compiles the permissions after one operator.
func (m *Mode) actions(op byte, who, umask uint32, perms string) bool {
	step := modeOp{op: op, who: who, allowed: who}
	if who == 0 {
		step.who, step.allowed = bitsAll, bitsAll&^umask
	}
	if step.who&^bitsOther != 0 && strings.Contains(perms, "t") {
		step.who |= abi.S_ISVTX
		step.allowed |= abi.S_ISVTX
	}
	for i := range len(perms) {
		bits, ok := lookupBits(permBits[:], perms[i])
		switch c := perms[i]; {
		case ok:
			step.bits |= bits
		case c == 'X':
			step.exec = true
		case c == 'u' || c == 'g' || c == 'o':
			step.copies += perms[i : i+1]
		default:
			return false
		}
	}
	m.ops = append(m.ops, step)
	return true
}

// Apply returns what becomes of a mode_t, type and all: getmode(3).
func (m Mode) Apply(old uint32) uint32 {
	mode := old
	for i := range m.ops {
		mode = m.ops[i].apply(mode, old)
	}
	return mode
}

// apply changes a mode that was old before the first operator.
func (o *modeOp) apply(mode, old uint32) uint32 {
	bits := o.bits
	if o.exec && (old&abi.S_IFMT == abi.S_IFDIR || old&bitsExec != 0) {
		bits |= bitsExec
	}
	for i := range len(o.copies) {
		shift := 3 * strings.IndexByte("ogu", o.copies[i])
		bits |= mode >> shift & 7 * 0o111
	}
	bits &= o.allowed
	switch o.op {
	case '+':
		return mode | bits
	case '-':
		return mode &^ bits
	}
	return mode&^o.who | bits
}

// typeLetters has the first letter of a mode by its type, in steps of 0010000.
const typeLetters = "?pc?d?b?-?l?s?w?"

// StrMode returns a mode_t as ls(1) prints it, "drwxr-xr-x ", 11 characters: strmode(3).
func StrMode(mode uint32) string {
	b := []byte("?rwxrwxrwx ")
	b[0] = typeLetters[mode&abi.S_IFMT>>12]
	for i := range 9 {
		if mode&(0o400>>i) == 0 {
			b[1+i] = '-'
		}
	}
	for _, s := range [...]struct {
		bit           uint32
		at            int
		with, without byte
	}{
		{abi.S_ISUID, 3, 's', 'S'},
		{abi.S_ISGID, 6, 's', 'S'},
		{abi.S_ISVTX, 9, 't', 'T'},
	} {
		if mode&s.bit == 0 {
			continue
		}
		if b[s.at] == 'x' {
			b[s.at] = s.with
		} else {
			b[s.at] = s.without
		}
	}
	return string(b)
}
