package vfs_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// watch registers a filter on a descriptor with a new kqueue.
func watch(p *kerntest.P, fd int, filter, flags, fflags uint32) (kq int) {
	kq = int(p.Must(abi.SYS_kqueue))
	ev := abi.Kevent{Ident: uint64(fd), Filter: filter, Flags: abi.EV_ADD | flags, Fflags: fflags}
	p.Must(abi.SYS___kevent50, kq, ev.Append(nil), 1, nil, 0, nil)
	return kq
}

// event is the event that is there now; none has an Ident of ^0.
func event(p *kerntest.P, kq int) abi.Kevent {
	buf := make([]byte, abi.SizeofKevent)
	now := abi.Timespec{}
	ev := abi.Kevent{Ident: ^uint64(0)}
	if p.Must(abi.SYS___kevent50, kq, nil, 0, buf, 1, now.Append(nil)) == 1 {
		ev.Decode(buf)
	}
	return ev
}

// TestVnodeEvents: which calls cause which events. Oracle: kevent(2), EVFILT_VNODE.
func TestVnodeEvents(t *testing.T) {
	const all = abi.NOTE_DELETE | abi.NOTE_WRITE | abi.NOTE_EXTEND | abi.NOTE_ATTRIB | abi.NOTE_LINK | abi.NOTE_RENAME | abi.NOTE_REVOKE
	p := newProc(t)
	tree(p, "/d/", "/d/f", "/d/e/", "/d/g", "/x/")
	fd := open(p, "/d/f", abi.O_RDWR)
	file := watch(p, fd, abi.EVFILT_VNODE, abi.EV_CLEAR, all)
	dir := watch(p, open(p, "/d", abi.O_RDONLY), abi.EVFILT_VNODE, abi.EV_CLEAR, all)
	for _, c := range []struct {
		what      string
		do        func()
		file, dir uint32
	}{
		{"nothing", func() { stat(p, "/d/f") }, 0, 0},
		{"write", func() { p.Write(fd, "ab") }, abi.NOTE_WRITE | abi.NOTE_EXTEND, 0},
		{"overwrite", func() { p.Must(abi.SYS_pwrite, fd, []byte("c"), 1, 0, 0) }, abi.NOTE_WRITE, 0},
		{"chmod", func() { p.Must(abi.SYS_chmod, "/d/f", 0600) }, abi.NOTE_ATTRIB, 0},
		{"link", func() { p.Must(abi.SYS_link, "/d/f", "/d/h") }, abi.NOTE_LINK, abi.NOTE_WRITE},
		{"rename", func() { p.Must(abi.SYS_rename, "/d/f", "/d/i") }, abi.NOTE_RENAME, abi.NOTE_WRITE},
		{"create", func() { tree(p, "/d/new") }, 0, abi.NOTE_WRITE},
		{"mkdir", func() { tree(p, "/d/newdir/") }, 0, abi.NOTE_WRITE | abi.NOTE_LINK},
		{"rmdir", func() { p.Must(abi.SYS_rmdir, "/d/newdir") }, 0, abi.NOTE_WRITE | abi.NOTE_LINK},
		{"move a directory", func() { p.Must(abi.SYS_rename, "/d/e", "/x/e") }, 0, abi.NOTE_WRITE | abi.NOTE_LINK},
		{"unlink", func() { p.Must(abi.SYS_unlink, "/d/h") }, abi.NOTE_DELETE, abi.NOTE_WRITE},
		{"replace", func() { p.Must(abi.SYS_rename, "/d/g", "/d/i") }, abi.NOTE_DELETE, abi.NOTE_WRITE},
	} {
		c.do()
		if got := event(p, file); got.Fflags != c.file && !(c.file == 0 && got.Ident == ^uint64(0)) {
			t.Errorf("%s: the file has %#x, want %#x", c.what, got.Fflags, c.file)
		}
		if got := event(p, dir); got.Fflags != c.dir && !(c.dir == 0 && got.Ident == ^uint64(0)) {
			t.Errorf("%s: the directory has %#x, want %#x", c.what, got.Fflags, c.dir)
		}
	}
}

// TestReadEvents: a regular file is readable until its end, with the distance as data, and always writable. Oracle: kevent(2), EVFILT_READ.
func TestReadEvents(t *testing.T) {
	p := newProc(t)
	fd := open(p, "/f", abi.O_RDWR|abi.O_CREAT)
	r, w := watch(p, fd, abi.EVFILT_READ, 0, 0), watch(p, fd, abi.EVFILT_WRITE, 0, 0)
	if ev := event(p, r); ev.Ident != ^uint64(0) {
		t.Errorf("empty: %+v", ev)
	}
	p.Must(abi.SYS_pwrite, fd, []byte("hello"), 5, 0, 0)
	if ev := event(p, r); ev.Ident != uint64(fd) || ev.Data != 5 {
		t.Errorf("five bytes: %+v", ev)
	}
	p.Must(abi.SYS_lseek, fd, 0, 7, abi.SEEK_SET)
	if ev := event(p, r); ev.Data != -2 {
		t.Errorf("past the end: %+v", ev)
	}
	if ev := event(p, w); ev.Ident != uint64(fd) {
		t.Errorf("to write: %+v", ev)
	}
}

// TestForcedUnmountEvent: a file whose file system goes is revoked.
func TestForcedUnmountEvent(t *testing.T) {
	p := newProc(t)
	tree(p, "/m/")
	mountFS(t, p, "/m", 0)
	kq := watch(p, open(p, "/m/f", abi.O_RDWR|abi.O_CREAT), abi.EVFILT_VNODE, 0, abi.NOTE_REVOKE)
	p.Must(abi.SYS_unmount, "/m", abi.MNT_FORCE)
	if ev := event(p, kq); ev.Fflags != abi.NOTE_REVOKE || ev.Flags&abi.EV_EOF == 0 {
		t.Errorf("%+v", ev)
	}
}
