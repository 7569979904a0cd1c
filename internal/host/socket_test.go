//go:build unix

package host

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// bindAt is what a server does with a socket; it notes the listener.
func bindAt(path string, l *net.Listener) func() error {
	return func() (err error) {
		*l, err = net.Listen("unix", path)
		return err
	}
}

// deadServer leaves a socket that nobody listens to, as kill -9 does.
func deadServer(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
}

func TestBindSocket(t *testing.T) {
	dir := t.TempDir()
	var live net.Listener
	if err := BindSocket(filepath.Join(dir, "live"), bindAt(filepath.Join(dir, "live"), &live)); err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	deadServer(t, filepath.Join(dir, "dead"))
	for name, make := range map[string]func(string) error{
		"file": func(p string) error { return os.WriteFile(p, []byte("precious"), 0o600) },
		"dir":  func(p string) error { return os.Mkdir(p, 0o700) },
		"link": func(p string) error { return os.Symlink("dead", p) },
	} {
		if err := make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		want abi.Errno
	}{
		{"live", abi.EADDRINUSE}, {"file", abi.EADDRINUSE}, {"dir", abi.EADDRINUSE}, {"link", abi.EADDRINUSE},
		{"dead", 0}, {"new", 0}, {"nodir/sock", abi.ENOENT},
	} {
		path := filepath.Join(dir, c.name)
		var l net.Listener
		err := BindSocket(path, bindAt(path, &l))
		if Errno(err) != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if err == nil {
			defer l.Close()
			if conn, err := net.Dial("unix", path); err != nil {
				t.Errorf("%s: nobody listens: %v", c.name, err)
			} else {
				conn.Close()
			}
		}
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "file")); string(b) != "precious" {
		t.Error("a file that is not a socket was touched")
	}
}

// TestBindSocketRace has many servers start at once where a dead one was: one gets the place and keeps it.
func TestBindSocketRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	deadServer(t, path)
	var mu sync.Mutex
	var listeners []net.Listener
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			var l net.Listener
			err := BindSocket(path, bindAt(path, &l))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				listeners = append(listeners, l)
			} else if Errno(err) != abi.EADDRINUSE {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(listeners) != 1 {
		t.Fatalf("%d servers have the place", len(listeners))
	}
	defer listeners[0].Close()
	go net.Dial("unix", path)
	if c, err := listeners[0].Accept(); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
}
