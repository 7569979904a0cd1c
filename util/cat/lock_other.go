//go:build !unix

package cat

import (
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
)

// lockOutput says that files of this host cannot be locked.
func lockOutput(io.Writer) error { return abi.EOPNOTSUPP }
