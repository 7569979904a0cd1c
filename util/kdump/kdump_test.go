package kdump_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/kdump"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// dump prints a trace from standard input.
func dump(trace []byte, args ...string) (string, int) {
	var out bytes.Buffer
	status := util.Run(context.Background(), &kdump.Utility, &util.Env{
		Args: append([]string{"kdump", "-f", "-"}, args...), Stdin: bytes.NewReader(trace), Stdout: &out, Stderr: &out,
		Getenv: func(string) string { return "" },
	})
	return out.String(), status
}

// recorded is what "ktrace ls /dev" of the C programs wrote on a C kernel.
func recorded(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/ls.ktrace")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// record is a record of process 7, thread 3, "prog".
func record(version, typ int16, sec, nsec int64, data ...byte) []byte {
	h := abi.KtrHeader{Len: int32(len(data)), Type: typ, Version: version, Pid: 7}
	abi.PutCString(h.Comm[:], "prog")
	switch version {
	case 0:
		h.SetV0TvSec(int32(sec))
		h.SetV0TvUsec(nsec / 1000)
	case 1:
		h.SetV1TsSec(int32(sec))
		h.SetV1TsNsec(nsec)
		h.SetV1Lid(3)
	default:
		h.SetV2Ts(abi.Timespec{Sec: sec, Nsec: nsec})
		h.SetV2Lid(3)
	}
	return append(h.Append(nil), data...)
}

// TestRecorded: the C kernel's trace, printed: testdata/ls.kdump, written down from the records' bytes by kdump(1).
func TestRecorded(t *testing.T) {
	want, err := os.ReadFile("testdata/ls.kdump")
	if err != nil {
		t.Fatal(err)
	}
	if got, status := dump(recorded(t)); got != string(want) || status != 0 {
		t.Errorf("[%d]\n%s", status, got)
	}
}

// TestLayout: every call of the C kernel's trace has the arguments that the table of calls says, and every record
// has the length of its structure. Oracle: the recorded file.
func TestLayout(t *testing.T) {
	trace := kdump.NewReader(bytes.NewReader(recorded(t)))
	var r kdump.Record
	n := 0
	for ; trace.Next(&r) == nil; n++ {
		switch r.Type {
		case abi.KTR_SYSCALL:
			var s abi.KtrSyscall
			if err := s.Decode(r.Data); err != nil {
				t.Fatal(err)
			}
			if args := abi.SyscallByNum(int(s.Code)).Args; int(s.Argsize) != 8*len(args) || len(r.Data) != abi.SizeofKtrSyscall+8*len(args) {
				t.Errorf("call %d: %d bytes of arguments, %d in the table", s.Code, s.Argsize, len(args))
			}
		case abi.KTR_SYSRET:
			if len(r.Data) != abi.SizeofKtrSysret {
				t.Errorf("record %d: %d bytes", n, len(r.Data))
			}
		}
		if r.PID != 2 || r.Comm != "ls" || r.Version != 2 || r.LWP < 6 {
			t.Errorf("record %d: %+v", n, r)
		}
	}
	if n != 48 {
		t.Errorf("%d records", n)
	}
}

func syscallData(num int32, args ...uint64) []byte {
	b := (&abi.KtrSyscall{Code: num, Argsize: int32(8 * len(args))}).Append(nil)
	for _, a := range args {
		for i := range 8 {
			b = append(b, byte(a>>(8*i)))
		}
	}
	return b
}

// TestRecords: one record of each kind. Oracle: kdump(1) and the formats of NetBSD's.
func TestRecords(t *testing.T) {
	sysret := func(code int16, errno int32, v, v1 int64) []byte {
		return (&abi.KtrSysret{Code: code, Error: errno, Retval: v, Retval1: v1}).Append(nil)
	}
	genio := append((&abi.KtrGenio{Fd: 4, Rw: abi.UIO_WRITE}).Append(nil), "a\"b\\\n\t\x00\x001\x7f\x80\xe9 \xa0"...)
	caught := abi.KtrPsig{Signo: abi.SIGHUP, Action: 0x400, Mask: abi.Sigset{Bits: [4]uint32{6}}}
	user := append((&abi.KtrUser{Id: [20]byte{'m', 'e'}}).Append(nil), 1, 0xab)
	for _, c := range []struct {
		args string
		typ  int16
		data []byte
		want string
	}{
		{"", abi.KTR_SYSCALL, syscallData(abi.SYS_read, 3, 0x1000, 10), "CALL  read(3,0x1000,0xa)"},
		{"-d", abi.KTR_SYSCALL, syscallData(abi.SYS_read, 3, 0x1000, ^uint64(0)), "CALL  read(3,4096,-1)"},
		{"-N", abi.KTR_SYSCALL, syscallData(abi.SYS_getpid), "CALL  [20]"},
		{"", abi.KTR_SYSCALL, syscallData(9999, 1), "CALL  [9999](1)"},
		{"", abi.KTR_SYSCALL, syscallData(abi.SYS_ioctl, 1, abi.TIOCGWINSZ, 0), "CALL  ioctl(1,TIOCGWINSZ,0)"},
		{"-n", abi.KTR_SYSCALL, syscallData(abi.SYS_ioctl, 1, abi.TIOCGWINSZ, 0), "CALL  ioctl(1,0x40087468,0)"},
		{"", abi.KTR_SYSCALL, syscallData(abi.SYS_ioctl, 1, 0xc010aa01, 0), "CALL  ioctl(1,_IOWR(0xaa,0x1,0x10),0)"},
		{"", abi.KTR_SYSCALL, syscallData(abi.SYS_fcntl, 1, abi.F_SETFL, 4), "CALL  fcntl(1,F_SETFL,4)"},
		{"", abi.KTR_SYSCALL, syscallData(abi.SYS_kill, 20, abi.SIGTERM), "CALL  kill(0x14, SIGTERM)"},
		{"", abi.KTR_SYSCALL, syscallData(abi.SYS_read, 3)[:12], "CALL  read"},
		{"", abi.KTR_SYSRET, sysret(5, 0, 3, 0), "RET   open 3"},
		{"", abi.KTR_SYSRET, sysret(20, 0, 18, 1), "RET   getpid 18/0x12, 1"},
		{"-n", abi.KTR_SYSRET, sysret(20, 0, 18, 0), "RET   getpid 0x12"},
		{"-nn", abi.KTR_SYSRET, sysret(20, 0, 18, 0), "RET   [20] 0x12"},
		{"", abi.KTR_SYSRET, sysret(54, 25, 0, 0), "RET   ioctl -1 errno 25 Inappropriate ioctl for device"},
		{"-n", abi.KTR_SYSRET, sysret(54, 25, 0, 0), "RET   ioctl -1 errno 25"},
		{"", abi.KTR_SYSRET, sysret(3, -3, 0, 0), "RET   read RESTART"},
		{"", abi.KTR_SYSRET, sysret(3, -2, 0, 0), "RET   read JUSTRETURN"},
		{"", abi.KTR_SYSRET, sysret(3, 0, 5, 9)[:16], "RET   read 5"},
		{"", abi.KTR_NAMEI, []byte("/dev\x00"), `NAMI  "/dev"`},
		{"", abi.KTR_NAMEI, []byte("/old"), `NAMI  "/old"`},
		{"", abi.KTR_EMUL, []byte("netbsd"), `EMUL  "netbsd"`},
		{"", abi.KTR_GENIO, genio, "GIO   fd 4 wrote 14 bytes\n       " + `"a\"b\\\n` + "\t" + `\0\0001\^?\M^@\M-i \240"`},
		{"-m3", abi.KTR_GENIO, genio, "GIO   fd 4 wrote 14 bytes\n       " + `"a\"b"`},
		{"-m0", abi.KTR_GENIO, genio, "GIO   fd 4 wrote 14 bytes"},
		{"-x", abi.KTR_GENIO, genio, "GIO   fd 4 wrote 14 bytes\n\t000   61 22 62 5c 0a 09 00 00  31 7f 80 e9 20 a0       a\"b\\....1....."},
		{"-X4", abi.KTR_GENIO, genio[:16], "GIO   fd 4 wrote 8 bytes\n\t000     5c622261   0000090a                        a\"b\\...."},
		{"", abi.KTR_PSIG, (&abi.KtrPsig{Signo: abi.SIGINT}).Append(nil), "PSIG  SIGINT SIG_DFL"},
		{"", abi.KTR_PSIG, caught.Append(nil), "PSIG  SIGHUP caught handler=0x400 mask=(2,3)"},
		{"", abi.KTR_PSIG, append((&abi.KtrPsig{Signo: abi.SIGINT}).Append(nil), make([]byte, 128)...),
			"PSIG  SIGINT SIG_DFL: code=SI_USER sent by pid=0, uid=0"},
		{"", abi.KTR_CSW, (&abi.KtrCsw{Out: 1, User: 1}).Append(nil), "CSW   stop user"},
		{"", abi.KTR_USER, user, "MISC  me: 2, 01ab"},
		{"-x", abi.KTR_USER, user, "MISC  me:\n\t000   01 ab                                            .."},
		{"", abi.KTR_MIB, []byte{1, 0, 0, 0, 10, 0, 0, 0}, "MIB   1.10"},
		{"", abi.KTR_EXEC_ARG, []byte("ls"), `ARG   "ls"`},
		{"", abi.KTR_EXEC_FD, (&abi.KtrExecfd{Fd: 3, Dtype: abi.DTYPE_PIPE}).Append(nil), "FD    pipe 3"},
		{"", 20, []byte("x"), "UNKNOWN(20)  \n\t000   78                                               x"},
		{"", abi.KTR_SYSRET, []byte("x"), "RET   [1 bytes]\n\t000   78                                               x"},
	} {
		want := "     7      3 prog     " + c.want + "\n"
		if got, status := dump(record(2, c.typ, 1, 2, c.data...), strings.Fields(c.args)...); got != want || status != 0 {
			t.Errorf("kdump %s\n%q\nwant\n%q", c.args, got, want)
		}
	}
}

// TestHex: lines that repeat are printed once, and stars; a single one is printed again. Oracle: kdump -x.
func TestHex(t *testing.T) {
	head := (&abi.KtrGenio{Fd: 1}).Append(nil)
	line := func(off int, c byte) string {
		hex := strings.TrimRight(strings.Repeat(fmt.Sprintf("%02x ", c), 8), " ")
		return fmt.Sprintf("\t%03x   %s  %s %s\n", off, hex, hex, strings.Repeat(string(rune(c)), 16))
	}
	for _, c := range []struct {
		same int
		want string
	}{
		{1, line(0, 'a') + line(16, 'b')},
		{2, line(0, 'a') + line(16, 'a') + line(32, 'b')},
		{3, line(0, 'a') + "\t***\n" + line(48, 'b')},
	} {
		data := strings.Repeat("a", 16*c.same) + strings.Repeat("b", 16)
		got, _ := dump(record(2, abi.KTR_GENIO, 1, 1, append(head, data...)...), "-x")
		if _, got, _ = strings.Cut(got, "\n"); got != c.want {
			t.Errorf("%d lines:\n%s\nwant:\n%s", c.same, got, c.want)
		}
	}
}

// TestTimes: -T, -R, -E in the three versions of the header. Oracle: kdump(1), struct ktr_header.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		version int16
		option  string
		want    [3]string
	}{
		{0, "-T", [3]string{"     7 prog     5.900000", "     7 prog     7.100000", "     7 prog     7.200000"}},
		{1, "-T", [3]string{"     7      3 prog     5.900000000", "     7      3 prog     7.100000000", "     7      3 prog     7.200000000"}},
		{2, "-R", [3]string{"     7      3 prog     0.000000000", "     7      3 prog     1.200000000", "     7      3 prog     0.100000000"}},
		{2, "-E", [3]string{"     7      3 prog     0.000000000", "     7      3 prog     1.200000000", "     7      3 prog     1.300000000"}},
	} {
		trace := record(c.version, abi.KTR_MIB, 5, 9e8)
		trace = append(trace, record(c.version, abi.KTR_MIB, 7, 1e8)...)
		trace = append(trace, record(c.version, abi.KTR_MIB, 7, 2e8)...)
		want := strings.Join(c.want[:], " MIB   \n") + " MIB   \n"
		if got, _ := dump(trace, c.option); got != want {
			t.Errorf("version %d, %s:\n%s\nwant:\n%s", c.version, c.option, got, want)
		}
	}
}

// TestBad: what is no trace, and arguments that are wrong. Oracle: the messages of kdump(1).
func TestBad(t *testing.T) {
	whole := recorded(t)
	long := record(2, abi.KTR_NAMEI, 1, 1)
	copy(long, "\xff\xff\xff\xff")
	for _, c := range []struct {
		trace []byte
		args  string
		want  string
	}{
		{whole[:len(whole)-1], "-t-c", "kdump: data too short\n"},
		{whole[:30], "", "kdump: data too short\n"},
		{long, "", "kdump: bogus length 0xffffffff\n"},
		{record(3, 1, 0, 0), "", "kdump: Unsupported ktrace version 3\n"},
		{nil, "-mx", "kdump: invalid number x\n"},
		{nil, "-p1_0", "kdump: invalid number 1_0\n"},
		{nil, "-X3", "kdump: argument to -X must be 1, 2, 4, 8 or 16\n"},
		{nil, "-tq", "kdump: unknown trace point in q\n"},
		{nil, "-e linux", "kdump: Emulation `linux' unknown\n"},
	} {
		if got, status := dump(c.trace, strings.Fields(c.args)...); !strings.HasSuffix(got, c.want) || status != 1 {
			t.Errorf("kdump %s: [%d] %q, want %q", c.args, status, got, c.want)
		}
	}
}

// TestSelect: -p and -t choose records.
func TestSelect(t *testing.T) {
	for _, c := range []struct {
		args  string
		lines int
	}{{"-p 2 -tn", 3}, {"-p 3", 0}, {"-te", 1}, {"-tc", 40}, {"-t-cie", 3}, {"-e netbsd -tc-c+n", 3}} {
		if got, status := dump(recorded(t), strings.Fields(c.args)...); strings.Count(got, "\n") != c.lines || status != 0 {
			t.Errorf("kdump %s: %d lines\n%s", c.args, strings.Count(got, "\n"), got)
		}
	}
}

// TestKernel: the trace is read from the kernel, ktrace.out when nothing else is said.
func TestKernel(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "kdump", Out: "kdump: ktrace.out: No such file or directory\n", Status: 1},
		{Cmd: "ktrace -tn cat /nope", Out: "cat: /nope: No such file or directory\n", Status: 1},
		{Cmd: "kdump -n -p 3", Out: "     3      5 cat      NAMI  \"/nope\"\n"},
		{Cmd: "kdump a b", Out: strings.Join(kdump.Utility.Usage, "\n") + "\n", Status: 1},
		{Cmd: "kdump -f /", Out: "kdump: /: Is a directory\n", Status: 1},
	})
}

// TestFollow: -l waits at the end of the trace and prints what comes.
func TestFollow(t *testing.T) {
	k := utiltest.New(t)
	p := k.Process()
	if err := p.WriteFile("/kt", record(2, abi.KTR_NAMEI, 1, 1, []byte("one")...), 0o644); err != nil {
		t.Fatal(err)
	}
	out, lines := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan int, 1)
	go func() { done <- k.RunStreams(ctx, strings.NewReader(""), lines, io.Discard, "kdump", "-lf", "/kt") }()
	next := func(want string) {
		t.Helper()
		b := make([]byte, 1024)
		if n, err := out.Read(b); err != nil || !strings.HasSuffix(string(b[:n]), want) {
			t.Fatalf("%q, %v", b[:n], err)
		}
	}
	next("\"one\"\n")
	fd, err := p.Sys().Open("/kt", abi.O_WRONLY|abi.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	more := record(2, abi.KTR_NAMEI, 1, 1, []byte("two")...)
	for _, part := range [][]byte{more[:20], more[20:]} {
		if _, err := p.Sys().Write(fd, part); err != nil {
			t.Fatal(err)
		}
	}
	next("\"two\"\n")
	cancel()
	out.Close()
	if _, err := p.Sys().Write(fd, more); err != nil {
		t.Fatal(err)
	}
	<-done
}

// FuzzDump: whatever the trace is, kdump comes to an end with a status of 0 or 1.
func FuzzDump(f *testing.F) {
	f.Add(recorded(f), byte(0))
	f.Add(record(0, abi.KTR_PSIG, 1, 1, make([]byte, 168)...), byte(1))
	f.Add(record(1, abi.KTR_USER, 1, 1, []byte("x")...), byte(2))
	f.Fuzz(func(t *testing.T, trace []byte, option byte) {
		args := [...][]string{nil, {"-x"}, {"-X16", "-R"}, {"-dnnT"}, {"-m5", "-E"}}
		if out, status := dump(trace, args[int(option)%len(args)]...); status > 1 || status == 1 && !strings.Contains(out, "kdump: ") {
			t.Errorf("[%d] %s", status, out)
		}
	})
}
