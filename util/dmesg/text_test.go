package dmesg

import "testing"

// TestText holds what is printed of a buffer against dmesg(8) and vis(3).
func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "\n",
		"\x00\x00a\nb\n":              "a\nb\n",
		"a\n<5>b":                     "a\nb\n",
		"a\n<5>":                      "a\n",
		"a <5>\tb\n":                  "a <5>\tb\n",
		"a\r\x01\\\x7f\xe1\x81\xff\n": "a\\^M\\^A\\\\\\^?\\M-a\\M^A\\M^?\n",
	} {
		if got := string(text([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
