package util

import (
	"slices"
	"strings"
	"testing"
)

// TestGetopt follows getopt(3) of NetBSD and POSIX's guidelines; the messages are those of NetBSD's libc.
func TestGetopt(t *testing.T) {
	options := []Option{{Letter: 'a'}, {Letter: 'b'}, {Letter: 'f', Arg: "file"}, {Letter: '1'}}
	tests := []struct {
		args     string
		want     string // letters, with the argument after a colon
		operands string
		message  string
	}{
		{"", "", "", ""},
		{"x y", "", "x y", ""},
		{"-a", "a", "", ""},
		{"-ab -1", "a b 1", "", ""},
		{"-f name x", "f:name", "x", ""},
		{"-fname x", "f:name", "x", ""},
		{"-abfname", "a b f:name", "", ""},
		{"-a x -b", "a", "x -b", ""}, // nothing is permuted
		{"-a -- -b", "a", "-b", ""},
		{"-a - -b", "a", "- -b", ""}, // "-" is an operand
		{"-f -- x", "f:--", "x", ""}, // an argument can be anything
		{"-z", "?", "", "u: unknown option -- z\n"},
		{"-az x", "a ?", "x", "u: unknown option -- z\n"},
		{"-za", "? a", "", "u: unknown option -- z\n"},
		{"-f", "?", "", "u: option requires an argument -- f\n"},
		{"-a --b", "a ? b", "", "u: unknown option -- -\n"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			checkGetopt(t, options, tt.args, tt.want, tt.operands, tt.message)
		})
	}
}

// checkGetopt reads args and compares the options, the operands and the messages.
func checkGetopt(t *testing.T, options []Option, args, want, operands, message string) {
	t.Helper()
	var stderr strings.Builder
	g := NewGetopt("u", &stderr, options, strings.Fields(args))
	var got []string
	for g.Next() {
		s := string(g.Letter)
		if g.Long != "" {
			s += "/" + g.Long
		}
		if g.Arg != "" {
			s += ":" + g.Arg
		}
		got = append(got, strings.TrimPrefix(s, string(LongOnly)))
	}
	if strings.Join(got, " ") != want {
		t.Errorf("options %q, want %q", got, want)
	}
	if !slices.Equal(g.Args(), strings.Fields(operands)) {
		t.Errorf("operands %q, want %q", g.Args(), operands)
	}
	if stderr.String() != message {
		t.Errorf("message %q, want %q", stderr.String(), message)
	}
}

// TestGetoptLong follows getopt_long(3) of NetBSD.
func TestGetoptLong(t *testing.T) {
	options := []Option{{Letter: 'a'}, {Letter: 'd', Long: "date", Arg: "date"}, {Long: "reference", Arg: "file"},
		{Long: "refer"}, {Long: "dry"}}
	tests := []struct{ args, want, operands, message string }{
		{"--date=x y", "d/date:x", "y", ""},
		{"--date x y", "d/date:x", "y", ""},
		{"-d x y", "d/date:x", "y", ""},
		{"--da= y", "d/date", "y", ""},
		{"--referen=a=b", "/reference:a=b", "", ""},
		{"--refer", "/refer", "", ""},
		{"x -a y --dry z", "a /dry", "x y z", ""},
		{"x -a -- -d y", "a", "x -d y", ""},
		{"-a -", "a", "-", ""},
		{"--ref x", "?", "x", "u: ambiguous option -- ref\n"},
		{"--nope=1 x", "?", "x", "u: unknown option -- nope=1\n"},
		{"--dry=1 x", "?", "x", "u: option doesn't take an argument -- dry\n"},
		{"--date", "?", "", "u: option requires an argument -- date\n"},
		{"-a- x", "a ?", "x", "u: unknown option -- -\n"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			checkGetopt(t, options, tt.args, tt.want, tt.operands, tt.message)
		})
	}
}

// TestGetoptEmptyArgument: an argument may be empty if it is a word of its own.
func TestGetoptEmptyArgument(t *testing.T) {
	g := NewGetopt("u", new(strings.Builder), []Option{{Letter: 'f', Arg: "file"}}, []string{"-f", "", "x"})
	if !g.Next() || g.Letter != 'f' || g.Arg != "" || g.Next() || !slices.Equal(g.Args(), []string{"x"}) {
		t.Errorf("got %c %q, operands %q", g.Letter, g.Arg, g.Args())
	}
}

// TestOptionSynopsis checks how options are written in help texts.
func TestOptionSynopsis(t *testing.T) {
	for want, o := range map[string]Option{
		"-a":                   {Letter: 'a'},
		"-f file":              {Letter: 'f', Arg: "file"},
		"--reference=rfile":    {Long: "reference", Arg: "rfile"},
		"-d when, --date=when": {Letter: 'd', Long: "date", Arg: "when"},
	} {
		if got := o.Synopsis(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzGetopt(f *testing.F) {
	f.Add("-ab\n-f\nx\n--\n-a")
	f.Add("-\n--\n-f")
	f.Fuzz(func(t *testing.T, s string) {
		args := strings.Split(s, "\n")
		g := NewGetopt("u", new(strings.Builder), []Option{{Letter: 'a'}, {Letter: 'f', Arg: "file"}}, args)
		for n := 0; g.Next(); n++ {
			if n > len(s) {
				t.Fatal("more options than bytes")
			}
		}
		if !slices.Equal(g.Args(), args[len(args)-len(g.Args()):]) {
			t.Fatalf("operands %q are not the end of %q", g.Args(), args)
		}
	})
}
