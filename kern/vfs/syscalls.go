package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// nameSyscalls are the calls that find, make and take away names.
func nameSyscalls() []kern.Syscall {
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
		{Num: abi.SYS_undelete, Handler: undelete},
		{Num: abi.SYS_readlink, Handler: readlink},
		{Num: abi.SYS_readlinkat, Handler: readlinkat},
	}
}

// attrSyscalls are the calls on attributes.
func attrSyscalls() []kern.Syscall {
	return []kern.Syscall{
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
	}
}

// dirSyscalls are the calls on a process's place in the tree.
func dirSyscalls() []kern.Syscall {
	return []kern.Syscall{
		{Num: abi.SYS_chdir, Handler: chdir},
		{Num: abi.SYS_fchdir, Handler: fchdir},
		{Num: abi.SYS_chroot, Handler: chroot},
		{Num: abi.SYS_fchroot, Handler: fchroot},
		{Num: abi.SYS___getcwd, Handler: getcwd},
		{Num: abi.SYS_umask, Handler: umask},
	}
}

// mountSyscalls are the calls on file systems, and on file handles.
func mountSyscalls() []kern.Syscall {
	return []kern.Syscall{
		{Num: abi.SYS___mount50, Handler: mount},
		{Num: abi.SYS_unmount, Handler: unmount},
		{Num: abi.SYS_getvfsstat, Handler: getvfsstat},
		{Num: abi.SYS_statvfs1, Handler: statvfs1},
		{Num: abi.SYS_fstatvfs1, Handler: fstatvfs1},
		{Num: abi.SYS___getfh30, Handler: getfh},
		{Num: abi.SYS___fhopen40, Handler: fhopen},
		{Num: abi.SYS___fhstat50, Handler: fhstat},
		{Num: abi.SYS___fhstatvfs140, Handler: fhstatvfs},
		{Num: abi.SYS_sync, Handler: syncAll},
		{Num: abi.SYS___quotactl, Handler: quotactl},
	}
}

// fileSyscalls are the calls on open files that only vnodes know.
func fileSyscalls() []kern.Syscall {
	return []kern.Syscall{
		{Num: abi.SYS_pathconf, Handler: pathconf},
		{Num: abi.SYS_fpathconf, Handler: fpathconf},
		{Num: abi.SYS___getdents30, Handler: getdents},
		{Num: abi.SYS_flock, Handler: flock},
		{Num: abi.SYS_revoke, Handler: revoke},
		{Num: abi.SYS___posix_fadvise50, Handler: posixFadvise},
		{Num: abi.SYS_posix_fallocate, Handler: posixFallocate},
		{Num: abi.SYS_fdiscard, Handler: fdiscard},
	}
}
