package sleep

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/util"
)

// TestDuration holds operands against sleep(1).
func TestDuration(t *testing.T) {
	for arg, want := range map[string]time.Duration{
		"0": 0, "00": 0, "1": time.Second, "1.5": 1500 * time.Millisecond, ".25": 250 * time.Millisecond, "1e1": 10 * time.Second,
		"99999999999999999999": math.MaxInt64, "1e400": math.MaxInt64,
		"": -1, "x": -1, "1x": -1, "-1": -1, "-0.5": -1, "0.0": -1, "nan": -1, "-inf": -1,
	} {
		got, ok := duration(arg)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %v, want %v", arg, got, want)
		}
	}
}

// TestSleep sleeps until it is interrupted, or not at all.
func TestSleep(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx    context.Context
		args   string
		status int
		out    string
	}{
		{context.Background(), "sleep 0", 0, ""},
		{context.Background(), "sleep 0.000001", 0, ""},
		{ended, "sleep 1000000", 1, ""},
		{context.Background(), "sleep", 1, "usage: sleep seconds\n"},
		{context.Background(), "sleep 1 2", 1, "usage: sleep seconds\n"},
		{context.Background(), "sleep x", 1, "usage: sleep seconds\n"},
		{context.Background(), "sleep -x", 1, "sleep: unknown option -- x\nusage: sleep seconds\n"},
	} {
		var out bytes.Buffer
		status := util.Run(c.ctx, &Utility, &util.Env{Args: strings.Fields(c.args), Stdout: &out, Stderr: &out})
		if status != c.status || out.String() != c.out {
			t.Errorf("%s: %s[%d], want %s[%d]", c.args, &out, status, c.out, c.status)
		}
	}
}
