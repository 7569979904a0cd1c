package sh_test

import (
	"strings"
	"testing"
)

// TestInterrupts runs the scripts of testdata/interrupt.txt. The file tells the oracle.
func TestInterrupts(t *testing.T) {
	for _, s := range readScripts(t, "testdata/interrupt.txt") {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			compare(t, shell(t, newProcess(t, newKernel(t)), "", "-c", s.text), s.want)
		})
	}
}

// TestSessions runs the sessions of testdata/session.txt. The file tells the oracle.
func TestSessions(t *testing.T) {
	for _, s := range readScripts(t, "testdata/session.txt") {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got := shell(t, newProcess(t, newKernel(t)), s.text, "-i")
			if !strings.HasSuffix(got.err, "\n") { // the last prompt, which the file ends with a line
				got.err += "\n"
			}
			compare(t, got, s.want)
		})
	}
}
