// Package stat is stat(1) and readlink(1): they print the attributes of files in the kernel.
//
// A format (format.go) is split into its conversions, datum.go has what each of them prints, and number.go how.
//
// Start reading at run.
package stat

import (
	"context"
	"io/fs"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// Utility is stat(1).
var Utility = util.Utility{
	Name:    "stat",
	Section: 1,
	Doc:     "display file status",
	Usage:   []string{"[-FlLnqrsx] [-f format] [-t timefmt] [file ...]"},
	Options: []util.Option{
		{Letter: 'F', Doc: "As -l, and mark names by their type as ls -F does."},
		{Letter: 'f', Arg: "format", Doc: "Print this: % begins what is printed of the file, %N its name, %Sp its mode, %z its size ..."},
		{Letter: 'L', Doc: "Follow symbolic links."},
		{Letter: 'l', Doc: "Print a line as ls -lT does."},
		{Letter: 'n', Doc: "Print no newline at the end."},
		{Letter: 'q', Doc: "Say nothing of files that cannot be looked at."},
		{Letter: 'r', Doc: "Print numbers."},
		{Letter: 's', Doc: "Print assignments for a shell."},
		{Letter: 't', Arg: "timefmt", Doc: "Print times by this format of strftime(3)."},
		{Letter: 'x', Doc: "Print several lines, with words."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to look at instead of the standard input, if that is a file of the kernel."}},
	Main:     run,
}

// Readlink is readlink(1).
var Readlink = util.Utility{
	Name:    "readlink",
	Section: 1,
	Doc:     "print what symbolic links lead to",
	Usage:   []string{"[-fnqsv] [file ...]"},
	Options: []util.Option{
		{Letter: 'f', Doc: "Print the absolute path without any symbolic links, of other files too."},
		{Letter: 'n', Doc: "Print no newline at the end."},
		{Letter: 'q', Doc: "Say nothing of files that cannot be looked at: the default."},
		{Letter: 's', Doc: "The same as -q."},
		{Letter: 'v', Doc: "Say what went wrong."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "The symbolic link."}},
	Main:     runReadlink,
}

// formats are those of the options, and formatDefault that of none.
const formatDefault = `%d %i %Sp %l %Su %Sg %r %z "%Sa" "%Sm" "%Sc" "%SB" %k %b %#Xf %N`

var formats = map[byte]string{
	'l': "%Sp %l %Su %Sg %Z %Sm %N%SY",
	'F': "%Sp %l %Su %Sg %Z %Sm %N%T%SY",
	'r': "%d %i %#p %l %u %g %r %z %a %m %c %B %k %b %f %N",
	's': "st_dev=%d st_ino=%i st_mode=%#p st_nlink=%l st_uid=%u st_gid=%g st_rdev=%r st_size=%z " +
		"st_atime=%Sa st_mtime=%Sm st_ctime=%Sc st_birthtime=%SB st_blksize=%k st_blocks=%b st_flags=%f",
	'x': "  File: \"%N\"%n  Size: %-11z  FileType: %HT%n  Mode: (%04OLp/%.10Sp)         Uid: (%5u/%8Su)  Gid: (%5g/%8Sg)%n" +
		"Device: %Hd,%Ld   Inode: %i    Links: %l%nAccess: %Sa%nModify: %Sm%nChange: %Sc",
}

// timeFormats are the formats of times that go with them.
var timeFormats = map[byte]string{'s': "%s", 'x': "%c"}

const timeFormatDefault = "%b %e %T %Y"

// printer prints the attributes of files.
type printer struct {
	env     *util.Env
	sys     *client.Sys
	names   *passwd.DB
	devices *devices

	format, timeFormat       string
	follow, noNewline, quiet bool
	linkFailed               bool // something was no link, or could not be read
	number                   int  // of the file among the operands, from 1
	endsLine                 bool // the last character of the file's output ends a line
}

func newPrinter(env *util.Env) *printer {
	sys := env.Proc.Sys()
	return &printer{env: env, sys: sys, names: passwd.New(sys), devices: &devices{sys: sys}, timeFormat: timeFormatDefault}
}

func run(_ context.Context, env *util.Env) int {
	p := newPrinter(env)
	var style byte
	var mark bool
	var timeFormat *string
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'F':
			mark = true
		case 'L':
			p.follow = true
		case 'n':
			p.noNewline = true
		case 'q':
			p.quiet = true
		case 't':
			arg := g.Arg
			timeFormat = &arg
		case 'f', 'l', 'r', 's', 'x':
			if style != 0 {
				return env.Errx("can't use format '%c' with '%c'", style, g.Letter)
			}
			style, p.format = g.Letter, formats[g.Letter]
			if style == 'f' {
				p.format = g.Arg
			}
		default:
			return env.UsageError()
		}
	}
	switch {
	case mark && style != 0 && style != 'l':
		return env.Errx("can't use format '%c' with -F", style)
	case mark:
		p.format = formats['F']
	case style == 0:
		p.format = formatDefault
	}
	if f := timeFormats[style]; f != "" {
		p.timeFormat = f
	}
	if timeFormat != nil {
		p.timeFormat = *timeFormat
	}
	status, _ := p.files(g.Args())
	return status
}

func runReadlink(_ context.Context, env *util.Env) int {
	p := newPrinter(env)
	p.format, p.quiet = "%Y", true
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'f':
			p.format = "%R"
		case 'n':
			p.noNewline = true
		case 'q', 's':
			p.quiet = true
		case 'v':
			p.quiet = false
		default:
			return env.UsageError()
		}
	}
	status, done := p.files(g.Args())
	if done && !p.linkFailed {
		return util.ExitOK
	}
	return max(status, util.ExitFailure)
}

// files prints the files. It is done unless the format is bad.
func (p *printer) files(args []string) (status int, done bool) {
	list := make([]*file, 0, max(len(args), 1))
	for _, arg := range args {
		list = append(list, &file{name: arg})
	}
	if len(list) == 0 {
		list = append(list, &file{name: "(stdin)", stdin: true})
	}
	for i, f := range list {
		p.number = i + 1
		if err := p.stat(f); err != nil {
			status, p.linkFailed = util.ExitFailure, true
			if !p.quiet {
				p.env.Warn(err, "%s: %s", f.name, map[bool]string{false: "lstat", true: "stat"}[p.follow])
			}
			continue
		}
		if err := p.print(f); err != nil {
			return p.env.Errx("%s", err), false
		}
	}
	return status, true
}

// file is a file with its attributes.
type file struct {
	name  string
	stdin bool
	st    abi.Stat
}

// stat gets the attributes. A link that leads nowhere is looked at itself.
func (p *printer) stat(f *file) error {
	if f.stdin {
		return f.statInput(p.env.Stdin)
	}
	if !p.follow {
		return p.sys.Lstat(f.name, &f.st)
	}
	err := p.sys.Stat(f.name, &f.st)
	if err == abi.ENOENT {
		err = p.sys.Lstat(f.name, &f.st)
	}
	return err
}

// statInput gets the attributes of the standard input, which the kernel has only if it is a file of its own.
func (f *file) statInput(stdin any) error {
	in, ok := stdin.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return abi.EOPNOTSUPP
	}
	info, err := in.Stat()
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*abi.Stat)
	if !ok {
		return abi.EOPNOTSUPP
	}
	f.st = *st
	return nil
}
