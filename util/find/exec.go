package find

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// command takes a utility and its arguments, which a semicolon ends, or a plus sign behind "{}".
func (p *parser) command() (words []string, end string, err error) {
	words, end, ok := p.until(func(args []string, i int) bool {
		return args[i] == ";" || args[i] == "+" && i > 0 && args[i-1] == "{}"
	})
	if !ok {
		return nil, "", util.Messagef("%s: no terminating \";\" or \"+\"", p.name)
	}
	if end == "+" {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return nil, "", util.Messagef("%s: no utility", p.name)
	}
	return words, end, nil
}

// exec is -exec.
func (p *parser) exec(string) (test, error) {
	words, end, err := p.command()
	if err != nil {
		return nil, err
	}
	if end == "+" {
		return p.execSet(words)
	}
	return func(e *fts.Entry) bool { return p.execute(p.env, substitute(words, e.Path)) == util.ExitOK }, nil
}

// confirmed is -ok.
func (p *parser) confirmed(string) (test, error) {
	words, end, err := p.command()
	if err != nil {
		return nil, err
	}
	if end == "+" {
		return nil, util.Messagef("-ok: terminating \"+\" not permitted.")
	}
	return func(e *fts.Entry) bool {
		command := substitute(words, e.Path)
		if !p.env.Ask("\"%s\"? ", strings.Join(command, " ")) {
			return false
		}
		return p.execute(p.env, command) == util.ExitOK
	}, nil
}

// execDir is -execdir.
func (p *parser) execDir(string) (test, error) {
	words, _, ok := p.until(func(args []string, i int) bool { return strings.HasPrefix(args[i], ";") })
	switch {
	case !ok:
		return nil, util.Messagef("%s: no terminating \";\"", p.name)
	case len(words) == 0:
		return nil, util.Messagef("%s: no utility", p.name)
	}
	return func(e *fts.Entry) bool { return p.executeIn(e, substitute(words, e.Name())) == util.ExitOK }, nil
}

// execute runs a utility in the directory where find began, and returns its exit status.
func (f *finder) execute(env *util.Env, words []string) int {
	if f.env.Lookup(words[0]) == nil {
		return f.env.Err(abi.ENOENT, "%s", words[0])
	}
	if f.env.Flush() != nil {
		f.stop = true
		return util.ExitFailure
	}
	return env.Run(f.ctx, words[0], words[1:]...)
}

// executeIn is execute in the directory of a file.
func (f *finder) executeIn(e *fts.Entry, words []string) int {
	proc, err := f.env.Proc.Fork()
	if err != nil {
		return f.env.Err(err, "fork")
	}
	defer proc.Close()
	if e.Level > 0 {
		err = proc.Sys().Fchdir(f.cursor.FD())
	} else {
		err = proc.Sys().Chdir(directoryOf(e))
	}
	if err != nil {
		return f.env.Err(err, "chdir")
	}
	env := *f.env
	env.Proc = proc
	return f.execute(&env, words)
}

// Limits of the arguments that a utility is run with.
const (
	maxPaths = 5000
	maxBytes = abi.ARG_MAX - 4<<10
)

// set gathers paths for -exec ... {} +.
type set struct {
	words []string
	room  int // for paths, each with a NUL
	paths []string
	bytes int
}

// execSet is -exec with a plus sign at its end.
func (p *parser) execSet(words []string) (test, error) {
	s := &set{words: words, room: maxBytes}
	for _, w := range words {
		s.room -= len(w) + 1
	}
	if s.room <= 0 {
		return nil, util.Messagef("Arguments too long")
	}
	p.sets = append(p.sets, s)
	return func(e *fts.Entry) bool {
		size := len(e.Path) + 1
		if s.bytes+size > s.room {
			p.runSet(s)
		}
		if size > s.room {
			p.status = p.env.Errx("insufficient space for argument")
			p.stop = true
			return false
		}
		s.paths, s.bytes = append(s.paths, e.Path), s.bytes+size
		if len(s.paths) == maxPaths {
			p.runSet(s)
		}
		return true
	}, nil
}

// runSet runs the utility with the paths. Its failure is find's.
func (f *finder) runSet(s *set) {
	if len(s.paths) == 0 {
		return
	}
	if status := f.execute(f.env, append(s.words[:len(s.words):len(s.words)], s.paths...)); status != util.ExitOK {
		f.status = status
	}
	s.paths, s.bytes = nil, 0
}

// runSets runs what is left over.
func (f *finder) runSets() {
	for _, s := range f.sets {
		f.runSet(s)
	}
}
