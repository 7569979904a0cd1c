package posix

import (
	"strings"
	"testing"
)

// RunText runs a table with exceptions in a file system and says what was wrong.
func RunText(t *testing.T, fs FS, table, except string) (Result, []string) {
	t.Helper()
	cases, err := parseTable(strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	exc, err := parseExceptions(strings.NewReader(except))
	if err != nil {
		t.Fatal(err)
	}
	k, dir := fs.Boot(t)
	res := newResult()
	var faults []string
	for _, c := range cases {
		faults = append(faults, newRunner(t, &fs, k, dir+"/"+c.name).run(&c, exc, res)...)
	}
	return res, faults
}
