package fcopy

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// bufferSize is how much is copied at a time.
const bufferSize = 256 << 10

// symlink copies a symbolic link.
func (t *tree) symlink(e *fts.Entry, p *place) bool {
	text := make([]byte, abi.MAXPATHLEN)
	n, err := t.sys.Readlinkat(t.from.FD(), e.Rel, text)
	if err != nil {
		t.fail(err, "readlink: %s", e.Path)
		return false
	}
	if !t.makeRoom(p) {
		return false
	}
	to := string(text[:n])
	if err := t.sys.Symlinkat(to, t.to.FD(), p.rel); err != nil {
		t.fail(err, "symlink: %s", to)
		return false
	}
	return !t.Preserve || t.attributes(e, p, -1) && t.times(e, p)
}

// node makes a device or a fifo.
func (t *tree) node(e *fts.Entry, p *place, call string, make func() error) bool {
	if !t.makeRoom(p) {
		return false
	}
	if err := make(); err != nil {
		t.fail(err, "%s: %s", call, p.path)
		return false
	}
	return !t.Preserve || t.attributes(e, p, -1) && t.times(e, p)
}

// makeRoom removes what is in the place of a copy.
func (t *tree) makeRoom(p *place) bool {
	if !p.exists {
		return true
	}
	if err := t.sys.Unlinkat(t.to.FD(), p.rel, 0); err != nil {
		t.fail(err, "unlink: %s", p.path)
		return false
	}
	return true
}

// link gives the file another name in place of a copy.
func (t *tree) link(e *fts.Entry, p *place) bool {
	if p.exists && (t.Ask && !t.env.Ask("overwrite %s? ", p.path) || !t.makeRoom(p)) {
		return !t.failed
	}
	flags := 0
	if t.Follow || t.FollowArguments && e.Level == 0 {
		flags = abi.AT_SYMLINK_FOLLOW
	}
	if err := t.sys.Linkat(t.from.FD(), e.Rel, t.to.FD(), p.rel, flags); err != nil {
		t.fail(err, "%s", p.path)
		return false
	}
	return true
}

// file copies what can be read.
func (t *tree) file(e *fts.Entry, p *place) bool {
	from, err := t.sys.Openat(t.from.FD(), e.Rel, abi.O_RDONLY, 0)
	if err != nil {
		t.fail(err, "%s", e.Path)
		return false
	}
	defer t.sys.Close(from)
	if p.exists && t.Ask && !t.env.Ask("overwrite %s? ", p.path) {
		return false
	}
	to, err := t.create(e, p)
	if err != nil {
		t.fail(err, "%s", p.path)
		return false
	}
	ok := t.contents(e, p, from, to)
	if t.Preserve && ok {
		t.extended(e, p, from, to)
		ok = t.attributes(e, p, to)
	}
	ok = ok && t.keepSetID(e, p, to)
	if err := t.sys.Close(to); err != nil {
		t.fail(err, "%s", p.path)
		ok = false
	}
	return ok && (!t.Preserve || t.times(e, p))
}

// create opens the copy of a file, empty.
func (t *tree) create(e *fts.Entry, p *place) (int, error) {
	mode := e.Stat.Mode & 0o7777 &^ (abi.S_ISUID | abi.S_ISGID)
	fresh := func() (int, error) {
		return t.sys.Openat(t.to.FD(), p.rel, abi.O_WRONLY|abi.O_TRUNC|abi.O_CREAT, mode)
	}
	if !p.exists {
		fd, err := fresh()
		if err == nil || !t.Force && !t.ReplaceLink {
			return fd, err
		}
	} else if !t.ReplaceLink || !t.isLink(p) {
		fd, err := t.sys.Openat(t.to.FD(), p.rel, abi.O_WRONLY|abi.O_TRUNC, 0)
		if err == nil || !t.Force && !t.ReplaceLink {
			return fd, err
		}
	}
	_ = t.sys.Unlinkat(t.to.FD(), p.rel, 0) // what that fails for, creating it fails for too
	return fresh()
}

// isLink tells whether the place has a symbolic link.
func (t *tree) isLink(p *place) bool {
	var st abi.Stat
	err := t.sys.Fstatat(t.to.FD(), p.rel, &st, abi.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&abi.S_IFMT == abi.S_IFLNK
}

// contents copies what is in a file.
func (t *tree) contents(e *fts.Entry, p *place, from, to int) bool {
	if t.buf == nil {
		t.buf = make([]byte, bufferSize)
	}
	for {
		n, err := t.sys.Read(from, t.buf)
		if err != nil {
			t.fail(err, "%s", e.Path)
			return false
		}
		if n == 0 {
			return true
		}
		if err := writeAll(t.sys, to, t.buf[:n]); err != nil {
			t.fail(err, "%s", p.path)
			return false
		}
	}
}

// writeAll writes all of b.
func writeAll(sys *client.Sys, fd int, b []byte) error {
	for len(b) > 0 {
		n, err := sys.Write(fd, b)
		if err != nil {
			return err
		}
		if n == 0 {
			return abi.ENOSPC
		}
		b = b[n:]
	}
	return nil
}
