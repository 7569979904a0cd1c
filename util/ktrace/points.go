package ktrace

import "github.com/rumpctrl/rumpctrl/abi"

// Trace points: all that there are, and those that are traced when nothing else is said.
const (
	AllPoints     = DefaultPoints | abi.KTRFAC_CSW | abi.KTRFAC_EXEC_ARG | abi.KTRFAC_EXEC_ENV | abi.KTRFAC_EXEC_FD | abi.KTRFAC_MIB
	DefaultPoints = abi.KTRFAC_SYSCALL | abi.KTRFAC_SYSRET | abi.KTRFAC_NAMEI | abi.KTRFAC_GENIO | abi.KTRFAC_PSIG |
		abi.KTRFAC_EMUL | abi.KTRFAC_USER
)

// points are the letters of trace points.
var points = map[rune]uint32{
	'A': AllPoints,
	'a': abi.KTRFAC_EXEC_ARG,
	'c': abi.KTRFAC_SYSCALL | abi.KTRFAC_SYSRET,
	'e': abi.KTRFAC_EMUL,
	'f': abi.KTRFAC_EXEC_FD,
	'i': abi.KTRFAC_GENIO,
	'n': abi.KTRFAC_NAMEI,
	'S': abi.KTRFAC_MIB,
	's': abi.KTRFAC_PSIG,
	'u': abi.KTRFAC_USER,
	'v': abi.KTRFAC_EXEC_ENV,
	'w': abi.KTRFAC_CSW,
}

// ParsePoints reads the argument of -t of ktrace(1) and kdump(1): letters of trace points, which are added to facs; those
// after a "-" are taken away, those after a "+" added again; a "+" elsewhere is the default set, and so is what a "-" at
// the beginning takes from. It returns false for an unknown letter.
func ParsePoints(facs uint32, s string) (uint32, bool) {
	if s != "" && s[0] == '-' && facs&AllPoints == 0 {
		facs |= DefaultPoints
	}
	take := false
	for _, c := range s {
		fac, known := points[c]
		switch {
		case c == '-':
			take = true
			continue
		case c == '+' && take:
			take = false
			continue
		case c == '+':
			fac = DefaultPoints
		case !known:
			return facs, false
		}
		if take {
			facs &^= fac
		} else {
			facs |= fac
		}
	}
	return facs, true
}
