package ptyfs_test

import (
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/ptyfs"
	"github.com/rumpctrl/rumpctrl/component/kern/tty"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/dev/pty"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest"
)

// defaults are the arguments of mount_ptyfs(8) without options.
var defaults = abi.PtyfsArgs{Version: abi.PTYFS_ARGSVERSION, Gid: 4, Mode: 0o620}

// boot makes a kernel with a directory /pts.
func boot(t testing.TB) *kerntest.P {
	t.Helper()
	p := kerntest.Proc(t, kerntest.New(t, rumpvfs.Component(), tty.Component(), ptyfs.Component()))
	p.Must(abi.SYS_mkdir, "/pts", 0o755)
	return p
}

func mountAt(p *kerntest.P, dir string, flags int, data []byte) abi.Errno {
	_, e := p.Call(abi.SYS___mount50, "ptyfs", dir, flags, data, len(data))
	return e
}

// mounted makes a kernel with a ptyfs at /pts.
func mounted(t testing.TB) *kerntest.P {
	t.Helper()
	p := boot(t)
	if e := mountAt(p, "/pts", 0, kerntest.Struct(&defaults)); e != 0 {
		t.Fatal(e)
	}
	return p
}

func ptmx(p *kerntest.P) int { return int(p.Must(abi.SYS_open, "/dev/ptmx", abi.O_RDWR, 0)) }

// slaveName asks a terminal for its name.
func slaveName(p *kerntest.P, fd int) (string, abi.Errno) {
	b := make([]byte, abi.SizeofPtmget)
	_, e := p.Call(abi.SYS_ioctl, fd, abi.TIOCPTSNAME, b)
	var g abi.Ptmget
	g.Decode(b)
	return abi.CString(g.Sn[:]), e
}

func stat(t *testing.T, p *kerntest.P, path string) (st abi.Stat) {
	t.Helper()
	b := make([]byte, abi.SizeofStat)
	p.Must(abi.SYS___lstat50, path, b)
	if err := st.Decode(b); err != nil {
		t.Fatal(err)
	}
	return st
}

// TestConformance runs the part of the suite that is for fixed names, with some terminals.
func TestConformance(t *testing.T) {
	vfstest.RunFixed(t, vfstest.Fixed{
		Boot: func(t testing.TB) (*kern.Kernel, string) {
			p := mounted(t)
			for range 12 {
				ptmx(p)
			}
			return p.K, "/pts"
		},
		Type:    "ptyfs",
		Refused: abi.EROFS,
	})
}

// TestTerminals: a name is there as long as the master is open. Oracles: mount_ptyfs(8), ptm(4).
func TestTerminals(t *testing.T) {
	p := mounted(t)
	user := p.Fork()
	p.Must(abi.SYS_chmod, "/dev/ptmx", 0o666)
	user.Must(abi.SYS_setuid, 1000)
	master := ptmx(user)
	name, e := slaveName(user, master)
	if name != "/pts/0" || e != 0 {
		t.Fatalf("the name is %q, %v", name, e)
	}
	st := stat(t, p, name)
	if st.Mode != abi.S_IFCHR|0o620 || st.Uid != 1000 || st.Gid != 4 || st.Rdev != pty.Dev(0, pty.Slave) || st.Nlink != 1 {
		t.Errorf("%+v", st)
	}
	slave := int(user.Must(abi.SYS_open, name, abi.O_RDWR, 0))
	user.Write(slave, "hello")
	if s, _ := user.Read(master, 100); s != "hello" {
		t.Errorf("read %q", s)
	}
	second := ptmx(user)
	if name, _ := slaveName(user, second); name != "/pts/1" {
		t.Errorf("the second name is %q", name)
	}
	user.Close(master)
	p.Want(abi.ENOENT, abi.SYS___lstat50, "/pts/0", make([]byte, abi.SizeofStat))
	stat(t, p, "/pts/1")
	if s, e := user.Read(slave, 10); s != "" || e != 0 {
		t.Errorf("without a master: %q, %v", s, e)
	}
	for _, other := range []string{"01", "+1", "1x", "-1", "2", "992", "99999999999999999999"} {
		p.Want(abi.ENOENT, abi.SYS___lstat50, "/pts/"+other, make([]byte, abi.SizeofStat))
	}
	third := ptmx(p) // the number is free again
	if name, _ := slaveName(p, third); name != "/pts/0" {
		t.Errorf("the third name is %q", name)
	}
	if st := stat(t, p, "/pts/0"); st.Uid != 0 {
		t.Errorf("it belongs to %d", st.Uid)
	}
}

// TestGrant: the cloning device gives a slave to the user, and closes it for others. Oracle: ptm(4).
func TestGrant(t *testing.T) {
	p := mounted(t)
	master := ptmx(p)
	stale := int(p.Must(abi.SYS_open, "/pts/0", abi.O_RDWR, 0))
	p.Must(abi.SYS_chmod, "/pts/0", 0o600)
	p.Must(abi.SYS_chown, "/pts/0", 7, 8)
	if st := stat(t, p, "/pts/0"); st.Mode&0o777 != 0o600 || st.Uid != 7 || st.Gid != 8 {
		t.Errorf("%+v", st)
	}
	p.Must(abi.SYS_ioctl, master, abi.TIOCGRANTPT, 0)
	if st := stat(t, p, "/pts/0"); st.Mode&0o777 != 0o620 || st.Uid != 0 || st.Gid != 4 {
		t.Errorf("%+v", st)
	}
	if _, e := p.Write(stale, "x"); e != abi.EIO {
		t.Errorf("an open from before: %v", e)
	}
	b := make([]byte, abi.SizeofPtmget)
	ptm := p.Must(abi.SYS_open, "/dev/ptm", abi.O_RDWR, 0)
	p.Must(abi.SYS_ioctl, ptm, abi.TIOCPTMGET, b)
	var g abi.Ptmget
	if err := g.Decode(b); err != nil || abi.CString(g.Sn[:]) != "/pts/1" || abi.CString(g.Cn[:]) != "/dev/null" {
		t.Errorf("%s and %s", abi.CString(g.Cn[:]), abi.CString(g.Sn[:]))
	}
	p.Write(int(g.Sfd), "y")
	if s, _ := p.Read(int(g.Cfd), 10); s != "y" {
		t.Errorf("read %q", s)
	}
}

// TestAttributes: what of the files can be changed. Oracle: chflags(2), chmod(2), utimes(2) and the original's errors.
func TestAttributes(t *testing.T) {
	p := mounted(t)
	ptmx(p)
	p.Want(abi.EINVAL, abi.SYS_chflags, "/pts/0", abi.UF_IMMUTABLE)
	p.Must(abi.SYS_chflags, "/pts/0", abi.UF_NODUMP)
	p.Want(abi.EPERM, abi.SYS_chmod, "/pts", 0o700)
	p.Want(abi.EPERM, abi.SYS_chown, "/pts", 1, 1)
	p.Want(abi.EINVAL, abi.SYS_chflags, "/pts", abi.UF_NODUMP)
	tv := append(kerntest.Struct(&abi.Timeval{Sec: 1}), kerntest.Struct(&abi.Timeval{Sec: 2})...)
	for _, path := range []string{"/pts", "/pts/0"} {
		p.Must(abi.SYS___utimes50, path, tv)
		if st := stat(t, p, path); st.Atim.Sec != 1 || st.Mtim.Sec != 2 {
			t.Errorf("%s: %+v", path, st)
		}
	}
	if st := stat(t, p, "/pts/0"); st.Flags != abi.UF_NODUMP {
		t.Errorf("flags %#x", st.Flags)
	}
}

// TestMany: there are more terminals than names in /dev, and an end to them. Oracle: pty(4), MAXPTYS of the original.
func TestMany(t *testing.T) {
	p := mounted(t)
	limit := binary.LittleEndian.AppendUint64(nil, 2000)
	p.Must(abi.SYS_setrlimit, abi.RLIMIT_NOFILE, append(limit, limit...))
	for range 992 {
		ptmx(p)
	}
	p.Want(abi.ENXIO, abi.SYS_open, "/dev/ptmx", abi.O_RDWR, 0)
	stat(t, p, "/pts/991")
}

// TestMount: arguments, and which of several mounts is used. Oracle: the original's mount(2) of ptyfs.
func TestMount(t *testing.T) {
	p := boot(t)
	good := kerntest.Struct(&defaults)
	newer, older := defaults, defaults
	newer.Version, older.Version = abi.PTYFS_ARGSVERSION+1, 1
	for _, bad := range [][]byte{nil, good[:8], good[:12], append(good, 0), kerntest.Struct(&newer)} {
		if e := mountAt(p, "/pts", 0, bad); e != abi.EINVAL {
			t.Errorf("%d bytes: %v", len(bad), e)
		}
	}
	if e := mountAt(p, "/pts", 0, kerntest.Struct(&older)[:12]); e != 0 {
		t.Errorf("version 1: %v", e)
	}
	if e := mountAt(p, "/pts", abi.MNT_UPDATE, good); e != abi.EOPNOTSUPP {
		t.Errorf("update: %v", e)
	}
	b := make([]byte, abi.SizeofPtyfsArgs)
	b[0] = abi.PTYFS_ARGSVERSION
	p.Must(abi.SYS___mount50, "ptyfs", "/pts", abi.MNT_GETARGS, b, len(b))
	var got abi.PtyfsArgs
	if err := got.Decode(b); err != nil || got != defaults {
		t.Errorf("arguments %+v", got)
	}

	p.Must(abi.SYS_mkdir, "/jail", 0o755)
	p.Must(abi.SYS_mkdir, "/jail/pts", 0o755)
	jailed := p.Fork()
	device := int(p.Must(abi.SYS_open, "/dev/ptm", abi.O_RDWR, 0))
	other := p.Fork()
	if e := mountAt(p, "/jail/pts", 0, good); e != 0 {
		t.Fatal(e)
	}
	master := ptmx(p)
	if name, _ := slaveName(p, master); name != "/pts/0" {
		t.Errorf("the name is %q", name)
	}
	jailed.Must(abi.SYS_chroot, "/jail")
	p.Must(abi.SYS_mkdir, "/jail/dev", 0o755)
	p.Must(abi.SYS___mknod50, "/jail/dev/ptmx", abi.S_IFCHR|0o666, kern.Makedev(pty.PtmMajor, pty.PtmxMinor))
	if name, e := slaveName(jailed, ptmx(jailed)); name != "/pts/1" || e != 0 {
		t.Errorf("in the jail it is %q, %v", name, e)
	}
	p.Must(abi.SYS_mkdir, "/empty", 0o755)
	other.Must(abi.SYS_chroot, "/empty")
	other.Want(abi.EOPNOTSUPP, abi.SYS_ioctl, device, abi.TIOCPTMGET, make([]byte, abi.SizeofPtmget))

	old := int(p.Must(abi.SYS_open, "/dev/ptyp5", abi.O_RDWR, 0))
	if name, _ := slaveName(p, old); name != "/dev/ttyp5" {
		t.Errorf("a terminal of /dev says that it is %q", name)
	}
	p.Want(abi.EBUSY, abi.SYS_unmount, "/pts", 0)
	p.Close(master)
	p.Must(abi.SYS_unmount, "/pts", 0)
	p.Must(abi.SYS_unmount, "/jail/pts", abi.MNT_FORCE)
	if name, _ := slaveName(p, ptmx(p)); name != "/dev/ttyp0" && name != "/dev/ttyp1" {
		t.Errorf("without a mount it is %q", name)
	}
}

// FuzzMount mounts with any arguments: EINVAL or a mount, nothing else.
func FuzzMount(f *testing.F) {
	f.Add(kerntest.Struct(&defaults))
	f.Add(kerntest.Struct(&defaults)[:12])
	f.Fuzz(func(t *testing.T, data []byte) {
		p := boot(t)
		if len(data) == 0 || len(data) > 8192 {
			return
		}
		if e := mountAt(p, "/pts", 0, data); e != 0 && e != abi.EINVAL {
			t.Errorf("%v", e)
		}
	})
}
