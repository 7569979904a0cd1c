//go:build unix

package host

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// behaviour is the variable that makes this test program a program that detaches.
const behaviour = "DETACH_TEST"

// TestMain is, with behaviour set, the program that TestDetach runs.
func TestMain(m *testing.M) {
	how := os.Getenv(behaviour)
	if how == "" {
		os.Exit(m.Run())
	}
	report, second := Detached()
	if !second {
		status, err := Detach()
		if err != nil {
			fmt.Fprintln(os.Stderr, "detach:", err)
			status = 99
		}
		os.Exit(status)
	}
	os.Exit(service(how, report))
}

// service is what the second program does: it answers on the socket pair (a pipe inherited as standard input is
// not left after Ready, so that descriptors tell whether it was).
func service(how string, report *Report) int {
	switch how {
	case "fail":
		fmt.Fprintln(os.Stderr, "cannot start")
		return 48
	case "crash":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	if _, again := Detached(); again {
		return 97
	}
	if err := report.Ready(how == "verbose"); err != nil {
		return 98
	}
	sid, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	fmt.Println("this goes nowhere")
	fmt.Fprintf(os.Stderr, "session leader: %v\n", int(sid) == os.Getpid())
	return 0
}

// TestDetach: rump_server(1) returns when the service runs; when it does not start, with the error's number.
func TestDetach(t *testing.T) {
	for _, c := range []struct {
		how, stderr string
		status      int
	}{
		{"quiet", "", 0},
		{"verbose", "session leader: true\n", 0},
		{"fail", "cannot start\n", 48},
		{"crash", "detach: ended before it was ready: signal: killed\n", 99},
	} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), behaviour+"="+c.how)
		var stdout strings.Builder
		cmd.Stdout = &stdout
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(stderr) // ends when the second program has left the descriptor, or ended
		cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != c.status || string(text) != c.stderr || stdout.String() != "" {
			t.Errorf("%s: status %d, stderr %q, stdout %q; want %d, %q", c.how, got, text, stdout.String(), c.status, c.stderr)
		}
	}
}

func TestDetachedWithoutPipe(t *testing.T) {
	for _, v := range []string{"", "x", "4", "99999999999", "-1"} {
		t.Setenv(detachVar, v)
		if _, ok := Detached(); ok {
			t.Errorf("%q in the environment makes a second program of this", v)
		}
	}
}
