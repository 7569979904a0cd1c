// Package layers holds the test that imports point down only, as docs/architecture.md draws them.
package layers

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/rumpctrl/rumpctrl/"

// rule says what the packages of a room may import of ours. The first rule whose room matches a package is its own.
// A room or an import is a path below the module; a trailing "/..." takes in what is below.
type rule struct {
	room  string
	allow []string
}

// rules are docs/architecture.md's rooms, from the ground up.
var rules = []rule{
	{"abi", nil},
	{"abi/...", []string{"abi"}},
	{"ondisk/...", []string{"abi/...", "ondisk/..."}},
	{"sysproxy", []string{"abi/..."}},
	{"kern", []string{"abi/..."}},
	{"kern/kerntest", []string{"abi/...", "kern"}},
	{"kern/vfs/...", []string{"abi/...", "kern", "kern/kerntest", "kern/vfs/..."}},
	{"kern/dev/...", []string{"abi/...", "kern", "kern/vfs/...", "kern/dev/...", "ondisk/..."}},
	{"kern/net/local", []string{"abi", "kern", "kern/vfs", "kern/net/socket"}},
	{"kern/net/...", []string{"abi/...", "kern", "kern/net/..."}},
	{"component/...", []string{"abi/...", "kern/...", "component/...", "ondisk/...", "internal/host"}},
	{"client/...", []string{"abi/...", "sysproxy"}},
	{"rump", []string{"abi/...", "sysproxy", "client/...", "kern/...", "component/...", "ondisk/...", "internal/host"}},
	{"util/utiltest", []string{"abi/...", "sysproxy", "client/...", "util/...", "rump"}},
	{"util/...", []string{"abi/...", "sysproxy", "client/...", "util/...", "ondisk/..."}},
	{"cmd/rumpctrl", []string{"abi/...", "sysproxy", "client/...", "util/...", "internal/install"}},
	{"cmd/...", []string{"..."}},
	{"internal/host", []string{"abi/..."}},
	{"internal/...", []string{"..."}},
}

func match(pattern, pkg string) bool {
	if base, all := strings.CutSuffix(pattern, "..."); all {
		return strings.HasPrefix(pkg+"/", base)
	}
	return pattern == pkg
}

func allowed(r rule, imported string) bool {
	for _, a := range r.allow {
		if match(a, imported) {
			return true
		}
	}
	return false
}

func ruleOf(pkg string) (rule, bool) {
	for _, r := range rules {
		if match(r.room, pkg) {
			return r, true
		}
	}
	return rule{}, false
}

// TestImports asks the go command for every package's imports, those of its tests left out.
func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = path.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	seen := 0
	for dec.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen++
		checkPackage(t, strings.TrimPrefix(p.ImportPath, module), p.Imports)
	}
	if seen < 5 {
		t.Fatalf("go list found %d packages", seen)
	}
}

func checkPackage(t *testing.T, pkg string, imports []string) {
	r, ok := ruleOf(pkg)
	if !ok {
		t.Errorf("%s is in no room of docs/architecture.md", pkg)
		return
	}
	for _, imp := range imports {
		ours, is := strings.CutPrefix(imp, module)
		if is && !allowed(r, ours) {
			t.Errorf("%s imports %s: room %s may import %v", pkg, ours, r.room, r.allow)
		}
	}
}

// TestAllowed checks the test's own matching.
func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		pkg, imported string
		want          bool
	}{
		{"kern", "sysproxy", false},
		{"util/ls", "kern", false},
		{"util/ls", "util", true},
		{"kern/vfs", "kern", true},
		{"component/fs/tmpfs", "kern/vfs/memfs", true},
		{"sysproxy", "kern", false},
		{"abi", "abi", false},
	} {
		r, ok := ruleOf(c.pkg)
		if !ok || allowed(r, c.imported) != c.want {
			t.Errorf("%s importing %s: allowed %v, want %v", c.pkg, c.imported, !c.want, c.want)
		}
	}
}
