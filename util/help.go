package util

import (
	"fmt"
	"strings"
)

// Synopsis returns the ways to call the utility, a line each: "ls [-1AaBb] [file ...]". A line that continues one is
// indented.
func (u *Utility) Synopsis() []string {
	lines := make([]string, 0, len(u.Usage))
	for i, line := range u.Usage {
		if !u.verbatimUsage() {
			lines = append(lines, strings.TrimSpace(u.Name+" "+line))
			continue
		}
		if i == 0 {
			line = line[len("usage:"):]
		}
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, u.Name) {
			line = "    " + line
		}
		lines = append(lines, line)
	}
	return lines
}

// Help describes the utility in plain text.
func (u *Utility) Help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s(%d) - %s\n\n", strings.Join(u.Names(), ", "), u.Section, u.Doc)
	for _, line := range u.Synopsis() {
		fmt.Fprintf(&b, "\t%s\n", line)
	}
	rows := u.describe()
	width := 0
	for _, r := range rows {
		width = max(width, len(r.Name))
	}
	if len(rows) > 0 {
		b.WriteByte('\n')
	}
	for _, r := range rows {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, r.Name, r.Doc)
	}
	return b.String()
}

// describe returns the options and the operands with what is said of them.
func (u *Utility) describe() []Operand {
	var rows []Operand
	for i := range u.Options {
		rows = append(rows, Operand{u.Options[i].Synopsis(), u.Options[i].Doc})
	}
	return append(rows, u.Operands...)
}
