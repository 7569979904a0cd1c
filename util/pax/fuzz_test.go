package pax

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// noOwners has no names.
type noOwners struct{}

func (noOwners) UID(string) (uint32, bool) { return 0, false }
func (noOwners) GID(string) (uint32, bool) { return 0, false }

// encode makes an archive of one file and one link.
func encode(t testing.TB, f *format) []byte {
	t.Helper()
	e := &encoder{format: f, numbers: map[fileID]uint64{}, owner: func(*member) (string, string) { return "", "" }}
	var out []byte
	for _, m := range []*member{
		{name: "file", st: abi.Stat{Mode: abi.S_IFREG | 0o644, Nlink: 1, Size: 3}, sum: 'a' + 'b' + 'c'},
		{name: "link", link: "file", st: abi.Stat{Mode: abi.S_IFLNK | 0o777, Nlink: 1}},
	} {
		header, err := f.header(e, m)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, header...)
		out = append(out, "abc"[:m.st.Size]...)
		out = append(out, make([]byte, f.padding(m.st.Size))...)
	}
	end, err := f.trailer(e)
	if err != nil {
		t.Fatal(err)
	}
	return append(out, end...)
}

// readAll reads an archive to its end and returns the names, links and data.
func readAll(data []byte) (string, error) {
	in := bufio.NewReader(bytes.NewReader(data))
	head, _ := in.Peek(recordSize)
	f, big := identify(head)
	if f == nil {
		return "", nil
	}
	var r reader = newTarReader(in, noOwners{})
	if f.align < recordSize {
		r = newCpioReader(in, f, big)
	}
	var b strings.Builder
	damaged := false
	for {
		m, err := r.next()
		if isBadHeader(err) {
			damaged = true
			if err = r.resync(); err == nil {
				continue
			}
		}
		if errors.Is(err, io.EOF) {
			if damaged {
				return b.String(), errCpio
			}
			if r.end() < 0 || r.end() > int64(len(data)) {
				return b.String(), errors.New("the trailer is outside")
			}
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		b.WriteString(m.name + ">" + m.link + ":")
		if _, err := io.CopyN(&b, r, 1<<16); err != nil && !errors.Is(err, io.EOF) {
			return b.String(), err
		}
	}
}

// TestDecode reads what each format writes.
func TestDecode(t *testing.T) {
	for _, f := range formats {
		data := encode(t, f)
		if got, err := readAll(data); got != "file>:abclink>file:" || err != nil {
			t.Errorf("%s: %q, %v", f.name, got, err)
		}
		for n := range len(data) - 2*recordSize {
			if got, err := readAll(data[:n]); err == nil && !strings.HasPrefix("file>:abclink>file:", got) {
				t.Errorf("%s: cut at %d: %q", f.name, n, got)
			}
		}
	}
}

// FuzzArchive reads archives of any kind: without panics, and without more memory than a name and a link need.
func FuzzArchive(f *testing.F) {
	for _, kind := range formats {
		f.Add(encode(f, kind))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := readAll(data); err != nil && err.Error() == "the trailer is outside" {
			t.Error(err)
		}
	})
}

// FuzzReplacement parses and applies replacements.
func FuzzReplacement(f *testing.F) {
	for _, s := range []string{"/a/b/", `,^\(.*\)/x,\1&,gp`, `/[]a-z^]\{2,3\}*/\&/s`, "/[[:alpha:]]//", "/a"} {
		f.Add(s, "aab/x")
	}
	f.Fuzz(func(t *testing.T, s, name string) {
		if r, err := parseReplacement(s); err == nil {
			r.apply(name)
		}
	})
}

// TestBasicRegexp holds the translation against re_format(7), obsolete regular expressions.
func TestBasicRegexp(t *testing.T) {
	for _, c := range []struct{ expr, text, want string }{
		{`a*`, "aab", "aa"}, {`*a`, "x*a", "*a"}, {`\(*a\)`, "*a", "*a"}, {`a+`, "aa+", "a+"}, {`a\{2\}`, "aaa", "aa"},
		{`^a`, "ba", ""}, {`b^`, "ab^", "b^"}, {`a$`, "aba", "a"}, {`$a`, "b$a", "$a"}, {`\(a$\)`, "ba", "a"},
		{`[]a]*`, "]a]b", "]a]"}, {`[^]a]`, "]b", "b"}, {`[\]`, `a\`, `\`}, {`[[:digit:]]*`, "12a", "12"}, {`a|b`, "a|b", "a|b"},
		{`\.`, "a.", "."}, {`.`, "\n", "\n"}, {`(a)`, "(a)", "(a)"}, {`\(a*\)\(ab\)*`, "aab", "aab"},
	} {
		expr, err := basicRegexp(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		re := regexp.MustCompile(expr)
		re.Longest()
		if got := re.FindString(c.text); got != c.want {
			t.Errorf("%s in %q: %q, want %q (%s)", c.expr, c.text, got, c.want, expr)
		}
	}
	for _, bad := range []string{`[a`, `\(a\)\1`, `a\{2`, `[[.a.]]`, `[[:alpha]`} {
		if expr, err := basicRegexp(bad); err == nil {
			t.Errorf("%s: %s", bad, expr)
		}
	}
}

// TestSizes holds numbers against the manual page: products, and factors of 512, 1024, 1048576 and 4.
func TestSizes(t *testing.T) {
	for s, want := range map[string]int64{"512": 512, "2b": 1024, "1k": 1024, "2x5k": 10240, "3w": 12, "4096mx2": 8 << 30,
		"": 0, "0": 0, "-1": 0, "2x": 0, "k": 0, "99999999999999999999": 0, "1mx1mx1mx8": 0} {
		if got, ok := parseSize(s); ok != (want != 0) || ok && got != want {
			t.Errorf("%q: %d %v, want %d", s, got, ok, want)
		}
	}
}

// TestTimes holds times of -T against the manual page.
func TestTimes(t *testing.T) {
	now := time.Date(2016, 3, 4, 5, 6, 7, 0, time.UTC)
	for s, want := range map[string]string{
		"30": "2016-03-04 05:30:00", "1234.56": "2016-03-04 12:34:56", "011234": "2016-03-01 12:34:00", "02011234": "2016-02-01 12:34:00",
		"9902011234": "1999-02-01 12:34:00", "6802011234": "2068-02-01 12:34:00", "199902011234": "1999-02-01 12:34:00",
		"1": "", "60": "", "2400": "", "1234.5": "", "x1": "", "20200101000000": "",
	} {
		at, ok := parseTime(s, now)
		if ok != (want != "") || ok && at.Format(time.DateTime) != want {
			t.Errorf("%q: %v %v, want %s", s, at, ok, want)
		}
	}
}
