package client

import (
	"encoding/binary"
	"iter"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// Dirent is a directory entry.
type Dirent struct {
	Ino  uint64
	Type uint8  // abi.DT_*; DT_UNKNOWN if the file system does not say
	Name []byte // in the buffer that Dirents was given
}

// Where the members of a struct dirent are.
const (
	direntReclen = 8
	direntNamlen = 10
	direntType   = 12
	direntName   = 13
)

var errDirent = &sysproxy.ProtocolError{What: "malformed directory entry"}

// Dirents yields the entries that Getdents has put into b, without those that are empty
// (inode 0). The last one is an error if b is not a sequence of entries.
func Dirents(b []byte) iter.Seq2[Dirent, error] {
	return func(yield func(Dirent, error) bool) {
		for len(b) > 0 {
			d, rest, ok := nextDirent(b)
			if !ok {
				yield(Dirent{}, errDirent)
				return
			}
			b = rest
			if d.Ino != 0 && !yield(d, nil) {
				return
			}
		}
	}
}

// nextDirent takes the first entry off b.
func nextDirent(b []byte) (d Dirent, rest []byte, ok bool) {
	if len(b) < direntName {
		return d, nil, false
	}
	reclen := int(binary.LittleEndian.Uint16(b[direntReclen:]))
	namlen := int(binary.LittleEndian.Uint16(b[direntNamlen:]))
	if reclen > len(b) || direntName+namlen > reclen || namlen > abi.MAXNAMLEN {
		return d, nil, false
	}
	d = Dirent{
		Ino:  binary.LittleEndian.Uint64(b),
		Type: b[direntType],
		Name: b[direntName : direntName+namlen : direntName+namlen],
	}
	return d, b[reclen:], true
}
