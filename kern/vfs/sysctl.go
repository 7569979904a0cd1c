package vfs

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// fstypesMax is how much of vfs.generic.fstypes a node announces, in bytes.
const fstypesMax = 1024

// createSysctls makes the subtree vfs.generic, as vfs(9) has it.
func (v *VFS) createSysctls() error {
	return v.k.Sysctl().Create(
		kern.SysctlNode{Path: "vfs", Num: abi.CTL_VFS},
		kern.SysctlNode{Path: "vfs.generic", Num: abi.VFS_GENERIC, Desc: "Non-specific vfs related information"},
		kern.SysctlNode{Path: "vfs.generic.fstypes", Num: abi.CTL_CREATE, Desc: "List of file systems present",
			Value: kern.SysctlString(fstypesMax, func(*kern.SysctlRequest) (string, error) {
				return strings.Join(v.Types(), " "), nil
			}, nil)},
		kern.SysctlNode{Path: "vfs.generic.magiclinks", Num: abi.VFS_MAGICLINKS,
			Desc: "Whether \"magic\" symlinks are expanded", Value: kern.SysctlIntVar(&v.magicLinks, 0, 1)},
	)
}
