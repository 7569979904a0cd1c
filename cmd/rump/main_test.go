package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
)

// asProgram in the environment has the test's program be rump itself.
const asProgram = "RUMP_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program returns rump as a command, with an environment of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = []string{asProgram + "=1", "TERM=vt100", "HOME=" + t.TempDir()}
	return cmd
}

// invoke runs rump in this process and returns what it has written and its exit status.
func invoke(env map[string]string, stdin string, args ...string) (out, errs string, status int) {
	var stdout, stderr bytes.Buffer
	status = run(context.Background(), &util.Env{
		Args:   append([]string{"rump"}, args...),
		Stdin:  strings.NewReader(stdin),
		Stdout: &stdout, Stderr: &stderr,
		Getenv: func(name string) string { return env[name] },
		Set:    all.Set{},
	})
	return stdout.String(), stderr.String(), status
}

// TestRun tries the ways to call rump. Oracle: rump's usage message, rump_server(1) for the options of the kernel, sh(1) for
// those of the shell.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "script.sh")
	if err := os.WriteFile(script, []byte("echo script $# $1; exit 4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "image"), make([]byte, 8192), 0o644); err != nil {
		t.Fatal(err)
	}
	drive := "key=/dev/img,hostpath=" + filepath.Join(dir, "image") + ",size=host"
	for _, c := range []struct {
		name   string
		args   []string
		stdin  string
		out    string
		err    string
		status int
	}{
		{"commands", []string{"-c", "echo a; exit 3"}, "", "a\n", "", 3},
		{"arguments", []string{"-c", "echo $0 $1", "name", "-x"}, "", "name -x\n", "", 0},
		{"options after -c", []string{"-c", "false; echo no", "-e"}, "", "", "", 1},
		{"a script", []string{script, "arg"}, "", "script 1 arg\n", "", 4},
		{"no script", []string{dir + "/nope"}, "", "", "sh: " + dir + "/nope: No such file or directory\n", 127},
		{"standard input", nil, "echo in\nread x\nvalue\necho $x\n", "in\nvalue\n", "", 0},
		{"options of the shell", []string{"-e", "-o", "nounset", "-x", "-c", "echo $-; false; echo no"}, "", "eux\n", "+ echo eux\n+ false\n", 1},
		{"a session", []string{"-i"}, "echo a\nexit 5\n", "a\n", "rump:/# rump:/# ", 5},
		{"every component", []string{"-c", "mount_tmpfs tmpfs /tmp && mount -v | cat >/dev/null; echo $?"}, "", "0\n", "", 0},
		{"components", []string{"-lrumpvfs", "-c", "mkdir /t; mount_tmpfs tmpfs /t; echo $?"}, "", "1\n",
			"mount_tmpfs: tmpfs on /t: Operation not supported by device\n", 0},
		{"a drive", []string{"-d", drive, "-c", "dd if=/dev/img bs=512 2>/dev/null | { read x; echo $?; }; test -b /dev/img; echo $?"},
			"", "1\n0\n", "", 0},
		{"a bad drive", []string{"-d", "key=/x"}, "", "", "incomplete drivespec\nusage: rump [-s] [-c ncpu] [-d drivespec] [-l libs] [-m modules] bindurl\n", 1},
		{"memory", []string{"-r", "8m", "-c", "echo a"}, "", "a\n", "", 0},
		{"no such option", []string{"-z"}, "", "", "rump: unknown option -- z\n" + usage, 1},
		{"two kernels", []string{"-s", "unix://x", "-v"}, "", "", "rump: -s is for the kernel of a server, -dlruv for one of our own\n" + usage, 1},
		{"halt", []string{"-c", "echo a; halt; echo no"}, "", "a\n", "sh: kernel has halted\n", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, errs, status := invoke(nil, c.stdin, c.args...)
			if out != c.out || errs != c.err || status != c.status {
				t.Errorf("rump %q\nout: %q\nwant %q\nerr: %q\nwant %q\nstatus %d, want %d", c.args, out, c.out, errs, c.err, status, c.status)
			}
		})
	}
}

// TestServer uses the kernel of a server, by -s and by RUMP_SERVER, and serves the kernel of a session with -u.
func TestServer(t *testing.T) {
	k, err := rump.New(rump.Config{Components: rump.With("rumpvfs")})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	socket := filepath.Join(t.TempDir(), "csock")
	url, err := k.Listen("unix://" + socket)
	if err != nil {
		t.Fatal(err)
	}
	if out, errs, status := invoke(nil, "", "-s", url, "-c", "echo kept >/tmp/f; echo $RUMP_SERVER"); out != url+"\n" || status != 0 {
		t.Errorf("-s: %q %q %d", out, errs, status)
	}
	env := map[string]string{serverVariable: url}
	if out, errs, status := invoke(env, "cat /tmp/f\n", "-i"); out != "kept\n" || errs != "csock:/# csock:/# \n"[:len(errs)] || status != 0 {
		t.Errorf("%s: %q %q %d", serverVariable, out, errs, status)
	}
	if out, errs, status := invoke(env, "", "-lrumpvfs", "-c", "test -f /tmp/f; echo $? $RUMP_SERVER"); out != "1\n" || status != 0 {
		t.Errorf("a kernel of our own: %q %q %d", out, errs, status)
	}
	own := "unix://" + filepath.Join(t.TempDir(), "own")
	out, errs, status := invoke(env, "", "-u", own, "-c", "echo served >/tmp/g; sh -c 'echo $RUMP_SERVER'")
	if out != own+"\n" || errs != "rump: serving "+own+"\n" || status != 0 {
		t.Errorf("-u: %q %q %d", out, errs, status)
	}
	if _, errs, status := invoke(nil, "", "-s", own); status != 1 || !strings.HasPrefix(errs, "rump: ") {
		t.Errorf("a kernel that is gone: %q %d", errs, status)
	}
}
