package all

import (
	"slices"
	"strings"
	"testing"
)

// TestTable checks the registry itself: every name once, sorted, documented, with options that getopt can tell apart.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	var names []string
	for _, u := range Utilities() {
		names = append(names, u.Name)
		for _, n := range u.Names() {
			if seen[n] {
				t.Errorf("%s is there twice", n)
			}
			seen[n] = true
			if Lookup(n) != u {
				t.Errorf("Lookup(%q) finds another utility", n)
			}
		}
		if u.Main == nil || u.Doc == "" || u.Section == 0 {
			t.Errorf("%s is not whole", u.Name)
		}
		letters := ""
		for _, o := range u.Options {
			if strings.IndexByte(letters, o.Letter) >= 0 || o.Doc == "" {
				t.Errorf("%s: option -%c is there twice or says nothing", u.Name, o.Letter)
			}
			letters += string(o.Letter)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("not in order: %q", names)
	}
	if Lookup("nosuchutility") != nil {
		t.Error("a utility that is not there is found")
	}
}
