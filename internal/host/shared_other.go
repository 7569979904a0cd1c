//go:build !unix || solaris || aix

package host

import (
	"errors"
	"os"
)

const openNonblock = 0

func mapShared(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapShared([]byte) error { return nil }
