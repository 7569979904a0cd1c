package kern

import "github.com/rumpctrl/rumpctrl/abi"

// PendingSyscall is a call that a rump kernel serves and this package does not: a faction brings it.
type PendingSyscall struct {
	Num int
	// Component brings it: "rumpvfs", "rumpnet".
	Component string
}

// Pending lists the calls that a rump kernel serves and this package does not. With them and those of a kernel without
// components, every call that the ABI marks as a rump kernel's is accounted for.
func Pending() []PendingSyscall {
	var list []PendingSyscall
	for component, nums := range pendingSyscalls {
		for _, n := range nums {
			list = append(list, PendingSyscall{n, component})
		}
	}
	return list
}

var pendingSyscalls = map[string][]int{
	"rumpvfs": {
		// Names.
		abi.SYS_open, abi.SYS_openat, abi.SYS_link, abi.SYS_linkat, abi.SYS_unlink, abi.SYS_unlinkat, abi.SYS_symlink, abi.SYS_symlinkat,
		abi.SYS_readlink, abi.SYS_readlinkat, abi.SYS_rename, abi.SYS_renameat, abi.SYS___posix_rename, abi.SYS_mkdir, abi.SYS_mkdirat,
		abi.SYS_rmdir, abi.SYS_mkfifo, abi.SYS_mkfifoat, abi.SYS___mknod50, abi.SYS_mknodat, abi.SYS___getdents30,
		// Where a process is.
		abi.SYS_chdir, abi.SYS_fchdir, abi.SYS_chroot, abi.SYS_fchroot, abi.SYS___getcwd, abi.SYS_umask,
		// Attributes.
		abi.SYS___stat50, abi.SYS___lstat50, abi.SYS_fstatat, abi.SYS_access, abi.SYS_faccessat, abi.SYS_chmod, abi.SYS_fchmod,
		abi.SYS_lchmod, abi.SYS_fchmodat, abi.SYS_chown, abi.SYS_fchown, abi.SYS_lchown, abi.SYS_fchownat, abi.SYS___posix_chown,
		abi.SYS___posix_fchown, abi.SYS___posix_lchown, abi.SYS_chflags, abi.SYS_fchflags, abi.SYS_lchflags, abi.SYS___utimes50,
		abi.SYS___futimes50, abi.SYS___lutimes50, abi.SYS_utimensat, abi.SYS_futimens, abi.SYS_pathconf, abi.SYS_fpathconf,
		// Contents.
		abi.SYS_truncate, abi.SYS_flock, abi.SYS___posix_fadvise50, abi.SYS_posix_fallocate, abi.SYS_fdiscard, abi.SYS_revoke,
		// File systems.
		abi.SYS___mount50, abi.SYS_unmount, abi.SYS_sync, abi.SYS_getvfsstat, abi.SYS_statvfs1, abi.SYS_fstatvfs1, abi.SYS___quotactl,
		abi.SYS___getfh30, abi.SYS___fhopen40, abi.SYS___fhstat50, abi.SYS___fhstatvfs140,
		// Extended attributes.
		abi.SYS_extattrctl, abi.SYS_extattr_set_file, abi.SYS_extattr_get_file, abi.SYS_extattr_delete_file, abi.SYS_extattr_list_file,
		abi.SYS_extattr_set_fd, abi.SYS_extattr_get_fd, abi.SYS_extattr_delete_fd, abi.SYS_extattr_list_fd, abi.SYS_extattr_set_link,
		abi.SYS_extattr_get_link, abi.SYS_extattr_delete_link, abi.SYS_extattr_list_link, abi.SYS_setxattr, abi.SYS_lsetxattr,
		abi.SYS_fsetxattr, abi.SYS_getxattr, abi.SYS_lgetxattr, abi.SYS_fgetxattr, abi.SYS_listxattr, abi.SYS_llistxattr,
		abi.SYS_flistxattr, abi.SYS_removexattr, abi.SYS_lremovexattr, abi.SYS_fremovexattr,
		// Tracing, to a file.
		abi.SYS_ktrace, abi.SYS_fktrace,
	},
	"rumpnet": {
		abi.SYS___socket30, abi.SYS_socketpair, abi.SYS_bind, abi.SYS_connect, abi.SYS_listen, abi.SYS_accept, abi.SYS_paccept,
		abi.SYS_getpeername, abi.SYS_getsockname, abi.SYS_getsockopt, abi.SYS_setsockopt, abi.SYS_shutdown, abi.SYS_recvmsg,
		abi.SYS_sendmsg, abi.SYS_recvfrom, abi.SYS_sendto, abi.SYS_recvmmsg, abi.SYS_sendmmsg,
	},
}
