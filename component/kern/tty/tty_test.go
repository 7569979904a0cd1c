package tty_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/kern/tty"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// boot makes a kernel with terminals, and a process on it.
func boot(t *testing.T) *kerntest.P {
	t.Helper()
	return kerntest.Proc(t, kerntest.New(t, rumpvfs.Component(), tty.Component()))
}

func open(p *kerntest.P, path string, flags int) int {
	return int(p.Must(abi.SYS_open, path, flags, 0))
}

// pair opens both sides of the first pseudo terminal, without waiting in calls on them.
func pair(p *kerntest.P) (master, slave int) {
	const flags = abi.O_RDWR | abi.O_NONBLOCK
	return open(p, "/dev/ptyp0", flags), open(p, "/dev/ttyp0", flags)
}

// ioctl makes a request that has to succeed.
func ioctl(p *kerntest.P, fd int, cmd uint32, arg any) { p.Must(abi.SYS_ioctl, fd, cmd, arg) }

// getInt makes a request for an int.
func getInt(p *kerntest.P, fd int, cmd uint32) (int32, abi.Errno) {
	b := make([]byte, 4)
	_, e := p.Call(abi.SYS_ioctl, fd, cmd, b)
	return kerntest.Int(b), e
}

func wantInt(t *testing.T, p *kerntest.P, fd int, cmd uint32, want int32) {
	t.Helper()
	if got, e := getInt(p, fd, cmd); got != want || e != 0 {
		t.Errorf("%s: %d, %v; want %d", abi.IoctlName(cmd), got, e, want)
	}
}

func wantRead(t *testing.T, p *kerntest.P, fd int, want string) {
	t.Helper()
	if got, e := p.Read(fd, 256); got != want || e != 0 {
		t.Errorf("read %q, %v; want %q", got, e, want)
	}
}

func wantReadError(t *testing.T, p *kerntest.P, fd int, want abi.Errno) {
	t.Helper()
	if got, e := p.Read(fd, 256); e != want {
		t.Errorf("read %q, %v; want %v", got, e, want)
	}
}

func write(t *testing.T, p *kerntest.P, fd int, s string) {
	t.Helper()
	if n, e := p.Write(fd, s); n != len(s) || e != 0 {
		t.Errorf("wrote %d bytes of %q, %v", n, s, e)
	}
}

// modes changes a terminal's modes.
func modes(t *testing.T, p *kerntest.P, fd int, change func(*abi.Termios)) {
	t.Helper()
	b := make([]byte, abi.SizeofTermios)
	ioctl(p, fd, abi.TIOCGETA, b)
	var m abi.Termios
	if err := m.Decode(b); err != nil {
		t.Fatal(err)
	}
	change(&m)
	ioctl(p, fd, abi.TIOCSETA, kerntest.Struct(&m))
}

// leader makes a child of p that leads a session with the terminal as its controlling one.
func leader(p *kerntest.P, slave int) *kerntest.P {
	l := p.Fork()
	l.Must(abi.SYS_setsid)
	ioctl(l, slave, abi.TIOCSCTTY, 0)
	return l
}

// TestDevices compares /dev with that of the original with all components (ls -l of a kernel of rump_allserver).
func TestDevices(t *testing.T) {
	p := boot(t)
	for path, dev := range map[string]uint64{
		"/dev/tty": kern.Makedev(1, 0), "/dev/ptm": kern.Makedev(165, 1), "/dev/ptmx": kern.Makedev(165, 0),
		"/dev/ptyp0": kern.Makedev(6, 0), "/dev/ptyp8": kern.Makedev(6, 8),
		"/dev/ttyp0": kern.Makedev(5, 0), "/dev/ttyp8": kern.Makedev(5, 8),
	} {
		b := make([]byte, abi.SizeofStat)
		p.Must(abi.SYS___stat50, path, b)
		var st abi.Stat
		if err := st.Decode(b); err != nil || st.Mode != abi.S_IFCHR|0o644 || st.Rdev != dev {
			t.Errorf("%s: mode %o, device %#x, %v", path, st.Mode, st.Rdev, err)
		}
	}
	p.Want(abi.ENOENT, abi.SYS___stat50, "/dev/ttyp9", make([]byte, abi.SizeofStat))
	p.Must(abi.SYS___mknod50, "/dev/ttyx", abi.S_IFCHR|0o600, kern.Makedev(5, 992))
	p.Want(abi.ENXIO, abi.SYS_open, "/dev/ttyx", abi.O_RDWR|abi.O_NONBLOCK, 0)
	p.Want(abi.ENXIO, abi.SYS_open, "/dev/tty", abi.O_RDWR, 0)
}

// TestPair: what one side writes the other reads, and each hears of the other's end. Oracles: pty(4), tty(4).
func TestPair(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	p.Want(abi.EIO, abi.SYS_open, "/dev/ptyp0", abi.O_RDWR, 0)
	wantReadError(t, p, master, abi.EAGAIN)
	wantReadError(t, p, slave, abi.EAGAIN)
	write(t, p, master, "hello\r")
	wantRead(t, p, slave, "hello\n")
	wantRead(t, p, master, "hello\r\n")
	write(t, p, slave, "a\n")
	wantInt(t, p, master, abi.FIONREAD, 3)
	wantRead(t, p, master, "a\r\n")
	p.Want(abi.EINVAL, abi.SYS_read, master, make([]byte, 1), 0)
	b := make([]byte, abi.SizeofTermios)
	ioctl(p, master, abi.TIOCGETA, b)

	write(t, p, slave, "last words")
	p.Close(slave)
	wantRead(t, p, master, "last words")
	wantRead(t, p, master, "")
	if _, e := p.Write(master, "x"); e != abi.EIO {
		t.Errorf("writing to a closed terminal: %v", e)
	}
	slave = open(p, "/dev/ttyp0", abi.O_RDWR|abi.O_NONBLOCK)
	write(t, p, slave, "again")
	wantRead(t, p, master, "again")
	p.Close(master)
	wantRead(t, p, slave, "")
	if _, e := p.Write(slave, "x"); e != abi.EIO {
		t.Errorf("writing without a master: %v", e)
	}
}

// TestOpenWaits: a terminal is opened when its master is; both read when the other writes. Oracle: pty(4).
func TestOpenWaits(t *testing.T) {
	p := boot(t)
	got := make(chan string)
	go func() {
		fd, e := p.Call(abi.SYS_open, "/dev/ttyp0", abi.O_RDWR, 0)
		if e != 0 {
			got <- e.Name()
			return
		}
		s, _ := p.Read(int(fd), 100)
		got <- s
		p.Write(int(fd), "answer")
	}()
	master := open(p, "/dev/ptyp0", abi.O_RDWR)
	modes(t, p, master, func(m *abi.Termios) { m.Lflag &^= abi.ECHO })
	write(t, p, master, "question\n") // waits until the terminal is open
	if s := <-got; s != "question\n" {
		t.Errorf("%q", s)
	}
	var all string
	for all != "question\r\nanswer" && all != "answer" {
		s, e := p.Read(master, 100)
		if all += s; e != 0 || s == "" {
			t.Fatalf("read %q, %v", all, e)
		}
	}
	child := p.Fork()
	done := make(chan abi.Errno)
	go func() {
		_, e := child.Call(abi.SYS_open, "/dev/ttyp1", abi.O_RDWR, 0)
		done <- e
	}()
	child.Proc.Exit()
	if e := <-done; e != abi.EINTR && e != abi.ESRCH {
		t.Errorf("open of a process that has gone: %v", e)
	}
}

// TestControllingTerminal: who gets one, and what /dev/tty is. Oracles: tty(4), setsid(2).
func TestControllingTerminal(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	child := p.Fork()
	child.Want(abi.EPERM, abi.SYS_ioctl, slave, abi.TIOCSCTTY, 0) // not a leader
	l := leader(p, slave)
	ioctl(l, slave, abi.TIOCSCTTY, 0) // again is no error
	other := p.Fork()
	other.Must(abi.SYS_setsid)
	other.Want(abi.EPERM, abi.SYS_ioctl, slave, abi.TIOCSCTTY, 0) // another session has it
	pid := int32(l.PID)
	wantInt(t, l, slave, abi.TIOCGPGRP, pid)
	wantInt(t, l, slave, abi.TIOCGSID, pid)
	wantInt(t, p, master, abi.TIOCGPGRP, pid)
	for _, cmd := range []uint32{abi.TIOCGPGRP, abi.TIOCGSID} {
		if _, e := getInt(other, slave, cmd); e != abi.ENOTTY {
			t.Errorf("%s of another session: %v", abi.IoctlName(cmd), e)
		}
	}
	tty := open(l, "/dev/tty", abi.O_RDWR|abi.O_NONBLOCK)
	write(t, l, tty, "x")
	wantRead(t, p, master, "x")
	write(t, p, master, "typed\n")
	wantRead(t, l, tty, "typed\n")
	l.Want(abi.EINVAL, abi.SYS_ioctl, tty, abi.TIOCNOTTY, 0)
	l.Want(abi.EINVAL, abi.SYS_ioctl, tty, abi.TIOCSCTTY, 0)

	job := l.Fork()
	job.Must(abi.SYS_ioctl, tty, abi.TIOCNOTTY, 0)
	wantReadError(t, job, tty, abi.EIO)
	job.Want(abi.ENXIO, abi.SYS_open, "/dev/tty", abi.O_RDWR, 0)
	if _, e := getInt(job, slave, abi.TIOCGPGRP); e != abi.ENOTTY {
		t.Errorf("TIOCGPGRP after TIOCNOTTY: %v", e)
	}
	l.Must(abi.SYS_open, "/dev/tty", abi.O_RDWR, 0) // the others keep it

	session := l.Fork()
	session.Must(abi.SYS_setsid)
	session.Want(abi.ENXIO, abi.SYS_open, "/dev/tty", abi.O_RDWR, 0)
}

// TestForeground: TIOCSPGRP and the signals that characters raise. Oracles: tty(4), termios(4).
func TestForeground(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	l := leader(p, slave)
	job := l.Fork()
	job.Must(abi.SYS_setpgid, 0, 0)
	for pgid, want := range map[int32]abi.Errno{-1: abi.EINVAL, int32(p.PID): abi.EPERM, 1 << 20: abi.EPERM} {
		l.Want(want, abi.SYS_ioctl, slave, abi.TIOCSPGRP, kerntest.Ints(pgid))
	}
	p.Want(abi.ENOTTY, abi.SYS_ioctl, slave, abi.TIOCSPGRP, kerntest.Ints(int32(job.PID)))
	write(t, p, master, "\x03")
	ioctl(l, slave, abi.TIOCSPGRP, kerntest.Ints(int32(job.PID)))
	write(t, p, master, "\x03\x1c\x1a\x14")
	ioctl(p, master, abi.TIOCSIG, abi.SIGUSR1)
	p.Want(abi.EINVAL, abi.SYS_ioctl, master, abi.TIOCSIG, abi.NSIG)
	size := abi.Winsize{Row: 24, Col: 80}
	ioctl(p, master, abi.TIOCSWINSZ, kerntest.Struct(&size))
	ioctl(p, master, abi.TIOCSWINSZ, kerntest.Struct(&size)) // no change, no signal
	if got := l.Signals(); !slices.Equal(got, []int{abi.SIGINT}) {
		t.Errorf("the leader got %v", got)
	}
	want := []int{abi.SIGINT, abi.SIGQUIT, abi.SIGTSTP, abi.SIGINFO, abi.SIGUSR1, abi.SIGWINCH}
	if got := job.Signals(); !slices.Equal(got, want) {
		t.Errorf("the job got %v, want %v", got, want)
	}
	b := make([]byte, abi.SizeofWinsize)
	ioctl(l, slave, abi.TIOCGWINSZ, b)
	var got abi.Winsize
	if err := got.Decode(b); err != nil || got != size {
		t.Errorf("the size is %+v, %v", got, err)
	}
	job.Proc.Exit()
	wantInt(t, l, slave, abi.TIOCGPGRP, -1)
}

// TestBackground: a job in the background is held when it reads, changes modes, or with TOSTOP writes, until it comes to the
// foreground; one of an orphaned group gets EIO. Oracles: termios(4), POSIX General Terminal Interface 11.1.4.
func TestBackground(t *testing.T) {
	p := boot(t)
	master := open(p, "/dev/ptyp0", abi.O_RDWR)
	slave := open(p, "/dev/ttyp0", abi.O_RDWR)
	l := leader(p, slave)
	job := l.Fork()
	job.Must(abi.SYS_setpgid, 0, 0)
	foreground := func(q *kerntest.P) { ioctl(l, slave, abi.TIOCSPGRP, kerntest.Ints(int32(q.PGID()))) }
	write(t, p, master, "line\n")

	result := make(chan string)
	signals := 0
	held := func(sig int, call func() string) string {
		go func() { result <- call() }()
		signals++
		if got := job.WaitSignals(signals); got[signals-1] != sig {
			t.Errorf("signal %v, want %d", got, sig)
		}
		foreground(job)
		s := <-result
		foreground(l)
		return s
	}
	if s := held(abi.SIGTTIN, func() string { s, _ := job.Read(slave, 100); return s }); s != "line\n" {
		t.Errorf("read %q", s)
	}
	write(t, job, slave, "x") // without TOSTOP
	b := make([]byte, abi.SizeofTermios)
	ioctl(l, slave, abi.TIOCGETA, b)
	held(abi.SIGTTOU, func() string { ioctl(job, slave, abi.TIOCSETA, b); return "" })
	modes(t, l, slave, func(m *abi.Termios) { m.Lflag |= abi.TOSTOP })
	held(abi.SIGTTOU, func() string { write(t, job, slave, "y"); return "" })

	// A process that is brought into the foreground group goes on as well.
	go func() { s, _ := job.Read(slave, 100); result <- s }()
	job.WaitSignals(signals + 1)
	l.Must(abi.SYS_setpgid, job.PID, l.PID)
	write(t, p, master, "more\n")
	if s := <-result; s != "more\n" {
		t.Errorf("read %q", s)
	}

	orphan := job.Fork()
	orphan.Must(abi.SYS_setpgid, 0, 0)
	job.Proc.Exit()
	wantReadError(t, orphan, slave, abi.EIO)
	if _, e := orphan.Write(slave, "z"); e != abi.EIO {
		t.Errorf("an orphan writes: %v", e)
	}
	ioctl(orphan, slave, abi.TIOCSETA, b) // nobody could let it go on
}

// TestHangup: when the master is closed, the leader gets SIGHUP and the terminal is at its end. Oracle: tty(4), POSIX 11.1.10.
func TestHangup(t *testing.T) {
	p := boot(t)
	master := open(p, "/dev/ptyp0", abi.O_RDWR)
	slave := open(p, "/dev/ttyp0", abi.O_RDWR)
	l := leader(p, slave)
	l.Close(master)
	job := l.Fork()
	got := make(chan string)
	go func() { s, e := job.Read(slave, 10); got <- s + e.Error() }()
	p.Close(master)
	if s := <-got; s != abi.Errno(0).Error() {
		t.Errorf("a waiting read gives %q", s)
	}
	if s := l.WaitSignals(1); s[0] != abi.SIGHUP {
		t.Errorf("the leader got %v", s)
	}
	if s := job.Signals(); len(s) != 0 {
		t.Errorf("another got %v", s)
	}
	if _, e := l.Write(slave, "x"); e != abi.EIO {
		t.Errorf("writing: %v", e)
	}
}

// TestLeaderExit: when the leader exits, the foreground gets SIGHUP and the terminal is revoked. Oracles: exit(3), POSIX _exit.
func TestLeaderExit(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	l := leader(p, slave)
	job := l.Fork()
	tty := open(job, "/dev/tty", abi.O_RDWR)
	l.Proc.Exit()
	if s := job.WaitSignals(1); s[0] != abi.SIGHUP {
		t.Errorf("the foreground got %v", s)
	}
	wantRead(t, job, slave, "")
	wantReadError(t, job, tty, abi.EIO)
	if _, e := job.Write(slave, "x"); e != abi.EIO {
		t.Errorf("writing: %v", e)
	}
	job.Want(abi.ENXIO, abi.SYS_open, "/dev/tty", abi.O_RDWR, 0)
	wantRead(t, p, master, "")
	next := p.Fork()
	next.Must(abi.SYS_setsid)
	fd := open(next, "/dev/ttyp0", abi.O_RDWR)
	ioctl(next, fd, abi.TIOCSCTTY, 0)
	write(t, next, fd, "new")
	wantRead(t, p, master, "new")
}

// TestRevoke: all opens of the terminal end, those through /dev/tty too, and reads that wait. Oracle: revoke(2).
func TestRevoke(t *testing.T) {
	p := boot(t)
	master := open(p, "/dev/ptyp0", abi.O_RDWR)
	slave := open(p, "/dev/ttyp0", abi.O_RDWR)
	l := leader(p, slave)
	tty := open(l, "/dev/tty", abi.O_RDWR)
	got := make(chan string)
	go func() { s, e := l.Read(tty, 10); got <- s + e.Error() }()
	p.Must(abi.SYS_revoke, "/dev/ttyp0")
	<-got
	wantRead(t, p, slave, "")
	if _, e := p.Write(slave, "x"); e != abi.EIO {
		t.Errorf("writing: %v", e)
	}
	p.Want(abi.EBADF, abi.SYS_ioctl, slave, abi.TIOCSTOP, 0)
	wantReadError(t, l, tty, abi.EIO)
	slave = open(p, "/dev/ttyp0", abi.O_RDWR)
	write(t, p, slave, "new")
	wantRead(t, p, master, "new")
	p.Close(slave)
}

// TestExclusive: TIOCEXCL keeps others out, but not the superuser. TIOCSTI is for one's own terminal. Oracle: tty(4).
func TestExclusive(t *testing.T) {
	p := boot(t)
	p.Must(abi.SYS_chmod, "/dev/ttyp0", 0o666)
	_, slave := pair(p)
	user := p.Fork()
	user.Must(abi.SYS_setuid, 1000)
	ioctl(p, slave, abi.TIOCEXCL, 0)
	user.Want(abi.EBUSY, abi.SYS_open, "/dev/ttyp0", abi.O_RDWR, 0)
	p.Close(open(p, "/dev/ttyp0", abi.O_RDWR))
	ioctl(p, slave, abi.TIOCNXCL, 0)
	fd := open(user, "/dev/ttyp0", abi.O_RDWR)
	user.Want(abi.EACCES, abi.SYS_ioctl, fd, abi.TIOCSTI, []byte("x"))
	user.Want(abi.EACCES, abi.SYS_ioctl, fd, abi.TIOCCONS, kerntest.Ints(1))
	user.Want(abi.EPERM, abi.SYS_ioctl, open(user, "/dev/ttyp0", abi.O_WRONLY), abi.TIOCSTI, []byte("x"))
	user.Must(abi.SYS_setsid)
	ioctl(user, fd, abi.TIOCSCTTY, 0)
	ioctl(user, fd, abi.TIOCSTI, []byte("x"))
	ioctl(p, slave, abi.TIOCSTI, []byte("\n"))
	wantRead(t, user, fd, "x\n")
}

// TestConsole: TIOCCONS shows the kernel's messages. Oracle: tty(4).
func TestConsole(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	ioctl(p, slave, abi.TIOCCONS, kerntest.Ints(1))
	p.K.Logf("one\n")
	wantRead(t, p, master, "one\r\n")
	open(p, "/dev/ptyp1", abi.O_RDWR)
	second := open(p, "/dev/ttyp1", abi.O_RDWR)
	p.Want(abi.EBUSY, abi.SYS_ioctl, second, abi.TIOCCONS, kerntest.Ints(1))
	ioctl(p, slave, abi.TIOCCONS, kerntest.Ints(0))
	p.K.Logf("two\n")
	wantReadError(t, p, master, abi.EAGAIN)
	ioctl(p, second, abi.TIOCCONS, kerntest.Ints(1))
	p.Close(second)
	p.K.Logf("three\n")
}

// TestDrain: TIOCDRAIN and TIOCSETAW wait until the master has read. Oracle: termios(4).
func TestDrain(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	b := make([]byte, abi.SizeofTermios)
	ioctl(p, slave, abi.TIOCGETA, b)
	for cmd, arg := range map[uint32]any{abi.TIOCDRAIN: 0, abi.TIOCSETAW: b, abi.TIOCSETAF: b} {
		write(t, p, slave, "text")
		done := make(chan bool)
		go func() {
			ioctl(p, slave, cmd, arg)
			close(done)
		}()
		wantRead(t, p, master, "text")
		<-done
	}
	write(t, p, slave, "text")
	ioctl(p, master, abi.TIOCSETAW, b) // the master would wait for itself
	wantInt(t, p, slave, abi.TIOCOUTQ, 0)
}

// TestStatus: ^T and TIOCSTAT tell about the foreground, unless NOKERNINFO is set. Oracle: termios(4), VSTATUS; what the original
// adds of processors and memory a rump kernel does not know.
func TestStatus(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	ioctl(p, slave, abi.TIOCSTAT, kerntest.Ints(0))
	wantRead(t, p, master, "not a controlling terminal\r\n")
	l := leader(p, slave)
	want := fmt.Sprintf("cmd: %s %d\r\n", l.Name(), l.PID)
	write(t, p, master, "\x14")
	wantRead(t, p, master, want)
	modes(t, l, slave, func(m *abi.Termios) { m.Lflag |= abi.NOKERNINFO })
	write(t, p, master, "\x14")
	wantReadError(t, p, master, abi.EAGAIN)
	if got := l.Signals(); !slices.Equal(got, []int{abi.SIGINFO, abi.SIGINFO}) {
		t.Errorf("the leader got %v", got)
	}
	job := l.Fork()
	job.Must(abi.SYS_setpgid, 0, 0)
	ioctl(l, slave, abi.TIOCSPGRP, kerntest.Ints(int32(job.PID)))
	job.Proc.Exit()
	ioctl(p, master, abi.TIOCSTAT, kerntest.Ints(0))
	wantRead(t, p, master, "empty foreground process group\r\n")
}
