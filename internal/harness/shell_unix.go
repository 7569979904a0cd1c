//go:build unix

package harness

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Programs of the host that commands of a transcript can use: filters by their names, the others as $host/NAME.
var (
	filters   = strings.Fields("grep sed cut sort wc od tail head tr sleep printf env column awk")
	hostTools = strings.Fields("dd stat ls rm cat tar sleep cp cmp sha256sum printf kill truncate timeout bash true test")
)

// commandLimit is how long one command may take.
const commandLimit = 40 * time.Second

// Runner runs the commands of transcripts in an empty directory, by one bash.
type Runner struct {
	programs *Programs
	cwd      string
	env      []string
	normal   *normal
	shell    *exec.Cmd
	stdin    io.Writer
	answers  <-chan string // lines that the shell prints between commands
}

// NewRunner starts a shell. It ends, and the servers that its commands have left are halted, when the test ends.
func NewRunner(t testing.TB, p *Programs) *Runner {
	t.Helper()
	bash := Tool(t, "bash")
	cwd, err := os.MkdirTemp("", "transcript") // not t.TempDir: a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(cwd) })
	tools := t.TempDir()
	linkTools(t, tools, filters)
	linkTools(t, filepath.Join(tools, "host"), hostTools)
	r := &Runner{programs: p, cwd: cwd, normal: newNormal(p, cwd)}
	r.env = []string{
		"PATH=" + p.Util + ":" + tools, "UTIL=" + p.Util, "SERVER=" + p.Server, "host=" + tools + "/host",
		"HOME=" + cwd, "LC_ALL=C", "TZ=UTC",
	}
	if err := r.start(bash); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	return r
}

// linkTools makes a directory with links to programs of the host. One that the host lacks is not found.
func linkTools(t testing.TB, dir string, names []string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Logf("the host has no %s: commands that use it differ", name)
			continue
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *Runner) start(bash string) error {
	r.shell = exec.Command(bash, "--norc", "--noprofile")
	r.shell.Dir, r.shell.Env = r.cwd, r.env
	r.shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := r.shell.StdinPipe()
	if err != nil {
		return err
	}
	out, in, err := os.Pipe() // not StdoutPipe: a server that keeps the writing end must not keep Wait
	if err != nil {
		return err
	}
	r.shell.Stdout, r.shell.Stderr = in, in
	err = r.shell.Start()
	in.Close()
	if err != nil {
		out.Close()
		return err
	}
	r.stdin = stdin
	lines := make(chan string)
	r.answers = lines
	go func() {
		defer out.Close()
		defer close(lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return nil
}

// stop halts the servers whose sockets are left, and ends the shell and what it has started.
func (r *Runner) stop() {
	list, _ := os.ReadDir(r.cwd)
	for _, e := range list {
		if e.Type()&fs.ModeSocket != 0 {
			r.halt(filepath.Join(r.cwd, e.Name()))
		}
	}
	syscall.Kill(-r.shell.Process.Pid, syscall.SIGKILL)
	go func() {
		for range r.answers {
		}
	}()
	r.shell.Wait()
}

// halt has the server behind a socket halt, if there is one.
func (r *Runner) halt(socket string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(r.programs.Util, "halt"))
	cmd.Env = append(r.env, "RUMP_SERVER=unix://"+socket)
	cmd.Run()
}

var answer = regexp.MustCompile(`^@@(\d+)@@$`)

var (
	errDied = errors.New("shell died")
	errTime = errors.New("no answer")
)

// Run runs a command and returns the lines that it prints, volatile words replaced, the last of which is its status in brackets if that is
// not 0. An error is the end of the shell.
func (r *Runner) Run(command string) ([]string, error) {
	out := filepath.Join(r.cwd, ".out")
	fmt.Fprintf(r.stdin, "{ %s\n} > .out 2>&1 < /dev/null; printf '\\n@@%%d@@\\n' \"$?\"\n", command)
	status, err := r.await()
	text, rerr := os.ReadFile(out)
	if rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		return nil, rerr
	}
	var lines []string
	for _, l := range strings.Split(string(bytes.ToValidUTF8(text, []byte("\ufffd"))), "\n") {
		lines = append(lines, r.normal.line(l))
	}
	lines = trimEmpty(lines)
	switch {
	case err != nil:
		lines = append(lines, "["+err.Error()+"]")
	case status != 0:
		lines = append(lines, "["+strconv.Itoa(status)+"]")
	}
	return lines, err
}

// await waits until the command is over and returns its status.
func (r *Runner) await() (int, error) {
	limit := time.NewTimer(commandLimit)
	defer limit.Stop()
	for {
		select {
		case line, ok := <-r.answers:
			if !ok {
				return 0, errDied
			}
			if m := answer.FindStringSubmatch(line); m != nil {
				return strconv.Atoi(m[1])
			}
		case <-limit.C:
			return 0, errTime
		}
	}
}
