package vfs_test

import (
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// entry is what getdents(2) tells of a name.
type entry struct {
	ino  uint64
	typ  uint8
	name string
}

// entries takes a buffer that getdents has filled apart.
func entries(tb testing.TB, b []byte) (list []entry) {
	tb.Helper()
	for len(b) > 0 {
		reclen := int(binary.LittleEndian.Uint16(b[abi.DirentOffReclen:]))
		namlen := int(binary.LittleEndian.Uint16(b[abi.DirentOffNamlen:]))
		if reclen%8 != 0 || reclen < abi.DirentOffName+namlen+1 || reclen > len(b) || b[abi.DirentOffName+namlen] != 0 {
			tb.Fatalf("a record of %d bytes with a name of %d", reclen, namlen)
		}
		list = append(list, entry{binary.LittleEndian.Uint64(b), b[abi.DirentOffType], string(b[abi.DirentOffName:][:namlen])})
		b = b[reclen:]
	}
	return list
}

// readDir lists a directory, "." and ".." included.
func readDir(tb testing.TB, p *kerntest.P, path string) (list []entry) {
	tb.Helper()
	fd := open(p, path, abi.O_RDONLY)
	defer p.Close(fd)
	buf := make([]byte, 4096)
	for {
		n := p.Must(abi.SYS___getdents30, fd, buf, len(buf))
		if n == 0 {
			return list
		}
		list = append(list, entries(tb, buf[:n])...)
	}
}

// removeAll removes a directory and what is in it.
func removeAll(tb testing.TB, p *kerntest.P, path string) {
	tb.Helper()
	for _, e := range readDir(tb, p, path) {
		switch sub := path + "/" + e.name; {
		case e.name == "." || e.name == "..":
		case e.typ == abi.DT_DIR:
			removeAll(tb, p, sub)
		default:
			p.Must(abi.SYS_unlink, sub)
		}
	}
	p.Must(abi.SYS_rmdir, path)
}

// TestDirentLayout compares records with recorded ones: "tmp" and "dev" of rumpfs take 24 bytes each. Oracle: wire session ls-l.
func TestDirentLayout(t *testing.T) {
	p := newProc(t)
	fd := open(p, "/", abi.O_RDONLY)
	buf := make([]byte, 4096)
	n := p.Must(abi.SYS___getdents30, fd, buf, len(buf))
	if n != 2*16+2*24 {
		t.Fatalf("%d bytes for four short names", n)
	}
	for i, name := range []string{"dev", "tmp"} {
		rec := buf[2*16+24*i:][:24]
		want := []byte{24, 0, byte(len(name)), 0, abi.DT_DIR}
		want = append(append(want, name...), make([]byte, 11-len(name))...)
		if string(rec[8:]) != string(want) {
			t.Errorf("%s: % x, want % x", name, rec[8:], want)
		}
	}
}

// TestGetdents: offsets, small buffers, errors. Oracle: getdents(2).
func TestGetdents(t *testing.T) {
	p := newProc(t)
	tree(p, "/d/", "/d/one", "/d/two/", "/d/three -> x", "/d/four|")
	fd := open(p, "/d", abi.O_RDONLY)
	types := map[string]uint8{".": abi.DT_DIR, "..": abi.DT_DIR, "one": abi.DT_REG, "two": abi.DT_DIR, "three": abi.DT_LNK, "four": abi.DT_FIFO}
	buf := make([]byte, 24)
	var offsets []int64
	var names []string
	for {
		off := p.Must(abi.SYS_lseek, fd, 0, 0, abi.SEEK_CUR)
		n := p.Must(abi.SYS___getdents30, fd, buf, len(buf))
		if n == 0 {
			break
		}
		e := entries(t, buf[:n])[0]
		if st, _ := lstat(p, "/d/"+e.name); e.typ != types[e.name] || e.ino != st.Ino {
			t.Errorf("%s: type %d, file %d", e.name, e.typ, e.ino)
		}
		offsets, names = append(offsets, off), append(names, e.name)
	}
	if len(names) != len(types) {
		t.Errorf("listed %q", names)
	}
	for i, off := range offsets {
		p.Must(abi.SYS_lseek, fd, 0, off, abi.SEEK_SET)
		n := p.Must(abi.SYS___getdents30, fd, buf, len(buf))
		if e := entries(t, buf[:n])[0]; e.name != names[i] {
			t.Errorf("at offset %d: %s, not %s", off, e.name, names[i])
		}
	}
	p.Must(abi.SYS_lseek, fd, 0, 0, abi.SEEK_SET)
	p.Want(abi.EINVAL, abi.SYS___getdents30, fd, buf, 15)
	p.Want(abi.EISDIR, abi.SYS_read, fd, buf, len(buf))
	p.Want(abi.EINVAL, abi.SYS___getdents30, open(p, "/d/one", abi.O_RDWR), buf, len(buf))
	p.Want(abi.EBADF, abi.SYS___getdents30, 99, buf, len(buf))
	r, _ := p.Pipe()
	p.Want(abi.EINVAL, abi.SYS___getdents30, r, buf, len(buf))
}

// TestGetdentsRemoved: a removed directory is empty.
func TestGetdentsRemoved(t *testing.T) {
	p := newProc(t)
	tree(p, "/d/")
	fd := open(p, "/d", abi.O_RDONLY)
	p.Must(abi.SYS_rmdir, "/d")
	if n := p.Must(abi.SYS___getdents30, fd, make([]byte, 512), 512); n != 0 {
		t.Errorf("%d bytes", n)
	}
}
