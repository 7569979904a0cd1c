package sysproxy

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// URLError says what is wrong with the URL of a server. Its text is the line
// that the C programs print.
type URLError struct {
	URL   string
	Text  string
	Errno abi.Errno // EINVAL, ERANGE, ENAMETOOLONG
}

func (e *URLError) Error() string { return e.Text }

// Unwrap returns the error number.
func (e *URLError) Unwrap() error { return e.Errno }

// Locator is a parsed URL.
type Locator struct {
	Scheme string // "unix", "tcp", "tcp6" or "tls"
	URL    string // as it was given
	Path   string // of a unix socket, absolute
	Host   string // a name, an address without brackets, or "" for any
	Port   int
	Query  url.Values // of tls

	bare string // the path as it was given
}

// Addr returns host and port in the form of package net.
func (l *Locator) Addr() string {
	host := l.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(l.Port)
}

// String returns a URL that means the same wherever it is used: a relative path
// has become absolute.
func (l *Locator) String() string {
	if l.Scheme == "unix" {
		return "unix://" + l.Path
	}
	host := l.Addr()
	if l.Host == "" {
		host = "*" + host
	}
	s := l.Scheme + "://" + host
	if len(l.Query) > 0 {
		s += "?" + l.Query.Encode()
	}
	return s
}

// scheme is a kind of transport.
type scheme struct {
	name  string
	parse func(l *Locator, rest string, server bool) error
	ends
}

// schemes returns the kinds of transports there are.
func schemes() []scheme {
	return []scheme{
		{"unix", parseUnix, ends{dialUnix, listenUnix}},
		{"tcp", parseTCP, ends{dialTCP, listenTCP}},
		{"tcp6", parseTCP, ends{dialTCP, listenTCP}},
		{"tls", parseTLS, ends{dialTLS, listenTLS}},
	}
}

func schemeNamed(name string) (scheme, bool) {
	for _, s := range schemes() {
		if s.name == name {
			return s, true
		}
	}
	return scheme{}, false
}

// maxSchemeName is the longest name of a scheme that is looked at.
const maxSchemeName = 15

// ParseURL parses the URL of a server. server tells that it is to listen
// there: it may then use any address. Errors: *URLError.
func ParseURL(s string, server bool) (*Locator, error) {
	l := &Locator{URL: s}
	if strings.IndexByte(s, 0) >= 0 {
		return nil, l.bad(abi.EINVAL, "rump_sp: NUL in ``%s''", strings.ReplaceAll(s, "\x00", "\\0"))
	}
	name, rest, ok := strings.Cut(s, "://")
	if !ok {
		return nil, l.bad(abi.EINVAL, "rump_sp: invalid locator ``%s''", s)
	}
	if len(name) > maxSchemeName {
		return nil, l.bad(abi.EINVAL, "rump_sp: identifier too long in ``%s''", s)
	}
	sch, ok := schemeNamed(name)
	if !ok {
		return nil, l.bad(abi.EINVAL, "rump_sp: invalid identifier ``%s''", s)
	}
	l.Scheme = name
	if err := sch.parse(l, rest, server); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *Locator) bad(e abi.Errno, format string, args ...any) error {
	return &URLError{URL: l.URL, Text: fmt.Sprintf(format, args...), Errno: e}
}

// maxSunPath is the longest path of a unix socket: sun_path of Linux, with its
// NUL, is the roomiest there is.
const maxSunPath = 107

func parseUnix(l *Locator, rest string, _ bool) error {
	if rest == "" {
		return l.bad(abi.EINVAL, "rump_sp: missing path in ``%s''", l.URL)
	}
	l.bare = rest
	abs, err := filepath.Abs(rest)
	if err != nil {
		return l.bad(abi.EINVAL, "rump_sp: cannot resolve ``%s'': %v", l.URL, err)
	}
	l.Path = abs
	if len(rest) > maxSunPath {
		return l.bad(abi.ENAMETOOLONG, "rump_sp: path of socket too long: %s", rest)
	}
	return nil
}

// dialPath is the path to use in system calls: the absolute one unless only the
// given one is short enough.
func (l *Locator) dialPath() string {
	if len(l.Path) > maxSunPath {
		return l.bare
	}
	return l.Path
}

func parseTCP(l *Locator, rest string, server bool) error {
	return l.parseHostPort(rest, server, "rump_sp_tcp")
}

func parseTLS(l *Locator, rest string, server bool) error {
	rest, query, _ := strings.Cut(rest, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return l.bad(abi.EINVAL, "rump_sp_tls: bad query in ``%s'': %v", l.URL, err)
	}
	for k, v := range q {
		if k != "cert" && k != "key" && k != "ca" {
			return l.bad(abi.EINVAL, "rump_sp_tls: unknown parameter %q", k)
		}
		if len(v) != 1 || v[0] == "" {
			return l.bad(abi.EINVAL, "rump_sp_tls: parameter %s needs one value", k)
		}
	}
	l.Query = q
	return l.parseHostPort(rest, server, "rump_sp_tls")
}

// maxHost is the longest name of a host (RFC 1035).
const maxHost = 255

// parseHostPort parses HOST:PORT, [V6]:PORT, with an optional slash and
// anything after it.
func (l *Locator) parseHostPort(s string, server bool, who string) error {
	host, port, err := l.splitHostPort(s, who)
	if err != nil {
		return err
	}
	if len(host) > maxHost {
		return l.bad(abi.EINVAL, "%s: address too long", who)
	}
	switch host {
	case "":
		return l.bad(abi.EINVAL, "%s: cannot parse %s", who, s)
	case "*":
		l.Host = ""
	case "0":
		l.Host = "0.0.0.0"
	default:
		if !validV6(host) && !validName(host) {
			return l.bad(abi.EINVAL, "%s: cannot parse %s", who, host)
		}
		l.Host = host
	}
	if anyHost(l.Host) && !server {
		return l.bad(abi.EINVAL, "%s: client needs !INADDR_ANY", who)
	}
	return l.parsePort(port, s, who)
}

func anyHost(h string) bool { return h == "" || h == "0.0.0.0" || h == "::" }

func validV6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6()
}

// validName tells whether s may be a name or an IPv4 address.
func validName(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}

// splitHostPort cuts the host from what follows its colon.
func (l *Locator) splitHostPort(s, who string) (host, port string, err error) {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		host, port, ok = strings.Cut(rest, "]")
		if !ok || !validV6(host) {
			return "", "", l.bad(abi.EINVAL, "%s: cannot parse %s", who, s)
		}
		port, ok = strings.CutPrefix(port, ":")
		if !ok {
			return "", "", l.bad(abi.EINVAL, "%s: missing port specifier", who)
		}
		return host, port, nil
	}
	host, port, ok := strings.Cut(s, ":")
	if !ok {
		return "", "", l.bad(abi.EINVAL, "%s: missing port specifier", who)
	}
	return host, port, nil
}

// parsePort parses the digits of a port, and what may follow them.
func (l *Locator) parsePort(s, addr, who string) error {
	digits := s
	if i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = s[:i]
	}
	if digits == "" {
		return l.bad(abi.EINVAL, "%s: port not found: %s", who, s)
	}
	if rest := s[len(digits):]; rest != "" && rest[0] != '/' {
		return l.bad(abi.EINVAL, "%s: junk at end of port: %s", who, addr)
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return l.bad(abi.ERANGE, "%s: port %s out of range", who, digits)
	}
	l.Port = int(n)
	return nil
}
