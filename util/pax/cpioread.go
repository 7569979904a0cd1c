package pax

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// errCpio is what a damaged archive gives.
var errCpio = errors.New("invalid cpio header")

// errSum is what data gives that does not have the sum of its header.
var errSum = errors.New("wrong sum")

// cpioReader reads the four kinds of cpio.
type cpioReader struct {
	r      searcher
	format *format
	big    bool // the numbers of bcpio are big endian

	n     int64 // bytes that were read
	start int64 // of the last header
	left  int64 // bytes of data
	pad   int   // and after them
	used  uint64
	links map[fileID]string // the names of files with several
	sum   uint32            // of the data so far
	check bool              // it is to come out as want
	want  uint32

	head   []byte // the last header, if it was no header
	broken bool   // data cannot be read
}

func newCpioReader(r io.Reader, f *format, big bool) *cpioReader {
	return &cpioReader{r: searcher{r: r}, format: f, big: big, links: map[fileID]string{}}
}

func (c *cpioReader) end() int64     { return c.start }
func (c *cpioReader) device() uint64 { return c.used + 1 }

func (c *cpioReader) Read(p []byte) (int, error) {
	if c.left == 0 {
		if c.check && c.sum != c.want {
			c.check = false
			return 0, errSum
		}
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.n += int64(n)
	c.left -= int64(n)
	if c.check {
		for _, b := range p[:n] {
			c.sum += uint32(b)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
		if n == 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	c.broken = c.broken || errors.Is(err, errFault)
	return n, err
}

// cut is the error of an archive that ends, or cannot be read, where more should be.
func (c *cpioReader) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	c.broken = c.broken || errors.Is(err, errFault)
	return err
}

// take reads n bytes.
func (c *cpioReader) take(n int) ([]byte, error) {
	b := make([]byte, n)
	got, err := io.ReadFull(&c.r, b)
	c.n += int64(got)
	return b, err
}

func (c *cpioReader) next() (*member, error) {
	if c.broken {
		return nil, errFault
	}
	c.check, c.head = false, nil // what nobody read is not checked
	skip, err := io.CopyN(io.Discard, &c.r, c.left+int64(c.pad))
	if c.n += skip; err != nil {
		return nil, c.cut(err)
	}
	c.left, c.pad, c.start = 0, 0, c.n
	f, err := c.header()
	if err != nil {
		return nil, err
	}
	if f.nameSize == 0 || f.nameSize > maxPath+1 {
		return nil, errCpio
	}
	name, err := c.take(int(f.nameSize))
	if err != nil {
		return nil, c.cut(err)
	}
	name, _, ended := bytes.Cut(name, []byte{0})
	if !ended || len(name) == 0 {
		return nil, errCpio
	}
	if _, err := c.take(c.format.padding(c.n - c.start)); err != nil {
		return nil, c.cut(err)
	}
	if string(name) == trailerName {
		return nil, io.EOF
	}
	return c.member(string(name), f)
}

// header reads the numbers of a header.
func (c *cpioReader) header() (f cpioFields, err error) {
	b, err := c.take(c.headerSize())
	if errors.Is(err, io.EOF) {
		return f, io.EOF
	}
	if err != nil {
		return f, c.cut(err)
	}
	f, ok := c.parse(b)
	if !ok {
		c.head = b
		return f, errCpio
	}
	return f, nil
}

// headerSize is the size of the numbers of a header.
func (c *cpioReader) headerSize() int {
	switch c.format.name {
	case "bcpio":
		return shortestHeader
	case "cpio":
		return 76
	}
	return 110
}

// parse parses the numbers of a header.
func (c *cpioReader) parse(b []byte) (f cpioFields, ok bool) {
	switch c.format.name {
	case "bcpio":
		return parseBinary(b, c.big)
	case "cpio":
		return parseOctal(b)
	}
	return parseHex(b)
}

func parseBinary(b []byte, big bool) (f cpioFields, ok bool) {
	var order binary.ByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	at := func(i int) uint64 { return uint64(order.Uint16(b[2*i:])) }
	f = cpioFields{
		dev: at(1), ino: at(2), mode: at(3), uid: at(4), gid: at(5), nlink: at(6), rdev: newDevice(at(7)),
		mtime: at(8)<<16 | at(9), nameSize: at(10), size: at(11)<<16 | at(12),
	}
	return f, at(0) == magicBinary
}

func parseOctal(b []byte) (f cpioFields, ok bool) {
	ok = string(b[:6]) == magicOctal
	at := 6
	for _, v := range [...]struct {
		n    *uint64
		size int
	}{
		{&f.dev, 6}, {&f.ino, 6}, {&f.mode, 6}, {&f.uid, 6}, {&f.gid, 6}, {&f.nlink, 6}, {&f.rdev, 6}, {&f.mtime, 11}, {&f.nameSize, 6}, {&f.size, 11},
	} {
		var digits bool
		*v.n, digits = parseDigits(b[at:at+v.size], 3)
		ok = ok && digits
		at += v.size
	}
	f.rdev = newDevice(f.rdev)
	return f, ok
}

func parseHex(b []byte) (f cpioFields, ok bool) {
	magic := string(b[:6])
	ok = magic == magicHex || magic == magicHexSum
	var major, minor, rmajor, rminor uint64
	for i, n := range [...]*uint64{
		&f.ino, &f.mode, &f.uid, &f.gid, &f.nlink, &f.mtime, &f.size, &major, &minor, &rmajor, &rminor, &f.nameSize, &f.sum,
	} {
		var digits bool
		*n, digits = parseDigits(b[6+8*i:14+8*i], 4)
		ok = ok && digits
	}
	f.dev = util.Makedev(uint32(major), uint32(minor))
	f.rdev = util.Makedev(uint32(rmajor), uint32(rminor))
	return f, ok
}

// newDevice unpacks what oldDevice packs.
func newDevice(n uint64) uint64 { return util.Makedev(uint32(n>>8), uint32(n&0xff)) }

// parseDigits reads a number of digits of so many bits each.
func parseDigits(b []byte, bits uint) (n uint64, ok bool) {
	for _, c := range b {
		d := uint64(0)
		switch {
		case c >= '0' && c <= '9':
			d = uint64(c - '0')
		case c >= 'a' && c <= 'f':
			d = uint64(c-'a') + 10
		case c >= 'A' && c <= 'F':
			d = uint64(c-'A') + 10
		default:
			return 0, false
		}
		if d >= 1<<bits {
			return 0, false
		}
		n = n<<bits | d
	}
	return n, len(b) > 0 && len(b)*int(bits) <= 64
}

// member makes a member of a header, and reads the text of a symbolic link.
func (c *cpioReader) member(name string, f cpioFields) (*member, error) {
	m := &member{name: name, st: abi.Stat{
		Dev: f.dev, Ino: f.ino, Mode: uint32(f.mode), Nlink: uint32(f.nlink), Uid: uint32(f.uid), Gid: uint32(f.gid),
		Rdev: f.rdev, Size: int64(f.size), Mtim: abi.Timespec{Sec: int64(f.mtime)},
	}}
	m.st.Atim, m.st.Ctim = m.st.Mtim, m.st.Mtim
	if m.typ() == abi.S_IFREG|abi.S_IFIFO { // a contiguous file
		m.st.Mode = m.st.Mode&^abi.S_IFMT | abi.S_IFREG
	}
	c.used = max(c.used, f.dev)
	c.left, c.pad = m.st.Size, c.format.padding(m.st.Size)
	c.sum, c.want, c.check = 0, uint32(f.sum), c.format.sums && m.isRegular() && m.st.Size > 0
	if m.isSymlink() {
		if m.st.Size > maxPath {
			return nil, errCpio
		}
		text, err := c.take(int(m.st.Size))
		if err != nil {
			return nil, c.cut(err)
		}
		m.link, c.left = string(bytes.TrimRight(text, "\x00")), 0
		if m.link == "" || bytes.IndexByte([]byte(m.link), 0) >= 0 {
			return nil, errCpio
		}
		m.st.Size = 0
	}
	if id := (fileID{f.dev, f.ino}); m.st.Nlink > 1 && !m.isDir() {
		if first, had := c.links[id]; had && first != name {
			m.hard, m.link = true, first
		} else if !had {
			c.links[id] = name
		}
	}
	return m, nil
}
