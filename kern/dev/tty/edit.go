package tty

import "github.com/rumpctrl/rumpctrl/abi"

// editChars are the characters that edit a line of ICANON; those of ext need IEXTEN.
var editChars = [...]struct {
	cc  int
	ext bool
	do  func(*TTY, char)
}{
	{abi.VERASE, false, (*TTY).erase},
	{abi.VKILL, false, (*TTY).kill},
	{abi.VWERASE, true, (*TTY).eraseWord},
	{abi.VREPRINT, true, func(tp *TTY, _ char) { tp.reprint() }},
	{abi.VSTATUS, true, (*TTY).status},
}

// edit acts on a character that edits the line; it says whether it was one.
func (tp *TTY) edit(c char) bool {
	for _, e := range editChars {
		if tp.is(c, e.cc) && (!e.ext || tp.lflag(abi.IEXTEN)) {
			e.do(tp, c)
			return true
		}
	}
	return false
}

// last takes the last character of the line off; ok is false when there is none.
func (tp *TTY) last() (c char, ok bool) {
	n := len(tp.raw)
	if n == 0 {
		return 0, false
	}
	c = tp.raw[n-1]
	tp.raw = tp.raw[:n-1]
	return c, true
}

// erase is VERASE.
func (tp *TTY) erase(char) {
	if c, ok := tp.last(); ok {
		tp.rub(c)
	}
}

// kill is VKILL: the whole line goes, with ECHOKE from the screen too, if nothing has come between.
func (tp *TTY) kill(c char) {
	if tp.lflag(abi.ECHOKE) && len(tp.raw) == tp.lineChars && !tp.lflag(abi.ECHOPRT) {
		for {
			old, ok := tp.last()
			if !ok {
				break
			}
			tp.rub(old)
		}
	} else {
		tp.echo(c)
		if tp.lflag(abi.ECHOK) || tp.lflag(abi.ECHOKE) {
			tp.echo('\n')
		}
		tp.raw, tp.lineChars = nil, 0
	}
	tp.erasing = false
}

// eraseWord is VWERASE: blanks, then what is not blank; with ALTWERASE only as long as letters stay letters, or others others.
func (tp *TTY) eraseWord(char) {
	c, ok := tp.last()
	for ok && (c == ' ' || c == '\t') {
		tp.rub(c)
		c, ok = tp.last()
	}
	if !ok {
		return
	}
	// The last character of a word goes whatever it is.
	tp.rub(c)
	c, ok = tp.last()
	if !ok {
		return
	}
	letter := isWord(c)
	for c != ' ' && c != '\t' && (!tp.lflag(abi.ALTWERASE) || isWord(c) == letter) {
		tp.rub(c)
		if c, ok = tp.last(); !ok {
			return
		}
	}
	tp.raw = append(tp.raw, c)
}

// isWord says whether a character is one of a word for ALTWERASE: a letter, a digit, an underscore.
func isWord(c char) bool {
	c &^= quoted
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// reprint is VREPRINT: the line again, on a new one.
func (tp *TTY) reprint() {
	if c := tp.modes.Cc[abi.VREPRINT]; c != abi.POSIX_VDISABLE {
		tp.echo(char(c))
	}
	tp.put('\n')
	for _, c := range tp.canon {
		tp.echo(c)
	}
	for _, c := range tp.raw {
		tp.echo(c)
	}
	tp.erasing = false
	tp.lineChars, tp.lineColumn = len(tp.raw), 0
}

// status is VSTATUS: SIGINFO for the foreground, and a line about it unless NOKERNINFO is set.
func (tp *TTY) status(char) {
	tp.post(abi.SIGINFO)
	if !tp.lflag(abi.NOKERNINFO) {
		tp.report()
	}
}

// rub takes a character that is no longer in the line off the screen, or shows that it is gone.
func (tp *TTY) rub(c char) {
	if !tp.lflag(abi.ECHO) || tp.lflag(abi.EXTPROC) {
		return
	}
	tp.modes.Lflag &^= abi.FLUSHO
	switch {
	case tp.lflag(abi.ECHOE) && tp.lineChars == 0:
		tp.reprint() // something was written in between
		return
	case tp.lflag(abi.ECHOE) && c == '\t':
		if tp.lineChars < len(tp.raw) {
			tp.reprint()
			return
		}
		tp.rubTab()
	case tp.lflag(abi.ECHOE):
		for range tp.width(c) {
			tp.put('\b')
			tp.put(' ')
			tp.put('\b')
		}
	case tp.lflag(abi.ECHOPRT):
		if !tp.erasing {
			tp.erasing = true
			tp.put('\\')
		}
		tp.echo(c)
	default:
		tp.echo(char(tp.modes.Cc[abi.VERASE]))
	}
	tp.lineChars--
}

// width is how many columns the echo of a character takes that is no tab.
func (tp *TTY) width(c char) int {
	switch {
	case c == '\t'|quoted || c == '\n'|quoted:
		return 2
	case byte(c) == 0177 || isControl(byte(c)) && tp.lflag(abi.ECHOCTL):
		return 2
	case isControl(byte(c)):
		return 0
	}
	return 1
}

// isControl says whether a byte is a control character.
func isControl(c byte) bool { return c < ' ' || c == 0177 }

// rubTab goes back to where the cursor was before a tab: where the echo of what is left of the line ends.
func (tp *TTY) rubTab() {
	after := tp.column
	tp.measuring = true
	tp.column = tp.lineColumn
	for _, c := range tp.raw {
		tp.echo(c)
	}
	tp.measuring = false
	back := min(after-tp.column, tabWidth)
	tp.column = after
	for range back {
		tp.put('\b')
	}
}
