package printf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// maxOutput is how much a format may print.
const maxOutput = 64 << 20

// Format prints arguments by a format, as printf(1) does, again and again until all are used up. What was wrong with them is in
// errs; out is what there was to print all the same.
func Format(format string, args []string) (out string, errs []error) {
	f := formatter{format: format, args: args}
	for {
		f.used = false
		if !f.once() || f.stop || len(f.args) == 0 || !f.used {
			break
		}
		if f.out.Len() > maxOutput {
			f.fail("%s: too much output", format)
			break
		}
	}
	return f.out.String(), f.errs
}

// formatter carries out a format.
type formatter struct {
	format string
	args   []string
	out    strings.Builder
	errs   []error
	stop   bool // a \c has been met
	used   bool // the format has taken an argument
}

func (f *formatter) fail(format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf(format, args...))
}

// once goes through the format, and tells whether it is a good one.
func (f *formatter) once() bool {
	rest := f.format
	for rest != "" && !f.stop {
		i := strings.IndexAny(rest, `%\`)
		if i < 0 {
			i = len(rest)
		}
		f.out.WriteString(rest[:i])
		rest = rest[i:]
		switch {
		case rest == "":
		case rest[0] == '\\':
			rest = rest[f.escape(rest):]
		case strings.HasPrefix(rest, "%%"):
			f.out.WriteByte('%')
			rest = rest[2:]
		default:
			n, err := f.directive(rest)
			if err != nil {
				f.errs = append(f.errs, err)
				return false
			}
			rest = rest[n:]
		}
	}
	return true
}

// escape prints the escape that text begins with and returns its length.
func (f *formatter) escape(text string) int {
	n, s, ok := formatEscapes.expand(text)
	if !ok {
		f.fail("unknown escape sequence `%s'", text[:n])
	}
	f.out.WriteString(s)
	return n
}

// directive carries out the directive that text begins with and returns its length.
func (f *formatter) directive(text string) (int, error) {
	d := util.Directive{Precision: -1}
	rest := strings.TrimLeft(text[1:], "#-+ 0")
	d.Flags = text[1 : len(text)-len(rest)]
	var err error
	if d.Width, rest, err = f.size(rest); err != nil {
		return 0, err
	}
	if strings.HasPrefix(rest, ".") {
		if d.Precision, rest, err = f.size(rest[1:]); err != nil {
			return 0, err
		}
	}
	if d.Width < 0 { // a negative one is a flag and a width
		d.Flags, d.Width = d.Flags+"-", -d.Width
	}
	if rest == "" {
		return 0, errors.New("missing format character")
	}
	if !f.convert(d, rest[0]) {
		return 0, fmt.Errorf("%s: invalid directive", text[:len(text)-len(rest)+1])
	}
	return len(text) - len(rest) + 1, nil
}

// size takes a width or precision off the front of text. A star takes it from the arguments; one that is too large counts as 0.
func (f *formatter) size(text string) (n int, rest string, err error) {
	if strings.HasPrefix(text, "*") {
		arg := f.next()
		v := f.convertNumber(arg)
		if v < -util.MaxField || v > util.MaxField {
			f.fail("%s: invalid field width", arg)
			v = 0
		}
		return int(v), text[1:], nil
	}
	rest = strings.TrimLeft(text, "0123456789")
	digits := text[:len(text)-len(rest)]
	if digits == "" {
		return 0, rest, nil
	}
	if n, err = strconv.Atoi(digits); err != nil || n > util.MaxField {
		return 0, rest, fmt.Errorf("%s: invalid field width", digits)
	}
	return n, rest, nil
}

// convert prints an argument by its conversion, and tells whether there is such a one.
func (f *formatter) convert(d util.Directive, letter byte) bool {
	var text string
	switch letter {
	case 'd', 'i':
		text = d.Int(f.integer())
	case 'o', 'u', 'x', 'X':
		text = d.Uint(f.unsigned(), letter)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		text = d.Float(f.float(), letter)
	case 'c':
		text = d.String(f.character())
	case 's':
		text = d.String(f.next())
	case 'B':
		text = d.String(Visible(f.next()))
	case 'b':
		text = d.String(f.expanded())
	default:
		return false
	}
	f.out.WriteString(text)
	return true
}

// next takes an argument, "" if there is none left.
func (f *formatter) next() string {
	f.used = true
	if len(f.args) == 0 {
		return ""
	}
	arg := f.args[0]
	f.args = f.args[1:]
	return arg
}

// character is the first character of an argument, or a NUL.
func (f *formatter) character() string {
	if arg := f.next(); arg != "" {
		return arg[:1]
	}
	return "\x00"
}

// expanded is an argument with its escapes expanded.
func (f *formatter) expanded() string {
	text, stop, unknown := argumentEscapes.all(f.next())
	for _, s := range unknown {
		f.fail("unknown escape sequence `%s'", s)
	}
	f.stop = f.stop || stop
	return text
}
