package cat

// cooking is how the characters of a file are made visible, and where in the file that is. The zero value with
// its options is the beginning of a file.
type cooking struct {
	number   bool // -n
	nonBlank bool // -b: only lines that are not empty are numbered
	ends     bool // -e
	squeeze  bool // -s
	tabs     bool // -t
	visible  bool // -v

	line   int
	inLine bool // the last character was no newline
	empty  bool // the last line was empty
}

// cook appends what is printed for the characters in b.
func (c *cooking) cook(dst, b []byte) []byte {
	for _, ch := range b {
		if !c.inLine {
			if ch == '\n' && c.squeeze && c.empty {
				continue
			}
			c.empty = ch == '\n'
			dst = c.beginLine(dst, ch)
		}
		c.inLine = ch != '\n'
		dst = c.char(dst, ch)
	}
	return dst
}

// beginLine appends the line's number. ch is its first character.
func (c *cooking) beginLine(dst []byte, ch byte) []byte {
	switch {
	case !c.number:
	case !c.nonBlank || ch != '\n':
		c.line++
		dst = append(appendNumber(dst, c.line), '\t')
	case c.ends:
		dst = append(dst, "      \t"...)
	}
	return dst
}

// appendNumber appends n in at least six columns.
func appendNumber(dst []byte, n int) []byte {
	var digits [20]byte
	i := len(digits)
	for ; n > 0; n /= 10 {
		i--
		digits[i] = byte('0' + n%10)
	}
	for len(digits)-i < 6 {
		i--
		digits[i] = ' '
	}
	return append(dst, digits[i:]...)
}

// char appends a character.
func (c *cooking) char(dst []byte, ch byte) []byte {
	switch {
	case ch == '\n' && c.ends:
		return append(dst, '$', '\n')
	case ch == '\n', ch == '\t' && !c.tabs, !c.visible:
		return append(dst, ch)
	}
	if ch >= 0x80 {
		dst = append(dst, 'M', '-')
		ch &= 0x7f
	}
	switch {
	case ch == 0x7f:
		return append(dst, '^', '?')
	case ch < ' ':
		return append(dst, '^', ch|0x40)
	}
	return append(dst, ch)
}
