//go:build unix

package harness

import (
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestSignals: a utility dies of SIGPIPE and SIGINT as a C program does, and its shell sees that.
func TestSignals(t *testing.T) {
	programs := Commands(t)
	r := NewRunner(t, programs)
	for _, step := range []Step{
		{Command: "$SERVER/rump_server -lrumpvfs unix://csock"},
		{Command: "export RUMP_SERVER=unix://csock"},
		{Command: "cat /dev/zero | head -c 1 | wc -c; echo ${PIPESTATUS[0]}", Output: []string{"       1", "141"}},
		{Command: "mknod /fifo p"},
	} {
		got, err := r.Run(step.Command)
		if err != nil || !slices.Equal(got, step.Output) {
			t.Fatalf("$ %s: %v\n%s", step.Command, err, diff(step.Output, got))
		}
	}
	cmd := exec.Command(filepath.Join(programs.Util, "cat"), "/fifo") // nobody writes to it
	cmd.Env = append(r.env, "RUMP_SERVER=unix://csock")
	cmd.Dir = r.cwd
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // the status is looked at
	if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != syscall.SIGINT {
		t.Errorf("cat ended so: %v", cmd.ProcessState)
	}
	if got, err := r.Run("ls -1 /fifo"); err != nil || !slices.Equal(got, []string{"/fifo"}) {
		t.Errorf("after that: %q, %v", got, err)
	}
}
