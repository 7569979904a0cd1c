package vfs_test

import (
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// handleOf is the file handle of a path.
func handleOf(tb testing.TB, p *kerntest.P, path string) []byte {
	tb.Helper()
	size := make([]byte, 8)
	p.Want(abi.E2BIG, abi.SYS___getfh30, path, nil, size)
	fh := make([]byte, binary.LittleEndian.Uint64(size))
	p.Must(abi.SYS___getfh30, path, fh, size)
	return fh
}

// TestHandles: a file is found by its handle wherever it goes, and not any more when it has gone. Oracle: getfh(2), fhopen(2).
func TestHandles(t *testing.T) {
	p := newProc(t)
	tree(p, "/d/", "/d/f", "/m/", "/l -> d/f")
	p.Write(open(p, "/d/f", abi.O_RDWR), "contents")
	fh := handleOf(t, p, "/l")
	if len(fh) != 28 {
		t.Errorf("a handle of %d bytes; sizeof(fhandle_t) is 28", len(fh))
	}
	p.Must(abi.SYS_rename, "/d/f", "/g")
	fd := int(p.Must(abi.SYS___fhopen40, fh, len(fh), abi.O_RDWR))
	if got, _ := p.Read(fd, 64); got != "contents" {
		t.Errorf("%q", got)
	}
	buf := make([]byte, abi.SizeofStat)
	p.Must(abi.SYS___fhstat50, fh, len(fh), buf)
	var st abi.Stat
	if st.Decode(buf); st.Ino != ino(t, p, "/g") {
		t.Errorf("fhstat of file %d", st.Ino)
	}
	vbuf := make([]byte, abi.SizeofStatvfs)
	p.Must(abi.SYS___fhstatvfs140, fh, len(fh), vbuf, abi.ST_WAIT)
	u := as(p, 1000)
	u.Want(abi.EPERM, abi.SYS___fhopen40, fh, len(fh), abi.O_RDONLY)
	u.Want(abi.EPERM, abi.SYS___getfh30, "/g", fh, binary.LittleEndian.AppendUint64(nil, 28))
	u.Exit() // its descriptors are copies
	p.Want(abi.EINVAL, abi.SYS___fhopen40, fh, len(fh), abi.O_RDWR|abi.O_CREAT)
	p.Want(abi.EINVAL, abi.SYS___fhopen40, fh, len(fh), abi.O_ACCMODE)
	p.Want(abi.EINVAL, abi.SYS___fhopen40, fh[:20], 20, abi.O_RDONLY)
	p.Want(abi.EINVAL, abi.SYS___fhopen40, make([]byte, 2000), 2000, abi.O_RDONLY)
	p.Must(abi.SYS_unlink, "/g")
	p.Close(int(p.Must(abi.SYS___fhopen40, fh, len(fh), abi.O_RDONLY)))
	p.Close(fd)
	p.Close(3)
	p.Want(abi.ESTALE, abi.SYS___fhopen40, fh, len(fh), abi.O_RDONLY)

	mountFS(t, p, "/m", 0)
	tree(p, "/m/f")
	fh = handleOf(t, p, "/m/f")
	p.Must(abi.SYS_unmount, "/m", 0)
	p.Want(abi.ESTALE, abi.SYS___fhopen40, fh, len(fh), abi.O_RDONLY)
	mountFS(t, p, "/m", 0)
	tree(p, "/m/f")
	p.Want(abi.ESTALE, abi.SYS___fhopen40, fh, len(fh), abi.O_RDONLY)
}

// FuzzHandle opens whatever bytes: an error, or a file that can be closed again.
func FuzzHandle(f *testing.F) {
	p := newProc(f)
	tree(p, "/d/", "/d/f")
	for _, path := range []string{"/", "/d", "/d/f"} {
		f.Add(handleOf(f, p, path))
	}
	f.Fuzz(func(t *testing.T, fh []byte) {
		var m kerntest.Memory
		ret, errno := p.Syscall(&m, abi.SYS___fhopen40, []uint64{m.Map(fh), uint64(len(fh)), abi.O_RDONLY})
		if errno == 0 {
			p.Syscall(&m, abi.SYS_close, []uint64{ret[0]})
		}
	})
}
