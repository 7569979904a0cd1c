// Package hexdump is hexdump(1): it prints what files of the kernel hold, as numbers and characters, by formats.
//
// A format string is parsed into units (parse.go), and those into conversions (convert.go), which say how much of the input
// a string takes. input.go cuts the input into blocks of the size of the longest, and dump.go prints each block by every string.
//
// Start reading at run.
package hexdump

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is hexdump.
var Utility = util.Utility{
	Name:    "hexdump",
	Section: 1,
	Doc:     "ascii, decimal, hexadecimal, octal dump",
	Usage:   []string{"[-bcCdovx] [-e fmt] [-f fmt_file] [-n length] [-s skip] [file ...]"},
	Options: []util.Option{
		{Letter: 'b', Doc: "Print bytes, octal."},
		{Letter: 'C', Doc: "Print bytes, hexadecimal, and characters beside them."},
		{Letter: 'c', Doc: "Print characters."},
		{Letter: 'd', Doc: "Print numbers of two bytes, decimal."},
		{Letter: 'e', Arg: "fmt", Doc: "Print by this format string."},
		{Letter: 'f', Arg: "fmt_file", Doc: "Print by the format strings that a file of the kernel has, each on a line."},
		{Letter: 'n', Arg: "length", Doc: "Print so many bytes."},
		{Letter: 'o', Doc: "Print numbers of two bytes, octal."},
		{Letter: 's', Arg: "skip", Doc: "Leave out so many bytes at the beginning: decimal, octal or hexadecimal as in C, in units of b, k or m."},
		{Letter: 'v', Doc: "Print everything, without an asterisk for what repeats itself."},
		{Letter: 'x', Doc: "Print numbers of two bytes, hexadecimal."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to print instead of the standard input, one behind the other."}},
	Main:     run,
}

// The offset at the end of the input, alone on a line.
const offset = `"%07.7_Ax\n"`

// styles are the formats of options, and styleDefault that of none.
var styles = map[byte][]string{
	'b': {offset, `"%07.7_ax " 16/1 "%03o " "\n"`},
	'C': {`"%08.8_Ax\n"`, `"%08.8_ax  " 8/1 "%02x " "  " 8/1 "%02x "`, `"  |" 16/1 "%_p" "|\n"`},
	'c': {offset, `"%07.7_ax " 16/1 "%3_c " "\n"`},
	'd': {offset, `"%07.7_ax " 8/2 "  %05u " "\n"`},
	'o': {offset, `"%07.7_ax " 8/2 " %06o " "\n"`},
	'x': {offset, `"%07.7_ax " 8/2 "   %04x " "\n"`},
}

const styleDefault = `"%07.7_ax " 8/2 "%04x " "\n"`

func run(_ context.Context, env *util.Env) int {
	in := &input{env: env, length: -1}
	d := &dumper{env: env, in: in}
	g := env.Getopt()
	for g.Next() {
		var err error
		switch g.Letter {
		case 'b', 'C', 'c', 'd', 'o', 'x':
			err = d.add(styles[g.Letter]...)
		case 'e':
			err = d.add(g.Arg)
		case 'f':
			err = d.addFile(g.Arg)
		case 'n':
			in.length, err = length(g.Arg)
		case 's':
			in.skip, err = skip(g.Arg)
		case 'v':
			d.everything = true
		default:
			return env.UsageError()
		}
		if err != nil {
			return env.Errx("%s", err)
		}
	}
	if len(d.formats) == 0 {
		if err := d.add(offset, styleDefault); err != nil {
			return env.Errx("%s", err)
		}
	}
	in.files = g.Args()
	in.open()
	defer in.close()
	d.dump()
	return in.status
}

// length reads the argument of -n.
func length(arg string) (int64, error) {
	n, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || n < 0 {
		return 0, util.Messagef("%s: bad length value", arg)
	}
	return n, nil
}

// skipUnits are the units of -s.
var skipUnits = map[byte]int64{'b': 512, 'k': 1 << 10, 'm': 1 << 20}

// skip reads the argument of -s.
func skip(arg string) (int64, error) {
	digits, unit := arg, int64(1)
	hex := len(arg) > 1 && (arg[1] == 'x' || arg[1] == 'X')
	if n := len(arg); n > 0 && skipUnits[arg[n-1]] != 0 && !(hex && arg[n-1] == 'b') {
		digits, unit = arg[:n-1], skipUnits[arg[n-1]]
	}
	n, err := strconv.ParseInt(digits, 0, 64)
	if err != nil || n < 0 || n*unit/unit != n || strings.ContainsAny(digits, "_oOB") && !hex {
		return 0, util.Messagef("%s: bad skip value", arg)
	}
	return n * unit, nil
}

// maxFormatFile is how large a file of formats may be.
const maxFormatFile = 1 << 20

// addFile adds the formats of a file.
func (d *dumper) addFile(name string) error {
	f, err := d.env.Proc.Open(name)
	if err != nil {
		return util.Messagef("%s: %s", name, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFormatFile))
	if err != nil {
		return util.Messagef("%s: %s", name, err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimLeft(line, " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		if err := d.add(line); err != nil {
			return err
		}
	}
	return nil
}
