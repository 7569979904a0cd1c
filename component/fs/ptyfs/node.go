package ptyfs

import (
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/dev/pty"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
	"github.com/rumpctrl/rumpctrl/kern/vfs/pseudofs"
)

// rootIno is the number of the root directory; slaveIno and masterIno are those of a pair's files.
const rootIno = 2

func slaveIno(index int) uint64  { return uint64(index+1)*2 + 1 }
func masterIno(index int) uint64 { return uint64(index+1)*2 + 2 }

// blockSize is st_blksize of the files: a page.
const blockSize = 4096

// times are a node's. Touch may run in several threads at once.
type times struct {
	mu                         sync.Mutex
	atime, mtime, ctime, btime time.Time
}

func newTimes(now time.Time) *times { return &times{atime: now, mtime: now, ctime: now, btime: now} }

// Touch sets times.
func (s *times) Touch(which vfs.TimeMask, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if which&vfs.Atime != 0 {
		s.atime = now
	}
	if which&vfs.Mtime != 0 {
		s.mtime = now
	}
	if which&vfs.Ctime != 0 {
		s.ctime = now
	}
}

func (s *times) fill(a *vfs.Attr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.Atime, a.Mtime, a.Ctime, a.Btime = s.atime, s.mtime, s.ctime, s.btime
}

func (s *times) set(c *vfs.SetAttr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range []struct {
		which vfs.AttrMask
		to    *time.Time
		from  time.Time
	}{{vfs.SetAtime, &s.atime, c.Atime}, {vfs.SetMtime, &s.mtime, c.Mtime}, {vfs.SetBtime, &s.btime, c.Btime}} {
		if c.Valid&f.which != 0 {
			*f.to = f.from
		}
	}
}

// table has the slaves that have names.
type table struct {
	mu     sync.Mutex
	slaves map[int]*file
}

// get is a slave; nil when it has no name.
func (tb *table) get(index int) *file {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.slaves[index]
}

// use makes a master's file, and the slave's if it is not there: it belongs to the calling user. It lasts until drop has been called
// as often.
func (tb *table) use(f *FS, t *kern.Thread, index int) *file {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	now := t.K.Now()
	s := tb.slaves[index]
	if s == nil {
		gid, mode := f.Rights()
		s = &file{fs: f, index: index, side: pty.Slave, uid: t.Cred().Ruid, gid: gid, mode: mode, times: newTimes(now)}
		if tb.slaves == nil {
			tb.slaves = map[int]*file{}
		}
		tb.slaves[index] = s
	}
	s.masters++
	return &file{fs: f, index: index, side: pty.Master, mode: 0o600, times: newTimes(now)}
}

// drop undoes use.
func (tb *table) drop(index int) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	s := tb.slaves[index]
	if s == nil {
		return
	}
	if s.masters--; s.masters == 0 {
		delete(tb.slaves, index)
	}
}

// list has the slaves in order.
func (tb *table) list() []int {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	list := make([]int, 0, len(tb.slaves))
	for index := range tb.slaves {
		list = append(list, index)
	}
	slices.Sort(list)
	return list
}

// root is the directory.
type root struct {
	pseudofs.Fixed
	*times
	fs *FS
}

var (
	_ vfs.Directory  = (*root)(nil)
	_ vfs.Toucher    = (*root)(nil)
	_ vfs.AttrSetter = (*root)(nil)
)

// Attr fills a.
func (r *root) Attr(_ *kern.Thread, a *vfs.Attr) error {
	*a = pseudofs.DirAttr(rootIno, 2, time.Time{})
	r.fill(a)
	return nil
}

// Inactive has nothing to free.
func (*root) Inactive(*kern.Thread) {}

// SetAttr sets times. Errors: EPERM for owner, group and mode; EINVAL for flags.
func (r *root) SetAttr(_ *kern.Thread, s *vfs.SetAttr) error {
	switch {
	case s.Valid&(vfs.SetUID|vfs.SetGID|vfs.SetMode) != 0:
		return abi.EPERM
	case s.Valid&vfs.SetFlags != 0:
		return abi.EINVAL
	}
	r.set(s)
	return nil
}

// Lookup finds a slave by its number, written as ReadDir does. Errors: ENOENT.
func (r *root) Lookup(_ *kern.Thread, name string) (vfs.Node, error) {
	index, err := strconv.Atoi(name)
	if err != nil || strconv.Itoa(index) != name {
		return nil, abi.ENOENT
	}
	n := r.fs.table.get(index)
	if n == nil {
		return nil, abi.ENOENT
	}
	return n, nil
}

// Parent is the root itself.
func (r *root) Parent(*kern.Thread) (vfs.Node, error) { return r, nil }

// ReadDir lists the slaves; the cookie of one is its number and pseudofs.FirstCookie.
func (r *root) ReadDir(_ *kern.Thread, cookie int64, emit func(vfs.Dirent) bool) error {
	return pseudofs.ReadDir(rootIno, rootIno, r.entries(), cookie, emit)
}

func (r *root) entries() iter.Seq[vfs.Dirent] {
	return func(yield func(vfs.Dirent) bool) {
		for _, i := range r.fs.table.list() {
			e := vfs.Dirent{Ino: slaveIno(i), Type: abi.DT_CHR, Name: strconv.Itoa(i), Cookie: int64(i) + pseudofs.FirstCookie}
			if !yield(e) {
				return
			}
		}
	}
}

// file is the special file of a side of a pair. What SetAttr changes is guarded by the vnode's lock.
type file struct {
	*times
	fs             *FS
	index          int
	side           pty.Side
	uid, gid, mode uint32
	flags          uint32
	masters        int // in use, of a slave; guarded by the table's mu
}

var (
	_ vfs.Node       = (*file)(nil)
	_ vfs.Toucher    = (*file)(nil)
	_ vfs.AttrSetter = (*file)(nil)
)

// Attr fills a.
func (n *file) Attr(_ *kern.Thread, a *vfs.Attr) error {
	*a = vfs.Attr{Mode: abi.S_IFCHR | n.mode, Nlink: 1, UID: n.uid, GID: n.gid, Ino: slaveIno(n.index), Blksize: blockSize,
		Rdev: pty.Dev(n.index, n.side), Flags: n.flags}
	if n.side == pty.Master {
		a.Ino = masterIno(n.index)
	}
	n.fill(a)
	return nil
}

// Inactive takes the slave's name away when the master is closed.
func (n *file) Inactive(*kern.Thread) {
	if n.side == pty.Master {
		n.fs.table.drop(n.index)
	}
}

// SetAttr changes owner, group, mode, times and flags. Errors: EINVAL for flags that forbid changes.
func (n *file) SetAttr(_ *kern.Thread, s *vfs.SetAttr) error {
	const forbidding = abi.UF_IMMUTABLE | abi.SF_IMMUTABLE | abi.UF_APPEND | abi.SF_APPEND
	if s.Valid&vfs.SetFlags != 0 {
		if s.Flags&forbidding != 0 {
			return abi.EINVAL
		}
		n.flags = s.Flags
	}
	for _, c := range []struct {
		which vfs.AttrMask
		to    *uint32
		from  uint32
	}{{vfs.SetUID, &n.uid, s.UID}, {vfs.SetGID, &n.gid, s.GID}, {vfs.SetMode, &n.mode, s.Mode}} {
		if s.Valid&c.which != 0 {
			*c.to = c.from
		}
	}
	n.set(s)
	return nil
}
