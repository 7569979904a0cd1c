package tail

import (
	"math"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// location is where in a file to begin.
type location struct {
	given     bool
	bytes     bool  // off counts bytes, not lines
	beginning bool  // off counts from the beginning of the file: what is left out
	off       int64 // from the end: what is printed
}

// kind is a way to find a location.
type kind struct{ bytes, beginning bool }

func (l location) kind() kind { return kind{l.bytes, l.beginning} }

// blockSize is the unit of -b.
const blockSize = 512

// options takes the options and returns the operands. It is not ok if they are used wrongly.
func (p *printer) options() (files []string, ok bool, err error) {
	args, err := modern(p.env.Args[1:])
	if err != nil {
		return nil, false, err
	}
	g := p.env.GetoptArgs(args)
	for g.Next() {
		switch g.Letter {
		case 'b':
			ok, err = p.locate(g.Arg, true, blockSize)
		case 'c':
			ok, err = p.locate(g.Arg, true, 1)
		case 'n':
			ok, err = p.locate(g.Arg, false, 1)
		case 'F', 'f':
			p.follow, p.rename, ok = true, g.Letter == 'F', true
		case 'r':
			p.reverse, ok = true, true
		default:
			ok = false
		}
		if err != nil || !ok {
			return nil, false, err
		}
	}
	if p.reverse && p.follow {
		return nil, false, nil
	}
	if !p.given {
		p.off = 10
		if p.reverse {
			p.off = math.MaxInt64
		}
	}
	return g.Args(), true, nil
}

// locate sets the location, which may be given once, from the argument of an option that counts units.
func (p *printer) locate(arg string, bytes bool, unit int64) (ok bool, err error) {
	if p.given {
		return false, nil
	}
	n, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || n > math.MaxInt64/unit || n < math.MinInt64/unit+1 {
		return false, util.Messagef("illegal offset -- %s", arg)
	}
	p.given, p.bytes, p.beginning = true, bytes, strings.HasPrefix(arg, "+")
	p.off = max(n, -n) * unit
	if p.beginning {
		p.off = max(p.off-unit, 0)
	}
	return true, nil
}

// modern puts the options of today in the place of "-5", "+5cf" and the like.
func modern(args []string) ([]string, error) {
	list := append([]string(nil), args...)
	for i := 0; i < len(list); i++ {
		arg := list[i]
		if len(arg) < 2 || arg[0] != '-' && arg[0] != '+' || strings.HasPrefix(arg, "--") {
			break
		}
		if arg[1] >= '0' && arg[1] <= '9' {
			var err error
			if list[i], err = translate(arg); err != nil {
				return nil, err
			}
			continue
		}
		if strings.IndexByte("bcnfFr", arg[1]) < 0 {
			break
		}
		if len(arg) == 2 && strings.IndexByte("bcn", arg[1]) >= 0 {
			i++
		}
	}
	return list, nil
}

// translate returns the option for a sign and a number, a unit or none, and an f or r or none.
func translate(arg string) (string, error) {
	number, flag, unit := arg, "", "n"
	if last := number[len(number)-1:]; last == "f" || last == "r" {
		number, flag = number[:len(number)-1], last
	}
	switch last := number[len(number)-1]; last {
	case 'b', 'c':
		number, unit = number[:len(number)-1], string(last)
	case 'l':
		number = number[:len(number)-1]
	default:
		if last < '0' || last > '9' {
			return "", util.Messagef("illegal option -- %s", arg)
		}
	}
	return "-" + flag + unit + number, nil
}
