package pax

import (
	"errors"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
)

// list prints what is in an archive.
func (j *job) list() {
	if !j.openReader() {
		return
	}
	j.members(func(m *member) {
		if j.modify(m) {
			io.WriteString(j.env.Stdout, j.line(m, j.env.Stdout)+"\n") //nolint:errcheck // util.Run reports it at the end
		}
	})
	j.unmatched()
}

// extract makes files of what is in an archive.
func (j *job) extract() {
	if !j.openReader() {
		return
	}
	if j.chroot {
		if err := j.sys.Chroot("."); err != nil {
			j.fail(err, "Can't chroot to \".\"")
			return
		}
	}
	j.members(j.extractMember)
	j.restoreDirectories()
	j.unmatched()
}

// members calls do with each member of the archive that is selected.
func (j *job) members(do func(*member)) {
	for j.ctx.Err() == nil {
		m, err := j.reader.next()
		if errors.Is(err, io.EOF) {
			j.drain()
			return
		}
		if err != nil {
			if !j.recover(err) {
				j.drain()
				return
			}
			continue
		}
		j.files++
		switch j.match(m) {
		case finished:
			j.drain()
			return
		case selected:
			do(m)
		}
	}
}

// failArchive says that an archive cannot be read on.
func (j *job) failArchive(err error) {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		j.failx("Premature end of file on archive read")
	default:
		j.fail(err, "Failed read on archive volume %d", j.volume)
	}
}

// extractMember makes a file of a member.
func (j *job) extractMember(m *member) {
	if (j.newer || j.newerChange) && j.isOld(m, m.name, j.newer, j.newerChange) {
		return
	}
	if !j.modify(m) || (j.newerRenamed || j.changedRenamed) && j.isOld(m, m.name, j.newerRenamed, j.changedRenamed) {
		return
	}
	j.beginName(m)
	defer j.endName()
	if j.toStdout {
		if m.isRegular() && !m.hard {
			j.contents(m, j.env.Stdout)
		}
		return
	}
	if m.hard && m.st.Size > 0 && !j.made[m.link] {
		m.hard, m.link = false, "" // the first name was passed over; what has it now is none of ours
	}
	made := false
	if m.isRegular() && !m.hard {
		made = j.makeFile(m, func(w io.Writer) bool { return j.contents(m, w) })
	} else {
		made = j.makeNode(m)
	}
	if made && m.isRegular() && m.st.Nlink > 1 {
		j.made[m.name] = true
	}
	if made && m.hard && m.st.Size > 0 {
		j.rewrite(m)
	}
}

// isOld tells whether what is there already is not older than the member, by the time of modification, of change, or both.
func (j *job) isOld(m *member, name string, modified, changed bool) bool {
	var st abi.Stat
	if j.sys.Lstat(name, &st) != nil {
		return false
	}
	return (!modified || olderOrSame(m.st.Mtim, st.Mtim)) && (!changed || olderOrSame(m.st.Ctim, st.Ctim))
}

// contents writes the data of a member to w.
func (j *job) contents(m *member, w io.Writer) bool {
	for j.ctx.Err() == nil {
		n, err := fill(j.reader, j.buf)
		if n > 0 {
			if _, err := w.Write(j.buf[:n]); err != nil {
				j.fail(err, "Failed write to file %s", m.name)
				return false
			}
		}
		if errors.Is(err, io.EOF) {
			return true
		}
		if errors.Is(err, errSum) {
			j.failx("Actual crc does not match expected crc %s", m.name)
			return false
		}
		if errors.Is(err, errFault) {
			j.failx("%s is not whole in the archive", m.name)
			return false
		}
		if err != nil {
			j.failArchive(err)
			return false
		}
	}
	return false
}

// fill reads until p is full, and returns the error of r if that came first.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var k int
		k, err = r.Read(p[n:])
		n += k
	}
	return n, err
}
