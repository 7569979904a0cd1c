package server

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// asProgram is the variable that makes this test program the program that Args[0] names.
const asProgram = "SERVER_TEST_PROGRAM"

// TestMain is rump_server, rump_allserver or rump_wmd when a test starts it as such: the tests see processes, detaching
// included, and with the race detector where it is on.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	os.Exit(Main(&Env{Args: os.Args, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}))
}

// programsDir is a folder in which this test program has the names of all programs.
func programsDir(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name := range programs {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	return dir
}

// command prepares a program with its arguments, to run in dir with nothing of the tests' environment.
func command(programs, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(programs, name), args...)
	cmd.Dir = dir
	cmd.Env = []string{asProgram + "=1", "GORACE=atexit_sleep_ms=0", "PATH=/nonexistent"}
	return cmd
}

// runProgram runs a program to its end, or until it has detached, and returns what it printed and its exit status.
func runProgram(t testing.TB, cmd *exec.Cmd) (text string, status int) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}
