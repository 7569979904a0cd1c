// Package ln is ln(1): it gives files of the kernel more names.
//
// Start reading at run.
package ln

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is ln.
var Utility = util.Utility{
	Name:    "ln",
	Section: 1,
	Doc:     "make links",
	Usage:   []string{"usage:\tln [-fhinsv] file1 file2", "\tln [-fhinsv] file ... directory"},
	Options: []util.Option{
		{Letter: 'f', Doc: "Remove what has the new name."},
		{Letter: 'h', Doc: "Do not follow a symbolic link that has the new name."},
		{Letter: 'i', Doc: "Ask before what has the new name is removed."},
		{Letter: 'n', Doc: "The same as -h."},
		{Letter: 's', Doc: "Make symbolic links."},
		{Letter: 'v', Doc: "Name the links that are made."},
	},
	Operands: []util.Operand{
		{Name: "file", Doc: "The file that exists."},
		{Name: "directory", Doc: "Where the new names go."},
	},
	Main: run,
}

// linker makes links.
type linker struct {
	env                                     *util.Env
	sys                                     *client.Sys
	force, ask, noFollow, symbolic, verbose bool
}

func run(_ context.Context, env *util.Env) int {
	l := &linker{env: env, sys: env.Proc.Sys()}
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'f':
			l.force, l.ask = true, false
		case 'h', 'n':
			l.noFollow = true
		case 'i':
			l.force, l.ask = false, true
		case 's':
			l.symbolic = true
		case 'v':
			l.verbose = true
		default:
			return env.UsageError()
		}
	}
	args := g.Args()
	switch len(args) {
	case 0:
		return env.UsageError()
	case 1:
		return l.link(args[0], ".", true)
	case 2:
		return l.link(args[0], args[1], false)
	}
	return l.several(args[:len(args)-1], args[len(args)-1])
}

// several makes links in a directory.
func (l *linker) several(files []string, dir string) int {
	var st abi.Stat
	if l.noFollow && l.sys.Lstat(dir, &st) == nil && st.Mode&abi.S_IFMT == abi.S_IFLNK {
		return l.env.Err(abi.ENOTDIR, "%s", dir)
	}
	if err := l.sys.Stat(dir, &st); err != nil {
		return l.env.Err(err, "%s", dir)
	}
	if st.Mode&abi.S_IFMT != abi.S_IFDIR {
		return l.env.UsageError()
	}
	status := util.ExitOK
	for _, file := range files {
		status |= l.link(file, dir, true)
	}
	return status
}

// link makes a link to file, by the name of name or, if that is a directory, in it.
func (l *linker) link(file, name string, isDir bool) int {
	var st abi.Stat
	if !l.symbolic {
		if err := l.sys.Stat(file, &st); err != nil {
			return l.env.Err(err, "%s", file)
		}
	}
	exists := false
	if !isDir {
		exists, isDir = l.look(name)
	}
	if isDir {
		name += "/" + file[strings.LastIndexByte(file, '/')+1:]
		exists = (l.force || l.ask) && l.sys.Lstat(name, &st) == nil
	}
	if exists && !l.makeRoom(name) {
		return util.ExitFailure
	}
	return l.make(file, name)
}

// look tells whether there is a file of a name and whether it is a directory to make links in.
func (l *linker) look(name string) (exists, isDir bool) {
	var st abi.Stat
	if l.sys.Lstat(name, &st) != nil {
		return false, false
	}
	if st.Mode&abi.S_IFMT == abi.S_IFLNK && !l.noFollow && l.sys.Stat(name, &st) != nil {
		return true, false
	}
	return true, st.Mode&abi.S_IFMT == abi.S_IFDIR
}

// makeRoom removes what has the new name, if that was asked for, and tells whether to go on.
func (l *linker) makeRoom(name string) bool {
	switch {
	case l.ask:
		if !l.env.Ask("replace %s? ", name) {
			io.WriteString(l.env.Stderr, "not replaced\n")
			return false
		}
	case !l.force:
		return true
	}
	if err := l.sys.Unlink(name); err != nil {
		l.env.Warn(err, "%s", name)
		return false
	}
	return true
}

// make makes a link.
func (l *linker) make(file, name string) int {
	call, arrow := l.sys.Link, "=>"
	if l.symbolic {
		call, arrow = l.sys.Symlink, "->"
	}
	if err := call(file, name); err != nil {
		return l.env.Err(err, "%s", name)
	}
	if l.verbose {
		fmt.Fprintf(l.env.Stdout, "%s %s %s\n", name, arrow, file)
	}
	return util.ExitOK
}
