package rtadvd

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// capabilities are the fields of an entry of a capfile(5), the first of a name counts: "rltime#0", `addr="2001:db8::"`, "noifprefix".
type capabilities []string

// maxReferences bounds how many entries refer to one another.
const maxReferences = 32

// lookupEntry finds an interface's entry, and those that it refers to with tc; none without. Errors: too many references, one that leads nowhere.
func lookupEntry(text, name string) (capabilities, error) {
	var caps capabilities
	for range maxReferences {
		fields, ok := findEntry(text, name)
		if !ok && caps == nil {
			return nil, nil
		}
		if !ok {
			return nil, util.Messagef("no entry %s in the configuration file", name)
		}
		caps = append(caps, fields...)
		next, ok := capabilities(fields).str("tc")
		if !ok {
			return caps, nil
		}
		name = next
	}
	return nil, util.Messagef("entries refer to each other too deeply: %s", name)
}

// findEntry is the entry of a name: lines that a backslash joins, names between bars, fields between colons.
func findEntry(text, name string) (fields []string, ok bool) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for _, line := range strings.Split(strings.ReplaceAll(text, "\\\n", ""), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		fields := splitFields(line)
		for _, n := range strings.Split(fields[0], "|") {
			if n == name {
				return fields[1:], true
			}
		}
	}
	return nil, false
}

// splitFields splits at colons outside of double quotes.
func splitFields(line string) []string {
	var fields []string
	quoted, begin := false, 0
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line):
			i++
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ':' && !quoted:
			fields = append(fields, strings.TrimSpace(line[begin:i]))
			begin = i + 1
		}
	}
	return append(fields, strings.TrimSpace(line[begin:]))
}

// find is what follows a name in its first field: "=value", "#5", "@" for one that is taken away, nothing for a flag.
func (c capabilities) find(name string) (rest string, ok bool) {
	for _, f := range c {
		rest, ok := strings.CutPrefix(f, name)
		if ok && (rest == "" || strings.ContainsRune("=#@", rune(rest[0]))) {
			return rest, true
		}
	}
	return "", false
}

func (c capabilities) flag(name string) bool {
	rest, ok := c.find(name)
	return ok && rest == ""
}

// num is a number, decimal, or octal after a zero.
func (c capabilities) num(name string) (n int64, ok bool, err error) {
	rest, _ := c.find(name)
	digits, ok := strings.CutPrefix(rest, "#")
	if !ok {
		return 0, false, nil
	}
	if n, err = strconv.ParseInt(digits, 0, 64); err != nil || n < 0 {
		return 0, false, util.Messagef("%s: %s is no number", name, digits)
	}
	return n, true, nil
}

func (c capabilities) str(name string) (string, bool) {
	rest, _ := c.find(name)
	value, ok := strings.CutPrefix(rest, "=")
	if !ok {
		return "", false
	}
	return unescape(value), true
}

var escapes = map[byte]byte{'E': 0x1b, 'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f'}

// unescape resolves a string's escapes, and takes away its quotes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
		case c == '^' && i+1 < len(s):
			i++
			b.WriteByte(s[i] & 0x1f)
		case c == '\\' && i+1 < len(s):
			i++
			n := 0
			for n < 3 && i+n < len(s) && s[i+n] >= '0' && s[i+n] <= '7' {
				n++
			}
			if v, err := strconv.ParseUint(s[i:i+n], 8, 16); err == nil {
				b.WriteByte(byte(v))
				i += n - 1
			} else if e, ok := escapes[s[i]]; ok {
				b.WriteByte(e)
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
