package pax

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// arguments are the files to walk: the operands or, if there are none, the names on standard input.
func (j *job) arguments() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range j.names {
			if !yield(name) {
				return
			}
		}
		if len(j.names) > 0 {
			return
		}
		end := byte('\n')
		if j.zero {
			end = 0
		}
		in := bufio.NewReader(j.env.Stdin)
		for {
			name, err := readName(in, end)
			if name != "" && !yield(name) {
				return
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					j.fail(err, "Cannot read names")
				}
				return
			}
		}
	}
}

// readName reads a name up to a byte that ends it.
func readName(in *bufio.Reader, end byte) (string, error) {
	var name []byte
	for {
		c, err := in.ReadByte()
		if err != nil || c == end {
			return string(name), err
		}
		if len(name) > maxPath {
			return "", abi.ENAMETOOLONG
		}
		name = append(name, c)
	}
}

// walk calls do with every file that the arguments name which -U, -G and -T let through. It tells whether
// there was an argument.
func (j *job) walk(do func(*member) bool) {
	if j.mtree {
		j.walkSpec(do)
		return
	}
	options := &fts.Options{Follow: j.follow, FollowArguments: j.followArguments, OneDevice: j.oneDevice}
	if j.wantsAll() {
		j.ahead = &readAhead{data: make(map[*fts.Entry][]byte)}
		options.Entered = j.ahead.entered
	}
	for arg := range j.arguments() {
		if dir, change := strings.CutPrefix(arg, changeDir); change {
			if err := j.sys.Chdir(dir); err != nil {
				j.fail(err, "Cannot chdir to %s", dir)
				return
			}
			continue
		}
		if trimmed := strings.TrimRight(arg, "/"); trimmed != "" {
			arg = trimmed
		}
		for c, e := range fts.Walk(j.sys, []string{arg}, options) {
			if j.ctx.Err() != nil || !j.visit(c, e, do) {
				return
			}
		}
	}
}

// wantsAll tells whether every file that is found goes into an archive, and what it holds with it.
func (j *job) wantsAll() bool {
	writes := j.mode == archive || j.mode == appending
	return writes && !j.newer && !j.resetTime && !j.ask && len(j.users)+len(j.groups)+len(j.times)+len(j.excluded) == 0
}

// visit calls do with an entry of the walk, and tells whether to go on.
func (j *job) visit(c *fts.Cursor, e *fts.Entry, do func(*member) bool) bool {
	switch e.Info {
	case fts.Missing:
		j.fail(e.Err, "Cannot access %s", e.Path)
		return true
	case fts.Unreadable:
		j.fail(e.Err, "File system traversal: %s", e.Path)
		return true
	case fts.Cycle:
		j.failx("File system traversal loop, skipping %s", e.Path)
		return true
	case fts.DirAfter:
		if j.resetTime {
			j.resetAccess(&member{dir: c.FD(), rel: e.Rel, path: e.Path, st: *e.Stat})
		}
		return true
	}
	if e.IsDir() && j.onlyDir {
		e.Skip()
	}
	if e.IsDir() && j.mode == copying && (fileID{e.Stat.Dev, e.Stat.Ino}) == j.destination {
		e.Skip()
		j.failx("Unable to copy %s into itself", e.Path)
		return true
	}
	m := &member{name: e.Path, path: e.Path, rel: e.Rel, dir: c.FD(), st: *e.Stat}
	if m.isSymlink() && !j.readLink(m) {
		return true
	}
	if !m.isRegular() {
		m.st.Size = 0
	}
	if j.ahead != nil {
		m.held = j.ahead.take(c, j.sys, e)
		m.early = m.held != nil
	}
	return !j.selectedBy(m) || do(m)
}

// readLink reads a symbolic link.
func (j *job) readLink(m *member) bool {
	text := make([]byte, abi.MAXPATHLEN)
	n, err := j.sys.Readlinkat(m.dir, m.rel, text)
	if err != nil {
		j.fail(err, "Unable to read symlink %s", m.path)
		return false
	}
	m.link = string(text[:n])
	return true
}

// resetAccess gives a file that was read the time of access that it had.
func (j *job) resetAccess(m *member) {
	st := &m.st
	if m.actual != nil {
		st = m.actual
	}
	if err := j.sys.Utimensat(m.dir, m.rel, st.Atim, st.Mtim, abi.AT_SYMLINK_NOFOLLOW); err != nil {
		j.fail(err, "Access/modification time set failed on: %s", m.path)
	}
}

// open opens the file of a member for reading.
func (j *job) open(m *member) (fd int, ok bool) {
	fd, err := j.sys.Openat(m.dir, m.rel, abi.O_RDONLY|abi.O_NONBLOCK|abi.O_CLOEXEC, 0)
	if err != nil {
		j.fail(err, "Unable to open %s to read", m.path)
		return 0, false
	}
	return fd, true
}

// closeRead closes a file that was read.
func (j *job) closeRead(m *member, fd int) {
	if fd < 0 {
		return
	}
	_ = j.sys.Close(fd) // nothing was written
	if j.resetTime {
		j.resetAccess(m)
	}
}

// linkTo makes a member a hard link if its file has come already under another name.
func (j *job) linkTo(m *member) {
	if m.isDir() || m.st.Nlink < 2 {
		return
	}
	id := fileID{m.st.Dev, m.st.Ino}
	if first, had := j.linked[id]; had {
		m.hard, m.link = true, first
		return
	}
	j.linked[id] = m.name
}

// forget makes the next name of a member's file the first.
func (j *job) forget(m *member) {
	if !m.hard {
		delete(j.linked, fileID{m.st.Dev, m.st.Ino})
	}
}
