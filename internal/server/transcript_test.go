package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// step is a command of a transcript with what the C program printed, standard error included, and its status line.
type step struct {
	command string
	want    string
}

func readTranscript(t *testing.T, name string) []step {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	for line := range strings.Lines(string(b)) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			steps = append(steps, step{command: strings.TrimSpace(command)})
		} else if len(steps) > 0 {
			steps[len(steps)-1].want += line
		}
	}
	return steps
}

// runStep runs a command of a transcript as the shell would and returns what a transcript would have recorded.
func runStep(t *testing.T, programs, line string) string {
	t.Helper()
	line = strings.TrimPrefix(line, "env PATH=/usr/bin:/bin ")
	line = strings.ReplaceAll(line, "$LIBDIR", "/usr/lib")
	words := strings.Fields(line)
	name, ok := strings.CutPrefix(words[0], "$SERVER/")
	if !ok || strings.ContainsAny(line, `'"|;`) {
		t.Fatalf("%s: not a plain command", line)
	}
	text, status := runProgram(t, command(programs, t.TempDir(), name, words[1:]...))
	if status != 0 {
		text += fmt.Sprintf("[%d]\n", status)
	}
	return strings.ReplaceAll(text, programs, "<server>")
}

// difference is a command whose output differs from the original's, and why it may.
type difference struct {
	command, want, why string
}

// checkTranscript runs a transcript's commands and compares. Each difference must be there, too.
func checkTranscript(t *testing.T, name string, adapt func(step) step, differences ...difference) {
	programs := programsDir(t)
	agreed := 0
	for _, s := range readTranscript(t, name) {
		want := adapt(s)
		differs := false
		for _, d := range differences {
			if d.command == s.command {
				want.want, differs = d.want, true
			}
		}
		got := runStep(t, programs, want.command)
		if got != want.want {
			t.Errorf("$ %s\n%swant\n%s", want.command, got, want.want)
		} else if !differs {
			agreed++
		}
	}
	t.Logf("%s: %d commands agree, %d differ as listed", name, agreed, len(differences))
}

func asIs(s step) step { return s }

// TestUsageTranscript: core-03, what the original says to arguments that it cannot use.
func TestUsageTranscript(t *testing.T) {
	checkTranscript(t, "core-03-server-usage.txt", asIs, difference{
		command: "$SERVER/rump_server -z unix://csock",
		want:    "rump_server: unknown option -- z\nusage: rump_server " + usageText + "\n[1]\n",
		why:     "the first line is getopt's: the C library's of the recording host there, NetBSD's here",
	})
}

// TestWmdTranscript: core-10. The remarks on the search are hidden without -v.
func TestWmdTranscript(t *testing.T) {
	checkTranscript(t, "core-10-wmd.txt", func(s step) step {
		var shown []string
		for line := range strings.Lines(s.want) {
			if !strings.HasPrefix(line, "DEBUG0: ") {
				shown = append(shown, line)
			}
		}
		s.want = strings.Join(shown, "")
		return s
	})
}

// TestWmdVerbose: core-10 with -v says all that the original says.
func TestWmdVerbose(t *testing.T) {
	checkTranscript(t, "core-10-wmd.txt", func(s step) step {
		s.command = strings.Replace(s.command, "rump_wmd ", "rump_wmd -v ", 1)
		return s
	})
}
