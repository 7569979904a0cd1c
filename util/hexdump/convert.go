package hexdump

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// part is a conversion of a unit with the text before it, or the text at the end.
type part struct {
	text string
	size int  // of the input
	at   byte // what an offset is printed by: d, o or x; 0 for another conversion
	end  bool // the offset is printed at the end of the input

	directive util.Directive
	show      func(d util.Directive, b []byte) string // nil for text
}

// conversion is a kind of conversion.
type conversion struct {
	sizes []int // byte counts that it takes, the usual one first
	show  func(d util.Directive, b []byte) string
}

var (
	one      = []int{1}
	integers = []int{4, 1, 2, 8}
	floats   = []int{8, 4}
)

// conversions has the conversions by their letter, and those behind an underscore as "_c".
var conversions = map[string]conversion{
	"c":  {one, func(d util.Directive, b []byte) string { return d.String(string(b)) }},
	"d":  {integers, showInt},
	"i":  {integers, showInt},
	"o":  {integers, showUint('o')},
	"u":  {integers, showUint('u')},
	"X":  {integers, showUint('X')},
	"x":  {integers, showUint('x')},
	"E":  {floats, showFloat('E')},
	"e":  {floats, showFloat('e')},
	"f":  {floats, showFloat('f')},
	"G":  {floats, showFloat('G')},
	"g":  {floats, showFloat('g')},
	"_c": {one, showEscaped},
	"_p": {one, showPrintable},
	"_u": {one, showNamed},
}

// parse splits the format of a unit into its parts.
func (u *unit) parse(format string) error {
	counted := false
	for {
		text, rest, found := cutPercent(format)
		if !found {
			if text != "" {
				u.parts = append(u.parts, part{text: text})
			}
			break
		}
		p := part{text: text}
		rest, err := p.parse(rest, u.bytes)
		if err != nil {
			return err
		}
		if u.bytes > 0 && p.at == 0 {
			if counted {
				return util.Messagef("byte count with multiple conversion characters")
			}
			counted = true
		}
		u.parts, format = append(u.parts, p), rest
		u.size += p.size
	}
	if u.bytes > 0 {
		u.rest = max(u.bytes-u.size, 0)
	}
	u.size += u.rest
	return nil
}

// cutPercent returns the text before a conversion, and the conversion behind its percent sign. Two of them are one in the text.
func cutPercent(format string) (text, rest string, found bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(format, "%")
		b.WriteString(before)
		if !found || !strings.HasPrefix(after, "%") {
			return b.String(), after, found
		}
		b.WriteByte('%')
		format = after[1:]
	}
}

// parse takes a conversion off the front of a format, and returns the rest. bytes is the byte count, or 0.
func (p *part) parse(format string, bytes int) (rest string, err error) {
	p.directive = util.Directive{Precision: -1}
	s := &scanner{strings.TrimLeft(format, "-+ #0")}
	p.directive.Flags = format[:len(format)-len(s.rest)]
	p.directive.Width, _ = s.number()
	if s.see('.') {
		s.rest = s.rest[1:]
		p.directive.Precision, _ = s.number()
	}
	size := 1
	if strings.HasPrefix(s.rest, "_") {
		size = 2
	}
	if len(s.rest) < size || p.directive.Width > maxField || p.directive.Precision > maxField {
		return "", badConversion(s.rest)
	}
	letter := s.rest[:size]
	rest = s.rest[size:]
	switch {
	case letter == "_a" || letter == "_A":
		if rest == "" || strings.IndexByte("dox", rest[0]) < 0 {
			return "", badConversion(letter + rest)
		}
		p.at, p.end = rest[0], letter == "_A"
		return rest[1:], nil
	case letter == "s":
		return rest, p.string(bytes)
	}
	return rest, p.convert(letter, bytes)
}

// badConversion is the error of what is none, by what stands there.
func badConversion(text string) error { return util.Messagef("%%%s: bad conversion character", text) }

// string has a text printed: as much as the byte count or else the precision says.
func (p *part) string(bytes int) error {
	p.size = bytes
	if bytes == 0 {
		p.size = p.directive.Precision
	}
	if p.size <= 0 {
		return util.Messagef("%%s: requires a precision or a byte count")
	}
	p.show = showString
	return nil
}

// convert has a number or character printed.
func (p *part) convert(letter string, bytes int) error {
	c, ok := conversions[letter]
	if !ok {
		return badConversion(letter)
	}
	p.show, p.size = c.show, c.sizes[0]
	if bytes > 0 {
		p.size = bytes
	}
	if !slices.Contains(c.sizes, p.size) {
		return util.Messagef("%s: bad byte count", letter)
	}
	return nil
}

// number returns the number that 1, 2, 4 or 8 bytes are, in the order of amd64.
func number(b []byte) uint64 {
	var all [8]byte
	copy(all[:], b)
	return binary.LittleEndian.Uint64(all[:])
}

func showInt(d util.Directive, b []byte) string {
	unused := 64 - 8*len(b)
	return d.Int(int64(number(b)<<unused) >> unused)
}

func showUint(letter byte) func(util.Directive, []byte) string {
	return func(d util.Directive, b []byte) string { return d.Uint(number(b), letter) }
}

func showFloat(letter byte) func(util.Directive, []byte) string {
	return func(d util.Directive, b []byte) string {
		if len(b) == 4 {
			return d.Float(float64(math.Float32frombits(uint32(number(b)))), letter)
		}
		return d.Float(math.Float64frombits(number(b)), letter)
	}
}

// showString prints a text up to its NUL.
func showString(d util.Directive, b []byte) string {
	text, _, _ := strings.Cut(string(b), "\x00")
	return d.String(text)
}

func printable(c byte) bool { return c >= ' ' && c <= '~' }

// escaped are the characters that _c prints behind a backslash.
var escaped = map[byte]string{
	0: `\0`, '\a': `\a`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\v': `\v`,
}

// showEscaped is _c: what is not printable is an escape or octal.
func showEscaped(d util.Directive, b []byte) string {
	switch s, ok := escaped[b[0]]; {
	case ok:
		return d.String(s)
	case printable(b[0]):
		return d.String(string(b))
	}
	return d.String(util.Directive{Flags: "0", Width: 3, Precision: -1}.Uint(uint64(b[0]), 'o'))
}

// showPrintable is _p: what is not printable is a period.
func showPrintable(d util.Directive, b []byte) string {
	if !printable(b[0]) {
		return d.String(".")
	}
	return d.String(string(b))
}

// controls are the names of the control characters.
var controls = [...]string{
	"nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "lf", "vt", "ff", "cr", "so", "si",
	"dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc", "fs", "gs", "rs", "us",
}

// showNamed is _u: control characters have names, and what is not ASCII is hexadecimal.
func showNamed(d util.Directive, b []byte) string {
	switch c := b[0]; {
	case int(c) < len(controls):
		return d.String(controls[c])
	case c == 0x7f:
		return d.String("del")
	case printable(c):
		return d.String(string(b))
	}
	return d.Uint(uint64(b[0]), 'x')
}
