package sysproxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// DefaultDialTimeout is how long connecting, and the first exchange with the
// server, may take.
const DefaultDialTimeout = 30 * time.Second

// What WithReconnect takes besides a time.
const (
	ReconnectForever time.Duration = -1 // try until connected again
	ReconnectOnce    time.Duration = -2 // try once
)

// options are what Dial can be told.
type options struct {
	endOptions
	timeout   time.Duration
	reconnect time.Duration
	onSignal  func(sig int)
	logf      func(format string, args ...any)
	spin      time.Duration
	prefetch  bool
	maxAnon   uint64
}

// Option changes how a client connects or behaves.
type Option func(*options)

// WithDialTimeout limits how long connecting, including the handshake, may
// take; 0 is for ever.
func WithDialTimeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

// WithReconnect says what to do when the connection is lost, as
// rumpclient_setconnretry(3) does. 0, the default, fails the calls. Otherwise
// the client tries to connect again for as long as d says, or ReconnectForever
// or ReconnectOnce, and makes the calls that had no answer again: as a new process, which has none of
// the old one's descriptors. A call whose answer was lost is so made twice.
func WithReconnect(d time.Duration) Option { return func(o *options) { o.reconnect = d } }

// WithTLS sets certificates for a tls URL, instead of those that the URL or the
// environment name.
func WithTLS(c *tls.Config) Option { return func(o *options) { o.tls = c } }

// WithSignals has f called with the number (NetBSD's) of each signal that the
// kernel sends to the process. Signals arrive while a call is under way. f
// runs on a goroutine of its own and may make calls; a signal that comes again
// before f was called for it is one signal, as ever in Unix.
func WithSignals(f func(sig int)) Option { return func(o *options) { o.onSignal = f } }

// WithLog has f called with what the C client prints on standard error about
// reconnecting.
func WithLog(f func(format string, args ...any)) Option { return func(o *options) { o.logf = f } }

// WithSpin sets how long a waiting call looks for its answer before it sleeps;
// 0 is not at all. The default is DefaultSpin.
func WithSpin(d time.Duration) Option { return func(o *options) { o.spin = d } }

// WithoutPrefetch has the client behave as version 0.4 does even if the server
// offers the extension.
func WithoutPrefetch() Option { return func(o *options) { o.prefetch = false } }

// WithMaxAnon limits the memory that the kernel may have allocated in the
// client (ANONMMAP). The default is DefaultMaxAnon.
func WithMaxAnon(n uint64) Option { return func(o *options) { o.maxAnon = n } }

func newOptions(opts []Option) *options {
	o := &options{
		timeout:  DefaultDialTimeout,
		spin:     DefaultSpin,
		prefetch: true,
		maxAnon:  DefaultMaxAnon,
		logf:     func(string, ...any) {},
	}
	o.getenv = os.Getenv
	for _, opt := range opts {
		opt(o)
	}
	return o
}

// Dial connects to the kernel at url and becomes a new process there, a child
// of init with the given name. ctx bounds the connecting, not the connection.
// Errors: *URLError, whose text is the line to print; *TLSError; an abi.Errno
// if the kernel refuses; else what the host says.
func Dial(ctx context.Context, url, name string, opts ...Option) (*Conn, error) {
	at, err := ParseURL(url, false)
	if err != nil {
		return nil, err
	}
	c := newConn(at, name, newOptions(opts))
	l, err := c.connect(ctx, shake{kind: shakeGuest, body: nameBody(name)})
	if err != nil {
		return nil, err
	}
	c.link.Store(l)
	return c, nil
}

// shake is a handshake: what a new connection is for.
type shake struct {
	kind uint32
	body []byte
}

func nameBody(name string) []byte { return append([]byte(name), 0) }

// forkBody is the body of HANDSHAKE/FORK.
func forkBody(auth []byte, cancel uint32) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(auth), cancel)
}

// connect connects to the server and shakes hands.
func (c *Conn) connect(ctx context.Context, s shake) (*link, error) {
	if c.opt.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.opt.timeout)
		defer cancel()
	}
	sch, _ := schemeNamed(c.at.Scheme)
	conn, err := sch.dial(ctx, c.at, &c.opt.endOptions)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	l, err := c.greet(conn, s)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, explainTLS(err)
	}
	return l, nil
}

// greet reads the banner and shakes hands.
func (c *Conn) greet(conn net.Conn, s shake) (*link, error) {
	st := newStream(conn, c.buffers, linkReadSize, c.opt.spin, c.readers)
	line, err := readBanner(st)
	if err != nil {
		return nil, err
	}
	b, err := ParseBanner(line)
	if err != nil {
		return nil, err
	}
	l := c.newLink(st, b)
	if err := l.handshake(s); err != nil {
		return nil, err
	}
	return l, nil
}

// readBanner reads up to and with the first newline.
func readBanner(st *stream) (string, error) {
	for n := 1; ; n = len(st.buffered()) + 1 {
		if i := bytes.IndexByte(st.buffered(), '\n'); i >= 0 && i < maxBanner {
			line := string(st.buffered()[:i])
			st.consume(i + 1)
			return line, nil
		}
		if n > maxBanner {
			return "", violation("no banner in the first %d bytes", maxBanner)
		}
		if _, err := st.peek(n); err != nil {
			return "", fmt.Errorf("reading the banner: %w", err)
		}
	}
}

// handshake makes the connection what s says. Errors: an abi.Errno if the
// server refuses.
func (l *link) handshake(s shake) error {
	r := &request{typ: typeHandshake, word: s.kind, body: s.body}
	if err := l.roundTrip(r); err != nil {
		return err
	}
	if r.errWord != 0 {
		return errnoOf(r.errWord)
	}
	if e := binary.LittleEndian.Uint32(r.reply[:]); e != 0 {
		return abi.Errno(e)
	}
	return nil
}

// ErrNoServer says that nothing in the environment names a kernel. Its text is
// the line that the C programs print.
var ErrNoServer = errors.New("error: RUMP_SERVER not set")
