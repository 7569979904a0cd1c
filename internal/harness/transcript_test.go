//go:build unix

package harness

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

var printDifferences = flag.Bool("differences", false, "print unlisted differences in the form of testdata/differences.txt")

// pending are transcripts with utilities that do not exist yet, or components. How far they agree is said, and no more.
var pending = map[string]string{}

// TestTranscripts compares what our programs print with what the C programs printed: testdata/transcripts.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	differences := readDifferences(t)
	programs := Commands(t)
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runTranscript(t, programs, file, differences[name])
		})
	}
	for name := range differences {
		if !slices.Contains(files, filepath.Join("testdata/transcripts", name)) {
			t.Errorf("differences of %s, which is no transcript", name)
		}
	}
}

// readDifferences returns the listed differences by transcript and line.
func readDifferences(t *testing.T) map[string]map[int]*Difference {
	t.Helper()
	text, err := os.ReadFile("testdata/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseDifferences(string(text))
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string]map[int]*Difference)
	for i := range list {
		d := &list[i]
		if by[d.Transcript] == nil {
			by[d.Transcript] = make(map[int]*Difference)
		}
		if by[d.Transcript][d.Line] != nil {
			t.Errorf("%s %d is listed twice", d.Transcript, d.Line)
		}
		by[d.Transcript][d.Line] = d
	}
	return by
}

func runTranscript(t *testing.T, programs *Programs, file string, differences map[int]*Difference) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(file)
	complain := t.Errorf
	if why := pending[name]; why != "" {
		t.Logf("%s is pending: %s", name, why)
		complain = t.Logf
	}
	runner := NewRunner(t, programs)
	agreed, listed, total := 0, 0, 0
	for _, step := range Parse(string(text)) {
		if step.Command == "" {
			continue
		}
		total++
		got, err := runner.Run(step.Command)
		d := differences[step.Line]
		if d != nil {
			d.used = true
		}
		switch {
		case d == nil && slices.Equal(got, step.Output):
			agreed++
		case d == nil:
			complain("line %d: unlisted difference (-original +ours)\n$ %s\n%s",
				step.Line, step.Command, diff(step.Output, got))
			if *printDifferences {
				fmt.Printf("== %s %d\nwhy: \n%s\n", name, step.Line, Step{Command: step.Command, Output: got}.Text())
			}
		default:
			if checkListed(t, step, d, got) {
				listed++
			}
		}
		if err != nil {
			t.Errorf("line %d: $ %s: %v", step.Line, step.Command, err)
			break
		}
	}
	for _, d := range differences {
		if !d.used {
			t.Errorf("line %d: a difference is listed where there is no command, or was none run", d.Line)
		}
	}
	t.Logf("%s: %d of %d commands agree, %d differ as listed", name, agreed, total, listed)
}

// checkListed checks an output against a listed difference.
func checkListed(t *testing.T, step Step, d *Difference, got []string) bool {
	t.Helper()
	switch {
	case d.Step.Command != step.Command:
		t.Errorf("line %d: the listed difference is of $ %s, the command is $ %s", step.Line, d.Step.Command, step.Command)
	case slices.Equal(got, step.Output):
		t.Errorf("line %d: $ %s agrees, but a difference is listed", step.Line, step.Command)
	case !slices.Equal(got, d.Step.Output):
		t.Errorf("line %d: not what is listed (-listed +ours)\n$ %s\n%s", step.Line, step.Command, diff(d.Step.Output, got))
	default:
		return true
	}
	return false
}

// TestParse reads the form that doc comments describe.
func TestParse(t *testing.T) {
	steps := Parse("# about\n# this\n$ ls\na\n\nb\n\n$ false\n[1]\n")
	want := []Step{
		{Line: 1, Output: []string{"# about", "# this"}},
		{Line: 3, Command: "ls", Output: []string{"a", "", "b"}},
		{Line: 8, Command: "false", Output: []string{"[1]"}},
	}
	if !slices.EqualFunc(steps, want, func(a, b Step) bool {
		return a.Line == b.Line && a.Command == b.Command && slices.Equal(a.Output, b.Output)
	}) {
		t.Errorf("got %+v, want %+v", steps, want)
	}
	if text := steps[1].Text(); text != "$ ls\na\n\nb\n" {
		t.Errorf("Text is %q", text)
	}
}

// TestParseDifferences reads the form that doc comments describe, and refuses others.
func TestParseDifferences(t *testing.T) {
	list, err := ParseDifferences("# comment\n\n== a.txt 7\nwhy: since\nwhy: it is so\n$ ls\nx\n[1]\n\n== b.txt 9\nwhy: y\n$ df\n")
	if err != nil || len(list) != 2 {
		t.Fatalf("got %+v, %v", list, err)
	}
	d := list[0]
	if d.Transcript != "a.txt" || d.Line != 7 || d.Why != "since it is so" || d.Step.Text() != "$ ls\nx\n[1]\n" {
		t.Errorf("got %+v", d)
	}
	if d := list[1]; d.Step.Command != "df" || len(d.Step.Output) != 0 {
		t.Errorf("got %+v", d)
	}
	for _, bad := range []string{"== a.txt\nwhy: x\n$ ls\n", "== a.txt 7\n$ ls\n", "== a.txt 7\nwhy: x\n"} {
		if _, err := ParseDifferences(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

// TestNormal replaces what the transcripts' recording replaced: the words in angle brackets are theirs.
func TestNormal(t *testing.T) {
	n := newNormal(&Programs{Util: "/tmp/u", Server: "/tmp/s"}, "/tmp/c")
	for in, want := range map[string]string{
		"-rw-r--r--  1 0  0  5 Jul 26 09:01 bb":                "-rw-r--r--  1 0  0  5 <date> bb",
		"-rw-r--r--  1 0  0  5 Jan  1 2031 bb  ":               "-rw-r--r--  1 0  0  5 <date> bb",
		"Thu Jan  1 00:00:00 1970":                             "<date>",
		"kern.hostname = rump-05541.vm":                        "kern.hostname = <host>",
		"20 bytes transferred in 0.001 secs (20000 bytes/sec)": "20 bytes transferred in <time>",
		"/tmp/u/ls: /tmp/c/x /tmp/s/rump_server":               "<util>/ls: <cwd>/x <server>/rump_server",
		"address: b2:a0:00:00:00:01":                           "address: <mac>",
		"inet6 fe80::b0a0:ff:fe00:1%shmif0":                    "inet6 <linklocal>%shmif0",
		"64 bytes from 127.0.0.1: icmp_seq=0 time=0.012 ms":    "64 bytes from 127.0.0.1: icmp_seq=0 time=<ms>",
	} {
		if got := n.line(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// TestDiff marks what differs, and nothing else.
func TestDiff(t *testing.T) {
	got := diff([]string{"0", "a", "b", "c", "d"}, []string{"0", "a", "x", "c", "d", "e"})
	if want := "\t a\n\t-b\n\t+x\n\t c\n\t d\n\t+e\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
