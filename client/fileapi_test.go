package client_test

import (
	"context"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// pairs runs a test with two processes on a kernel in this program, and with two on a kernel behind a socket, each with a
// connection of its own. There is a tmpfs at /t.
func pairs(t *testing.T, test func(t *testing.T, p, q *client.Process)) {
	mount := func(p *client.Process) {
		args := abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, RootMode: 0o777}
		must(t, p.Sys().Mkdir("/t", 0o755))
		must(t, p.Sys().Mount("tmpfs", "/t", 0, args.Append(nil)))
	}
	run := func(process func(t *testing.T) *client.Process) func(*testing.T) {
		return func(t *testing.T) {
			p := process(t)
			mount(p)
			test(t, p, process(t))
		}
	}
	k := kernel(t)
	t.Run("local", run(func(t *testing.T) *client.Process {
		p, err := k.Process("test")
		must(t, err)
		t.Cleanup(func() { p.Close() })
		return p
	}))
	url := serve(t, kernel(t))
	t.Run("remote", run(func(t *testing.T) *client.Process {
		p, err := client.Dial(context.Background(), url, "test")
		must(t, err)
		t.Cleanup(func() { p.Close() })
		return p
	}))
}

// TestLocksBetweenProcesses: flock(2), O_EXLOCK and records of fcntl(2) keep another process out, which waits, and gets the lock when
// it is given up or its owner is gone. Oracles: flock(2), open(2), fcntl(2).
func TestLocksBetweenProcesses(t *testing.T) {
	pairs(t, func(t *testing.T, p, q *client.Process) {
		mine, err := p.Sys().Open("/t/f", abi.O_RDWR|abi.O_CREAT|abi.O_EXLOCK, 0o644)
		must(t, err)
		if _, err := q.Sys().Open("/t/f", abi.O_RDWR|abi.O_SHLOCK|abi.O_NONBLOCK, 0); err != abi.EAGAIN {
			t.Errorf("open with a lock: %v", err)
		}
		his, err := q.Sys().Open("/t/f", abi.O_RDWR, 0)
		must(t, err)
		if err := q.Sys().Flock(his, abi.LOCK_EX|abi.LOCK_NB); err != abi.EAGAIN {
			t.Errorf("flock: %v", err)
		}
		got := make(chan error)
		go func() { got <- q.Sys().Flock(his, abi.LOCK_EX) }()
		must(t, p.Sys().Flock(mine, abi.LOCK_UN))
		must(t, <-got)
		must(t, q.Sys().Flock(his, abi.LOCK_UN))

		record := func() *abi.Flock { return &abi.Flock{Type: abi.F_WRLCK, Whence: abi.SEEK_SET, Start: 2, Len: 3} }
		must(t, p.Sys().FcntlFlock(mine, abi.F_SETLK, record()))
		asked := record()
		must(t, q.Sys().FcntlFlock(his, abi.F_GETLK, asked))
		pid, err := p.Sys().Getpid()
		must(t, err)
		if asked.Type != abi.F_WRLCK || int(asked.Pid) != pid || asked.Start != 2 || asked.Len != 3 {
			t.Errorf("in the way is %+v, the owner is %d", asked, pid)
		}
		go func() { got <- q.Sys().FcntlFlock(his, abi.F_SETLKW, record()) }()
		must(t, p.Close())
		must(t, <-got)
	})
}

// TestAttributesAndFlags: extended attributes in both families of calls, file flags, quotas and revocation, as programs use them.
// Oracles: extattr_get_file(2), chflags(2), revoke(2).
func TestAttributesAndFlags(t *testing.T) {
	pairs(t, func(t *testing.T, p, q *client.Process) {
		sys := p.Sys()
		fd, err := sys.Open("/t/f", abi.O_RDWR|abi.O_CREAT, 0o644)
		must(t, err)
		a := client.Attr{Path: "/t/f", Space: abi.EXTATTR_NAMESPACE_USER, Name: "name"}
		if n, err := sys.ExtattrSet(a, []byte("value")); n != 5 || err != nil {
			t.Errorf("set: %d, %v", n, err)
		}
		b := make([]byte, 16)
		if n, err := q.Sys().Getxattr(client.Xattr{Path: "/t/f"}, "name", b); err != nil || string(b[:n]) != "value" {
			t.Errorf("get: %q, %v", b, err)
		}
		if list, err := q.Sys().ExtattrList(client.Attr{Path: "/t/f", Space: a.Space}); err != nil || !slices.Equal(list, []string{"name"}) {
			t.Errorf("list: %q, %v", list, err)
		}
		must(t, sys.ExtattrDelete(client.Attr{FD: fd, Space: a.Space, Name: a.Name}))
		if _, err := sys.ExtattrGet(a, b); err != abi.ENODATA {
			t.Errorf("get after delete: %v", err)
		}
		must(t, q.Sys().Chflags("/t/f", abi.UF_IMMUTABLE))
		if err := sys.Unlink("/t/f"); err != abi.EPERM {
			t.Errorf("unlink: %v", err)
		}
		must(t, sys.Fchflags(fd, 0))
		quota := abi.QuotactlArgs{QcOp: abi.QUOTACTL_STAT}
		if err := sys.QuotactlFunc("/t", func(client.Lender) []byte { return quota.Append(nil) }); err != abi.EOPNOTSUPP {
			t.Errorf("quotactl: %v", err)
		}
		must(t, q.Sys().Revoke("/t/f"))
		if _, err := sys.Write(fd, b); err != abi.EIO {
			t.Errorf("write: %v", err)
		}
		must(t, sys.Unlink("/t/f"))
	})
}
