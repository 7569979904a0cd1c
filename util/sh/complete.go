package sh

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// completion is what a word may be completed to.
type completion struct {
	start  int    // where the word begins in the line
	prefix string // the directory in front of each name, as it was typed
	names  []string
}

// common returns what all candidates begin with, as it stands in a line.
func (c *completion) common() string {
	text := c.names[0]
	for _, name := range c.names[1:] {
		for !strings.HasPrefix(name, text) {
			text = text[:len(text)-1]
		}
	}
	return c.prefix + escapeWord(text)
}

// escapeWord puts a backslash before what would end or change a word.
func escapeWord(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if strings.IndexByte(" \t|&;<>()$`\\\"'*?[#~", text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// candidates returns what the word at the end of a line may be completed to: the name of a command at the start of one,
// a file of the kernel elsewhere.
func (s *shell) candidates(line string) completion {
	start := wordStart(line)
	word := unescape(line[start:], " \t|&;<>()$`\\\"'*?[#~")
	c := completion{start: start}
	if !strings.Contains(word, "/") && commandPosition(line[:start]) {
		c.names = s.commandNames(word)
		return c
	}
	slash := strings.LastIndexByte(word, '/') + 1
	dir, base := word[:slash], word[slash:]
	c.prefix = line[start:][:strings.LastIndexByte(line[start:], '/')+1]
	c.names = s.fileNames(dir, base)
	return c
}

// wordStart returns where the last word of a line begins.
func wordStart(line string) int {
	for i := len(line); i > 0; i-- {
		if strings.IndexByte(" \t|&;<>()`=", line[i-1]) >= 0 && (i < 2 || line[i-2] != '\\') {
			return i
		}
	}
	return 0
}

// commandPosition tells whether a command may begin after a part of a line.
func commandPosition(before string) bool {
	before = strings.TrimRight(before, " \t")
	if before == "" || strings.IndexByte("|&;(`", before[len(before)-1]) >= 0 {
		return true
	}
	switch before[wordStart(before):] {
	case "!", "{", "if", "then", "elif", "else", "while", "until", "do", "exec", "command":
		return true
	}
	return false
}

// commandNames returns the names of commands that begin with word.
func (s *shell) commandNames(word string) []string {
	var names []string
	add := func(name string) {
		if strings.HasPrefix(name, word) {
			names = append(names, name)
		}
	}
	for name := range s.builtins {
		add(name)
	}
	for name := range s.funcs {
		add(name)
	}
	for name := range s.aliases {
		add(name)
	}
	if list, ok := s.set.(interface{ Utilities() []*util.Utility }); ok {
		for _, u := range list.Utilities() {
			for _, name := range u.Names() {
				add(name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fileNames returns the names in a directory of the kernel that begin with base, those of directories with a slash.
func (s *shell) fileNames(dir, base string) []string {
	if dir == "" {
		dir = "./"
	}
	entries, err := s.proc.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || name[0] == '.' && base == "" {
			continue
		}
		if s.isDirectory(dir + name) {
			name += "/"
		}
		names = append(names, name)
	}
	return names
}

// columns returns names in columns, to be read from top to bottom.
func columns(names []string, width int) string {
	cell := 0
	for _, name := range names {
		cell = max(cell, len(name)+2)
	}
	across := max(1, width/max(cell, 1))
	rows := (len(names) + across - 1) / across
	var b strings.Builder
	for row := range rows {
		for i := row; i < len(names); i += rows {
			if i+rows < len(names) {
				fmt.Fprintf(&b, "%-*s", cell, names[i])
			} else {
				b.WriteString(names[i])
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
