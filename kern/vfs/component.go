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
		Name:     "rumpvfs",
		Doc:      "file systems: the root file system, files, directories, pipes and fifos, devices in /dev",
		Syscalls: slices.Concat(syscalls(), extattrSyscalls(), kern.ReadinessSyscalls()),
		Attach:   func(k *kern.Kernel) error { return attachVFS(k, root) },
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

// syscalls are the calls on files by name and on what is behind vnodes.
func syscalls() []kern.Syscall {
	return []kern.Syscall{
		{Num: abi.SYS_open, Handler: open},
		{Num: abi.SYS_openat, Handler: openat},
		{Num: abi.SYS_link, Handler: link},
		{Num: abi.SYS_linkat, Handler: linkat},
		{Num: abi.SYS_unlink, Handler: unlink},
		{Num: abi.SYS_unlinkat, Handler: unlinkat},
		{Num: abi.SYS_rename, Handler: rename},
		{Num: abi.SYS_renameat, Handler: renameat},
		{Num: abi.SYS___posix_rename, Handler: posixRename},
		{Num: abi.SYS_mkdir, Handler: mkdir},
		{Num: abi.SYS_mkdirat, Handler: mkdirat},
		{Num: abi.SYS_rmdir, Handler: rmdir},
		{Num: abi.SYS___mknod50, Handler: mknod},
		{Num: abi.SYS_mknodat, Handler: mknodat},
		{Num: abi.SYS_mkfifo, Handler: mkfifo},
		{Num: abi.SYS_mkfifoat, Handler: mkfifoat},
		{Num: abi.SYS_symlink, Handler: symlink},
		{Num: abi.SYS_symlinkat, Handler: symlinkat},
		{Num: abi.SYS_readlink, Handler: readlink},
		{Num: abi.SYS_readlinkat, Handler: readlinkat},
		{Num: abi.SYS___stat50, Handler: stat},
		{Num: abi.SYS___lstat50, Handler: lstat},
		{Num: abi.SYS_fstatat, Handler: fstatat},
		{Num: abi.SYS_access, Handler: access},
		{Num: abi.SYS_faccessat, Handler: faccessat},
		{Num: abi.SYS_chmod, Handler: chmod},
		{Num: abi.SYS_fchmod, Handler: fchmod},
		{Num: abi.SYS_lchmod, Handler: lchmod},
		{Num: abi.SYS_fchmodat, Handler: fchmodat},
		{Num: abi.SYS_chown, Handler: chownPath(follow, false)},
		{Num: abi.SYS_fchown, Handler: chownFD(false)},
		{Num: abi.SYS_lchown, Handler: chownPath(nofollow, false)},
		{Num: abi.SYS_fchownat, Handler: fchownat},
		{Num: abi.SYS___posix_chown, Handler: chownPath(follow, true)},
		{Num: abi.SYS___posix_fchown, Handler: chownFD(true)},
		{Num: abi.SYS___posix_lchown, Handler: chownPath(nofollow, true)},
		{Num: abi.SYS_chflags, Handler: chflags},
		{Num: abi.SYS_fchflags, Handler: fchflags},
		{Num: abi.SYS_lchflags, Handler: lchflags},
		{Num: abi.SYS___utimes50, Handler: utimes},
		{Num: abi.SYS___futimes50, Handler: futimes},
		{Num: abi.SYS___lutimes50, Handler: lutimes},
		{Num: abi.SYS_utimensat, Handler: utimensat},
		{Num: abi.SYS_futimens, Handler: futimens},
		{Num: abi.SYS_truncate, Handler: truncate},
		{Num: abi.SYS_chdir, Handler: chdir},
		{Num: abi.SYS_fchdir, Handler: fchdir},
		{Num: abi.SYS_chroot, Handler: chroot},
		{Num: abi.SYS_fchroot, Handler: fchroot},
		{Num: abi.SYS___getcwd, Handler: getcwd},
		{Num: abi.SYS_umask, Handler: umask},
		{Num: abi.SYS_pathconf, Handler: pathconf},
		{Num: abi.SYS_fpathconf, Handler: fpathconf},
		{Num: abi.SYS___mount50, Handler: mount},
		{Num: abi.SYS_unmount, Handler: unmount},
		{Num: abi.SYS_getvfsstat, Handler: getvfsstat},
		{Num: abi.SYS_statvfs1, Handler: statvfs1},
		{Num: abi.SYS_fstatvfs1, Handler: fstatvfs1},
		{Num: abi.SYS___getfh30, Handler: getfh},
		{Num: abi.SYS___fhopen40, Handler: fhopen},
		{Num: abi.SYS___fhstat50, Handler: fhstat},
		{Num: abi.SYS___fhstatvfs140, Handler: fhstatvfs},
		{Num: abi.SYS___getdents30, Handler: getdents},
		{Num: abi.SYS_sync, Handler: syncAll},
		{Num: abi.SYS_flock, Handler: flock},
		{Num: abi.SYS_revoke, Handler: revoke},
		{Num: abi.SYS___posix_fadvise50, Handler: posixFadvise},
		{Num: abi.SYS_posix_fallocate, Handler: posixFallocate},
		{Num: abi.SYS_fdiscard, Handler: fdiscard},
		{Num: abi.SYS___quotactl, Handler: quotactl},
	}
}
