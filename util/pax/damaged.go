package pax

import (
	"archive/tar"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// defaultFaults is how many read faults in a row are stepped over unless -E says otherwise: MAXFLT of pax(1).
const defaultFaults = 10

// errFault is what a read gives if a part of the archive could not be read and was stepped over. What that was has been said.
var errFault = errors.New("a part of the archive cannot be read")

// setFaults sets the limit of -E.
func (c *config) setFaults(arg string) error {
	if strings.EqualFold(arg, "none") {
		c.faults = -1
		return nil
	}
	n, err := strconv.Atoi(arg)
	if err != nil || n < 0 {
		return util.Messagef("Error count value must be positive")
	}
	c.faults = n
	return nil
}

// fault judges an error of a volume that is read. A part of a file that cannot be read is stepped over, and the error is
// errFault then.
func (v *volumeReader) fault(err error) error {
	j := v.j
	var errno abi.Errno
	if !errors.As(err, &errno) || j.file == nil || j.gzip || j.mode == appending {
		return err
	}
	j.fail(err, "Failed read on archive volume %d", j.volume)
	if j.faults == 0 {
		return io.ErrUnexpectedEOF
	}
	if v.faults++; j.faults > 0 && v.faults > j.faults {
		j.warnx("Archive read error limit (%d) reached", j.faults)
		v.faults = 0
		if err := v.next(); err != nil {
			return io.ErrUnexpectedEOF
		}
		return errFault
	}
	if err := j.stepOver(); err != nil {
		j.failx("Unable to recover from an archive read failure.")
		return io.ErrUnexpectedEOF
	}
	j.warnx("Attempting to recover from an archive read failure.")
	return errFault
}

// stepOver goes on to the next block of the archive.
func (j *job) stepOver() error {
	block := int64(j.st.Blksize)
	if block <= 0 || j.st.Mode&abi.S_IFMT != abi.S_IFREG {
		block = recordSize
	}
	at, err := j.sys.Lseek(j.file.Fd(), 0, abi.SEEK_CUR)
	if err == nil {
		_, err = j.sys.Lseek(j.file.Fd(), block-at%block, abi.SEEK_CUR)
	}
	return err
}

// recover goes on with the next member of a damaged archive after an error, and tells whether there may be one.
func (j *job) recover(err error) bool {
	switch {
	case errors.Is(err, errFault):
		j.failx("Archive I/O error. Trying to recover.")
	case isBadHeader(err):
		j.failx("Invalid header, starting valid header search.")
	default:
		j.failArchive(err)
		return false
	}
	for err = errFault; errors.Is(err, errFault); {
		err = j.reader.resync()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		j.failArchive(err)
	}
	return err == nil
}

// isBadHeader tells whether an error means that there is something else where a header should be.
func isBadHeader(err error) bool {
	return errors.Is(err, tar.ErrHeader) || errors.Is(err, tar.ErrFieldTooLong) || errors.Is(err, errCpio)
}

// searcher reads an archive, and searches for a header where it is damaged.
type searcher struct {
	r    io.Reader
	head []byte // what search found, to be read once more
}

func (s *searcher) Read(p []byte) (int, error) {
	if len(s.head) > 0 {
		n := copy(p, s.head)
		s.head = s.head[n:]
		return n, nil
	}
	return s.r.Read(p)
}

// search goes on, byte by byte, to the next header of a size that ok takes for one. What was read in its place is passed: it may
// have the beginning. Errors: io.EOF if there is none, errFault.
func (s *searcher) search(last []byte, size int, ok func([]byte) bool) error {
	head := make([]byte, size)
	have := 0
	if len(last) == size {
		have = copy(head, last[1:])
	}
	for {
		if n, err := fill(s, head[have:]); have+n < size {
			return err
		}
		if ok(head) {
			s.head = head
			return nil
		}
		have = copy(head, head[1:])
	}
}

// resync implements reader.
func (t *tarReader) resync() error {
	last := t.in.last[:]
	if !t.in.whole {
		last = nil
	}
	t.in.whole, t.sparse = false, false
	err := t.in.r.search(last, recordSize, func(head []byte) bool {
		var b tarBlock
		copy(b[:], head)
		return b[0] != 0 && b.sound()
	})
	t.tr = tar.NewReader(t.in)
	return err
}

// resync implements reader.
func (c *cpioReader) resync() error {
	last := c.head
	if c.broken {
		last = nil
	}
	c.broken, c.left, c.pad = false, 0, 0
	return c.r.search(last, c.headerSize(), func(head []byte) bool {
		f, ok := c.parse(head)
		return ok && f.nameSize > 1 && f.nameSize <= maxPath+1
	})
}

// findFormat searches for something that any format may begin with, if the archive does not.
func (j *job) findFormat() (found *format, big bool) {
	for said := false; j.ctx.Err() == nil; {
		head, err := j.input.Peek(recordSize)
		if found, big = identify(head); found != nil {
			return found, big
		}
		if len(head) < shortestHeader || j.mode == appending {
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errFault) {
				j.failArchive(err)
				return nil, false
			}
			if !errors.Is(err, errFault) {
				break
			}
		}
		if !said {
			j.failx("Cannot identify format. Searching...")
			said = true
		}
		j.input.Discard(min(1, len(head))) //nolint:errcheck // what was peeked at is there
	}
	j.failx("Sorry, unable to determine archive format.")
	return nil, false
}
