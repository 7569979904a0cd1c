package pax

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// bufferSize is how much of files and archives is moved at once where nothing asks for less.
const bufferSize = 256 << 10

// openArchive opens the archive of -f, as open(2). It is to be closed with closeArchive.
func (j *job) openArchive(flags int, what string) bool {
	if j.name == "" {
		return true
	}
	fd, err := j.sys.Open(j.name, flags|abi.O_CLOEXEC, 0o666)
	if err != nil {
		j.fail(err, "Failed open to %s on %s", what, j.name)
		return false
	}
	j.file = j.env.Proc.NewFile(fd, j.name)
	if err := j.sys.Fstat(fd, &j.st); err != nil {
		j.fail(err, "Failed stat on %s", j.name)
		return false
	}
	if j.st.Mode&abi.S_IFMT == abi.S_IFDIR {
		j.failx("Cannot write an archive on top of a directory %s", j.name)
		return false
	}
	return true
}

// closeArchive closes the archive.
func (j *job) closeArchive() {
	if j.file == nil {
		return
	}
	if err := j.file.Close(); err != nil {
		j.fail(err, "Failed close on %s", j.name)
	}
	j.file = nil
}

// openReader opens the archive for reading.
func (j *job) openReader() bool {
	return j.openArchive(abi.O_RDONLY, "read") && j.startReader()
}

// startReader finds out the format of the archive that is open.
func (j *job) startReader() bool {
	r, err := j.volumeSource()
	if err != nil {
		j.fail(err, "Cannot uncompress the archive")
		return false
	}
	return j.identify(bufio.NewReaderSize(&volumeReader{j: j, r: r}, bufferSize))
}

// kernelReader reads a file of the kernel by its descriptor.
type kernelReader struct {
	sys *client.Sys
	fd  int
}

func (k kernelReader) Read(p []byte) (int, error) {
	n, err := k.sys.Read(k.fd, p)
	if err == nil && n == 0 && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// identify finds out the format of an archive by its first header.
func (j *job) identify(in *bufio.Reader) bool {
	j.input = in
	found, big := j.findFormat()
	if found == nil {
		return false
	}
	head, _ := in.Peek(recordSize) // which findFormat did
	if j.mode == appending && j.format != nil && j.format != found {
		j.failx("Cannot mix current archive format %s with %s", found.name, j.format.name)
		return false
	}
	j.format = found
	if found.align < recordSize {
		j.reader = newCpioReader(in, found, big)
		return true
	}
	if !j.gnu && bytes.HasPrefix(head[tarMagic.at:], []byte(magicGNU)) {
		j.warnx("Trying to read GNU tar archive with GNU extensions and end-of-volume checks off")
	}
	j.reader = newTarReader(in, j.names2id)
	return true
}

// shortestHeader is the size of a header of bcpio.
const shortestHeader = 26

// identify returns the format that a header is of, and whether its numbers are big endian; nil if it is none.
func identify(head []byte) (f *format, big bool) {
	if len(head) >= recordSize {
		var b tarBlock
		copy(b[:], head)
		switch {
		case bytes.HasPrefix(b.slice(tarMagic), []byte("ustar")) && b.sound():
			return lookupFormat("ustar"), false
		case b[0] != 0 && b.sound():
			return lookupFormat("tar"), false
		}
	}
	if len(head) < shortestHeader {
		return nil, false
	}
	switch string(head[:6]) {
	case magicHexSum:
		return lookupFormat("sv4crc"), false
	case magicHex:
		return lookupFormat("sv4cpio"), false
	case magicOctal:
		return lookupFormat("cpio"), false
	}
	big = binary.BigEndian.Uint16(head) == magicBinary
	if big || binary.LittleEndian.Uint16(head) == magicBinary {
		return lookupFormat("bcpio"), big
	}
	return nil, false
}

// drain reads what follows the end of an archive on standard input, lest its writer finds nobody listening.
func (j *job) drain() {
	if j.taken && j.input != nil && !util.IsTerminal(j.env.Stdin) {
		_, _ = io.Copy(io.Discard, j.env.Stdin) // what comes then is not ours
	}
}

// blockWriter writes whole blocks.
type blockWriter struct {
	w     io.Writer
	block int // what the length comes out a multiple of
	buf   []byte
	skew  int // bytes of the first block that are there already
}

// newBlockWriter returns a writer of blocks. If exact, each is written by itself.
func newBlockWriter(w io.Writer, block int, exact bool) *blockWriter {
	size := block
	if !exact {
		size = max(bufferSize/block, 1) * block
	}
	return &blockWriter{w: w, block: block, buf: make([]byte, 0, size)}
}

func (b *blockWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		k := min(len(p), cap(b.buf)-len(b.buf)-b.skew)
		b.buf = append(b.buf, p[:k]...)
		p = p[k:]
		if len(b.buf)+b.skew == cap(b.buf) {
			if err := b.flush(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

func (b *blockWriter) flush() error {
	_, err := b.w.Write(b.buf)
	b.buf, b.skew = b.buf[:0], 0
	return err
}

// finish fills the last block up with zeros and writes it.
func (b *blockWriter) finish() error {
	if rest := (len(b.buf) + b.skew) % b.block; rest > 0 {
		b.buf = append(b.buf, make([]byte, b.block-rest)...)
	}
	if len(b.buf) == 0 {
		return nil
	}
	return b.flush()
}

// openWriter sets up what is written to: the archive that is open, or standard output. The archive has at
// bytes already.
func (j *job) openWriter(at int64) {
	block := j.block
	if block == 0 {
		block = j.format.block
		if j.mode == appending && j.st.Size%int64(block) != 0 {
			block = recordSize
		}
	}
	exact := j.block != 0 || j.limit != 0 || j.file != nil && j.st.Mode&abi.S_IFMT != abi.S_IFREG
	j.output = newBlockWriter(j.newVolumeWriter(at), block, exact)
	j.output.skew = int(at % int64(block))
}
