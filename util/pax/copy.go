package pax

import (
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// copy copies files below a directory, as if they went through an archive.
func (j *job) copy() {
	var st abi.Stat
	if err := j.sys.Stat(j.dir, &st); err != nil {
		j.fail(err, "Cannot access destination directory %s", j.dir)
		return
	}
	if st.Mode&abi.S_IFMT != abi.S_IFDIR {
		j.failx("Destination is not a directory %s", j.dir)
		return
	}
	j.destination = fileID{st.Dev, st.Ino}
	j.walk(func(m *member) bool {
		j.copyMember(m)
		return true
	})
	j.restoreDirectories()
}

// below returns where the copy of a name goes.
func (j *job) below(name string) string {
	return strings.TrimRight(j.dir, "/") + "/" + strings.TrimLeft(name, "/")
}

// copyMember copies a file.
func (j *job) copyMember(m *member) {
	if (j.newer || j.newerChange) && j.isOld(m, j.below(m.name), j.newer, j.newerChange) {
		return
	}
	j.linkTo(m)
	if !j.modify(m) {
		j.forget(m)
		return
	}
	m.name = j.below(m.name)
	if m.hard {
		m.link = j.below(m.link)
	}
	if (j.newerRenamed || j.changedRenamed) && j.isOld(m, m.name, j.newerRenamed, j.changedRenamed) {
		return
	}
	j.beginName(m)
	defer j.endName()
	j.files++
	if j.keep && j.exists(m.name) || j.isItself(m) || j.link && !m.isDir() && j.linkBack(m) {
		return
	}
	made := false
	if m.isRegular() && !m.hard {
		made = j.copyFile(m)
	} else {
		made = j.makeNode(m)
	}
	if !made {
		j.forget(m)
	}
}

// isItself tells whether a file would be copied onto itself.
func (j *job) isItself(m *member) bool {
	var st abi.Stat
	if m.isDir() || j.sys.Lstat(m.name, &st) != nil || st.Dev != m.st.Dev || st.Ino != m.st.Ino {
		return false
	}
	if !j.link {
		j.failx("Unable to copy %s, file would overwrite itself", m.name)
	}
	return true
}

// linkBack makes a hard link to the file itself in place of a copy, and tells whether that could be.
func (j *job) linkBack(m *member) bool {
	try := func() error { return j.sys.Linkat(m.dir, m.rel, abi.AT_FDCWD, m.name, 0) }
	err := try()
	if err == abi.EEXIST {
		if _, cleared := j.clear(m); !cleared {
			return true
		}
		err = try()
	}
	if err == abi.ENOENT && j.makeParents(m) {
		err = try()
	}
	return err == nil
}

// copyFile copies a regular file.
func (j *job) copyFile(m *member) bool {
	fd, ok := j.open(m)
	if !ok {
		return false
	}
	defer j.closeRead(m, fd)
	return j.makeFile(m, func(w io.Writer) bool {
		for j.ctx.Err() == nil {
			n, err := j.sys.Read(fd, j.buf)
			if err != nil {
				j.fail(err, "Failed read on %s", m.path)
				return false
			}
			if n == 0 {
				return true
			}
			if _, err := w.Write(j.buf[:n]); err != nil {
				j.fail(err, "Failed write to file %s", m.name)
				return false
			}
		}
		return false
	})
}
