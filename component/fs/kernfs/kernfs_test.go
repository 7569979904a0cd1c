package kernfs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/kernfs"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest"
)

// mounted makes a kernel with a kernfs at /kern.
func mounted(t testing.TB, cfg kern.Config) *kerntest.P {
	t.Helper()
	cfg.Components = []*kern.Component{rumpvfs.Component(), kernfs.Component()}
	p := kerntest.Proc(t, kerntest.NewConfig(t, cfg))
	p.Must(abi.SYS_mkdir, "/kern", 0o755)
	p.Must(abi.SYS___mount50, "kernfs", "/kern", 0, nil, 0)
	return p
}

// TestConformance runs the part of the suite that is for fixed names.
func TestConformance(t *testing.T) {
	vfstest.RunFixed(t, vfstest.Fixed{
		Boot:    func(t testing.TB) (*kern.Kernel, string) { return mounted(t, kern.Config{}).K, "/kern" },
		Type:    "kernfs",
		Refused: abi.EROFS,
	})
}

func open(p *kerntest.P, name string, flags int) int {
	return int(p.Must(abi.SYS_open, "/kern/"+name, flags, 0))
}

// contents reads a file in pieces of n bytes.
func contents(t *testing.T, p *kerntest.P, name string, n int) string {
	t.Helper()
	fd := open(p, name, abi.O_RDONLY)
	defer p.Close(fd)
	var all strings.Builder
	for {
		s, e := p.Read(fd, n)
		if e != 0 {
			t.Fatalf("%s: %v", name, e)
		}
		if s == "" {
			return all.String()
		}
		all.WriteString(s)
	}
}

// TestFiles: what the files say. Oracle: mount_kernfs(8), and sysctl(7) for the values.
func TestFiles(t *testing.T) {
	p := mounted(t, kern.Config{Hostname: "knight", MemLimit: 64 << 20})
	p.K.Logf("a message\n")
	fixed := map[string]string{
		"boottime": fmt.Sprintf("%d\n", p.K.BootTime().Unix()),
		"hostname": "knight\n", "hz": "100\n", "pagesize": "4096\n", "physmem": "16384\n",
		"version": "NetBSD 7.99.34 (RUMP-ROAST)\n", "msgbuf": string(p.K.Msgbuf.Bytes()),
	}
	for name, want := range fixed {
		for _, n := range []int{1, 3, 4096} {
			if got := contents(t, p, name, n); got != want {
				t.Errorf("%s in pieces of %d: %q, want %q", name, n, got, want)
			}
		}
		b := make([]byte, abi.SizeofStat)
		p.Must(abi.SYS___stat50, "/kern/"+name, b)
		var st abi.Stat
		if err := st.Decode(b); err != nil || st.Size != int64(len(want)) {
			t.Errorf("%s: %d bytes, %v", name, st.Size, err)
		}
		if at := p.K.BootTime().Unix(); name == "boottime" && st.Mtim.Sec != at {
			t.Errorf("boottime is of %d, not %d", st.Mtim.Sec, at)
		}
	}
	if !strings.HasSuffix(fixed["msgbuf"], "a message\n") || !strings.HasPrefix(contents(t, p, "copyright", 100), "Copyright (c)") {
		t.Errorf("messages %q", fixed["msgbuf"])
	}
	p.K.SetTime(time.Unix(1e9, 5e8))
	var sec, usec int64
	if _, err := fmt.Sscanf(contents(t, p, "time", 100), "%d %d\n", &sec, &usec); err != nil || sec < 1e9 || sec > 1e9+3600 || usec >= 1e6 {
		t.Errorf("the time is %d %d, %v", sec, usec, err)
	}
	user := p.Fork()
	user.Must(abi.SYS_setuid, 1000)
	for name := range fixed {
		user.Want(abi.EACCES, abi.SYS_open, "/kern/"+name, abi.O_RDWR, 0)
		user.Must(abi.SYS_open, "/kern/"+name, abi.O_RDONLY, 0)
	}
}

// TestHostname writes it. Oracle: mount_kernfs(8), hostname; the errors are the original's.
func TestHostname(t *testing.T) {
	p := mounted(t, kern.Config{Hostname: "old"})
	for text, want := range map[string]string{"new\n": "new", "plain": "plain", "two\nlines\n": "two\nlines", "cut\x00off": "cut", "\n": ""} {
		fd := open(p, "hostname", abi.O_WRONLY|abi.O_TRUNC)
		if n, e := p.Write(fd, text); n != len(text) || e != 0 {
			t.Errorf("writing %q: %d, %v", text, n, e)
		}
		if got := p.K.Hostname(); got != want {
			t.Errorf("%q makes it %q", text, got)
		}
		if _, e := p.Write(fd, "more"); e != abi.EINVAL {
			t.Errorf("writing on: %v", e)
		}
		p.Close(fd)
	}
	fd := open(p, "hostname", abi.O_RDWR)
	if _, e := p.Write(fd, strings.Repeat("x", 256)); e != abi.EIO {
		t.Errorf("256 bytes: %v", e)
	}
	if n, e := p.Write(fd, strings.Repeat("x", 255)); n != 255 || e != 0 {
		t.Errorf("255 bytes: %d, %v", n, e)
	}
	if got := contents(t, p, "hostname", 1000); len(got) != 256 {
		t.Errorf("%d bytes", len(got))
	}
	p.Want(abi.EOPNOTSUPP, abi.SYS_chmod, "/kern/hostname", 0o600)
	p.Want(abi.EOPNOTSUPP, abi.SYS_chmod, "/kern", 0o700)
	p.Want(abi.EIO, abi.SYS_write, open(p, "version", abi.O_RDWR), []byte("x"), 1) // root may open it
}

// TestMount: no arguments, flags that can be changed. Oracle: mount(2).
func TestMount(t *testing.T) {
	p := mounted(t, kern.Config{})
	p.Must(abi.SYS___mount50, "kernfs", "/kern", abi.MNT_GETARGS, nil, 0)
	p.Must(abi.SYS___mount50, "kernfs", "/kern", abi.MNT_UPDATE|abi.MNT_RDONLY, nil, 0)
	p.Want(abi.EROFS, abi.SYS_open, "/kern/hostname", abi.O_RDWR, 0)
	p.Must(abi.SYS_unmount, "/kern", 0)
}
