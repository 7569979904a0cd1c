package tty_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/dev/tty"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// wire is a driver: what is typed goes in, what is sent is kept by the terminal until it is taken.
type wire struct {
	stops []int
}

func (*wire) Start()         {}
func (w *wire) Stop(how int) { w.stops = append(w.stops, how) }
func (*wire) Room()          {}

// terminal is an open terminal on a wire.
type terminal struct {
	tb   testing.TB
	tp   *tty.TTY
	line *tty.Line
	file *kern.File
	th   *kern.Thread
	wire *wire
}

func newTerminal(tb testing.TB) *terminal {
	k := kerntest.New(tb)
	st, err := tty.NewStats(k)
	if err != nil {
		tb.Fatal(err)
	}
	w := &wire{}
	x := &terminal{tb: tb, tp: tty.New(k, w, st), th: k.KernelThread(), wire: w}
	x.tp.Lock()
	x.tp.Attach()
	x.tp.Unlock()
	if x.line, err = x.tp.Open(x.th, abi.FREAD|abi.FWRITE); err != nil {
		tb.Fatal(err)
	}
	x.file = kern.NewFile(abi.DTYPE_VNODE, x.line, abi.FREAD|abi.FWRITE|abi.O_NONBLOCK)
	return x
}

// set changes the modes by TIOCSETA.
func (x *terminal) set(change func(*abi.Termios)) {
	x.tp.Lock()
	m := x.tp.Modes()
	x.tp.Unlock()
	change(&m)
	x.ioctl(abi.TIOCSETA, m.Append(nil))
}

func (x *terminal) ioctl(cmd uint32, data []byte) {
	x.tb.Helper()
	if err := x.line.Ioctl(x.th, x.file, cmd, data); err != nil {
		x.tb.Fatalf("%s: %v", abi.IoctlName(cmd), err)
	}
}

func (x *terminal) typed(s string) {
	x.tp.Lock()
	defer x.tp.Unlock()
	for i := range len(s) {
		x.tp.Input(s[i])
	}
}

// sent is what the terminal has sent since it was last asked.
func (x *terminal) sent() string {
	x.tp.Lock()
	defer x.tp.Unlock()
	b := make([]byte, 1<<16)
	return string(b[:x.tp.Take(b)])
}

// reads are the results of read(2) until there is nothing more.
func (x *terminal) reads() []string {
	var list []string
	for len(list) < 100 {
		b := make([]byte, 4096)
		n, err := x.line.Read(x.th, x.file, b, kern.Current)
		if err == abi.EAGAIN {
			return list
		}
		if err != nil {
			x.tb.Fatal(err)
		}
		list = append(list, string(b[:n]))
	}
	x.tb.Fatal("there is always more to read")
	return nil
}

func (x *terminal) write(s string) int {
	n, err := x.line.Write(x.th, x.file, []byte(s), kern.Current)
	if err != nil && err != abi.EAGAIN {
		x.tb.Fatal(err)
	}
	return n
}

// lflags changes local modes, iflags input modes: those of set are set, those of clear cleared.
func lflags(set, clear uint32) func(*abi.Termios) {
	return func(m *abi.Termios) { m.Lflag = m.Lflag&^clear | set }
}

func iflags(set, clear uint32) func(*abi.Termios) {
	return func(m *abi.Termios) { m.Iflag = m.Iflag&^clear | set }
}

func raw(m *abi.Termios) { m.Lflag &^= abi.ICANON }

// TestInput types at a terminal. Oracle: termios(4), which says what each flag and each special character does.
func TestInput(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(*abi.Termios)
		typed string
		sent  string
		reads []string
	}{
		{"a line", nil, "hello\r", "hello\r\n", []string{"hello\n"}},
		{"two lines", nil, "a\nb\n", "a\r\nb\r\n", []string{"a\n", "b\n"}},
		{"not yet a line", nil, "abc", "abc", nil},
		{"erase", nil, "ab\x7fc\n", "ab\b \bc\r\n", []string{"ac\n"}},
		{"erase of nothing", nil, "\x7f\x7f\n", "\r\n", []string{"\n"}},
		{"erase of a control character", nil, "\x01\x7f\n", "^A\b \b\b \b\r\n", []string{"\n"}},
		{"erase of a tab", nil, "ab\t\x7f\n", "ab      \b\b\b\b\b\b\r\n", []string{"ab\n"}},
		{"erase shown by the character", lflags(0, abi.ECHOE), "ab\x7f\n", "ab^?\r\n", []string{"a\n"}},
		{"erase on paper", lflags(abi.ECHOPRT, abi.ECHOE), "abc\x7f\x7fd\n", "abc\\cb/d\r\n", []string{"ad\n"}},
		{"kill", nil, "ab\x15c\n", "ab\b \b\b \bc\r\n", []string{"c\n"}},
		{"kill on a new line", lflags(abi.ECHOK, abi.ECHOKE), "ab\x15c\n", "ab^U\r\nc\r\n", []string{"c\n"}},
		{"kill without a new line", lflags(0, abi.ECHOK|abi.ECHOKE), "ab\x15c\n", "ab^Uc\r\n", []string{"c\n"}},
		{"word erase", nil, "foo bar  \x17x\n", "foo bar  " + strings.Repeat("\b \b", 5) + "x\r\n", []string{"foo x\n"}},
		{"word erase to the beginning", nil, "foo\x17x\n", "foo\b \b\b \b\b \bx\r\n", []string{"x\n"}},
		{"word erase of letters", lflags(abi.ALTWERASE, 0), "a/bc\x17\n", "a/bc\b \b\b \b\r\n", []string{"a/\n"}},
		{"word erase without IEXTEN", lflags(0, abi.IEXTEN), "a\x17\n", "a^W\r\n", []string{"a\x17\n"}},
		{"reprint", nil, "ab\x12c\n", "ab^R\r\nabc\r\n", []string{"abc\n"}},
		{"literal next", nil, "\x16\x03\n", "^\b^C\r\n", []string{"\x03\n"}},
		{"literal erase", nil, "a\x16\x7f\n", "a^\b^?\r\n", []string{"a\x7f\n"}},
		{"literal new line", nil, "a\x16\nb\n", "a^\b^Jb\r\n", []string{"a\nb\n"}},
		{"end of file", nil, "\x04", "^D\b\b", []string{""}},
		{"end of file after text", nil, "abc\x04", "abc^D\b\b", []string{"abc"}},
		{"another end of line", func(m *abi.Termios) { m.Cc[abi.VEOL] = ';' }, "a;b\n", "a;b\r\n", []string{"a;", "b\n"}},
		{"no echo", lflags(0, abi.ECHO), "secret\n", "", []string{"secret\n"}},
		{"no echo but new lines", lflags(abi.ECHONL, abi.ECHO), "secret\n", "\r\n", []string{"secret\n"}},
		{"control characters as they are", lflags(0, abi.ECHOCTL), "a\x01\n", "a\x01\r\n", []string{"a\x01\n"}},
		{"raw", raw, "a\x7fb", "a^?b", []string{"a\x7fb"}},
		{"raw signals without ISIG", lflags(0, abi.ICANON|abi.ISIG), "\x03", "^C", []string{"\x03"}},
		{"carriage returns ignored", iflags(abi.IGNCR, 0), "a\rb\n", "ab\r\n", []string{"ab\n"}},
		{"carriage returns kept", iflags(0, abi.ICRNL), "a\rb\n", "a^Mb\r\n", []string{"a\rb\n"}},
		{"new lines as carriage returns", iflags(abi.INLCR, abi.ICRNL), "a\n\x04", "a^M^D\b\b", []string{"a\r"}},
		{"seven bits", iflags(abi.ISTRIP, 0), "\xe1\n", "a\r\n", []string{"a\n"}},
		{"marked bytes", iflags(abi.PARMRK|abi.INPCK, 0), "\xff\n", "\r\n", []string{"\xff\xff\n"}},
		{"disabled characters", func(m *abi.Termios) { m.Cc[abi.VERASE] = abi.POSIX_VDISABLE }, "a\x7f\xff\n", "a^?\xff\r\n",
			[]string{"a\x7f\xff\n"}},
		{"interrupt, which empties both queues", nil, "ab\x03c\n", "^Cc\r\n", []string{"c\n"}},
		{"interrupt that keeps the line", lflags(abi.NOFLSH, 0), "ab\x03c\n", "ab^Cc\r\n", []string{"abc\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newTerminal(t)
			if c.set != nil {
				x.set(c.set)
			}
			x.typed(c.typed)
			if got := x.sent(); got != c.sent {
				t.Errorf("sent %q, want %q", got, c.sent)
			}
			if got := x.reads(); !slices.Equal(got, c.reads) {
				t.Errorf("read %q, want %q", got, c.reads)
			}
		})
	}
}

// TestOutput writes to a terminal. Oracle: termios(4), the output modes.
func TestOutput(t *testing.T) {
	oflags := func(set, clear uint32) func(*abi.Termios) {
		return func(m *abi.Termios) { m.Oflag = m.Oflag&^clear | set }
	}
	for _, c := range []struct {
		name           string
		set            func(*abi.Termios)
		written, wants string
	}{
		{"new lines", nil, "a\nb\n", "a\r\nb\r\n"},
		{"new lines as they are", oflags(0, abi.ONLCR), "a\n", "a\n"},
		{"nothing processed", oflags(0, abi.OPOST), "a\tb\n", "a\tb\n"},
		{"tabs", nil, "\ta\tb", "        a       b"},
		{"tabs after backspaces", nil, "ab\b\tc", "ab\b       c"},
		{"tabs as they are", oflags(0, abi.OXTABS), "a\tb", "a\tb"},
		{"tabs after control characters", nil, "\x1b\tc", "\x1b        c"},
		{"carriage returns as new lines", oflags(abi.OCRNL, abi.ONLCR), "a\rb", "a\nb"},
		{"no carriage return at the margin", oflags(abi.ONOCR, 0), "\ra\r\rb", "a\rb"},
		{"no end of transmission", oflags(abi.ONOEOT, 0), "a\x04b", "ab"},
		{"new lines return", oflags(abi.ONLRET, abi.ONLCR), "ab\n\tc", "ab\n        c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newTerminal(t)
			if c.set != nil {
				x.set(c.set)
			}
			if n := x.write(c.written); n != len(c.written) {
				t.Errorf("wrote %d bytes of %d", n, len(c.written))
			}
			if got := x.sent(); got != c.wants {
				t.Errorf("sent %q, want %q", got, c.wants)
			}
		})
	}
}

// TestEditAfterWrite: when something was written in between, the line is shown again before it is edited. Oracle: tty(4) of 4.4BSD.
func TestEditAfterWrite(t *testing.T) {
	x := newTerminal(t)
	x.typed("abc")
	x.write("!")
	x.sent()
	x.typed("\x7f")
	if got := x.sent(); got != "^R\r\nab" {
		t.Errorf("sent %q", got)
	}
	x.typed("\n")
	if got := x.reads(); !slices.Equal(got, []string{"ab\n"}) {
		t.Errorf("read %q", got)
	}
}

// TestFlow: ^S stops output, ^Q and with IXANY everything lets it go on; without IXON they are data. Oracle: termios(4).
func TestFlow(t *testing.T) {
	x := newTerminal(t)
	x.typed("\x13")
	x.write("text")
	if got := x.sent(); got != "" {
		t.Errorf("stopped, but sent %q", got)
	}
	x.typed("\x11")
	if got := x.sent(); got != "text" {
		t.Errorf("sent %q", got)
	}
	x.typed("\x13x")
	if got := x.sent(); got != "x" {
		t.Errorf("IXANY: sent %q", got)
	}
	x.set(iflags(0, abi.IXANY))
	x.typed("\x13y")
	if got := x.sent(); got != "" {
		t.Errorf("without IXANY: sent %q", got)
	}
	x.ioctl(abi.TIOCSTART, nil)
	if got := x.sent(); got != "y" {
		t.Errorf("TIOCSTART: sent %q", got)
	}
	x.ioctl(abi.TIOCSTOP, nil)
	x.write("z")
	if got := x.sent(); got != "" || len(x.wire.stops) == 0 || x.wire.stops[len(x.wire.stops)-1] != 0 {
		t.Errorf("TIOCSTOP: sent %q, the driver heard %v", got, x.wire.stops)
	}
	x.set(iflags(0, abi.IXON))
	x.typed("\x11\n")
	if got := x.reads(); !slices.Equal(got, []string{"xy\x11\n"}) {
		t.Errorf("read %q", got)
	}
}

// TestInputFlow: with IXOFF a terminal whose readers are slow sends ^S, and ^Q when they have read. Oracle: termios(4).
func TestInputFlow(t *testing.T) {
	x := newTerminal(t)
	x.set(func(m *abi.Termios) {
		m.Iflag |= abi.IXOFF
		m.Lflag &^= abi.ICANON | abi.ECHO
	})
	x.typed(strings.Repeat("x", 600))
	if got := x.sent(); got != "\x13" {
		t.Errorf("sent %q", got)
	}
	if got := x.reads(); len(got) != 1 || len(got[0]) != 600 {
		t.Errorf("read %d times", len(got))
	}
	if got := x.sent(); got != "\x11" {
		t.Errorf("sent %q after reading", got)
	}
}

// TestOverflow: a line that is too long rings the bell with IMAXBEL, and is lost without. Oracle: termios(4).
func TestOverflow(t *testing.T) {
	const room = 1024
	x := newTerminal(t)
	x.set(lflags(0, abi.ECHO))
	x.typed(strings.Repeat("x", room) + "yy")
	if got := x.sent(); got != "\a\a" {
		t.Errorf("sent %q", got)
	}
	x.typed("\x7f\n")
	if got := x.reads(); len(got) != 1 || len(got[0]) != room {
		t.Errorf("read %d lines", len(got))
	}
	x.set(iflags(0, abi.IMAXBEL))
	x.typed(strings.Repeat("x", room) + "y" + "z\n")
	if got := x.reads(); !slices.Equal(got, []string{"z\n"}) {
		t.Errorf("read %q", got)
	}
}

// TestDiscard: ^O throws output away until it is typed again. Oracle: termios(4), FLUSHO.
func TestDiscard(t *testing.T) {
	x := newTerminal(t)
	x.typed("\x0f")
	x.sent()
	if n := x.write("gone"); n != 4 {
		t.Errorf("wrote %d bytes", n)
	}
	if got := x.sent(); got != "" {
		t.Errorf("sent %q", got)
	}
	x.typed("\x0f")
	x.write("here")
	if got := x.sent(); got != "here" {
		t.Errorf("sent %q", got)
	}
}

// TestCanonLater: what was typed raw is edited when ICANON is set, and lines are bytes when it is cleared. Oracle: termios(4), PENDIN.
func TestCanonLater(t *testing.T) {
	x := newTerminal(t)
	x.set(lflags(0, abi.ICANON|abi.ECHO))
	x.typed("abx\x7f\n")
	x.set(lflags(abi.ICANON, 0))
	if got := x.reads(); !slices.Equal(got, []string{"ab\n"}) {
		t.Errorf("read %q", got)
	}
	x.typed("one\ntwo")
	x.set(raw)
	if got := x.reads(); !slices.Equal(got, []string{"one\ntwo"}) {
		t.Errorf("read %q", got)
	}
	x.typed("gone")
	x.ioctl(abi.TIOCSETAF, func() []byte { m := x.tp.Modes(); return m.Append(nil) }())
	if got := x.reads(); got != nil {
		t.Errorf("TIOCSETAF left %q", got)
	}
}

// TestPieces: a line is read in pieces, and not beyond its end. Oracle: read(2), termios(4).
func TestPieces(t *testing.T) {
	x := newTerminal(t)
	x.typed("hello\nworld\n")
	var got []string
	for range 4 {
		b := make([]byte, 4)
		n, err := x.line.Read(x.th, x.file, b, kern.Current)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b[:n]))
	}
	if want := []string{"hell", "o\n", "worl", "d\n"}; !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
}

// TestReadMin is VMIN and VTIME without ICANON: no read ends by time alone here but those of VMIN 0. Oracle: termios(4), the four cases.
func TestReadMin(t *testing.T) {
	x := newTerminal(t)
	min := func(n, tenths byte) {
		x.set(func(m *abi.Termios) {
			m.Lflag &^= abi.ICANON | abi.ECHO
			m.Cc[abi.VMIN], m.Cc[abi.VTIME] = n, tenths
		})
	}
	read := func(flags uint32) (string, error) {
		f := kern.NewFile(abi.DTYPE_VNODE, x.line, abi.FREAD|flags)
		b := make([]byte, 16)
		n, err := x.line.Read(x.th, f, b, kern.Current)
		return string(b[:n]), err
	}
	check := func(what, want string, wantErr error, flags uint32) {
		t.Helper()
		if got, err := read(flags); got != want || err != wantErr {
			t.Errorf("%s: %q, %v; want %q, %v", what, got, err, want, wantErr)
		}
	}
	min(0, 0)
	check("nothing wanted, nothing there", "", nil, 0)
	x.typed("a")
	check("nothing wanted, something there", "a", nil, 0)
	min(0, 1)
	check("nothing within the time", "", nil, 0)
	x.typed("b")
	check("something at once", "b", nil, 0)
	min(3, 0)
	x.typed("cd")
	check("too little", "", abi.EAGAIN, abi.O_NONBLOCK)
	x.typed("e")
	check("enough", "cde", nil, 0)
	min(3, 1)
	x.typed("f")
	check("no more within the time after a byte", "f", nil, 0)
	done := make(chan string)
	min(2, 0)
	go func() {
		got, _ := read(0)
		done <- got
	}()
	x.typed("g")
	x.typed("h")
	if got := <-done; got != "gh" {
		t.Errorf("a read that waits: %q", got)
	}
}

// TestQueues asks for the sizes of queues and changes them. Oracle: tty(4).
func TestQueues(t *testing.T) {
	x := newTerminal(t)
	get := func(cmd uint32) int32 {
		b := make([]byte, 4)
		x.ioctl(cmd, b)
		return kerntest.Int(b)
	}
	x.typed("abc\nde")
	x.sent()
	x.write("12345")
	for cmd, want := range map[uint32]int32{abi.FIONREAD: 4, abi.TIOCOUTQ: 5, abi.FIONWRITE: 5, abi.FIONSPACE: 1019,
		abi.TIOCGQSIZE: 1024, abi.TIOCGETD: abi.TTYDISC} {
		if got := get(cmd); got != want {
			t.Errorf("%s: %d, want %d", abi.IoctlName(cmd), got, want)
		}
	}
	set := func(n int32) error { return x.line.Ioctl(x.th, x.file, abi.TIOCSQSIZE, kerntest.Ints(n)) }
	if err := set(5000); err != abi.EBUSY {
		t.Errorf("TIOCSQSIZE with output: %v", err)
	}
	x.sent()
	for n, want := range map[int32]error{5000: nil, 1023: abi.EINVAL, -1: abi.EINVAL, 1 << 17: abi.EINVAL} {
		if err := set(n); err != want {
			t.Errorf("TIOCSQSIZE %d: %v, want %v", n, err, want)
		}
	}
	if got := get(abi.TIOCGQSIZE); got != 4096 {
		t.Errorf("5000 is %d", got)
	}
	x.ioctl(abi.TIOCFLUSH, kerntest.Ints(abi.FREAD))
	if got := get(abi.FIONREAD); got != 0 {
		t.Errorf("TIOCFLUSH left %d", got)
	}
	name := make([]byte, abi.TTLINEDNAMELEN)
	x.ioctl(abi.TIOCGLINED, name)
	x.ioctl(abi.TIOCSLINED, name)
	if got := abi.CString(name); got != "termios" {
		t.Errorf("the line discipline is %q", got)
	}
	name[0] = 'x'
	for cmd, data := range map[uint32][]byte{abi.TIOCSLINED: name, abi.TIOCSETD: kerntest.Ints(3)} {
		if err := x.line.Ioctl(x.th, x.file, cmd, data); err != abi.ENXIO {
			t.Errorf("%s of another: %v", abi.IoctlName(cmd), err)
		}
	}
	if err := x.line.Ioctl(x.th, x.file, abi.TIOCMGET, name); err != abi.ENOTTY {
		t.Errorf("modem lines: %v", err)
	}
}

// TestFullOutput: a write that does not fit waits until a quarter is left, or says how far it came. Oracle: write(2).
func TestFullOutput(t *testing.T) {
	x := newTerminal(t)
	text := strings.Repeat("x", 3000)
	if n := x.write(text); n != 1024 {
		t.Errorf("wrote %d bytes", n)
	}
	if n, err := x.line.Write(x.th, x.file, []byte("x"), kern.Current); n != 0 || err != abi.EAGAIN {
		t.Errorf("full: %d, %v", n, err)
	}
	done := make(chan int)
	go func() {
		n, _ := x.line.Write(x.th, kern.NewFile(abi.DTYPE_VNODE, x.line, abi.FWRITE), []byte(text), kern.Current)
		done <- n
	}()
	total := 0
	for total < 1024+len(text) {
		total += len(x.sent())
	}
	if n := <-done; n != len(text) {
		t.Errorf("wrote %d bytes", n)
	}
}

// FuzzDiscipline types, writes and reads with any modes: nothing panics, queues stay within their bounds, and what has no room is dropped.
func FuzzDiscipline(f *testing.F) {
	m := abi.Termios{Lflag: abi.TTYDEF_LFLAG, Iflag: abi.TTYDEF_IFLAG, Oflag: abi.TTYDEF_OFLAG, Cflag: abi.TTYDEF_CFLAG}
	f.Add(m.Append(nil), []byte("ab\x7f\x15c\t\x17\n\x04"), []byte("out\tput\n"))
	m.Lflag |= abi.ECHOPRT
	m.Lflag &^= abi.ECHOE
	f.Add(m.Append(nil), []byte("abc\x7f\x7f\x12\x16\x03\n"), []byte("\r\r\n"))
	f.Fuzz(func(t *testing.T, modes, typed, written []byte) {
		var m abi.Termios
		if m.Decode(modes) != nil {
			return
		}
		m.Cc[abi.VTIME] = 0
		x := newTerminal(t)
		x.ioctl(abi.TIOCSETA, m.Append(nil))
		for i, c := range typed {
			x.typed(string(rune(c)))
			if i == len(typed)/2 {
				x.write(string(written))
				m.Lflag ^= abi.ICANON
				x.ioctl(abi.TIOCSETA, m.Append(nil))
			}
		}
		x.tp.Lock()
		queued, room := x.tp.Queued(), x.tp.InputRoom()
		x.tp.Unlock()
		if queued > 1024+256+8 || room > 1024 {
			t.Errorf("%d bytes of output, room for %d of input", queued, room)
		}
		b := make([]byte, 64)
		for range 20 {
			if n, err := x.line.Read(x.th, x.file, b, kern.Current); err != nil || n == 0 {
				break
			}
		}
		x.sent()
	})
}
