package util

import (
	"fmt"
	"io"
	"strings"
)

// writeUsage prints the usage message: "usage: ls [-1AaBb] [file ...]".
func (u *Utility) writeUsage(w io.Writer, name string) {
	if u.verbatimUsage() {
		fmt.Fprintln(w, strings.Join(u.Usage, "\n"))
		return
	}
	lead := "usage:"
	for _, line := range u.Usage {
		fmt.Fprintln(w, strings.TrimRight(lead+" "+name+" "+line, " "))
		lead = "      "
	}
}

// verbatimUsage tells whether the usage message is written out whole.
func (u *Utility) verbatimUsage() bool {
	return len(u.Usage) > 0 && strings.HasPrefix(strings.ToLower(u.Usage[0]), "usage:")
}
