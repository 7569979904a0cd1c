package cat

import (
	"strings"
	"testing"
)

// TestCook holds the options against transcript core-08 and cat(1).
func TestCook(t *testing.T) {
	const file = "one\n\n\n\ttab\nlast"
	for _, c := range []struct{ options, in, want string }{
		{"n", file, "     1\tone\n     2\t\n     3\t\n     4\t\ttab\n     5\tlast"},
		{"b", file, "     1\tone\n\n\n     2\t\ttab\n     3\tlast"},
		{"s", file, "one\n\n\ttab\nlast"},
		{"e", file, "one$\n$\n$\n\ttab$\nlast"},
		{"t", file, "one\n\n\n^Itab\nlast"},
		{"ev", file, "one$\n$\n$\n\ttab$\nlast"},
		{"be", "a\n\nb\n", "     1\ta$\n      \t$\n     2\tb$\n"},
		{"sn", "\n\n\na", "     1\t\n     2\ta"},
		{"v", "\x00\x1f\x7f\x80\x89\x8a\xff a\t\n", "^@^_^?M-^@M-^IM-^JM-^? a\t\n"},
		{"n", strings.Repeat("\n", 3), "     1\t\n     2\t\n     3\t\n"},
	} {
		for _, step := range []int{1, 3, 1 << 10} {
			var k cooking
			for i := range len(c.options) {
				if !k.set(c.options[i]) {
					t.Fatalf("no option %c", c.options[i])
				}
			}
			var got []byte
			for in := []byte(c.in); len(in) > 0; {
				n := min(step, len(in))
				got = k.cook(got, in[:n])
				in = in[n:]
			}
			if string(got) != c.want {
				t.Errorf("cat -%s of %q by %d: %q, want %q", c.options, c.in, step, got, c.want)
			}
		}
	}
}

// TestLargeNumber checks the width of a number that needs more than six columns.
func TestLargeNumber(t *testing.T) {
	if got := string(appendNumber(nil, 12345678)); got != "12345678" {
		t.Errorf("%q", got)
	}
}

// TestParseSize holds the argument of -B against strtol(3) with base 0.
func TestParseSize(t *testing.T) {
	for s, want := range map[string]int{
		"10": 10, "0x10": 16, "010": 8, "-5": blockSize, "junk": blockSize, "99999999999999999999": maxBlockSize,
	} {
		if got := parseSize(s); got != want {
			t.Errorf("%s: %d, want %d", s, got, want)
		}
	}
}
