package sh

import (
	"path"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/pwd"
)

// cdCommand is the builtins cd and chdir, as XCU has them: with -L, which is the default, ".." goes to where
// the path came from, with -P to the directory above.
func cdCommand(s *shell, args []string) int {
	opts, operands, ok := s.getoptions(args, "LP")
	if !ok || len(operands) > 1 {
		return s.usage("cd [-L | -P] [directory]")
	}
	dir, show := "", false
	if len(operands) > 0 {
		dir = operands[0]
	}
	switch {
	case len(operands) == 0:
		home, ok := s.vars.get("HOME")
		if !ok {
			s.warn("cd: HOME not set")
			return exitError
		}
		dir = home
	case dir == "-":
		old, ok := s.vars.get("OLDPWD")
		if !ok {
			s.warn("cd: OLDPWD not set")
			return exitError
		}
		dir, show = old, true
	}
	physical := strings.LastIndexByte(string(opts), 'P') > strings.LastIndexByte(string(opts), 'L')
	found, err := s.changeDirectory(dir, physical)
	if err != nil {
		s.warn("cd: %s: %s", dir, util.ErrorText(err))
		return exitError
	}
	if show || found {
		return s.print(s.cwd + "\n")
	}
	return 0
}

// changeDirectory goes to a directory, which is looked for in CDPATH first. found says that it was found there.
func (s *shell) changeDirectory(dir string, physical bool) (found bool, err error) {
	cdpath, _ := s.vars.get("CDPATH")
	if cdpath != "" && dir != "" && dir[0] != '/' && !dotted(dir) {
		for at := range strings.SplitSeq(cdpath, ":") {
			if s.enter(path.Join(at, dir), physical) == nil {
				return at != "" && at != ".", nil
			}
		}
	}
	return false, s.enter(dir, physical)
}

// dotted tells whether a path begins with "." or "..".
func dotted(dir string) bool {
	first, _, _ := strings.Cut(dir, "/")
	return first == "." || first == ".."
}

// enter makes a directory the working directory of the shell's process, and sets PWD and OLDPWD. Errors: as chdir(2).
func (s *shell) enter(dir string, physical bool) error {
	if dir == "" {
		return abi.ENOENT
	}
	target := dir
	if !physical {
		if !strings.HasPrefix(dir, "/") {
			target = s.cwd + "/" + dir
		}
		var err error
		if target, err = s.logical(target); err != nil {
			return err
		}
	}
	if err := s.proc.Sys().Chdir(target); err != nil {
		return err
	}
	if physical {
		var err error
		if target, err = s.proc.Sys().Getcwd(); err != nil {
			return err
		}
	}
	old := s.cwd
	s.cwd = target
	if err := s.setVar("OLDPWD", old); err != nil {
		return err
	}
	return s.setVar("PWD", target)
}

// logical removes ".", ".." and repeated slashes from a path that begins with a slash. What comes before ".." must be a
// directory.
func (s *shell) logical(dir string) (string, error) {
	clean := ""
	for part := range strings.SplitSeq(dir, "/") {
		switch part {
		case "", ".":
		case "..":
			if clean != "" && !s.isDirectory(clean) {
				return "", abi.ENOTDIR
			}
			clean = clean[:max(strings.LastIndexByte(clean, '/'), 0)]
		default:
			clean += "/" + part
		}
	}
	if clean == "" {
		return "/", nil
	}
	return clean, nil
}

// pwdCommand is the builtin pwd.
func pwdCommand(s *shell, args []string) int {
	opts, operands, ok := s.getoptions(args, "LP")
	if !ok || len(operands) > 0 {
		return s.usage("pwd [-L | -P]")
	}
	said := s.cwd
	if strings.LastIndexByte(string(opts), 'P') > strings.LastIndexByte(string(opts), 'L') {
		said = ""
	}
	dir, err := pwd.Directory(s.proc.Sys(), said)
	if err != nil {
		s.warn("pwd: %s", util.ErrorText(err))
		return 1
	}
	return s.print(dir + "\n")
}
