package pax

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// Bits of a mode that -p o must allow along with -p p.
const setID = abi.S_ISUID | abi.S_ISGID

// tries is how many names are tried for a file in the making.
const tries = 100

// makeFile makes a regular file: under another name at first, so that whatever has its name stays until it is whole.
func (j *job) makeFile(m *member, contents func(io.Writer) bool) bool {
	if strings.HasSuffix(m.name, "/") {
		j.failx("%s is a directory, but marked as plain", m.name)
		return false
	}
	if j.keep && j.exists(m.name) {
		return false
	}
	fd, name, err := j.createTemporary(m)
	if err != nil {
		j.fail(err, "Cannot create %s", m.name)
		return false
	}
	w := &sparseWriter{sys: j.sys, fd: fd}
	ok := contents(w)
	if err := w.finish(); err != nil && ok {
		j.fail(err, "Failed write to file %s", m.name)
		ok = false
	}
	if err := j.sys.Close(fd); err != nil && ok {
		j.fail(err, "Cannot close file descriptor on %s", m.name)
		ok = false
	}
	if !ok {
		_ = j.sys.Unlink(name) // the failure has been said
		return false
	}
	j.setAttributes(m, name)
	if err := j.sys.Rename(name, m.name); err != nil {
		j.fail(err, "Cannot rename %s to %s", name, m.name)
		_ = j.sys.Unlink(name)
		return false
	}
	return true
}

// createTemporary creates the file that a member becomes, next to it.
func (j *job) createTemporary(m *member) (fd int, name string, err error) {
	parents := false
	pid, err := j.sys.Getpid()
	if err != nil {
		return 0, "", err
	}
	for range tries {
		j.temporary++
		name = fmt.Sprintf("%s.pax%d.%d", m.name[:strings.LastIndexByte(m.name, '/')+1], pid, j.temporary)
		fd, err = j.sys.Open(name, abi.O_WRONLY|abi.O_CREAT|abi.O_EXCL|abi.O_CLOEXEC, m.st.Mode&0o777)
		switch {
		case err == nil:
			return fd, name, nil
		case err == abi.EEXIST:
		case parents || !j.makeParents(m):
			return 0, "", err
		default:
			parents = true
		}
	}
	return 0, "", err
}

// sparseWriter writes a file, leaving holes where there would be blocks of zeros.
type sparseWriter struct {
	sys  *client.Sys
	fd   int
	hole int64 // bytes that were passed over
	size int64
}

// holeSize is the least that a hole is made of.
const holeSize = 64 << 10

var zeroes [holeSize]byte

func (w *sparseWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := w.zeros(p)
		if n > 0 {
			w.hole += int64(n)
		} else {
			n = min(len(p), holeSize)
			for n < len(p) && w.zeros(p[n:]) == 0 {
				n = min(len(p), n+holeSize)
			}
			if err := w.data(p[:n]); err != nil {
				return 0, err
			}
		}
		w.size += int64(n)
		p = p[n:]
	}
	return total, nil
}

// zeros returns how many zeros p begins with, if these are enough for a hole.
func (w *sparseWriter) zeros(p []byte) int {
	if len(p) >= holeSize && bytes.Equal(p[:holeSize], zeroes[:]) {
		return holeSize
	}
	return 0
}

// data writes behind a hole.
func (w *sparseWriter) data(p []byte) error {
	if w.hole > 0 {
		if _, err := w.sys.Lseek(w.fd, w.hole, abi.SEEK_CUR); err != nil {
			return err
		}
		w.hole = 0
	}
	for len(p) > 0 {
		n, err := w.sys.Write(w.fd, p)
		if err != nil {
			return err
		}
		if n == 0 {
			return abi.ENOSPC
		}
		p = p[n:]
	}
	return nil
}

// finish makes the file as long as it is to be.
func (w *sparseWriter) finish() error {
	if w.hole == 0 {
		return nil
	}
	return w.sys.Ftruncate(w.fd, w.size)
}

// rewrite puts the data of a member that is another name of a file into that. Some kinds of cpio have data with the last name only.
func (j *job) rewrite(m *member) {
	fd, err := j.sys.Open(m.name, abi.O_WRONLY|abi.O_TRUNC|abi.O_NOFOLLOW|abi.O_CLOEXEC, 0)
	if err != nil {
		j.fail(err, "Cannot write %s", m.name)
		return
	}
	w := &sparseWriter{sys: j.sys, fd: fd}
	ok := j.contents(m, w)
	if err := w.finish(); err != nil && ok {
		j.fail(err, "Failed write to file %s", m.name)
	}
	if err := j.sys.Close(fd); err != nil {
		j.fail(err, "Cannot close file descriptor on %s", m.name)
	}
	j.setTimes(m, m.name)
}

// makeNode makes what has no data: a directory, a link or a special file.
func (j *job) makeNode(m *member) bool {
	if m.typ() == abi.S_IFSOCK {
		j.warnx("%s skipped. Sockets cannot be copied or extracted", m.name)
		return false
	}
	if m.hard && !j.linkable(m) {
		return false
	}
	err := j.node(m)
	if err != nil && j.exists(m.name) {
		if j.keep {
			return false
		}
		there, cleared := j.clear(m)
		if !cleared {
			return false
		}
		if err = nil; !there {
			err = j.node(m)
		}
	}
	if err != nil && j.makeParents(m) {
		err = j.node(m)
	}
	switch {
	case err != nil && m.hard:
		j.fail(err, "Cannot link to %s from %s", m.link, m.name)
		return false
	case err != nil:
		j.fail(err, "Cannot create %s", m.name)
		return false
	case m.hard:
	case m.isDir():
		j.keepDirectory(m)
	default:
		j.setAttributes(m, m.name)
	}
	return true
}

// linkable tells whether another name can be made for what a member is a link to.
func (j *job) linkable(m *member) bool {
	var to, st abi.Stat
	if err := j.sys.Lstat(m.link, &to); err != nil {
		j.fail(err, "Cannot link to %s from %s", m.link, m.name)
		return false
	}
	if to.Mode&abi.S_IFMT == abi.S_IFDIR {
		j.failx("A hard link to the directory %s is not allowed", m.link)
		return false
	}
	if j.sys.Lstat(m.name, &st) == nil && st.Dev == to.Dev && st.Ino == to.Ino {
		if !j.keep {
			j.failx("Cannot link file %s to itself", m.link)
		}
		return false
	}
	return true
}

// node makes the file of a member.
func (j *job) node(m *member) error {
	perm := m.st.Mode & 0o777
	switch {
	case m.hard:
		return j.sys.Linkat(abi.AT_FDCWD, m.link, abi.AT_FDCWD, m.name, 0)
	case m.isDir():
		return j.sys.Mkdir(m.name, perm|m.st.Mode&abi.S_ISVTX)
	case m.isSymlink():
		return j.sys.Symlink(m.link, m.name)
	case m.typ() == abi.S_IFIFO:
		return j.sys.Mkfifo(m.name, perm)
	case m.isDevice():
		return j.sys.Mknod(m.name, m.typ()|perm, m.st.Rdev)
	}
	return abi.EINVAL
}

func (j *job) exists(name string) bool {
	var st abi.Stat
	return j.sys.Lstat(name, &st) == nil
}

// clear makes room for a member. A directory stays if a directory is to be there.
func (j *job) clear(m *member) (there, ok bool) {
	var st abi.Stat
	if err := j.sys.Lstat(m.name, &st); err != nil {
		return false, true
	}
	dir := st.Mode&abi.S_IFMT == abi.S_IFDIR
	switch {
	case dir && m.isDir():
		return true, true
	case dir:
		if err := j.sys.Rmdir(m.name); err != nil {
			j.fail(err, "Cannot remove directory %s", m.name)
			return false, false
		}
	default:
		if err := j.sys.Unlink(m.name); err != nil {
			j.fail(err, "Cannot unlink %s", m.name)
			return false, false
		}
	}
	return false, true
}

// makeParents makes the directories above a member that are missing, and tells whether there were any.
func (j *job) makeParents(m *member) bool {
	if j.noParents {
		return false
	}
	made := false
	for i := 1; i < len(m.name); i++ {
		if m.name[i] != '/' || m.name[i-1] == '/' {
			continue
		}
		dir := m.name[:i]
		if j.exists(dir) {
			continue
		}
		if j.sys.Mkdir(dir, 0o777) != nil {
			return false
		}
		made = true
		if j.owner {
			_ = j.sys.Lchown(dir, int(int32(m.st.Uid)), int(int32(m.st.Gid))) // the archive has no such directory
		}
	}
	return made
}
