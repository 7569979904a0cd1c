package posix

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// process is what makes the calls of one row.
type process struct {
	*kerntest.P
	// fds are the descriptors that it has opened; the tables count them from 0.
	fds []int
}

// call is a word of the tables: it gives a value as text, "" for a call that only succeeds. What it cannot read as arguments is an
// error; errnos of the kernel are results.
type call func(p *process, a []string) (string, abi.Errno, error)

// calls are the words of the tables. A form has a letter for each argument of the system call: p is a path, n a number, f
// flags, d a descriptor that the process has opened, and - nothing, which aligns what follows.
func calls() map[string]call {
	return map[string]call{
		"mkdir": plain(abi.SYS_mkdir, "pn"), "rmdir": plain(abi.SYS_rmdir, "p"), "unlink": plain(abi.SYS_unlink, "p"),
		"link": plain(abi.SYS_link, "pp"), "symlink": plain(abi.SYS_symlink, "pp"), "rename": plain(abi.SYS_rename, "pp"),
		"mkfifo": plain(abi.SYS_mkfifo, "pn"), "chmod": plain(abi.SYS_chmod, "pn"), "lchmod": plain(abi.SYS_lchmod, "pn"),
		"chown": plain(abi.SYS_chown, "pnn"), "lchown": plain(abi.SYS_lchown, "pnn"),
		"chflags": plain(abi.SYS_chflags, "pf"), "lchflags": plain(abi.SYS_lchflags, "pf"),
		"truncate": plain(abi.SYS_truncate, "p-n"), "ftruncate": plain(abi.SYS_ftruncate, "d-n"),
		"posix_fallocate": posixFallocate, "mknod": mknod, "utimensat": utimensat,
		"open": open, "create": create, "bind": bind, "fill": fill, "write": write, "pwrite": pwrite, "pread": pread,
		"stat": statCall(abi.SYS___stat50, "p"), "lstat": statCall(abi.SYS___lstat50, "p"), "fstat": statCall(abi.SYS___fstat50, "d"),
		"pathconf": pathconf,
	}
}

// flag is a name of the tables.
type flag struct {
	name string
	bits int64
}

// flagNames are the flags that the tables have names for; those of a file, which chflags(2) sets, in the order in which stat shows them.
func flagNames() []flag {
	return []flag{
		{"UF_NODUMP", abi.UF_NODUMP}, {"UF_IMMUTABLE", abi.UF_IMMUTABLE}, {"UF_APPEND", abi.UF_APPEND}, {"UF_OPAQUE", abi.UF_OPAQUE},
		{"SF_ARCHIVED", abi.SF_ARCHIVED}, {"SF_IMMUTABLE", abi.SF_IMMUTABLE}, {"SF_APPEND", abi.SF_APPEND},
		{"SF_SNAPSHOT", abi.SF_SNAPSHOT}, {"none", 0},
		{"O_RDONLY", abi.O_RDONLY}, {"O_WRONLY", abi.O_WRONLY}, {"O_RDWR", abi.O_RDWR}, {"O_CREAT", abi.O_CREAT}, {"O_EXCL", abi.O_EXCL},
		{"O_TRUNC", abi.O_TRUNC}, {"O_APPEND", abi.O_APPEND}, {"O_NONBLOCK", abi.O_NONBLOCK}, {"O_NOFOLLOW", abi.O_NOFOLLOW},
		{"O_SHLOCK", abi.O_SHLOCK}, {"O_EXLOCK", abi.O_EXLOCK},
		{"AT_SYMLINK_NOFOLLOW", abi.AT_SYMLINK_NOFOLLOW}, {"_PC_LINK_MAX", abi.PC_LINK_MAX},
		{"UTIME_NOW", abi.UTIME_NOW}, {"UTIME_OMIT", abi.UTIME_OMIT},
	}
}

// number reads a number, 0 before it for octal, or names of flags with "," between.
func number(word string) (int64, error) {
	if n, err := strconv.ParseInt(word, 0, 64); err == nil {
		return n, nil
	}
	var sum int64
	for _, part := range strings.Split(word, ",") {
		found := false
		for _, f := range flagNames() {
			if f.name == part {
				sum, found = sum|f.bits, true
			}
		}
		if !found {
			return 0, fmt.Errorf("%q is no number and no flag", part)
		}
	}
	return sum, nil
}

// pathArg is a path, or an address where there is none.
func pathArg(word string) any {
	switch word {
	case "{null}":
		return nil
	case "{bad}":
		return int64(0xdeadc0de)
	}
	return word
}

// arguments reads the words of a form.
func (p *process) arguments(form string, a []string) ([]any, error) {
	if n := len(form) - strings.Count(form, "-"); n != len(a) {
		return nil, fmt.Errorf("%d arguments, want %d", len(a), n)
	}
	var args []any
	for _, kind := range form {
		if kind == '-' {
			args = append(args, 0)
			continue
		}
		word := a[0]
		a = a[1:]
		if kind == 'p' {
			args = append(args, pathArg(word))
			continue
		}
		n, err := number(word)
		if err == nil && kind == 'd' {
			n, err = p.descriptor(n)
		}
		if err != nil {
			return nil, err
		}
		args = append(args, n)
	}
	return args, nil
}

// descriptor is one that the process has opened.
func (p *process) descriptor(n int64) (int64, error) {
	if n < 0 || n >= int64(len(p.fds)) {
		return 0, fmt.Errorf("no descriptor %d has been opened", n)
	}
	return int64(p.fds[n]), nil
}

// plain is a system call that gives nothing.
func plain(num int, form string) call {
	return func(p *process, a []string) (string, abi.Errno, error) {
		args, err := p.arguments(form, a)
		if err != nil {
			return "", 0, err
		}
		_, errno := p.Call(num, args...)
		return "", errno, nil
	}
}

// posixFallocate: posix_fallocate FD OFFSET LENGTH. The error is the call's value.
func posixFallocate(p *process, a []string) (string, abi.Errno, error) {
	args, err := p.arguments("d-nn", a)
	if err != nil {
		return "", 0, err
	}
	n, errno := p.Call(abi.SYS_posix_fallocate, args...)
	if errno == 0 {
		errno = abi.Errno(n)
	}
	return "", errno, nil
}

// mknod: mknod PATH b|c|f MODE MAJOR MINOR.
func mknod(p *process, a []string) (string, abi.Errno, error) {
	if len(a) != 5 {
		return "", 0, fmt.Errorf("mknod has 5 arguments")
	}
	kind, ok := map[string]int64{"b": abi.S_IFBLK, "c": abi.S_IFCHR, "f": abi.S_IFIFO}[a[1]]
	if !ok {
		return "", 0, fmt.Errorf("mknod makes no %s", a[1])
	}
	args, err := p.arguments("pnnn", []string{a[0], a[2], a[3], a[4]})
	if err != nil {
		return "", 0, err
	}
	dev := kern.Makedev(int(args[2].(int64)), int(args[3].(int64)))
	_, errno := p.Call(abi.SYS___mknod50, args[0], kind|args[1].(int64), dev)
	return "", errno, nil
}

// utimensat: utimensat FD PATH ATIME NANOSECONDS MTIME NANOSECONDS FLAGS.
func utimensat(p *process, a []string) (string, abi.Errno, error) {
	args, err := p.arguments("dpnnnnf", a)
	if err != nil {
		return "", 0, err
	}
	var times []byte
	for _, n := range args[2:6] {
		times = binary.LittleEndian.AppendUint64(times, uint64(n.(int64)))
	}
	_, errno := p.Call(abi.SYS_utimensat, args[0], args[1], times, args[6])
	return "", errno, nil
}

// open: open PATH FLAGS [MODE].
func open(p *process, a []string) (string, abi.Errno, error) {
	form := "pfn"
	if len(a) == 2 {
		form = "pf"
	}
	args, err := p.arguments(form, a)
	if err != nil {
		return "", 0, err
	}
	fd, errno := p.Call(abi.SYS_open, args...)
	if errno == 0 {
		p.fds = append(p.fds, int(fd))
	}
	return "", errno, nil
}

// create: create PATH MODE makes a file, or empties it, and closes it again.
func create(p *process, a []string) (string, abi.Errno, error) {
	args, err := p.arguments("pn", a)
	if err != nil {
		return "", 0, err
	}
	fd, errno := p.Call(abi.SYS_open, args[0], abi.O_WRONLY|abi.O_CREAT|abi.O_TRUNC, args[1])
	if errno == 0 {
		p.Close(int(fd))
	}
	return "", errno, nil
}

// bind: bind PATH makes the name of a local socket.
func bind(p *process, a []string) (string, abi.Errno, error) {
	if len(a) != 1 {
		return "", 0, fmt.Errorf("bind has a path")
	}
	fd, errno := p.Call(abi.SYS___socket30, abi.PF_LOCAL, abi.SOCK_STREAM, 0)
	if errno != 0 {
		return "", errno, nil
	}
	defer p.Close(int(fd))
	addr := append([]byte{byte(2 + len(a[0])), abi.AF_LOCAL}, a[0]...)
	_, errno = p.Call(abi.SYS_bind, fd, addr, len(addr))
	return "", errno, nil
}

// fill: fill PATH N makes a file of N bytes.
func fill(p *process, a []string) (string, abi.Errno, error) {
	args, err := p.arguments("pn", a)
	if err != nil {
		return "", 0, err
	}
	fd, errno := p.Call(abi.SYS_open, args[0], abi.O_WRONLY|abi.O_CREAT|abi.O_TRUNC, 0o644)
	if errno != 0 {
		return "", errno, nil
	}
	defer p.Close(int(fd))
	_, errno = p.Write(int(fd), strings.Repeat("x", int(args[1].(int64))))
	return "", errno, nil
}

// write: write FD DATA.
func write(p *process, a []string) (string, abi.Errno, error) {
	if len(a) != 2 {
		return "", 0, fmt.Errorf("write has a descriptor and data")
	}
	args, err := p.arguments("d", a[:1])
	if err != nil {
		return "", 0, err
	}
	_, errno := p.Call(abi.SYS_write, args[0], []byte(a[1]), len(a[1]))
	return "", errno, nil
}

// pwrite: pwrite FD DATA OFFSET.
func pwrite(p *process, a []string) (string, abi.Errno, error) {
	if len(a) != 3 {
		return "", 0, fmt.Errorf("pwrite has a descriptor, data and an offset")
	}
	args, err := p.arguments("dn", []string{a[0], a[2]})
	if err != nil {
		return "", 0, err
	}
	_, errno := p.Call(abi.SYS_pwrite, args[0], []byte(a[1]), len(a[1]), 0, args[1])
	return "", errno, nil
}

// pread: pread FD LENGTH OFFSET gives the data.
func pread(p *process, a []string) (string, abi.Errno, error) {
	args, err := p.arguments("dnn", a)
	if err != nil {
		return "", 0, err
	}
	b := make([]byte, args[1].(int64))
	n, errno := p.Call(abi.SYS_pread, args[0], b, len(b), 0, args[2])
	return string(b[:max(n, 0)]), errno, nil
}

// pathconf: pathconf PATH NAME gives the value.
func pathconf(p *process, a []string) (string, abi.Errno, error) {
	args, err := p.arguments("pf", a)
	if err != nil {
		return "", 0, err
	}
	n, errno := p.Call(abi.SYS_pathconf, args...)
	return strconv.FormatInt(n, 10), errno, nil
}
