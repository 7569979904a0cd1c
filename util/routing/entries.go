package routing

import (
	"bufio"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// Entries is -f of arp(8) and ndp(8): set is called with the words of each line of a file of the kernel's, "-" for standard input, what
// follows a # left out. A line of fewer or more words is told. The status is that of all lines; cannotOpen words a failure to
// open the file.
func Entries(env *util.Env, name, cannotOpen string, least, most int, set func(words []string) int) int {
	in := env.Stdin
	if name != "-" {
		f, err := env.Proc.Open(name)
		if err != nil {
			return env.Err(err, "%s", cannotOpen)
		}
		defer f.Close() //nolint:errcheck // only read
		in = f
	}
	status := util.ExitOK
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
		case len(words) < least || len(words) > most:
			env.Warnx("bad line: %s", lines.Text())
			status = util.ExitFailure
		default:
			status |= set(words)
		}
	}
	if err := lines.Err(); err != nil {
		return env.Err(err, "%s", name)
	}
	return status
}
