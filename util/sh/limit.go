package sh

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// limit is a resource limit as ulimit knows it.
type limit struct {
	letter byte
	name   string
	which  int
	unit   uint64 // bytes or the like in one unit of ulimit's
	units  string
}

var limits = [...]limit{
	{'t', "time", abi.RLIMIT_CPU, 1, "seconds"},
	{'f', "file", abi.RLIMIT_FSIZE, 512, "blocks"},
	{'d', "data", abi.RLIMIT_DATA, 1024, "kbytes"},
	{'s', "stack", abi.RLIMIT_STACK, 1024, "kbytes"},
	{'c', "coredump", abi.RLIMIT_CORE, 512, "blocks"},
	{'m', "memory", abi.RLIMIT_RSS, 1024, "kbytes"},
	{'l', "locked memory", abi.RLIMIT_MEMLOCK, 1024, "kbytes"},
	{'r', "thread", abi.RLIMIT_NTHR, 1, "threads"},
	{'p', "process", abi.RLIMIT_NPROC, 1, "processes"},
	{'n', "nofiles", abi.RLIMIT_NOFILE, 1, "descriptors"},
	{'b', "sbsize", abi.RLIMIT_SBSIZE, 1, "bytes"},
	{'v', "vmemory", abi.RLIMIT_AS, 1024, "kbytes"},
}

// ulimitCommand is the builtin ulimit: it shows and sets the resource limits of the shell's process on
// the kernel.
func ulimitCommand(s *shell, args []string) int {
	letters := "aHS"
	for _, l := range limits {
		letters += string(l.letter)
	}
	opts, operands, ok := s.getoptions(args, letters)
	if !ok || len(operands) > 1 {
		return s.usage("ulimit [-H | -S] [-a | -tfdscmlrpnbv [limit]]")
	}
	if opts.has('a') {
		return s.showLimits(opts.has('H'))
	}
	chosen := limits[1]
	for _, l := range limits {
		if opts.has(l.letter) {
			chosen = l
		}
	}
	var lim abi.Rlimit
	if err := s.proc.Sys().Getrlimit(chosen.which, &lim); err != nil {
		s.warn("ulimit: %s", util.ErrorText(err))
		return exitError
	}
	if len(operands) == 0 {
		return s.print(chosen.text(lim, opts.has('H')) + "\n")
	}
	n, ok := chosen.value(operands[0])
	if !ok {
		s.warn("ulimit: bad number: %s", operands[0])
		return exitError
	}
	both := opts.has('H') == opts.has('S')
	if both || opts.has('S') {
		lim.Cur = n
	}
	if both || opts.has('H') {
		lim.Max = n
	}
	if err := s.proc.Sys().Setrlimit(chosen.which, &lim); err != nil {
		s.warn("ulimit: %s", util.ErrorText(err))
		return exitError
	}
	return 0
}

// showLimits prints all limits that the kernel knows.
func (s *shell) showLimits(hard bool) int {
	var b strings.Builder
	for _, l := range limits {
		var lim abi.Rlimit
		if err := s.proc.Sys().Getrlimit(l.which, &lim); err == nil {
			fmt.Fprintf(&b, "%-14s (-%c %-11s) %s\n", l.name, l.letter, l.units, l.text(lim, hard))
		}
	}
	return s.print(b.String())
}

// text returns a limit in its units.
func (l limit) text(lim abi.Rlimit, hard bool) string {
	n := lim.Cur
	if hard {
		n = lim.Max
	}
	if n >= abi.RLIM_INFINITY {
		return "unlimited"
	}
	return strconv.FormatUint(n/l.unit, 10)
}

// value parses a limit in its units.
func (l limit) value(text string) (uint64, bool) {
	if text == "unlimited" {
		return abi.RLIM_INFINITY, true
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return n * l.unit, err == nil && n <= abi.RLIM_INFINITY/l.unit
}

// umaskCommand is the builtin umask: the mask of the shell's process on the kernel.
func umaskCommand(s *shell, args []string) int {
	opts, operands, ok := s.getoptions(args, "S")
	if !ok || len(operands) > 1 {
		return s.usage("umask [-S] [mask]")
	}
	mask, err := s.proc.Sys().Umask(0)
	next := mask
	if err == nil && len(operands) == 1 {
		if next, ok = parseMask(operands[0], mask); !ok {
			s.warn("umask: illegal mode: %s", operands[0])
		}
	}
	if err == nil {
		_, err = s.proc.Sys().Umask(next)
	}
	switch {
	case err != nil:
		s.warn("umask: %s", util.ErrorText(err))
		return 1
	case !ok:
		return exitError
	case len(operands) == 1:
		return 0
	case opts.has('S'):
		return s.print(symbolicMask(mask) + "\n")
	}
	return s.print(fmt.Sprintf("%04o\n", mask))
}

// parseMask parses a mask: octal, or as a symbolic mode that says what to permit.
func parseMask(text string, mask uint32) (uint32, bool) {
	if n, err := strconv.ParseUint(text, 8, 32); err == nil {
		return uint32(n), n <= 0o777
	}
	permitted := ^mask & 0o777
	for clause := range strings.SplitSeq(text, ",") {
		var ok bool
		if permitted, ok = applyMode(clause, permitted); !ok {
			return mask, false
		}
	}
	return ^permitted & 0o777, true
}

// applyMode applies one clause of a symbolic mode, "go-w", to permissions.
func applyMode(clause string, mode uint32) (uint32, bool) {
	i := strings.IndexAny(clause, "+-=")
	if i < 0 {
		return 0, false
	}
	var who, perm uint32
	for _, c := range clause[:i] {
		switch c {
		case 'u':
			who |= 0o700
		case 'g':
			who |= 0o070
		case 'o':
			who |= 0o007
		case 'a':
			who |= 0o777
		default:
			return 0, false
		}
	}
	if i == 0 {
		who = 0o777
	}
	for _, c := range clause[i+1:] {
		bit := strings.IndexRune("xwr", c)
		if bit < 0 {
			return 0, false
		}
		perm |= 0o111 << bit
	}
	switch clause[i] {
	case '+':
		return mode | perm&who, true
	case '-':
		return mode &^ (perm & who), true
	}
	return mode&^who | perm&who, true
}

// symbolicMask returns what a mask permits: "u=rwx,g=rx,o=rx".
func symbolicMask(mask uint32) string {
	var b strings.Builder
	for i, who := range "ugo" {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%c=", who)
		permitted := ^mask >> (6 - 3*i)
		for j, c := range "rwx" {
			if permitted&(4>>j) != 0 {
				b.WriteRune(c)
			}
		}
	}
	return b.String()
}
