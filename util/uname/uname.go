// Package uname is uname(1): it prints what the kernel says of itself.
package uname

import (
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is uname.
var Utility = util.Utility{
	Name:    "uname",
	Section: 1,
	Doc:     "print operating system name",
	Usage:   []string{"[-amnprsv]"},
	Options: []util.Option{
		{Letter: 'a', Doc: "Print what -mnrsv do."},
		{Letter: 'm', Doc: "Print the name of the machine's hardware."},
		{Letter: 'n', Doc: "Print the host's name."},
		{Letter: 'p', Doc: "Print the name of the processor's architecture."},
		{Letter: 'r', Doc: "Print the release."},
		{Letter: 's', Doc: "Print the operating system's name: the default."},
		{Letter: 'v', Doc: "Print the version."},
	},
	Main: run,
}

// parts are what can be printed, in order: the option and the sysctl variable.
var parts = [...]struct {
	letter   byte
	variable string
}{
	{'s', "kern.ostype"}, {'n', "kern.hostname"}, {'r', "kern.osrelease"}, {'v', "kern.version"}, {'m', "hw.machine"}, {'p', "hw.machine_arch"},
}

func run(_ context.Context, env *util.Env) int {
	wanted := ""
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'a':
			wanted += "mnrsv"
		case '?':
			return env.UsageError()
		default:
			wanted += string(g.Letter)
		}
	}
	if len(g.Args()) > 0 {
		return env.UsageError()
	}
	if wanted == "" {
		wanted = "s"
	}
	var words []string
	for _, part := range parts {
		if strings.IndexByte(wanted, part.letter) < 0 {
			continue
		}
		word, err := env.Proc.Sysctl().String(part.variable)
		if err != nil {
			return env.Err(err, "%s", part.variable)
		}
		words = append(words, oneLine(word))
	}
	fmt.Fprintln(env.Stdout, strings.Join(words, " "))
	return util.ExitOK
}

// oneLine puts blanks in place of newlines and tabs, and takes them off the end: uname(3).
func oneLine(s string) string {
	return strings.TrimRight(strings.NewReplacer("\n", " ", "\t", " ").Replace(s), " ")
}
