package kern

import (
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
)

// maxTransfer bounds what is read or written by one call of a Reader or Writer: larger buffers go in pieces.
const maxTransfer = 1 << 20

// CopyInIovecs reads n iovecs. Errors: EINVAL for a count outside of 1 to IOV_MAX and for lengths that make more
// than a long in sum; EFAULT.
func (t *Thread) CopyInIovecs(addr uint64, n int) ([]abi.Iovec, error) {
	if n < 1 || n > abi.IOV_MAX {
		return nil, abi.EINVAL
	}
	raw := make([]byte, n*abi.SizeofIovec)
	if err := t.Mem.CopyIn(addr, raw); err != nil {
		return nil, err
	}
	iov := make([]abi.Iovec, n)
	var total uint64
	for i := range iov {
		if err := iov[i].Decode(raw[i*abi.SizeofIovec:]); err != nil {
			return nil, err
		}
		if iov[i].Len > math.MaxInt64 {
			return nil, abi.EINVAL
		}
		if total += iov[i].Len; total > math.MaxInt64 {
			return nil, abi.EINVAL
		}
	}
	return iov, nil
}

// uio walks the buffers of a transfer, as uio(9).
type uio struct {
	iov   []abi.Iovec
	left  uint64 // in all buffers
	total uint64
}

func newUio(iov []abi.Iovec) uio {
	u := uio{iov: iov}
	for i := range iov {
		u.left += iov[i].Len
	}
	u.total = u.left
	return u
}

// piece is the length of the next transfer.
func (u *uio) piece() int { return int(min(u.left, maxTransfer)) }

// current is the first buffer with bytes left, or the last one.
func (u *uio) current() *abi.Iovec {
	for len(u.iov) > 1 && u.iov[0].Len == 0 {
		u.iov = u.iov[1:]
	}
	return &u.iov[0]
}

// contiguous says whether the next n bytes are in one buffer, and where.
func (u *uio) contiguous(n int) (addr uint64, ok bool) {
	v := u.current()
	return v.Base, v.Len >= uint64(n)
}

// each calls f for the parts of the next len(p) bytes, and moves on.
func (u *uio) each(p []byte, f func(addr uint64, p []byte) error) error {
	for len(p) > 0 {
		v := u.current()
		n := int(min(uint64(len(p)), v.Len))
		if err := f(v.Base, p[:n]); err != nil {
			return err
		}
		u.skip(n)
		p = p[n:]
	}
	return nil
}

// skip moves on by n bytes.
func (u *uio) skip(n int) {
	u.left -= uint64(n)
	for n > 0 {
		v := u.current()
		m := int(min(uint64(n), v.Len))
		v.Base, v.Len = v.Base+uint64(m), v.Len-uint64(m)
		n -= m
	}
}

// partial is the result of a transfer of n bytes that ended with err: what has been moved is told, unless the file
// failed otherwise than by an interruption or by having no more.
func partial(n uint64, err error) (int64, error) {
	if n > 0 && (err == abi.EINTR || err == abi.EWOULDBLOCK || err == abi.ERESTART) {
		err = nil
	}
	if err != nil {
		return 0, err
	}
	return int64(n), nil
}

// read reads a file into the client's buffers, at off or, when that is Current, at the file's offset. The
// iovecs are used up. A file without offsets (a pipe, a socket) is read only once: the next piece might have to be
// waited for.
func (t *Thread) read(f *File, iov []abi.Iovec, off int64) (int64, error) {
	r, ok := f.Ops.(Reader)
	if !ok {
		return 0, abi.EINVAL
	}
	u := newUio(iov)
	for {
		want := u.piece()
		n, err := t.readPiece(f, r, &u, want, off)
		if err != nil || n < want || u.left == 0 {
			return partial(u.total-u.left, err)
		}
		if _, ok := f.Ops.(Seeker); !ok {
			return partial(u.total-u.left, nil)
		}
		if off != Current {
			off += int64(n)
		}
	}
}

func (t *Thread) readPiece(f *File, r Reader, u *uio, want int, off int64) (int, error) {
	addr, ok := u.contiguous(want)
	if !ok || want == 0 {
		buf := make([]byte, want)
		n, err := r.Read(t, f, buf, off)
		t.ktraceRead(buf, n, err)
		if n > 0 {
			if e := u.each(buf[:n], t.Mem.CopyOut); e != nil {
				return n, e
			}
		}
		return n, err
	}
	buf, err := t.Mem.Reserve(addr, want)
	if err != nil {
		return 0, err
	}
	n, err := r.Read(t, f, buf, off)
	t.ktraceRead(buf, n, err)
	if n > 0 {
		if e := t.Mem.Commit(addr, buf[:n]); e != nil {
			return n, e
		}
		u.skip(n)
	}
	return n, err
}

// ktraceRead records what a piece of a transfer has read, if the process is traced.
func (t *Thread) ktraceRead(buf []byte, n int, err error) {
	if n > 0 || err == nil {
		t.KtraceIO(t.args.Int(0), abi.UIO_READ, buf[:n])
	}
}

// write writes the client's buffers to a file, at off or, when that is Current, at the file's offset or end. The iovecs
// are used up. A pipe without a reader raises SIGPIPE unless the file has O_NOSIGPIPE.
func (t *Thread) write(f *File, iov []abi.Iovec, off int64) (int64, error) {
	w, ok := f.Ops.(Writer)
	if !ok {
		return 0, abi.EINVAL
	}
	u := newUio(iov)
	var buf []byte // of large transfers, used again and again
	for {
		p, err := t.lendPiece(&u, &buf)
		if err != nil {
			return partial(u.total-u.left, err)
		}
		done := u.total - u.left - uint64(len(p))
		n, err := w.Write(t, f, p, off)
		if n > 0 || err == nil {
			t.KtraceIO(t.args.Int(0), abi.UIO_WRITE, p[:n])
		}
		done += uint64(n)
		if err == abi.EPIPE && f.Flags()&abi.O_NOSIGPIPE == 0 {
			t.Signal(abi.SIGPIPE)
		}
		if n > 0 && err != nil && done > 0 {
			return int64(done), nil
		}
		if err != nil || n < len(p) || u.left == 0 {
			return partial(done, err)
		}
		if off != Current {
			off += int64(n)
		}
	}
}

// lendPiece is the next piece of what is to be written. What fits into one is lent; more is copied into buf, so that
// a call holds no more of the client's memory than a piece.
func (t *Thread) lendPiece(u *uio, buf *[]byte) ([]byte, error) {
	n := u.piece()
	if n == 0 {
		return nil, nil
	}
	if addr, ok := u.contiguous(n); ok && u.total <= maxTransfer {
		p, err := t.Mem.Lend(addr, n)
		if err == nil {
			u.skip(n)
		}
		return p, err
	}
	if *buf == nil {
		*buf = make([]byte, n)
	}
	p := (*buf)[:n]
	return p, u.each(p, t.Mem.CopyIn)
}
