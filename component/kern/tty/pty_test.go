package tty_test

import (
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/dev/pty"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestPacketMode: what the master reads begins with a byte of control. Oracle: pty(4), TIOCPKT.
func TestPacketMode(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	ioctl(p, master, abi.TIOCPKT, kerntest.Ints(1))
	p.Want(abi.EINVAL, abi.SYS_ioctl, master, abi.TIOCUCNTL, kerntest.Ints(1))
	write(t, p, slave, "data")
	wantRead(t, p, master, "\x00data")
	control := func(bits byte) {
		t.Helper()
		wantRead(t, p, master, string([]byte{bits}))
	}
	ioctl(p, slave, abi.TIOCSTOP, 0)
	control(abi.TIOCPKT_STOP)
	write(t, p, slave, "later")
	wantReadError(t, p, master, abi.EAGAIN)
	ioctl(p, slave, abi.TIOCSTART, 0)
	control(abi.TIOCPKT_START)
	wantRead(t, p, master, "\x00later")
	ioctl(p, slave, abi.TIOCFLUSH, kerntest.Ints(abi.FWRITE))
	control(abi.TIOCPKT_FLUSHWRITE)
	ioctl(p, slave, abi.TIOCFLUSH, kerntest.Ints(0))
	control(abi.TIOCPKT_FLUSHREAD | abi.TIOCPKT_FLUSHWRITE)
	modes(t, p, slave, func(m *abi.Termios) { m.Iflag &^= abi.IXON })
	control(abi.TIOCPKT_NOSTOP)
	modes(t, p, slave, func(m *abi.Termios) { m.Iflag |= abi.IXON })
	control(abi.TIOCPKT_DOSTOP)

	ioctl(p, master, abi.TIOCEXT, kerntest.Ints(1))
	s, _ := p.Read(master, 100)
	var m abi.Termios
	if len(s) != 1+abi.SizeofTermios || s[0] != abi.TIOCPKT_IOCTL || m.Decode([]byte(s[1:])) != nil || m.Lflag&abi.EXTPROC == 0 {
		t.Errorf("TIOCEXT: %q", s)
	}
	modes(t, p, slave, func(m *abi.Termios) { m.Lflag &^= abi.EXTPROC }) // is not the slave's to change
	if s, _ := p.Read(master, 1); s != "\x40" {
		t.Errorf("changed modes: %q", s)
	}
	write(t, p, master, "a\x7f\n") // edited by the master
	wantRead(t, p, slave, "a\x7f\n")
	ioctl(p, master, abi.TIOCEXT, kerntest.Ints(0))
	ioctl(p, master, abi.TIOCPKT, kerntest.Ints(0))
	write(t, p, slave, "plain")
	wantRead(t, p, master, "plain")
}

// TestUserControl: requests of the group 'u' arrive as bytes. Oracle: pty(4), TIOCUCNTL.
func TestUserControl(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	const request = abi.IOC_VOID | 'u'<<8
	p.Want(abi.ENOTTY, abi.SYS_ioctl, slave, request|7, 0)
	ioctl(p, master, abi.TIOCUCNTL, kerntest.Ints(1))
	p.Want(abi.EINVAL, abi.SYS_ioctl, master, abi.TIOCPKT, kerntest.Ints(1))
	ioctl(p, slave, request, 0) // asks whether the mode is on
	wantReadError(t, p, master, abi.EAGAIN)
	ioctl(p, slave, request|7, 0)
	write(t, p, slave, "x")
	wantRead(t, p, master, "\x07")
	wantRead(t, p, master, "\x00x")
}

// TestRemote: each write of the master is one read of the terminal, unedited; an empty one is an end of file. Oracle: pty(4), TIOCREMOTE.
func TestRemote(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	ioctl(p, master, abi.TIOCREMOTE, kerntest.Ints(1))
	write(t, p, master, "a\x7f\x03b")
	if _, e := p.Write(master, "too early"); e != abi.EAGAIN {
		t.Errorf("a second record: %v", e)
	}
	wantInt(t, p, slave, abi.FIONREAD, 4)
	if s, _ := p.Read(slave, 3); s != "a\x7f\x03" {
		t.Errorf("read %q", s)
	}
	wantRead(t, p, slave, "b")
	wantReadError(t, p, slave, abi.EAGAIN)
	p.Must(abi.SYS_write, master, []byte{}, 0)
	wantRead(t, p, slave, "")
	big := make([]byte, 2000)
	if n := p.Must(abi.SYS_write, master, big, len(big)); n != 1024 {
		t.Errorf("a large record: %d bytes", n)
	}
	ioctl(p, master, abi.TIOCREMOTE, kerntest.Ints(0))
	write(t, p, master, "c\n")
	wantRead(t, p, slave, "c\n")
}

// ptmget reads a struct ptmget from a request.
func ptmget(t *testing.T, p *kerntest.P, fd int, cmd uint32) (g abi.Ptmget, master, slave string) {
	t.Helper()
	b := make([]byte, abi.SizeofPtmget)
	ioctl(p, fd, cmd, b)
	if err := g.Decode(b); err != nil {
		t.Fatal(err)
	}
	return g, abi.CString(g.Cn[:]), abi.CString(g.Sn[:])
}

// TestCloning: /dev/ptmx and /dev/ptm give out pairs that are the user's. Oracle: ptm(4).
func TestCloning(t *testing.T) {
	p := boot(t)
	for _, path := range []string{"/dev/ptmx", "/dev/ptm"} {
		p.Must(abi.SYS_chmod, path, 0o666)
	}
	user := p.Fork()
	user.Must(abi.SYS_setuid, 1000)
	master := open(user, "/dev/ptmx", abi.O_RDWR|abi.O_CLOEXEC)
	if got := user.Must(abi.SYS_fcntl, master, abi.F_GETFD, 0); got != 1 {
		t.Errorf("close-on-exec is %d", got)
	}
	b := make([]byte, abi.SizeofStat)
	user.Must(abi.SYS___fstat50, master, b)
	var st abi.Stat
	if err := st.Decode(b); err != nil || st.Rdev != pty.Dev(0, pty.Master) {
		t.Errorf("the master is device %#x, %v", st.Rdev, err)
	}
	_, cn, sn := ptmget(t, user, master, abi.TIOCPTSNAME)
	if cn != "/dev/ptyp0" || sn != "/dev/ttyp0" {
		t.Errorf("names %s and %s", cn, sn)
	}
	user.Want(abi.EACCES, abi.SYS_open, sn, abi.O_RDWR, 0)
	stale := open(p, sn, abi.O_RDWR|abi.O_NONBLOCK)
	ioctl(user, master, abi.TIOCGRANTPT, 0)
	wantRead(t, p, stale, "") // revoked
	user.Must(abi.SYS___stat50, sn, b)
	if err := st.Decode(b); err != nil || st.Mode != abi.S_IFCHR|0o620 || st.Uid != 1000 || st.Gid != 4 {
		t.Errorf("granted: mode %o of %d, %d, %v", st.Mode, st.Uid, st.Gid, err)
	}
	slave := open(user, sn, abi.O_RDWR)
	write(t, user, slave, "x")
	wantRead(t, user, master, "x")
	user.Want(abi.ENOTTY, abi.SYS_ioctl, slave, abi.TIOCGRANTPT, 0)

	ptm := open(user, "/dev/ptm", abi.O_RDWR)
	user.Want(abi.EINVAL, abi.SYS_ioctl, ptm, abi.TIOCPTSNAME, make([]byte, abi.SizeofPtmget))
	g, cn, sn := ptmget(t, user, ptm, abi.TIOCPTMGET)
	if cn != "/dev/ptyp1" || sn != "/dev/ttyp1" {
		t.Errorf("names %s and %s", cn, sn)
	}
	write(t, user, int(g.Sfd), "y")
	wantRead(t, user, int(g.Cfd), "y")
	_, _, same := ptmget(t, user, int(g.Sfd), abi.TIOCPTSNAME)
	if same != sn {
		t.Errorf("the slave says that it is %s", same)
	}
	// Pairs with names in /dev come to an end; a descriptor that does not fit leaves nothing behind.
	for range 7 {
		open(p, "/dev/ptmx", abi.O_RDWR)
	}
	p.Want(abi.ENOENT, abi.SYS_open, "/dev/ptmx", abi.O_RDWR, 0)
	user.Close(master)
	limit := binary.LittleEndian.AppendUint64(nil, uint64(slave+4))
	user.Must(abi.SYS_setrlimit, abi.RLIMIT_NOFILE, append(limit, limit...))
	user.Must(abi.SYS_dup2, slave, master)
	user.Want(abi.EMFILE, abi.SYS_ioctl, ptm, abi.TIOCPTMGET, make([]byte, abi.SizeofPtmget))
	if pty.Of(p.K).Busy(0) {
		t.Error("the first master is open still")
	}
}

// poll asks for events of one descriptor, without waiting.
func poll(t *testing.T, p *kerntest.P, fd int) int16 {
	t.Helper()
	f := abi.Pollfd{Fd: int32(fd), Events: abi.POLLIN | abi.POLLOUT}
	b := kerntest.Struct(&f)
	p.Must(abi.SYS_poll, b, 1, 0)
	if err := f.Decode(b); err != nil {
		t.Fatal(err)
	}
	return f.Revents
}

// TestPoll: what can be done without waiting, on both sides. Oracles: poll(2), pty(4).
func TestPoll(t *testing.T) {
	p := boot(t)
	master := open(p, "/dev/ptyp0", abi.O_RDWR)
	check := func(what string, fd int, want int16) {
		t.Helper()
		if got := poll(t, p, fd); got != want {
			t.Errorf("%s: %#x, want %#x", what, got, want)
		}
	}
	check("a master without a terminal", master, 0)
	slave := open(p, "/dev/ttyp0", abi.O_RDWR)
	check("a master", master, abi.POLLOUT)
	check("a terminal", slave, abi.POLLOUT)
	write(t, p, master, "line")
	check("a terminal with half a line", slave, abi.POLLOUT)
	check("a master with an echo", master, abi.POLLIN|abi.POLLOUT)
	write(t, p, master, "\n")
	check("a terminal with a line", slave, abi.POLLIN|abi.POLLOUT)
	write(t, p, slave, string(make([]byte, 500)))
	check("a terminal with much output", slave, abi.POLLIN)
	p.Read(master, 1000)
	check("a master that has read", master, abi.POLLOUT)
	p.Close(slave)
	check("a master whose terminal is closed", master, abi.POLLHUP)
	slave = open(p, "/dev/ttyp0", abi.O_RDWR)
	p.Close(master)
	check("a terminal without a master", slave, abi.POLLHUP)
}

// kevent asks a kqueue for events, waiting for one.
func kevent(t *testing.T, p *kerntest.P, kq int, change *abi.Kevent, wait bool) []abi.Kevent {
	t.Helper()
	var changes []byte
	n := 0
	if change != nil {
		changes, n = kerntest.Struct(change), 1
	}
	out := make([]byte, 4*abi.SizeofKevent)
	var timeout []byte
	if !wait {
		timeout = kerntest.Struct(&abi.Timespec{})
	}
	got := p.Must(abi.SYS___kevent50, kq, changes, n, out, 4, timeout)
	events := make([]abi.Kevent, got)
	for i := range events {
		if err := events[i].Decode(out[i*abi.SizeofKevent:]); err != nil {
			t.Fatal(err)
		}
	}
	return events
}

// TestKqueue: the number of bytes, and the end, on both sides. Oracle: kqueue(2).
func TestKqueue(t *testing.T) {
	p := boot(t)
	master, slave := pair(p)
	kq := int(p.Must(abi.SYS_kqueue))
	add := func(fd int, filter uint32) {
		kevent(t, p, kq, &abi.Kevent{Ident: uint64(fd), Filter: filter, Flags: abi.EV_ADD | abi.EV_CLEAR}, false)
	}
	add(master, abi.EVFILT_READ)
	add(slave, abi.EVFILT_READ)
	if e := kevent(t, p, kq, nil, false); len(e) != 0 {
		t.Errorf("at first: %+v", e)
	}
	write(t, p, slave, "12345")
	if e := kevent(t, p, kq, nil, true); len(e) != 1 || e[0].Ident != uint64(master) || e[0].Data != 5 {
		t.Errorf("output: %+v", e)
	}
	p.Read(master, 10)
	modes(t, p, slave, func(m *abi.Termios) { m.Lflag &^= abi.ECHO })
	write(t, p, master, "abc\n")
	if e := kevent(t, p, kq, nil, true); len(e) != 1 || e[0].Ident != uint64(slave) || e[0].Data != 4 {
		t.Errorf("input: %+v", e)
	}
	p.Close(master)
	if e := kevent(t, p, kq, nil, true); len(e) != 1 || e[0].Ident != uint64(slave) || e[0].Flags&abi.EV_EOF == 0 {
		t.Errorf("the end: %+v", e)
	}
	add = func(fd int, filter uint32) {
		kevent(t, p, kq, &abi.Kevent{Ident: uint64(fd), Filter: filter, Flags: abi.EV_ADD}, false)
	}
	master = open(p, "/dev/ptyp1", abi.O_RDWR)
	open(p, "/dev/ttyp1", abi.O_RDWR)
	add(master, abi.EVFILT_WRITE)
	if e := kevent(t, p, kq, nil, false); len(e) != 1 || e[0].Data != 1024 {
		t.Errorf("room for input: %+v", e)
	}
	p.Want(abi.EINVAL, abi.SYS___kevent50, kq, kerntest.Struct(&abi.Kevent{Ident: uint64(master), Filter: abi.EVFILT_AIO, Flags: abi.EV_ADD}),
		1, nil, 0, nil)
}
