package tail

import (
	"bufio"
	"bytes"
	"io"
)

// starts find the location in a file that can be read anywhere, and leave it to be read from there.
var starts = map[kind]func(*printer, *file) error{
	{bytes: true, beginning: true}: func(p *printer, f *file) error { return f.seek(min(p.off, f.size)) },
	{bytes: true}:                  func(p *printer, f *file) error { return f.seek(max(f.size-p.off, 0)) },
	{beginning: true}:              (*printer).skipLines,
	{}: func(p *printer, f *file) error {
		start, err := lastLines(f.at, f.size, p.off)
		if err != nil {
			return err
		}
		return f.seek(start)
	},
}

// streams find the location in a file that is read from the beginning to the end.
var streams = map[kind]func(*printer, *file) error{
	{bytes: true, beginning: true}: func(p *printer, f *file) error {
		_, err := io.CopyN(io.Discard, f.r, p.off)
		return err
	},
	{beginning: true}: (*printer).skipLines,
	{bytes: true}:     (*printer).printKept,
	{}:                (*printer).printKept,
}

// seek has the file read from an offset on. What is at that end when it was found may not be the end any more.
func (f *file) seek(off int64) error {
	_, err := f.r.(io.Seeker).Seek(off, io.SeekStart)
	return err
}

// skipLines reads as many lines as are left out, and prints what it has read of the rest.
func (p *printer) skipLines(f *file) error {
	buf := make([]byte, bufferSize)
	for left := p.off; left > 0; {
		n, err := f.r.Read(buf)
		rest := buf[:n]
		for ; left > 0 && len(rest) > 0; left-- {
			i := bytes.IndexByte(rest, '\n')
			if i < 0 {
				rest = nil
				break
			}
			rest = rest[i+1:]
		}
		if len(rest) > 0 && !p.write(rest) || err != nil {
			return err
		}
	}
	return nil
}

// printKept prints the last bytes or lines of a stream.
func (p *printer) printKept(f *file) error {
	kept, err := p.keep(f.r)
	p.write(kept)
	return err
}

// keep reads a stream to its end and returns the last bytes or lines of it, along with an error.
func (p *printer) keep(r io.Reader) ([]byte, error) {
	if p.bytes {
		return keepBytes(r, p.off)
	}
	return keepLines(r, p.off)
}

// keepBytes returns the last n bytes. It holds twice as many at most, or a buffer more.
func keepBytes(r io.Reader, n int64) ([]byte, error) {
	var kept []byte
	buf := make([]byte, bufferSize)
	for {
		got, err := r.Read(buf)
		kept = append(kept, buf[:got]...)
		if extra := int64(len(kept)) - n; extra > 0 && (err != nil || extra >= max(n, bufferSize)) {
			kept = kept[:copy(kept, kept[extra:])]
		}
		if err == io.EOF {
			return kept, nil
		}
		if err != nil {
			return kept, err
		}
	}
}

// keepLines returns the last n lines, of which the last may lack its newline.
func keepLines(r io.Reader, n int64) ([]byte, error) {
	in := bufio.NewReaderSize(r, bufferSize)
	var ring [][]byte
	next := 0 // the oldest line, once the ring is full
	for {
		line, err := in.ReadBytes('\n')
		switch {
		case len(line) == 0 || n == 0:
		case int64(len(ring)) < n:
			ring = append(ring, line)
		default:
			ring[next] = line
			next = (next + 1) % len(ring)
		}
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return bytes.Join(append(ring[next:len(ring):len(ring)], ring[:next]...), nil), err
		}
	}
}

// lastLines returns where the last n lines of a file begin. The last character ends a line whatever it is.
func lastLines(r io.ReaderAt, size, n int64) (int64, error) {
	if n == 0 {
		return size, nil
	}
	buf := make([]byte, bufferSize)
	for end := size - 1; end > 0; {
		start := max(end-bufferSize, 0)
		b := buf[:end-start]
		if got, err := r.ReadAt(b, start); got < len(b) {
			return 0, err
		}
		for i := bytes.LastIndexByte(b, '\n'); i >= 0; i = bytes.LastIndexByte(b[:i], '\n') {
			if n--; n == 0 {
				return start + int64(i) + 1, nil
			}
		}
		end = start
	}
	return 0, nil
}
