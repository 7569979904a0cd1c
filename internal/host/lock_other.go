//go:build !unix || solaris || aix

package host

import (
	"errors"
	"io/fs"
	"os"
)

// lockFile has nothing to lock with: two kernels that map a file are not kept apart here.
func lockFile(*os.File, bool) error { return nil }

func waitLock(*os.File) error { return errors.ErrUnsupported }

// ownFile is not known here: a socket that is there stays.
func ownFile(fs.FileInfo) bool { return false }
