package stat

import (
	"io"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// maxWidth is how wide or precise an output may be asked to be.
const maxWidth = 4096

// conversion is a part of a format that prints something of the file: "%-11Sp".
type conversion struct {
	text                               string // all of it
	alternate, space, plus, zero, left bool
	width, precision                   int  // -1: none
	form                               byte // D, O, U, X, F, S; 0: the datum's own
	sub                                byte // H, M, L; 0: the whole
	datum                              byte
	explicit                           bool // the form was given
}

// bad is the error of a format.
func bad(text string) error { return util.Messagef("%s: bad format", text) }

// parse takes a conversion off the front of a format, which is a percent sign.
func parse(format string) (conversion, error) {
	c := conversion{width: -1, precision: -1}
	rest := format[1:]
	for rest != "" && c.flag(rest[0]) {
		rest = rest[1:]
	}
	c.width, rest = takeNumber(rest, -1)
	if strings.HasPrefix(rest, ".") {
		c.precision, rest = takeNumber(rest[1:], 0)
	}
	if rest != "" && strings.IndexByte("DOUXFS", rest[0]) >= 0 {
		c.form, c.explicit, rest = rest[0], true, rest[1:]
	}
	if rest != "" && strings.IndexByte("HML", rest[0]) >= 0 {
		c.sub, rest = rest[0], rest[1:]
	}
	c.text = format[:len(format)-len(rest)]
	if rest != "" {
		c.datum = rest[0]
		c.text = format[:len(c.text)+1]
	}
	if data[c.datum] == nil && c.datum != sizeOrDevice || c.width > maxWidth || c.precision > maxWidth {
		return c, bad(c.text)
	}
	return c, nil
}

// flag sets a flag and tells whether it is one.
func (c *conversion) flag(letter byte) bool {
	switch letter {
	case '#':
		c.alternate = true
	case ' ':
		c.space = true
	case '+':
		c.plus = true
	case '0':
		c.zero = true
	case '-':
		c.left = true
	default:
		return false
	}
	return true
}

// takeNumber takes digits off the front; without any the number is none. One that is too large stays so.
func takeNumber(s string, none int) (int, string) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == 0 {
		return none, s
	}
	v, err := strconv.ParseUint(s[:n], 10, 16)
	if err != nil {
		v = maxWidth + 1
	}
	return int(v), s[n:]
}

// print prints a file by the format.
func (p *printer) print(f *file) error {
	p.endsLine = true
	for rest := p.format; rest != ""; {
		if i := strings.IndexByte(rest, '%'); i != 0 {
			if i < 0 {
				i = len(rest)
			}
			p.write(rest[:i])
			rest = rest[i:]
			continue
		}
		if s, ok := p.simple(rest); ok {
			p.write(s)
			rest = rest[2:]
			continue
		}
		c, err := parse(rest)
		if err != nil {
			return err
		}
		s, err := p.convert(f, &c)
		if err != nil {
			return err
		}
		p.write(s)
		rest = rest[len(c.text):]
	}
	if !p.endsLine && !p.noNewline {
		p.write("\n")
	}
	return nil
}

func (p *printer) write(s string) {
	if s != "" {
		p.endsLine = strings.HasSuffix(s, "\n")
		io.WriteString(p.env.Stdout, s)
	}
}

// simple returns what a conversion of one letter stands for, if this is one.
func (p *printer) simple(format string) (string, bool) {
	if len(format) < 2 {
		return "", false
	}
	switch format[1] {
	case 'n':
		return "\n", true
	case 't':
		return "\t", true
	case '%':
		return "%", true
	case '@':
		return strconv.Itoa(p.number), true
	}
	return "", false
}

// convert returns what a conversion prints of a file.
func (p *printer) convert(f *file, c *conversion) (string, error) {
	if c.datum == sizeOrDevice {
		return p.convertSize(f, *c)
	}
	d := data[c.datum]
	if c.form == 0 {
		c.form = d.forms[0]
	}
	if strings.IndexByte(d.forms, c.form) < 0 || c.sub != 0 && strings.IndexByte(d.subs, c.sub) < 0 {
		return "", bad(c.text)
	}
	v := d.value(p, f, c)
	switch c.form {
	case 'S':
		return c.string(v.text, v.lead), nil
	case 'F':
		return c.float(v.number, v.nanoseconds), nil
	}
	return c.integer(v.number), nil
}

// sizeOrDevice is the datum that is "major,minor" of a device and the size of another file.
const sizeOrDevice = 'Z'

func (p *printer) convertSize(f *file, c conversion) (string, error) {
	if !isDevice(f) {
		c.datum, c.sub = 'z', 0
		return p.convert(f, &c)
	}
	high, low := c, c
	high.datum, high.sub = 'r', 'H'
	low.datum, low.sub = 'r', 'L'
	major, err := p.convert(f, &high)
	if err != nil {
		return "", err
	}
	minor, err := p.convert(f, &low)
	return major + "," + minor, err
}
