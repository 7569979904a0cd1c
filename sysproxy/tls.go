package sysproxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"
)

// TLSError says what is wrong with the certificates of a tls transport.
type TLSError struct {
	Text string
	Err  error
}

func (e *TLSError) Error() string { return "rump_sp_tls: " + e.Text }

// Unwrap returns the cause, or nil.
func (e *TLSError) Unwrap() error { return e.Err }

// Where to find a certificate, its key, and the certificates of the authority
// that has signed the other side's: parameters of the URL, or environment
// variables.
type tlsFile struct {
	param, env, what string
}

func tlsFiles() (cert, key, ca tlsFile) {
	return tlsFile{"cert", "RUMP_TLS_CERT", "certificate"},
		tlsFile{"key", "RUMP_TLS_KEY", "key"},
		tlsFile{"ca", "RUMP_TLS_CA", "authority"}
}

// path returns the file's path.
func (f tlsFile) path(l *Locator, getenv func(string) string) (string, error) {
	if p := l.Query.Get(f.param); p != "" {
		return p, nil
	}
	if p := getenv(f.env); p != "" {
		return p, nil
	}
	return "", &TLSError{Text: fmt.Sprintf("no %s: give %s=FILE in the URL or set %s", f.what, f.param, f.env)}
}

// load returns the file's path and contents.
func (f tlsFile) load(l *Locator, getenv func(string) string) (string, []byte, error) {
	path, err := f.path(l, getenv)
	if err != nil {
		return "", nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return path, nil, &TLSError{Text: fmt.Sprintf("cannot read %s %s: %v", f.what, path, err), Err: err}
	}
	return path, b, nil
}

// tlsConfig makes the configuration that both ends share: TLS 1.3, a
// certificate of one's own, an authority for the other's.
func tlsConfig(l *Locator, o *endOptions) (*tls.Config, error) {
	if o.tls != nil {
		return o.tls.Clone(), nil
	}
	certFile, keyFile, caFile := tlsFiles()
	certPath, certPEM, err := certFile.load(l, o.getenv)
	if err != nil {
		return nil, err
	}
	keyPath, keyPEM, err := keyFile.load(l, o.getenv)
	if err != nil {
		return nil, err
	}
	caPath, caPEM, err := caFile.load(l, o.getenv)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, &TLSError{Text: fmt.Sprintf("certificate %s with key %s: %v", certPath, keyPath, err), Err: err}
	}
	if err := validNow(pair.Leaf, "our certificate "+certPath); err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(caPEM) {
		return nil, &TLSError{Text: "no certificate of an authority in " + caPath}
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{pair},
		RootCAs:      pool,
		ClientCAs:    pool,
	}, nil
}

// validNow checks the dates of a certificate.
func validNow(c *x509.Certificate, whose string) error {
	now := time.Now()
	if c != nil && now.After(c.NotAfter) {
		return &TLSError{Text: fmt.Sprintf("%s has expired on %s", whose, c.NotAfter.UTC().Format(time.DateOnly))}
	}
	if c != nil && now.Before(c.NotBefore) {
		return &TLSError{Text: fmt.Sprintf("%s is not valid before %s", whose, c.NotBefore.UTC().Format(time.DateOnly))}
	}
	return nil
}

func dialTLS(ctx context.Context, l *Locator, o *endOptions) (net.Conn, error) {
	conf, err := tlsConfig(l, o)
	if err != nil {
		return nil, err
	}
	if conf.ServerName == "" {
		conf.ServerName = l.Host
	}
	inner, err := dialTCP(ctx, l, o)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(inner, conf)
	if err := conn.HandshakeContext(ctx); err != nil {
		inner.Close()
		return nil, explainTLS(err)
	}
	return conn, nil
}

func listenTLS(l *Locator, o *endOptions) (Listener, error) {
	conf, err := tlsConfig(l, o)
	if err != nil {
		return nil, err
	}
	conf.ClientAuth = tls.RequireAndVerifyClientCert
	inner, err := net.Listen("tcp", l.Addr())
	if err != nil {
		return nil, &ListenError{URL: l.URL, Err: err}
	}
	at := *l
	at.Query = nil // the files are the server's own
	return &listener{tls.NewListener(inner, conf), at.bound(inner)}, nil
}

// explainTLS puts what went wrong with a certificate into words. Other errors
// it returns as they are.
func explainTLS(err error) error {
	var (
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		remote  *net.OpError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		if e := validNow(invalid.Cert, "the other side's certificate"); e != nil {
			return &TLSError{Text: e.(*TLSError).Text, Err: err}
		}
		return &TLSError{Text: "the other side's certificate or its authority's has expired", Err: err}
	case errors.As(err, &unknown):
		return &TLSError{Text: "the other side's certificate is not signed by our authority", Err: err}
	case errors.As(err, &name):
		return &TLSError{Text: "the server's certificate is for another host: " + name.Error(), Err: err}
	case errors.As(err, &remote) && remote.Op == "remote error":
		return &TLSError{Text: "the other side refuses us: " + alertText(remote.Err), Err: err}
	}
	return err
}

// alertText says what an alert about certificates means (RFC 8446, 6.2), of
// which crypto/tls gives the text alone.
func alertText(alert error) string {
	text := strings.TrimPrefix(alert.Error(), "tls: ")
	if why, ok := map[string]string{
		"bad certificate":               "our certificate is not acceptable to it",
		"unsupported certificate":       "our certificate is not acceptable to it",
		"revoked certificate":           "our certificate is revoked",
		"expired certificate":           "our certificate has expired",
		"unknown certificate authority": "it does not know the authority of our certificate",
		"certificate required":          "it requires a certificate",
	}[text]; ok {
		return why
	}
	return text
}
