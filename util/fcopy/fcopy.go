// Package fcopy copies trees of files within a kernel: for cp(1), and for mv(1) between file systems.
//
// [Tree] copies everything; file.go has how one file is copied, and attr.go what is copied with
// it. Source and target are walked by descriptors of directories, so that there is no limit to the
// depth of a tree.
//
// Start reading at [Tree].
package fcopy

import (
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// Options say how to copy. The letters are cp(1)'s.
type Options struct {
	Follow          bool // symbolic links are what they lead to: -L, -r, and without -R
	FollowArguments bool // those of the command line are: -H
	Recursive       bool // directories are copied: -R, -r
	Special         bool // devices and fifos are made, not read: -R
	TargetLink      bool // a target that is a symbolic link is looked at itself: -P
	ReplaceLink     bool // such a target is replaced, not written through: -P, -R
	Preserve        bool // attributes are copied: -p
	NoFlags         bool // but not file flags: -N
	Link            bool // regular files get another name in place of a copy: -l
	Force           bool // a target that cannot be written is removed: -f
	Ask             bool // before a file is written over: -i
	Verbose         bool // what is copied is named: -v
}

// Shape is what a target stands for.
type Shape int

const (
	Itself  Shape = iota // the copy of the one source
	Inside               // the directory that the copies go into
	Created              // the copy of the one directory, to be made
)

// Tree copies sources to a target. Messages go to env's Stderr. It tells whether everything was
// copied.
func Tree(env *util.Env, sources []string, target string, shape Shape, o Options) bool {
	t := &tree{Options: o, env: env, sys: env.Proc.Sys(), target: target, shape: shape}
	t.to = fts.NewCursor(t.sys)
	t.dirs = map[*fts.Entry]*place{}
	t.roots = map[inode]bool{}
	t.noExtended = map[uint64]bool{}
	defer t.to.Close()
	walk := &fts.Options{Follow: o.Follow, FollowArguments: o.FollowArguments}
	for c, e := range fts.Walk(t.sys, sources, walk) {
		t.from = c
		if !t.visit(e) {
			return false
		}
	}
	return !t.failed
}

// inode identifies a file.
type inode struct{ dev, ino uint64 }

// tree is a copy under way.
type tree struct {
	Options
	env    *util.Env
	sys    *client.Sys
	target string
	shape  Shape
	from   *fts.Cursor // where the entry is
	to     *fts.Cursor // where its copy goes
	dirs   map[*fts.Entry]*place
	roots  map[inode]bool // directories that copies go into: never to be copied themselves
	failed bool
	buf    []byte

	noExtended map[uint64]bool // devices whose files have no extended attributes
}

// place is where a copy goes.
type place struct {
	rel    string // the path from tree.to
	path   string // as messages name it
	exists bool
	st     abi.Stat // if it exists
}

// fail reports an error; the copy goes on.
func (t *tree) fail(err error, format string, args ...any) {
	t.env.Warn(err, format, args...)
	t.failed = true
}

func (t *tree) failx(format string, args ...any) {
	t.env.Warnx(format, args...)
	t.failed = true
}

// visit copies an entry, and tells whether to go on.
func (t *tree) visit(e *fts.Entry) bool {
	switch e.Info {
	case fts.Cycle:
		t.failx("%s: directory causes a cycle", e.Path)
	case fts.Missing:
		t.fail(e.Err, "%s", e.Path)
	case fts.Unreadable:
		t.fail(e.Err, "%s", e.Path)
		return t.after(e)
	case fts.Dir:
		return t.before(e)
	case fts.DirAfter:
		return t.after(e)
	default:
		t.other(e)
	}
	return true
}

// place returns where the copy of an entry goes.
func (t *tree) place(e *fts.Entry) *place {
	p := &place{}
	switch {
	case e.Level > 0:
		p.rel = e.Rel
		p.path = join(t.dirs[e.Parent].path, e.Rel)
	case t.shape == Inside:
		name := e.Path[strings.LastIndexByte(e.Path, '/')+1:]
		if name == ".." {
			name = "."
		}
		p.path = join(t.target, name)
		p.rel = p.path
	default:
		p.path, p.rel = t.target, t.target
	}
	flags := 0
	if t.TargetLink {
		flags = abi.AT_SYMLINK_NOFOLLOW
	}
	p.exists = t.sys.Fstatat(t.to.FD(), p.rel, &p.st, flags) == nil
	return p
}

func join(dir, name string) string {
	if strings.HasSuffix(dir, "/") {
		return dir + name
	}
	return dir + "/" + name
}

func isDir(st *abi.Stat) bool { return st.Mode&abi.S_IFMT == abi.S_IFDIR }

// identical tells whether the place has the file itself, and says so.
func (t *tree) identical(e *fts.Entry, p *place) bool {
	same := p.exists && p.st.Dev == e.Stat.Dev && p.st.Ino == e.Stat.Ino
	if same {
		t.failx("%s and %s are identical (not copied).", p.path, e.Path)
	}
	return same
}

// before makes the copy of a directory, without what is in it. It tells whether to go on.
func (t *tree) before(e *fts.Entry) bool {
	p := t.place(e)
	into := t.roots[inode{e.Stat.Dev, e.Stat.Ino}]
	switch {
	case t.identical(e, p):
		e.Skip()
		return true
	case !t.Recursive:
		t.failx("%s is a directory (not copied).", e.Path)
		e.Skip()
		return true
	case into:
		t.failx("%s: cannot be copied into itself", e.Path)
		e.Skip()
		return true
	}
	var err error
	switch {
	case !p.exists:
		err = t.sys.Mkdirat(t.to.FD(), p.rel, e.Stat.Mode&0o7777|abi.S_IRWXU)
	case !isDir(&p.st):
		err = abi.ENOTDIR
	}
	if err == nil {
		err = t.enter(e, p)
	}
	if err != nil {
		t.fail(err, "%s", p.path)
		return false
	}
	if t.Verbose {
		t.name(e, p)
	}
	return true
}

// enter goes down into the copy of a directory.
func (t *tree) enter(e *fts.Entry, p *place) error {
	err := t.to.Enter(p.rel, e.Level == 0)
	if err != nil && p.exists && !t.TargetLink {
		err = t.to.Enter(p.rel, true) // a symbolic link to a directory will do
	}
	if err != nil {
		return err
	}
	t.dirs[e] = p
	if e.Level > 0 {
		return nil
	}
	var st abi.Stat
	if err := t.sys.Fstat(t.to.FD(), &st); err != nil {
		return err
	}
	t.roots[inode{st.Dev, st.Ino}] = true
	return nil
}

// after leaves the copy of a directory and gives it its attributes. It tells whether to go on.
func (t *tree) after(e *fts.Entry) bool {
	p := t.dirs[e]
	if p == nil {
		return true // it was left out
	}
	delete(t.dirs, e)
	if err := t.to.Leave(); err != nil {
		t.fail(err, "%s", p.path)
		return false
	}
	switch {
	case e.Info == fts.Unreadable:
	case t.Preserve:
		t.attributes(e, p, -1)
		t.times(e, p)
	case !p.exists:
		_ = t.sys.Fchmodat(t.to.FD(), p.rel, e.Stat.Mode&0o7777, 0) // as mkdir(2) made it will do
	}
	return true
}

// name names a file and its copy: -v.
func (t *tree) name(e *fts.Entry, p *place) {
	fmt.Fprintf(t.env.Stdout, "%s -> %s\n", e.Path, p.path)
}

// other copies what is not a directory.
func (t *tree) other(e *fts.Entry) {
	p := t.place(e)
	if t.identical(e, p) {
		return
	}
	if p.exists && isDir(&p.st) {
		t.failx("cannot overwrite directory %s with non-directory %s", p.path, e.Path)
		return
	}
	if t.copy(e, p) && t.Verbose {
		t.name(e, p)
	}
}

// copy copies a file by its type, and tells whether it did.
func (t *tree) copy(e *fts.Entry, p *place) bool {
	followed := t.Follow || t.FollowArguments && e.Level == 0
	switch {
	case e.Type == abi.DT_LNK && !followed:
		return t.symlink(e, p)
	case e.Type == abi.DT_FIFO && t.Special:
		return t.node(e, p, "mkfifo", func() error { return t.sys.Mkfifoat(t.to.FD(), p.rel, e.Stat.Mode&0o7777) })
	case (e.Type == abi.DT_CHR || e.Type == abi.DT_BLK) && t.Special:
		return t.node(e, p, "mknod", func() error { return t.sys.Mknodat(t.to.FD(), p.rel, e.Stat.Mode, e.Stat.Rdev) })
	case t.Link:
		return t.link(e, p)
	}
	return t.file(e, p)
}
