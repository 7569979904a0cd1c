package socket

import (
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// maxTransfer bounds what is given to a protocol at once; more goes in pieces, or for datagrams not at all.
const maxTransfer = 1 << 20

// uio walks the buffers of a message, as uio(9).
type uio struct {
	iov  []abi.Iovec
	left uint64 // in all buffers
}

// newUio walks buffers. Errors: EINVAL for lengths that make more than a long in sum.
func newUio(iov ...abi.Iovec) (*uio, error) {
	u := &uio{iov: iov}
	for i := range iov {
		if iov[i].Len > math.MaxInt64-u.left {
			return nil, abi.EINVAL
		}
		u.left += iov[i].Len
	}
	return u, nil
}

// copyInUio reads the buffers' addresses and lengths; there may be none. Errors: EMSGSIZE for more than IOV_MAX; EINVAL, EFAULT.
func copyInUio(t *kern.Thread, addr uint64, n int32) (*uio, error) {
	if n < 0 || n > abi.IOV_MAX {
		return nil, abi.EMSGSIZE
	}
	if n == 0 {
		return &uio{}, nil
	}
	iov, err := t.CopyInIovecs(addr, int(n))
	if err != nil {
		return nil, err
	}
	return newUio(iov...)
}

// contiguous says whether the next n bytes are in one buffer, and where.
func (u *uio) contiguous(n int) (addr uint64, ok bool) {
	for len(u.iov) > 1 && u.iov[0].Len == 0 {
		u.iov = u.iov[1:]
	}
	if len(u.iov) == 0 {
		return 0, false
	}
	return u.iov[0].Base, u.iov[0].Len >= uint64(n)
}

// skip moves on by n bytes.
func (u *uio) skip(n int) {
	u.left -= uint64(n)
	for n > 0 {
		v := &u.iov[0]
		m := int(min(uint64(n), v.Len))
		v.Base, v.Len = v.Base+uint64(m), v.Len-uint64(m)
		if n -= m; v.Len == 0 {
			u.iov = u.iov[1:]
		}
	}
}

// each calls f for the parts of the next len(p) bytes, and moves on.
func (u *uio) each(p []byte, f func(addr uint64, p []byte) error) error {
	for len(p) > 0 {
		v := &u.iov[0]
		n := int(min(uint64(len(p)), v.Len))
		if n > 0 {
			if err := f(v.Base, p[:n]); err != nil {
				return err
			}
		}
		v.Base, v.Len, u.left = v.Base+uint64(n), v.Len-uint64(n), u.left-uint64(n)
		if p = p[n:]; v.Len == 0 {
			u.iov = u.iov[1:]
		}
	}
	return nil
}

// lend is the next n bytes of what is to be sent: lent where they are in one buffer, copied together otherwise.
func (u *uio) lend(t *kern.Thread, n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if addr, ok := u.contiguous(n); ok {
		p, err := t.Mem.Lend(addr, n)
		if err == nil {
			u.skip(n)
		}
		return p, err
	}
	p := make([]byte, n)
	return p, u.each(p, t.Mem.CopyIn)
}

// fill has f fill the next n bytes at most and hands to the client what it did fill.
func (u *uio) fill(t *kern.Thread, n int, f func(p []byte) (int, error)) (int, error) {
	addr, ok := u.contiguous(n)
	if !ok || n == 0 {
		p := make([]byte, n)
		got, err := f(p)
		if e := u.each(p[:got], t.Mem.CopyOut); e != nil {
			err = e
		}
		return got, err
	}
	p, err := t.Mem.Reserve(addr, n)
	if err != nil {
		return 0, err
	}
	got, err := f(p)
	if e := t.Mem.Commit(addr, p[:got]); e != nil {
		return got, e
	}
	u.skip(got)
	return got, err
}
