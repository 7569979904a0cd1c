package sh

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/cat"
	"github.com/rumpctrl/rumpctrl/util/ls"
	"github.com/rumpctrl/rumpctrl/util/mkdir"
	"github.com/rumpctrl/rumpctrl/util/rm"
)

// fewUtilities is what a script of FuzzShell can run. Without "halt" among them a kernel serves all its scripts.
type fewUtilities []*util.Utility

func (u fewUtilities) Lookup(name string) *util.Utility {
	for _, utility := range u {
		if utility.Called(name) {
			return utility
		}
	}
	return nil
}

// endless is when FuzzShell reports a script that goes on long after it was ended.
const endless = 20 * time.Second

// FuzzShell runs random scripts, without the command "host". They must neither panic nor go on when they are ended, and the
// host's directory and files must stay as they are.
func FuzzShell(f *testing.F) {
	for _, file := range []string{"testdata/language.txt", "testdata/session.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, script := range strings.Split(string(text), "\n=== ")[1:] {
			_, script, _ = strings.Cut(script, "\n")
			script, _, _ = strings.Cut(script, "\n---")
			f.Add(script)
		}
	}
	k, err := rump.New(rump.Config{Components: rump.With("rumpvfs")})
	if err != nil {
		f.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(k.Halt)
	before, err := os.ReadDir(".")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if len(script) > 4096 {
			return
		}
		watchdog := time.AfterFunc(endless, func() { panic(fmt.Sprintf("does not end: %q", script)) })
		defer watchdog.Stop()
		proc, err := k.Process("sh")
		if err != nil {
			t.Fatal(err)
		}
		defer proc.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		s := newShell(ctx, &util.Env{
			Args: []string{"sh"}, Stdin: strings.NewReader("in\nput\n"), Stdout: io.Discard, Stderr: io.Discard,
			Getenv: func(string) string { return "" }, Proc: proc,
			Set: fewUtilities{&cat.Utility, &ls.Utility, &mkdir.Utility, &rm.Utility},
		}, Setup{})
		delete(s.builtins, "host")
		if err := s.execute(newTextInput(strings.NewReader(script)), ""); err != nil {
			t.Logf("%q: %v", script, err)
		}
		if status := s.exit(); status < 0 || status > 255 {
			t.Errorf("%q: exit status %d", script, status)
		}
		s.end()
		s.session.jobs.Wait()
		if after, err := os.ReadDir("."); err != nil || len(after) != len(before) {
			t.Fatalf("%q: the host's directory has %v, %v", script, after, err)
		}
	})
}
