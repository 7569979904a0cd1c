package find

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// attributePrimaries are the primaries that look at attributes other than times.
func attributePrimaries() map[string]primary {
	const moreOrLess = "; with + or - more or less."
	return map[string]primary{
		"-empty": {doc: "It is an empty file or directory.", stat: true, make: (*parser).empty},
		"-flags": {arg: "[-]flags", doc: "The file flags are these, or \"none\"; with - they have these among them.", stat: true,
			make: (*parser).flags},
		"-fstype": {arg: "type", doc: "The file system has this type, or is \"local\" or \"rdonly\".", stat: true,
			make: (*parser).fileSystem},
		"-group": {arg: "gname", doc: "The group is this.", stat: true,
			make: owned("group", (*passwd.DB).GID, func(st *abi.Stat) int64 { return int64(st.Gid) })},
		"-inum": {arg: "n", doc: "The inode number is n" + moreOrLess, stat: true,
			make: numbered(func(st *abi.Stat) int64 { return int64(st.Ino) })},
		"-links": {arg: "n", doc: "It has n links" + moreOrLess, stat: true,
			make: numbered(func(st *abi.Stat) int64 { return int64(st.Nlink) })},
		"-nogroup": {doc: "The group has no name.", stat: true,
			make: unowned((*passwd.DB).HasGroup, func(st *abi.Stat) uint32 { return st.Gid })},
		"-nouser": {doc: "The owner has no name.", stat: true,
			make: unowned((*passwd.DB).HasUser, func(st *abi.Stat) uint32 { return st.Uid })},
		"-perm": {arg: "[-]mode", doc: "The permissions are these; with - they have these among them.", stat: true,
			make: (*parser).permissions},
		"-size": {arg: "n[c]", doc: "The size is n blocks of 512 bytes, or bytes" + moreOrLess, stat: true, make: (*parser).size},
		"-user": {arg: "uname", doc: "The owner is this.", stat: true,
			make: owned("user", (*passwd.DB).UID, func(st *abi.Stat) int64 { return int64(st.Uid) })},
	}
}

// number is the argument n, +n or -n of a primary.
type number struct {
	sign int // of what the value is compared to n
	n    int64
}

func (n number) is(value int64) bool { return cmp.Compare(value, n.n) == n.sign }

// number reads a number, which may end in suffix.
func (p *parser) number(arg, suffix string) (n number, suffixed bool, err error) {
	digits := arg
	switch {
	case strings.HasPrefix(arg, "+"):
		n.sign, digits = 1, arg[1:]
	case strings.HasPrefix(arg, "-"):
		n.sign, digits = -1, arg[1:]
	}
	end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
	rest := ""
	if end >= 0 {
		digits, rest = digits[:end], digits[end:]
	}
	if digits == "" {
		return n, false, util.Messagef("%s: %s: illegal numeric value", p.name, arg)
	}
	if rest != "" && rest != suffix {
		return n, false, util.Messagef("%s: %s: illegal trailing character", p.name, arg)
	}
	if n.n, err = strconv.ParseInt(digits, 10, 64); err != nil {
		return n, false, util.Messagef("%s: %s: illegal numeric value", p.name, arg)
	}
	return n, rest != "", nil
}

// numbered makes the tests of a number.
func numbered(get func(*abi.Stat) int64) func(*parser, string) (test, error) {
	return func(p *parser, arg string) (test, error) {
		n, _, err := p.number(arg, "")
		return func(e *fts.Entry) bool { return n.is(get(e.Stat)) }, err
	}
}

// sizeUnit is the unit of -size.
const sizeUnit = 512

func (p *parser) size(arg string) (test, error) {
	n, bytes, err := p.number(arg, "c")
	return func(e *fts.Entry) bool {
		if bytes {
			return n.is(e.Stat.Size)
		}
		return n.is((e.Stat.Size + sizeUnit - 1) / sizeUnit)
	}, err
}

// owned makes the tests of an owner: by name or, if nobody has that, by number.
func owned(what string, id func(*passwd.DB, string) (uint32, bool), get func(*abi.Stat) int64) func(*parser, string) (test, error) {
	return func(p *parser, arg string) (test, error) {
		var n number
		if v, ok := id(p.owners, arg); ok {
			n.n = int64(v)
		} else if arg == "" || strings.IndexByte("+-0123456789", arg[0]) < 0 {
			return nil, util.Messagef("%s: %s: no such %s", p.name, arg, what)
		} else {
			var err error
			if n, _, err = p.number(arg, ""); err != nil {
				return nil, err
			}
		}
		return func(e *fts.Entry) bool { return n.is(get(e.Stat)) }, nil
	}
}

// unowned makes the tests of an owner without a name.
func unowned(known func(*passwd.DB, uint32) bool, get func(*abi.Stat) uint32) func(*parser, string) (test, error) {
	return func(p *parser, _ string) (test, error) {
		return func(e *fts.Entry) bool { return !known(p.owners, get(e.Stat)) }, nil
	}
}

func (p *parser) flags(arg string) (test, error) {
	list, least := strings.CutPrefix(arg, "-")
	flags, _, ok := util.ParseFileFlags(list)
	if list != "none" && !ok {
		return nil, util.Messagef("-flags: %s: illegal flags string", list)
	}
	return func(e *fts.Entry) bool {
		if least {
			return e.Stat.Flags&flags == flags
		}
		return e.Stat.Flags == flags
	}, nil
}

// permissionBits are those that -perm compares.
const permissionBits = 0o7777

func (p *parser) permissions(arg string) (test, error) {
	text, least := strings.CutPrefix(arg, "-")
	m, ok := util.SetMode(text, 0)
	if !ok {
		return nil, util.Messagef("-perm: Cannot set file mode `%s': %s", text, abi.EINVAL)
	}
	want := m.Apply(0) & permissionBits
	return func(e *fts.Entry) bool {
		mode := e.Stat.Mode & permissionBits
		if least {
			return mode&want == want
		}
		return mode == want
	}, nil
}

// empty tells of a directory whether there is anything in it. One that cannot be read is not empty.
func (p *parser) empty(string) (test, error) {
	return func(e *fts.Entry) bool {
		if e.Type != abi.DT_DIR {
			return e.Type == abi.DT_REG && e.Stat.Size == 0
		}
		const flags = abi.O_RDONLY | abi.O_DIRECTORY | abi.O_CLOEXEC
		fd, err := p.sys.Openat(p.cursor.FD(), e.Rel, flags, 0)
		if err != nil {
			return false
		}
		defer p.sys.Close(fd)
		return emptyDirectory(p.sys, fd)
	}, nil
}

// entriesSize is the size of a buffer for directory entries.
const entriesSize = 4 << 10

func emptyDirectory(sys *client.Sys, fd int) bool {
	buf := make([]byte, entriesSize)
	for {
		n, err := sys.Getdents(fd, buf)
		if err != nil || n == 0 {
			return err == nil
		}
		for d, err := range client.Dirents(buf[:n]) {
			if name := string(d.Name); err != nil || name != "." && name != ".." && d.Type != abi.DT_WHT {
				return false
			}
		}
	}
}

// volume is a file system.
type volume struct {
	typ   string
	flags uint64
}

// volumeTypes are the types of -fstype that are flags.
var volumeTypes = map[string]uint64{"local": abi.MNT_LOCAL, "rdonly": abi.MNT_RDONLY}

func (p *parser) fileSystem(arg string) (test, error) {
	return func(e *fts.Entry) bool {
		v, ok := p.volumes[e.Stat.Dev]
		if !ok {
			var err error
			if v, err = p.volume(e); err != nil {
				p.status = p.env.Err(err, "%s", e.Path)
			}
			p.volumes[e.Stat.Dev] = v
		}
		if flag := volumeTypes[arg]; flag != 0 {
			return v.flags&flag != 0
		}
		return v.typ == arg
	}, nil
}

// volume asks for the file system of a file: for that of the directory that it is in unless it may be another.
func (f *finder) volume(e *fts.Entry) (volume, error) {
	var st abi.Statvfs
	var err error
	switch {
	case e.IsDir() || e.Level == 0 && e.Type != abi.DT_LNK:
		err = f.sys.Statvfs(e.Path, &st, abi.ST_NOWAIT)
	case e.Level == 0:
		err = f.sys.Statvfs(directoryOf(e), &st, abi.ST_NOWAIT)
	default:
		err = f.sys.Fstatvfs(f.cursor.FD(), &st, abi.ST_NOWAIT)
	}
	typ, _, _ := strings.Cut(string(st.Fstypename[:]), "\x00")
	return volume{typ, uint64(st.Flag)}, err
}

// directoryOf returns the directory that an argument is in, by its path.
func directoryOf(e *fts.Entry) string {
	path := strings.TrimRight(e.Path, "/")
	i := strings.LastIndexByte(path, '/')
	switch {
	case path == "":
		return "/"
	case i < 0:
		return "."
	case i == 0:
		return "/"
	}
	return path[:i]
}
