package find

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// actionPrimaries are the primaries that do something.
func actionPrimaries() map[string]primary {
	const (
		exec = "utility [argument ...] \";\" runs a utility with the path in place of {}, and is true if that succeeds; " +
			"with \"{} +\" at the end it is run with many paths at once."
		execDir = "utility [argument ...] \";\" runs it in the directory of the file, with the name in place of {}."
		ok      = "utility [argument ...] \";\" asks before it does as -exec."
		printx  = "Print the path with a backslash before what xargs(1) would take for something else."
	)
	return map[string]primary{
		"-delete":  {doc: "Remove it; implies -d.", stat: true, acts: true, output: true, make: (*parser).remove},
		"-exec":    {doc: exec, acts: true, output: true, make: (*parser).exec},
		"-execdir": {doc: execDir, acts: true, output: true, make: (*parser).execDir},
		"-fprint":  {arg: "filename", doc: "Print the path to a file of the kernel.", acts: true, output: true, make: (*parser).printTo},
		"-ls":      {doc: "Print a line as ls -dgils.", stat: true, output: true, make: action((*finder).list)},
		"-ok":      {doc: ok, acts: true, output: true, make: (*parser).confirmed},
		"-print":   {doc: "Print the path: the default.", output: true, make: action((*finder).print)},
		"-print0":  {doc: "Print the path and a NUL.", output: true, make: action((*finder).printZero)},
		"-printx":  {doc: printx, output: true, make: action((*finder).printEscaped)},
		"-rm":      {doc: "The same as -delete.", stat: true, acts: true, output: true, make: (*parser).remove},
	}
}

func action(do func(*finder, *fts.Entry) bool) func(*parser, string) (test, error) {
	return func(p *parser, _ string) (test, error) {
		return func(e *fts.Entry) bool { return do(p.finder, e) }, nil
	}
}

// write prints the line. Without a reader there is nothing more to do.
func (f *finder) write() bool {
	if _, err := f.env.Stdout.Write(f.line); err != nil {
		f.stop = true
	}
	return true
}

func (f *finder) print(e *fts.Entry) bool {
	f.line = append(append(f.line[:0], e.Path...), '\n')
	return f.write()
}

func (f *finder) printZero(e *fts.Entry) bool {
	f.line = append(append(f.line[:0], e.Path...), 0)
	return f.write()
}

// escaped are the characters that -printx puts a backslash before.
const escaped = "\"' $`\t\n\\"

func (f *finder) printEscaped(e *fts.Entry) bool {
	f.line = f.line[:0]
	for i := range len(e.Path) {
		if strings.IndexByte(escaped, e.Path[i]) >= 0 {
			f.line = append(f.line, '\\')
		}
		f.line = append(f.line, e.Path[i])
	}
	f.line = append(f.line, '\n')
	return f.write()
}

// list prints a line as ls(1) does.
func (f *finder) list(e *fts.Entry) bool {
	st := e.Stat
	size := fmt.Sprintf("%9d", st.Size)
	if e.Type == abi.DT_BLK || e.Type == abi.DT_CHR {
		size = fmt.Sprintf("%3d,%5d", util.Major(st.Rdev), util.Minor(st.Rdev))
	}
	f.line = fmt.Appendf(f.line[:0], "%7d %6d %s %3d %-*s %-*s %s %s %s", st.Ino, st.Blocks, util.StrMode(st.Mode), st.Nlink,
		abi.LOGIN_NAME_MAX, f.owners.UserName(st.Uid), abi.LOGIN_NAME_MAX, f.owners.GroupName(st.Gid), size, f.listTime(st.Mtim.Sec), e.Path)
	if e.Type == abi.DT_LNK {
		target := make([]byte, abi.MAXPATHLEN)
		n, err := f.sys.Readlinkat(f.cursor.FD(), e.Rel, target)
		if err != nil {
			f.env.Warn(err, "%s", e.Path)
		} else {
			f.line = append(append(f.line, " -> "...), target[:n]...)
		}
	}
	f.line = append(f.line, '\n')
	return f.write()
}

// sixMonths is how old a time may be, in seconds, to be printed with the hour.
const sixMonths = 365 / 2 * 24 * 60 * 60

func (f *finder) listTime(sec int64) string {
	format := "Jan _2 15:04"
	if sec+sixMonths <= f.now {
		format = "Jan _2  2006"
	}
	return time.Unix(sec, 0).In(f.env.Location()).Format(format)
}

// outputFile is a file of -fprint.
type outputFile struct {
	name string
	file *client.File
	w    *bufio.Writer
}

// printTo makes the file and prints to it.
func (p *parser) printTo(name string) (test, error) {
	file, err := p.env.Proc.Create(name)
	if err != nil {
		return nil, util.Messagef("-fprint: %s: cannot create file: %s", name, err)
	}
	out := &outputFile{name, file, bufio.NewWriter(file)}
	p.outputs = append(p.outputs, out)
	return func(e *fts.Entry) bool {
		fmt.Fprintln(out.w, e.Path)
		return true
	}, nil
}

// closeOutputs writes what is left to the files of -fprint.
func (f *finder) closeOutputs() {
	for _, out := range f.outputs {
		err := out.w.Flush()
		if failed := out.file.Close(); err == nil {
			err = failed
		}
		if err != nil {
			f.status = f.env.Err(err, "%s", out.name)
		}
	}
}
