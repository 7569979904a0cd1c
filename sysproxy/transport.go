package sysproxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Transport is a process on some kernel: a connection to it ([Dial]), or a
// kernel in this very program ([Local]). Its methods may be called by many
// goroutines at once; each concurrent Do is a thread of the process.
type Transport interface {
	// NewCall returns an empty call that lends memory of this process.
	NewCall(num int) *Call

	// Do makes the call and waits for its end. A nil error means that the
	// kernel has answered: c.Err and c.Ret are its answer. Otherwise the
	// transport broke, and whether the call was made is unknown; the error
	// wraps what broke it ([net.ErrClosed], a syscall.Errno, io.EOF, ...).
	Do(c *Call) error

	// Fork makes a child process: descriptors and everything else are copied
	// as by fork(2). Errors: an abi.Errno if the kernel refused.
	Fork() (Transport, error)

	// Exec gives the process a new name and closes its close-on-exec
	// descriptors, as execve(2) does: the same program goes on. Calls of
	// other threads are interrupted, and end before.
	Exec(name string) error

	// Close ends the process and frees all that it has in the kernel. Calls
	// in flight fail with net.ErrClosed.
	Close() error

	// Banner tells which kernel this is.
	Banner() Banner
}

// Words that extend the protocol. Each stands in the banner after the machine.
const (
	// WordPrefetch says that the server understands memory that comes along
	// with a request, see docs/protocol.md.
	WordPrefetch = "+prefetch"
)

const (
	protoMajor = 0
	protoMinor = 4
	maxBanner  = 96 // bytes, with the newline
)

// Banner is the line by which a server introduces itself:
//
//	RUMPSP-0.4-NetBSD-7.99.34/amd64 +prefetch
type Banner struct {
	Major, Minor int      // of the protocol
	OS           string   // "NetBSD"
	Release      string   // "7.99.34"
	Machine      string   // "amd64"
	Words        []string // extensions
}

// Has tells whether the server speaks the extension word.
func (b Banner) Has(word string) bool { return slices.Contains(b.Words, word) }

// String returns the line, without a newline.
func (b Banner) String() string {
	s := fmt.Sprintf("RUMPSP-%d.%d-%s-%s/%s", b.Major, b.Minor, b.OS, b.Release, b.Machine)
	for _, w := range b.Words {
		s += " " + w
	}
	return s
}

// ParseBanner reads a banner line. Versions other than 0.x are refused, unknown
// words are kept.
func ParseBanner(line string) (Banner, error) {
	bad := func(why string) (Banner, error) {
		return Banner{}, &ProtocolError{What: fmt.Sprintf("banner %.*q: %s", maxBanner, line, why)}
	}
	line = strings.TrimSuffix(line, "\n")
	if len(line) >= maxBanner {
		return bad("too long")
	}
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return bad("empty")
	}
	rest, ok := strings.CutPrefix(fields[0], "RUMPSP-")
	if !ok {
		return bad("not a rump kernel's")
	}
	version, rest, ok1 := strings.Cut(rest, "-")
	ostype, rest, ok2 := strings.Cut(rest, "-")
	slash := strings.LastIndexByte(rest, '/')
	majors, minors, ok3 := strings.Cut(version, ".")
	major, err1 := strconv.ParseUint(majors, 10, 16)
	minor, err2 := strconv.ParseUint(minors, 10, 16)
	if !ok1 || !ok2 || !ok3 || slash < 0 || err1 != nil || err2 != nil {
		return bad("malformed")
	}
	if major != protoMajor {
		return bad("unknown version")
	}
	return Banner{
		Major: int(major), Minor: int(minor),
		OS: ostype, Release: rest[:slash], Machine: rest[slash+1:],
		Words: fields[1:],
	}, nil
}

// line returns what a server sends: the banner with its newline. Errors: it is
// longer than a client reads, or a part of it would be taken for another.
func (b Banner) line() (string, error) {
	s := b.String() + "\n"
	if len(s) > maxBanner {
		return "", &ProtocolError{What: fmt.Sprintf("banner longer than %d bytes: %q", maxBanner, s)}
	}
	got, err := ParseBanner(s)
	if err != nil {
		return "", err
	}
	if got.String() != b.String() || got.OS != b.OS || got.Release != b.Release || len(got.Words) != len(b.Words) {
		return "", &ProtocolError{What: fmt.Sprintf("banner %q cannot be read back", s)}
	}
	return s, nil
}

// ProtocolError says how the other end broke the protocol.
type ProtocolError struct {
	What string
}

func (e *ProtocolError) Error() string { return "sysproxy: protocol violation: " + e.What }

func violation(format string, args ...any) error {
	return &ProtocolError{What: fmt.Sprintf(format, args...)}
}
