package hexdump

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// dumper prints the input.
type dumper struct {
	env        *util.Env
	in         *input
	formats    []*format
	everything bool // -v

	block int   // the size of blocks
	end   int64 // of the input, once it is known; -1 before
	line  []byte
}

// add adds format strings.
func (d *dumper) add(texts ...string) error {
	for _, text := range texts {
		f, err := parse(text)
		if err != nil {
			return err
		}
		d.formats = append(d.formats, f)
	}
	return nil
}

// dump prints the input, block by block.
func (d *dumper) dump() {
	for _, f := range d.formats {
		d.block = max(d.block, f.size)
	}
	for _, f := range d.formats {
		f.extend(d.block)
	}
	d.end = -1
	if d.block > 0 && !d.blocks() {
		return
	}
	if d.end < 0 {
		d.end = d.in.pos
	}
	if d.end > 0 {
		d.last()
	}
}

// blocks prints the blocks, and tells whether somebody reads that. The first of those that repeat the one before is an asterisk,
// the others are nothing.
func (d *dumper) blocks() bool {
	block, before := make([]byte, d.block), make([]byte, d.block)
	printed, repeated := 0, 0
	for d.end < 0 {
		n := d.in.read(block)
		if n == 0 {
			return true
		}
		address := d.in.pos
		d.in.pos += int64(n)
		if n < len(block) {
			clear(block[n:])
			d.end = d.in.pos
		}
		var err error
		if printed > 0 && !d.everything && n == len(block) && bytes.Equal(block, before) {
			if repeated++; repeated == 1 {
				_, err = fmt.Fprintln(d.env.Stdout, "*")
			}
		} else {
			err = d.print(block, address)
			printed, repeated = printed+1, 0
			block, before = before, block
		}
		if err != nil {
			return false
		}
	}
	return true
}

// print prints a block by each string.
func (d *dumper) print(block []byte, address int64) error {
	for _, f := range d.formats {
		at := 0
		for _, u := range f.units {
			if u.atEnd() {
				break
			}
			for n := range u.repeat {
				at = d.unit(u, block, at, address, u.repeat > 1 && n == u.repeat-1)
				if err := d.flush(maxLine); err != nil {
					return err
				}
			}
		}
	}
	return d.flush(1)
}

// maxLine is how much is gathered of the output before it is written.
const maxLine = 64 << 10

// flush writes what is gathered if it is so much.
func (d *dumper) flush(least int) error {
	if len(d.line) < least {
		return nil
	}
	_, err := d.env.Stdout.Write(d.line)
	d.line = d.line[:0]
	return err
}

// atEnd tells whether a unit is printed at the end of the input alone.
func (u *unit) atEnd() bool {
	for _, p := range u.parts {
		if p.end {
			return true
		}
	}
	return false
}

// unit prints an iteration of a unit, and returns where the next one begins in the block. The last of several leaves out blanks
// at its end.
func (d *dumper) unit(u *unit, block []byte, at int, address int64, last bool) int {
	for i := range u.parts {
		p := &u.parts[i]
		text := p.text
		if last && i == len(u.parts)-1 && p.show == nil && p.at == 0 {
			text = strings.TrimRight(text, " \t\n\v\f\r")
		}
		d.line = append(d.line, text...)
		here := address + int64(at)
		switch {
		case p.show == nil && p.at == 0:
		case d.end >= 0 && here >= d.end:
			d.line = append(d.line, p.blank()...)
		case p.at != 0:
			d.line = append(d.line, p.directive.Uint(uint64(here), p.base())...)
		default:
			d.line = append(d.line, p.show(p.directive, block[at:at+p.size])...)
		}
		at += p.size
	}
	return at + u.rest
}

// base is the letter by which an offset is printed.
func (p *part) base() byte {
	if p.at == 'd' {
		return 'u'
	}
	return p.at
}

// blank is what is printed past the end of the input: as an empty text.
func (p *part) blank() string {
	return util.Directive{Width: p.directive.Width, Precision: -1}.String("")
}

// last prints the last unit that is printed at the end of the input.
func (d *dumper) last() {
	var found *unit
	for _, f := range d.formats {
		for _, u := range f.units {
			if u.atEnd() {
				found = u
			}
		}
	}
	if found == nil {
		return
	}
	for _, p := range found.parts {
		io.WriteString(d.env.Stdout, p.text)
		if p.at != 0 {
			io.WriteString(d.env.Stdout, p.directive.Uint(uint64(d.end), p.base()))
		}
	}
}
