//go:build !unix

package sysproxy

import "io/fs"

// restrictSocket does nothing where sockets have no permissions of their own.
func restrictSocket(uintptr, fs.FileMode) {}
