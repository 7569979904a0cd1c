package pax

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// maxPath is how long a name in an archive may be, and the text of a link: pax(1)'s PAXPATHLEN.
const maxPath = 3072

// member is a file in an archive, or one that goes into one.
type member struct {
	name string   // in the archive, or of what is made of it
	link string   // where a link leads: the text of a symbolic one, the name of a member
	hard bool     // it is another name of the member link
	st   abi.Stat // Mode, with the type; Nlink, Uid, Gid, Size and the times; Rdev of a device
	sum  uint32   // of the bytes, for sv4crc

	path  string // of the file that is read
	rel   string // the same, from the descriptor dir
	dir   int
	held  []byte   // what the file holds, as far as it is not written, if early
	early bool     // it was read ahead
	chose *pattern // that selected it

	actual *abi.Stat // of the file, if st is otherwise: -M
}

func (m *member) typ() uint32     { return m.st.Mode & abi.S_IFMT }
func (m *member) isDir() bool     { return m.typ() == abi.S_IFDIR }
func (m *member) isSymlink() bool { return m.typ() == abi.S_IFLNK }
func (m *member) isRegular() bool { return m.typ() == abi.S_IFREG }

// isDevice tells whether Rdev means anything.
func (m *member) isDevice() bool { return m.typ() == abi.S_IFCHR || m.typ() == abi.S_IFBLK }

// hasDotDot tells whether ".." is a part of a path.
func hasDotDot(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}

// olderOrSame tells whether a is not after b, by the second, which is all that archives have.
func olderOrSame(a, b abi.Timespec) bool { return a.Sec <= b.Sec }
