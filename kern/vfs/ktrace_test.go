package vfs_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

const (
	traceOps    = abi.KTROP_SET | abi.KTRFACv2
	tracePoints = 0x1be // what ktrace(1) asks for in the recorded session
)

// traceRecord is a record of a trace file.
type traceRecord struct {
	abi.KtrHeader
	data []byte
}

// readTrace splits a trace file into its records.
func readTrace(t *testing.T, b []byte) []traceRecord {
	t.Helper()
	var list []traceRecord
	for len(b) > 0 {
		var r traceRecord
		if err := r.Decode(b); err != nil {
			t.Fatal(err)
		}
		b = b[abi.SizeofKtrHeader:]
		if r.Len < 0 || int(r.Len) > len(b) {
			t.Fatalf("record of %d bytes, %d are left", r.Len, len(b))
		}
		r.data, b = b[:r.Len], b[r.Len:]
		list = append(list, r)
	}
	return list
}

// text is a record without what differs from run to run: process, thread, time and the addresses of arguments.
func (r *traceRecord) text() string {
	switch r.Type {
	case abi.KTR_SYSCALL:
		var s abi.KtrSyscall
		s.Decode(r.data)
		return fmt.Sprint("call ", s.Code, " ", s.Argsize, " ", r.Len)
	case abi.KTR_SYSRET:
		var s abi.KtrSysret
		s.Decode(r.data)
		if s.Code == abi.SYS___getdents30 || s.Code == abi.SYS_lseek {
			s.Retval = 0 // bytes and cookies of a directory are the file system's affair
		}
		return fmt.Sprintf("ret %+v", s)
	}
	return fmt.Sprintf("%d %q", r.Type, r.data)
}

// texts are the records of a file of the kernel.
func texts(t *testing.T, p *kerntest.P, path string) []string {
	t.Helper()
	var list []string
	for _, r := range readTrace(t, contents(p, path)) {
		list = append(list, r.text())
	}
	return list
}

// contents is a file's content.
func contents(p *kerntest.P, path string) []byte {
	fd := open(p, path, abi.O_RDONLY)
	defer p.Close(fd)
	var all []byte
	for {
		s, _ := p.Read(fd, 1<<16)
		if s == "" {
			return all
		}
		all = append(all, s...)
	}
}

// traceTo makes a file and traces a process to it, at the request of p.
func traceTo(p *kerntest.P, path string, facs uint32, pid int) {
	p.Close(open(p, path, abi.O_WRONLY|abi.O_CREAT))
	p.Must(abi.SYS_ktrace, path, traceOps, facs, pid)
}

// TestKtraceRecorded: the calls that "ls /dev" of the C programs makes leave the records that they left in the C kernel:
// testdata/ls.ktrace. What ioctl(2) fills in is the console's, and the C rumpfs has no "." and ".." in its directories.
func TestKtraceRecorded(t *testing.T) {
	raw, err := os.ReadFile("testdata/ls.ktrace")
	if err != nil {
		t.Fatal(err)
	}
	k := boot(t)
	p := kerntest.Proc(t, k)
	watch := kerntest.Proc(t, k)
	clearDev(watch, "zero", "null")
	p.Close(open(p, "/kt", abi.O_WRONLY|abi.O_CREAT))
	p.Must(abi.SYS_ktrace, "/kt", traceOps, tracePoints, p.PID)
	if err := p.Exec("ls"); err != nil {
		t.Fatal(err)
	}
	lsDev(p)
	watch.Must(abi.SYS_ktrace, "/kt", abi.KTROP_CLEARFILE, 0, 0)

	got, want := readTrace(t, contents(watch, "/kt")), readTrace(t, raw)
	if len(got) != len(want) {
		t.Fatalf("%d records, the C kernel makes %d", len(got), len(want))
	}
	for i := range got {
		g, w := &got[i], &want[i]
		same := g.text() == w.text()
		if g.Type == abi.KTR_GENIO {
			same = bytes.Equal(g.data[:8], w.data[:8])
		}
		if !same || g.Version != w.Version || abi.CString(g.Comm[:]) != "ls" || int(g.Pid) != p.PID {
			t.Errorf("record %d: %s\nthe C kernel's: %s", i, g.text(), w.text())
		}
		if i > 0 && g.V2Lid()-got[i-1].V2Lid() != w.V2Lid()-want[i-1].V2Lid() {
			t.Errorf("record %d: thread %d after %d", i, g.V2Lid(), got[i-1].V2Lid())
		}
	}
}

// clearDev leaves only some names in /dev.
func clearDev(p *kerntest.P, keep ...string) {
	fd := open(p, "/dev", abi.O_RDONLY)
	defer p.Close(fd)
	b := make([]byte, 4096)
	n := p.Must(abi.SYS___getdents30, fd, b, len(b))
	for b = b[:n]; len(b) > 0; b = b[binary.LittleEndian.Uint16(b[abi.DirentOffReclen:]):] {
		name := abi.CString(b[abi.DirentOffName:])
		if !slices.Contains(keep, name) && !strings.HasPrefix(name, ".") {
			p.Must(abi.SYS_unlink, "/dev/"+name)
		}
	}
}

// lsDev makes the calls of the recorded "ls /dev", in order.
func lsDev(p *kerntest.P) {
	buf, dents := make([]byte, 4096), make([]byte, 4096)
	sysctl := func(n int, mib ...int32) {
		size := make([]byte, 8)
		size[0] = byte(n)
		p.Call(abi.SYS___sysctl, kerntest.Ints(mib...), len(mib), buf, size, nil, 0)
	}
	sysctl(64, abi.CTL_KERN, abi.KERN_ARND)
	p.Must(abi.SYS_issetugid)
	p.Must(abi.SYS_ioctl, 1, uint64(abi.TIOCGETA), buf)
	p.Want(abi.ENOTTY, abi.SYS_ioctl, 1, uint64(abi.TIOCGWINSZ), buf)
	p.Must(abi.SYS_getuid)
	p.Must(abi.SYS___stat50, "/dev", buf)
	p.Must(abi.SYS_open, ".", abi.O_RDONLY|abi.O_CLOEXEC, 0)
	p.Must(abi.SYS_fchdir, 3)
	p.Must(abi.SYS_open, "/dev", abi.O_RDONLY|abi.O_NONBLOCK, 1)
	p.Must(abi.SYS_fstatvfs1, 4, buf, 2)
	sysctl(4, abi.CTL_HW, abi.HW_PAGESIZE)
	p.Must(abi.SYS_lseek, 4, 0, 0, abi.SEEK_CUR)
	p.Must(abi.SYS___getdents30, 4, dents, len(dents))
	p.Must(abi.SYS_lseek, 4, 0, 0, abi.SEEK_CUR)
	p.Must(abi.SYS___getdents30, 4, dents, len(dents))
	p.Must(abi.SYS_close, 4)
	p.Must(abi.SYS___fstat50, 1, buf)
	p.Must(abi.SYS_ioctl, 1, uint64(abi.TIOCGETA), buf)
	p.Must(abi.SYS_fchdir, 3)
	p.Must(abi.SYS_close, 3)
}

// TestKtraceRecords: each kind of record by itself, as ktrace(2) has it; data longer than a page in several records.
func TestKtraceRecords(t *testing.T) {
	big := strings.Repeat("x", 5000)
	for _, c := range []struct {
		point int
		do    func(p *kerntest.P)
		want  []string
	}{
		{abi.KTR_SYSCALL, func(p *kerntest.P) { p.Call(abi.SYS_close, 77); p.Call(9999) }, []string{"call 6 8 16", "call 9999 0 8"}},
		{abi.KTR_SYSRET, func(p *kerntest.P) { p.Call(abi.SYS_close, 77) }, []string{"ret {Code:6 Eosys:0 Error:9 Retval:0 Retval1:0}"}},
		{abi.KTR_NAMEI, func(p *kerntest.P) { p.Call(abi.SYS_rename, "/no", "/nono"); p.Call(abi.SYS_rmdir, "") },
			[]string{`3 "/no\x00"`}},
		{abi.KTR_GENIO, func(p *kerntest.P) { p.Write(5, big); p.Call(abi.SYS_pread, 5, make([]byte, 3), 3, 0, 4999) }, []string{
			fmt.Sprintf("4 %q", "\x05\x00\x00\x00\x01\x00\x00\x00"+big[:4088]), fmt.Sprintf("4 %q", "\x05\x00\x00\x00\x01\x00\x00\x00"+big[4088:]),
			`4 "\x05\x00\x00\x00\x00\x00\x00\x00x"`}},
		{abi.KTR_PSIG, func(p *kerntest.P) { p.Signal(abi.SIGUSR1); p.Must(abi.SYS_getpid) },
			[]string{fmt.Sprintf("5 %q", (&abi.KtrPsig{Signo: abi.SIGUSR1}).Append(nil))}},
		{abi.KTR_EMUL, func(p *kerntest.P) { p.Write(5, "x"); p.Exec("other"); p.Write(5, "x") },
			[]string{`7 "netbsd-rump"`, `7 "netbsd-rump"`}},
		{abi.KTR_USER, func(p *kerntest.P) {
			p.Must(abi.SYS_utrace, "label", []byte("data"), 4)
			p.Want(abi.ENOSPC, abi.SYS_utrace, "label", make([]byte, 3000), 2049)
			p.Want(abi.EFAULT, abi.SYS_utrace, "bad", 1, 4)
		}, []string{`8 "label` + strings.Repeat(`\x00`, 15) + `data"`, `8 "bad` + strings.Repeat(`\x00`, 17) + `"`}},
		{abi.KTR_MIB, func(p *kerntest.P) { p.SysctlMIB(abi.CTL_KERN, abi.KERN_OSTYPE) },
			[]string{`14 "\x01\x00\x00\x00\x01\x00\x00\x00"`, `14 "\x01\x00\x00\x00\x01\x00\x00\x00"`}},
	} {
		p := newProc(t)
		p.Must(abi.SYS_dup2, open(p, "/data", abi.O_RDWR|abi.O_CREAT), 5)
		traceTo(p, "/kt", 1<<c.point, p.PID)
		c.do(p)
		kerntest.Proc(t, p.K).Must(abi.SYS_ktrace, nil, abi.KTROP_CLEAR, uint32(abi.KTRFAC_MASK), p.PID)
		if got := texts(t, p, "/kt"); !slices.Equal(got, c.want) {
			t.Errorf("point %d:\n%q\nwant\n%q", c.point, got, c.want)
		}
	}
}

// TestKtraceVersions: the three layouts of the header. Oracle: struct ktr_header of the ABI.
func TestKtraceVersions(t *testing.T) {
	for version := range 3 {
		p := newProc(t)
		p.Close(open(p, "/kt", abi.O_WRONLY|abi.O_CREAT))
		p.Must(abi.SYS_ktrace, "/kt", abi.KTROP_SET|version<<abi.KTRFAC_VER_SHIFT, abi.KTRFAC_SYSCALL, p.PID)
		p.Must(abi.SYS_getpid)
		r := readTrace(t, contents(kerntest.Proc(t, p.K), "/kt"))[0]
		now, sec, lid := p.K.Now().Unix(), int64(0), int32(0)
		switch version {
		case 0:
			sec = int64(r.V0TvSec())
		case 1:
			sec, lid = int64(r.V1TsSec()), r.V1Lid()
		case 2:
			sec, lid = r.V2Ts().Sec, r.V2Lid()
		}
		if int(r.Version) != version || sec == 0 || sec > now || (lid > 0) != (version > 0) {
			t.Errorf("version %d: %+v", version, r)
		}
	}
	newProc(t).Want(abi.EINVAL, abi.SYS_ktrace, "/dev/null", abi.KTROP_CLEAR|3<<abi.KTRFAC_VER_SHIFT, 2, 2)
}

// TestKtraceInherit: a child is traced if KTRFAC_INHERIT says so; KTRFLAG_DESCEND reaches those that are there.
func TestKtraceInherit(t *testing.T) {
	p := newProc(t)
	pids := func(path string) (list []int32) {
		for _, r := range readTrace(t, contents(kerntest.Proc(t, p.K), path)) {
			list = append(list, r.Pid)
		}
		return slices.Compact(list)
	}
	before := p.Fork()
	traceTo(p, "/inherit", abi.KTRFAC_SYSCALL|abi.KTRFAC_INHERIT, p.PID)
	child := p.Fork()
	grandchild := child.Fork()
	for _, q := range []*kerntest.P{p, child, grandchild, before} {
		q.Must(abi.SYS_getpid)
	}
	if got, want := pids("/inherit"), []int32{int32(p.PID), int32(child.PID), int32(grandchild.PID)}; !slices.Equal(got, want) {
		t.Errorf("processes %v are traced, want %v", got, want)
	}
	kerntest.Proc(t, p.K).Must(abi.SYS_ktrace, "/inherit", abi.KTROP_CLEARFILE, 0, 0)

	other := kerntest.Proc(t, p.K)
	traceTo(other, "/tree", abi.KTRFAC_SYSCALL, p.PID)
	p.Fork().Must(abi.SYS_getpid)
	other.Must(abi.SYS_ktrace, "/tree", traceOps|abi.KTRFLAG_DESCEND, abi.KTRFAC_SYSCALL, child.PID)
	for _, q := range []*kerntest.P{p, child, grandchild, before} {
		q.Must(abi.SYS_getpid)
	}
	if got, want := pids("/tree"), []int32{int32(p.PID), int32(child.PID), int32(grandchild.PID)}; !slices.Equal(got, want) {
		t.Errorf("processes %v are traced, want %v", got, want)
	}
	other.Must(abi.SYS_ktrace, nil, abi.KTROP_CLEAR|abi.KTRFLAG_DESCEND, uint32(abi.KTRFAC_MASK), 1)
	size := len(contents(other, "/tree"))
	grandchild.Must(abi.SYS_getpid)
	if got := len(contents(other, "/tree")); got != size {
		t.Error("traced after everything was cleared")
	}
}

// TestKtraceErrors: ERRORS of ktrace(2).
func TestKtraceErrors(t *testing.T) {
	p := newProc(t)
	tree(p, "f", "d/", "fifo|")
	p.Must(abi.SYS_chmod, "/f", 0666)
	const on = abi.KTRFAC_SYSCALL
	p.Want(abi.ENOENT, abi.SYS_ktrace, "/nope", traceOps, on, p.PID)
	p.Want(abi.EISDIR, abi.SYS_ktrace, "/d", traceOps, on, p.PID)
	p.Want(abi.EACCES, abi.SYS_ktrace, "/dev/null", traceOps, on, p.PID)
	p.Want(abi.EACCES, abi.SYS_ktrace, "/fifo", traceOps, on, p.PID)
	p.Want(abi.EFAULT, abi.SYS_ktrace, nil, traceOps, on, p.PID)
	p.Want(abi.EINVAL, abi.SYS_ktrace, "/f", traceOps, 0, p.PID)
	p.Want(abi.EINVAL, abi.SYS_ktrace, "/f", 3, on, p.PID)
	p.Want(abi.ESRCH, abi.SYS_ktrace, "/f", traceOps, on, 30000)
	p.Want(abi.ESRCH, abi.SYS_ktrace, "/f", traceOps, on, -30000)
	p.Want(abi.EBADF, abi.SYS_fktrace, 77, traceOps, on, p.PID)
	p.Want(abi.EBADF, abi.SYS_fktrace, open(p, "/f", abi.O_RDONLY), traceOps, on, p.PID)

	user, same, other := as(p, 5), as(p, 5), as(p, 6)
	user.Must(abi.SYS_ktrace, "/f", traceOps, on, same.PID)
	user.Want(abi.EPERM, abi.SYS_ktrace, "/f", traceOps, on, other.PID)
	other.Want(abi.EPERM, abi.SYS_ktrace, "/f", abi.KTROP_CLEARFILE, 0, 0)
	other.Want(abi.EPERM, abi.SYS_ktrace, nil, abi.KTROP_CLEAR, on, same.PID)
	p.Must(abi.SYS_ktrace, "/f", traceOps, on, same.PID)
	user.Want(abi.EPERM, abi.SYS_ktrace, nil, abi.KTROP_CLEAR, on, same.PID)
	p.Must(abi.SYS_ktrace, "/f", abi.KTROP_CLEARFILE, 0, 0)
	user.Must(abi.SYS_ktrace, nil, abi.KTROP_CLEAR, on, same.PID)
}

// TestKtraceFull: a trace that cannot be written to ends, the traced process goes on, and the kernel says so.
func TestKtraceFull(t *testing.T) {
	p := newProc(t)
	full := open(p, "/dev/full-or-rdonly", abi.O_WRONLY|abi.O_CREAT)
	f, err := p.Desc.Get(full)
	if err != nil {
		t.Fatal(err)
	}
	th := p.K.KernelThread()
	defer f.Release(th)
	p.Must(abi.SYS_fktrace, full, traceOps, abi.KTRFAC_SYSCALL|abi.KTRFAC_INHERIT, p.PID)
	child := p.Fork()
	p.Must(abi.SYS_lseek, full, 0, int64(1<<63-1), abi.SEEK_SET)
	for range 3 {
		p.Must(abi.SYS_getpid)
		child.Must(abi.SYS_getpid)
	}
	const want = "ktrace write failed, errno 27, tracing stopped"
	if got := strings.Count(string(p.K.Msgbuf.Bytes()), want); got != 1 {
		t.Errorf("%q was said %d times", want, got)
	}
	p.Must(abi.SYS_ktrace, nil, abi.KTROP_CLEAR, abi.KTRFAC_SYSCALL, p.PID)
}

// TestKtracePipe: a trace to a pipe is read while it is made; one whose reader goes away ends silently; the end of a
// process interrupts its wait for a reader.
func TestKtracePipe(t *testing.T) {
	p := newProc(t)
	r, w := p.Pipe()
	reader := p.Fork()
	reader.Close(w)
	p.Close(r)
	p.Must(abi.SYS_fktrace, w, traceOps, abi.KTRFAC_SYSCALL, p.PID)
	p.Close(w)
	p.Must(abi.SYS_getpid)
	got, _ := reader.Read(r, 4096)
	if list := readTrace(t, []byte(got)); len(list) != 2 || list[0].text() != "call 6 8 16" || list[1].text() != "call 20 0 8" {
		t.Errorf("%q", got)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			if _, errno := p.Call(abi.SYS_getppid); errno != 0 {
				return
			}
		}
	})
	p.Exit()
	wait.Wait()

	q := kerntest.Proc(t, p.K)
	r, w = q.Pipe()
	q.Must(abi.SYS_fktrace, w, traceOps, abi.KTRFAC_SYSCALL, q.PID)
	q.Close(r)
	q.Must(abi.SYS_getpid)
	if log := string(q.K.Msgbuf.Bytes()); strings.Contains(log, "ktrace") {
		t.Errorf("log: %s", log)
	}
}

// TestKtraceThreads: the records of many threads of several processes in one file are whole, and none is lost.
func TestKtraceThreads(t *testing.T) {
	p := newProc(t)
	traceTo(p, "/kt", abi.KTRFAC_SYSCALL|abi.KTRFAC_SYSRET|abi.KTRFAC_INHERIT, p.PID)
	procs := []*kerntest.P{p, p.Fork(), p.Fork()}
	const calls = 50
	var wait sync.WaitGroup
	for _, q := range procs {
		for range 3 {
			wait.Go(func() {
				for range calls {
					q.Must(abi.SYS_getpid)
				}
			})
		}
	}
	wait.Wait()
	watch := kerntest.Proc(t, p.K)
	watch.Must(abi.SYS_ktrace, "/kt", abi.KTROP_CLEARFILE, 0, 0)
	count := map[string]int{}
	for _, r := range texts(t, watch, "/kt") {
		count[strings.Fields(r)[0]]++
	}
	if n := calls * 9; count["call"] != n || count["ret"] != n {
		t.Errorf("%v, want %d of each", count, n)
	}
}

// TestUntracedAllocs: a process that is not traced pays nothing for tracing.
func TestUntracedAllocs(t *testing.T) {
	p := newProc(t)
	th := p.K.KernelThread()
	data, path := make([]byte, 64), []byte("/dev/null")
	if n := testing.AllocsPerRun(100, func() {
		th.KtraceIO(1, abi.UIO_READ, data)
		th.KtraceNamei(path)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
