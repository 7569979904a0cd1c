package ed

import "strings"

// appendText is the command a.
func (e *editor) appendText(c *command) error {
	e.change()
	return e.input(c.second)
}

// insertText is the command i.
func (e *editor) insertText(c *command) error {
	if c.second == 0 {
		return errAddress
	}
	e.change()
	return e.input(c.second - 1)
}

// changeLines is the command c.
func (e *editor) changeLines(c *command) error {
	e.change()
	if err := e.remove(c.first, c.second); err != nil {
		return err
	}
	return e.input(e.current)
}

// input takes lines until one that is a period alone, or the end, and puts them after line n. In a command list
// the lines are the list's.
func (e *editor) input(n int) error {
	e.current = n
	for {
		text, err := e.inputLine()
		if err != nil || text == "" || text == ".\n" {
			return err
		}
		l := &line{text: strings.TrimSuffix(text, "\n")}
		if err := e.buf.replace(e.current, 0, []*line{l}); err != nil {
			return err
		}
		e.current++
		e.modified = true
	}
}

// inputLine takes a line of text. It is empty at the end.
func (e *editor) inputLine() (string, error) {
	if !e.global {
		return e.readLine()
	}
	begin := e.pos
	for e.pos < len(e.text) && e.next() != '\n' {
	}
	return e.text[begin:e.pos], nil
}

// remove removes lines. The line before them is the current line then.
func (e *editor) remove(first, second int) error {
	if err := e.buf.replace(first-1, second-first+1, nil); err != nil {
		return err
	}
	e.current = first - 1
	e.modified = true
	return nil
}

// deleteLines is the command d.
func (e *editor) deleteLines(c *command) error {
	e.change()
	if err := e.remove(c.first, c.second); err != nil {
		return err
	}
	if e.current < e.buf.last() {
		e.current++
	}
	return nil
}

// joinLines is the command j.
func (e *editor) joinLines(c *command) error {
	e.change()
	if c.first == c.second {
		return nil
	}
	var b strings.Builder
	for n := c.first; n <= c.second; n++ {
		b.WriteString(e.buf.at(n).text)
	}
	if err := e.buf.replace(c.first-1, c.second-c.first+1, []*line{{text: b.String()}}); err != nil {
		return err
	}
	e.current = c.first
	e.modified = true
	return nil
}

// mark is the command k.
func (e *editor) mark(c *command) error {
	letter := e.next()
	if c.second == 0 {
		return errAddress
	}
	if err := e.suffix(c); err != nil {
		return err
	}
	if letter < 'a' || letter > 'z' {
		return errMark
	}
	e.buf.marks[letter-'a'] = e.buf.at(c.second)
	return nil
}

// destination takes the address behind a command, and the command's end.
func (e *editor) destination(c *command) (int, error) {
	to, err := e.addresses()
	if err != nil {
		return 0, err
	}
	if c.letter == 'm' && c.first <= to.second && to.second < c.second {
		return 0, errDestination
	}
	return to.second, e.suffix(c)
}

// moveLines is the command m.
func (e *editor) moveLines(c *command) error {
	to, err := e.destination(c)
	if err != nil {
		return err
	}
	e.change()
	size := c.second - c.first + 1
	moved := e.buf.copyOf(c.first, c.second)
	for _, l := range moved {
		l.active = false
	}
	e.modified = true
	if to == c.first-1 || to == c.second {
		e.current = c.second
		return nil
	}
	if to > c.second {
		to -= size
	}
	if !e.buf.room(moved) {
		return errSpace
	}
	if err := e.buf.replace(c.first-1, size, nil); err != nil {
		return err
	}
	if err := e.buf.replace(to, 0, moved); err != nil {
		return err
	}
	e.current = to + size
	return nil
}

// copyLines is the command t.
func (e *editor) copyLines(c *command) error {
	to, err := e.destination(c)
	if err != nil {
		return err
	}
	e.change()
	copies := e.buf.copyOf(c.first, c.second)
	for i, l := range copies {
		copies[i] = &line{text: l.text}
	}
	if err := e.buf.replace(to, 0, copies); err != nil {
		return err
	}
	e.current = to + len(copies)
	e.modified = true
	return nil
}

// undo is the command u. A global command that has it among its commands goes to no more lines.
func (e *editor) undo(*command) error {
	was, changed, ok := e.buf.undo(e.current)
	if !ok {
		return errUndo
	}
	e.current = was
	e.modified = e.modified || changed
	e.active = nil
	return nil
}
