package pax

import (
	"fmt"
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// modify gives a member the name that it is to have: by -s, by -i, and without leading slashes. It reports false if
// the member is passed over.
func (j *job) modify(m *member) bool {
	if !j.insecure && hasDotDot(m.name) {
		j.warnx("Ignoring file containing `..' (%s)", m.name)
		return false
	}
	if !j.insecure && m.hard && hasDotDot(m.link) {
		j.failx("Ignoring link containing `..' (%s)", m.link)
		return false
	}
	old := m.name
	name, shown := j.substitute(m.name, false)
	if shown != "" {
		j.endName()
		fmt.Fprint(j.env.Stderr, shown)
	}
	if m.name = name; name == "" {
		return false
	}
	if m.hard || m.isSymlink() {
		if m.link, _ = j.substitute(m.link, m.isSymlink()); m.link == "" {
			return false
		}
	}
	if j.ask {
		if !j.askName(m, old) {
			return false
		}
		if to, had := j.renamed[m.link]; had && (m.hard || m.isSymlink()) {
			m.link = to
		}
	}
	if j.mode != copying {
		m.name = j.strip(m.name)
		if m.hard {
			m.link = j.strip(m.link)
		}
	}
	return true
}

// stripped returns a name as it goes into an archive.
func (j *job) stripped(name string) string {
	if j.absolute || name == "" || name[0] != '/' {
		return name
	}
	if name = strings.TrimLeft(name, "/"); name == "" {
		return "."
	}
	return name
}

// strip is stripped that says so the first time.
func (j *job) strip(name string) string {
	to := j.stripped(name)
	if to != name && !j.slash {
		j.slash = true
		j.warnx("Removing leading / from absolute path names in the archive")
	}
	return to
}

// askName asks for the name of a member. It reports false if the member is to be passed over.
func (j *job) askName(m *member, old string) bool {
	fmt.Fprintf(j.env.Stderr, "\nATTENTION: %s interactive file rename operation.\n%s%s %s\n"+
		"Input new name, or a \".\" to keep the old name, or a \"return\" to skip this file.\nInput > ",
		j.env.Name(), util.StrMode(m.st.Mode), j.date(m.st.Mtim), m.name)
	name, err := j.readLine()
	switch {
	case err != nil:
		j.failx("Unexpected end of input, stopping")
		j.stop()
		return false
	case name == "":
		fmt.Fprintln(j.env.Stderr, "Skipping file.")
		return false
	case name == ".":
		fmt.Fprintln(j.env.Stderr, "Processing continues, name unchanged.")
		return true
	}
	fmt.Fprintf(j.env.Stderr, "Processing continues, name changed to: %s\n", name)
	j.renamed[old], m.name = name, name
	return true
}

// readLine reads a line of standard input, and nothing beyond it.
func (j *job) readLine() (string, error) {
	var line []byte
	for {
		var b [1]byte
		n, err := j.env.Stdin.Read(b[:])
		switch {
		case n > 0 && b[0] == '\n':
			return string(line), nil
		case n > 0 && len(line) <= maxPath:
			line = append(line, b[0])
		case err != nil && len(line) > 0 && err == io.EOF:
			return string(line), nil
		case err != nil:
			return "", err
		}
	}
}
