package ed

// globally is the commands g, v, G and V.
func (e *editor) globally(c *command) error {
	if e.global {
		return errNested
	}
	if err := e.choose(c); err != nil {
		return err
	}
	ask, list := c.letter == 'G' || c.letter == 'V', ""
	how, err := style(0), error(nil)
	if ask {
		err = e.suffix(c)
		how, c.print = c.print, 0
	} else {
		list, err = e.rest(true)
		list += "\n"
	}
	if err != nil {
		return err
	}
	e.change()
	defer e.release()
	for previous := ""; e.nextActive(); {
		if ask {
			if err := e.show(e.current, e.current, how); err != nil {
				return err
			}
			if list, err = e.ask(&previous); err != nil {
				return err
			}
		}
		if err := e.commandList(list); err != nil {
			return err
		}
	}
	return nil
}

// choose takes an expression and makes the lines active that it matches, or with v and V those that it does not match.
func (e *editor) choose(c *command) error {
	delimiter := e.peek()
	if delimiter == ' ' || delimiter == '\n' {
		return errDelimiter
	}
	re, err := e.pattern()
	if err != nil {
		return err
	}
	e.eat(delimiter)
	e.release()
	matching := c.letter == 'g' || c.letter == 'G'
	for n := c.first; n <= c.second; n++ {
		if err := e.in.check(); err != nil {
			return err
		}
		l := e.buf.at(n)
		found, err := re.Matches(l.text)
		if err != nil {
			return err
		}
		if found == matching {
			l.active = true
			e.active = append(e.active, l)
		}
	}
	return nil
}

// nextActive goes to the next active line, if there is one.
func (e *editor) nextActive() bool {
	for len(e.active) > 0 {
		l := e.active[0]
		e.active = e.active[1:]
		if l.active {
			l.active = false
			e.current = e.buf.find(l)
			return true
		}
	}
	return false
}

// release makes no line active.
func (e *editor) release() {
	for _, l := range e.active {
		l.active = false
	}
	e.active = nil
}

// ask takes a command list for a line: an empty one if there is nothing to do, the previous one if it is "&".
func (e *editor) ask(previous *string) (string, error) {
	text, err := e.readWhole()
	if err != nil {
		return "", err
	}
	switch text {
	case "\n":
		return "", nil
	case "&\n":
		if *previous == "" {
			return "", errNoCommand
		}
		return *previous, nil
	}
	e.text, e.pos = text, 0
	list, err := e.rest(true)
	if err != nil {
		return "", err
	}
	*previous = list + "\n"
	return *previous, nil
}

// commandList does the commands of a list.
func (e *editor) commandList(list string) error {
	e.text, e.pos, e.global = list, 0, true
	defer func() { e.global = false }()
	for e.pos < len(e.text) {
		if err := e.command(); err != nil {
			return err
		}
	}
	return nil
}
