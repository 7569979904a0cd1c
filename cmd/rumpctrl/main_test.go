package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
)

// try dispatches a command line in an environment of one variable or none, and returns what it printed and its status.
func try(t *testing.T, server string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs strings.Builder
	env := &util.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Set: all.Set{},
		Getenv: func(name string) string {
			if name == "RUMP_SERVER" {
				return server
			}
			return ""
		},
	}
	status = dispatch(context.Background(), env)
	return out.String(), errs.String(), status
}

// TestNoKernel has the messages of transcript core-01-client-errors.
func TestNoKernel(t *testing.T) {
	t.Chdir(t.TempDir())
	for server, line := range map[string]string{
		"":                      "error: RUMP_SERVER not set\n",
		"unix://nosuchsocket":   "",
		"nonsense":              "rump_sp: invalid locator ``nonsense''\n",
		"carrier://pigeon":      "rump_sp: invalid identifier ``carrier://pigeon''\n",
		"tcp://127.0.0.1":       "rump_sp_tcp: missing port specifier\n",
		"tcp://127.0.0.1:1":     "",
		"tcp://0:3755":          "rump_sp_tcp: client needs !INADDR_ANY\n",
		"tcp://127.0.0.1:99999": "rump_sp_tcp: port 99999 out of range\n",
	} {
		for _, args := range [][]string{{"/usr/bin/sysctl", "-a"}, {"rumpctrl", "sysctl", "-a"}} {
			stdout, stderr, status := try(t, server, args...)
			if stdout != "" || stderr != line+"rumpclient init failed\n" || status != 1 {
				t.Errorf("%q: %q on %q, status %d", args, stdout+stderr, server, status)
			}
		}
	}
}

func TestDispatch(t *testing.T) {
	tests := []struct {
		args           []string
		stdout, stderr string // what the output contains
		status         int
	}{
		{[]string{"rumpctrl"}, "utilities:\n", "", 0},
		{[]string{"rumpctrl.exe"}, "utilities:\n", "", 0},
		{[]string{"x", "list"}, "sysctl", "", 0},
		{[]string{"rumpctrl", "help"}, "utilities:\n", "", 0},
		{[]string{"rumpctrl", "help", "sysctl"}, "sysctl(8) - get or set kernel state\n", "", 0},
		{[]string{"rumpctrl", "help", "nosuch"}, "", "rumpctrl: nosuch: no such utility", 1},
		{[]string{"rumpctrl", "help", "a", "b"}, "", "usage: rumpctrl", 1},
		{[]string{"rumpctrl", "list", "x"}, "", "usage: rumpctrl", 1},
		{[]string{"rumpctrl", "nosuch"}, "", "rumpctrl: nosuch: no such utility; rumpctrl lists them\n", 127},
		{[]string{"rumpctrl", "install"}, "", "usage: rumpctrl", 1},
		{[]string{"rumpctrl", "install", "-x"}, "", "usage: rumpctrl", 1},
		{[]string{"C:/bin/sysctl.EXE"}, "", "rumpclient init failed\n", 1},
		{nil, "utilities:\n", "", 0},
	}
	for _, tt := range tests {
		stdout, stderr, status := try(t, "", tt.args...)
		if !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) || status != tt.status {
			t.Errorf("%q: status %d, printed %q, said %q", tt.args, status, stdout, stderr)
		}
		if (tt.stdout == "") != (stdout == "") || (tt.stderr == "") != (stderr == "") {
			t.Errorf("%q: printed %q, said %q", tt.args, stdout, stderr)
		}
	}
}

// TestNames: every utility has all that help and the documentation say of it, and a name of its own.
func TestNames(t *testing.T) {
	list := names()
	if !slices.IsSorted(list) {
		t.Errorf("not in alphabetical order: %q", list)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(list)))) != len(list) {
		t.Errorf("a name is there twice: %q", list)
	}
	for _, c := range commands {
		if slices.Contains(list, c.name) {
			t.Errorf("%s is a utility too", c.name)
		}
	}
	for _, u := range all.Utilities() {
		if u.Main == nil || u.Doc == "" || u.Section == 0 || len(u.Usage) == 0 {
			t.Errorf("%s lacks something: %+v", u.Name, u)
		}
	}
}

func TestColumns(t *testing.T) {
	for _, tt := range []struct {
		names string
		width int
		want  string
	}{
		{"a bb ccc d e", 80, "a    bb   ccc  d    e\n"},
		{"a bb ccc d e", 13, "a    ccc  e\nbb   d\n"},
		{"a bb ccc", 1, "a\nbb\nccc\n"},
		{"", 80, ""},
	} {
		var b strings.Builder
		columns(&b, strings.Fields(tt.names), tt.width)
		if b.String() != tt.want {
			t.Errorf("%q in %d: %q", tt.names, tt.width, b.String())
		}
	}
}

func TestInstall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's", "there")
	list := []string{"ls", "sysctl"}
	for range 2 { // the second time over the first
		if err := installIn(dir, list); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.Stat(filepath.Join(dir, "bin", self+suffix()))
	if err != nil || runtime.GOOS != "windows" && program.Mode().Perm() != 0o755 {
		t.Fatalf("the program: %v, %v", program, err)
	}
	for _, name := range list {
		fi, err := os.Stat(filepath.Join(dir, "bin", name+suffix()))
		if err != nil || !os.SameFile(fi, program) {
			t.Errorf("%s is no link to the program: %v", name, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "rumpctrl.sh"))
	if err != nil || !strings.Contains(string(text), `/it'\''s/there'`) || strings.Contains(string(text), "@DIR@") {
		t.Errorf("rumpctrl.sh: %v\n%s", err, text)
	}
}

// TestInstallAll: each utility has its link, but the shell, in whose place the host's must be found.
func TestInstallAll(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, status := try(t, "", "rumpctrl", "install", dir); status != 0 || stderr != "" {
		t.Fatalf("status %d, said %q", status, stderr)
	}
	for _, name := range names() {
		_, err := os.Lstat(filepath.Join(dir, "bin", name+suffix()))
		if (err == nil) != (name != "sh") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestInstallKeeps: what is in the way and is not ours stays.
func TestInstallKeeps(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	precious := filepath.Join(dir, "bin", "ls"+suffix())
	if err := os.WriteFile(precious, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := installIn(dir, []string{"ls"}); err == nil {
		t.Error("no error")
	}
	if b, err := os.ReadFile(precious); err != nil || string(b) != "precious" {
		t.Errorf("it holds %q, %v", b, err)
	}
}
