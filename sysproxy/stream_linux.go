package sysproxy

import "golang.org/x/sys/unix"

// maxVecs bounds the elements of one write (IOV_MAX is 1024).
const maxVecs = 512

// readv reads into p, then into q.
func readv(fd int, p, q []byte) (int, error) {
	if len(p) == 0 {
		return unix.Read(fd, q)
	}
	if len(q) == 0 {
		return unix.Read(fd, p)
	}
	return unix.Readv(fd, [][]byte{p, q})
}

// writev writes a prefix of v.
func writev(fd int, v [][]byte) (int, error) {
	if len(v) == 1 {
		return unix.Write(fd, v[0])
	}
	return unix.Writev(fd, v[:min(len(v), maxVecs)])
}
