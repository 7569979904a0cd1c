package posix_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest/posix"
)

var update = flag.Bool("update", false, "write the figures into docs/conformance.md")

// page is where the figures stand, between two marks.
const (
	page  = "../../../../docs/conformance.md"
	begin = "<!-- figures: go test ./kern/vfs/vfstest/posix -update -->\n"
	end   = "<!-- end of figures -->\n"
)

// checkPage compares the figures of the page with those of this run, or writes them.
func checkPage(t *testing.T, names []string, results []posix.Result) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no marks", page)
	}
	want := before + begin + figures(names, results) + end + after
	switch {
	case *update:
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	case want != string(text):
		t.Errorf("%s has other figures: go test ./kern/vfs/vfstest/posix -update", page)
	}
}

// figures are three tables: the file systems, pjdfstest's folders, the reasons of exceptions.
func figures(names []string, results []posix.Result) string {
	var b strings.Builder
	fmt.Fprint(&b, "\n| file system | cases | checks | as pjdfstest has it | as NetBSD has it instead | left out | failed |\n|---|---|---|---|---|---|---|\n")
	for i, name := range names {
		n := results[i].Total()
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d |\n", name, n.Cases, n.Checks, n.Passed, n.Differ, n.LeftOut, n.Failed())
	}
	fmt.Fprintf(&b, "\n| folder | cases | checks | %s |\n|---|---|---%s|\n", strings.Join(names, " | "), strings.Repeat("|---", len(names)))
	for _, folder := range slices.Sorted(maps.Keys(results[0].Tables)) {
		n := results[0].Tables[folder]
		fmt.Fprintf(&b, "| %s | %d | %d |", folder, n.Cases, n.Checks)
		for _, r := range results {
			n := r.Tables[folder]
			fmt.Fprintf(&b, " %d + %d + %d |", n.Passed, n.Differ, n.LeftOut)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\n| exception | why | %s |\n|---|---%s|\n", strings.Join(names, " | "), strings.Repeat("|---", len(names)))
	for _, title := range titles(results) {
		counts, source := "", ""
		for _, r := range results {
			n := 0
			if why := r.Reasons[title]; why != nil {
				n, source = why.Checks, why.Source
			}
			counts += fmt.Sprintf(" %d |", n)
		}
		fmt.Fprintf(&b, "| %s | %s |%s\n", title, source, counts)
	}
	return b.String() + "\n"
}

// titles are the reasons of all results.
func titles(results []posix.Result) []string {
	all := map[string]bool{}
	for _, r := range results {
		for title := range r.Reasons {
			all[title] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
