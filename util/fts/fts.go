// Package fts walks trees of files in the kernel, as fts(3) does: for utilities with options like
// -R, -H, -L, -P and -x.
//
// [Walk] visits everything in a tree in order. [Cursor] is what it is made of, for utilities that
// do something with a whole directory at a time, as ls(1) does. Both work by descriptors of directories and the *at
// calls, so that neither the length of a path nor somebody who renames directories meanwhile leads
// them astray.
//
// Start reading at [Walk] and [Entry].
package fts

import (
	"iter"
	"slices"

	"github.com/rumpctrl/rumpctrl/client"
)

// Options say how to walk.
type Options struct {
	Follow          bool // symbolic links are what they lead to: -L
	FollowArguments bool // those of the command line are: -H
	OneDevice       bool // directories of other file systems are not entered: -x
	NoStat          bool // attributes are not needed where the directory tells the type
	Dots            bool // "." and ".." are seen
	Whiteouts       bool // whiteouts are seen

	// Ahead lets directories be opened and read before their turn, several at once: for walks that change nothing
	// and leave nothing out.
	Ahead bool

	// Hide tells by its name whether something in a directory is to be left out; nil is no.
	Hide func(name string) bool

	// Entered is called with what is in a directory, in order, before that is visited; nil is no such call.
	Entered func(list []*Entry)

	// Compare is the order of the arguments, and of what is in a directory; nil is
	// that of the command line and of the directory.
	Compare func(a, b *Entry) int
}

// Links sets which symbolic links are followed by the letter of an option, as symlink(7) has it for utilities that walk trees: 'H', 'L' or
// 'P'; the last one counts.
func (o *Options) Links(letter byte) {
	o.FollowArguments, o.Follow = letter == 'H', letter == 'L'
}

// Walk visits the arguments and everything in those that are directories. A directory is visited
// before what is in it and, unless it is Unreadable, after that. At a visit the
// cursor stands in the directory that has the entry, so that Entry.Rel can be handed to the *at
// calls with Cursor.FD.
func Walk(sys *client.Sys, args []string, o *Options) iter.Seq2[*Cursor, *Entry] {
	return func(yield func(*Cursor, *Entry) bool) {
		w := &walk{c: NewCursor(sys), o: o, yield: yield}
		defer w.c.Close()
		list := make([]*Entry, len(args))
		for i, arg := range args {
			list[i] = Argument(sys, arg, o)
		}
		if o.Compare != nil {
			slices.SortStableFunc(list, o.Compare)
		}
		for i, e := range list {
			if e.Stat != nil {
				w.dev = e.Stat.Dev
			}
			if !w.visit(list[i : i+1]) {
				return
			}
		}
	}
}

// walk is a Walk under way.
type walk struct {
	c     *Cursor
	o     *Options
	yield func(*Cursor, *Entry) bool
	dev   uint64 // of the argument
}

// visit visits the first of a list of siblings and what is in it, and tells whether to go on.
func (w *walk) visit(siblings []*Entry) bool {
	e := siblings[0]
	if !w.yield(w.c, e) {
		return false
	}
	if e.Info != Dir {
		return true
	}
	if !e.skip && !w.foreign(e) {
		w.readAhead(siblings)
		list, err := w.enter(e)
		if err == nil {
			return w.inside(e, list)
		}
		e.Info, e.Err = Unreadable, err
		return w.yield(w.c, e)
	}
	e.Info = DirAfter
	return w.yield(w.c, e)
}

// foreign tells whether a directory is not to be entered because it is of another file system.
func (w *walk) foreign(e *Entry) bool {
	return w.o.OneDevice && e.Stat != nil && e.Stat.Dev != w.dev
}

// enter goes into a directory and reads it.
func (w *walk) enter(e *Entry) ([]*Entry, error) {
	if err := w.c.EnterEntry(e); err != nil {
		return nil, err
	}
	list, err := w.c.Children(e, w.o)
	if err != nil && len(list) == 0 {
		if up := w.c.Leave(); up != nil {
			err = up
		}
		return nil, err
	}
	e.Err = err
	return list, nil
}

// inside visits what is in a directory, leaves it and visits it once more.
func (w *walk) inside(e *Entry, list []*Entry) bool {
	for i := range list {
		if !w.visit(list[i:]) {
			return false
		}
	}
	if err := w.c.Leave(); err != nil {
		e.Info, e.Err = Unreadable, err
		w.yield(w.c, e)
		return false
	}
	e.Info = DirAfter
	if e.Err != nil {
		e.Info = Unreadable
	}
	return w.yield(w.c, e)
}

// EnterEntry goes down into the directory that an entry is, as it was found: through a symbolic
// link only if the link was followed then. An argument is opened as it was written.
func (c *Cursor) EnterEntry(e *Entry) error {
	if had, err := c.takeAhead(e); had {
		return err
	}
	return c.Enter(e.Rel, e.followed || e.Level == 0)
}
