package util

import "fmt"

// Ask prints a question to Stderr and reads a line from Stdin: true if that begins with a
// "y" or "Y". What follows the line is left for whoever reads next.
func (env *Env) Ask(format string, args ...any) bool {
	fmt.Fprintf(env.Stderr, format, args...)
	var first byte
	for n := 0; ; n++ {
		var b [1]byte
		if got, err := env.Stdin.Read(b[:]); got == 0 && err != nil || b[0] == '\n' {
			return first == 'y' || first == 'Y'
		}
		if n == 0 {
			first = b[0]
		}
	}
}
