package vfs

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// NewComponent makes component rumpvfs: the file system faction with root for its root file system, in which /dev and
// /tmp are made.
func NewComponent(root *Type) *kern.Component {
	return &kern.Component{
		Name: "rumpvfs",
		Doc:  "file systems: the root file system, files, directories, fifos, devices in /dev",
		Syscalls: slices.Concat(nameSyscalls(), attrSyscalls(), dirSyscalls(), mountSyscalls(), fileSyscalls(), extattrSyscalls(),
			ktraceSyscalls()),
		Attach: func(k *kern.Kernel) error { return attachVFS(k, root) },
	}
}

// attachVFS mounts the root file system and gives every process its place in it.
func attachVFS(k *kern.Kernel, root *Type) error {
	v := newVFS(k)
	if err := v.hosts.init(k); err != nil {
		return err
	}
	if err := v.Register(root); err != nil {
		return err
	}
	t := k.KernelThread()
	if _, err := v.Mount(t, root, &MountArgs{Path: "/", VFS: v}); err != nil {
		return err
	}
	k.SetFaction(kern.FactionVFS, v)
	k.SetCwdinfo(v.newCwdinfo)
	k.AtHalt(v.halt)
	for _, d := range []struct {
		path string
		perm uint32
	}{{"/dev", 0755}, {"/tmp", 01777}} {
		n := &NewNode{Mode: abi.S_IFDIR | d.perm}
		if err := v.makeNode(t, abi.AT_FDCWD, []byte(d.path), n); err != nil {
			return err
		}
	}
	if err := k.SetDevNodeMaker(v.makeDevNode); err != nil {
		return err
	}
	return v.createSysctls()
}

// halt unmounts everything; then the host's files are not used any more.
func (v *VFS) halt() {
	v.unmountAll()
	v.hosts.close()
}

// makeDevNode makes a device special file, or a link, in /dev, and the directories above it. One that is there already is left as it is.
func (v *VFS) makeDevNode(d kern.DevNode) error {
	t := v.k.KernelThread()
	path := "/dev/" + d.Name
	for i, c := range []byte(path) {
		if c != '/' || i <= len("/dev") {
			continue
		}
		dir := &NewNode{Mode: abi.S_IFDIR | 0755}
		if err := v.makeNode(t, abi.AT_FDCWD, []byte(path[:i]), dir); err != nil && err != abi.EEXIST {
			return err
		}
	}
	n := &NewNode{Mode: d.Mode, Rdev: d.Dev}
	if d.Link != "" {
		n = &NewNode{Mode: abi.S_IFLNK | 0755, Target: d.Link}
	}
	if err := v.makeNode(t, abi.AT_FDCWD, []byte(path), n); err != abi.EEXIST {
		return err
	}
	return nil
}
