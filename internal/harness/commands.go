package harness

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Programs is where the commands are that were built.
type Programs struct {
	Util   string // directory with a link for each utility
	Server string // directory of rump_server, rump_allserver, rump_wmd, rump
	Script string // rumpctrl.sh
}

// build is the one build of a test binary, and the directory it is in.
var build struct {
	dir  string
	once sync.Once
	got  *Programs
	err  error
}

// Main runs the tests of a package that uses Commands: "func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }". It
// removes what was built when they are over.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rumpctrl-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build.dir = dir
	return m.Run()
}

// Commands builds the commands, once for a test binary that begins in Main, and returns where they are.
func Commands(tb testing.TB) *Programs {
	tb.Helper()
	if build.dir == "" {
		tb.Fatal("harness.Main has not been called by TestMain")
	}
	build.once.Do(func() { build.got, build.err = buildIn(build.dir) })
	if build.err != nil {
		tb.Fatal(build.err)
	}
	return build.got
}

// servers are the names in Programs.Server, and the commands that they call.
var servers = [...]struct{ name, command string }{
	{"rump_server", "rump_server"},
	{"rump_allserver", "rump_server"},
	{"rump_wmd", "rump_server"},
	{"rump", "rump"},
}

func buildIn(dir string) (*Programs, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	if err := dependOnSources(root); err != nil {
		return nil, err
	}
	if err := run(root, "go", "build", "-o", dir+string(filepath.Separator), "./cmd/..."); err != nil {
		return nil, err
	}
	installed := filepath.Join(dir, "installed")
	if err := run(dir, filepath.Join(dir, "rumpctrl"), "install", installed); err != nil {
		return nil, err
	}
	p := &Programs{
		Util:   filepath.Join(installed, "bin"),
		Server: filepath.Join(dir, "server"),
		Script: filepath.Join(installed, "rumpctrl.sh"),
	}
	if err := os.Mkdir(p.Server, 0o755); err != nil {
		return nil, err
	}
	for _, s := range servers {
		if err := os.Symlink(filepath.Join(dir, s.command), filepath.Join(p.Server, s.name)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// dependOnSources looks at each source file, as what go build reads: go test does not take a result from its cache if one
// that the test looked at has changed since.
func dependOnSources(root string) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && path != root && strings.HasPrefix(e.Name(), "."):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"), strings.HasSuffix(path, ".sh"):
			_, err = os.Stat(path)
		}
		return err
	})
}

// moduleRoot returns the directory of the module's go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

func run(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is released: without cgo it starts faster
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// Tool returns the path of a program of the host that a test needs. Where there is none the test is skipped, or fails if
// CI is set in the environment.
func Tool(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		tb.Fatalf("NOT TESTED: the host has no %s", name)
	}
	tb.Skipf("NOT TESTED: the host has no %s", name)
	return ""
}
