package env_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestEnv holds env against env(1).
func TestEnv(t *testing.T) {
	p := utiltest.New(t).Process()
	for _, c := range []struct {
		cmd    string
		out    string
		status int
	}{
		{"env", "A=1\nB=2=3\nTZ=UTC\n", 0},
		{"env A=x C= A=y", "A=y\nB=2=3\nTZ=UTC\nC=\n", 0},
		{"env -i", "", 0},
		{"env -i A=1", "A=1\n", 0},
		{"env - A=1 env B=2", "A=1\nB=2\n", 0},
		{"env env", "A=1\nB=2=3\nTZ=UTC\n", 0},
		{"env -i env", "", 0},
		{"env X=1 sh -c 'echo $X $A'", "1 1\n", 0},
		{"env TZ=America/New_York date -r 0 +%H", "19\n", 0},
		{"env false", "", 1},
		{"env nosuch x", "env: nosuch: No such file or directory\n", 127},
		{"env /bin/true", "env: /bin/true: No such file or directory\n", 127},
		{"env -x", "env: unknown option -- x\nusage: env [-i] [name=value ...] [utility [argument ...]]\n", 1},
	} {
		var out bytes.Buffer
		status := util.Run(context.Background(), all.Lookup("env"), &util.Env{
			Args: utiltest.Words(c.cmd), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
			Environ: []string{"A=1", "B=2=3", "TZ=UTC"}, Getenv: func(string) string { return "" },
			Proc: p, Set: all.Set{},
		})
		if out.String() != c.out || status != c.status {
			t.Errorf("%s: %s[%d], want %s[%d]", c.cmd, &out, status, c.out, c.status)
		}
	}
}

// TestHost prints the host's environment where there is no shell's.
func TestHost(t *testing.T) {
	var out bytes.Buffer
	util.Run(context.Background(), all.Lookup("env"), &util.Env{
		Args: []string{"env", "B=2"}, Stdout: &out, Stderr: &out, HostEnviron: func() []string { return []string{"A=1"} },
	})
	if out.String() != "A=1\nB=2\n" {
		t.Error(out.String())
	}
}

// TestHostProgram: from the host's shell a program is run by its path, with the environment and nothing else; a bare name is never the host's.
func TestHostProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		want   string
		status int
	}{
		{[]string{"env", "-i", "A=1", "ENV_TEST_PRINT=1", self}, "A=1\nENV_TEST_PRINT=1\n", 3},
		{[]string{"env", "/nope/nope"}, "env: /nope/nope: No such file or directory\n", 127},
		{[]string{"env", "nope"}, "env: nope: No such file or directory\n", 127},
	} {
		var out bytes.Buffer
		status := util.Run(context.Background(), all.Lookup("env"), &util.Env{
			Args: c.args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Set: all.Set{},
			HostEnviron: func() []string { return []string{"PATH=" + filepath.Dir(self)} }, Getenv: func(string) string { return "" },
		})
		if out.String() != c.want || status != c.status {
			t.Errorf("%v: %q [%d]", c.args, out.String(), status)
		}
	}
}

// TestMain is also the program of the host: it prints its environment.
func TestMain(m *testing.M) {
	if os.Getenv("ENV_TEST_PRINT") != "" {
		for _, v := range os.Environ() {
			os.Stdout.WriteString(v + "\n")
		}
		os.Exit(3)
	}
	os.Exit(m.Run())
}
