package vfstest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestTablesParse checks that every step of the tables is a command, so that no file system is needed to find a
// misspelt one, and that every feature is one of config.go's.
func TestTablesParse(t *testing.T) {
	cases, err := readTables(tableFiles, "tables/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	features := map[Feature]bool{HardLinks: true, Symlinks: true, Special: true, Owners: true, Flags: true, Times: true,
		CaseSensitive: true, Sparse: true, LargeFiles: true, Reserve: true, Handles: true, ExtAttrs: true, Whiteouts: true}
	seen, checks := map[string]bool{}, 0
	for _, c := range cases {
		if seen[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		seen[c.name] = true
		for _, f := range c.needs {
			if !features[f] {
				t.Errorf("%s: no feature is called %q", c.name, f)
			}
		}
		for _, s := range c.steps {
			checks++
			_, direct := directCalls()[s.words[0]]
			if !direct && composed()[s.words[0]] == nil {
				t.Errorf("%s: line %d: no command %q", c.name, s.line, s.words[0])
			}
		}
	}
	t.Logf("%d cases, %d steps", len(cases), checks)
	if len(cases) < 300 || checks < 1500 {
		t.Errorf("only %d cases with %d steps", len(cases), checks)
	}
}

// The oracle is the comment on tableCase.
func TestParseTable(t *testing.T) {
	const table = `
# a comment
oracle: open(2)

== plain
mkdir d 755
as 1001:5,6 f := open "a b" O_RDONLY -> ENOENT

== a loop [owners]
oracle: link(2)
for k reg lnk:x
make %k1 {3}x{2*./} -> "a\tb"
`
	got, err := parseTable(strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	want := []tableCase{
		{name: "plain", oracle: "open(2)", steps: []step{
			{line: 6, text: "mkdir d 755", words: []string{"mkdir", "d", "755"}, want: "ok"},
			{line: 7, text: `as 1001:5,6 f := open "a b" O_RDONLY -> ENOENT`, as: "1001:5,6", save: "f",
				words: []string{"open", "a b", "O_RDONLY"}, want: "ENOENT"},
		}},
		{name: "a loop (reg)", oracle: "link(2)", needs: []Feature{Owners}, steps: []step{
			{line: 12, text: `make reg {3}x{2*./} -> "a\tb"`, words: []string{"make", "reg", "nnnx././"}, want: "a\tb"}}},
		{name: "a loop (lnk:x)", oracle: "link(2)", needs: []Feature{Owners, Symlinks}, steps: []step{
			{line: 12, text: `make lnk {3}x{2*./} -> "a\tb"`, words: []string{"make", "lnk", "nnnx././"}, want: "a\tb"}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseTableErrors(t *testing.T) {
	for name, table := range map[string]string{
		"no oracle":           "== a case\nmkdir d 755\n",
		"a step without case": "oracle: x\nmkdir d 755\n",
		"an open quote":       "oracle: x\n== c\nmkdir \"d 755\n",
		"no command":          "oracle: x\n== c\n-> ENOENT\n",
	} {
		if cases, err := parseTable(strings.NewReader(table)); err == nil {
			t.Errorf("%s: no error, %+v", name, cases)
		}
	}
}

// TestDiffers checks that a step that gives something else is noticed.
func TestDiffers(t *testing.T) {
	r := &runner{cfg: &Config{}, vars: map[string]string{"v": "7"}}
	for _, c := range []struct {
		want, got string
		errno     abi.Errno
		differs   bool
	}{
		{"ok", "3", 0, false},
		{"ok", "", abi.ENOENT, true},
		{"ENOENT", "", abi.ENOENT, false},
		{"ENOENT", "", abi.EPERM, true},
		{"ENOENT", "0", 0, true},
		{"data", "data", 0, false},
		{"data", "dat", 0, true},
		{"data", "data", abi.EIO, true},
		{"", "", 0, false},
		{"$v", "7", 0, false},
		{"{nmax}", "255", 0, false},
	} {
		if bad := r.differs(&step{want: c.want}, c.got, c.errno); (bad != "") != c.differs {
			t.Errorf("want %q, got %q and %v: %q", c.want, c.got, c.errno, bad)
		}
	}
}

// TestParseDirents checks that broken buffers are refused. The oracle is dirent(5).
func TestParseDirents(t *testing.T) {
	good := []byte{9, 0, 0, 0, 0, 0, 0, 0, 16, 0, 2, 0, abi.DT_REG, 'a', 'b', 0}
	list, e := parseDirents(append(good[:16:16], good...))
	if e != 0 || len(list) != 2 || list[1] != (entry{"ab", 9, abi.DT_REG}) {
		t.Errorf("%v, %v", list, e)
	}
	for name, change := range map[string]func(b []byte) []byte{
		"short":             func(b []byte) []byte { return b[:12] },
		"length past end":   func(b []byte) []byte { b[8] = 24; return b },
		"length not by 8":   func(b []byte) []byte { b[8] = 15; return b },
		"length zero":       func(b []byte) []byte { b[8] = 0; return b },
		"name past length":  func(b []byte) []byte { b[10] = 3; return b },
		"name without NUL":  func(b []byte) []byte { b[15] = 'c'; return b },
		"a second one torn": func(b []byte) []byte { return append(b, 1) },
	} {
		if list, e := parseDirents(change(append([]byte(nil), good...))); e == 0 {
			t.Errorf("%s: accepted as %v", name, list)
		}
	}
}

// FuzzParseTable checks that no text upsets the parser.
func FuzzParseTable(f *testing.F) {
	f.Add("oracle: x\n== a [b]\nfor k reg dir\nas 1 v := make %k {3} -> ENOENT\n")
	f.Fuzz(func(t *testing.T, table string) {
		cases, err := parseTable(strings.NewReader(table))
		for _, c := range cases {
			if err == nil && c.oracle == "" {
				t.Errorf("a case without an oracle: %+v", c)
			}
		}
	})
}

// FuzzParseDirents checks that no buffer upsets the parser.
func FuzzParseDirents(f *testing.F) {
	f.Add([]byte{9, 0, 0, 0, 0, 0, 0, 0, 16, 0, 2, 0, abi.DT_REG, 'a', 'b', 0})
	f.Fuzz(func(_ *testing.T, b []byte) { parseDirents(b) })
}
