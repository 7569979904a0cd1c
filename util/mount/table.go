package mount

import (
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// usualMounts is how many mounted file systems one call can tell of.
const usualMounts = 32

// Mounted returns what is mounted, in the order in which it was: getmntinfo(3). wait is abi.ST_WAIT to ask the file
// systems, or abi.ST_NOWAIT for what is known of them.
func Mounted(sys *client.Sys, wait int) ([]abi.Statvfs, error) {
	for room := usualMounts; ; room *= 2 {
		list := make([]abi.Statvfs, room)
		n, err := sys.Getvfsstat(list, wait)
		if err != nil {
			return nil, err
		}
		if n < room {
			return list[:n], nil
		}
	}
}

// TypeName returns the type of a mounted file system.
func TypeName(st *abi.Statvfs) string { return abi.CString(st.Fstypename[:]) }

// OnName returns the directory that a file system is mounted on.
func OnName(st *abi.Statvfs) string { return abi.CString(st.Mntonname[:]) }

// FromName returns what is mounted, a device most often.
func FromName(st *abi.Statvfs) string { return abi.CString(st.Mntfromname[:]) }

// Types is the argument of -t: some types of file systems, or all but these. The zero value is all.
type Types struct {
	names []string
	not   bool
}

// ParseTypes reads a list of types, "ffs,msdos" or "noffs,msdos".
func ParseTypes(list string) Types {
	rest, not := strings.CutPrefix(list, "no")
	return Types{names: strings.Split(rest, ","), not: not}
}

// Given tells whether there was a list.
func (t Types) Given() bool { return t.names != nil }

// Has tells whether a type is one of them.
func (t Types) Has(name string) bool {
	return t.names == nil || slices.Contains(t.names, name) != t.not
}
