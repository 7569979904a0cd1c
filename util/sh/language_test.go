package sh_test

import "testing"

// TestLanguage runs the scripts of testdata/language.txt on kernels of their own, by -c and from standard input. The
// file tells the oracle.
func TestLanguage(t *testing.T) {
	for _, s := range readScripts(t, "testdata/language.txt") {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			compare(t, shell(t, newProcess(t, newKernel(t)), "", "-c", s.text), s.want)
		})
		t.Run(s.name+" from input", func(t *testing.T) {
			t.Parallel()
			compare(t, shell(t, newProcess(t, newKernel(t)), s.text), s.want)
		})
	}
}
