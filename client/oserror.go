package client

import (
	"io/fs"
	"os"
)

// pathError wraps what a call on a path returned.
func pathError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// linkError wraps what a call on two paths returned.
func linkError(op, from, to string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: from, New: to, Err: err}
}

// syscallError wraps what another call returned.
func syscallError(name string, err error) error {
	if err == nil {
		return nil
	}
	return &os.SyscallError{Syscall: name, Err: err}
}
