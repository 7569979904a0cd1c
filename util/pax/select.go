package pax

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	glob "mvdan.cc/sh/v3/pattern"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// verdict is what the patterns and other options say of a member.
type verdict int

const (
	selected verdict = iota
	skipped
	finished // no more members can be selected
)

// pattern is an operand that selects members.
type pattern struct {
	text    string
	re      *regexp.Regexp // nil if it is malformed and stands for itself
	matched bool
	tree    string // with -n, the directory that it matched
}

func newPattern(text string) *pattern {
	p := &pattern{text: text}
	if expr, err := glob.Regexp(text, glob.EntireString); err == nil {
		p.re, _ = regexp.Compile(expr) // nil then
	}
	return p
}

// matches tells whether a pattern matches a name or, unless only is set, a directory above it.
func (p *pattern) matches(name string, only bool) bool {
	for end := len(name); ; {
		if part := name[:end]; part == p.text || p.re != nil && p.re.MatchString(part) {
			return true
		}
		if end = strings.LastIndexByte(name[:end], '/'); end <= 0 || only {
			return false
		}
	}
}

// match judges a member of an archive by the patterns and other options.
func (j *job) match(m *member) verdict {
	if len(j.wanted) > 0 {
		p := j.find(m)
		if j.inverse && p != nil {
			p.matched = true
		}
		if (p == nil) != j.inverse {
			if j.first && !j.inverse && j.satisfied() {
				return finished
			}
			return skipped
		}
		m.chose = p
	}
	if !j.selectedBy(m) {
		return skipped
	}
	if p := m.chose; p != nil && !p.matched {
		p.matched = true
		if m.isDir() && !j.onlyDir {
			p.tree = m.name
		}
	}
	return selected
}

// find returns the pattern that matches a member, or nil.
func (j *job) find(m *member) *pattern {
	for _, p := range j.wanted {
		if j.first && p.matched {
			if p.tree != "" && strings.HasPrefix(m.name, p.tree+"/") {
				return p
			}
			continue
		}
		if p.matches(m.name, j.onlyDir) {
			return p
		}
	}
	return nil
}

// satisfied tells whether with -n no pattern can match any more.
func (j *job) satisfied() bool {
	for _, p := range j.wanted {
		if !p.matched || p.tree != "" {
			return false
		}
	}
	return true
}

// unmatched complains about patterns that have selected nothing.
func (j *job) unmatched() {
	said := false
	for _, p := range j.wanted {
		if p.matched {
			continue
		}
		if !said {
			j.failx("WARNING! These patterns were not matched:")
		}
		said = true
		fmt.Fprintln(j.env.Stderr, p.text)
	}
}

// selectable checks the users and groups of -U and -G.
func (j *job) selectable() error {
	for _, name := range j.users {
		if _, ok := j.system.ParseUID(strings.TrimPrefix(name, `\`)); !ok {
			return util.Messagef("Unable to find uid for user: %s", name)
		}
	}
	for _, name := range j.groups {
		if _, ok := j.system.ParseGID(strings.TrimPrefix(name, `\`)); !ok {
			return util.Messagef("Unable to find gid for group: %s", name)
		}
	}
	return nil
}

// isExcluded tells whether a pattern of tar -X matches a name, the end of one, or a directory above.
func (j *job) isExcluded(name string) bool {
	for _, p := range j.excluded {
		for rest, more := name, true; more; _, rest, more = strings.Cut(rest, "/") {
			if p.matches(rest, false) {
				return true
			}
		}
	}
	return false
}

// selectedBy tells whether -U, -G and -T let a file through, and tar -X.
func (j *job) selectedBy(m *member) bool {
	return !j.isExcluded(m.name) && anyOf(j.users, m.st.Uid, j.system.ParseUID) && anyOf(j.groups, m.st.Gid, j.system.ParseGID) && j.inTime(&m.st)
}

// anyOf tells whether one of the names is that of id, or there are none.
func anyOf(names []string, id uint32, find func(string) (uint32, bool)) bool {
	for _, name := range names {
		if n, ok := find(strings.TrimPrefix(name, `\`)); ok && n == id {
			return true
		}
	}
	return len(names) == 0
}

// inTime tells whether the times of a file are in one of the ranges, or there are none.
func (j *job) inTime(st *abi.Stat) bool {
	for _, t := range j.times {
		if (!t.modified || t.has(st.Mtim)) && (!t.changed || t.has(st.Ctim)) {
			return true
		}
	}
	return len(j.times) == 0
}

// timeRange is a -T, in seconds, inclusive. A bound that is not set is 0.
type timeRange struct {
	from, to          int64
	modified, changed bool // which times are compared
}

func (t timeRange) has(ts abi.Timespec) bool {
	return (t.from == 0 || ts.Sec >= t.from) && (t.to == 0 || ts.Sec <= t.to)
}

// parseTimes parses a -T: "[from][,to][/[c][m]]".
func parseTimes(s string, now time.Time) (t timeRange, err error) {
	text, which, more := strings.Cut(s, "/")
	t.modified = !more || which == "" || strings.Contains(which, "m")
	t.changed = strings.Contains(which, "c")
	from, to, _ := strings.Cut(text, ",")
	if strings.Trim(which, "cm") != "" || text == "" {
		return t, util.Messagef("Bad option after -T: %s", s)
	}
	for _, bound := range [...]struct {
		text string
		sec  *int64
	}{{from, &t.from}, {to, &t.to}} {
		if bound.text == "" {
			continue
		}
		at, ok := parseTime(bound.text, now)
		if !ok {
			return t, util.Messagef("Illegal time range specification: %s", s)
		}
		*bound.sec = at.Unix()
	}
	if t.from != 0 && t.to != 0 && t.from > t.to {
		return t, util.Messagef("Upper %s and lower %s time overlap", to, from)
	}
	return t, nil
}

// parseTime parses "[[[[[cc]yy]mm]dd]hh]mm[.ss]". What is not there is as it is now.
func parseTime(s string, now time.Time) (time.Time, bool) {
	text, seconds, dot := strings.Cut(s, ".")
	if len(text) < 2 || len(text) > 12 || len(text)%2 != 0 || dot && len(seconds) != 2 || strings.Trim(text+seconds, "0123456789") != "" {
		return now, false
	}
	two := func(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }
	fields := [...]int{now.Minute(), now.Hour(), now.Day(), int(now.Month()), now.Year() % 100, now.Year() / 100}
	n := len(text) / 2
	for i := range n {
		fields[i] = two(text[len(text)-2*i-2:])
	}
	if n == 5 {
		fields[5] = 20
		if fields[4] >= 69 {
			fields[5] = 19
		}
	}
	sec := 0
	if dot {
		sec = two(seconds)
	}
	if fields[0] > 59 || fields[1] > 23 || fields[2] < 1 || fields[2] > 31 || fields[3] < 1 || fields[3] > 12 || sec > 61 {
		return now, false
	}
	return time.Date(fields[5]*100+fields[4], time.Month(fields[3]), fields[2], fields[1], fields[0], sec, 0, now.Location()), true
}
