package pax

import (
	"github.com/rumpctrl/rumpctrl/abi"
)

// walkSpec calls do with every file of the specification on standard input: -M.
func (j *job) walkSpec(do func(*member) bool) {
	root, err := parseSpec(j.env.Stdin, j.names2id)
	if err != nil {
		j.failx("%s", err)
		return
	}
	if root != nil {
		j.visitSpec(root, do)
	}
}

// visitSpec calls do with a file of a specification, and with those in it. It tells whether to go on.
func (j *job) visitSpec(s *spec, do func(*member) bool) bool {
	if j.ctx.Err() != nil {
		return false
	}
	m, ok := j.specified(s)
	if !ok || m != nil && j.selectedBy(m) && !do(m) {
		return false
	}
	for _, child := range s.children {
		if !j.visitSpec(child, do) {
			return false
		}
	}
	return true
}

// specified returns a file of a specification: what it is, and what the specification says instead. It is nil if it is optional;
// ok is false if it cannot be.
func (j *job) specified(s *spec) (m *member, ok bool) {
	path := s.path()
	m = &member{name: path, path: path, rel: path, dir: abi.AT_FDCWD}
	if len(path) > maxPath {
		j.fail(abi.ENAMETOOLONG, "line %d: %s", s.line, path)
		return nil, false
	}
	optional := s.has("optional")
	if err := j.sys.Lstat(path, &m.st); err != nil {
		if optional {
			return nil, true
		}
		if !j.makeUp(m, s) {
			return nil, false
		}
	} else {
		actual := m.st
		m.actual = &actual
		if typ := s.stat.Mode & abi.S_IFMT; s.has("type") && typ != m.typ() {
			j.failx("line %d: %s: type mismatch: specfile %s, tree %s", s.line, path, typeName(typ), typeName(m.typ()))
			return nil, false
		}
		if optional && m.isDir() {
			return nil, true
		}
	}
	return m, j.override(m, s)
}

// makeUp gives a file that does not exist the attributes that it must have.
func (j *job) makeUp(m *member, s *spec) bool {
	typ := s.stat.Mode & abi.S_IFMT
	device := typ == abi.S_IFCHR || typ == abi.S_IFBLK
	for _, need := range [...]struct {
		given bool
		what  string
	}{
		{s.has("type"), "type"}, {s.has("mode"), "mode"}, {s.has("gid", "gname"), "group"}, {s.has("uid", "uname"), "user"},
		{!device || s.has("device"), "device number"}, {typ != abi.S_IFLNK || s.has("link"), "symlink"},
	} {
		if !need.given {
			j.failx("line %d: %s: %s not specified", s.line, m.path, need.what)
			return false
		}
	}
	now := abi.Timespec{Sec: j.start.Unix()}
	m.st = abi.Stat{Mode: typ, Ino: uint64(s.line), Nlink: 1, Mtim: now, Atim: now, Ctim: now}
	return true
}

// override gives a file what the specification says.
func (j *job) override(m *member, s *spec) bool {
	if s.has("mode") {
		m.st.Mode = m.typ() | s.stat.Mode&0o7777
	}
	if s.has("gid", "gname") {
		m.st.Gid = s.stat.Gid
	}
	if s.has("uid", "uname") {
		m.st.Uid = s.stat.Uid
	}
	if s.has("time") {
		m.st.Mtim = s.stat.Mtim
	}
	if s.has("device") {
		m.st.Rdev = s.stat.Rdev
	}
	if !m.isRegular() {
		m.st.Size = 0
	}
	if m.isSymlink() {
		if m.link = s.link; !s.has("link") {
			return j.readLink(m)
		}
	}
	return true
}

// typeName is the name of a type in a specification.
func typeName(typ uint32) string {
	for name, t := range specTypes {
		if t == typ {
			return name
		}
	}
	return "unknown"
}
