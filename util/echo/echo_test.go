package echo_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/echo"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestEcho holds echo against echo(1), which knows no options but -n.
func TestEcho(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "echo", Out: "\n"},
		{Cmd: "echo a 'b  c'", Out: "a b  c\n"},
		{Cmd: "echo -n a b", Out: "a b"},
		{Cmd: "echo -n -n a", Out: "-n a"},
		{Cmd: `echo -e a\n`, Out: "-e a\\n\n"},
		{Cmd: "echo -- -x", Out: "-- -x\n"},
	})
}

// TestEscapes holds the escapes against XCU echo: octal numbers begin with 0, and an unknown escape stays.
func TestEscapes(t *testing.T) {
	for in, want := range map[string]string{
		`a\tb`: "a\tb\n", `\0101`: "A\n", `a\cb`: "a", `\q\`: "\\q\\\n", `\\n`: "\\n\n",
	} {
		if got := echo.Text([]string{in}, true, true); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
