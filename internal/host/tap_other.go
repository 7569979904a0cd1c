//go:build !linux

package host

import (
	"errors"
	"os"
)

// OpenTap is for Linux alone. Errors: errors.ErrUnsupported.
func OpenTap(string) (*os.File, error) { return nil, errors.ErrUnsupported }
