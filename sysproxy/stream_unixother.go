//go:build unix && !linux

package sysproxy

import "golang.org/x/sys/unix"

// maxVecs bounds the elements of one write (IOV_MAX is 1024).
const maxVecs = 512

// readv reads into p, or into q if p is empty.
func readv(fd int, p, q []byte) (int, error) {
	if len(p) == 0 {
		p = q
	}
	return unix.Read(fd, p)
}

// writev writes a prefix of v.
func writev(fd int, v [][]byte) (int, error) {
	if len(v) == 1 {
		return unix.Write(fd, v[0])
	}
	return unix.SendmsgBuffers(fd, v[:min(len(v), maxVecs)], nil, nil, 0)
}
