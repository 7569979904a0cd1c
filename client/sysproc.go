package client

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Getpid returns the process's identifier: getpid(2).
func (s *Sys) Getpid() (int, error) { return s.number(abi.SYS_getpid) }

// Getppid returns the parent's identifier: getppid(2).
func (s *Sys) Getppid() (int, error) { return s.number(abi.SYS_getppid) }

// Getuid returns the real user: getuid(2).
func (s *Sys) Getuid() (int, error) { return s.number(abi.SYS_getuid) }

// Geteuid returns the effective user: geteuid(2).
func (s *Sys) Geteuid() (int, error) { return s.number(abi.SYS_geteuid) }

// Getgid returns the real group: getgid(2).
func (s *Sys) Getgid() (int, error) { return s.number(abi.SYS_getgid) }

// Getegid returns the effective group: getegid(2).
func (s *Sys) Getegid() (int, error) { return s.number(abi.SYS_getegid) }

// Getpgrp returns the process group: getpgrp(2).
func (s *Sys) Getpgrp() (int, error) { return s.number(abi.SYS_getpgrp) }

// Setsid makes a session and returns its process group: setsid(2).
func (s *Sys) Setsid() (int, error) { return s.number(abi.SYS_setsid) }

// Issetugid tells whether the process is tainted by a change of credentials: issetugid(2).
func (s *Sys) Issetugid() (bool, error) {
	n, err := s.number(abi.SYS_issetugid)
	return n != 0, err
}

// Getpgid returns the process group of a process, 0 is the caller: getpgid(2).
func (s *Sys) Getpgid(pid int) (int, error) { return s.number(abi.SYS_getpgid, pid) }

// Setpgid moves a process to a process group: setpgid(2).
func (s *Sys) Setpgid(pid, pgid int) error { return s.ints(abi.SYS_setpgid, pid, pgid) }

// Getsid returns the session of a process: getsid(2).
func (s *Sys) Getsid(pid int) (int, error) { return s.number(abi.SYS_getsid, pid) }

// Setuid sets the real, effective and saved user: setuid(2).
func (s *Sys) Setuid(uid int) error { return s.ints(abi.SYS_setuid, uid) }

// Seteuid sets the effective user: seteuid(2).
func (s *Sys) Seteuid(uid int) error { return s.ints(abi.SYS_seteuid, uid) }

// Setreuid sets the real and the effective user, -1 leaves one: setreuid(2).
func (s *Sys) Setreuid(ruid, euid int) error { return s.ints(abi.SYS_setreuid, ruid, euid) }

// Setgid sets the real, effective and saved group: setgid(2).
func (s *Sys) Setgid(gid int) error { return s.ints(abi.SYS_setgid, gid) }

// Setegid sets the effective group: setegid(2).
func (s *Sys) Setegid(gid int) error { return s.ints(abi.SYS_setegid, gid) }

// Setregid sets the real and the effective group, -1 leaves one: setregid(2).
func (s *Sys) Setregid(rgid, egid int) error { return s.ints(abi.SYS_setregid, rgid, egid) }

// Getgroups returns the supplementary groups: getgroups(2).
func (s *Sys) Getgroups() ([]int, error) {
	b := make([]byte, 4*abi.NGROUPS_MAX)
	r := s.request(abi.SYS_getgroups)
	r.int(abi.NGROUPS_MAX)
	r.dst(b)
	n, err := r.num()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > abi.NGROUPS_MAX {
		return nil, errCount
	}
	groups := make([]int, n)
	for i := range groups {
		groups[i] = getInt32(b[4*i:])
	}
	return groups, nil
}

// Setgroups sets the supplementary groups: setgroups(2).
func (s *Sys) Setgroups(groups []int) error {
	b := make([]byte, 0, 4*len(groups))
	for _, g := range groups {
		b = binary.LittleEndian.AppendUint32(b, uint32(g))
	}
	r := s.request(abi.SYS_setgroups)
	r.int(len(groups))
	r.src(b)
	return r.do()
}

// Getlogin returns the session's login name: getlogin(2).
func (s *Sys) Getlogin() (string, error) {
	b := make([]byte, abi.MAXLOGNAME)
	r := s.request(abi.SYS___getlogin)
	r.out(b)
	if err := r.do(); err != nil {
		return "", err
	}
	return abi.CString(b), nil
}

// Setlogin sets the session's login name: setlogin(2).
func (s *Sys) Setlogin(name string) error { return s.onPath(abi.SYS___setlogin, name) }

// Umask sets the mask of permissions that new files lack and returns the previous
// one: umask(2).
func (s *Sys) Umask(mask uint32) (uint32, error) {
	n, err := s.number(abi.SYS_umask, int(mask))
	return uint32(n), err
}

// Getrlimit sets lim to a resource limit of abi.RLIMIT_*: getrlimit(2).
func (s *Sys) Getrlimit(which int, lim *abi.Rlimit) error {
	var b [abi.SizeofRlimit]byte
	r := s.request(abi.SYS_getrlimit)
	r.int(which)
	r.dst(b[:])
	if err := r.do(); err != nil {
		return err
	}
	return lim.Decode(b[:])
}

// Setrlimit sets a resource limit: setrlimit(2).
func (s *Sys) Setrlimit(which int, lim *abi.Rlimit) error {
	r := s.request(abi.SYS_setrlimit)
	r.int(which)
	r.src(lim.Append(nil))
	return r.do()
}

// Reboot halts or reboots the kernel, by abi.RB_*: reboot(2). It succeeds by losing
// its kernel.
func (s *Sys) Reboot(how int, bootstr string) error {
	r := s.request(abi.SYS_reboot)
	r.int(how)
	if how&abi.RB_STRING != 0 {
		r.path(bootstr)
	} else {
		r.dst(nil)
	}
	return r.do()
}

// Ktrace starts or stops tracing system calls to a file: ktrace(2).
func (s *Sys) Ktrace(path string, ops, facs, pid int) error {
	r := s.request(abi.SYS_ktrace)
	r.path(path)
	r.int(ops)
	r.int(facs)
	r.int(pid)
	return r.do()
}

// Fktrace is Ktrace to an open file: fktrace(2).
func (s *Sys) Fktrace(fd, ops, facs, pid int) error {
	return s.ints(abi.SYS_fktrace, fd, ops, facs, pid)
}

// Utrace puts a record of the caller's into the trace: utrace(2).
func (s *Sys) Utrace(label string, data []byte) error {
	r := s.request(abi.SYS_utrace)
	r.path(label)
	r.in(data)
	return r.do()
}
