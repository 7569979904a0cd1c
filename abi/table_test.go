package abi

import (
	"slices"
	"testing"
)

// Oracles: wire sessions, where the kernel copied that many bytes for that
// request, and ioctl(2), tty(4), netintro(4), bpf(4), vnd(4), cgd(4): the
// parameter is that structure.
func TestIoctls(t *testing.T) {
	for _, tc := range []struct {
		cmd     uint32
		number  uint32
		name    string
		in, out bool
		group   byte
		size    int
	}{
		{TIOCGETA, 0x402c7413, "TIOCGETA", false, true, 't', SizeofTermios},
		{TIOCGWINSZ, 0x40087468, "TIOCGWINSZ", false, true, 't', SizeofWinsize},
		{TIOCSWINSZ, 0x80087467, "TIOCSWINSZ", true, false, 't', SizeofWinsize},
		{TIOCPTMGET, 0x48087446, "TIOCPTMGET", false, true, 't', SizeofPtmget},
		{FIOCLEX, 0x20006601, "FIOCLEX", false, false, 'f', 0},
		{FIONBIO, 0x8004667e, "FIONBIO", true, false, 'f', 4},
		{MTIOCGET, 0x40386d02, "MTIOCGET", false, true, 'm', 56},
		{DIOCGDINFO, 0x41986465, "DIOCGDINFO", false, true, 'd', SizeofDisklabel},
		{DIOCGWEDGEINFO, 0x40d0647a, "DIOCGWEDGEINFO", false, true, 'd', SizeofDkwedgeInfo},
		{DIOCGDISKINFO, 0x4010647f, "DIOCGDISKINFO", false, true, 'd', SizeofPlistref},
		{VNDIOCSET, 0xc0284600, "VNDIOCSET", true, true, 'F', SizeofVndIoctl},
		{VNDIOCGET, 0xc0184603, "VNDIOCGET", true, true, 'F', SizeofVndUser},
		{CGDIOCSET, 0xc0404612, "CGDIOCSET", true, true, 'F', SizeofCgdIoctl},
		{CGDIOCGET, 0xc0404614, "CGDIOCGET", true, true, 'F', SizeofCgdUser},
		{SIOCGIFFLAGS, 0xc0906911, "SIOCGIFFLAGS", true, true, 'i', SizeofIfreq},
		{SIOCAIFADDR, 0x8040691a, "SIOCAIFADDR", true, false, 'i', SizeofIfaliasreq},
		{SIOCAIFADDR_IN6, 0x8080696b, "SIOCAIFADDR_IN6", true, false, 'i', SizeofIn6Aliasreq},
		{SIOCGIFADDR_IN6, 0xc1206921, "SIOCGIFADDR_IN6", true, true, 'i', SizeofIn6Ifreq},
		{SIOCGLINKSTR, 0xc0286987, "SIOCGLINKSTR", true, true, 'i', SizeofIfdrv},
		{SIOCGIFDATA, 0xc0986985, "SIOCGIFDATA", true, true, 'i', SizeofIfdatareq},
		{SIOCGIFCONF, 0xc0106926, "SIOCGIFCONF", true, true, 'i', SizeofIfconf},
		{BIOCSETF, 0x80104267, "BIOCSETF", true, false, 'B', SizeofBpfProgram},
		{BIOCGSTATS, 0x4080426f, "BIOCGSTATS", false, true, 'B', SizeofBpfStat},
		{RAIDFRAME_INIT_LABELS, 0x81887215, "RAIDFRAME_INIT_LABELS", true, false, 'r', SizeofRFComponentLabel},
		{RNDGETESTNUM, 0xc1c0526b, "RNDGETESTNUM", true, true, 'R', SizeofRndstatEst},
	} {
		if tc.cmd != tc.number {
			t.Errorf("%s is %#x, want %#x", tc.name, tc.cmd, tc.number)
		}
		if got := IoctlName(tc.cmd); got != tc.name {
			t.Errorf("%#x is %q, want %s", tc.cmd, got, tc.name)
		}
		if IOCIn(tc.cmd) != tc.in || IOCOut(tc.cmd) != tc.out || IOCVoid(tc.cmd) == (tc.in || tc.out) {
			t.Errorf("%s: in %t, out %t, void %t", tc.name, IOCIn(tc.cmd), IOCOut(tc.cmd), IOCVoid(tc.cmd))
		}
		if IOCGroup(tc.cmd) != tc.group || IOCNum(tc.cmd) != byte(tc.number) || IOCParmLen(tc.cmd) != tc.size {
			t.Errorf("%s: group %c, number %d, %d bytes, want %d", tc.name, IOCGroup(tc.cmd), IOCNum(tc.cmd), IOCParmLen(tc.cmd), tc.size)
		}
	}
	for _, cmd := range []uint32{0, IOC_VOID, IOC_INOUT, 0xffffffff, TIOCGETA + 1<<16} {
		if got := IoctlName(cmd); got != "" {
			t.Errorf("%#x is %s, want no name", cmd, got)
		}
	}
}

func TestIoctlTable(t *testing.T) {
	all := Ioctls()
	if len(all) < 300 || !slices.IsSortedFunc(all, func(a, b Ioctl) int { return int(int64(a.Cmd) - int64(b.Cmd)) }) {
		t.Errorf("%d requests, or not sorted", len(all))
	}
	all[0].Name = "changed"
	if IoctlName(all[0].Cmd) == "changed" {
		t.Error("Ioctls returned the table itself")
	}
}

// TestSyscallRegisters: a call takes one register for each argument. Oracle:
// the length of each call in the wire sessions.
func TestSyscallRegisters(t *testing.T) {
	for num, n := range map[int]int{
		SYS_read: 3, SYS_write: 3, SYS_open: 3, SYS_close: 1, SYS_link: 2, SYS_unlink: 1, SYS_fchdir: 1,
		SYS_chmod: 2, SYS_chown: 3, SYS_getpid: 0, SYS_unmount: 2, SYS_setuid: 1, SYS_getuid: 0, SYS_geteuid: 0,
		SYS_recvmsg: 3, SYS_sendmsg: 3, SYS_recvfrom: 6, SYS_getsockname: 3, SYS_access: 2, SYS_sync: 0,
		SYS_getegid: 0, SYS_ktrace: 4, SYS_ioctl: 3, SYS_symlink: 2, SYS_readlink: 3, SYS_umask: 1, SYS_fcntl: 3,
		SYS_connect: 3, SYS_setsockopt: 5, SYS_rename: 2, SYS_sendto: 6, SYS_shutdown: 2, SYS_mkdir: 2, SYS_rmdir: 1,
		SYS_pread: 5, SYS_pwrite: 5, SYS_seteuid: 1, SYS_getrlimit: 2, SYS_setrlimit: 2, SYS_lseek: 4, SYS___sysctl: 6,
		SYS_reboot: 2, SYS_poll: 3, SYS_modctl: 2, SYS___getcwd: 2, SYS_issetugid: 0, SYS_getvfsstat: 3,
		SYS_statvfs1: 3, SYS_fstatvfs1: 3, SYS___getdents30: 3, SYS___socket30: 3, SYS___mount50: 5,
		SYS___gettimeofday50: 2, SYS___clock_gettime50: 2, SYS___stat50: 2, SYS___fstat50: 2, SYS___lstat50: 2,
		SYS___mknod50: 3,
	} {
		s := SyscallByNum(num)
		if s == nil || len(s.Args) != n {
			t.Errorf("call %d: %+v, want %d arguments", num, s, n)
		}
	}
}

// Oracle: sys/syscall.h and the manual pages of the calls.
func TestSyscalls(t *testing.T) {
	for _, tc := range []struct {
		num   int
		name  string
		ret   string
		rump  bool
		kind  string
		kinds []ArgKind
	}{
		{0, "syscall", "int", false, "INDIR", []ArgKind{ArgInt, ArgRest}},
		{3, "read", "ssize_t", true, "STD", []ArgKind{ArgInt, ArgPtr, ArgSize}},
		{5, "open", "int", true, "STD", []ArgKind{ArgString, ArgInt, ArgMode}},
		{19, "compat_43_olseek", "long", false, "COMPAT_43", []ArgKind{ArgInt, ArgLong, ArgInt}},
		{20, "getpid", "pid_t", true, "NOERR", nil},
		{54, "ioctl", "int", true, "STD", []ArgKind{ArgInt, ArgUlong, ArgPtr}},
		{199, "lseek", "off_t", true, "STD", []ArgKind{ArgInt, ArgPad, ArgOff, ArgInt}},
		{202, "__sysctl", "int", true, "STD", []ArgKind{ArgPtr, ArgUint, ArgPtr, ArgPtr, ArgPtr, ArgSize}},
		{263, "mq_send", "int", false, "STD", []ArgKind{ArgInt, ArgPtr, ArgSize, ArgUint}},
		{439, "__stat50", "int", true, "STD", []ArgKind{ArgString, ArgPtr}},
		{460, "mknodat", "int", true, "STD", []ArgKind{ArgInt, ArgString, ArgMode, ArgPad, ArgUlong}},
	} {
		s := SyscallByNum(tc.num)
		if s == nil || s != SyscallByName(tc.name) {
			t.Errorf("%s: %v by number, %v by name", tc.name, s, SyscallByName(tc.name))
			continue
		}
		var kinds []ArgKind
		for _, a := range s.Args {
			kinds = append(kinds, a.Kind)
		}
		if s.Num != tc.num || s.Ret != tc.ret || s.Rump != tc.rump || s.Kind != tc.kind || !slices.Equal(kinds, tc.kinds) {
			t.Errorf("%+v, want %+v", *s, tc)
		}
	}
	for _, n := range []int{-1, 11, SYS_MAXSYSCALL, SYS_NSYSENT, 1 << 30} {
		if s := SyscallByNum(n); s != nil {
			t.Errorf("call %d is %s, want none", n, s.Name)
		}
	}
	if s := SyscallByName("getpid_with_ppid"); s != nil {
		t.Errorf("getpid_with_ppid is call %d", s.Num)
	}
}

// Numbers rise, names are unique, a rump kernel serves no call of old
// programs, and no call has more registers than SYS_MAXSYSARGS.
func TestSyscallTable(t *testing.T) {
	last := -1
	names := map[string]bool{}
	for s := range Syscalls() {
		if s.Num <= last || names[s.Name] {
			t.Errorf("%d %s after %d", s.Num, s.Name, last)
		}
		last, names[s.Name] = s.Num, true
		if s.Rump && s.Kind != "STD" && s.Kind != "NOERR" {
			t.Errorf("%s: rump and %s", s.Name, s.Kind)
		}
		if len(s.Args) > SYS_MAXSYSARGS {
			t.Errorf("%s: %d arguments", s.Name, len(s.Args))
		}
	}
	for range Syscalls() {
		break
	}
	if len(names) != 430 {
		t.Errorf("%d calls, want 430", len(names))
	}
}

// TestConsts: signs and names as documented. Oracle: the C headers.
func TestConsts(t *testing.T) {
	for _, tc := range []struct {
		name      string
		got, want int64
	}{
		{"AT_FDCWD", AT_FDCWD, -100},
		{"CTL_QUERY", CTL_QUERY, -2},
		{"PC_NAME_MAX, of _PC_NAME_MAX", PC_NAME_MAX, 4},
		{"X_S_IFDIR, of _S_IFDIR", X_S_IFDIR, S_IFDIR},
		{"X_rf_ds_failed", X_rf_ds_failed, 1},
		{"O_CREAT", O_CREAT, 0x200},
		{"MODCTL_STAT, an enumerator", MODCTL_STAT, 2},
		{"PROT_WRITE, from extra.json", PROT_WRITE, 2},
		{"RLIM_INFINITY", RLIM_INFINITY, 1<<63 - 1},
		{"SizeofPointer", SizeofPointer, 8},
		{"SizeofLong", SizeofLong, 8},
	} {
		equal(t, tc.name, tc.got, tc.want)
	}
	equal(t, "UINT64_MAX", uint64(UINT64_MAX), 1<<64-1)
	equal(t, "NODEV", Stat{Rdev: NODEV}.Rdev, 1<<64-1)
	equal(t, "INADDR_BROADCAST", uint32(INADDR_BROADCAST), 0xffffffff)
}
