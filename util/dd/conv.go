package dd

import "bytes"

// table says what every byte becomes.
type table [256]byte

// identity is the table that changes nothing.
func identity() *table {
	var t table
	for i := range t {
		t[i] = byte(i)
	}
	return &t
}

// then returns the table that applies t and afterwards f.
func (t *table) then(f func(byte) byte) *table {
	r := new(table)
	for i, b := range t {
		r[i] = f(b)
	}
	return r
}

// charset returns the function that one of charset.go's constants is.
func charset(set string) func(byte) byte {
	return func(b byte) byte { return set[b] }
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

func upper(b byte) byte {
	if 'a' <= b && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}

// translation returns the table for the conversions of letters and of character
// sets, or nil if there are none. Letters are those of ASCII: they change before a
// conversion to EBCDIC and after one from it.
func (o *operands) translation() *table {
	var letters func(byte) byte
	switch o.conv & (convLcase | convUcase) {
	case convLcase:
		letters = lower
	case convUcase:
		letters = upper
	}
	if letters == nil && o.charset == "" {
		return nil
	}
	t := identity()
	if letters != nil && o.conv&convASCII == 0 {
		t = t.then(letters)
	}
	if o.charset != "" {
		t = t.then(charset(o.charset))
	}
	if letters != nil && o.conv&convASCII != 0 {
		t = t.then(letters)
	}
	return t
}

// converter turns input blocks into the stream that is cut into output blocks.
type converter interface {
	// convert appends what block becomes to dst. It may change block.
	convert(dst, block []byte) []byte
	// close appends what is left at the end of the input.
	close(dst []byte) []byte
}

// newConverter returns the converter that the operands ask for.
func (o *operands) newConverter(st *counts) converter {
	t := o.translation()
	switch {
	case o.conv&convBlock != 0:
		return newBlocker(o.cbs, t, st)
	case o.conv&convUnblock != 0:
		return &unblocker{cbs: o.cbs, table: t, st: st}
	case t != nil:
		return translator{t}
	}
	return copier{}
}

// copier changes nothing.
type copier struct{}

func (copier) convert(dst, block []byte) []byte { return append(dst, block...) }
func (copier) close(dst []byte) []byte          { return dst }

// translator changes byte for byte.
type translator struct{ table *table }

func (c translator) convert(dst, block []byte) []byte {
	for _, b := range block {
		dst = append(dst, c.table[b])
	}
	return dst
}

func (translator) close(dst []byte) []byte { return dst }

// blocker makes lines records of cbs bytes: conv=block.
type blocker struct {
	cbs   int
	table *table
	st    *counts

	n    int  // bytes of the line that are in its record
	cut  bool // the line was longer than the record
	open bool // the line has not ended
}

func newBlocker(cbs int, t *table, st *counts) *blocker {
	if t == nil {
		t = identity()
	}
	return &blocker{cbs: cbs, table: t, st: st}
}

func (c *blocker) convert(dst, block []byte) []byte {
	for len(block) > 0 {
		line, rest, ended := bytes.Cut(block, []byte{'\n'})
		block = rest
		c.open = true
		dst = c.add(dst, line)
		if ended {
			dst = c.pad(dst)
		}
	}
	return dst
}

// add puts more of the line into its record, as far as that has room.
func (c *blocker) add(dst, line []byte) []byte {
	fit := min(len(line), c.cbs-c.n)
	for _, b := range line[:fit] {
		dst = append(dst, c.table[b])
	}
	c.n += fit
	if fit < len(line) && !c.cut {
		c.cut = true
		c.st.truncated++
	}
	return dst
}

// pad ends the record.
func (c *blocker) pad(dst []byte) []byte {
	for ; c.n < c.cbs; c.n++ {
		dst = append(dst, c.table[' '])
	}
	c.n, c.cut, c.open = 0, false, false
	return dst
}

func (c *blocker) close(dst []byte) []byte {
	if !c.open {
		return dst
	}
	if !c.cut {
		c.st.truncated++ // a line without its newline is a truncated record
	}
	return c.pad(dst)
}

// unblocker makes records of cbs bytes lines: conv=unblock.
type unblocker struct {
	cbs    int
	table  *table
	st     *counts
	record []byte
}

func (c *unblocker) convert(dst, block []byte) []byte {
	if c.table != nil {
		for i, b := range block {
			block[i] = c.table[b]
		}
	}
	for len(block) > 0 {
		n := min(len(block), c.cbs-len(c.record))
		c.record = append(c.record, block[:n]...)
		block = block[n:]
		if len(c.record) == c.cbs {
			dst = c.line(dst)
		}
	}
	return dst
}

// line ends the record as a line, without its trailing spaces.
func (c *unblocker) line(dst []byte) []byte {
	dst = append(dst, bytes.TrimRight(c.record, " ")...)
	c.record = c.record[:0]
	return append(dst, '\n')
}

func (c *unblocker) close(dst []byte) []byte {
	if len(c.record) == 0 {
		return dst
	}
	c.st.short = true
	return c.line(dst)
}

// swapBytes exchanges the bytes of every pair and tells whether one is left over.
func swapBytes(b []byte) (odd bool) {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return len(b)%2 == 1
}
