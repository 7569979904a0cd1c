package stat

import (
	"path"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// value is what there is to print of a file.
type value struct {
	number      int64
	nanoseconds int64
	text        string
	lead        string // before the text
}

// datum is something of a file that a format can ask for.
type datum struct {
	forms string // those that it has, the usual one first
	subs  string // parts that it has
	value func(p *printer, f *file, c *conversion) value
}

const (
	integers = "UDOX"
	octals   = "OUDXS"
	times    = "DOUXFS"
	texts    = "S"
)

// data has each datum by its letter.
var data = [256]*datum{
	'd': {integers + "S", "HL", func(p *printer, f *file, c *conversion) value { return p.device(f.st.Dev, abi.S_IFBLK, c) }},
	'r': {integers + "S", "HL", func(p *printer, f *file, c *conversion) value {
		return p.device(f.st.Rdev, f.st.Mode&abi.S_IFMT, c)
	}},
	'i': {integers, "", number(func(st *abi.Stat) int64 { return int64(st.Ino) })},
	'l': {integers, "", number(func(st *abi.Stat) int64 { return int64(st.Nlink) })},
	'b': {integers, "", number(func(st *abi.Stat) int64 { return st.Blocks })},
	'k': {integers, "", number(func(st *abi.Stat) int64 { return int64(st.Blksize) })},
	'f': {integers, "", number(func(st *abi.Stat) int64 { return int64(st.Flags) })},
	'v': {integers, "", number(func(st *abi.Stat) int64 { return int64(st.Gen) })},
	'z': {integers, "HML", size},
	'p': {octals, "HML", mode},
	'u': {integers + "S", "", func(p *printer, f *file, _ *conversion) value { return owner(f.st.Uid, p.names.UserName) }},
	'g': {integers + "S", "", func(p *printer, f *file, _ *conversion) value { return owner(f.st.Gid, p.names.GroupName) }},
	'a': {times, "", moment(func(st *abi.Stat) abi.Timespec { return st.Atim })},
	'm': {times, "", moment(func(st *abi.Stat) abi.Timespec { return st.Mtim })},
	'c': {times, "", moment(func(st *abi.Stat) abi.Timespec { return st.Ctim })},
	'B': {times, "", moment(func(st *abi.Stat) abi.Timespec { return st.Birthtim })},
	'N': {texts, "HL", name},
	'T': {texts, "HL", fileType},
	'R': {texts, "", (*printer).realPath},
	'Y': {texts, "", (*printer).target},
}

func number(get func(st *abi.Stat) int64) func(*printer, *file, *conversion) value {
	return func(_ *printer, f *file, _ *conversion) value { return value{number: get(&f.st)} }
}

// moment is a time: %a, %m, %c, %B.
func moment(get func(st *abi.Stat) abi.Timespec) func(*printer, *file, *conversion) value {
	return func(p *printer, f *file, c *conversion) value {
		ts := get(&f.st)
		v := value{number: ts.Sec, nanoseconds: int64(ts.Nsec)}
		if c.form == 'S' {
			v.text = util.Strftime(p.timeFormat, time.Unix(ts.Sec, 0).In(p.env.Location()))
		}
		return v
	}
}

// size is the size in bytes or, rounded, in larger units: %z.
func size(_ *printer, f *file, c *conversion) value {
	n := f.st.Size
	shift := map[byte]uint{'H': 30, 'M': 20, 'L': 10}[c.sub]
	if shift > 0 {
		n = (n>>(shift-1) + 1) >> 1
	}
	return value{number: n}
}

// mode is the type and the permissions: %p.
func mode(_ *printer, f *file, c *conversion) value {
	n, text := int64(f.st.Mode), strings.TrimSpace(util.StrMode(f.st.Mode))
	switch c.sub {
	case 'H':
		n, text = n>>12, text[1:4]
	case 'M':
		n, text = n>>9&7, text[4:7]
	case 'L':
		n, text = n&0o777, text[7:10]
	}
	return value{number: n, text: text}
}

// owner is a user or group; a number is in parentheses where a name should be: %u, %g.
func owner(id uint32, name func(uint32) string) value {
	v := value{number: int64(id), text: name(id)}
	if strings.Trim(v.text, "0123456789") == "" {
		v.text = "(" + v.text + ")"
	}
	return v
}

// name is the file's name: %N.
func name(_ *printer, f *file, c *conversion) value {
	switch {
	case f.stdin || c.sub == 0:
		return value{text: f.name}
	case c.sub == 'H':
		trimmed := strings.TrimRight(f.name, "/")
		dir := trimmed[:strings.LastIndexByte(trimmed, '/')+1]
		switch short := strings.TrimRight(dir, "/"); {
		case short != "":
			return value{text: short}
		case strings.HasPrefix(f.name, "/"):
			return value{text: "/"}
		}
		return value{text: "."}
	}
	return value{text: path.Base(f.name)}
}

// types has a mark and a description for each type of file.
var types = map[uint32][2]string{
	abi.S_IFIFO:  {"|", "Fifo File"},
	abi.S_IFCHR:  {"", "Character Device"},
	abi.S_IFDIR:  {"/", "Directory"},
	abi.S_IFBLK:  {"", "Block Device"},
	abi.S_IFREG:  {"", "Regular File"},
	abi.S_IFLNK:  {"@", "Symbolic Link"},
	abi.S_IFSOCK: {"=", "Socket"},
	abi.S_IFWHT:  {"%", "Whiteout File"},
}

// fileType is the type, as ls -F marks it or in words: %T.
func fileType(_ *printer, f *file, c *conversion) value {
	typ := f.st.Mode & abi.S_IFMT
	t, known := types[typ]
	switch {
	case c.sub == 'H' && !known:
		return value{text: "???"}
	case c.sub == 'H':
		return value{text: t[1]}
	case typ == abi.S_IFREG && f.st.Mode&0o111 != 0:
		return value{text: "*"}
	}
	return value{text: t[0]}
}

// arrow stands before the target of a link if a text is asked for in so many words.
const arrow = " -> "

// realPath is the absolute path: %R.
func (p *printer) realPath(f *file, c *conversion) value {
	if f.stdin {
		return value{text: f.name}
	}
	real, err := util.RealPath(p.sys, f.name)
	if err != nil {
		return p.failed(err, "realpath", f)
	}
	return p.led(real, c)
}

// target is what a symbolic link leads to: %Y.
func (p *printer) target(f *file, c *conversion) value {
	if f.st.Mode&abi.S_IFMT != abi.S_IFLNK {
		p.linkFailed = true
		return value{}
	}
	b := make([]byte, abi.MAXPATHLEN)
	n, err := p.sys.Readlink(f.name, b)
	if err != nil {
		return p.failed(err, "readlink", f)
	}
	return p.led(string(b[:n]), c)
}

func (p *printer) led(text string, c *conversion) value {
	if c.explicit {
		return value{text: text, lead: arrow}
	}
	return value{text: text}
}

func (p *printer) failed(err error, what string, f *file) value {
	p.linkFailed = true
	if !p.quiet {
		p.env.Warn(err, "%s `%s'", what, f.name)
	}
	return value{}
}
