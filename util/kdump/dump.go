package kdump

import (
	"bytes"
	"fmt"
)

// visible prints data between quotes, as vis(3) with VIS_CSTYLE, in lines of the screen's width. It begins in a column.
func (p *printer) visible(b []byte, column int) {
	p.out = append(p.out, '"')
	column++
	for i, c := range b {
		next := byte(0)
		if i+1 < len(b) {
			next = b[i+1]
		}
		s := vis(c, next)
		width := len(s)
		if c == '\t' {
			width = 8 - column&7
		}
		if column+width > p.width-2 {
			p.out = append(p.out, "\\\n\t"...)
			if column = 8; c == '\t' {
				width = 8
			}
		}
		column += width
		p.out = append(p.out, s...)
	}
	p.out = append(p.out, '"', '\n')
}

// cstyle are the characters that have names in C.
var cstyle = map[byte]string{'\n': `\n`, '\r': `\r`, '\b': `\b`, '\a': `\a`, '\v': `\v`, '\f': `\f`, '\\': `\\`, '"': `\"`}

// vis is a character as vis(3) has it with VIS_CSTYLE, quotes and newlines encoded. next is the character after it.
func vis(c, next byte) string {
	if s, ok := cstyle[c]; ok {
		return s
	}
	switch low := c & 0x7f; {
	case c == 0 && '0' <= next && next <= '7':
		return `\000`
	case c == 0:
		return `\0`
	case c == '\t', ' ' <= c && c <= '~':
		return string(rune(c))
	case low == ' ':
		return `\240`
	case c < 0x80:
		return `\^` + string(rune(c^0x40))
	case low < ' ' || low == 0x7f:
		return `\M^` + string(rune(low^0x40))
	default:
		return `\M-` + string(rune(low))
	}
}

// lineBytes is how many bytes a line of a hexadecimal dump has.
const lineBytes = 16

// hex prints data in hexadecimal, by words of the machine's byte order, and as text. Of lines that are the same only
// the first is printed, and stars.
func (p *printer) hex(b []byte, word int) {
	same := 0
	for off := 0; off < len(b); off += lineBytes {
		line := b[off:min(off+lineBytes, len(b))]
		last := off+lineBytes >= len(b)
		if off > 0 && !last && bytes.Equal(line, b[off-lineBytes:off]) {
			same++
			continue
		}
		switch {
		case same == 1:
			p.hexLine(off-lineBytes, b[off-lineBytes:off], word)
		case same > 1:
			p.printf("\t%.*s\n", len(fmt.Sprintf("%3x", off)), "*****")
		}
		same = 0
		p.hexLine(off, line, word)
	}
}

// hexLine prints a line of a dump.
func (p *printer) hexLine(off int, line []byte, word int) {
	group, size, gap := word, 2, 3 // bytes of a group, columns of a byte, columns before a group
	switch word {
	case 1:
		group, size, gap = 8, 3, 1
	case 2:
		gap = 2
	}
	width := lineBytes*size + lineBytes/group*gap
	if word != 1 {
		width += 2
	}
	columns := bytes.Repeat([]byte{' '}, width)
	text := make([]byte, len(line))
	for i, c := range line {
		at := (i/group+1)*gap + (i^(word-1))*size
		copy(columns[at:], fmt.Sprintf("%02x", c))
		if text[i] = c; c <= ' ' || c > '~' {
			text[i] = '.'
		}
	}
	p.printf("\t%-5s%s%s\n", fmt.Sprintf("%03x", off), columns, text)
}
