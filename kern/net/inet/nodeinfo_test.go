package inet

import (
	"bytes"
	"net/netip"
	"testing"
)

// Oracle: RFC 1035, 3.1 and RFC 4620, 5: names as the DNS has them, truncated ones with two zeroes; what is no host's name is none.
func TestNodeNames(t *testing.T) {
	for _, c := range []struct {
		name string
		old  bool
		want string // "-" for none
	}{
		{"rump-1", false, "\x06rump-1\x00\x00"}, {"Host.Example.ORG", false, "\x04host\x07example\x03org\x00"},
		{"a.b", false, "\x01a\x01b\x00\x00"}, {"a.b", true, "\x03a.b"}, {"", false, ""}, {"", true, "\x00"},
		{"1a", false, "-"}, {"a-", false, "-"}, {"a..b", false, "-"}, {"a_b", false, "-"}, {"a\xc3\xa4", false, "-"},
	} {
		b, ok := niName(nil, c.name, c.old)
		if ok != (c.want != "-") || ok && string(b) != c.want {
			t.Errorf("%q is %q, %v; want %q", c.name, b, ok, c.want)
		}
	}
}

// Oracle: RFC 4620, 4: a truncated name stands for all names that begin with it.
func TestNodeNameMatches(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"\x01a\x00", "\x01a\x00", true}, {"\x01A\x00", "\x01a\x00\x00", true}, {"\x01a\x00\x00", "\x01a\x01b\x03org\x00", true},
		{"\x01a\x00", "\x01a\x01b\x03org\x00", false}, {"\x01c\x00\x00", "\x01a\x01b\x03org\x00", false}, {"", "\x01a\x00", false},
	} {
		if got := sameName([]byte(c.a), []byte(c.b)); got != c.same {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

// Oracle: NetBSD's in6_nigroup; md5(1) of "\x04host".
func TestNodeGroup(t *testing.T) {
	for in, want := range map[string]string{"host": "ff02::2:1838:803c", "HOST.example.org": "ff02::2:1838:803c", "": "", "no host": ""} {
		a, ok := niGroup(in)
		if ok != (want != "") || ok && a != netip.MustParseAddr(want) {
			t.Errorf("%q: %v, %v", in, a, ok)
		}
	}
}

// Oracle: RFC 4620: what is no query, or about someone else, is not answered, whatever it is.
func FuzzNodeSubject(f *testing.F) {
	f.Add([]byte("\x8b\x01\x00\x00\x00\x02\x00\x00noncenon\x01a\x00"), "a.b.c")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		if n, ok := niName(nil, name, false); ok && len(n) > 0 {
			if !sameName(n, bytes.ToUpper(n)) {
				t.Errorf("%q is not %q", n, bytes.ToUpper(n))
			}
			sameName(b, n)
		}
	})
}
