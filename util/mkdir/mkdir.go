// Package mkdir is mkdir(1): it makes directories in the kernel.
//
// Start reading at run.
package mkdir

import (
	"context"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is mkdir.
var Utility = util.Utility{
	Name:    "mkdir",
	Section: 1,
	Doc:     "make directories",
	Usage:   []string{"[-p] [-m mode] dirname ..."},
	Options: []util.Option{
		{Letter: 'm', Arg: "mode", Doc: "Give the directory these permissions: octal or, from a=rwx on, symbolic."},
		{Letter: 'p', Doc: "Make what is missing on the way there; a directory that exists is no error."},
	},
	Operands: []util.Operand{{Name: "dirname", Doc: "The directory to make."}},
	Main:     run,
}

const (
	allBits = 0o777
	ownerWX = 0o300 // what a directory needs for others to be made in it
)

// maker makes directories. While it does, the umask is 0 if one of its modes is to hold exactly.
type maker struct {
	sys     *client.Sys
	mode    uint32 // of the last directory
	between uint32 // of those that -p makes on the way
}

func run(_ context.Context, env *util.Env) int {
	m := maker{sys: env.Proc.Sys(), mode: allBits}
	var parents, exact bool
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'p':
			parents = true
		case 'm':
			mode, ok := util.SetMode(g.Arg, 0)
			if !ok {
				return env.Err(abi.EINVAL, "Cannot set file mode `%s'", g.Arg)
			}
			m.mode, exact = mode.Apply(allBits), true
		default:
			return env.UsageError()
		}
	}
	dirs := g.Args()
	if len(dirs) == 0 {
		return env.UsageError()
	}
	if parents || exact {
		mask, err := m.sys.Umask(0)
		if err != nil {
			return env.Err(err, "umask")
		}
		defer m.sys.Umask(mask)
		if !exact {
			m.mode &^= mask
		}
		m.between = allBits&^mask | ownerWX
	}
	return m.all(env, dirs, parents)
}

func (m *maker) all(env *util.Env, dirs []string, parents bool) int {
	status := util.ExitOK
	for _, dir := range dirs {
		at, err := dir, error(nil)
		if parents {
			at, err = m.path(dir)
		} else {
			err = m.last(dir)
		}
		if err != nil {
			status = env.Err(err, "%s", at)
		}
	}
	return status
}

// last makes a directory with the mode that was asked for, of which mkdir(2) heeds no more than the
// permissions.
func (m *maker) last(dir string) error {
	err := m.sys.Mkdir(dir, m.mode)
	if err == nil && m.mode&^allBits != 0 {
		err = m.sys.Chmod(dir, m.mode)
	}
	return err
}

// path makes a directory and those on the way to it. With the error is what it is an error of.
func (m *maker) path(dir string) (string, error) {
	for end := nextName(dir, 0); ; end = nextName(dir, end) {
		at, last := dir[:end], end == len(dir)
		var err error
		if last {
			err = m.last(at)
		} else {
			err = m.sys.Mkdir(at, m.between)
		}
		if err != nil {
			err = m.excuse(at, err)
		}
		if err != nil || last {
			return at, err
		}
	}
}

// nextName returns where the name that follows position i of a path ends: with the slashes after it if it is
// the last.
func nextName(path string, i int) int {
	for i < len(path) && path[i] == '/' {
		i++
	}
	for i < len(path) && path[i] != '/' {
		i++
	}
	if strings.Trim(path[i:], "/") == "" {
		return len(path)
	}
	return i
}

// excuse looks at what is there in place of a directory that could not be made: a directory is
// no error, another file is ENOTDIR, and without either the reason stands.
func (m *maker) excuse(dir string, why error) error {
	var st abi.Stat
	switch err := m.sys.Stat(dir, &st); {
	case err != nil:
		return why
	case st.Mode&abi.S_IFMT != abi.S_IFDIR:
		return abi.ENOTDIR
	}
	return nil
}
