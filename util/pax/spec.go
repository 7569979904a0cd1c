package pax

import (
	"bufio"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mknod"
)

// Limits of a specification.
const (
	maxSpecLine    = 64 << 10
	maxSpecEntries = 1 << 20
)

// spec is a file of a specification of mtree(8), with those in it if it is a directory.
type spec struct {
	name     string
	line     int
	parent   *spec
	children []*spec
	byName   map[string]*spec

	keywords map[string]string // that were given, and set for all; others than those of specKeywords are left out
	stat     abi.Stat          // what they say
	link     string
}

// has tells whether one of the keywords was given.
func (s *spec) has(keywords ...string) bool {
	for _, k := range keywords {
		if _, ok := s.keywords[k]; ok {
			return true
		}
	}
	return false
}

// path is the path from the root of the specification, which is ".".
func (s *spec) path() string {
	if s.parent == nil {
		return s.name
	}
	return s.parent.path() + "/" + s.name
}

// specTypes are the values of the keyword type.
var specTypes = map[string]uint32{
	"block": abi.S_IFBLK, "char": abi.S_IFCHR, "dir": abi.S_IFDIR, "fifo": abi.S_IFIFO, "file": abi.S_IFREG, "link": abi.S_IFLNK,
	"socket": abi.S_IFSOCK,
}

// specKeywords are the keywords that -M uses, and how a value is understood: whether it is one.
var specKeywords = map[string]func(*specParser, *spec, string) bool{
	"device":   func(_ *specParser, s *spec, v string) bool { return s.setDevice(v) },
	"gid":      func(_ *specParser, s *spec, v string) bool { return parseID(v, &s.stat.Gid) },
	"gname":    func(p *specParser, s *spec, v string) bool { return find(p.users.GID, v, &s.stat.Gid) },
	"link":     func(_ *specParser, s *spec, v string) (ok bool) { s.link, ok = unvis(v); return ok && v != "" },
	"mode":     func(_ *specParser, s *spec, v string) bool { return s.setMode(v) },
	"optional": func(_ *specParser, _ *spec, v string) bool { return v == "" },
	"time":     func(_ *specParser, s *spec, v string) bool { return s.setTime(v) },
	"type":     func(_ *specParser, s *spec, v string) bool { return s.setType(v) },
	"uid":      func(_ *specParser, s *spec, v string) bool { return parseID(v, &s.stat.Uid) },
	"uname":    func(p *specParser, s *spec, v string) bool { return find(p.users.UID, v, &s.stat.Uid) },
}

// otherKeywords are those of mtree(8) that say nothing about what is written.
const otherKeywords = " all cksum flags ignore md5 md5digest nlink nochange ripemd160digest rmd160 rmd160digest sha1 sha1digest sha256 " +
	"sha256digest sha384 sha384digest sha512 sha512digest size tags "

func parseID(v string, id *uint32) bool {
	n, err := strconv.ParseUint(v, 10, 32)
	*id = uint32(n)
	return err == nil
}

func find(named func(string) (uint32, bool), v string, id *uint32) (ok bool) {
	*id, ok = named(v)
	return ok
}

func (s *spec) setType(v string) bool {
	typ, ok := specTypes[v]
	s.stat.Mode = s.stat.Mode&^abi.S_IFMT | typ
	return ok
}

func (s *spec) setMode(v string) bool {
	m, ok := util.SetMode(v, 0)
	if ok {
		s.stat.Mode = s.stat.Mode&abi.S_IFMT | m.Apply(0)&0o7777
	}
	return ok
}

func (s *spec) setTime(v string) bool {
	sec, nsec, _ := strings.Cut(v, ".")
	t, err := strconv.ParseInt(sec, 10, 64)
	n := uint64(0)
	if nsec != "" && err == nil {
		n, err = strconv.ParseUint(nsec, 10, 32)
	}
	s.stat.Mtim = abi.Timespec{Sec: t, Nsec: int64(n)}
	return err == nil && n < 1e9
}

func (s *spec) setDevice(v string) (ok bool) {
	format, numbers, packed := strings.Cut(v, ",")
	if !packed {
		n, err := strconv.ParseUint(v, 0, 64)
		s.stat.Rdev = n
		return err == nil
	}
	var fields []uint64
	for text := range strings.SplitSeq(numbers, ",") {
		n, err := strconv.ParseUint(text, 0, 32)
		if err != nil {
			return false
		}
		fields = append(fields, n)
	}
	var err error
	s.stat.Rdev, err = mknod.Device(format, fields)
	return err == nil
}

// unvis undoes what strsvis(3) does to names in the style of C.
func unvis(s string) (string, bool) {
	var b strings.Builder
	for len(s) > 0 {
		if s[0] != '\\' {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		if len(s) < 2 {
			return "", false
		}
		if i := strings.IndexByte(`abfnrtvs0\#`, s[1]); i >= 0 && !isOctal(s) {
			b.WriteByte("\a\b\f\n\r\t\v \x00\\#"[i])
			s = s[2:]
			continue
		}
		if !isOctal(s) {
			return "", false
		}
		n, _ := strconv.ParseUint(s[1:4], 8, 8) // which isOctal has looked at
		b.WriteByte(byte(n))
		s = s[4:]
	}
	return b.String(), strings.IndexByte(b.String(), 0) < 0
}

// isOctal tells whether a text begins with a backslash and the digits of a byte.
func isOctal(s string) bool {
	return len(s) >= 4 && s[1] <= '3' && strings.Trim(s[1:4], "01234567") == ""
}

// specParser parses a specification of mtree(8).
type specParser struct {
	users  owners
	set    map[string]string // /set
	root   *spec
	at     *spec // the directory of relative names; nil above the root
	line   int
	number int
}

// parseSpec parses a specification of mtree(8). Errors are messages. It is nil if there is nothing in it.
func parseSpec(r io.Reader, users owners) (*spec, error) {
	p := &specParser{users: users, set: map[string]string{}}
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxSpecLine)
	long := ""
	for in.Scan() {
		p.line++
		text, more := strings.CutSuffix(in.Text(), `\`)
		if long += text; len(long) > maxSpecLine {
			return nil, p.errorf("line too long")
		}
		if more {
			continue
		}
		if err := p.parseLine(strings.Fields(long)); err != nil {
			return nil, err
		}
		long = ""
	}
	if err := in.Err(); err != nil || long != "" {
		return nil, p.errorf("the specification is cut off")
	}
	return p.root, nil
}

func (p *specParser) errorf(format string, args ...any) error {
	return util.Messagef("line %d: "+format, append([]any{p.line}, args...)...)
}

// parseLine takes the words of a line.
func (p *specParser) parseLine(words []string) error {
	switch {
	case len(words) == 0 || words[0][0] == '#':
		return nil
	case words[0] == "/set":
		return p.pairs(words[1:], p.set)
	case words[0] == "/unset":
		for _, k := range words[1:] {
			if k == "all" {
				clear(p.set)
			}
			delete(p.set, k)
		}
		return nil
	case words[0] == "..":
		if len(words) > 1 || p.at == nil {
			return p.errorf("unexpected `..'")
		}
		p.at = p.at.parent
		return nil
	}
	return p.entry(words)
}

// pairs puts keywords with their values into a map, as far as they are of use.
func (p *specParser) pairs(words []string, into map[string]string) error {
	for _, word := range words {
		k, v, given := strings.Cut(word, "=")
		_, used := specKeywords[k]
		switch {
		case !used && !strings.Contains(otherKeywords, " "+k+" "):
			return p.errorf("unknown keyword `%s'", k)
		case k != "optional" && k != "ignore" && k != "nochange" && !given:
			return p.errorf("keyword `%s' has no value", k)
		case used:
			into[k] = v
		}
	}
	return nil
}

// entry takes a file.
func (p *specParser) entry(words []string) error {
	name, ok := unvis(words[0])
	if !ok || len(name) > maxPath {
		return p.errorf("bad name `%s'", words[0])
	}
	s, err := p.place(name)
	if err != nil {
		return err
	}
	old := s.stat.Mode & abi.S_IFMT
	s.line = p.line
	s.keywords = maps.Clone(p.set)
	if err := p.pairs(words[1:], s.keywords); err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(s.keywords)) {
		v := s.keywords[k]
		if !specKeywords[k](p, s, v) {
			return p.errorf("bad value `%s' of keyword `%s'", v, k)
		}
	}
	if typ := s.stat.Mode & abi.S_IFMT; old != 0 && typ != old {
		return p.errorf("%s: another type than before", name)
	}
	if p.root == nil {
		if p.root = s; name != "." || s.keywords["type"] != "dir" {
			return util.Messagef("First node of specfile is not `.' directory")
		}
	}
	if s.keywords["type"] == "dir" {
		p.at = s
	}
	return nil
}

// place returns the file of a name, made anew if it has not come before.
func (p *specParser) place(name string) (*spec, error) {
	dir := p.at
	switch {
	case p.root == nil:
		return &spec{name: name}, nil
	case name == ".":
		return p.root, nil
	case strings.Contains(name, "/"):
		parts := strings.Split(strings.TrimPrefix(name, "./"), "/")
		dir = p.root
		for _, part := range parts[:len(parts)-1] {
			if dir = dir.byName[part]; dir == nil {
				return nil, p.errorf("%s: the directory is missing", name)
			}
		}
		p.at, name = dir, parts[len(parts)-1]
	}
	if dir == nil || name == "" || name == ".." {
		return nil, p.errorf("bad name `%s'", name)
	}
	if s := dir.byName[name]; s != nil {
		return s, nil
	}
	if p.number++; p.number > maxSpecEntries {
		return nil, p.errorf("too many files")
	}
	s := &spec{name: name, parent: dir}
	if dir.byName == nil {
		dir.byName = map[string]*spec{}
	}
	dir.byName[name] = s
	dir.children = append(dir.children, s)
	return s, nil
}
