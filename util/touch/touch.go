// Package touch is touch(1): it sets the access and modification times of files in the kernel.
//
// Start reading at run; when.go has what the options say of times.
package touch

import (
	"context"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is touch.
var Utility = util.Utility{
	Name:    "touch",
	Section: 1,
	Doc:     "change file access and modification times",
	Usage:   []string{"[-acfhm] [-d human-datetime] [-r file] [-t [[CC]YY]MMDDhhmm[.SS]] file ..."},
	Options: []util.Option{
		{Letter: 'a', Doc: "Change the access time, and the other only with -m."},
		{Letter: 'c', Doc: "Make no files; one that is missing is no error."},
		{Letter: 'd', Long: "date", Arg: "human-datetime", Doc: "Set the time to this: \"2006-11-17 10:12pm\", \"last friday\", \"one week ago\"."},
		{Letter: 'f', Doc: "Nothing: for compatibility."},
		{Letter: 'h', Doc: "Change symbolic links themselves; implies -c."},
		{Letter: 'm', Doc: "Change the modification time, and the other only with -a."},
		{Letter: 'r', Long: "reference", Arg: "file", Doc: "Set the times to those of this file."},
		{Letter: 't', Arg: "datetime", Doc: "Set the time to [[CC]YY]MMDDhhmm[.SS]."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to change, or to make."}},
	Main:     run,
}

// defaultMode are the permissions of new files, before the umask.
const defaultMode = 0o666

// toucher sets times.
type toucher struct {
	env             *util.Env
	sys             *client.Sys
	access, modify  bool // which times
	noCreate, links bool
	times           [2]abi.Timespec
	given           bool // times are not the current time
}

func run(_ context.Context, env *util.Env) int {
	t := &toucher{env: env, sys: env.Proc.Sys()}
	g := env.Getopt()
	for g.Next() {
		var err error
		switch g.Letter {
		case 'a':
			t.access = true
		case 'c':
			t.noCreate = true
		case 'd':
			err = t.setHuman(g.Arg)
		case 'f':
		case 'h':
			t.links, t.noCreate = true, true
		case 'm':
			t.modify = true
		case 'r':
			err = t.setReference(g.Arg)
		case 't':
			err = t.setDigits(g.Arg)
		default:
			return env.UsageError()
		}
		if err != nil {
			return env.Errx("%s", err)
		}
	}
	files := g.Args()
	if !t.given && len(files) > 1 && obsolete(files[0]) {
		if err := t.setObsolete(files[0]); err != nil {
			return env.Errx("%s", err)
		}
		files = files[1:]
	}
	if len(files) == 0 {
		return env.UsageError()
	}
	if !t.access && !t.modify {
		t.access, t.modify = true, true
	}
	return t.files(files)
}

// files sets the times of the files and returns the exit status.
func (t *toucher) files(files []string) int {
	now := abi.Timespec{Nsec: abi.UTIME_NOW}
	if !t.given {
		t.times = [2]abi.Timespec{now, now}
	}
	if !t.access {
		t.times[0] = abi.Timespec{Nsec: abi.UTIME_OMIT}
	}
	if !t.modify {
		t.times[1] = abi.Timespec{Nsec: abi.UTIME_OMIT}
	}
	status := util.ExitOK
	for _, file := range files {
		if err := t.file(file); err != nil {
			status = t.env.Err(err, "%s", file)
		}
	}
	return status
}

// file sets the times of a file, or makes it.
func (t *toucher) file(path string) error {
	created, err := t.exist(path)
	if err != nil || created && !t.given {
		return err
	}
	flags := 0
	if t.links {
		flags = abi.AT_SYMLINK_NOFOLLOW
	}
	err = t.sys.Utimensat(abi.AT_FDCWD, path, t.times[0], t.times[1], flags)
	switch {
	case err == abi.ENOENT && t.noCreate:
		return nil
	case err == nil || t.given:
		return err
	}
	// Who may write a file may set both of its times, to the current time.
	now := abi.Timespec{Nsec: abi.UTIME_NOW}
	return t.sys.Utimensat(abi.AT_FDCWD, path, now, now, flags)
}

// exist makes a file that is missing, unless that is not wanted.
func (t *toucher) exist(path string) (created bool, err error) {
	var st abi.Stat
	if t.noCreate || t.sys.Stat(path, &st) == nil {
		return false, nil
	}
	fd, err := t.sys.Open(path, abi.O_WRONLY|abi.O_CREAT|abi.O_CLOEXEC, defaultMode)
	if err != nil {
		return false, err
	}
	return true, t.sys.Close(fd)
}
