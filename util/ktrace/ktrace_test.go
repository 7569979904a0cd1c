package ktrace_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
	"github.com/rumpctrl/rumpctrl/util/kdump"
	"github.com/rumpctrl/rumpctrl/util/ktrace"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = `usage:	ktrace [-aCcdins] [-f trfile] [-g pgrp] [-p pid] [-t [AaceilmnSsuvw+-]]
	ktrace [-adis] [-f trfile] [-t [AaceilmnSsuvw+-]] command
`

// TestArguments holds the messages against ktrace(1) and transcript core-11.
func TestArguments(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "ktrace", Out: usage, Status: 1},
		{Cmd: "ktrace -C ls", Out: usage, Status: 1},
		{Cmd: "ktrace -p 2 ls", Out: usage, Status: 1},
		{Cmd: "ktrace -t q ls", Out: "ktrace: unknown facility in q\n" + usage, Status: 1},
		{Cmd: "ktrace -p 2 -g 3", Out: "ktrace: only one -g or -p flag is permitted.\n" + usage, Status: 1},
		{Cmd: "ktrace -p x", Out: "ktrace: illegal process id.\n" + usage, Status: 1},
		{Cmd: "ktrace -p 30000", Out: "ktrace: ktrace.out: No such process\n", Status: 1},
		{Cmd: "ktrace -c -f /nope", Out: "ktrace: /nope: No such file or directory\n", Status: 1},
		{Cmd: "ktrace -f /no/where ls", Out: "ktrace: /no/where: No such file or directory\n", Status: 1},
		{Cmd: "ktrace -f /dev/null ls", Out: "ktrace: /dev/null: Permission denied\n", Status: 1},
		{Cmd: "ktrace nonesuch", Out: "ktrace: exec of 'nonesuch' failed: Operation not supported\n", Status: 1},
		{Cmd: "ktrace /bin/ls", Out: "ktrace: exec of '/bin/ls' failed: Operation not supported\n", Status: 1},
		{Cmd: "ktrace -C", Out: ""},
	})
}

// TestPoints: the letters of -t. Oracle: ktrace(1); the default is what the recorded session asks for, 0x1be.
func TestPoints(t *testing.T) {
	for _, c := range []struct {
		s    string
		want uint32
		ok   bool
	}{
		{"", 0, true}, {"+", 0x1be, true}, {"c", 6, true}, {"cn", 14, true}, {"-c", 0x1b8, true}, {"A-A+n", 8, true},
		{"+-c+w", 0x1f8, true}, {"S", 1 << 14, true}, {"l", 0, false}, {"c ", 0, false},
		{"A", 0x1be | 1<<6 | 1<<10 | 1<<11 | 1<<14 | 1<<15, true},
	} {
		got, ok := ktrace.ParsePoints(0, c.s)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %#x, %v, want %#x, %v", c.s, got, ok, c.want, c.ok)
		}
	}
}

// TestCommand: a utility is traced under its own name by the process that ktrace is; what it runs is with -i.
func TestCommand(t *testing.T) {
	k := utiltest.New(t, "rumpvfs", "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "ktrace -tn ls -d /tmp", Out: "/tmp\n"},
		{Cmd: "kdump -n", Out: "     2      5 ls       NAMI  \"/tmp\"\n"},
		{Cmd: "ktrace -a -tn cat /nope", Out: "cat: /nope: No such file or directory\n", Status: 1},
		{Cmd: "kdump -n", Out: "     2      5 ls       NAMI  \"/tmp\"\n     4      5 cat      NAMI  \"/nope\"\n"},
		{Cmd: "ktrace -s -tn -f /sync ls -d /", Out: "/\n"},
		{Cmd: "kdump -n /sync", Out: "     6      5 ls       NAMI  \"/\"\n"},
		{Cmd: "ktrace -tn mount -t tmpfs tmpfs /tmp", Out: ""},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\ntmpfs on /tmp type tmpfs (local)\n"},
	})
	if got, _ := k.Run("", "kdump"); strings.Contains(got, "mount_tm") {
		t.Errorf("a child is traced without -i:\n%s", got)
	}
	k.Run("", "umount", "/tmp")
	k.Run("", "ktrace", "-i", "-tn", "mount", "-t", "tmpfs", "tmpfs", "/tmp")
	if got, _ := k.Run("", "kdump"); !strings.Contains(got, "mount_tm") {
		t.Errorf("a child is not traced with -i:\n%s", got)
	}
}

// TestProcesses: -p, -g, -c, -d and -C, for processes that are there.
func TestProcesses(t *testing.T) {
	k := utiltest.New(t)
	p := k.Process()
	pid, err := p.Sys().Getpid()
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	traced := func(options string) bool {
		t.Helper()
		args := strings.Fields("ktrace " + strings.ReplaceAll(options, "PID", fmt.Sprint(pid)))
		if out, status := k.Run("", args...); out != "" || status != 0 {
			t.Fatalf("%q: [%d] %s", args, status, out)
		}
		calls++
		if err := p.Sys().Access(fmt.Sprintf("/call%d", calls), abi.F_OK); err != abi.ENOENT {
			t.Fatal(err)
		}
		out, _ := k.Run("", "kdump", "-tn")
		return strings.Contains(out, fmt.Sprintf("/call%d\"", calls))
	}
	for _, c := range []struct {
		options string
		want    bool
	}{
		{"-p PID", true}, {"-cp PID", false}, {"-a -g PID", true}, {"-tc -cp PID", true}, {"-tn -cp PID", false},
		{"-ap PID", true}, {"-c", false}, {"-adp PID", true}, {"-C", false},
	} {
		if got := traced(c.options); got != c.want {
			t.Errorf("after ktrace %s: traced is %v", c.options, got)
		}
	}
}

// TestStream: -f - prints the trace among the command's output, which ends when the command does.
func TestStream(t *testing.T) {
	k := utiltest.New(t)
	var out, errs bytes.Buffer
	status := k.RunStreams(context.Background(), strings.NewReader(""), &out, &errs, "ktrace", "-f", "-", "-tn", "cat", "/nope")
	if errs.String() != "cat: /nope: No such file or directory\n" || status != 1 {
		t.Errorf("[%d] %s", status, errs.String())
	}
	var rec kdump.Record
	if err := kdump.NewReader(&out).Next(&rec); err != nil || string(rec.Data) != "/nope\x00" || rec.Comm != "cat" {
		t.Errorf("%+v, %v", rec, err)
	}
}

// TestFull: when the file system of the trace is full, the command goes on untraced, and the kernel says so: ktrace(2).
func TestFull(t *testing.T) {
	k := utiltest.New(t, "rumpvfs", "rumpfs_tmpfs")
	p := k.Process()
	content := strings.Repeat("0123456789abcde\n", 1<<16)
	if err := p.WriteFile("/big", []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "mount_tmpfs -s 256k tmpfs /tmp"},
		{Cmd: "ktrace -f /tmp/kt cat /big", Out: content},
		{Cmd: "ls /tmp", Out: "kt\n"},
	})
	log, err := p.Sysctl().Get([]int32{abi.CTL_KERN, abi.KERN_MSGBUF})
	if want := "ktrace write failed, errno 28, tracing stopped"; err != nil || strings.Count(string(log), want) != 1 {
		t.Errorf("message buffer: %q, %v", log, err)
	}
}

// TestHelperProcess is not a test: it is the program of the host that TestHost has run.
func TestHelperProcess(t *testing.T) {
	if os.Getenv("KTRACE_TEST_PROGRAM") == "" {
		t.Skip("run by TestHost")
	}
	p, err := client.FromEnv(context.Background(), "program", os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Sys().Access("/from-the-host", abi.F_OK); err != abi.ENOENT {
		t.Fatal(err)
	}
	os.Exit(42)
}

// TestHost: a program of the host inherits the connection, and with it the process that is traced: HANDSHAKE/EXEC of
// session ktrace-ls.
func TestHost(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("programs inherit no descriptors there")
	}
	k, err := rump.New(rump.Config{Components: rump.With("rumpvfs")})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	url, err := k.Listen("tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(out io.Writer, args ...string) int {
		p, err := client.Dial(context.Background(), url, args[0])
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		return util.Run(context.Background(), all.Lookup(args[0]), &util.Env{
			Args: args, Stdin: strings.NewReader(""), Stdout: out, Stderr: out, Proc: p, Set: all.Set{},
			Getenv: func(string) string { return "" }, Environ: append(os.Environ(), "KTRACE_TEST_PROGRAM=1"),
		})
	}
	var out bytes.Buffer
	if status := run(&out, "ktrace", "-tn", self, "-test.run=^TestHelperProcess$"); status != 42 {
		t.Fatalf("[%d] %s", status, out.String())
	}
	out.Reset()
	run(&out, "kdump", "-n")
	if got := out.String(); !strings.Contains(got, " program  NAMI  \"/from-the-host\"\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("trace:\n%s", got)
	}
	out.Reset()
	if status := run(&out, "ktrace", "/no/such/program"); status != 1 || out.String() != "ktrace: exec of '/no/such/program' failed: No such file or directory\n" {
		t.Errorf("[%d] %s", status, out.String())
	}
}
