package sysproxy

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// tlsQuery names certificate, key and authority in a URL's query.
func tlsQuery(cert, key, ca string) string {
	return "?" + url.Values{"cert": {cert}, "key": {key}, "ca": {ca}}.Encode()
}

func TestTLSByURL(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue(t, "server", nil)
	s := startServer(t, "tls://127.0.0.1:0"+tlsQuery(cert, key, ca.path("ca")), ServerConfig{})
	if strings.Contains(s.url, "?") {
		t.Errorf("the server's URL tells its files: %s", s.url)
	}
	cert, key = ca.issue(t, "client", nil)
	s.url += tlsQuery(cert, key, ca.path("ca"))
	c := dial(t, s)
	if pid, err := do(t, c, sysGetpid); pid != 1 || err != 0 {
		t.Errorf("%d, %v", pid, err)
	}
	if _, _, err := c.ExecFile(3); err == nil {
		t.Error("a tls connection was passed on")
	}
}

func TestTLSByEnvironment(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue(t, "both", nil)
	t.Setenv("RUMP_TLS_CERT", cert)
	t.Setenv("RUMP_TLS_KEY", key)
	t.Setenv("RUMP_TLS_CA", ca.path("ca"))
	s := startServer(t, "tls://127.0.0.1:0", ServerConfig{})
	for _, host := range []string{"127.0.0.1", "localhost"} {
		c, err := Dial(context.Background(), strings.Replace(s.url, "127.0.0.1", host, 1), "x")
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		do(t, c, sysGetpid)
		c.Close()
	}
}

// TestTLSErrors: each says in a line what is wrong and with which file.
func TestTLSErrors(t *testing.T) {
	for _, v := range []string{"RUMP_TLS_CERT", "RUMP_TLS_KEY", "RUMP_TLS_CA"} {
		t.Setenv(v, "")
	}
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.issue(t, "server", nil)
	s := startServer(t, "tls://127.0.0.1:0"+tlsQuery(cert, key, ca.path("ca")), ServerConfig{})
	expired := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2016, 2, 3, 0, 0, 0, 0, time.UTC)
	}
	early := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(10, 0, 0), time.Now().AddDate(11, 0, 0)
	}
	good, goodKey := ca.issue(t, "good", nil)
	old, oldKey := ca.issue(t, "old", expired)
	young, youngKey := ca.issue(t, "young", early)
	strange, strangeKey := other.issue(t, "strange", nil)
	empty := ca.path("empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	trusted := ca.path("ca")
	for _, tt := range []struct{ query, text string }{
		{"", "rump_sp_tls: no certificate: give cert=FILE in the URL or set RUMP_TLS_CERT"},
		{"?cert=" + good, "rump_sp_tls: no key: give key=FILE in the URL or set RUMP_TLS_KEY"},
		{"?cert=" + good + "&key=" + goodKey, "rump_sp_tls: no authority: give ca=FILE in the URL or set RUMP_TLS_CA"},
		{tlsQuery("/nonexistent", goodKey, trusted), "rump_sp_tls: cannot read certificate /nonexistent: no such file or directory"},
		{tlsQuery(good, "/nonexistent", trusted), "rump_sp_tls: cannot read key /nonexistent: no such file or directory"},
		{tlsQuery(good, oldKey, trusted), "rump_sp_tls: certificate " + good + " with key " + oldKey + ": tls: private key does not match public key"},
		{tlsQuery(good, goodKey, empty), "rump_sp_tls: no certificate of an authority in " + empty},
		{tlsQuery(old, oldKey, trusted), "rump_sp_tls: our certificate " + old + " has expired on 2016-02-03"},
		{tlsQuery(young, youngKey, trusted), "rump_sp_tls: our certificate " + young + " is not valid before"},
		{tlsQuery(good, goodKey, other.path("ca")), "rump_sp_tls: the other side's certificate is not signed by our authority"},
		{tlsQuery(strange, strangeKey, trusted), "rump_sp_tls: the other side refuses us: it does not know the authority of our certificate"},
	} {
		_, err := Dial(context.Background(), s.url+tt.query, "x")
		var te *TLSError
		if !errors.As(err, &te) || !strings.HasPrefix(te.Error(), tt.text) {
			t.Errorf("%s:\n got %v\nwant %s", tt.query, err, tt.text)
		}
	}

	// What only the other side can see.
	refused := func(name, text string, change func(*x509.Certificate)) {
		t.Helper()
		conf := ca.config(t, name)
		cert, key := ca.issue(t, name, change)
		pair := loadPair(t, cert, key)
		conf.Certificates = pair
		_, err := Dial(context.Background(), s.url, "x", WithTLS(conf))
		if err == nil || err.Error() != text {
			t.Errorf("%s: %v, want %s", name, err, text)
		}
	}
	refused("expired", "rump_sp_tls: the other side refuses us: our certificate has expired", expired)
	conf := ca.config(t, "without")
	conf.Certificates = nil
	if _, err := Dial(context.Background(), s.url, "x", WithTLS(conf)); err == nil || err.Error() != "rump_sp_tls: the other side refuses us: it requires a certificate" {
		t.Errorf("without a certificate: %v", err)
	}
	conf = ca.config(t, "host")
	conf.ServerName = "elsewhere.example"
	if _, err := Dial(context.Background(), s.url, "x", WithTLS(conf)); err == nil || !strings.HasPrefix(err.Error(), "rump_sp_tls: the server's certificate is for another host") {
		t.Errorf("another host: %v", err)
	}
	if _, err := Listen("tls://127.0.0.1:0"); err == nil {
		t.Error("a server listens without a certificate")
	}
}

// TestTLSAgainstPlain: ends that do not agree on tls fail, and do not hang.
func TestTLSAgainstPlain(t *testing.T) {
	ca := newAuthority(t)
	s := startServer(t, "tls://127.0.0.1:0", ServerConfig{HandshakeTimeout: 100 * time.Millisecond}, ListenTLS(ca.config(t, "server")))
	if _, err := Dial(context.Background(), strings.Replace(s.url, "tls:", "tcp:", 1), "x"); err == nil {
		t.Error("a plain client was let in")
	}
	plain := startServer(t, "tcp://127.0.0.1:0", ServerConfig{HandshakeTimeout: 100 * time.Millisecond})
	if _, err := Dial(context.Background(), strings.Replace(plain.url, "tcp:", "tls:", 1), "x", WithTLS(ca.config(t, "client"))); err == nil {
		t.Error("a plain server was taken")
	}
}

// TestNames: hosts by name and by IPv6 address, which the C programs refuse.
func TestNames(t *testing.T) {
	s := startServer(t, "tcp://localhost:0", ServerConfig{})
	c := dial(t, s)
	do(t, c, sysGetpid)
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		l.Close()
		for _, u := range []string{"tcp://[::1]:0", "tcp6://[::1]:0"} {
			dial(t, startServer(t, u, ServerConfig{}))
		}
	} else {
		t.Log("no IPv6 here")
	}
	s = startServer(t, "tcp://*:0", ServerConfig{})
	s.url = strings.Replace(s.url, "*", "127.0.0.1", 1)
	dial(t, s)
	s = startServer(t, "tcp://0:0", ServerConfig{})
	s.url = strings.Replace(s.url, "0.0.0.0", "127.0.0.1", 1)
	dial(t, s)
}
