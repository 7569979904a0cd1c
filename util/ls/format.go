package ls

import (
	"strconv"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// layout is how a list of files is set out.
type layout int

const (
	single layout = iota // one a line: -1
	down                 // columns, sorted down: -C
	across               // columns, sorted across: -x
	stream               // across the page, with commas: -m
	long                 // one a line with its attributes: -l, -g, -n
)

// row is a file as it is printed: each field without the spaces around it.
type row struct {
	entry        *fts.Entry
	inode        string // -i
	blocks       string // -s
	mode, links  string
	user, group  string
	flags        string // -o
	size         string
	major, minor string // of a device, printed in place of the size
	time         string
	name         string
	columns      int    // of the name
	mark         string // -F, -p
	target       string // of a symbolic link
}

// table is a list of files with the widths of its fields.
type table struct {
	rows  []row
	total string

	inode, blocks, links, user, group, flags, size, major, minor, name int
}

// display prints a list of files of a directory, or those of the command line if dir is nil.
func (l *lister) display(dir *fts.Entry, list []*fts.Entry) {
	if l.leaves {
		list = leavesOf(list)
	}
	if len(list) == 0 {
		return
	}
	t := l.tabulate(dir, list)
	var b []byte
	switch l.layout {
	case long:
		b = l.printLong(t)
	case down, across:
		b = l.printColumns(t)
	case stream:
		b = l.printStream(t)
	default:
		b = t.printSingle()
	}
	l.env.Stdout.Write(b)
	l.printed = true
}

// leavesOf returns what is not a directory.
func leavesOf(list []*fts.Entry) []*fts.Entry {
	var leaves []*fts.Entry
	for _, e := range list {
		if !e.IsDir() {
			leaves = append(leaves, e)
		}
	}
	return leaves
}

// leastHuman is the width of a size with a unit.
const leastHuman = 4

// tabulate makes the rows and measures them.
func (l *lister) tabulate(dir *fts.Entry, list []*fts.Entry) *table {
	t := &table{rows: make([]row, len(list))}
	var blocks, size int64
	for i, e := range list {
		r := &t.rows[i]
		r.entry = e
		l.nameFields(r, dir)
		if st := e.Stat; st != nil {
			blocks += st.Blocks
			size += st.Size
			l.statFields(r, st)
		}
		t.measure(r)
	}
	if l.human {
		t.size = max(t.size, leastHuman)
		if l.blocks {
			t.blocks = max(t.blocks, leastHuman)
		}
	}
	if t.major > 0 {
		t.size = max(t.size, t.major+2+t.minor)
		t.major = t.size - t.minor - 2
	}
	if dir != nil && (l.layout == long || l.blocks) {
		t.total = l.blockCount(blocks)
		if l.human {
			t.total = humanSize(size)
		}
	}
	return t
}

// measure makes the fields wide enough for a row.
func (t *table) measure(r *row) {
	for _, f := range []struct {
		width *int
		field string
	}{
		{&t.inode, r.inode}, {&t.blocks, r.blocks}, {&t.links, r.links}, {&t.user, r.user}, {&t.group, r.group},
		{&t.flags, r.flags}, {&t.size, r.size}, {&t.major, r.major}, {&t.minor, r.minor},
	} {
		*f.width = max(*f.width, len(f.field))
	}
	t.name = max(t.name, r.columns)
}

// nameFields sets what does not take attributes.
func (l *lister) nameFields(r *row, dir *fts.Entry) {
	name := r.entry.Rel
	if l.fullPath && dir != nil {
		name = r.entry.Path
	}
	r.name, r.columns = l.naming.printed(name, l.utf8)
	if l.markAll || l.markDirs && r.entry.IsDir() {
		r.mark = mark(r.entry)
	}
}

// marks are those of -F.
var marks = [16]string{
	abi.DT_DIR: "/", abi.DT_FIFO: "|", abi.DT_LNK: "@", abi.DT_SOCK: "=", abi.DT_WHT: "%",
}

func mark(e *fts.Entry) string {
	if m := marks[e.Type&0xf]; m != "" {
		return m
	}
	if e.Stat != nil && e.Stat.Mode&(abi.S_IXUSR|abi.S_IXGRP|abi.S_IXOTH) != 0 {
		return "*"
	}
	return ""
}

// statFields sets what takes attributes.
func (l *lister) statFields(r *row, st *abi.Stat) {
	if l.inodes {
		r.inode = strconv.FormatUint(st.Ino, 10)
	}
	if l.blocks {
		r.blocks = l.blockSize(st)
	}
	if l.layout == long {
		l.longFields(r, st)
	}
}

// blockSize is what -s says. With -h it is bytes: those of the blocks in the long format and those of the
// contents elsewhere.
func (l *lister) blockSize(st *abi.Stat) string {
	switch {
	case !l.human:
		return l.blockCount(st.Blocks)
	case l.layout == long:
		return humanSize(st.Blocks * abi.S_BLKSIZE)
	}
	return humanSize(st.Size)
}

// longFields sets the fields of the long format.
func (l *lister) longFields(r *row, st *abi.Stat) {
	r.mode = util.StrMode(st.Mode)
	r.links = strconv.FormatUint(uint64(st.Nlink), 10)
	r.user, r.group = l.owner(st)
	if l.fileFlags {
		r.flags = util.FileFlags(st.Flags, "-")
	}
	switch st.Mode & abi.S_IFMT {
	case abi.S_IFCHR, abi.S_IFBLK:
		r.major = strconv.FormatUint(uint64(util.Major(st.Rdev)), 10)
		r.minor = strconv.FormatUint(uint64(util.Minor(st.Rdev)), 10)
	case abi.S_IFLNK:
		r.target = l.readlink(r.entry)
	}
	r.size = l.number(st.Size)
	if l.human {
		r.size = humanSize(st.Size)
	}
	r.time = l.clock(l.when(st).Sec)
}

// owner returns the names of owner and group, or their numbers.
func (l *lister) owner(st *abi.Stat) (user, group string) {
	if l.numeric {
		return strconv.FormatUint(uint64(st.Uid), 10), strconv.FormatUint(uint64(st.Gid), 10)
	}
	return l.owners.UserName(st.Uid), l.owners.GroupName(st.Gid)
}

// readlink returns " -> " and where a symbolic link leads.
func (l *lister) readlink(e *fts.Entry) string {
	buf := make([]byte, abi.MAXPATHLEN)
	n, err := l.env.Proc.Sys().Readlinkat(l.cursor.FD(), e.Rel, buf)
	if err != nil {
		l.fail(e.Path, err)
		return ""
	}
	text, _ := l.naming.printed(string(buf[:n]), l.utf8)
	return " -> " + text
}

// humanSize is a number of bytes with a unit, in four columns: -h.
func humanSize(n int64) string {
	s, ok := util.Humanize{Decimal: true, Bytes: true, NoSpace: true}.Format(n, 5)
	if !ok {
		return strconv.FormatInt(n, 10)
	}
	return s
}

// number is a number, with commas for -M.
func (c *config) number(n int64) string {
	s := strconv.FormatInt(n, 10)
	if !c.commas {
		return s
	}
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// blockCount is a count of blocks of 512 bytes in the units of BLOCKSIZE, rounded up.
func (c *config) blockCount(blocks int64) string {
	unit := max(c.blockUnit/abi.S_BLKSIZE, 1)
	return c.number((blocks + unit - 1) / unit)
}

// halfYear is how long ago, or how far ahead, a time is printed with its hour.
const halfYear = 365 / 2 * 24 * 60 * 60

// clock is a time as the long format has it.
func (c *config) clock(sec int64) string {
	t := time.Unix(sec, 0).In(c.zone)
	switch {
	case c.fullTime:
		return t.Format("Jan _2 15:04:05 2006")
	case sec+halfYear > c.now && sec-halfYear < c.now:
		return t.Format("Jan _2 15:04")
	}
	return t.Format("Jan _2  2006")
}
