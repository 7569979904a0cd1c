package sysproxy

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// toyServer serves a toy kernel until the test is over.
type toyServer struct {
	*Server
	k   *toyKernel
	url string
}

// testLog sends what a server logs to the test's log.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("server: %s", strings.TrimSpace(string(p)))
	return len(p), nil
}

func startServer(t testing.TB, url string, cfg ServerConfig, opts ...ListenOption) *toyServer {
	t.Helper()
	watchGoroutines(t)
	k := newToyKernel()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(testLog{t}, nil))
	}
	srv, err := NewServer(k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	k.raise = srv.Raise
	if url == "" {
		url = unixURL(t)
	}
	l, err := Listen(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
		if n := k.count(); n != 0 {
			t.Errorf("%d processes are left after Shutdown", n)
		}
	})
	return &toyServer{srv, k, l.URL()}
}

func unixURL(t testing.TB) string { return "unix://" + filepath.Join(t.TempDir(), "s") }

func dial(t testing.TB, s *toyServer, opts ...Option) *Conn {
	t.Helper()
	c, err := Dial(context.Background(), s.url, t.Name(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// watchGoroutines checks at the end of the test that all goroutines that it
// started are gone.
func watchGoroutines(t testing.TB) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		ok := eventually(func() bool { return runtime.NumGoroutine() <= before })
		if !ok {
			buf := make([]byte, 1<<20)
			t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	})
}

// eventually waits for a condition. It returns false if a time passes that is
// far longer than anything here takes.
func eventually(ok func() bool) bool {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if ok() {
			return true
		}
		runtime.Gosched()
		time.Sleep(100 * time.Microsecond)
	}
	return ok()
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !eventually(ok) {
		t.Fatalf("never: %s", what)
	}
}

// do makes a call and returns its first result.
func do(t testing.TB, tr Transport, num int, args ...uint64) (uint64, abi.Errno) {
	t.Helper()
	c := tr.NewCall(num)
	defer c.Free()
	c.Args(args...)
	return done(t, tr, c)
}

func done(t testing.TB, tr Transport, c *Call) (uint64, abi.Errno) {
	t.Helper()
	if err := tr.Do(c); err != nil {
		t.Fatalf("call %d: %v", c.Num, err)
	}
	return c.Ret[0], c.Err
}

// want checks that a call succeeds.
func want(t testing.TB, tr Transport, c *Call, ret uint64) {
	t.Helper()
	got, err := done(t, tr, c)
	if err != 0 || got != ret {
		t.Fatalf("call %d: %d, %v; want %d", c.Num, got, err, ret)
	}
	c.Free()
}

// isErr checks an error by errors.Is.
func isErr(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}
