package sh_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
	"github.com/rumpctrl/rumpctrl/util/sh"
)

// limit ends what a mistake has made endless. No test's result depends on it.
const limit = time.Minute

func newKernel(t testing.TB) *rump.Kernel {
	t.Helper()
	k, err := rump.New(rump.Config{Components: rump.With("rumpfs_tmpfs"), Hostname: "testhost"})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	return k
}

func newProcess(t testing.TB, k *rump.Kernel) *client.Process {
	t.Helper()
	p, err := k.Process("sh")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// output gathers what several goroutines write.
type output struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// result is what a shell has done.
type result struct {
	out, err string
	status   int
}

// shell runs a shell as process p with the arguments of sh(1).
func shell(t testing.TB, p *client.Process, stdin string, args ...string) result {
	t.Helper()
	return shellEnv(t, p, &util.Env{
		Args:   append([]string{"sh"}, args...),
		Stdin:  strings.NewReader(stdin),
		Getenv: func(string) string { return "" },
		Set:    all.Set{},
	})
}

// shellEnv is shell with more of its environment given. What is not is empty.
func shellEnv(t testing.TB, p *client.Process, env *util.Env) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out, errs output
	env.Proc, env.Stdout, env.Stderr = p, &out, &errs
	if env.Stdin == nil {
		env.Stdin = strings.NewReader("")
	}
	status := sh.Run(ctx, env, sh.Setup{})
	return result{out.String(), errs.String(), status}
}

// executableMaker is all utilities and one more, since none of them is chmod.
type executableMaker struct{ all.Set }

func (s executableMaker) Lookup(name string) *util.Utility {
	if name != "makeexecutable" {
		return s.Set.Lookup(name)
	}
	return &util.Utility{Name: name, Main: func(_ context.Context, env *util.Env) int {
		for _, file := range env.Args[1:] {
			if err := env.Proc.Chmod(file, 0o755); err != nil {
				return env.Err(err, "%s", file)
			}
		}
		return 0
	}}
}

// script is a case of a file of scripts.
type script struct {
	name, text string
	want       result
}

// readScripts reads a file of scripts, whose head says how it is made.
func readScripts(t testing.TB, file string) []script {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []script
	var section *string
	for line := range strings.Lines(string(text)) {
		name, isCase := strings.CutPrefix(line, "=== ")
		switch {
		case isCase:
			list = append(list, script{name: strings.TrimSpace(name)})
			section = &list[len(list)-1].text
		case len(list) == 0: // the head
		case line == "---\n":
			section = &list[len(list)-1].want.out
		case line == "--- stderr\n":
			section = &list[len(list)-1].want.err
		case strings.HasPrefix(line, "--- status "):
			status, err := strconv.Atoi(strings.TrimSpace(line[len("--- status "):]))
			if err != nil {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			list[len(list)-1].want.status = status
			section = &list[len(list)-1].want.out
		default:
			*section += line
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s has no scripts", file)
	}
	return list
}

// compare reports a result that is not what it should be.
func compare(t *testing.T, got, want result) {
	t.Helper()
	if got.out != want.out {
		t.Errorf("standard output:\n%s\nwant:\n%s", got.out, want.out)
	}
	if got.err != want.err {
		t.Errorf("standard error:\n%s\nwant:\n%s", got.err, want.err)
	}
	if got.status != want.status {
		t.Errorf("exit status %d, want %d", got.status, want.status)
	}
}
