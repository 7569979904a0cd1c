package sysctl

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// readFile does what a file of the kernel says, line by line.
func (t *tool) readFile() int {
	data, err := t.env.Proc.ReadFile(t.file)
	if err != nil {
		return t.env.Err(err, "%s", t.file)
	}
	lines := logicalLines(string(data))
	for _, l := range lines {
		t.line = l.num
		if l.text != "" && t.request(l.text) == errFatal {
			return util.ExitFailure
		}
	}
	return t.status()
}

// logicalLine is a line of a file without its comment, joined with those that it continues on.
type logicalLine struct {
	num  int // of the last
	text string
}

// logicalLines takes a file apart, as fparseln(3): "#" begins a comment, a backslash at the end continues,
// and in front of either takes it as it is.
func logicalLines(s string) []logicalLine {
	var lines []logicalLine
	var text strings.Builder
	for num, line := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
		comment := commentStart(line)
		cut := line[:comment]
		if comment == len(line) && strings.HasSuffix(cut, `\`) && !strings.HasSuffix(cut, `\\`) {
			text.WriteString(strings.TrimSuffix(cut, `\`))
			continue
		}
		text.WriteString(cut)
		lines = append(lines, logicalLine{num + 1, text.String()})
		text.Reset()
	}
	if text.Len() > 0 {
		lines = append(lines, logicalLine{len(lines) + 1, text.String()})
	}
	return lines
}

// commentStart returns where a line's comment begins, or the line's length.
func commentStart(line string) int {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '#':
			return i
		}
	}
	return len(line)
}

// request does what one argument says: print, set, make, remove or describe.
func (t *tool) request(arg string) error {
	t.asked = true
	sep := client.Separator(arg)
	if rest, ok := strings.CutPrefix(arg, sep+sep); ok {
		return t.command(arg, rest, sep)
	}
	key, value, set := strings.Cut(arg, "=")
	optional := false
	if set {
		key, optional = strings.CutSuffix(key, "?")
	}
	if !set && key == sep {
		t.printAll()
		return nil
	}
	n, err := t.tree.Lookup(key)
	if err != nil {
		if optional {
			return nil
		}
		return t.badName(err)
	}
	if !set {
		return t.print(n, client.Separator(key), false)
	}
	return t.set(n, client.Separator(key), value)
}

// command does what an argument says that begins with two separators.
func (t *tool) command(arg, rest, sep string) error {
	word, operand := rest, ""
	if i := strings.IndexAny(rest, "="+sep); i >= 0 {
		word, operand = rest[:i], rest[i+1:]
		switch word {
		case "create":
			return t.create(operand)
		case "destroy":
			return t.destroy(operand)
		case "describe":
			return t.describeNode(operand)
		}
	}
	t.complain("unable to parse '%s'", arg)
	return nil
}

// set sets a node's value, or prints a node that has none.
func (t *tool) set(n *client.SysctlNode, sep, value string) error {
	if t.file != "" {
		value = strings.TrimLeft(value, " \t\v\f\r")
	}
	if !t.write {
		return t.mustWrite("set variables")
	}
	if n.Type() != abi.CTLTYPE_NODE {
		if s := findSpecial(n.Path); s != nil {
			if s.set == nil {
				t.complain("Cannot write `%s': %s", n.Path, abi.EOPNOTSUPP)
				return errFatal
			}
			return s.set(t, n, strings.TrimSpace(value))
		}
	}
	switch n.Type() {
	case abi.CTLTYPE_INT, abi.CTLTYPE_BOOL, abi.CTLTYPE_QUAD:
		return t.setNumber(n, value)
	case abi.CTLTYPE_STRING:
		return t.setString(n, value)
	}
	return t.print(n, sep, false)
}

func (t *tool) mustWrite(what string) error {
	t.complain("Must specify -w to %s", what)
	return errFatal
}

// setNumber sets a number and prints what it was and is.
func (t *tool) setNumber(n *client.SysctlNode, value string) error {
	if t.file != "" {
		value = strings.TrimSpace(value)
	}
	v, err := parseUquad(value)
	if err == abi.ERANGE {
		return t.fail("%s: %s", value, abi.ERANGE)
	}
	if err != nil {
		return t.fail("%s: not a number", value)
	}
	b, ok := encodeNumber(n.Type(), v)
	if !ok {
		return t.fail("%s: %s", value, abi.ERANGE)
	}
	return t.swap(n, b, t.number)
}

// setString sets a string and prints what it was and is.
func (t *tool) setString(n *client.SysctlNode, value string) error {
	b := append([]byte(value), 0)
	if n.Size != 0 && uint64(len(b)) > n.Size {
		return t.fail("%s: string too long", value)
	}
	return t.swap(n, b, t.text)
}

// swap sets a value and displays what it was and is.
func (t *tool) swap(n *client.SysctlNode, b []byte, display func(*client.SysctlNode, []byte, when)) error {
	old, err := t.tree.Swap(n, b)
	if err != nil {
		return t.unwritable(n.Path, err)
	}
	display(n, old, before)
	display(n, b, after)
	return nil
}
