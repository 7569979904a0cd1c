package posix

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestParse: loops are written out, and every check has its number. Oracle: doc.go.
func TestParse(t *testing.T) {
	cases, err := parseTable(strings.NewReader(`# a comment
== one
for kind rm: regular unlink, dir rmdir
  make %kind n0 0600 1 2
  for id: 1 2
    as %id:%id,3 umask 022 chmod n0 %id ; stat n0 mode -> 0100|0200
  %rm n0
make none n1
- t = stat . mtime
- later
jail as :5 open n0 O_RDONLY,O_CREAT 0 -> >$t

== two
- cd
rmdir n0 -> ENOENT
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cases {
		for _, r := range c.rows {
			uid := "-"
			if r.user.uid != nil {
				uid = fmt.Sprint(*r.user.uid)
			}
			got = append(got, fmt.Sprintf("%s %d %s%v%o %v %s%v%s", c.name, r.num, uid, r.user.gids, r.user.umask, r.calls, r.keep, r.want,
				r.vars["jail"]))
		}
	}
	want := []string{
		"one 1 -[]0 [[create n0 0644]] [0]", "one 2 -[]0 [[chmod n0 0600]] [0]", "one 3 -[]0 [[lchown n0 1 2]] [0]",
		"one 4 1[1 3]22 [[chmod n0 1] [stat n0 mode]] [0100 0200]", "one 5 2[2 3]22 [[chmod n0 2] [stat n0 mode]] [0100 0200]",
		"one 6 -[]0 [[unlink n0]] [0]",
		"one 7 -[]0 [[mkdir n0 0755]] [0]", "one 8 -[]0 [[chmod n0 0600]] [0]", "one 9 -[]0 [[lchown n0 1 2]] [0]",
		"one 10 1[1 3]22 [[chmod n0 1] [stat n0 mode]] [0100 0200]", "one 11 2[2 3]22 [[chmod n0 2] [stat n0 mode]] [0100 0200]",
		"one 12 -[]0 [[rmdir n0]] [0]",
		"one 0 -[]0 [[stat . mtime]] t[]", "one 0 -[]0 [[later]] [0]", "one 13 -[5]0 [[open n0 O_RDONLY,O_CREAT 0]] [>$t]yes",
		"two 0 -[]0 [[cd]] [0]", "two 1 -[]0 [[rmdir n0]] [ENOENT]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestParseErrors: what is wrong is said with its line.
func TestParseErrors(t *testing.T) {
	many := strings.Repeat(" x", 400)
	for text, want := range map[string]string{
		"rmdir n0\n":                                       "line 1: a row before any case",
		"== a\n   rmdir n0\n":                              "line 2: indented by 3",
		"== a\n  rmdir n0\n":                               "line 2: indented too far",
		"== a\nfor x\n  rmdir n0\n":                        "line 2: a loop has",
		"== a\nfor x y: 1, 2\n  rmdir n0\n":                "line 2: 2 variables",
		"== a\nrmdir n0 ; ; rmdir n1\n":                    "line 2: rmdir n0 ; ; rmdir n1: no call",
		"== a\nas x rmdir n0\n":                            "line 2: as x",
		"== a\nas 1:x rmdir n0\n":                          "line 2: as 1:x",
		"== a\numask 9 rmdir n0\n":                         "line 2: umask 9",
		"== a\nfor x: %y\n  rmdir n0\n":                    "line 2: no variable %y",
		"== a\nrmdir %y\n":                                 "line 2: rmdir %y: no variable",
		"== a\nmake thing n0\n":                            "line 2: make thing n0: no kind",
		"== a\nmake dir\n":                                 "line 2: make dir: make has",
		"== a\nfor a:" + many + "\n  for b:" + many + "\n": "more than",
	} {
		if _, err := parseTable(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

// TestTables: the tables are those of pjdfstest. Oracle: the numbers of checks that its scripts say they make.
func TestTables(t *testing.T) {
	cases, err := readCases()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(plans), "\n") {
		var name string
		for i, word := range strings.Fields(line) {
			var n int
			if i == 0 {
				name = word
			} else if _, err := fmt.Sscan(word, &n); err != nil {
				t.Fatal(err)
			} else {
				want[fmt.Sprintf("%s/%02d.t", name, i-1)] = n
			}
		}
	}
	for _, c := range cases {
		last := 0
		for _, r := range c.rows {
			last = max(last, r.num)
		}
		if last != want[c.name] {
			t.Errorf("%s has %d checks, want %d", c.name, last, want[c.name])
		}
		delete(want, c.name)
	}
	for name := range want {
		t.Errorf("no case %s", name)
	}
}

// plans are the numbers of checks of each script of a folder, from 00.t.
const plans = `
chflags 742 17 12 12 4 16 6 93 249 327 197 145 14 2
chmod 203 17 10 10 9 19 10 34 54 15 4 173 14
chown 1306 22 10 10 9 18 10 132 44 10 4
ftruncate 26 5 5 5 4 15 8 6 44 3 10 2 3 4 2
link 202 32 10 13 6 5 18 17 10 5 23 9 48 49 8 4 9 8
mkdir 36 17 3 3 3 12 12 6 30 7 21 3 2
mkfifo 36 17 4 4 3 12 12 6 7 21 30 3 2
mknod 36 27 12 12 3 12 12 6 35 30 2 28
open 47 22 4 4 4 12 144 25 3 30 28 24 6 8 10 5 6 3 6 3 4 2 21 5 5 6 9
posix_fallocate 22
rename 122 8 6 6 18 17 351 212 219 2353 2099 10 32 32 32 23 8 8 6 6 25 16 30 42 13
rmdir 10 14 4 5 4 6 23 10 10 30 30 47 6 3 5 2
symlink 14 5 7 6 3 12 12 6 21 30 7 3 6
truncate 21 5 5 5 4 15 8 6 44 3 10 2 3 4 2
unlink 112 5 4 4 4 10 10 6 3 30 30 270 5 2 7
utimensat 32 7 10 12 10 16 13 17 9 7
`

// FuzzTable: whatever a table says, reading it ends, with no more rows than there may be.
func FuzzTable(f *testing.F) {
	f.Add("== a\nfor x y: 1 2, 3 4\n  make %x n0 %y\n- t = stat . mtime\nas 1:2,3 umask 022 a ; b -> >$t|!x\n")
	f.Add("for\n  for:\n")
	f.Fuzz(func(t *testing.T, text string) {
		cases, err := parseTable(strings.NewReader(text))
		n := 0
		for _, c := range cases {
			n += len(c.rows)
			for _, r := range c.rows {
				if len(r.calls) == 0 || len(r.calls[0]) == 0 {
					t.Errorf("%q: a row without a call", r.text)
				}
			}
		}
		if err == nil && n > maxRows {
			t.Errorf("%d rows", n)
		}
	})
}

// FuzzExceptions: whatever the file says, reading it ends with an error or with exceptions that have reasons.
func FuzzExceptions(f *testing.F) {
	f.Add("== why\nsource: there\na/*.t 1-2 fs=x call=y want=0 v=1 -> 2|3\n")
	f.Fuzz(func(t *testing.T, text string) {
		x, err := parseExceptions(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, e := range x.list {
			if e.reason == nil || e.to < e.from {
				t.Errorf("line %d: %+v", e.line, e)
			}
		}
	})
}
