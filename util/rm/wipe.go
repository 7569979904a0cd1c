package rm

import (
	"bytes"
	"crypto/rand"

	"github.com/rumpctrl/rumpctrl/abi"
)

// wipeSize is how much of a file is overwritten at a time.
const wipeSize = 64 << 10

// wipe overwrites a regular file as rm(1) says of -P: with a byte, with ones, with zeroes that are
// read back, and with random bytes.
func (r *remover) wipe(dir int, rel string, st *abi.Stat) error {
	fd, err := r.sys.Openat(dir, rel, abi.O_RDWR|abi.O_SYNC|abi.O_RSYNC|abi.O_NOFOLLOW|abi.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	var now abi.Stat
	if err = r.sys.Fstat(fd, &now); err == nil && (now.Dev != st.Dev || now.Ino != st.Ino) {
		err = abi.EPERM
	}
	buf := make([]byte, wipeSize)
	for pass := 0; err == nil && pass < len(passes); pass++ {
		err = r.pass(fd, now.Size, buf, passes[pass])
	}
	if closed := r.sys.Close(fd); err == nil {
		err = closed
	}
	return err
}

// wiping is a way to overwrite a file, or to look whether it was.
type wiping struct {
	random, verify bool
	fill           byte
}

// passes are the ways a file is overwritten, in order.
var passes = [...]wiping{
	{fill: 'R'}, {fill: 0xff}, {fill: 0}, {fill: 0, verify: true}, {random: true},
}

// pass goes once through a file of a size.
func (r *remover) pass(fd int, size int64, buf []byte, p wiping) error {
	for i := range buf {
		buf[i] = p.fill
	}
	if err := r.sys.Fsync(fd); err != nil {
		return err
	}
	back := make([]byte, len(buf))
	for off := int64(0); off < size; {
		part := buf[:min(size-off, int64(len(buf)))]
		if p.random {
			rand.Read(part)
		}
		n, err := 0, error(nil)
		if p.verify {
			n, err = r.sys.Pread(fd, back[:len(part)], off)
		} else {
			n, err = r.sys.Pwrite(fd, part, off)
		}
		if err != nil {
			return err
		}
		if n == 0 || p.verify && !bytes.Equal(back[:n], part[:n]) {
			return abi.EIO
		}
		off += int64(n)
	}
	return r.sys.Fsync(fd)
}
