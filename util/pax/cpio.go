package pax

import (
	"encoding/binary"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// The formats of cpio begin with these, cpio(5).
const (
	magicBinary = 0o70707
	magicOctal  = "070707"
	magicHex    = "070701"
	magicHexSum = "070702"
)

// trailerName is the name of the last member.
const trailerName = "TRAILER!!!"

// cpioFields are the numbers of a header.
type cpioFields struct {
	dev, ino, mode, uid, gid, nlink, rdev, mtime, nameSize, size, sum uint64
}

// fields returns the numbers for a member. Files are numbered anew, since most formats have no room for real
// numbers; those with one name each have a number of their own.
func (e *encoder) fields(m *member, width uint) cpioFields {
	n, known := e.numbers[fileID{m.st.Dev, m.st.Ino}]
	if !known {
		e.next++
		n = e.next
		if m.st.Nlink > 1 && !m.isDir() {
			e.numbers[fileID{m.st.Dev, m.st.Ino}] = n
		}
	}
	f := cpioFields{
		dev: e.device + n>>width, ino: n & (1<<width - 1), mode: uint64(m.st.Mode), uid: uint64(m.st.Uid), gid: uint64(m.st.Gid),
		nlink: uint64(m.st.Nlink), mtime: uint64(m.st.Mtim.Sec), nameSize: uint64(len(m.name) + 1), sum: uint64(m.sum),
	}
	switch {
	case m.isDevice():
		f.rdev = m.st.Rdev
	case m.isSymlink():
		f.size = uint64(len(m.link))
	case m.isRegular():
		f.size = uint64(m.st.Size)
	}
	return f
}

// data appends the name and the text of a symbolic link to a header.
func (e *encoder) data(header []byte, m *member) []byte {
	header = append(append(header, m.name...), 0)
	header = append(header, make([]byte, e.padding(int64(len(header))))...)
	if m.isSymlink() {
		header = append(header, m.link...)
		header = append(header, make([]byte, e.padding(int64(len(m.link))))...)
	}
	return header
}

// cpioTrailer is the last member.
func cpioTrailer(e *encoder) ([]byte, error) {
	return e.header(e, &member{name: trailerName, st: abi.Stat{Nlink: 1}})
}

// checkCpio refuses what no kind of cpio has.
func checkCpio(m *member) error {
	switch {
	case m.typ() == abi.S_IFSOCK:
		return unstorable("Cpio cannot archive a socket %s", m.path)
	case len(m.name) > maxPath:
		return unstorable("File name too long for cpio %s", m.name)
	}
	return nil
}

// octalHeader makes a header of the kind of POSIX.
func octalHeader(e *encoder, m *member) ([]byte, error) {
	if err := checkCpio(m); err != nil {
		return nil, err
	}
	f := e.fields(m, 18)
	f.rdev = oldDevice(f.rdev)
	b := []byte(magicOctal + strings.Repeat("0", 70))
	ok, at := true, len(magicOctal)
	for _, v := range [...]struct {
		n    uint64
		size int
	}{{f.dev, 6}, {f.ino, 6}, {f.mode, 6}, {f.uid, 6}, {f.gid, 6}, {f.nlink, 6}, {f.rdev, 6}, {f.mtime, 11}, {f.nameSize, 6}, {f.size, 11}} {
		ok = putDigits(b[at:at+v.size], v.n, 3) && ok
		at += v.size
	}
	if !ok {
		return nil, unstorable("Cpio header field is too small to store file %s", m.path)
	}
	return e.data(b, m), nil
}

// hexHeader makes a header of the kind of System V Release 4.
func hexHeader(e *encoder, m *member) ([]byte, error) {
	if err := checkCpio(m); err != nil {
		return nil, err
	}
	f := e.fields(m, 32)
	b := []byte(magicHex)
	if e.sums {
		b = []byte(magicHexSum)
	}
	ok := true
	for _, n := range [...]uint64{
		f.ino, f.mode, f.uid, f.gid, f.nlink, f.mtime, f.size, uint64(util.Major(f.dev)), uint64(util.Minor(f.dev)),
		uint64(util.Major(f.rdev)), uint64(util.Minor(f.rdev)), f.nameSize, f.sum,
	} {
		var digits [8]byte
		ok = putDigits(digits[:], n, 4) && ok
		b = append(b, digits[:]...)
	}
	if !ok {
		return nil, unstorable("Sv4cpio header field is too small for file %s", m.path)
	}
	return e.data(b, m), nil
}

// binaryHeader makes a header of the oldest kind, in little endian as on most machines that it came from.
func binaryHeader(e *encoder, m *member) ([]byte, error) {
	if err := checkCpio(m); err != nil {
		return nil, err
	}
	f := e.fields(m, 16)
	f.rdev = oldDevice(f.rdev)
	ok := f.mtime <= 1<<32-1 && f.size <= 1<<32-1
	var b []byte
	for _, n := range [...]uint64{
		magicBinary, f.dev, f.ino, f.mode, f.uid, f.gid, f.nlink, f.rdev, f.mtime >> 16, f.mtime & 0xffff, f.nameSize, f.size >> 16, f.size & 0xffff,
	} {
		ok = ok && n <= 0xffff
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	if !ok {
		return nil, unstorable("Bcpio header field is too small for file %s", m.path)
	}
	return e.data(b, m), nil
}

// oldDevice packs a device number as headers with one field for it have it: 8 bits of the minor. One that does not
// fit comes out too large for the field.
func oldDevice(dev uint64) uint64 {
	major, minor := uint64(util.Major(dev)), uint64(util.Minor(dev))
	if minor > 0xff {
		return 1 << 40
	}
	return major<<8 | minor
}
