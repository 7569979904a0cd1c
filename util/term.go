package util

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Terminal is what a stream of a shell can say of itself; the host's files are asked
// directly.
type Terminal interface {
	IsTerminal() bool
	Size() (columns, rows int, err error)
}

// IsTerminal tells whether a standard stream is a terminal. It is asked of the host's
// descriptor, never of the kernel's console.
func IsTerminal(stream any) bool {
	switch s := bottom(stream).(type) {
	case Terminal:
		return s.IsTerminal()
	case *os.File:
		return s != nil && term.IsTerminal(int(s.Fd()))
	}
	return false
}

// TerminalSize returns how many columns and rows a standard stream has, if it is a
// terminal that knows.
func TerminalSize(stream any) (columns, rows int, ok bool) {
	var err error
	switch s := bottom(stream).(type) {
	case Terminal:
		columns, rows, err = s.Size()
	case *os.File:
		if s == nil {
			return 0, 0, false
		}
		columns, rows, err = term.GetSize(int(s.Fd()))
	}
	return columns, rows, err == nil && columns > 0
}

// bottom returns what is below the buffers that Run puts on a stream.
func bottom(stream any) any {
	for {
		u, ok := stream.(interface{ Unwrap() io.Writer })
		if !ok {
			return stream
		}
		stream = u.Unwrap()
	}
}
