package ndp

import (
	"bytes"
	"context"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// Oracle: ndp(8)'s way of writing times.
func TestDuration(t *testing.T) {
	for seconds, want := range map[int64]string{0: "0s", 59: "59s", 60: "1m0s", 3600: "1h0m0s", 86400 + 61: "1d0h1m1s", -5: "-5s"} {
		if got := duration(seconds); got != want {
			t.Errorf("%d: %s, want %s", seconds, got, want)
		}
	}
	for at, want := range map[int64]string{0: "permanent", 99: "expired", 100: "expired", 130: "30s"} {
		if got := expiry(at, 100); got != want {
			t.Errorf("%d: %s, want %s", at, got, want)
		}
	}
}

// fake is a command without a kernel.
func fake(out *bytes.Buffer) *command {
	return &command{ctx: context.Background(), env: &util.Env{Args: []string{"ndp"}, Stdout: out, Stderr: out}, namer: routing.Namer{Numeric: true}}
}

// FuzzLists: whatever a kernel lists is printed or passed over.
func FuzzLists(f *testing.F) {
	r := abi.In6Defrouter{Flags: 0xd8, Expire: 5}
	p := abi.In6Prefix{Raflags: abi.PrfRa{Bits0: 3}, Flags: abi.NDPRF_DETACHED, Expire: 9, Vltime: 1, Pltime: abi.ND6_INFINITE_LIFETIME}
	f.Add(r.Append(nil))
	f.Add(p.Append(nil))
	f.Add([]byte{1})
	f.Fuzz(func(_ *testing.T, b []byte) {
		c := fake(new(bytes.Buffer))
		c.printRouters(b, 1)
		var p abi.In6Prefix
		if p.Decode(b) == nil {
			c.printPrefix(&p, 1)
		}
	})
}
