package pax

import (
	"bytes"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// field is where a field of a header is.
type field struct{ at, size int }

// The fields of ustar, ustar(5). The old tar has those up to tarLink, and zeros from there.
var (
	tarName     = field{0, 100}
	tarMode     = field{100, 8}
	tarUid      = field{108, 8}
	tarGid      = field{116, 8}
	tarSize     = field{124, 12}
	tarMtime    = field{136, 12}
	tarChecksum = field{148, 8}
	tarType     = field{156, 1}
	tarLink     = field{157, 100}
	tarMagic    = field{257, 8} // and version
	tarUname    = field{265, 32}
	tarGname    = field{297, 32}
	tarMajor    = field{329, 8}
	tarMinor    = field{337, 8}
	tarPrefix   = field{345, 155}
)

const (
	magicUstar = "ustar\x0000"
	magicGNU   = "ustar  \x00"
	longLink   = "././@LongLink"
)

// tarBlock is a header of a tar archive.
type tarBlock [recordSize]byte

func (b *tarBlock) slice(f field) []byte { return b[f.at : f.at+f.size] }

// text sets a field to a text, which may fill it.
func (b *tarBlock) text(f field, s string) { copy(b.slice(f), s) }

// octal sets a field to a number with end behind it, and tells whether it fits.
func (b *tarBlock) octal(f field, n int64, end string) bool {
	p := b.slice(f)
	digits := len(p) - copy(p[len(p)-len(end):], end)
	return putDigits(p[:digits], uint64(n), 3)
}

// putDigits fills p with the digits of n, of so many bits each, and tells whether they fit.
func putDigits(p []byte, n uint64, bits uint) bool {
	for i := len(p) - 1; i >= 0; i-- {
		p[i] = "0123456789abcdef"[n&(1<<bits-1)]
		n >>= bits
	}
	return n == 0
}

// finish sets the checksum.
func (b *tarBlock) finish() []byte {
	b.octal(tarChecksum, b.sum(), "\x00")
	return b[:]
}

// sum is the checksum that the block should have.
func (b *tarBlock) sum() int64 {
	n := int64(8 * ' ')
	for i, c := range b {
		if i < tarChecksum.at || i >= tarChecksum.at+tarChecksum.size {
			n += int64(c)
		}
	}
	return n
}

// sound tells whether the block has the checksum that it should have.
func (b *tarBlock) sound() bool {
	n, ok := parseDigits(bytes.Trim(b.slice(tarChecksum), " \x00"), 3)
	return ok && int64(n) == b.sum()
}

// typeFlag returns the type of a member in ustar; 0 if it has none.
func typeFlag(m *member) byte {
	if m.hard {
		return '1'
	}
	switch m.typ() {
	case abi.S_IFREG:
		return '0'
	case abi.S_IFLNK:
		return '2'
	case abi.S_IFCHR:
		return '3'
	case abi.S_IFBLK:
		return '4'
	case abi.S_IFDIR:
		return '5'
	case abi.S_IFIFO:
		return '6'
	}
	return 0
}

// ustarHeader makes a header of ustar, or of GNU tar.
func ustarHeader(e *encoder, m *member) ([]byte, error) {
	var out []byte
	var b tarBlock
	kind := typeFlag(m)
	if kind == 0 {
		return nil, unstorable("Ustar cannot archive a socket %s", m.path)
	}
	if len(m.link) >= tarLink.size {
		if !e.gnu {
			return nil, unstorable("Link name too long for ustar %s", m.link)
		}
		out = append(out, longHeader('K', m.link)...)
	}
	prefix, name, ok := splitName(m.name, e.gnu)
	if !ok {
		if !e.gnu {
			return nil, unstorable("File name too long for ustar %s", m.name)
		}
		out = append(out, longHeader('L', m.name)...)
		name = m.name[:tarName.size-1]
	}
	b.text(tarPrefix, prefix)
	b.text(tarName, name)
	b.text(tarLink, m.link[:min(len(m.link), tarLink.size-1)])
	b[tarType.at] = kind
	b.text(tarMagic, magicUstar)
	if e.gnu {
		b.text(tarMagic, magicGNU)
	}
	user, group := e.owner(m)
	b.text(tarUname, user[:min(len(user), tarUname.size-1)])
	b.text(tarGname, group[:min(len(group), tarGname.size-1)])
	size := int64(0)
	if kind == '0' {
		size = m.st.Size
	}
	if !b.octal(tarSize, size, "\x00") {
		return nil, unstorable("File is too long for ustar %s", m.path)
	}
	if !b.attributes(m, "\x00", "\x00") || m.isDevice() && !b.numbers(m.st.Rdev) {
		return nil, unstorable("Ustar header field is too small for %s", m.path)
	}
	return append(out, b.finish()...), nil
}

// attributes sets what every header has, and tells whether it fits.
func (b *tarBlock) attributes(m *member, end, endTime string) bool {
	return b.octal(tarMode, int64(m.st.Mode), end) &&
		b.octal(tarUid, int64(m.st.Uid), end) &&
		b.octal(tarGid, int64(m.st.Gid), end) &&
		m.st.Mtim.Sec >= 0 && b.octal(tarMtime, m.st.Mtim.Sec, endTime)
}

// numbers sets the device numbers.
func (b *tarBlock) numbers(dev uint64) bool {
	return b.octal(tarMajor, int64(util.Major(dev)), "\x00") && b.octal(tarMinor, int64(util.Minor(dev)), "\x00")
}

// splitName finds the slash at which a name is divided: the first that leaves a name short enough. GNU tar does not
// divide.
func splitName(name string, gnu bool) (prefix, rest string, ok bool) {
	if len(name) < tarName.size {
		return "", name, true
	}
	if gnu || len(name) > tarPrefix.size+tarName.size {
		return "", "", false
	}
	from := len(name) - tarName.size
	slash := strings.IndexByte(name[from:], '/') + from
	if slash < from || slash == 0 || slash >= tarPrefix.size || slash == len(name)-1 {
		return "", "", false
	}
	return name[:slash], name[slash+1:], true
}

// longHeader is GNU tar's member that has a name too long for the header of the next.
func longHeader(kind byte, name string) []byte {
	var b tarBlock
	b.text(tarName, longLink)
	b[tarType.at] = kind
	b.text(tarMagic, magicGNU)
	b.octal(tarMode, 0, "\x00")
	b.octal(tarUid, 0, "\x00")
	b.octal(tarGid, 0, "\x00")
	b.octal(tarMtime, 0, "\x00")
	b.octal(tarSize, int64(len(name)+1), "\x00")
	data := make([]byte, (len(name)+recordSize)/recordSize*recordSize)
	copy(data, name)
	return append(b.finish(), data...)
}

// oldTarHeader makes a header as 4.3BSD did. A directory is a name that ends in a slash.
func oldTarHeader(_ *encoder, m *member) ([]byte, error) {
	name := m.name
	var b tarBlock
	size := int64(0)
	switch m.typ() {
	case abi.S_IFDIR:
		name += "/"
	case abi.S_IFCHR:
		return nil, unstorable("Tar cannot archive a character device %s", m.path)
	case abi.S_IFBLK:
		return nil, unstorable("Tar cannot archive a block device %s", m.path)
	case abi.S_IFSOCK:
		return nil, unstorable("Tar cannot archive a socket %s", m.path)
	case abi.S_IFIFO:
		return nil, unstorable("Tar cannot archive a fifo %s", m.path)
	case abi.S_IFLNK:
		b[tarType.at] = '2'
	default:
		size = m.st.Size
	}
	if m.hard {
		b[tarType.at] = '1'
		size = 0
	}
	if len(m.link) >= tarLink.size {
		return nil, unstorable("Link name too long for tar %s", m.link)
	}
	if len(name) >= tarName.size {
		return nil, unstorable("File name too long for tar %s", m.name)
	}
	b.text(tarName, name)
	b.text(tarLink, m.link)
	if !b.octal(tarSize, size, " ") {
		return nil, unstorable("File is too large for tar %s", m.path)
	}
	if !b.attributes(m, " \x00", " ") {
		return nil, unstorable("Tar header field is too small for %s", m.path)
	}
	return b.finish(), nil
}

// tarTrailer is two blocks of zeros.
func tarTrailer(*encoder) ([]byte, error) { return make([]byte, 2*recordSize), nil }
