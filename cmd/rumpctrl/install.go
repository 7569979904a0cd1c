package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// script is the file to source. @DIR@ in it stands for the directory it is installed in.
//
//go:embed rumpctrl.sh
var script string

// unlinked is the utility that gets no link: whatever looks for a shell in a PATH with the utilities first, "env sh" of
// the host's scripts above all, means the host's. It is there as "rumpctrl sh".
const unlinked = "sh"

// install makes a directory with the program, a link to it for each utility, and the file to source. What is
// there from an earlier installation is replaced, what is not ours is left alone.
func install(env *util.Env, args []string) int {
	if len(args) != 1 || args[0] == "" || strings.HasPrefix(args[0], "-") {
		return usageError(env)
	}
	linked := slices.DeleteFunc(names(), func(name string) bool { return name == unlinked })
	if err := installIn(args[0], linked); err != nil {
		fmt.Fprintf(env.Stderr, "%s: install: %v\n", self, err)
		return util.ExitFailure
	}
	return util.ExitOK
}

func installIn(dir string, names []string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	program := filepath.Join(bin, self+suffix())
	if err := copyProgram(program); err != nil {
		return err
	}
	for _, name := range names {
		if err := link(program, filepath.Join(bin, name+suffix())); err != nil {
			return err
		}
	}
	text := strings.Replace(script, "@DIR@", shellQuote(filepath.ToSlash(dir)), 1)
	return replace(filepath.Join(dir, self+".sh"), 0o644, strings.NewReader(text))
}

// suffix is what the names of programs end with.
func suffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// shellQuote returns s as one word of a shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// copyProgram copies this program, unless that is the one at path.
func copyProgram(path string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	src, err := os.Open(exe)
	if err != nil {
		return err
	}
	defer src.Close()
	there, terr := os.Stat(path)
	here, herr := src.Stat()
	if terr == nil && herr == nil && os.SameFile(there, here) {
		return nil
	}
	return replace(path, 0o755, src)
}

// replace makes a file hold what r gives, all at once.
func replace(path string, perm fs.FileMode, r io.Reader) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Chmod(perm)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// link makes path a link to the program beside it: a symbolic one, or where there are none another name of the
// file.
func link(program, path string) error {
	target := filepath.Base(program)
	if to, err := os.Readlink(path); err == nil && to == target {
		return nil
	} else if err == nil {
		os.Remove(path)
	} else if there, err := os.Lstat(path); err == nil && !isCopy(there, program) {
		return fmt.Errorf("%s is there and is no link", path)
	} else if err == nil {
		os.Remove(path)
	}
	err := os.Symlink(target, path)
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if err != nil {
		err = os.Link(program, path)
	}
	return err
}

// isCopy tells whether a file is another name of the program.
func isCopy(there fs.FileInfo, program string) bool {
	p, err := os.Lstat(program)
	return err == nil && os.SameFile(there, p)
}
