// Package pwd is pwd(1): it prints the path of the working directory. The shell's builtin is the same but for its default: see
// [Directory].
//
// Start reading at [Directory].
package pwd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is pwd.
var Utility = util.Utility{
	Name:    "pwd",
	Section: 1,
	Doc:     "return working directory name",
	Usage:   []string{"[-LP]"},
	Options: []util.Option{
		{Letter: 'L', Doc: "Print the variable PWD if it is a path of the working directory."},
		{Letter: 'P', Doc: "Print the path without symbolic links: the default."},
	},
	Main: run,
}

func run(_ context.Context, env *util.Env) int {
	said := ""
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'L':
			said = env.Getenv("PWD")
		case 'P':
			said = ""
		default:
			return env.UsageError()
		}
	}
	if len(g.Args()) > 0 {
		return env.UsageError()
	}
	dir, err := Directory(env.Proc.Sys(), said)
	if err != nil {
		return env.Err(err, "")
	}
	fmt.Fprintln(env.Stdout, dir)
	return util.ExitOK
}

// Directory returns the path of the working directory of the process behind sys: said, if that is an absolute path of it
// without "." and "..", or else the one without symbolic links. Errors: as getcwd(3).
func Directory(sys *client.Sys, said string) (string, error) {
	parts := strings.Split(said, "/")
	if !strings.HasPrefix(said, "/") || slices.Contains(parts, ".") || slices.Contains(parts, "..") {
		return sys.Getcwd()
	}
	var named, here abi.Stat
	if sys.Stat(said, &named) == nil && sys.Stat(".", &here) == nil && named.Dev == here.Dev && named.Ino == here.Ino {
		return said, nil
	}
	return sys.Getcwd()
}
