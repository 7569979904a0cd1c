package kern_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Oracle: wire/files-ktrace-cat.jsonl: a client is a child of init, and getpid returns the parent's pid too.
func TestPids(t *testing.T) {
	p := start(t)
	for _, c := range []struct {
		num  int
		want [2]uint64
	}{
		{abi.SYS_getpid, [2]uint64{uint64(p.PID), 1}},
		{abi.SYS_getppid, [2]uint64{1, 0}},
		{abi.SYS_getuid, [2]uint64{0, 0}},
		{abi.SYS_geteuid, [2]uint64{0, 0}},
		{abi.SYS_getgid, [2]uint64{0, 0}},
		{abi.SYS_getegid, [2]uint64{0, 0}},
		{abi.SYS_issetugid, [2]uint64{0, 0}},
		{abi.SYS_utrace, [2]uint64{0, 0}},
	} {
		if got, errno := p.Call2(c.num); got != c.want || errno != 0 {
			t.Errorf("%s = %v, %v; want %v", abi.SyscallByNum(c.num).Name, got, errno, c.want)
		}
	}
	child := p.Fork()
	if got, _ := child.Call2(abi.SYS_getpid); got != [2]uint64{uint64(child.PID), uint64(p.PID)} || child.PID == p.PID {
		t.Errorf("child's getpid %v", got)
	}
	p.Exit()
	if got := child.Must(abi.SYS_getppid); got != 1 {
		t.Errorf("orphan's parent %d", got)
	}
	if _, errno := p.Call(abi.SYS_getpid); errno != abi.ESRCH {
		t.Errorf("call of an exited process: %v", errno)
	}
	if _, err := p.Proc.Fork(); err != abi.ESRCH {
		t.Errorf("fork of an exited process: %v", err)
	}
}

// Oracle: setuid(2), seteuid(2), setreuid(2) of NetBSD: which ids may be set to which without privilege.
func TestSetIDs(t *testing.T) {
	const keep = -1
	type ids [3]uint32 // real, effective, saved
	for _, c := range []struct {
		name  string
		from  ids
		call  string
		args  []any
		errno abi.Errno
		want  ids
	}{
		{"root sets all", ids{0, 0, 0}, "set", []any{5}, 0, ids{5, 5, 5}},
		{"to the real id", ids{7, 8, 9}, "set", []any{7}, 0, ids{7, 7, 7}},
		{"not to the saved id", ids{7, 8, 9}, "set", []any{9}, abi.EPERM, ids{7, 8, 9}},
		{"not to another", ids{7, 7, 7}, "set", []any{0}, abi.EPERM, ids{7, 7, 7}},
		{"root's effective alone", ids{0, 0, 0}, "sete", []any{5}, 0, ids{0, 5, 0}},
		{"back to the saved", ids{0, 5, 0}, "sete", []any{0}, 0, ids{0, 0, 0}},
		{"to the real", ids{7, 8, 9}, "sete", []any{7}, 0, ids{7, 7, 9}},
		{"effective to another", ids{7, 8, 9}, "sete", []any{10}, abi.EPERM, ids{7, 8, 9}},
		{"swap", ids{7, 8, 8}, "setre", []any{8, 7}, 0, ids{8, 7, 7}},
		{"real kept, saved kept", ids{7, 8, 9}, "setre", []any{keep, 9}, 0, ids{7, 9, 9}},
		{"nothing", ids{7, 8, 9}, "setre", []any{keep, keep}, 0, ids{7, 8, 9}},
		{"real to the saved", ids{7, 8, 9}, "setre", []any{9, keep}, abi.EPERM, ids{7, 8, 9}},
		{"root sets both", ids{0, 0, 0}, "setre", []any{5, 6}, 0, ids{5, 6, 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := kerntest.New(t)
			users := map[string]int{"set": abi.SYS_setuid, "sete": abi.SYS_seteuid, "setre": abi.SYS_setreuid}
			p := kerntest.Proc(t, k)
			p.SetCred(&kern.Cred{Ruid: c.from[0], Euid: c.from[1], Svuid: c.from[2]})
			p.Want(c.errno, users[c.call], c.args...)
			if u := p.Cred(); (ids{u.Ruid, u.Euid, u.Svuid}) != c.want {
				t.Errorf("users %v, want %v", ids{u.Ruid, u.Euid, u.Svuid}, c.want)
			}
			groups := map[string]int{"set": abi.SYS_setgid, "sete": abi.SYS_setegid, "setre": abi.SYS_setregid}
			g := kerntest.Proc(t, k)
			euid := uint32(1) // privilege is the user's, not the group's
			if c.from == (ids{}) {
				euid = 0
			}
			g.SetCred(&kern.Cred{Euid: euid, Rgid: c.from[0], Egid: c.from[1], Svgid: c.from[2]})
			g.Want(c.errno, groups[c.call], c.args...)
			if u := g.Cred(); (ids{u.Rgid, u.Egid, u.Svgid}) != c.want {
				t.Errorf("groups %v, want %v", ids{u.Rgid, u.Egid, u.Svgid}, c.want)
			}
		})
	}
}

// Oracle: issetugid(2) of NetBSD: changing ids taints; exec without set-id bits clears.
func TestIssetugid(t *testing.T) {
	p := start(t)
	p.Must(abi.SYS_setuid, 0)
	if v := p.Must(abi.SYS_issetugid); v != 0 {
		t.Errorf("issetugid after setting nothing = %d", v)
	}
	p.Must(abi.SYS_setuid, 5)
	if v := p.Must(abi.SYS_issetugid); v != 1 {
		t.Errorf("issetugid = %d", v)
	}
	if v := p.Fork().Must(abi.SYS_issetugid); v != 1 {
		t.Errorf("a child's issetugid = %d", v)
	}
	p.Exec("other")
	if v := p.Must(abi.SYS_issetugid); v != 0 {
		t.Errorf("issetugid after exec = %d", v)
	}
}

// Oracle: getgroups(2), setgroups(2).
func TestGroups(t *testing.T) {
	p := start(t)
	p.Must(abi.SYS_setgroups, 3, kerntest.Ints(30, 10, 20))
	if n := p.Must(abi.SYS_getgroups, 0, nil); n != 3 {
		t.Errorf("getgroups(0) = %d", n)
	}
	b := make([]byte, 64)
	if n := p.Must(abi.SYS_getgroups, 16, b); n != 3 || kerntest.Int(b) != 30 || kerntest.Int(b[4:]) != 10 || kerntest.Int(b[8:]) != 20 {
		t.Errorf("getgroups = %d %v", n, b[:12])
	}
	if c := p.Cred(); !c.InGroup(10) || !c.InGroup(0) || c.InGroup(11) {
		t.Errorf("InGroup of %+v", c)
	}
	p.Want(abi.EINVAL, abi.SYS_getgroups, 2, b)
	p.Want(abi.EFAULT, abi.SYS_getgroups, 16, 1)
	p.Want(abi.EINVAL, abi.SYS_setgroups, abi.NGROUPS+1, b)
	p.Want(abi.EINVAL, abi.SYS_setgroups, -1, b)
	p.Want(abi.EFAULT, abi.SYS_setgroups, 1, 1)
	p.Must(abi.SYS_setgroups, 0, nil)
	if n := p.Must(abi.SYS_getgroups, 16, b); n != 0 {
		t.Errorf("getgroups = %d", n)
	}
	p.Must(abi.SYS_setuid, 5)
	p.Want(abi.EPERM, abi.SYS_setgroups, 0, nil)
}

// Oracle: setpgid(2), setsid(2), getpgid(2), getsid(2).
func TestProcessGroups(t *testing.T) {
	k := kerntest.New(t)
	p, stranger := kerntest.Proc(t, k), kerntest.Proc(t, k)
	child, other := p.Fork(), p.Fork()
	p.Want(abi.EPERM, abi.SYS_setpgid, 0, 0) // a session leader stays
	p.Want(abi.EPERM, abi.SYS_setsid)        // and is no new one
	p.Want(abi.EINVAL, abi.SYS_setpgid, 0, -1)
	p.Want(abi.ESRCH, abi.SYS_setpgid, 9999, 0)
	p.Want(abi.ESRCH, abi.SYS_setpgid, stranger.PID, 0)
	child.Want(abi.ESRCH, abi.SYS_setpgid, p.PID, 0)
	child.Want(abi.EPERM, abi.SYS_setpgid, 0, stranger.PID) // another session's group
	child.Want(abi.EPERM, abi.SYS_setpgid, 0, 9999)         // no group
	p.Must(abi.SYS_setpgid, child.PID, 0)
	if g := p.Must(abi.SYS_getpgid, child.PID); g != int64(child.PID) {
		t.Errorf("child's group %d", g)
	}
	p.Must(abi.SYS_setpgid, other.PID, child.PID)
	if g := other.Must(abi.SYS_getpgrp); g != int64(child.PID) {
		t.Errorf("other's group %d", g)
	}
	other.Must(abi.SYS_setpgid, 0, p.PID)
	other.Exec("other")
	p.Want(abi.EACCES, abi.SYS_setpgid, other.PID, child.PID)
	child.Want(abi.EPERM, abi.SYS_setsid) // it leads a group
	if sid := other.Must(abi.SYS_setsid); sid != int64(other.PID) {
		t.Errorf("setsid = %d", sid)
	}
	if sid := p.Must(abi.SYS_getsid, other.PID); sid != int64(other.PID) {
		t.Errorf("getsid = %d", sid)
	}
	p.Want(abi.EPERM, abi.SYS_setpgid, other.PID, 0) // a child in another session
	p.Want(abi.ESRCH, abi.SYS_getsid, 9999)
	p.Want(abi.ESRCH, abi.SYS_getpgid, 9999)
	if sid := child.Must(abi.SYS_getsid, 0); sid != int64(p.PID) {
		t.Errorf("child's session %d", sid)
	}
}

// Oracle: getlogin(2), setlogin(2): the name is the session's.
func TestLogin(t *testing.T) {
	p := start(t)
	child := p.Fork()
	p.Must(abi.SYS___setlogin, "pooka")
	b := make([]byte, 32)
	child.Must(abi.SYS___getlogin, b, 32)
	if s := abi.CString(b); s != "pooka" {
		t.Errorf("login %q", s)
	}
	child.Must(abi.SYS_setpgid, 0, 0)
	grandchild := child.Fork()
	grandchild.Must(abi.SYS_setsid)
	grandchild.Must(abi.SYS___setlogin, "justin")
	p.Must(abi.SYS___getlogin, b[:3], 3)
	if s := string(b[:3]); s != "poo" {
		t.Errorf("login %q", s)
	}
	p.Want(abi.EINVAL, abi.SYS___setlogin, "much-too-long-a-name")
	p.Want(abi.EFAULT, abi.SYS___setlogin, 1)
	child.Must(abi.SYS_setuid, 5)
	child.Want(abi.EPERM, abi.SYS___setlogin, "x")
}

// Oracle: sysctl-allserver.txt's proc.curproc.rlimit, getrlimit(2), and wire/files-pax-list.jsonl.
func TestLimits(t *testing.T) {
	p := start(t)
	get := func(which int) abi.Rlimit {
		t.Helper()
		b := make([]byte, abi.SizeofRlimit)
		p.Must(abi.SYS_getrlimit, which, b)
		var l abi.Rlimit
		l.Decode(b)
		return l
	}
	const inf = abi.RLIM_INFINITY
	for which, want := range [][2]uint64{{inf, inf}, {inf, inf}, {inf, inf}, {4194304, 134217728}, {inf, inf}, {inf, inf},
		{178956970, 536870912}, {160, 532}, {128, 1772}, {inf, inf}, {inf, inf}, {160, 2048}} {
		if got := get(which); got != (abi.Rlimit{Cur: want[0], Max: want[1]}) {
			t.Errorf("limit %d: %v, want %v", which, got, want)
		}
	}
	set := func(errno abi.Errno, which int, cur, max uint64) {
		t.Helper()
		p.Want(errno, abi.SYS_setrlimit, which, kerntest.Struct(&abi.Rlimit{Cur: cur, Max: max}))
	}
	p.Want(abi.EINVAL, abi.SYS_getrlimit, abi.RLIM_NLIMITS, make([]byte, 16))
	p.Want(abi.EINVAL, abi.SYS_getrlimit, -1, make([]byte, 16))
	p.Want(abi.EFAULT, abi.SYS_getrlimit, 0, 1)
	p.Want(abi.EFAULT, abi.SYS_setrlimit, 0, 1)
	set(abi.EINVAL, abi.RLIM_NLIMITS, 1, 1)
	set(abi.EINVAL, abi.RLIMIT_CPU, 2, 1)
	set(0, abi.RLIMIT_NOFILE, 10, 100000)
	if got := get(abi.RLIMIT_NOFILE); got != (abi.Rlimit{Cur: 10, Max: 1772}) {
		t.Errorf("descriptors %v", got)
	}
	p.Want(abi.EBADF, abi.SYS_dup2, 0, 10)
	set(0, abi.RLIMIT_DATA, 5, 10)
	child := p.Fork()
	if got := child.Rlimit(abi.RLIMIT_DATA); got != (abi.Rlimit{Cur: 5, Max: 10}) {
		t.Errorf("child's limit %v", got)
	}
	p.Must(abi.SYS_setuid, 5)
	set(abi.EPERM, abi.RLIMIT_DATA, 5, 11)
	set(0, abi.RLIMIT_DATA, 10, 10)
	set(0, abi.RLIMIT_DATA, 1, 9)
	set(abi.EPERM, abi.RLIMIT_DATA, 1, 10)
}

// Oracle: fork(2): EAGAIN past the user's limit of processes, which the superuser does not have.
func TestProcessLimit(t *testing.T) {
	p := start(t)
	p.Must(abi.SYS_setrlimit, abi.RLIMIT_NPROC, kerntest.Struct(&abi.Rlimit{Cur: 2, Max: 2}))
	for range 3 {
		p.Fork()
	}
	p.Must(abi.SYS_setuid, 5)
	first := p.Fork()
	if _, err := p.Proc.Fork(); err != abi.EAGAIN {
		t.Errorf("fork past the limit: %v", err)
	}
	first.Exit()
	p.Fork()
}

// Oracle: fork(2), execve(2): what a child inherits, what exec keeps.
func TestForkAndExec(t *testing.T) {
	p := start(t)
	m := &memFile{data: []byte("0123456789")}
	fd := open(t, p, m, readWrite)
	p.Must(abi.SYS_fcntl, fd, abi.F_SETFD, abi.FD_CLOEXEC)
	kept := p.Must(abi.SYS_dup, fd)
	kq := p.Must(abi.SYS_kqueue)
	p.Must(abi.SYS_setgroups, 1, kerntest.Ints(42))
	child := p.Fork()
	child.Read(fd, 4) // the offset is shared
	if off := p.Must(abi.SYS_lseek, fd, 0, 0, abi.SEEK_CUR); off != 4 {
		t.Errorf("offset %d", off)
	}
	child.Want(abi.EBADF, abi.SYS_close, kq)
	if !child.Cred().InGroup(42) {
		t.Error("the child lost its group")
	}
	child.Exec("program")
	if child.Name() != "program" {
		t.Errorf("name %q", child.Name())
	}
	child.Want(abi.EBADF, abi.SYS_close, fd)
	child.Want(0, abi.SYS_fcntl, kept, abi.F_GETFD)
	child.Exit()
	if m.closed != 0 {
		t.Error("the parent's file was closed")
	}
	p.Exit()
	if m.closed != 1 {
		t.Errorf("closed %d times", m.closed)
	}
}
