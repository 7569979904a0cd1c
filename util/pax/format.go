package pax

import (
	"io"

	"github.com/rumpctrl/rumpctrl/util"
)

// format is a format of archives.
type format struct {
	name     string
	block    int  // bytes that are written at once unless -b says otherwise
	align    int  // data is filled up to a multiple of so many bytes
	links    bool // a further name of a file is a header without data
	sums     bool // headers have sums of the data
	numbered bool // files are told apart by numbers
	trailer  func(e *encoder) ([]byte, error)
	header   func(e *encoder, m *member) ([]byte, error)
}

// The formats, in the order of their names.
var formats = [...]*format{
	{name: "bcpio", block: 5120, align: 2, numbered: true, header: binaryHeader, trailer: cpioTrailer},
	{name: "cpio", block: 5120, align: 1, numbered: true, header: octalHeader, trailer: cpioTrailer},
	{name: "sv4cpio", block: 5120, align: 4, numbered: true, header: hexHeader, trailer: cpioTrailer},
	{name: "sv4crc", block: 5120, align: 4, numbered: true, sums: true, header: hexHeader, trailer: cpioTrailer},
	{name: "tar", block: 10240, align: recordSize, links: true, header: oldTarHeader, trailer: tarTrailer},
	{name: "ustar", block: 10240, align: recordSize, links: true, header: ustarHeader, trailer: tarTrailer},
}

// lookupFormat returns the format of a name, or nil.
func lookupFormat(name string) *format {
	for _, f := range formats {
		if f.name == name {
			return f
		}
	}
	return nil
}

// padding returns how many bytes follow n bytes of data.
func (f *format) padding(n int64) int { return int(-n & int64(f.align-1)) }

// encoder makes headers of one archive.
type encoder struct {
	*format
	gnu     bool // GNU tar's kind of ustar
	owner   func(*member) (user, group string)
	numbers map[fileID]uint64 // of files with several names
	next    uint64            // number
	device  uint64            // the first that numbers of files may be of
}

// fileID tells files of the kernel apart.
type fileID struct{ dev, ino uint64 }

// unstorable is a member that a format cannot express. The others are written.
func unstorable(format string, args ...any) error {
	return &unstorableError{util.Messagef(format, args...)}
}

type unstorableError struct{ error }

// reader reads an archive. After next, Read has the data of the member until io.EOF.
type reader interface {
	io.Reader
	// next goes to the next member. io.EOF is the end of the archive; other errors mean that
	// no more can be read.
	next() (*member, error)
	// resync goes on to the next header after an error of a damaged archive. io.EOF: there is none.
	resync() error
	// end returns, after io.EOF, the offset of the trailer.
	end() int64
	// device returns a device number that the archive has not used.
	device() uint64
}
