package pax

import (
	"errors"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
)

// archive writes a new archive.
func (j *job) archive() {
	if j.format == nil {
		j.format = lookupFormat("ustar")
	}
	if !j.openArchive(abi.O_WRONLY|abi.O_CREAT|abi.O_TRUNC, "write") {
		return
	}
	j.openWriter(0)
	j.newEncoder()
	j.writeAll(false)
}

// append adds files to an archive.
func (j *job) append() {
	if j.name == "" || j.gzip {
		j.failx("Cannot append to an archive obtained from a pipe.")
		return
	}
	if !j.openArchive(abi.O_RDWR, "read/write") {
		return
	}
	if j.st.Mode&abi.S_IFMT != abi.S_IFREG {
		j.failx("Cannot append to %s, which is not a regular file", j.name)
		return
	}
	if !j.startReader() || !j.readThrough() {
		return
	}
	at := j.reader.end() - j.before
	if at < 0 {
		j.failx("Reverse position on previous volume.")
		return
	}
	if _, err := j.sys.Lseek(j.file.Fd(), at, abi.SEEK_SET); err != nil {
		j.fail(err, "Unable to position archive file")
		return
	}
	if err := j.sys.Ftruncate(j.file.Fd(), at); err != nil {
		j.fail(err, "Unable to truncate archive file")
		return
	}
	j.files = 0
	j.openWriter(at)
	j.newEncoder()
	j.enc.device = j.reader.device()
	j.writeAll(true)
}

// readThrough reads an archive to its end, and notes the times of what is in it.
func (j *job) readThrough() bool {
	for j.ctx.Err() == nil {
		m, err := j.reader.next()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			j.failx("Unable to append, archive header flaw")
			return false
		}
		j.files++
		if old, had := j.stored[m.name]; !had || old.Sec < m.st.Mtim.Sec {
			j.stored[m.name] = m.st.Mtim
		}
	}
	return false
}

func (j *job) newEncoder() {
	j.enc = &encoder{format: j.format, gnu: j.gnu, numbers: map[fileID]uint64{}, owner: func(m *member) (user, group string) {
		if id, ok := named(j.names2id.UID, j.names2id.UserName(m.st.Uid)); ok && id == m.st.Uid {
			user = j.names2id.UserName(m.st.Uid)
		}
		if id, ok := named(j.names2id.GID, j.names2id.GroupName(m.st.Gid)); ok && id == m.st.Gid {
			group = j.names2id.GroupName(m.st.Gid)
		}
		return user, group
	}}
}

// writeAll writes all members and the trailer. An archive that nothing goes into gets no trailer, unless it had one.
func (j *job) writeAll(trailer bool) {
	ok := true
	j.walk(func(m *member) bool {
		ok = j.writeMember(m)
		return ok
	})
	if !ok || j.ctx.Err() != nil {
		return
	}
	if !trailer && j.files == 0 && j.volume == 1 {
		j.removeEmpty()
		return
	}
	end, err := j.format.trailer(j.enc)
	if err == nil {
		_, err = j.output.Write(end)
	}
	if err == nil {
		err = j.output.finish()
	}
	if err == nil && j.zipper != nil {
		err = j.zipper.Close()
	}
	if err != nil {
		j.failWrite(err)
	}
}

// failWrite says that the archive cannot be written on.
func (j *job) failWrite(err error) {
	if !errors.Is(err, errVolume) {
		j.fail(err, "Failed write to archive volume %d", j.volume)
	}
}

// removeEmpty removes an archive that has come out empty.
func (j *job) removeEmpty() {
	if j.file != nil && j.st.Mode&abi.S_IFMT == abi.S_IFREG {
		j.closeArchive()
		_ = j.sys.Unlink(j.name) // an empty file is no harm
	}
}

// writeMember writes a file to the archive, and tells whether to go on.
func (j *job) writeMember(m *member) bool {
	if j.isArchive(m) || j.newer && j.isStored(m) || j.noDirs && j.format.name == "tar" && m.isDir() {
		return true
	}
	if j.format.links {
		j.linkTo(m)
	}
	fd := -1
	if m.isRegular() && !m.hard && !m.early {
		var ok bool
		if fd, ok = j.open(m); !ok {
			j.forget(m)
			return true
		}
	}
	defer func() { j.closeRead(m, fd) }()
	if !j.modify(m) || j.format.sums && (fd >= 0 || m.early) && !j.addUp(m, fd) {
		j.forget(m)
		return true
	}
	entry := *m
	if j.stamp != nil {
		entry.st.Mtim = *j.stamp
	}
	header, err := j.format.header(j.enc, &entry)
	if err != nil {
		if !j.gnu || m.typ() != abi.S_IFSOCK {
			j.failx("%s", err)
		}
		j.forget(m)
		return true
	}
	j.beginName(m)
	defer j.endName()
	j.files++
	if _, err := j.output.Write(header); err != nil {
		j.failWrite(err)
		return false
	}
	return fd < 0 && !m.early || j.writeData(m, fd)
}

// isStored tells whether the archive has a file that is not older under the same name, and notes this one if not.
func (j *job) isStored(m *member) bool {
	name := j.stripped(m.name)
	if old, had := j.stored[name]; had && olderOrSame(m.st.Mtim, old) {
		return true
	}
	j.stored[name] = m.st.Mtim
	return false
}

// isArchive tells whether a file is the archive that is written, which is passed over.
func (j *job) isArchive(m *member) bool {
	if j.file == nil || !m.isRegular() || m.st.Dev != j.st.Dev || m.st.Ino != j.st.Ino {
		return false
	}
	j.warnx("%s is the archive, not written to itself", m.path)
	return true
}

// addUp sums up the bytes of a file and goes back to its beginning.
func (j *job) addUp(m *member, fd int) bool {
	total := int64(0)
	m.sum = 0
	if m.early {
		for _, b := range m.held {
			m.sum += uint32(b)
		}
		return true
	}
	for {
		n, err := j.sys.Read(fd, j.buf)
		if err != nil {
			j.fail(err, "Failed read on %s", m.path)
			return false
		}
		if n == 0 {
			break
		}
		for _, b := range j.buf[:n] {
			m.sum += uint32(b)
		}
		total += int64(n)
	}
	if total != m.st.Size {
		j.failx("File changed size %s", m.path)
		return false
	}
	if _, err := j.sys.Lseek(fd, 0, abi.SEEK_SET); err != nil {
		j.fail(err, "File rewind failed on: %s", m.path)
		return false
	}
	return true
}

// writeData writes the data of a file: as much as the header says, whatever has become of the file.
func (j *job) writeData(m *member, fd int) bool {
	whole := true
	for left := m.st.Size; left > 0 && j.ctx.Err() == nil; {
		p := j.buf[:min(int64(len(j.buf)), left)]
		n := 0
		if whole {
			n, whole = j.readFile(m, fd, p)
		}
		if !whole {
			clear(p)
			n = len(p)
		}
		if _, err := j.output.Write(p[:n]); err != nil {
			j.failWrite(err)
			return false
		}
		left -= int64(n)
	}
	if _, err := j.output.Write(make([]byte, j.format.padding(m.st.Size))); err != nil {
		j.failWrite(err)
		return false
	}
	return j.ctx.Err() == nil
}

// readFile reads from a file that is to have more data, and tells whether it has.
func (j *job) readFile(m *member, fd int, p []byte) (int, bool) {
	if m.early {
		n := copy(p, m.held)
		m.held = m.held[n:]
		return n, true
	}
	n, err := j.sys.Read(fd, p)
	if err != nil {
		j.fail(err, "File read error on %s", m.path)
		return 0, false
	}
	if n == 0 {
		j.failx("File changed size during read %s", m.path)
	}
	return n, n > 0
}
