package vfs_test

import (
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// ram is a host file in memory.
type ram struct {
	readOnly bool

	mu     sync.Mutex
	b      []byte
	synced int
	closed bool
}

func (r *ram) Size() int64    { return int64(len(r.b)) }
func (r *ram) ReadOnly() bool { return r.readOnly }

func (r *ram) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := copy(p, r.b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (r *ram) WriteAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return copy(r.b[off:], p), nil
}

func (r *ram) Sync() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.synced++
	return nil
}

func (r *ram) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return nil
}

// mapHost maps a file of n bytes, in which each byte is its offset's last.
func mapHost(tb testing.TB, p *kerntest.P, key string, typ vfs.HostType, n int) *ram {
	tb.Helper()
	r := &ram{b: make([]byte, n)}
	for i := range r.b {
		r.b[i] = byte(i)
	}
	if err := vfs.Of(p.K).MapHost(key, typ, r); err != nil {
		tb.Fatal(err)
	}
	return r
}

// TestHostNames: mapped files are found, listed and cannot be taken away. Oracles: transcript core-04, but for the listing, which the
// original lacks; its devices have the size of the file.
func TestHostNames(t *testing.T) {
	p := newProc(t)
	tree(p, "/d/", "/d/real")
	p.Want(abi.ENOENT, abi.SYS_open, "/d/note", abi.O_RDONLY, 0) // the name cache knows that it is not there
	mapHost(t, p, "/blk", vfs.HostBlk, 65536)
	mapHost(t, p, "/chr", vfs.HostChr, 32768)
	mapHost(t, p, "/dev/fresh", vfs.HostBlk, 1<<20)
	mapHost(t, p, "/d/note", vfs.HostReg, 20)
	mapHost(t, p, "/no/such/dir", vfs.HostReg, 1)
	for path, want := range map[string]abi.Stat{
		"/blk":         {Mode: abi.S_IFBLK | 0755, Rdev: kern.Makedev(197, 0), Size: 65536},
		"/chr":         {Mode: abi.S_IFCHR | 0755, Rdev: kern.Makedev(197, 0), Size: 32768},
		"/dev/fresh":   {Mode: abi.S_IFBLK | 0755, Rdev: kern.Makedev(197, 1), Size: 1 << 20},
		"/d/note":      {Mode: abi.S_IFREG | 0755, Rdev: ^uint64(0), Size: 20},
		"/no/such/dir": {Mode: abi.S_IFREG | 0755, Rdev: ^uint64(0), Size: 1},
	} {
		st, errno := stat(p, path)
		if errno != 0 || st.Mode != want.Mode || st.Rdev != want.Rdev || st.Size != want.Size || st.Nlink != 1 {
			t.Errorf("%s: %+v, %v", path, st, errno)
		}
	}
	var names []string
	for _, e := range readDir(t, p, "/d") {
		names = append(names, e.name)
		if e.name == "note" && (e.typ != abi.DT_REG || e.ino != ino(t, p, "/d/note")) {
			t.Errorf("%+v", e)
		}
	}
	if !slices.Equal(names, []string{".", "..", "real", "note"}) {
		t.Errorf("/d has %q", names)
	}
	p.Want(abi.ENOENT, abi.SYS_unlink, "/d/note")
	p.Want(abi.ENOENT, abi.SYS_rename, "/d/note", "/d/x")
	p.Want(abi.EBUSY, abi.SYS_rename, "/d/real", "/d/note")
	p.Want(abi.EXDEV, abi.SYS_link, "/d/note", "/d/x")
	p.Want(abi.EEXIST, abi.SYS_mkdir, "/d/note", 0755)
	p.Must(abi.SYS_unlink, "/d/real")
	p.Want(abi.EBUSY, abi.SYS_rmdir, "/d")
	p.Want(abi.ENOENT, abi.SYS_unlink, "/no/such/dir")
	p.Must(abi.SYS_chdir, "/d")
	if _, errno := stat(p, "note"); errno != 0 {
		t.Errorf("by a relative path: %v", errno)
	}
	for key, want := range map[string]error{"/d/note": abi.EEXIST, "/d": abi.EEXIST, "note": abi.EINVAL, "/": abi.EINVAL} {
		if err := vfs.Of(p.K).MapHost(key, vfs.HostReg, &ram{}); err != want {
			t.Errorf("map %s: %v, want %v", key, err, want)
		}
	}
}

// TestHostFile reads and writes a regular one; its length stays. Oracle: transcript core-04, /note.
func TestHostFile(t *testing.T) {
	p := newProc(t)
	r := mapHost(t, p, "/note", vfs.HostReg, 20)
	copy(r.b, "hello from the host\n")
	fd := open(p, "/note", abi.O_RDWR|abi.O_TRUNC|abi.O_CREAT)
	p.Write(fd, "changed\n")
	if string(r.b) != "changed\nom the host\n" {
		t.Errorf("%q", r.b)
	}
	if got, errno := p.Read(fd, 64); got != "om the host\n" || errno != 0 {
		t.Errorf("%q, %v", got, errno)
	}
	p.Want(abi.ENOSPC, abi.SYS_write, fd, []byte("x"), 1)
	if n := p.Must(abi.SYS_pwrite, fd, []byte("abcdef"), 6, 0, 17); n != 3 {
		t.Errorf("%d bytes at the end", n)
	}
	p.Must(abi.SYS_fsync, fd)
	p.Must(abi.SYS_chmod, "/note", 0600)
	if st, _ := stat(p, "/note"); st.Mode != abi.S_IFREG|0600 || st.Size != 20 {
		t.Errorf("%o, %d bytes", st.Mode, st.Size)
	}
	r.readOnly = true
	p.Want(abi.EROFS, abi.SYS_pwrite, fd, []byte("x"), 1, 0, 0)
	p.K.Halt()
	if r.synced == 0 || !r.closed {
		t.Errorf("synced %d times, closed %v", r.synced, r.closed)
	}
}

// TestHostDisks: a block device takes any offset, a character device whole sectors; both end where they end. Oracle: transcript core-04;
// physio(9) for EINVAL.
func TestHostDisks(t *testing.T) {
	p := newProc(t)
	const size = 4 * 512
	mapHost(t, p, "/blk", vfs.HostBlk, size)
	c := mapHost(t, p, "/chr", vfs.HostChr, size)
	for _, x := range []struct {
		path    string
		n       int
		off     int64
		want    int64
		read    abi.Errno
		written int64
		write   abi.Errno
	}{
		{"/blk", 100, 3, 100, 0, 100, 0},
		{"/blk", 1000, size - 10, 10, 0, 10, 0},
		{"/blk", 1, size, 0, 0, 0, abi.ENOSPC},
		{"/blk", 1, size + 1000, 0, 0, 0, abi.ENOSPC},
		{"/chr", 512, 512, 512, 0, 512, 0},
		{"/chr", 1024, size - 512, 512, 0, 512, 0},
		{"/chr", 512, size, 0, 0, 0, abi.ENOSPC},
		{"/chr", 100, 0, 0, abi.EINVAL, 0, abi.EINVAL},
		{"/chr", 512, 100, 0, abi.EINVAL, 0, abi.EINVAL},
		{"/chr", 0, 0, 0, 0, 0, 0},
	} {
		fd := open(p, x.path, abi.O_RDWR)
		buf := make([]byte, x.n)
		n, errno := p.Call(abi.SYS_pread, fd, buf, x.n, 0, x.off)
		if n != x.want || errno != x.read || n > 0 && buf[n-1] != byte(x.off+n-1) {
			t.Errorf("%s: read %d at %d: %d, %v", x.path, x.n, x.off, n, errno)
		}
		n, errno = p.Call(abi.SYS_pwrite, fd, buf, x.n, 0, x.off)
		if n != x.written || errno != x.write {
			t.Errorf("%s: write %d at %d: %d, %v", x.path, x.n, x.off, n, errno)
		}
		p.Close(fd)
	}
	fd := open(p, "/blk", abi.O_RDWR)
	p.Want(abi.EBUSY, abi.SYS_open, "/blk", abi.O_RDONLY, 0)
	p.Must(abi.SYS_lseek, fd, 0, -2, abi.SEEK_END)
	if got, _ := p.Read(fd, 10); got != "\xfe\xff" {
		t.Errorf("the end is %q", got)
	}
	media := make([]byte, 8)
	p.Must(abi.SYS_ioctl, fd, abi.DIOCGMEDIASIZE, media)
	var label abi.Disklabel
	buf := make([]byte, abi.SizeofDisklabel)
	p.Must(abi.SYS_ioctl, fd, abi.DIOCGDINFO, buf)
	label.Decode(buf)
	if n := binary.LittleEndian.Uint64(media); n != size || label.Magic != abi.DISKMAGIC || label.Secperunit != size/512 ||
		label.Partitions[0].Size != size/512 || label.Npartitions != 1 {
		t.Errorf("%d bytes, label %+v", n, label)
	}
	p.Want(abi.ENOTTY, abi.SYS_ioctl, fd, abi.TIOCGETA, make([]byte, abi.SizeofTermios))
	c.readOnly = true
	p.Want(abi.EACCES, abi.SYS_open, "/chr", abi.O_RDWR, 0)
	p.Close(open(p, "/chr", abi.O_RDONLY))
	p.Must(abi.SYS___mknod50, "/none", abi.S_IFBLK|0600, kern.Makedev(197, 9))
	p.Want(abi.ENXIO, abi.SYS_open, "/none", abi.O_RDONLY, 0)
	p.Must(abi.SYS___mknod50, "/nodriver", abi.S_IFCHR|0600, kern.Makedev(77, 0))
	p.Want(abi.ENXIO, abi.SYS_open, "/nodriver", abi.O_RDONLY, 0)
}

// line is a device like a terminal: reads wait for what is typed.
type line struct {
	sel kern.Selinfo

	mu     sync.Mutex
	typed  string
	closed int
}

func (l *line) Open(*kern.Thread, uint64, uint32) (kern.Ops, error) { return l, nil }

func (l *line) Close(*kern.Thread, *kern.File) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed++
	return nil
}

func (l *line) Read(t *kern.Thread, _ *kern.File, p []byte, _ int64) (n int, err error) {
	err = t.WaitFor(&l.sel, kern.Forever, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		n = copy(p, l.typed)
		l.typed = l.typed[n:]
		return n > 0
	})
	return n, err
}

func (l *line) Poll(_ *kern.File, events int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.typed == "" {
		return 0
	}
	return events & abi.POLLIN
}

func (l *line) Selinfo() *kern.Selinfo { return &l.sel }

func (l *line) typeText(s string) {
	l.mu.Lock()
	l.typed += s
	l.mu.Unlock()
	l.sel.Notify(0)
}

// TestRevoke: all opens of a device stop working, under whatever name; the device is closed. Oracle: revoke(2).
func TestRevoke(t *testing.T) {
	l := &line{}
	k := boot(t)
	if err := k.AttachDevice("line", 99, -1, l); err != nil {
		t.Fatal(err)
	}
	p := kerntest.Proc(t, k)
	for _, name := range []string{"/dev/line", "/tmp/alias"} {
		p.Must(abi.SYS___mknod50, name, abi.S_IFCHR|0666, kern.Makedev(99, 0))
	}
	a, b := open(p, "/dev/line", abi.O_RDWR), open(p, "/tmp/alias", abi.O_RDWR)
	l.typeText("text")
	if got, errno := p.Read(a, 2); got != "te" || errno != 0 {
		t.Errorf("%q, %v", got, errno)
	}
	p.Want(abi.ENODEV, abi.SYS_write, a, []byte("x"), 1)
	as(p, 1000).Want(abi.EPERM, abi.SYS_revoke, "/dev/line")
	tree(p, "/file")
	p.Must(abi.SYS_revoke, "/dev/line")
	for _, fd := range []int{a, b} {
		if got, errno := p.Read(fd, 2); got != "" || errno != 0 {
			t.Errorf("read of a revoked device: %q, %v", got, errno)
		}
		if _, errno := p.Write(fd, "x"); errno != abi.EIO {
			t.Errorf("write to a revoked device: %v", errno)
		}
		p.Want(abi.EBADF, abi.SYS_ioctl, fd, abi.TIOCGETA, make([]byte, abi.SizeofTermios))
		p.Close(fd)
	}
	if l.closed != 2 {
		t.Errorf("closed %d times", l.closed)
	}
	c := open(p, "/dev/line", abi.O_RDWR)
	if got, errno := p.Read(c, 2); got != "xt" || errno != 0 {
		t.Errorf("opened again: %q, %v", got, errno)
	}
}

// TestOpenDisk is how a file system gets at its device. Oracle: mount(2): ENOTBLK.
func TestOpenDisk(t *testing.T) {
	p := newProc(t)
	mapHost(t, p, "/blk", vfs.HostBlk, 2048)
	mapHost(t, p, "/chr", vfs.HostChr, 2048)
	tree(p, "/file")
	v, kt := vfs.Of(p.K), p.K.KernelThread()
	for path, want := range map[string]error{"/file": abi.ENOTBLK, "/chr": abi.ENOTBLK, "/nope": abi.ENOENT, "": abi.ENOENT} {
		if _, err := v.OpenDisk(kt, path, true); err != want {
			t.Errorf("%q: %v, want %v", path, err, want)
		}
	}
	d, err := v.OpenDisk(kt, "/blk", true)
	if err != nil {
		t.Fatal(err)
	}
	if d.Size() != 2048 || d.SectorSize() != 512 || d.Dev() != kern.Makedev(197, 0) {
		t.Errorf("%d bytes in sectors of %d, device %x", d.Size(), d.SectorSize(), d.Dev())
	}
	p.Want(abi.EBUSY, abi.SYS_open, "/blk", abi.O_RDONLY, 0)
	d.Close(kt)
	p.Close(open(p, "/blk", abi.O_RDONLY))
	if _, err := v.OpenDisk(kt, strings.Repeat("x", 2000), false); err != abi.ENAMETOOLONG {
		t.Errorf("%v", err)
	}
}
