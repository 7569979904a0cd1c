//go:build !unix

package sysproxy

type (
	rawRead  struct{}
	rawWrite struct{}
)

// initRaw leaves raw nil: everything goes through the connection.
func (s *stream) initRaw() {}

func (s *stream) readInto(p []byte) (int, error) { return s.readConn(p) }

func (s *stream) writeRaw(b *batch, _ func()) error { return s.writeConn(b) }
