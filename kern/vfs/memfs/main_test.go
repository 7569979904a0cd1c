package memfs

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain gives rapid the same seed every time, unless -rapid.seed says otherwise, and has it leave no files behind.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.seed": "20161001", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run()) // m.Run parses the command line, which comes after
}
