package pax

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// Limits of what is read ahead. A process has 64 descriptors, and a walk needs some.
const (
	aheadFiles = 24
	aheadSize  = 16 << 10
)

// readAhead reads small files of a directory several at once, before their turn comes: over a connection that takes a fraction of
// the time.
type readAhead struct {
	lists [][]*fts.Entry // by level: what is to be visited of the directory
	data  map[*fts.Entry][]byte
}

// entered is called with what is in a directory before it is visited.
func (a *readAhead) entered(list []*fts.Entry) {
	if len(list) == 0 {
		return
	}
	level := list[0].Level
	for len(a.lists) <= level {
		a.lists = append(a.lists, nil)
	}
	a.lists[level] = list
}

// suits tells whether a file is worth it.
func (a *readAhead) suits(e *fts.Entry) bool {
	return e.Type == abi.DT_REG && e.Stat != nil && e.Stat.Size > 0 && e.Stat.Size <= aheadSize && e.Stat.Nlink == 1
}

// take returns what the file of an entry holds; nil if it has not been read, which is no error yet. The cursor stands in its
// directory.
func (a *readAhead) take(c *fts.Cursor, sys *client.Sys, e *fts.Entry) []byte {
	if _, had := a.data[e]; !had && e.Level > 0 && e.Level < len(a.lists) && a.suits(e) {
		a.read(c, sys, e)
	}
	data := a.data[e]
	delete(a.data, e)
	return data
}

// read reads the file of an entry and of some that come after it.
func (a *readAhead) read(c *fts.Cursor, sys *client.Sys, e *fts.Entry) {
	list := a.lists[e.Level]
	for len(list) > 0 && list[0] != e {
		list = list[1:]
	}
	var files []client.SmallFile
	var entries []*fts.Entry
	for len(list) > 0 && len(files) < aheadFiles {
		if next := list[0]; a.suits(next) {
			// A byte more than it has: one that has grown is noticed.
			files = append(files, client.SmallFile{Path: next.Rel, Data: make([]byte, next.Stat.Size+1)})
			entries = append(entries, next)
		}
		list = list[1:]
	}
	a.lists[e.Level] = list
	sys.ReadSmall(c.FD(), files)
	for i, f := range files {
		if f.Err == nil && int64(len(f.Data)) == entries[i].Stat.Size {
			a.data[entries[i]] = f.Data
		}
	}
}
