package sysproxy

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestURLMessages has the lines that the C programs print (transcript core-01,
// and sp_common.c of NetBSD for those that it does not show).
func TestURLMessages(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, tt := range []struct {
		url, text string
		errno     abi.Errno
		server    bool // fails for a server, too
	}{
		{"nonsense", "rump_sp: invalid locator ``nonsense''", abi.EINVAL, true},
		{"", "rump_sp: invalid locator ``''", abi.EINVAL, true},
		{"unix:/x", "rump_sp: invalid locator ``unix:/x''", abi.EINVAL, true},
		{"carrier://pigeon", "rump_sp: invalid identifier ``carrier://pigeon''", abi.EINVAL, true},
		{"://x", "rump_sp: invalid identifier ``://x''", abi.EINVAL, true},
		{"averylongidentifier://x", "rump_sp: identifier too long in ``averylongidentifier://x''", abi.EINVAL, true},
		{"tcp://127.0.0.1", "rump_sp_tcp: missing port specifier", abi.EINVAL, true},
		{"tcp://[::1]", "rump_sp_tcp: missing port specifier", abi.EINVAL, true},
		{"tcp://127.0.0.1:99999", "rump_sp_tcp: port 99999 out of range", abi.ERANGE, true},
		{"tcp://127.0.0.1:99999999999999999999", "rump_sp_tcp: port 99999999999999999999 out of range", abi.ERANGE, true},
		{"tcp://127.0.0.1:12x", "rump_sp_tcp: junk at end of port: 127.0.0.1:12x", abi.EINVAL, true},
		{"tcp://127.0.0.1:", "rump_sp_tcp: port not found: ", abi.EINVAL, true},
		{"tcp://127.0.0.1:-1", "rump_sp_tcp: port not found: -1", abi.EINVAL, true},
		{"tcp://::1:80", "rump_sp_tcp: cannot parse ::1:80", abi.EINVAL, true},
		{"tcp://[1.2.3.4]:80", "rump_sp_tcp: cannot parse [1.2.3.4]:80", abi.EINVAL, true},
		{"tcp://[::1:80", "rump_sp_tcp: cannot parse [::1:80", abi.EINVAL, true},
		{"tcp://a b:80", "rump_sp_tcp: cannot parse a b", abi.EINVAL, true},
		{"tcp://" + long + ":1", "rump_sp_tcp: address too long", abi.EINVAL, true},
		{"tcp://0:3755", "rump_sp_tcp: client needs !INADDR_ANY", abi.EINVAL, false},
		{"tcp://*:3755", "rump_sp_tcp: client needs !INADDR_ANY", abi.EINVAL, false},
		{"tcp://0.0.0.0:3755", "rump_sp_tcp: client needs !INADDR_ANY", abi.EINVAL, false},
		{"tcp://[::]:3755", "rump_sp_tcp: client needs !INADDR_ANY", abi.EINVAL, false},
		{"unix://", "rump_sp: missing path in ``unix://''", abi.EINVAL, true},
		{"unix://" + long, "rump_sp: path of socket too long: " + long, abi.ENAMETOOLONG, true},
		{"unix://a\x00b", "rump_sp: NUL in ``unix://a\\0b''", abi.EINVAL, true},
		{"tls://h:1?cret=x", "rump_sp_tls: unknown parameter \"cret\"", abi.EINVAL, true},
		{"tls://h:1?cert=", "rump_sp_tls: parameter cert needs one value", abi.EINVAL, true},
		{"tls://h", "rump_sp_tls: missing port specifier", abi.EINVAL, true},
	} {
		for _, server := range []bool{false, true} {
			_, err := ParseURL(tt.url, server)
			if server && !tt.server {
				if err != nil {
					t.Errorf("%q for a server: %v", tt.url, err)
				}
				continue
			}
			var ue *URLError
			if !errors.As(err, &ue) || ue.Error() != tt.text || ue.Errno != tt.errno || ue.URL != tt.url {
				t.Errorf("%q: %v (%v), want %s", tt.url, err, ue, tt.text)
			}
			if !errors.Is(err, tt.errno) {
				t.Errorf("%q: not %v", tt.url, tt.errno)
			}
		}
	}
}

func TestURLs(t *testing.T) {
	t.Chdir(t.TempDir())
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ url, addr, canonical string }{
		{"tcp://127.0.0.1:80", "127.0.0.1:80", "tcp://127.0.0.1:80"},
		{"tcp://127.0.0.1:80/", "127.0.0.1:80", "tcp://127.0.0.1:80"},
		{"tcp://127.0.0.1:080", "127.0.0.1:80", "tcp://127.0.0.1:80"},
		{"tcp://localhost:3755", "localhost:3755", "tcp://localhost:3755"},
		{"tcp://[::1]:80", "[::1]:80", "tcp://[::1]:80"},
		{"tcp6://[fe80::1%eth0]:80", "[fe80::1%eth0]:80", "tcp6://[fe80::1%eth0]:80"},
		{"tcp://*:80", ":80", "tcp://*:80"},
		{"tcp://0:80", "0.0.0.0:80", "tcp://0.0.0.0:80"},
		{"tls://h:1?cert=/c&ca=/a&key=/k", "h:1", "tls://h:1?ca=%2Fa&cert=%2Fc&key=%2Fk"},
		{"unix:///tmp/s", "", "unix:///tmp/s"},
		{"unix://s", "", "unix://" + filepath.Join(wd, "s")},
		{"unix://../s", "", "unix://" + filepath.Join(filepath.Dir(wd), "s")},
	} {
		if runtime.GOOS == "windows" && strings.HasPrefix(tt.url, "unix:///") {
			continue
		}
		l, err := ParseURL(tt.url, true)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		if tt.addr != "" && l.Addr() != tt.addr {
			t.Errorf("%s: address %s, want %s", tt.url, l.Addr(), tt.addr)
		}
		if l.String() != tt.canonical {
			t.Errorf("%s: canonical %s, want %s", tt.url, l, tt.canonical)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"nonsense", "unix://s", "unix:///tmp/s", "tcp://1.2.3.4:5/", "tcp://[::1]:5", "tcp6://[::]:0",
		"tls://h:1?cert=a&key=b&ca=c", "tcp://*:1", "tcp://:1", "carrier://pigeon", "tcp://[fe80::1%25e]:1",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, server bool) {
		l, err := ParseURL(s, server)
		if err != nil {
			var ue *URLError
			if !errors.As(err, &ue) || ue.Errno == 0 || strings.Contains(ue.Text, "\x00") {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		again, err := ParseURL(l.String(), server)
		if err != nil && (l.Scheme != "unix" || len(l.Path) <= maxSunPath) {
			t.Fatalf("%q becomes %q: %v", s, l, err)
		}
		if err == nil && again.String() != l.String() {
			t.Fatalf("%q becomes %q becomes %q", s, l, again)
		}
		if l.Scheme != "unix" {
			if _, _, err := net.SplitHostPort(l.Addr()); err != nil {
				t.Fatalf("%q: address %q: %v", s, l.Addr(), err)
			}
		}
	})
}

// TestListenErrors: the line and the number of the C server (transcript
// core-03; NetBSD's numbers: 2, 48, 22).
func TestListenErrors(t *testing.T) {
	url := unixURL(t)
	l, err := Listen(url)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, tt := range []struct {
		url   string
		errno abi.Errno
	}{
		{"unix:///nonexistent/dir/sock", abi.ENOENT},
		{url, abi.EADDRINUSE},
		{"unix:///dev/null/sock", abi.ENOTDIR},
	} {
		_, err := Listen(tt.url)
		var le *ListenError
		if !errors.As(err, &le) || le.Error() != "rump_sp: failed to bind to URL "+tt.url || le.Errno() != tt.errno {
			t.Errorf("%s: %v", tt.url, err)
		}
	}
}

// TestSocketFile: its permissions, its removal, and that somebody else's stays.
func TestSocketFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	mode := func(name string) os.FileMode {
		fi, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return fi.Mode().Perm()
	}
	l, err := Listen("unix://s")
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && mode("s") != 0o600 {
		t.Errorf("mode %o", mode("s"))
	}
	t.Chdir(t.TempDir())
	if want := "unix://" + filepath.Join(dir, "s"); l.URL() != want {
		t.Errorf("URL %s, want %s", l.URL(), want)
	}
	l.Close()
	if _, err := os.Lstat(filepath.Join(dir, "s")); !os.IsNotExist(err) {
		t.Errorf("socket is still there: %v", err)
	}

	l, err = Listen("unix://"+filepath.Join(dir, "open"), SocketMode(0o666))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && mode("open") != 0o666 {
		t.Errorf("mode %o", mode("open"))
	}
	os.Remove(filepath.Join(dir, "open"))
	if err := os.WriteFile(filepath.Join(dir, "open"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := os.Lstat(filepath.Join(dir, "open")); err != nil {
		t.Errorf("a file that is not ours was removed: %v", err)
	}
}
