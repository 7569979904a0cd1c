package sh

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// echoCommand is the builtin echo of NetBSD: with -n no newline, with -e escapes are
// expanded.
func echoCommand(s *shell, args []string) int {
	newline, escapes := "\n", false
	args = args[1:]
	for len(args) > 0 && (args[0] == "-n" || args[0] == "-e") {
		if args[0] == "-n" {
			newline = ""
		} else {
			escapes = true
		}
		args = args[1:]
	}
	text := strings.Join(args, " ")
	if escapes {
		var stop bool
		if text, stop = expandEscapes(text, true); stop {
			newline = ""
		}
	}
	return s.print(text + newline)
}

// printfCommand is the builtin printf: XCU printf.
func printfCommand(s *shell, args []string) int {
	args = args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return s.usage("printf format [argument ...]")
	}
	p := formatter{format: args[0], args: args[1:]}
	p.run()
	status := s.print(p.out.String())
	for _, err := range p.errs {
		s.warn("printf: %v", err)
		status = 1
	}
	return status
}

// formatter carries out a format of printf(1).
type formatter struct {
	format string
	args   []string
	out    strings.Builder
	errs   []error
	stop   bool // a \c has been met
	used   bool // the format has taken an argument
}

// run goes through the format as often as there are arguments for it.
func (p *formatter) run() {
	for {
		p.used = false
		if !p.once() || p.stop || len(p.args) == 0 || !p.used || p.out.Len() > maxWord {
			return
		}
	}
}

// once goes through the format, and tells whether it is a good one.
func (p *formatter) once() bool {
	rest := p.format
	for rest != "" && !p.stop {
		i := strings.IndexAny(rest, `%\`)
		if i < 0 {
			i = len(rest)
		}
		p.out.WriteString(rest[:i])
		rest = rest[i:]
		switch {
		case rest == "":
		case rest[0] == '\\':
			n, text, stop := escape(rest, false)
			p.out.WriteString(text)
			p.stop = stop
			rest = rest[n:]
		case strings.HasPrefix(rest, "%%"):
			p.out.WriteByte('%')
			rest = rest[2:]
		default:
			n, err := p.directive(rest)
			if err != nil {
				p.errs = append(p.errs, err)
				return false
			}
			rest = rest[n:]
		}
	}
	return true
}

// directive carries out the directive that text begins with and returns its length.
func (p *formatter) directive(text string) (int, error) {
	i := 1 + len(text[1:]) - len(strings.TrimLeft(text[1:], "+-# 0"))
	spec := text[:i]
	width, i := p.size(text, i)
	precision := ""
	if i < len(text) && text[i] == '.' {
		precision, i = p.size(text, i+1)
		if precision == "" {
			precision = "0"
		}
		precision = "." + precision
		if strings.HasPrefix(precision, ".-") { // a negative one counts as none
			precision = ""
		}
	}
	if strings.HasPrefix(width, "-") {
		spec, width = spec+"-", width[1:]
	}
	if i >= len(text) {
		return 0, errors.New("missing format character")
	}
	if len(width) > 6 || len(precision) > 7 {
		return 0, errors.New("field too wide")
	}
	return i + 1, p.convert(spec, width, precision, text[i])
}

// size returns a width or precision and where it ends. A star takes it from the arguments.
func (p *formatter) size(text string, i int) (string, int) {
	if i < len(text) && text[i] == '*' {
		return strconv.FormatInt(p.integer(), 10), i + 1
	}
	end := i
	for end < len(text) && '0' <= text[end] && text[end] <= '9' {
		end++
	}
	return text[i:end], end
}

// convert writes an argument by its conversion.
func (p *formatter) convert(flags, width, precision string, c byte) error {
	spec := flags + width + precision
	switch c {
	case 'd', 'i':
		fmt.Fprintf(&p.out, spec+"d", p.integer())
	case 'u':
		fmt.Fprintf(&p.out, spec+"d", uint64(p.integer()))
	case 'o', 'x', 'X':
		fmt.Fprintf(&p.out, spec+string(c), uint64(p.integer()))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		if precision == "" {
			spec += ".6"
		}
		fmt.Fprintf(&p.out, spec+string(c), p.float())
	case 'c':
		arg := p.next()
		_, size := utf8.DecodeRuneInString(arg)
		p.text(flags, width, "", arg[:size])
	case 's':
		p.text(flags, width, precision, p.next())
	case 'b':
		text, stop := expandEscapes(p.next(), true)
		p.text(flags, width, precision, text)
		p.stop = stop
	default:
		return fmt.Errorf("%%%c: invalid directive", c)
	}
	return nil
}

// text writes text in a field; width and precision count bytes.
func (p *formatter) text(flags, width, precision, text string) {
	if n, err := strconv.Atoi(strings.TrimPrefix(precision, ".")); err == nil && n < len(text) {
		text = text[:n]
	}
	pad := ""
	if n, err := strconv.Atoi(width); err == nil && n > len(text) {
		pad = strings.Repeat(" ", n-len(text))
	}
	if strings.Contains(flags, "-") {
		p.out.WriteString(text + pad)
	} else {
		p.out.WriteString(pad + text)
	}
}

// next takes an argument, "" if there is none left.
func (p *formatter) next() string {
	p.used = true
	if len(p.args) == 0 {
		return ""
	}
	arg := p.args[0]
	p.args = p.args[1:]
	return arg
}

// integer takes an argument that is a number: decimal, octal, hexadecimal, or the code of the character after a quote.
func (p *formatter) integer() int64 {
	arg := p.next()
	if n, ok := characterCode(arg); ok {
		return n
	}
	sign, digits := int64(1), strings.TrimLeft(arg, " \t")
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = -1, rest
	} else {
		digits = strings.TrimPrefix(digits, "+")
	}
	n, ok := number(digits)
	if !ok && arg != "" {
		p.errs = append(p.errs, fmt.Errorf("%s: expected numeric value", arg))
	}
	return sign * n
}

func (p *formatter) float() float64 {
	arg := p.next()
	if n, ok := characterCode(arg); ok {
		return float64(n)
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(arg), 64)
	if err != nil && arg != "" {
		p.errs = append(p.errs, fmt.Errorf("%s: expected numeric value", arg))
	}
	return f
}

// characterCode returns the code of the character in an argument such as "'a".
func characterCode(arg string) (int64, bool) {
	if len(arg) < 2 || arg[0] != '\'' && arg[0] != '"' {
		return 0, false
	}
	r, _ := utf8.DecodeRuneInString(arg[1:])
	return int64(r), true
}

// expandEscapes expands the escapes of an argument; stop says that \c has ended it.
func expandEscapes(text string, argument bool) (expanded string, stop bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 {
			b.WriteString(text)
			return b.String(), false
		}
		b.WriteString(text[:i])
		n, s, stop := escape(text[i:], argument)
		b.WriteString(s)
		if stop {
			return b.String(), true
		}
		text = text[i+n:]
	}
}

// escapes has the escapes of one character.
var escapes = map[byte]string{
	'\\': `\`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
	'e': "\x1b", '\'': "'", '"': `"`,
}

// escape expands the escape that text begins with, and returns its length. In an argument an octal number begins with
// 0, in a format it need not.
func escape(text string, argument bool) (n int, expanded string, stop bool) {
	if len(text) < 2 {
		return len(text), text, false
	}
	c := text[1]
	if s, ok := escapes[c]; ok {
		return 2, s, false
	}
	if c == 'c' {
		return 2, "", true
	}
	if c < '0' || c > '7' {
		return 2, text[:2], false
	}
	start, digits := 1, 3
	if argument && c == '0' {
		start = 2
	}
	end := start
	for end < len(text) && end < start+digits && '0' <= text[end] && text[end] <= '7' {
		end++
	}
	v, _ := strconv.ParseUint("0"+text[start:end], 8, 16)
	return end, string([]byte{byte(v)}), false
}
