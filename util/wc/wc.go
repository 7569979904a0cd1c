// Package wc is wc(1): it counts lines, words, characters and bytes of files of the kernel.
//
// Start reading at run.
package wc

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"unicode"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is wc.
var Utility = util.Utility{
	Name:    "wc",
	Section: 1,
	Doc:     "word, line, and byte count",
	Usage:   []string{"[-c | -m] [-Llw] [file ...]"},
	Options: []util.Option{
		{Letter: 'c', Doc: "Count bytes."},
		{Letter: 'L', Doc: "Print the length of the longest line: in bytes, or characters with -m."},
		{Letter: 'l', Doc: "Count lines."},
		{Letter: 'm', Doc: "Count characters: those of the locale."},
		{Letter: 'w', Doc: "Count words."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to count instead of the standard input."}},
	Main:     run,
}

// counts are what there is in a file.
type counts struct {
	lines, words, size, longest int64 // size and longest are in bytes or characters
}

// counter counts.
type counter struct {
	env                         *util.Env
	lines, words, size, longest bool // what to print
	characters, utf8            bool
}

func run(_ context.Context, env *util.Env) int {
	c := &counter{env: env, utf8: env.UTF8()}
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'c':
			c.size = true
		case 'L':
			c.longest = true
		case 'l':
			c.lines = true
		case 'm':
			c.size, c.characters = true, true
		case 'w':
			c.words = true
		default:
			return env.UsageError()
		}
	}
	if !c.lines && !c.words && !c.size && !c.longest {
		c.lines, c.words, c.size = true, true, true
	}
	files := g.Args()
	if len(files) == 0 {
		n, err := c.count(env.Stdin)
		c.print(n, "")
		if err != nil {
			return env.Err(err, "stdin")
		}
		return util.ExitOK
	}
	return c.files(files)
}

// files counts the files, and all together if there are several.
func (c *counter) files(files []string) int {
	status := util.ExitOK
	var total counts
	for _, file := range files {
		f, err := c.env.Proc.Open(file)
		if err != nil {
			status = c.env.Err(err, "%s", file)
			continue
		}
		n, err := c.count(f)
		if err != nil {
			status = c.env.Err(err, "%s", file)
		}
		f.Close()
		c.print(n, " "+file)
		total.add(n)
	}
	if len(files) > 1 {
		c.print(total, " total")
	}
	return status
}

// add adds the counts of another file.
func (n *counts) add(m counts) {
	n.lines += m.lines
	n.words += m.words
	n.size += m.size
	n.longest = max(n.longest, m.longest)
}

func (c *counter) print(n counts, name string) {
	for _, column := range []struct {
		wanted bool
		n      int64
	}{{c.lines, n.lines}, {c.words, n.words}, {c.size, n.size}, {c.longest, n.longest}} {
		if column.wanted {
			fmt.Fprintf(c.env.Stdout, " %7d", column.n)
		}
	}
	fmt.Fprintln(c.env.Stdout, name)
}

// bufferSize is how much is read at a time.
const bufferSize = 64 << 10

// count counts what r has. With an error it returns what there was before.
func (c *counter) count(r io.Reader) (counts, error) {
	in := bufio.NewReaderSize(r, bufferSize)
	var n counts
	var line int64
	inWord := false
	for {
		char, length, err := c.next(in)
		if err != nil {
			n.longest = max(n.longest, line)
			if err == io.EOF {
				err = nil
			}
			return n, err
		}
		n.size += length
		line += length
		if char == '\n' {
			n.lines++
			n.longest, line = max(n.longest, line-length), 0
		}
		if isSpace(char) {
			inWord = false
		} else if !inWord {
			inWord = true
			n.words++
		}
	}
}

// next reads a character, and returns for how many bytes or characters it counts. A byte that is no part of one is one.
func (c *counter) next(in *bufio.Reader) (char rune, length int64, err error) {
	if !c.utf8 {
		b, err := in.ReadByte()
		return rune(b), 1, err
	}
	char, size, err := in.ReadRune()
	if c.characters {
		size = 1
	}
	return char, int64(size), err
}

// isSpace tells whether a character ends a word. Bytes above 127 do not, which is why these are not asked of Latin-1.
func isSpace(char rune) bool {
	return char < unicode.MaxASCII && unicode.IsSpace(char) || char > unicode.MaxLatin1 && unicode.IsSpace(char)
}
