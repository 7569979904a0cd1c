package client

import (
	"errors"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// recorder is a kernel that looks at each call and answers what a test wants.
type recorder struct {
	sysproxy.Transport // nil: the methods that no test needs
	space              sysproxy.AddressSpace
	answer             func(c *sysproxy.Call) error
}

func (r *recorder) NewCall(num int) *sysproxy.Call { return r.space.NewCall(num) }

func (r *recorder) Do(c *sysproxy.Call) error { return r.answer(c) }

// process returns a process whose calls answer gets.
func recorded(answer func(c *sysproxy.Call) error) *Process {
	return New(&recorder{answer: answer})
}

// calls has a use of each system call that the package makes, with the texts of its string arguments.
var calls = []struct {
	name    string
	use     func(s *Sys) error
	strings []string
}{
	{"read", func(s *Sys) error { _, err := s.Read(3, make([]byte, 8)); return err }, nil},
	{"write", func(s *Sys) error { _, err := s.Write(3, make([]byte, 8)); return err }, nil},
	{"pread", func(s *Sys) error { _, err := s.Pread(3, make([]byte, 8), 1<<33); return err }, nil},
	{"pwrite", func(s *Sys) error { _, err := s.Pwrite(3, make([]byte, 8), 1<<33); return err }, nil},
	{"readv", func(s *Sys) error { _, err := s.Readv(3, [][]byte{{1}, {2}}); return err }, nil},
	{"writev", func(s *Sys) error { _, err := s.Writev(3, [][]byte{{1}, {2}}); return err }, nil},
	{"preadv", func(s *Sys) error { _, err := s.Preadv(3, [][]byte{{1}, {2}}, 1<<33); return err }, nil},
	{"pwritev", func(s *Sys) error { _, err := s.Pwritev(3, [][]byte{{1}, {2}}, 1<<33); return err }, nil},
	{"open", func(s *Sys) error { _, err := s.Open("a", abi.O_CREAT, 0o644); return err }, []string{"a"}},
	{"openat", func(s *Sys) error { _, err := s.Openat(abi.AT_FDCWD, "a", 0, 0); return err }, []string{"a"}},
	{"close", func(s *Sys) error { return s.Close(3) }, nil},
	{"lseek", func(s *Sys) error { _, err := s.Lseek(3, 1<<33, 0); return err }, nil},
	{"truncate", func(s *Sys) error { return s.Truncate("a", 1<<33) }, []string{"a"}},
	{"ftruncate", func(s *Sys) error { return s.Ftruncate(3, 1<<33) }, nil},
	{"fsync", func(s *Sys) error { return s.Fsync(3) }, nil},
	{"fdatasync", func(s *Sys) error { return s.Fdatasync(3) }, nil},
	{"fsync_range", func(s *Sys) error { return s.FsyncRange(3, abi.FFILESYNC, 1, 2) }, nil},
	{"sync", func(s *Sys) error { return s.Sync() }, nil},
	{"__posix_fadvise50", func(s *Sys) error { return s.PosixFadvise(3, 1, 2, 0) }, nil},
	{"posix_fallocate", func(s *Sys) error { return s.PosixFallocate(3, 1, 2) }, nil},
	{"fdiscard", func(s *Sys) error { return s.Fdiscard(3, 1, 2) }, nil},
	{"dup", func(s *Sys) error { _, err := s.Dup(3); return err }, nil},
	{"dup2", func(s *Sys) error { _, err := s.Dup2(3, 4); return err }, nil},
	{"dup3", func(s *Sys) error { _, err := s.Dup3(3, 4, abi.O_CLOEXEC); return err }, nil},
	{"pipe", func(s *Sys) error { _, _, err := s.Pipe(); return err }, nil},
	{"pipe2", func(s *Sys) error { _, _, err := s.Pipe2(abi.O_CLOEXEC); return err }, nil},
	{"flock", func(s *Sys) error { return s.Flock(3, abi.LOCK_EX) }, nil},
	{"fcntl", func(s *Sys) error { _, err := s.Fcntl(3, abi.F_GETFL, 0); return err }, nil},
	{"fcntl", func(s *Sys) error { return s.FcntlFlock(3, abi.F_GETLK, &abi.Flock{}) }, nil},
	{"ioctl", func(s *Sys) error { return s.Ioctl(3, abi.TIOCGWINSZ, make([]byte, abi.SizeofWinsize)) }, nil},
	{"ioctl", func(s *Sys) error { return s.IoctlInt(3, abi.FIOCLEX, 0) }, nil},

	{"mkdir", func(s *Sys) error { return s.Mkdir("a", 0o755) }, []string{"a"}},
	{"rmdir", func(s *Sys) error { return s.Rmdir("a") }, []string{"a"}},
	{"unlink", func(s *Sys) error { return s.Unlink("a") }, []string{"a"}},
	{"undelete", func(s *Sys) error { return s.Undelete("a") }, []string{"a"}},
	{"link", func(s *Sys) error { return s.Link("a", "b") }, []string{"a", "b"}},
	{"symlink", func(s *Sys) error { return s.Symlink("a", "b") }, []string{"a", "b"}},
	{"rename", func(s *Sys) error { return s.Rename("a", "b") }, []string{"a", "b"}},
	{"__posix_rename", func(s *Sys) error { return s.PosixRename("a", "b") }, []string{"a", "b"}},
	{"readlink", func(s *Sys) error { _, err := s.Readlink("a", make([]byte, 8)); return err }, []string{"a"}},
	{"__mknod50", func(s *Sys) error { return s.Mknod("a", abi.S_IFCHR, 1<<40) }, []string{"a"}},
	{"mkfifo", func(s *Sys) error { return s.Mkfifo("a", 0o644) }, []string{"a"}},
	{"chdir", func(s *Sys) error { return s.Chdir("a") }, []string{"a"}},
	{"fchdir", func(s *Sys) error { return s.Fchdir(3) }, nil},
	{"chroot", func(s *Sys) error { return s.Chroot("a") }, []string{"a"}},
	{"fchroot", func(s *Sys) error { return s.Fchroot(3) }, nil},
	{"__getcwd", func(s *Sys) error { _, err := s.Getcwd(); return err }, nil},
	{"__getdents30", func(s *Sys) error { _, err := s.Getdents(3, make([]byte, 8)); return err }, nil},
	{"access", func(s *Sys) error { return s.Access("a", abi.R_OK) }, []string{"a"}},
	{"chmod", func(s *Sys) error { return s.Chmod("a", 0o644) }, []string{"a"}},
	{"lchmod", func(s *Sys) error { return s.Lchmod("a", 0o644) }, []string{"a"}},
	{"fchmod", func(s *Sys) error { return s.Fchmod(3, 0o644) }, nil},
	{"chown", func(s *Sys) error { return s.Chown("a", -1, 5) }, []string{"a"}},
	{"lchown", func(s *Sys) error { return s.Lchown("a", -1, 5) }, []string{"a"}},
	{"fchown", func(s *Sys) error { return s.Fchown(3, -1, 5) }, nil},
	{"chflags", func(s *Sys) error { return s.Chflags("a", 1) }, []string{"a"}},
	{"lchflags", func(s *Sys) error { return s.Lchflags("a", 1) }, []string{"a"}},
	{"fchflags", func(s *Sys) error { return s.Fchflags(3, 1) }, nil},
	{"__stat50", func(s *Sys) error { return s.Stat("a", &abi.Stat{}) }, []string{"a"}},
	{"__lstat50", func(s *Sys) error { return s.Lstat("a", &abi.Stat{}) }, []string{"a"}},
	{"__fstat50", func(s *Sys) error { return s.Fstat(3, &abi.Stat{}) }, nil},
	{"futimens", func(s *Sys) error { return s.Futimens(3, abi.Timespec{}, abi.Timespec{}) }, nil},
	{"utimensat", func(s *Sys) error { return s.Utimens("a", abi.Timespec{}, abi.Timespec{}) }, []string{"a"}},
	{"utimensat", func(s *Sys) error { return s.Lutimens("a", abi.Timespec{}, abi.Timespec{}) }, []string{"a"}},
	{"pathconf", func(s *Sys) error { _, err := s.Pathconf("a", 4); return err }, []string{"a"}},
	{"fpathconf", func(s *Sys) error { _, err := s.Fpathconf(3, 4); return err }, nil},
	{"revoke", func(s *Sys) error { return s.Revoke("a") }, []string{"a"}},

	{"fstatat", func(s *Sys) error { return s.Fstatat(3, "a", &abi.Stat{}, 0) }, []string{"a"}},
	{"unlinkat", func(s *Sys) error { return s.Unlinkat(3, "a", 0) }, []string{"a"}},
	{"mkdirat", func(s *Sys) error { return s.Mkdirat(3, "a", 0o755) }, []string{"a"}},
	{"mkfifoat", func(s *Sys) error { return s.Mkfifoat(3, "a", 0o644) }, []string{"a"}},
	{"mknodat", func(s *Sys) error { return s.Mknodat(3, "a", abi.S_IFCHR, 1<<40) }, []string{"a"}},
	{"linkat", func(s *Sys) error { return s.Linkat(3, "a", 4, "b", 0) }, []string{"a", "b"}},
	{"symlinkat", func(s *Sys) error { return s.Symlinkat("a", 3, "b") }, []string{"a", "b"}},
	{"readlinkat", func(s *Sys) error { _, err := s.Readlinkat(3, "a", make([]byte, 8)); return err }, []string{"a"}},
	{"renameat", func(s *Sys) error { return s.Renameat(3, "a", 4, "b") }, []string{"a", "b"}},
	{"faccessat", func(s *Sys) error { return s.Faccessat(3, "a", abi.R_OK, 0) }, []string{"a"}},
	{"fchmodat", func(s *Sys) error { return s.Fchmodat(3, "a", 0o644, 0) }, []string{"a"}},
	{"fchownat", func(s *Sys) error { return s.Fchownat(3, "a", -1, 5, 0) }, []string{"a"}},

	{"__mount50", func(s *Sys) error { return s.Mount("tmpfs", "a", 0, make([]byte, 8)) }, []string{"tmpfs", "a"}},
	{"unmount", func(s *Sys) error { return s.Unmount("a", 0) }, []string{"a"}},
	{"getvfsstat", func(s *Sys) error { _, err := s.Getvfsstat(make([]abi.Statvfs, 2), abi.ST_NOWAIT); return err }, nil},
	{"statvfs1", func(s *Sys) error { return s.Statvfs("a", &abi.Statvfs{}, 0) }, []string{"a"}},
	{"fstatvfs1", func(s *Sys) error { return s.Fstatvfs(3, &abi.Statvfs{}, 0) }, nil},
	{"__quotactl", func(s *Sys) error { return s.QuotactlFunc("a", empty) }, []string{"a"}},
	{"__getfh30", func(s *Sys) error { _, err := s.Getfh("a"); return err }, []string{"a"}},
	{"__fhopen40", func(s *Sys) error { _, err := s.Fhopen([]byte{1}, 0); return err }, nil},
	{"__fhstat50", func(s *Sys) error { return s.Fhstat([]byte{1}, &abi.Stat{}) }, nil},
	{"__fhstatvfs140", func(s *Sys) error { return s.Fhstatvfs([]byte{1}, &abi.Statvfs{}, 0) }, nil},

	{"getpid", func(s *Sys) error { _, err := s.Getpid(); return err }, nil},
	{"getppid", func(s *Sys) error { _, err := s.Getppid(); return err }, nil},
	{"getuid", func(s *Sys) error { _, err := s.Getuid(); return err }, nil},
	{"geteuid", func(s *Sys) error { _, err := s.Geteuid(); return err }, nil},
	{"getgid", func(s *Sys) error { _, err := s.Getgid(); return err }, nil},
	{"getegid", func(s *Sys) error { _, err := s.Getegid(); return err }, nil},
	{"getpgrp", func(s *Sys) error { _, err := s.Getpgrp(); return err }, nil},
	{"getpgid", func(s *Sys) error { _, err := s.Getpgid(1); return err }, nil},
	{"setpgid", func(s *Sys) error { return s.Setpgid(1, 1) }, nil},
	{"getsid", func(s *Sys) error { _, err := s.Getsid(1); return err }, nil},
	{"setsid", func(s *Sys) error { _, err := s.Setsid(); return err }, nil},
	{"issetugid", func(s *Sys) error { _, err := s.Issetugid(); return err }, nil},
	{"setuid", func(s *Sys) error { return s.Setuid(1) }, nil},
	{"seteuid", func(s *Sys) error { return s.Seteuid(1) }, nil},
	{"setreuid", func(s *Sys) error { return s.Setreuid(-1, 1) }, nil},
	{"setgid", func(s *Sys) error { return s.Setgid(1) }, nil},
	{"setegid", func(s *Sys) error { return s.Setegid(1) }, nil},
	{"setregid", func(s *Sys) error { return s.Setregid(-1, 1) }, nil},
	{"getgroups", func(s *Sys) error { _, err := s.Getgroups(); return err }, nil},
	{"setgroups", func(s *Sys) error { return s.Setgroups([]int{1, 2}) }, nil},
	{"__getlogin", func(s *Sys) error { _, err := s.Getlogin(); return err }, nil},
	{"__setlogin", func(s *Sys) error { return s.Setlogin("a") }, []string{"a"}},
	{"umask", func(s *Sys) error { _, err := s.Umask(0o22); return err }, nil},
	{"getrlimit", func(s *Sys) error { return s.Getrlimit(abi.RLIMIT_NOFILE, &abi.Rlimit{}) }, nil},
	{"setrlimit", func(s *Sys) error { return s.Setrlimit(abi.RLIMIT_NOFILE, &abi.Rlimit{}) }, nil},
	{"reboot", func(s *Sys) error { return s.Reboot(abi.RB_STRING, "a") }, nil},
	{"modctl", func(s *Sys) error { _, err := s.Modstat(); return err }, nil},
	{"modctl", func(s *Sys) error { return s.Modload("a", 0, "b") }, nil},
	{"modctl", func(s *Sys) error { return s.Modunload("a") }, nil},
	{"modctl", func(s *Sys) error { return s.Modexists(true) }, nil},
	{"ktrace", func(s *Sys) error { return s.Ktrace("a", 0, 0, 1) }, []string{"a"}},
	{"fktrace", func(s *Sys) error { return s.Fktrace(3, 0, 0, 1) }, nil},
	{"utrace", func(s *Sys) error { return s.Utrace("a", []byte{1}) }, []string{"a"}},
	{"__sysctl", func(s *Sys) error { _, err := s.Sysctl([]int32{1, 2}, make([]byte, 8), []byte{1}); return err }, nil},

	{"__clock_gettime50", func(s *Sys) error { return s.ClockGettime(0, &abi.Timespec{}) }, nil},
	{"__clock_settime50", func(s *Sys) error { return s.ClockSettime(0, abi.Timespec{}) }, nil},
	{"__clock_getres50", func(s *Sys) error { return s.ClockGetres(0, &abi.Timespec{}) }, nil},
	{"__nanosleep50", func(s *Sys) error { return s.Nanosleep(abi.Timespec{}, &abi.Timespec{}) }, nil},
	{"clock_nanosleep", func(s *Sys) error { return s.ClockNanosleep(0, 0, abi.Timespec{}, nil) }, nil},
	{"__gettimeofday50", func(s *Sys) error { return s.Gettimeofday(&abi.Timeval{}) }, nil},
	{"__settimeofday50", func(s *Sys) error { return s.Settimeofday(abi.Timeval{}) }, nil},
	{"__adjtime50", func(s *Sys) error { return s.Adjtime(&abi.Timeval{}, &abi.Timeval{}) }, nil},
	{"__getitimer50", func(s *Sys) error { return s.Getitimer(0, &abi.Itimerval{}) }, nil},
	{"__setitimer50", func(s *Sys) error { return s.Setitimer(0, abi.Itimerval{}, &abi.Itimerval{}) }, nil},
	{"timer_create", func(s *Sys) error { _, err := s.TimerCreate(0, &abi.Sigevent{}); return err }, nil},
	{"timer_delete", func(s *Sys) error { return s.TimerDelete(1) }, nil},
	{"timer_getoverrun", func(s *Sys) error { _, err := s.TimerGetoverrun(1); return err }, nil},
	{"__timer_gettime50", func(s *Sys) error { return s.TimerGettime(1, &abi.Itimerspec{}) }, nil},
	{"__timer_settime50", func(s *Sys) error { return s.TimerSettime(1, 0, abi.Itimerspec{}, nil) }, nil},
	{"poll", func(s *Sys) error { _, err := s.Poll(make([]abi.Pollfd, 2), -1); return err }, nil},
	{"__pollts50", func(s *Sys) error { _, err := s.Pollts(make([]abi.Pollfd, 2), &abi.Timespec{}); return err }, nil},
	{"__select50", func(s *Sys) error { _, err := s.Select(4, &abi.FdSet{}, nil, nil, nil); return err }, nil},
	{"__pselect50", func(s *Sys) error { _, err := s.Pselect(4, nil, &abi.FdSet{}, nil, nil); return err }, nil},
	{"kqueue", func(s *Sys) error { _, err := s.Kqueue(0); return err }, nil},
	{"kqueue1", func(s *Sys) error { _, err := s.Kqueue(abi.O_CLOEXEC); return err }, nil},
	{"__kevent50", func(s *Sys) error {
		_, err := s.Kevent(3, make([]abi.Kevent, 2), make([]abi.Kevent, 1), nil)
		return err
	}, nil},

	{"extattrctl", func(s *Sys) error { return s.Extattrctl("a", 1, "b", 1, "c") }, []string{"a", "b", "c"}},
	{"extattr_get_fd", func(s *Sys) error { _, err := s.ExtattrGet(Attr{Name: "a"}, nil); return err }, []string{"a"}},
	{"extattr_get_file", func(s *Sys) error { _, err := s.ExtattrGet(attr(false), nil); return err }, []string{"p", "a"}},
	{"extattr_get_link", func(s *Sys) error { _, err := s.ExtattrGet(attr(true), nil); return err }, []string{"p", "a"}},
	{"extattr_set_fd", func(s *Sys) error { _, err := s.ExtattrSet(Attr{Name: "a"}, []byte{1}); return err }, []string{"a"}},
	{"extattr_set_file", func(s *Sys) error { _, err := s.ExtattrSet(attr(false), []byte{1}); return err }, []string{"p", "a"}},
	{"extattr_set_link", func(s *Sys) error { _, err := s.ExtattrSet(attr(true), []byte{1}); return err }, []string{"p", "a"}},
	{"extattr_delete_fd", func(s *Sys) error { return s.ExtattrDelete(Attr{Name: "a"}) }, []string{"a"}},
	{"extattr_delete_file", func(s *Sys) error { return s.ExtattrDelete(attr(false)) }, []string{"p", "a"}},
	{"extattr_delete_link", func(s *Sys) error { return s.ExtattrDelete(attr(true)) }, []string{"p", "a"}},
	{"extattr_list_fd", func(s *Sys) error { _, err := s.ExtattrList(Attr{}); return err }, nil},
	{"extattr_list_file", func(s *Sys) error { _, err := s.ExtattrList(attr(false)); return err }, []string{"p"}},
	{"extattr_list_link", func(s *Sys) error { _, err := s.ExtattrList(attr(true)); return err }, []string{"p"}},
	{"fgetxattr", func(s *Sys) error { _, err := s.Getxattr(Xattr{}, "a", nil); return err }, []string{"a"}},
	{"getxattr", func(s *Sys) error { _, err := s.Getxattr(Xattr{Path: "p"}, "a", nil); return err }, []string{"p", "a"}},
	{"lgetxattr", func(s *Sys) error { _, err := s.Getxattr(xlink, "a", nil); return err }, []string{"p", "a"}},
	{"fsetxattr", func(s *Sys) error { return s.Setxattr(Xattr{}, "a", []byte{1}, 0) }, []string{"a"}},
	{"setxattr", func(s *Sys) error { return s.Setxattr(Xattr{Path: "p"}, "a", []byte{1}, 0) }, []string{"p", "a"}},
	{"lsetxattr", func(s *Sys) error { return s.Setxattr(xlink, "a", []byte{1}, 0) }, []string{"p", "a"}},
	{"fremovexattr", func(s *Sys) error { return s.Removexattr(Xattr{}, "a") }, []string{"a"}},
	{"removexattr", func(s *Sys) error { return s.Removexattr(Xattr{Path: "p"}, "a") }, []string{"p", "a"}},
	{"lremovexattr", func(s *Sys) error { return s.Removexattr(xlink, "a") }, []string{"p", "a"}},
	{"flistxattr", func(s *Sys) error { _, err := s.Listxattr(Xattr{}); return err }, nil},
	{"listxattr", func(s *Sys) error { _, err := s.Listxattr(Xattr{Path: "p"}); return err }, []string{"p"}},
	{"llistxattr", func(s *Sys) error { _, err := s.Listxattr(xlink); return err }, []string{"p"}},

	{"__socket30", func(s *Sys) error { _, err := s.Socket(1, 1, 0); return err }, nil},
	{"socketpair", func(s *Sys) error { _, _, err := s.Socketpair(1, 1, 0); return err }, nil},
	{"bind", func(s *Sys) error { return s.Bind(3, []byte{1}) }, nil},
	{"connect", func(s *Sys) error { return s.Connect(3, []byte{1}) }, nil},
	{"listen", func(s *Sys) error { return s.Listen(3, 5) }, nil},
	{"shutdown", func(s *Sys) error { return s.Shutdown(3, 0) }, nil},
	{"accept", func(s *Sys) error { _, _, err := s.Accept(3, 0); return err }, nil},
	{"paccept", func(s *Sys) error { _, _, err := s.Accept(3, abi.SOCK_CLOEXEC); return err }, nil},
	{"getsockname", func(s *Sys) error { _, err := s.Getsockname(3); return err }, nil},
	{"getpeername", func(s *Sys) error { _, err := s.Getpeername(3); return err }, nil},
	{"setsockopt", func(s *Sys) error { return s.SetsockoptInt(3, 1, 2, 3) }, nil},
	{"getsockopt", func(s *Sys) error { _, err := s.GetsockoptInt(3, 1, 2); return err }, nil},
	{"sendto", func(s *Sys) error { _, err := s.Sendto(3, []byte{1}, 0, []byte{2}); return err }, nil},
	{"recvfrom", func(s *Sys) error { _, _, err := s.Recvfrom(3, []byte{1}, 0); return err }, nil},
	{"sendmsg", func(s *Sys) error { _, err := s.Sendmsg(3, &Message{Bufs: [][]byte{{1}}}, 0); return err }, nil},
	{"recvmsg", func(s *Sys) error { _, err := s.Recvmsg(3, &Message{Bufs: [][]byte{{1}}}, 0); return err }, nil},
	{"sendmmsg", func(s *Sys) error { _, err := s.Sendmmsg(3, make([]Message, 2), 0); return err }, nil},
	{"recvmmsg", func(s *Sys) error { _, err := s.Recvmmsg(3, make([]Message, 2), 0, nil); return err }, nil},
}

var xlink = Xattr{Path: "p", Link: true}

func attr(link bool) Attr { return Attr{Path: "p", Link: link, Name: "a"} }

func empty(Lender) []byte { return make([]byte, 8) }

// TestCalls compares the number and the kinds of the arguments of each call with the table of the ABI.
func TestCalls(t *testing.T) {
	made := make(map[string]bool)
	for _, c := range calls {
		made[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			seen := false
			p := recorded(func(call *sysproxy.Call) error {
				seen = true
				checkArguments(t, c.name, call, c.strings)
				call.Err = abi.ENOTTY
				return nil
			})
			if err := c.use(p.Sys()); !errors.Is(err, abi.ENOTTY) {
				t.Errorf("error %v, want the kernel's ENOTTY", err)
			}
			if !seen {
				t.Error("no call was made")
			}
		})
	}
	for row := range abi.Syscalls() {
		if row.Rump && !made[row.Name] && !unused[row.Name] {
			t.Errorf("no way to call %s", row.Name)
		}
		if made[row.Name] && unused[row.Name] {
			t.Errorf("%s is called, but said to be unused", row.Name)
		}
		if made[row.Name] && !row.Rump && !beyond[row.Name] {
			t.Errorf("%s is called, which rump kernels do not serve", row.Name)
		}
	}
}

// unused are the calls that package client has no function for, since another does the same.
var unused = map[string]bool{
	"__posix_chown":  true, // chown that keeps set-id bits, for programs of other systems
	"__posix_fchown": true,
	"__posix_lchown": true,
	"__utimes50":     true, // utimensat
	"__futimes50":    true, // futimens
	"__lutimes50":    true, // utimensat
}

// beyond are the calls that are made though the C kernel does not serve them: they are ENOSYS there.
var beyond = map[string]bool{
	"undelete": true, // rm -W
}

func checkArguments(t *testing.T, name string, call *sysproxy.Call, texts []string) {
	t.Helper()
	row := abi.SyscallByNum(call.Num)
	if row == nil || row.Name != name {
		t.Fatalf("made call %d, which is %+v", call.Num, row)
	}
	args := call.Arguments()
	if len(args) != len(row.Args) {
		t.Fatalf("%d arguments, want %d: %v", len(args), len(row.Args), row.Args)
	}
	for i, a := range row.Args {
		checkArgument(t, a, args[i], call, &texts)
	}
	if len(texts) > 0 {
		t.Errorf("strings that were not passed: %q", texts)
	}
}

func checkArgument(t *testing.T, a abi.Arg, v uint64, call *sysproxy.Call, texts *[]string) {
	t.Helper()
	switch a.Kind {
	case abi.ArgPad:
		if v != 0 {
			t.Errorf("padding is %#x", v)
		}
	case abi.ArgInt, abi.ArgUint, abi.ArgMode:
		if v>>32 != 0 {
			t.Errorf("%s is %#x, longer than its register", a.Name, v)
		}
	case abi.ArgString:
		b, err := call.CopyInStr(v, 64)
		if err != nil || len(*texts) == 0 || string(b) != (*texts)[0]+"\x00" {
			t.Errorf("%s is %q, %v; want the first of %q", a.Name, b, err, *texts)
			return
		}
		*texts = (*texts)[1:]
	case abi.ArgPtr:
		if v != 0 && v < 1<<32 && a.Name != "arg" && a.Name != "data" {
			t.Errorf("%s is %#x, which is no address", a.Name, v)
		}
	}
}
