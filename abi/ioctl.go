package abi

import (
	"slices"
	"sort"
)

// Ioctl is a request of ioctl(2): its number, which says direction and length
// of the parameter, and its name.
type Ioctl struct {
	Cmd  uint32
	Name string
}

// Ioctls returns all known requests sorted by number. Some numbers have
// several names.
func Ioctls() []Ioctl {
	return slices.Clone(ioctls[:])
}

// IoctlName returns the name of a request, or "" if it is not known.
func IoctlName(cmd uint32) string {
	i := sort.Search(len(ioctls), func(i int) bool { return ioctls[i].Cmd >= cmd })
	if i < len(ioctls) && ioctls[i].Cmd == cmd {
		return ioctls[i].Name
	}
	return ""
}

// IOCParmLen returns the length of a request's parameter in bytes.
func IOCParmLen(cmd uint32) int { return int(cmd >> IOCPARM_SHIFT & IOCPARM_MASK) }

// IOCGroup returns the group of a request, a letter.
func IOCGroup(cmd uint32) byte { return byte(cmd >> IOCGROUP_SHIFT) }

// IOCNum returns the number of a request in its group.
func IOCNum(cmd uint32) byte { return byte(cmd) }

// IOCIn tells whether the kernel reads the parameter.
func IOCIn(cmd uint32) bool { return cmd&IOC_IN != 0 }

// IOCOut tells whether the kernel writes the parameter.
func IOCOut(cmd uint32) bool { return cmd&IOC_OUT != 0 }

// IOCVoid tells whether the request has no parameter, or a plain number in
// place of the address of one.
func IOCVoid(cmd uint32) bool { return cmd&IOC_VOID != 0 }
