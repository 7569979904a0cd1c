package fts

import (
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// Info is what is known of an entry, and which visit of a directory it is.
type Info uint8

const (
	File       Info = iota // not a directory: a file, a device, a symbolic link that was not followed ...
	Dir                    // a directory, before what is in it
	DirAfter               // a directory, after what is in it
	Unreadable             // a directory that cannot be entered or read: Err; in place of DirAfter
	Cycle                  // a directory that is also above itself, which only links make possible
	Missing                // attributes cannot be had: Err
)

// Entry is a file in the tree.
type Entry struct {
	Path   string    // as a message names it: the argument and what is below it
	Rel    string    // the path from the cursor: the argument, or the last name of Path
	Level  int       // 0 for an argument
	Parent *Entry    // nil for an argument
	Info   Info      //
	Type   uint8     // abi.DT_*; DT_UNKNOWN only if attributes cannot be had
	Fileno uint64    // the inode number by the directory; 0 for an argument
	Stat   *abi.Stat // nil if it was not asked for or cannot be had
	Err    error     // for Missing, Unreadable and Cycle

	followed bool // it may be a symbolic link, and Stat and Type those of what that leads to
	skip     bool
}

// Skip leaves out what is in a directory. It is for the visit before.
func (e *Entry) Skip() { e.skip = true }

// Name returns the last name of the path, as basename(3) does for an argument.
func (e *Entry) Name() string {
	if e.Level > 0 {
		return e.Rel
	}
	name := strings.TrimRight(e.Rel, "/")
	if name == "" {
		return e.Rel
	}
	return name[strings.LastIndexByte(name, '/')+1:]
}

// IsDir tells whether it is a directory, at whatever visit.
func (e *Entry) IsDir() bool { return e.Type == abi.DT_DIR }

// childPath is the path of a name in the directory.
func (e *Entry) childPath(name string) string {
	if strings.HasSuffix(e.Path, "/") {
		return e.Path + name
	}
	return e.Path + "/" + name
}

// inCycle tells whether the directory is one of those above it.
func (e *Entry) inCycle() bool {
	for up := e.Parent; up != nil && e.Stat != nil; up = up.Parent {
		if up.Stat != nil && up.Stat.Dev == e.Stat.Dev && up.Stat.Ino == e.Stat.Ino {
			return true
		}
	}
	return false
}

// typeOf is the DT_* value of a mode.
func typeOf(mode uint32) uint8 { return uint8(mode & abi.S_IFMT >> 12) }

// load gets the attributes by a path from descriptor fd.
func (e *Entry) load(sys *client.Sys, fd int, follow bool) {
	var st abi.Stat
	err := sys.Fstatat(fd, e.Rel, &st, statFlags(follow))
	e.loaded(sys, fd, follow, &st, err)
}

// statFlags are the flags of fstatat(2).
func statFlags(follow bool) int {
	if follow {
		return 0
	}
	return abi.AT_SYMLINK_NOFOLLOW
}

// loaded takes the attributes that there are by now.
func (e *Entry) loaded(sys *client.Sys, fd int, follow bool, st *abi.Stat, err error) {
	if err != nil && follow { // a link that leads nowhere is shown itself
		follow = false
		if sys.Fstatat(fd, e.Rel, st, abi.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&abi.S_IFMT == abi.S_IFLNK {
			err = nil
		}
	}
	if err != nil {
		e.Info, e.Type, e.Stat, e.Err = Missing, abi.DT_UNKNOWN, nil, err
		return
	}
	e.followed = follow && (e.Type == abi.DT_LNK || e.Type == abi.DT_UNKNOWN)
	e.Stat, e.Type = st, typeOf(st.Mode)
	e.classify()
}

// classify sets Info by the type.
func (e *Entry) classify() {
	switch {
	case e.Type != abi.DT_DIR:
		e.Info = File
	case e.inCycle():
		e.Info, e.Err = Cycle, abi.ELOOP
	default:
		e.Info = Dir
	}
}

// Argument returns the entry for an argument of the command line.
func Argument(sys *client.Sys, arg string, o *Options) *Entry {
	e := &Entry{Path: arg, Rel: arg}
	e.load(sys, abi.AT_FDCWD, o.Follow || o.FollowArguments)
	return e
}

// Children returns what is in the directory dir, which is where the cursor stands. Errors are
// getdents(2)'s, along with what was read before.
func (c *Cursor) Children(dir *Entry, o *Options) ([]*Entry, error) {
	list, err := c.names(dir, o)
	c.stat(list, o)
	if o.Compare != nil {
		slices.SortStableFunc(list, o.Compare)
	}
	if o.Entered != nil {
		o.Entered(list)
	}
	return list, err
}

// readSize is the size of the buffer for directory entries: one call reads about a thousand.
const readSize = 64 << 10

// endSize is the size of the buffer that is asked for along with it, to see that there is no more.
const endSize = 4 << 10

// names reads the directory.
func (c *Cursor) names(dir *Entry, o *Options) ([]*Entry, error) {
	list, unread, err := c.takeNames(dir)
	if !unread {
		return list, err
	}
	if c.entries[0] == nil {
		c.entries = [2][]byte{make([]byte, readSize), make([]byte, endSize)}
	}
	for {
		n, more, err := c.sys.GetdentsEnd(c.FD(), c.entries[0], c.entries[1])
		for i, size := range []int{n, more} {
			var bad error
			if list, bad = dir.appendEntries(list, c.entries[i][:size], o); bad != nil {
				return list, bad
			}
		}
		if err != nil || n == 0 || more == 0 {
			return list, err
		}
	}
}

// appendEntries appends what getdents(2) has returned of the directory. Errors are those of client.Dirents.
func (e *Entry) appendEntries(list []*Entry, b []byte, o *Options) ([]*Entry, error) {
	for d, err := range client.Dirents(b) {
		if err != nil {
			return list, err
		}
		if name := string(d.Name); o.wants(name, d.Type) {
			list = append(list, &Entry{
				Path: e.childPath(name), Rel: name, Level: e.Level + 1, Parent: e, Type: d.Type, Fileno: d.Ino,
				skip: name == "." || name == "..",
			})
		}
	}
	return list, nil
}

// wants tells whether a directory entry is to be seen.
func (o *Options) wants(name string, typ uint8) bool {
	switch {
	case (name == "." || name == "..") && !o.Dots:
		return false
	case typ == abi.DT_WHT && !o.Whiteouts:
		return false
	}
	return o.Hide == nil || !o.Hide(name)
}

// needs tells whether attributes are needed of a file of a type: to know the type, or to recognize another file
// system or a cycle.
func (o *Options) needs(typ uint8) bool {
	switch typ {
	case abi.DT_UNKNOWN:
		return true
	case abi.DT_LNK:
		return !o.NoStat || o.Follow
	case abi.DT_DIR:
		return !o.NoStat || o.Follow || o.OneDevice
	}
	return !o.NoStat
}

// stat gets the attributes of those that need it.
func (c *Cursor) stat(list []*Entry, o *Options) {
	var need []*Entry
	for _, e := range list {
		switch {
		case e.Type == abi.DT_WHT:
			e.Stat = &abi.Stat{Mode: abi.S_IFWHT, Ino: e.Fileno}
		case o.needs(e.Type):
			need = append(need, e)
		default:
			e.classify()
		}
	}
	files := make([]client.FileStat, len(need))
	for i, e := range need {
		files[i].Path = e.Rel
	}
	c.sys.Fstatats(c.FD(), files, statFlags(o.Follow))
	for i, e := range need {
		e.loaded(c.sys, c.FD(), o.Follow, &files[i].Stat, files[i].Err)
	}
}
