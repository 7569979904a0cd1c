package pax

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// parsed returns the paths of a specification with their modes.
func parsed(s *spec) string {
	if s == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(s.path())
	for _, c := range s.children {
		b.WriteString(" " + parsed(c))
	}
	return b.String()
}

// TestParseSpec holds the reading of specifications against mtree(8).
func TestParseSpec(t *testing.T) {
	for _, c := range []struct{ text, want, err string }{
		{"", "", ""},
		{"# nothing\n\n   # nothing\n", "", ""},
		{". type=dir\na type=file\nb type=dir\n  c\n..\nd type=file\n", ". ./a ./b ./b/c ./d", ""},
		{"/set type=dir\n.\na\nb\n..\n..\n/unset all\nc type=file\n", ". ./a ./a/b ./c", ""},
		{"/set type=dir\n.\n./a\n./a/b\nx type=file\n./c type=file\ny type=file\n", ". ./a ./a/b ./a/b/x ./c ./y", ""},
		{". type=dir\na type=file \\\n mode=600 size=3 sha256=0 tags=x nochange\n", ". ./a", ""},
		{". type=dir\na\\040b\\sc\\#d\\\\e type=file\n", ". ./a b c#d\\e", ""},
		{". type=dir\na[b]* type=file\n", ". ./a[b]*", ""},
		{". type=dir\na mode=600\nb type=file\na mode=700\n", ". ./a ./b", ""},
		{"a type=file\n", "", "First node of specfile is not `.' directory"},
		{". type=file\n", "", "First node of specfile is not `.' directory"},
		{".\n", "", "First node of specfile is not `.' directory"},
		{". type=dir\na typ=file\n", "", "line 2: unknown keyword `typ'"},
		{". type=dir\na type\n", "", "line 2: keyword `type' has no value"},
		{". type=dir\na type=directory\n", "", "line 2: bad value `directory' of keyword `type'"},
		{". type=dir\na mode=999\n", "", "line 2: bad value `999' of keyword `mode'"},
		{". type=dir\na uname=nobody\n", "", "line 2: bad value `nobody' of keyword `uname'"},
		{". type=dir\na gid=-1\n", "", "line 2: bad value `-1' of keyword `gid'"},
		{". type=dir\na time=1.9999999999\n", "", "line 2: bad value `1.9999999999' of keyword `time'"},
		{". type=dir\na device=vms,1,2\n", "", "line 2: bad value `vms,1,2' of keyword `device'"},
		{". type=dir\na device=native,1\n", "", "line 2: bad value `native,1' of keyword `device'"},
		{". type=dir\na link=\\q\n", "", "line 2: bad value `\\q' of keyword `link'"},
		{". type=dir\na optional=yes\n", "", "line 2: bad value `yes' of keyword `optional'"},
		{". type=dir\na\\000b\n", "", "line 2: bad name `a\\000b'"},
		{". type=dir\n./x/y type=file\n", "", "line 2: ./x/y: the directory is missing"},
		{". type=dir\n..\n..\n", "", "line 3: unexpected `..'"},
		{". type=dir\n..\na type=file\n", "", "line 3: bad name `a'"},
		{". type=dir\na/.. type=dir\n", "", "line 2: a/..: the directory is missing"},
		{". type=dir\na type=dir\n..\na type=file\n", "", "line 4: a: another type than before"},
		{". type=dir\na \\\n", "", "line 2: the specification is cut off"},
	} {
		s, err := parseSpec(strings.NewReader(c.text), noOwners{})
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got := parsed(s); err == nil && got != c.want || text != c.err {
			t.Errorf("%q: %q, %q; want %q, %q", c.text, got, text, c.want, c.err)
		}
	}
}

// TestSpecValues holds the values of keywords against mtree(8) and mknod(8).
func TestSpecValues(t *testing.T) {
	text := ". type=dir\n/set uid=5 gid=6\na type=char mode=0640 device=netbsd,2,3 time=12.000000007\nb type=link link=to\\sit uid=7 mode=u=rwx,g=rx\n" +
		"c type=block device=0x1234 optional\nd type=char device=linux,4,5\n"
	root, err := parseSpec(strings.NewReader(text), noOwners{})
	if err != nil {
		t.Fatal(err)
	}
	a, b, c, d := root.byName["a"], root.byName["b"], root.byName["c"], root.byName["d"]
	if want := (abi.Stat{Mode: abi.S_IFCHR | 0o640, Uid: 5, Gid: 6, Rdev: 2<<8 | 3, Mtim: abi.Timespec{Sec: 12, Nsec: 7}}); a.stat != want {
		t.Errorf("a: %+v", a.stat)
	}
	if b.link != "to it" || b.stat.Uid != 7 || b.stat.Gid != 6 || b.stat.Mode != abi.S_IFLNK|0o750 {
		t.Errorf("b: %q %+v", b.link, b.stat)
	}
	if c.stat.Rdev != 0x1234 || !c.has("optional") || d.stat.Rdev != 4<<8|5 || root.has("uid", "gid") {
		t.Errorf("c: %+v, d: %+v", c.stat, d.stat)
	}
}

// FuzzSpec reads specifications: without panics, and to names that stay below the root.
func FuzzSpec(f *testing.F) {
	f.Add("/set type=dir uid=0\n.\na mode=755\n..\n./a/b type=file time=1.5\n/unset all\nc\\040 type=link link=\\s\n")
	f.Fuzz(func(t *testing.T, text string) {
		root, err := parseSpec(strings.NewReader(text), noOwners{})
		if err == nil && root != nil && (root.path() != "." || hasDotDot(strings.ReplaceAll(parsed(root), " ", "/"))) && !strings.Contains(text, `\`) {
			t.Errorf("%q: %s", text, parsed(root))
		}
	})
}
