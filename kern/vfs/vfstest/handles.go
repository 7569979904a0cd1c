package vfstest

import (
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// runHandles checks file handles. Oracle: getfh(2), fhopen(2).
func runHandles(t *testing.T, c *Config) {
	if c.lacks(Handles) {
		t.Skip("lacks file handles")
	}
	k, dir := c.Boot(t)
	p := newProc(t, k, dir)
	if e := p.writeFile("f", []byte("data")); e != 0 {
		t.Fatal(e)
	}
	if e := p.mkdir("d"); e != 0 {
		t.Fatal(e)
	}
	fh, e := p.getfh("f")
	if e != 0 {
		t.Fatalf("getfh: %v", e)
	}
	dh, e := p.getfh("d")
	if e != 0 {
		t.Fatalf("getfh of a directory: %v", e)
	}
	handleOpens(t, p, fh, dh)
	handleErrors(t, k, dir, p, fh)
	handleStale(t, p, fh, dh)
}

// getfh is a file's handle.
func (p *proc) getfh(path string) ([]byte, abi.Errno) {
	fh, size := make([]byte, 128), make([]byte, 8)
	binary.LittleEndian.PutUint64(size, uint64(len(fh)))
	e := p.do(abi.SYS___getfh30, path, fh, size)
	return fh[:min(uint64(len(fh)), binary.LittleEndian.Uint64(size))], e
}

func (p *proc) fhopen(fh []byte, flags int) (int, abi.Errno) {
	fd, e := p.Call(abi.SYS___fhopen40, fh, len(fh), flags)
	return int(fd), e
}

// handleOpens opens by handle, also after the file has been renamed.
func handleOpens(t *testing.T, p *proc, fh, dh []byte) {
	if e := p.rename("f", "d/g"); e != 0 {
		t.Fatal(e)
	}
	fd, e := p.fhopen(fh, abi.O_RDWR)
	if e != 0 {
		t.Fatalf("fhopen: %v", e)
	}
	if got, e := p.read(fd, 10); e != 0 || string(got) != "data" {
		t.Errorf("read: %q, %v", got, e)
	}
	p.close(fd)
	dir, e := p.fhopen(dh, abi.O_RDONLY)
	if e != 0 {
		t.Fatalf("fhopen of a directory: %v", e)
	}
	if list, e := p.getdents(dir, 512); e != 0 || len(list) != 3 {
		t.Errorf("getdents: %v, %v", list, e)
	}
	p.close(dir)
	b := make([]byte, abi.SizeofStat)
	var st abi.Stat
	if e := p.do(abi.SYS___fhstat50, fh, len(fh), b); e != 0 || st.Decode(b) != nil || st.Size != 4 {
		t.Errorf("fhstat: size %d, %v", st.Size, e)
	}
}

func handleErrors(t *testing.T, k *kern.Kernel, dir string, p *proc, fh []byte) {
	if _, e := p.getfh("none"); e != abi.ENOENT {
		t.Errorf("getfh of nothing: %v, want ENOENT", e)
	}
	small, size := make([]byte, 128), make([]byte, 8)
	binary.LittleEndian.PutUint64(size, 4)
	if e := p.do(abi.SYS___getfh30, "d", small, size); e != abi.E2BIG {
		t.Errorf("getfh into 4 bytes: %v, want E2BIG", e)
	}
	if need := binary.LittleEndian.Uint64(size); need != uint64(len(fh)) {
		t.Errorf("getfh into 4 bytes asks for %d, a handle has %d", need, len(fh))
	}
	if _, e := p.fhopen(fh, abi.O_RDWR|abi.O_CREAT); e != abi.EINVAL {
		t.Errorf("fhopen with O_CREAT: %v, want EINVAL", e)
	}
	user := newProc(t, k, dir)
	if e := user.become(1001, 1001); e != 0 {
		t.Fatal(e)
	}
	if _, e := user.getfh("d"); e != abi.EPERM {
		t.Errorf("getfh of a user: %v, want EPERM", e)
	}
	if _, e := user.fhopen(fh, abi.O_RDONLY); e != abi.EPERM {
		t.Errorf("fhopen of a user: %v, want EPERM", e)
	}
}

// handleStale removes the files: their handles are stale when nobody has them open any more.
func handleStale(t *testing.T, p *proc, fh, dh []byte) {
	if e := p.unlink("d/g"); e != 0 {
		t.Fatal(e)
	}
	if e := p.rmdir("d"); e != 0 {
		t.Fatal(e)
	}
	for _, h := range [][]byte{fh, dh} {
		if _, e := p.fhopen(h, abi.O_RDONLY); e != abi.ESTALE {
			t.Errorf("fhopen of a removed file: %v, want ESTALE", e)
		}
	}
	if e := p.writeFile("f", []byte("other")); e != 0 {
		t.Fatal(e)
	}
	if _, e := p.fhopen(fh, abi.O_RDONLY); e != abi.ESTALE {
		t.Errorf("fhopen when there is another file: %v, want ESTALE", e)
	}
}
