package sysproxy

import (
	"log/slog"
	"time"
)

// ServerConfig says how a server behaves. The zero value is a server of NetBSD
// 7.99.34/amd64 with the defaults below.
type ServerConfig struct {
	// Banner is how the server introduces itself. Empty fields are NetBSD,
	// 7.99.34, amd64 and version 0.4; WordPrefetch is added unless
	// NoPrefetch is set.
	Banner     Banner
	NoPrefetch bool

	// HandshakeTimeout is how long a client may take to become a process
	// (10 s), FrameTimeout how long it may pause within a frame (30 s),
	// WriteTimeout how long it may take nothing of what is sent to it (60 s).
	// Negative values mean for ever. Between frames a client may be silent as
	// long as it likes.
	HandshakeTimeout time.Duration
	FrameTimeout     time.Duration
	WriteTimeout     time.Duration

	// MaxFrame is the longest request of a client in bytes (128 KiB; not less
	// than MaxRequest). Answers to COPYIN are as long as was asked.
	MaxFrame int

	MaxClients  int // connections at once (10,000)
	MaxCalls    int // calls in flight a client (1024); further ones are told to try again
	MaxPreforks int // forks a client has prepared and nobody claimed (16)

	// MaxBuffered is how many bytes are held for one client: what waits to
	// be sent, and what was lent or reserved by its calls (32 MiB). More is
	// ENOMEM; a client that does not read what is sent loses its connection.
	MaxBuffered int

	// Spin is how long a connection's reader looks for the next request after
	// an answer before it sleeps (DefaultSpin). Negative: not at all.
	Spin time.Duration

	// Log is told of clients that break the protocol; nil: nobody is.
	Log *slog.Logger
}

const (
	defaultMaxFrame    = readSize
	defaultMaxClients  = 10000
	defaultMaxCalls    = 1024
	defaultMaxPreforks = 16
	defaultMaxBuffered = 32 << 20
	defaultHandshake   = 10 * time.Second
	defaultFrame       = 30 * time.Second
	defaultWrite       = 60 * time.Second
)

// orDefault returns v, or d if v is zero, or zero if v is negative.
func orDefault[T int | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return max(v, 0)
}

// complete fills in the defaults.
func (c ServerConfig) complete() ServerConfig {
	b := &c.Banner
	if b.OS == "" {
		b.OS = "NetBSD"
	}
	if b.Release == "" {
		b.Release = "7.99.34"
	}
	if b.Machine == "" {
		b.Machine = "amd64"
	}
	if b.Major == 0 && b.Minor == 0 {
		b.Major, b.Minor = protoMajor, protoMinor
	}
	if !c.NoPrefetch && !b.Has(WordPrefetch) {
		b.Words = append(b.Words[:len(b.Words):len(b.Words)], WordPrefetch)
	}
	c.HandshakeTimeout = orDefault(c.HandshakeTimeout, defaultHandshake)
	c.FrameTimeout = orDefault(c.FrameTimeout, defaultFrame)
	c.WriteTimeout = orDefault(c.WriteTimeout, defaultWrite)
	c.Spin = orDefault(c.Spin, DefaultSpin)
	c.MaxFrame = max(orDefault(c.MaxFrame, defaultMaxFrame), MaxRequest)
	c.MaxClients = orDefault(c.MaxClients, defaultMaxClients)
	c.MaxCalls = orDefault(c.MaxCalls, defaultMaxCalls)
	c.MaxPreforks = orDefault(c.MaxPreforks, defaultMaxPreforks)
	c.MaxBuffered = orDefault(c.MaxBuffered, defaultMaxBuffered)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Stats counts what a server has done.
type Stats struct {
	Clients    int    // connected now
	Accepted   uint64 // connections
	Refused    uint64 // connections over MaxClients, or in Shutdown
	Violations uint64 // connections ended because the client broke the protocol
	Calls      uint64 // system calls
	CopyIns    uint64 // COPYIN and COPYINSTR requests sent
	Prefetched uint64 // reads of client memory that needed none
	CopyOuts   uint64 // COPYOUT requests sent
	HandedOver uint64 // times that a call let somebody else read
}

func (s *Stats) add(o *Stats) {
	s.Calls += o.Calls
	s.CopyIns += o.CopyIns
	s.Prefetched += o.Prefetched
	s.CopyOuts += o.CopyOuts
	s.HandedOver += o.HandedOver
}
