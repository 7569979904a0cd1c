package server

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/component/all"
)

// TestEmbed: a kernel by rump_server's options in this program: all components without -l, those of -l with it; served at
// a URL or not at all.
func TestEmbed(t *testing.T) {
	var stderr bytes.Buffer
	env := &Env{Args: []string{"prog"}, Stderr: &stderr, Getenv: func(string) string { return "" }}
	whole, at := Embed(env, nil, "")
	if whole == nil || at != "" {
		t.Fatalf("%v at %q: %s", whole, at, &stderr)
	}
	defer whole.Halt()
	if got, want := len(whole.Kernel().Components()), len(all.Components()); got != want {
		t.Errorf("%d components, there are %d", got, want)
	}
	url := "unix://" + filepath.Join(t.TempDir(), "sock")
	part, at := Embed(env, []string{"-lrumpvfs", "-c", "7"}, url)
	if part == nil || at != url {
		t.Fatalf("%v at %q: %s", part, at, &stderr)
	}
	defer part.Halt()
	p, err := client.Dial(context.Background(), url, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if n, err := p.Sysctl().Int("hw.ncpu"); n != 7 || err != nil {
		t.Errorf("hw.ncpu: %d, %v; want 7", n, err)
	}
	if stderr.Len() > 0 {
		t.Errorf("said: %s", &stderr)
	}
}

// TestEmbedFails: what is wrong is said, in rump_server's words.
func TestEmbedFails(t *testing.T) {
	for _, c := range []struct {
		options []string
		url     string
		want    string
	}{
		{[]string{"-lrumpnosuch"}, "", "failed to load -libraries, last error from \"rumpnosuch\":\n  there is no component rumpnosuch\n"},
		{[]string{"-z"}, "", "prog: unknown option -- z\nusage: prog " + usageText + "\n"},
		{[]string{"-c", "0"}, "", "rump init failed: Invalid argument\n  \"0\" processors: a number from 1 to 32 is needed, or \"host\"\n"},
		{nil, "nonsense", "rump_sp: invalid locator ``nonsense''\nrump server init failed: Invalid argument\n"},
	} {
		var stderr bytes.Buffer
		env := &Env{Args: []string{"prog"}, Stderr: &stderr, Getenv: func(string) string { return "" }}
		if k, at := Embed(env, c.options, c.url); k != nil || at != "" || stderr.String() != c.want {
			t.Errorf("%v %s: %v at %q\n%swant\n%s", c.options, c.url, k, at, &stderr, c.want)
		}
	}
}
