package vfstest

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// runRevoke checks that revoke(2) ends all opens of a file and of a directory, whoever has them by whatever name, with their locks, and
// nothing else. Oracle: revoke(2), and dead vnodes of NetBSD for the errors.
func runRevoke(t *testing.T, c *Config) {
	k, dir := c.Boot(t)
	p, q := newProc(t, k, dir), newProc(t, k, dir)
	if e := p.writeFile("f", []byte("data")); e != 0 {
		t.Fatal(e)
	}
	if e := p.mkdir("d"); e != 0 {
		t.Fatal(e)
	}
	mine, e := p.open("f", abi.O_RDWR|abi.O_EXLOCK, 0)
	if e != 0 {
		t.Fatal(e)
	}
	his, e := q.open("f", abi.O_RDWR, 0)
	if e != 0 {
		t.Fatal(e)
	}
	list := mustOpen(t, p, "d")
	user := &proc{q.Fork()}
	if e := user.become(1000, 1000); e != 0 {
		t.Fatal(e)
	}
	if e := user.do(abi.SYS_revoke, "f"); e != abi.EPERM && !c.lacks(Owners) {
		t.Errorf("another user's: %v", e)
	}
	if e := p.do(abi.SYS_revoke, "none"); e != abi.ENOENT {
		t.Errorf("no file: %v", e)
	}
	for _, path := range []string{"f", "d"} {
		if e := p.do(abi.SYS_revoke, path); e != 0 {
			t.Fatalf("%s: %v", path, e)
		}
	}
	checkRevoked(t, p, mine)
	checkRevoked(t, q, his)
	if _, e := p.getdents(list, 512); e != abi.EBADF {
		t.Errorf("getdents: %v", e)
	}
	if e := p.do(abi.SYS_fchdir, list); e != abi.EBADF {
		t.Errorf("fchdir: %v", e)
	}
	again, e := q.open("f", abi.O_RDWR|abi.O_EXLOCK|abi.O_NONBLOCK, 0)
	if e != 0 {
		t.Fatalf("opening again, with a lock: %v", e)
	}
	if b, e := q.read(again, 10); string(b) != "data" || e != 0 {
		t.Errorf("opened again: %q, %v", b, e)
	}
	if _, e := p.readdir("d"); e != 0 {
		t.Errorf("the directory again: %v", e)
	}
	for _, fd := range []int{mine, list} {
		if e := p.close(fd); e != 0 {
			t.Errorf("close: %v", e)
		}
	}
	if e := p.unlink("f"); e != 0 {
		t.Errorf("unlink: %v", e)
	}
}

// checkRevoked makes the calls that a revoked file does not serve.
func checkRevoked(t *testing.T, p *proc, fd int) {
	t.Helper()
	if _, e := p.read(fd, 1); e != abi.EIO {
		t.Errorf("read: %v", e)
	}
	if _, e := p.write(fd, []byte("x")); e != abi.EIO {
		t.Errorf("write: %v", e)
	}
	flock := kerntest.Struct(&abi.Flock{Type: abi.F_RDLCK})
	for what, e := range map[string]abi.Errno{
		"fstat":     p.do(abi.SYS___fstat50, fd, make([]byte, abi.SizeofStat)),
		"ftruncate": p.ftruncate(fd, 0),
		"fsync":     p.do(abi.SYS_fsync, fd),
		"flock":     p.do(abi.SYS_flock, fd, abi.LOCK_SH),
		"fcntl":     p.do(abi.SYS_fcntl, fd, abi.F_SETLK, flock),
		"fchmod":    p.do(abi.SYS_fchmod, fd, 0),
		"ioctl":     p.do(abi.SYS_ioctl, fd, abi.FIONREAD, make([]byte, 4)),
	} {
		if e != abi.EBADF {
			t.Errorf("%s: %v", what, e)
		}
	}
}

// runQuotas checks that a file system without quotas says so, whatever is asked. Oracle: quotactl of NetBSD: EOPNOTSUPP from
// the file system, EINVAL for an operation that there is not, EFAULT before both.
func runQuotas(t *testing.T, c *Config) {
	if c.Quotas {
		t.Skip("has quotas")
	}
	k, dir := c.Boot(t)
	checkQuotas(t, newProc(t, k, dir))
}

func checkQuotas(t *testing.T, p *proc) {
	for op := range uint32(abi.QUOTACTL_QUOTAOFF + 2) {
		want := abi.EOPNOTSUPP
		if op > abi.QUOTACTL_QUOTAOFF {
			want = abi.EINVAL
		}
		if e := p.do(abi.SYS___quotactl, ".", kerntest.Struct(&abi.QuotactlArgs{QcOp: op})); e != want {
			t.Errorf("operation %d: %v, want %v", op, e, want)
		}
	}
	args := kerntest.Struct(&abi.QuotactlArgs{})
	if e := p.do(abi.SYS___quotactl, "none", args); e != abi.ENOENT {
		t.Errorf("no file: %v", e)
	}
	if e := p.do(abi.SYS___quotactl, ".", args[:8]); e != abi.EFAULT {
		t.Errorf("short arguments: %v", e)
	}
}
