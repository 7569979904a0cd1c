// Package rmdir is rmdir(1): it removes empty directories of the kernel.
//
// Start reading at run.
package rmdir

import (
	"context"
	"strings"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is rmdir.
var Utility = util.Utility{
	Name:     "rmdir",
	Section:  1,
	Doc:      "remove directories",
	Usage:    []string{"[-p] directory ..."},
	Options:  []util.Option{{Letter: 'p', Doc: "Remove the directories on the way there too, the last first."}},
	Operands: []util.Operand{{Name: "directory", Doc: "The empty directory to remove."}},
	Main:     run,
}

func run(_ context.Context, env *util.Env) int {
	parents := false
	g := env.Getopt()
	for g.Next() {
		if g.Letter != 'p' {
			return env.UsageError()
		}
		parents = true
	}
	dirs := g.Args()
	if len(dirs) == 0 {
		return env.UsageError()
	}
	status := util.ExitOK
	for _, dir := range dirs {
		if at, err := remove(env.Proc.Sys(), dir, parents); err != nil {
			status = env.Err(err, "%s", at)
		}
	}
	return status
}

// remove removes a directory and, with parents, each directory that its path names. With the
// error is what it is an error of.
func remove(sys *client.Sys, dir string, parents bool) (string, error) {
	for {
		if err := sys.Rmdir(dir); err != nil {
			return dir, err
		}
		dir = parent(dir)
		if !parents || dir == "" {
			return dir, nil
		}
	}
}

// parent returns a path without its last name, or nothing if there is no other.
func parent(path string) string {
	path = strings.TrimRight(path, "/")
	return strings.TrimRight(path[:strings.LastIndexByte(path, '/')+1], "/")
}
