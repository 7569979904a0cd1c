package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// docPages are the pages whose blocks marked "sh host" are run, each as one session.
var docPages = []string{"README.md", "docs/tutorial.md"}

// TestDocs runs what the documentation shows. The oracle is the page itself: a command must print what stands below it, where "..."
// stands for any lines, and what the transcripts hold for volatile is so here.
func TestDocs(t *testing.T) {
	programs := Commands(t)
	for _, page := range docPages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", page))
			if err != nil {
				t.Fatal(err)
			}
			steps := Parse(hostBlocks(string(text)))
			if len(steps) < 5 {
				t.Fatalf("%d commands found", len(steps))
			}
			r := NewRunner(t, programs)
			if _, err := r.Run(`PATH="$PATH:$SERVER"`); err != nil {
				t.Fatal(err)
			}
			for _, s := range steps {
				got, err := r.Run(s.Command)
				if err != nil {
					t.Fatalf("$ %s: %v", s.Command, err)
				}
				var want []string
				for _, line := range s.Output {
					want = append(want, r.normal.line(line))
				}
				if !matchLines(want, got) {
					t.Errorf("$ %s\n%s", s.Command, diff(want, got))
				}
			}
		})
	}
}

// hostBlocks are the contents of a page's blocks that are fenced as "sh host", one after the other.
func hostBlocks(page string) string {
	var b strings.Builder
	in := false
	for line := range strings.Lines(page) {
		switch {
		case strings.HasPrefix(line, "```"):
			in = strings.TrimSpace(line) == "```sh host"
		case in:
			b.WriteString(line)
		}
	}
	return b.String()
}

// matchLines compares lines; a "..." among those wanted stands for any number of them.
func matchLines(want, got []string) bool {
	for i, w := range want {
		if w == "..." {
			for n := range len(got) - i + 1 {
				if matchLines(want[i+1:], got[i+n:]) {
					return true
				}
			}
			return false
		}
		if i >= len(got) || got[i] != w {
			return false
		}
	}
	return len(want) == len(got)
}

func TestMatchLines(t *testing.T) {
	for _, c := range []struct {
		want, got string
		match     bool
	}{
		{"a b", "a b", true},
		{"a b", "a", false},
		{"a", "a b", false},
		{"...", "", true},
		{"... b", "a a b", true},
		{"a ... b", "a b", true},
		{"a ... b", "a c", false},
		{"a ...", "b", false},
	} {
		if got := matchLines(strings.Fields(c.want), strings.Fields(c.got)); got != c.match {
			t.Errorf("%q against %q: %v", c.want, c.got, got)
		}
	}
}
