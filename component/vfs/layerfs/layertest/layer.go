package layertest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// Layer tests what layers have in common. boot mounts one over /low on /up. Oracle: mount_null(8): one tree in two places.
func Layer(t *testing.T, boot func(t testing.TB) *kerntest.P) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, p *kerntest.P)
	}{
		{"names", names},
		{"statvfs", statvfs},
		{"locks", locks},
		{"fifo", fifo},
		{"device", device},
		{"socket", socket},
		{"busy", busy},
		{"forced", forced},
		{"below is forced away", forcedBelow},
		{"append", appendBoth},
		{"events", events},
		{"raced", raced},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, boot(t)) })
	}
}

func open(p *kerntest.P, path string, flags int) int {
	return int(p.Must(abi.SYS_open, path, flags, 0o644))
}

// Stat is lstat(2).
func Stat(t testing.TB, p *kerntest.P, path string) (st abi.Stat) {
	t.Helper()
	b := make([]byte, abi.SizeofStat)
	p.Must(abi.SYS___lstat50, path, b)
	if err := st.Decode(b); err != nil {
		t.Fatal(err)
	}
	return st
}

// names: what happens to a name in one place happens in the other at once, whatever was looked up before; only the device number
// differs.
func names(t *testing.T, p *kerntest.P) {
	p.Want(abi.ENOENT, abi.SYS_unlink, "/up/f")
	p.Close(open(p, "/low/f", abi.O_CREAT|abi.O_RDWR))
	up, low := Stat(t, p, "/up/f"), Stat(t, p, "/low/f")
	if up.Dev == low.Dev || up.Ino != low.Ino {
		t.Errorf("device %#x and %#x, inode %d and %d", up.Dev, low.Dev, up.Ino, low.Ino)
	}
	p.Must(abi.SYS_rename, "/low/f", "/low/g")
	p.Want(abi.ENOENT, abi.SYS_unlink, "/up/f")
	p.Must(abi.SYS_mkdir, "/up/d", 0o755)
	p.Must(abi.SYS_rename, "/up/g", "/up/d/g")
	p.Must(abi.SYS_unlink, "/low/d/g")
	p.Must(abi.SYS_chdir, "/up/d")
	p.Must(abi.SYS_rmdir, "/low/d")
	p.Want(abi.ENOENT, abi.SYS_mkdir, "x", 0o755)
	p.Want(abi.ENOENT, abi.SYS_chdir, "..")
	p.Close(open(p, "/up/h", abi.O_CREAT|abi.O_RDWR))
	p.Want(abi.EXDEV, abi.SYS_rename, "/up/h", "/low/x")
	p.Want(abi.EXDEV, abi.SYS_link, "/low/h", "/up/x")
}

func statvfs(t *testing.T, p *kerntest.P) {
	get := func(path string) (st abi.Statvfs) {
		b := make([]byte, abi.SizeofStatvfs)
		p.Must(abi.SYS_statvfs1, path, b, abi.ST_WAIT)
		if err := st.Decode(b); err != nil {
			t.Fatal(err)
		}
		return st
	}
	up, low := get("/up"), get("/low")
	if up.Blocks != low.Blocks || up.Files != low.Files || up.Bsize != low.Bsize || up.Fsid == low.Fsid {
		t.Errorf("%+v, below %+v", up, low)
	}
	if from, on := abi.CString(up.Mntfromname[:]), abi.CString(up.Mntonname[:]); from != "/low" || on != "/up" {
		t.Errorf("%s on %s", from, on)
	}
	if up.Flag&abi.MNT_LOCAL == 0 {
		t.Error("not local")
	}
}

// locks: those taken in one place hold in the other. Oracle: flock(2), fcntl(2).
func locks(t *testing.T, p *kerntest.P) {
	up := open(p, "/up/f", abi.O_CREAT|abi.O_RDWR)
	low := open(p, "/low/f", abi.O_RDWR)
	p.Must(abi.SYS_flock, up, abi.LOCK_EX|abi.LOCK_NB)
	p.Want(abi.EAGAIN, abi.SYS_flock, low, abi.LOCK_EX|abi.LOCK_NB)
	p.Close(up)
	p.Must(abi.SYS_flock, low, abi.LOCK_EX|abi.LOCK_NB)
	p.Must(abi.SYS_flock, low, abi.LOCK_UN)
	other := p.Fork()
	mine := int(other.Must(abi.SYS_open, "/up/f", abi.O_RDWR, 0))
	lock := func() []byte { return kerntest.Struct(&abi.Flock{Type: abi.F_WRLCK, Len: 1}) }
	other.Must(abi.SYS_fcntl, mine, abi.F_SETLK, lock())
	p.Want(abi.EAGAIN, abi.SYS_fcntl, low, abi.F_SETLK, lock())
	other.Close(mine)
	p.Must(abi.SYS_fcntl, low, abi.F_SETLK, lock())
}

// fifo: both places are ends of one. Oracle: mkfifo(2).
func fifo(t *testing.T, p *kerntest.P) {
	p.Must(abi.SYS_mkfifo, "/low/p", 0o644)
	r := open(p, "/up/p", abi.O_RDONLY|abi.O_NONBLOCK)
	w := open(p, "/low/p", abi.O_WRONLY|abi.O_NONBLOCK)
	if n, e := p.Write(w, "through"); n != 7 || e != 0 {
		t.Fatalf("wrote %d, %v", n, e)
	}
	if s, e := p.Read(r, 10); s != "through" || e != 0 {
		t.Errorf("read %q, %v", s, e)
	}
}

// device: one through the layer is the device, and revoking it in one place revokes it in the other. Oracle: revoke(2).
func device(t *testing.T, p *kerntest.P) {
	p.Must(abi.SYS___mknod50, "/low/zero", abi.S_IFCHR|0o666, 0x20c)
	fd := open(p, "/up/zero", abi.O_RDWR)
	if s, e := p.Read(fd, 3); s != "\x00\x00\x00" || e != 0 {
		t.Errorf("read %q, %v", s, e)
	}
	p.Must(abi.SYS_revoke, "/low/zero")
	if s, e := p.Read(fd, 3); s != "" || e != 0 {
		t.Errorf("revoked: read %q, %v", s, e)
	}
}

// socket: one that is bound in one place is connected to in the other. Oracle: unix(4).
func socket(t *testing.T, p *kerntest.P) {
	v, kt := vfs.Of(p.K), p.K.KernelThread()
	bound, err := v.MakeSocket(kt, []byte("/up/s"))
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Release(kt)
	for _, path := range []string{"/up/s", "/low/s"} {
		found, err := v.LookupSocket(kt, []byte(path))
		if err != nil {
			t.Fatal(err)
		}
		if found != bound {
			t.Errorf("%s is another socket", path)
		}
		found.Release(kt)
	}
}

// busy: neither the layer nor what is below is unmounted in use. Oracle: unmount(2).
func busy(_ *testing.T, p *kerntest.P) {
	fd := open(p, "/up/f", abi.O_CREAT|abi.O_RDWR)
	p.Want(abi.EBUSY, abi.SYS_unmount, "/low", 0)
	p.Want(abi.EBUSY, abi.SYS_unmount, "/up", 0)
	p.Close(fd)
	p.Want(abi.EBUSY, abi.SYS_unmount, "/low", 0)
	p.Must(abi.SYS_unmount, "/up", 0)
	p.Must(abi.SYS_unmount, "/low", 0)
}

// forced: unmounted by force, what is open through the layer stops working, and what is open below goes on. Oracle: unmount(2).
func forced(_ *testing.T, p *kerntest.P) {
	up := open(p, "/up/f", abi.O_CREAT|abi.O_RDWR)
	low := open(p, "/low/f", abi.O_RDWR)
	p.Must(abi.SYS_flock, up, abi.LOCK_SH)
	p.Must(abi.SYS_unmount, "/up", abi.MNT_FORCE)
	p.Want(abi.EIO, abi.SYS_write, up, "x", 1)
	p.Must(abi.SYS_write, low, "x", 1)
	p.Close(up)
	p.Must(abi.SYS_flock, low, abi.LOCK_EX|abi.LOCK_NB)
	p.Close(low)
	p.Must(abi.SYS_unmount, "/low", 0)
}

// forcedBelow: with what is below gone, the layer has nothing but errors, and goes too.
func forcedBelow(t *testing.T, p *kerntest.P) {
	fd := open(p, "/up/f", abi.O_CREAT|abi.O_RDWR)
	p.Must(abi.SYS_unmount, "/low", abi.MNT_FORCE)
	p.Want(abi.EIO, abi.SYS_write, fd, "x", 1)
	if _, e := p.Call(abi.SYS_open, "/up/f", abi.O_RDONLY, 0); e == 0 {
		t.Error("a file of nothing was opened")
	}
	p.Close(fd)
	p.Must(abi.SYS_unmount, "/up", 0)
}

// appendBoth: O_APPEND is at the end of the file, whichever place made it longer. Oracle: open(2).
func appendBoth(t *testing.T, p *kerntest.P) {
	up := open(p, "/up/f", abi.O_CREAT|abi.O_RDWR|abi.O_APPEND)
	low := open(p, "/low/f", abi.O_RDWR|abi.O_APPEND)
	for _, fd := range []int{up, low, up} {
		p.Must(abi.SYS_write, fd, "ab", 2)
	}
	if st := Stat(t, p, "/up/f"); st.Size != 6 {
		t.Errorf("%d bytes", st.Size)
	}
}

// events: whoever watches a file through the layer sees what is done to it below. Oracle: kqueue(2), EVFILT_VNODE.
func events(t *testing.T, p *kerntest.P) {
	fd := open(p, "/up/f", abi.O_CREAT|abi.O_RDWR)
	kq := int(p.Must(abi.SYS_kqueue))
	add := abi.Kevent{Ident: uint64(fd), Filter: abi.EVFILT_VNODE, Flags: abi.EV_ADD | abi.EV_CLEAR,
		Fflags: abi.NOTE_WRITE | abi.NOTE_DELETE | abi.NOTE_REVOKE}
	p.Must(abi.SYS___kevent50, kq, kerntest.Struct(&add), 1, nil, 0, nil)
	next := func() uint32 {
		out := make([]byte, abi.SizeofKevent)
		if n := p.Must(abi.SYS___kevent50, kq, nil, 0, out, 1, kerntest.Struct(&abi.Timespec{})); n == 0 {
			return 0
		}
		var got abi.Kevent
		if err := got.Decode(out); err != nil {
			t.Fatal(err)
		}
		return got.Fflags
	}
	if got := next(); got != 0 {
		t.Errorf("at first: %#x", got)
	}
	low := open(p, "/low/f", abi.O_RDWR)
	p.Must(abi.SYS_write, low, "x", 1)
	if got := next(); got != abi.NOTE_WRITE {
		t.Errorf("after a write: %#x", got)
	}
	p.Must(abi.SYS_unlink, "/low/f")
	if got := next(); got != abi.NOTE_DELETE {
		t.Errorf("after its end: %#x", got)
	}
	p.Must(abi.SYS_unmount, "/up", abi.MNT_FORCE)
	if got := next(); got != abi.NOTE_REVOKE {
		t.Errorf("after the layer's end: %#x", got)
	}
}

// raced: both places are used by many threads at once, so that vnodes come and go while they are looked up.
func raced(t *testing.T, p *kerntest.P) {
	const rounds = 300
	p.Must(abi.SYS_mkdir, "/low/d", 0o755)
	var all sync.WaitGroup
	for i, place := range []string{"/up", "/low", "/up", "/low"} {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := range rounds {
				name := fmt.Sprint(place, "/d/", (n+i)%3)
				fd, e := p.Call(abi.SYS_open, name, abi.O_CREAT|abi.O_RDWR, 0o644)
				switch e {
				case 0:
					p.Call(abi.SYS_write, fd, "x", 1)
					p.Call(abi.SYS_close, fd)
				case abi.ENOENT: // removed between looking and opening
				default:
					t.Errorf("open %s: %v", name, e)
				}
				p.Call(abi.SYS_rename, name, place+"/d/r")
				p.Call(abi.SYS_unlink, place+"/d/r")
			}
		}()
	}
	all.Wait()
	for i := range 3 {
		p.Call(abi.SYS_unlink, fmt.Sprint("/up/d/", i))
	}
	p.Must(abi.SYS_rmdir, "/up/d")
	p.Must(abi.SYS_unmount, "/up", 0)
	p.Must(abi.SYS_unmount, "/low", 0)
}
