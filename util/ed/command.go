package ed

// action is a command.
type action struct {
	run func(e *editor, c *command) error

	addresses addressing
	suffix    bool // letters for printing end it; they are taken before it is run
}

// addressing is what addresses a command has.
type addressing uint8

const (
	none      addressing = iota // none are allowed
	any                         // any, which are not looked at, the current line if there are none
	lines                       // lines that exist, the current line if there are none
	joinable                    // the same, the current line and the next if there are none
	whole                       // the same, all lines if there are none
	following                   // a line that exists, the next if there is none, but the current line in a command list
)

// command is a command that is carried out.
type command struct {
	letter byte
	span
	print style
}

// commands returns the commands by their letters.
func commands() map[byte]*action {
	return map[byte]*action{
		'\n': {(*editor).showLine, following, false},
		'!':  {(*editor).runShell, none, false},
		'=':  {(*editor).printNumber, any, true},
		'E':  {(*editor).edit, none, false},
		'G':  {(*editor).globally, whole, false},
		'H':  {(*editor).toggleExplain, none, true},
		'P':  {(*editor).togglePrompt, none, true},
		'Q':  {(*editor).quit, none, true},
		'V':  {(*editor).globally, whole, false},
		'W':  {(*editor).write, any, false},
		'a':  {(*editor).appendText, any, true},
		'c':  {(*editor).changeLines, lines, true},
		'd':  {(*editor).deleteLines, lines, true},
		'e':  {(*editor).edit, none, false},
		'f':  {(*editor).setFile, none, false},
		'g':  {(*editor).globally, whole, false},
		'h':  {(*editor).explainLast, none, true},
		'i':  {(*editor).insertText, any, true},
		'j':  {(*editor).joinLines, joinable, true},
		'k':  {(*editor).mark, any, false},
		'l':  {(*editor).showLines, lines, true},
		'm':  {(*editor).moveLines, lines, false},
		'n':  {(*editor).showLines, lines, true},
		'p':  {(*editor).showLines, lines, true},
		'q':  {(*editor).quit, none, true},
		'r':  {(*editor).readFile, any, false},
		's':  {(*editor).substitute, lines, false},
		't':  {(*editor).copyLines, lines, false},
		'u':  {(*editor).undo, none, true},
		'v':  {(*editor).globally, whole, false},
		'w':  {(*editor).write, any, false},
		'x':  {(*editor).encrypt, none, true},
		'z':  {(*editor).scroll, following, false},
	}
}

// command does the command that comes next.
func (e *editor) command() error {
	if err := e.in.check(); err != nil {
		return err
	}
	s, err := e.addresses()
	if err != nil {
		return err
	}
	e.skipBlanks()
	c := &command{letter: e.next(), span: s}
	a := e.commands[c.letter]
	if a == nil {
		return errCommand
	}
	if err := e.supply(c, a.addresses); err != nil {
		return err
	}
	if a.suffix {
		if err := e.suffix(c); err != nil {
			return err
		}
	}
	if err := a.run(e, c); err != nil || c.print == 0 {
		return err
	}
	return e.show(e.current, e.current, c.print)
}

// supply gives a command the addresses that it has if none are given, and checks them.
func (e *editor) supply(c *command, a addressing) error {
	if a == none && c.count > 0 {
		return errNoAddress
	}
	if a == none || a == any {
		return nil
	}
	if a == following {
		if c.count == 0 && !e.global {
			c.second++
		}
		c.first = 1
	} else if c.count == 0 {
		c.first, c.second = e.defaults(a)
	}
	if c.first < 1 || c.first > c.second || c.second > e.buf.last() {
		return errAddress
	}
	return nil
}

// defaults returns the lines that a command is for if it has no address.
func (e *editor) defaults(a addressing) (first, second int) {
	switch a {
	case joinable:
		return e.current, e.current + 1
	case whole:
		return 1, e.buf.last()
	}
	return e.current, e.current
}

// styles takes letters that say how to print.
func (e *editor) styles() (s style) {
	for {
		switch e.peek() {
		case 'p':
			s |= printed
		case 'l':
			s |= listed
		case 'n':
			s |= numbered
		default:
			return s
		}
		e.pos++
	}
}

// suffix takes the end of a command: letters that say how to print the current line when it is done, and the newline.
func (e *editor) suffix(c *command) error {
	c.print |= e.styles()
	if !e.eat('\n') {
		return errSuffix
	}
	return nil
}

// change begins what the command u undoes. All that a global command does is undone at once.
func (e *editor) change() {
	if !e.global {
		e.buf.begin(e.current)
	}
}

// rest takes the rest of a line and those that continue it: a backslash ends a line that another one follows. The
// newlines between them are kept or not.
func (e *editor) rest(keep bool) (string, error) {
	var text []byte
	for {
		begin := e.pos
		for e.peek() != '\n' {
			e.pos++
		}
		text = append(text, e.text[begin:e.pos]...)
		e.pos++
		if !continued(text) {
			return string(text), nil
		}
		text = text[:len(text)-1]
		if keep {
			text = append(text, '\n')
		}
		if len(text) > maxLine {
			return "", errSpace
		}
		if e.pos == len(e.text) {
			if err := e.more(); err != nil {
				return "", err
			}
		}
	}
}

// more reads the next line of a command that goes on.
func (e *editor) more() error {
	if e.global {
		return errEOF
	}
	text, err := e.readWhole()
	if err == nil {
		e.text, e.pos = text, 0
	}
	return err
}

// continued tells whether a line ends with a backslash that no other one quotes.
func continued(text []byte) bool {
	n := len(text)
	for n > 0 && text[n-1] == '\\' {
		n--
	}
	return (len(text)-n)%2 == 1
}
