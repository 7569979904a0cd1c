package server

import (
	"bytes"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/rump"
)

// TestParse has the synopsis of rump_server(1) and the environment of rumpkernel(7).
func TestParse(t *testing.T) {
	for _, c := range []struct {
		args, env string
		want      settings
	}{
		{"unix://s", "", settings{url: "unix://s"}},
		{"-sv unix://s", "", settings{url: "unix://s", foreground: true, verbose: true}},
		{"-c4 -r 16m -lrumpvfs -l rumpdev -m a.kmod -- unix://s", "",
			settings{url: "unix://s", ncpu: "4", memlimit: "16m", libraries: []string{"rumpvfs", "rumpdev"}, modules: []string{"a.kmod"}}},
		{"-d key=/a,hostpath=h,size=1 unix://s", "", settings{url: "unix://s", drives: []rump.Drive{{Key: "/a", HostPath: "h", Size: 1}}}},
		{"unix://s", "RUMP_NCPU=3 RUMP_MEMLIMIT=1g RUMP_VERBOSE=1", settings{url: "unix://s", ncpu: "3", memlimit: "1g", verbose: true}},
		{"-c1 -r2m unix://s", "RUMP_NCPU=3 RUMP_MEMLIMIT=1g RUMP_VERBOSE=0", settings{url: "unix://s", ncpu: "1", memlimit: "2m"}},
	} {
		env := map[string]string{}
		for _, v := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		}
		var stderr bytes.Buffer
		got, ok := parse("rump_server", strings.Fields(c.args), func(n string) string { return env[n] }, &stderr)
		if !ok || !reflect.DeepEqual(*got, c.want) || stderr.Len() > 0 {
			t.Errorf("%s (%s): %+v, %v, %q; want %+v", c.args, c.env, got, ok, &stderr, c.want)
		}
	}
}

func TestParseNCPU(t *testing.T) {
	for v, want := range map[string]int{
		"": 0, "1": 1, "32": 32, "host": min(runtime.NumCPU(), 32),
		"0": -1, "33": -1, "-1": -1, "two": -1, "1x": -1, "99999999999999999999": -1,
	} {
		got, err := parseNCPU(v)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v; want %d", v, got, err, want)
		}
	}
}

// TestParseMemLimit has the numbers that the original's RUMP_MEMLIMIT takes.
func TestParseMemLimit(t *testing.T) {
	for v, want := range map[string]int64{
		"": 0, "4096": 4096, "64k": 64 << 10, "16m": 16 << 20, "2g": 2 << 30, "8589934591g": 8589934591 << 30,
		"0": -1, "k": -1, "1t": -1, "1mm": -1, "-1m": -1, "1 m": -1, "8589934592g": -1, "16M": -1,
	} {
		got, err := parseMemLimit(v)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v; want %d", v, got, err, want)
		}
	}
}
