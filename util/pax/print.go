package pax

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// halfYear is how old a file is whose time is printed with the year.
const halfYear = 365 / 2 * 24 * time.Hour

// date returns a time as ls -l prints it.
func (j *job) date(ts abi.Timespec) string {
	t := time.Unix(ts.Sec, 0).In(j.start.Location())
	if !t.Add(halfYear).After(j.start) {
		return t.Format("Jan _2  2006")
	}
	return t.Format("Jan _2 15:04")
}

// shown returns a name as w is to have it: a terminal does not get the control characters of an archive's choice.
func shown(name string, w io.Writer) string {
	if !util.IsTerminal(w) {
		return name
	}
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; c < ' ' || c == 0x7f {
			fmt.Fprintf(&b, "\\%03o", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// line returns a member as a list on w has it, without the end of line.
func (j *job) line(m *member, w io.Writer) string {
	if j.verbose == 0 {
		return shown(m.name, w)
	}
	s := fmt.Sprintf("%s%2d %-8s %-6s ", util.StrMode(m.st.Mode), m.st.Nlink, j.names2id.UserName(m.st.Uid), j.names2id.GroupName(m.st.Gid))
	if m.isDevice() {
		s += fmt.Sprintf("%4d,%4d ", util.Major(m.st.Rdev), util.Minor(m.st.Rdev))
	} else {
		s += fmt.Sprintf("%9d ", m.st.Size)
	}
	s += j.date(m.st.Mtim) + " " + shown(m.name, w)
	switch {
	case m.hard:
		s += " == " + shown(m.link, w)
	case m.isSymlink():
		s += " -> " + shown(m.link, w)
	}
	return s
}

// beginName names what is worked on, for -v. The line ends when that is done.
func (j *job) beginName(m *member) {
	w := j.nameWriter()
	switch {
	case j.verbose == 0:
	case j.verbose > 1:
		fmt.Fprintln(w, j.line(m, w))
	default:
		fmt.Fprint(w, shown(m.name, w))
		j.naming = true
	}
}

// endName ends the line that beginName began.
func (j *job) endName() {
	if j.naming {
		fmt.Fprintln(j.nameWriter())
		j.naming = false
	}
}

// nameWriter is where names go of what is worked on: standard error, but tar(1) has them on standard output if the archive is not there.
func (j *job) nameWriter() io.Writer {
	if j.toList && (j.mode != archive || j.name != "" || j.volume > 1) {
		return j.env.Stdout
	}
	return j.env.Stderr
}
