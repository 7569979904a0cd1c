package fts

import "github.com/rumpctrl/rumpctrl/client"

// Limits of what is read ahead. A process has 64 descriptors.
const (
	aheadOpen = 16       // directories at once
	aheadSize = 20 << 10 // of each, with what shows the end
)

// opened is a directory that was opened and read before its turn.
type opened struct {
	dir  *Entry
	fd   int
	list []*Entry // what is in it, without attributes
	more bool     // there may be more
	err  error    // why there is no more
}

// readAhead reads several directories of a list of siblings at once, from the first of the list on, if Options.Ahead allows
// it: over a connection that takes a fraction of the time. Half of what may be open is left for directories below them.
func (w *walk) readAhead(siblings []*Entry) {
	if !w.o.Ahead || w.c.ahead[siblings[0]] != nil {
		return
	}
	room := (aheadOpen - len(w.c.ahead) + 1) / 2
	var next []*Entry
	for _, e := range siblings {
		if len(next) == room {
			break
		}
		if e.Level > 0 && e.Info == Dir && !e.skip && !w.foreign(e) {
			next = append(next, e)
		}
	}
	if len(next) > 1 {
		w.c.readAhead(next, w.o)
	}
}

// readAhead reads directories below the one where the cursor is. What fails is tried again when its turn comes, and reported then.
func (c *Cursor) readAhead(list []*Entry, o *Options) {
	if c.ahead == nil {
		c.ahead = make(map[*Entry]*opened)
		c.buffers = make([]byte, (aheadOpen+1)/2*aheadSize)
	}
	dirs := make([]client.DirectoryRead, len(list))
	for i, e := range list {
		b := c.buffers[i*aheadSize:][:aheadSize]
		dirs[i] = client.DirectoryRead{
			Path: e.Rel, Flags: openFlags(e.followed), Data: b[:aheadSize-endSize], More: b[aheadSize-endSize:],
		}
	}
	c.sys.ReadDirectories(c.left, c.FD(), dirs)
	c.left = c.left[:0]
	for i, e := range list {
		d := &dirs[i]
		if d.Err != nil {
			continue
		}
		a := &opened{dir: e, fd: d.FD, more: len(d.Data) > 0 && len(d.More) > 0}
		if a.list, a.err = e.appendEntries(nil, d.Data, o); a.err == nil {
			a.list, a.err = e.appendEntries(a.list, d.More, o)
		}
		c.ahead[e] = a
	}
}

// takeAhead goes down into a directory if it was read ahead, and tells whether it was.
func (c *Cursor) takeAhead(e *Entry) (had bool, err error) {
	a := c.ahead[e]
	if a == nil {
		return false, nil
	}
	delete(c.ahead, e)
	c.entered = a
	return true, c.descend(a.fd, e.followed)
}

// takeNames returns what was read ahead of the directory where the cursor is, and whether that is to be read on.
func (c *Cursor) takeNames(dir *Entry) (list []*Entry, more bool, err error) {
	a := c.entered
	c.entered = nil
	if a == nil || a.dir != dir {
		return nil, true, nil
	}
	return a.list, a.more && a.err == nil, a.err
}

// forget closes the directories that were read ahead: they are read anew when their turn comes.
func (c *Cursor) forget() {
	for _, a := range c.ahead {
		c.sys.Close(a.fd)
	}
	clear(c.ahead)
}
