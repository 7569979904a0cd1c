package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The blocks of README.md that tests run look like this:
//
//	```sh tour
//	$ a command of a session of rump
//	> a further line of it
//	what it prints, on standard output and error
//	...
//	$ the next command
//	```
//
// A line "..." stands for any number of lines, none included. The commands of all such blocks are one session: what one
// block leaves, the next one finds. Other lines have to be printed as they stand, blanks at their end aside. A block
// "sh host" is the same for the host's shell.

// tourStep is a command of a block and what it prints.
type tourStep struct {
	line    int // in the file
	command string
	want    []string
}

// readTour returns the commands of the blocks of a kind.
func readTour(t *testing.T, file, kind string) []tourStep {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var steps []tourStep
	inside, lines := false, strings.Split(string(text), "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, " \t\r")
		switch command, isCommand := strings.CutPrefix(line, "$ "); {
		case strings.HasPrefix(line, "```"):
			inside = !inside && strings.Join(strings.Fields(line[3:]), " ") == kind
		case !inside:
		case isCommand:
			steps = append(steps, tourStep{line: i + 1, command: command})
		case len(steps) == 0:
			t.Fatalf("%s:%d: output before the first command", file, i+1)
		case strings.HasPrefix(line, "> ") && len(steps[len(steps)-1].want) == 0:
			steps[len(steps)-1].command += "\n" + line[2:]
		default:
			steps[len(steps)-1].want = append(steps[len(steps)-1].want, line)
		}
	}
	if len(steps) == 0 {
		t.Fatalf("%s has no blocks %q", file, kind)
	}
	return steps
}

// mark stands between what two commands print.
const mark = "=== tour step %d"

// tourScript returns a script that runs the commands one after the other, and marks what each prints.
func tourScript(steps []tourStep) string {
	var b strings.Builder
	b.WriteString("exec 2>&1\n")
	for i, step := range steps {
		fmt.Fprintf(&b, "echo '"+mark+"'\n%s\n", i, step.command)
	}
	return b.String()
}

// checkTour compares what the script has printed with what the file says.
func checkTour(t *testing.T, file string, steps []tourStep, out string) {
	t.Helper()
	for i, step := range steps {
		_, rest, ok := strings.Cut(out, fmt.Sprintf(mark+"\n", i))
		if !ok {
			t.Fatalf("%s:%d: $ %s did not run; all that was printed:\n%s", file, step.line, step.command, out)
		}
		got, _, _ := strings.Cut(rest, fmt.Sprintf(mark+"\n", i+1))
		if !sameLines(printed(got), step.want) {
			t.Errorf("%s:%d: $ %s\n%sthe file has:\n%s", file, step.line, step.command, got, strings.Join(step.want, "\n"))
		}
	}
}

// printed returns output as lines without blanks at their end.
func printed(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimRight(line, " \t\r\n"))
	}
	return lines
}

// sameLines tells whether lines are those that a file has, in which "..." stands for any number of them.
func sameLines(got, want []string) bool {
	for i, line := range want {
		if line == "..." {
			for skip := i; skip <= len(got); skip++ {
				if sameLines(got[skip:], want[i+1:]) {
					return true
				}
			}
			return false
		}
		if i >= len(got) || got[i] != line {
			return false
		}
	}
	return len(got) == len(want)
}

func TestSameLines(t *testing.T) {
	for _, c := range []struct {
		got, want string
		same      bool
	}{
		{"", "", true},
		{"a b", "a b", true},
		{"a b", "a", false},
		{"a", "a b", false},
		{"a b c", "a ...", true},
		{"a", "a ...", true},
		{"a b c", "... c", true},
		{"a b c", "a ... c", true},
		{"a c", "a ... c", true},
		{"a b", "a ... c", false},
		{"", "...", true},
		{"a b c b c", "a ... b c", true},
	} {
		if sameLines(strings.Fields(c.got), strings.Fields(c.want)) != c.same {
			t.Errorf("%q and %q: want %v", c.got, c.want, c.same)
		}
	}
}

const readme = "../../README.md"

// TestTour runs the tour of README.md in a session of rump.
func TestTour(t *testing.T) {
	steps := readTour(t, readme, "sh tour")
	t.Chdir(t.TempDir()) // the bus is a file here
	out, errs, _ := invoke(nil, tourScript(steps))
	checkTour(t, readme, steps, out+errs)
}

// TestTourHost runs the blocks of README.md for the host's shell, with programs built from this source, in a directory
// of its own.
func TestTourHost(t *testing.T) {
	shell, err := exec.LookPath("/bin/sh")
	if err != nil || testing.Short() {
		t.Skip("this needs the host's shell, and the time to build the programs")
	}
	gotool, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin") + string(filepath.Separator)
	build := exec.Command(gotool, "build", "-o", bin, "../rumpctrl", "../rump_server", ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	install := exec.Command(filepath.Join(bin, "rumpctrl"), "install", filepath.Join(dir, "tools"))
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	steps := readTour(t, readme, "sh host")
	// Nothing of the host is behind the utilities in PATH.
	path := filepath.Join(dir, "tools", "bin") + string(filepath.ListSeparator) + bin
	t.Cleanup(func() { // kernels that a command that failed has left
		for _, socket := range []string{"csock", "one", "two"} {
			cmd := exec.Command(filepath.Join(bin, "rumpctrl"), "halt")
			cmd.Dir, cmd.Env = dir, []string{"RUMP_SERVER=unix://" + socket}
			cmd.Run() //nolint:errcheck // there should be none
		}
	})
	var out bytes.Buffer
	cmd := exec.Command(shell)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + path, "HOME=" + dir}
	cmd.Stdin = strings.NewReader(tourScript(steps))
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Logf("the shell's end: %v", err)
	}
	checkTour(t, readme, steps, out.String())
}
