package all

import (
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/util"
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
		seen := map[string]bool{}
		for _, o := range u.Options {
			for _, name := range []string{string(o.Letter), o.Long} {
				if name == string(util.LongOnly) || name == "" {
					continue
				}
				if seen[name] || o.Doc == "" {
					t.Errorf("%s: option %s is there twice or says nothing", u.Name, o.Synopsis())
				}
				seen[name] = true
			}
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("not in order: %q", names)
	}
	if Lookup("nosuchutility") != nil {
		t.Error("a utility that is not there is found")
	}
}
