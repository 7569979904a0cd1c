package hostaddr_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
)

// Oracle: inet_aton(3).
func TestParseIPv4(t *testing.T) {
	for in, want := range map[string]string{
		"1.2.3.4": "1.2.3.4", "127.1": "127.0.0.1", "10": "0.0.0.10", "0x7f000001": "127.0.0.1", "1.2.0x304": "1.2.3.4",
		"010.0.0.1": "8.0.0.1", "255.255.255.255": "255.255.255.255", "4294967295": "255.255.255.255", "0": "0.0.0.0",
		"256.0.0.1": "", "1.2.3.4.5": "", "": "", "1..2": "", "1.2.3.": "", "a": "", "1.2.3.-4": "", "4294967296": "", "1_0": "", "08": "",
	} {
		a, ok := hostaddr.ParseIPv4(in)
		if ok != (want != "") || ok && a.String() != want {
			t.Errorf("%q is %v, %v; want %q", in, a, ok, want)
		}
	}
}

// Oracle: getaddrinfo(3) with a family: numbers need no resolver, and those of the other family are none.
func TestLookup(t *testing.T) {
	for _, c := range []struct {
		in     string
		family int
		want   string
	}{
		{"10.1.1.1", abi.AF_INET, "10.1.1.1"},
		{"10.1.1.1", abi.AF_UNSPEC, "10.1.1.1"},
		{"fe80::1%shmif0", abi.AF_INET6, "fe80::1%shmif0"},
		{"::", abi.AF_UNSPEC, "::"},
		{"::1", abi.AF_INET, ""},
		{"no host", abi.AF_INET, ""},
		{"", abi.AF_UNSPEC, ""},
	} {
		a, err := hostaddr.Lookup(context.Background(), c.in, c.family)
		var not *hostaddr.NotFoundError
		if c.want == "" && !errors.As(err, &not) || c.want != "" && (err != nil || a.String() != c.want) {
			t.Errorf("%q of family %d is %v, %v; want %q", c.in, c.family, a, err, c.want)
		}
	}
}

// FuzzParse: what parses is written and read again as the same.
func FuzzParse(f *testing.F) {
	f.Add("127.1")
	f.Add("fe80::1%1")
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := hostaddr.Parse(s, abi.AF_UNSPEC); ok {
			if b, ok := hostaddr.Parse(a.String(), abi.AF_UNSPEC); !ok || a != b {
				t.Errorf("%q is %v, again %v %v", s, a, b, ok)
			}
		}
	})
}

// Oracle: services(5), IANA's list of ports.
func TestService(t *testing.T) {
	for _, c := range []struct {
		port         uint16
		udp, numeric bool
		want         string
	}{
		{80, false, false, "http"}, {53, true, false, "domain"}, {514, true, false, "syslog"}, {514, false, false, "shell"}, {80, false, true, "80"},
		{0, false, true, "*"}, {4242, false, false, "4242"},
	} {
		if got := hostaddr.Service(c.port, c.udp, c.numeric); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	if port, ok := hostaddr.Port("https"); !ok || port != 443 {
		t.Error(port, ok)
	}
	if _, ok := hostaddr.Port("nope"); ok {
		t.Error("a port for nothing")
	}
}
