package util

import (
	"fmt"
	"io"
	"strings"
)

// writeUsage prints the usage message: "usage: ls [-1AaBb] [file ...]".
func (u *Utility) writeUsage(w io.Writer, name string) {
	lead := "usage:"
	for _, line := range u.Usage {
		fmt.Fprintf(w, "%s %s\n", lead, strings.TrimSpace(name+" "+line))
		lead = "      "
	}
}
