package tail

import (
	"bytes"
	"io"
)

// backward prints as much of the end of a file as the location says, the last line first.
func (p *printer) backward(f *file) error {
	at, size := f.at, f.size
	var broken error
	if at == nil {
		kept, err := p.keep(f.r)
		at, size, broken = bytes.NewReader(kept), int64(len(kept)), err
	}
	start, lines := int64(0), p.off
	if p.bytes {
		start, lines = max(size-p.off, 0), size
	}
	if err := p.reverseLines(at, start, size, lines); err != nil {
		return err
	}
	return broken
}

// reverseLines prints the last lines between start and end from the last to the first. A last line without a newline gets none.
func (p *printer) reverseLines(r io.ReaderAt, start, end, lines int64) error {
	var later [][]byte // of the line that begins in an earlier block: what follows, the end first
	for end > start && lines > 0 {
		from := max(end-bufferSize, start)
		b := make([]byte, end-from)
		if got, err := r.ReadAt(b, from); got < len(b) {
			return err
		}
		for lines > 0 {
			last := len(b)
			if len(later) == 0 && last > 0 {
				last-- // this ends the line, a newline or not
			}
			i := bytes.LastIndexByte(b[:last], '\n')
			if i < 0 {
				break
			}
			if !p.writeLine(b[i+1:], later) {
				return nil
			}
			b, later = b[:i+1], nil
			lines--
		}
		if len(b) > 0 {
			later = append(later, b)
		}
		end = from
	}
	if lines > 0 {
		p.writeLine(nil, later)
	}
	return nil
}

// writeLine writes a line by its beginning and the parts that follow, of which the last one comes first.
func (p *printer) writeLine(begin []byte, later [][]byte) bool {
	ok := p.write(begin)
	for i := len(later) - 1; i >= 0 && ok; i-- {
		ok = p.write(later[i])
	}
	return ok
}
