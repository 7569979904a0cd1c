package socket

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// recv receives into m.Data: what there is, or with MSG_WAITALL on a stream all of it. m.Flags has the message's flags.
//
// Errors: with some of it received, and the error; EWOULDBLOCK, EINTR, the socket's asynchronous error, and the protocol's.
func (so *Socket) recv(t *kern.Thread, nonblock bool, m *Message, flags int) (int, error) {
	nonblock = nonblock || flags&(abi.MSG_DONTWAIT|abi.MSG_NBIO) != 0
	if flags&abi.MSG_OOB != 0 {
		return so.protocol.Recv(t, m, flags&(abi.MSG_OOB|abi.MSG_PEEK))
	}
	all := so.stream() && flags&abi.MSG_WAITALL != 0 && flags&abi.MSG_PEEK == 0 && !nonblock
	done := 0
	for {
		n, err := so.recvSome(t, nonblock, m, flags&abi.MSG_PEEK)
		done += n
		m.Data = m.Data[n:]
		if err != nil || n == 0 || !all || len(m.Data) == 0 || len(m.Control) > 0 || m.Flags&abi.MSG_EOR != 0 {
			return done, err
		}
	}
}

// recvSome waits for something to receive.
func (so *Socket) recvSome(t *kern.Thread, nonblock bool, m *Message, flags int) (n int, err error) {
	if so.stream() && len(m.Data) == 0 {
		if n, err = so.protocol.Recv(t, m, flags); err == abi.EWOULDBLOCK {
			err = so.recvError(flags)
		}
		return n, err
	}
	r := receiver{so: so, t: t, m: m, flags: flags}
	if !nonblock && flags == 0 && so.rcvlowat.Load() <= 1 {
		r.meet, _ = so.protocol.(Rendezvous)
	}
	werr := so.wait(t, &so.readSel, nonblock, timeout(&so.rcvtimeo), r.try)
	if r.withdraw() {
		return r.n, nil
	}
	return r.n, either(werr, r.err)
}

// recvError is the asynchronous error, which MSG_PEEK leaves there.
func (so *Socket) recvError(flags int) error {
	if flags&abi.MSG_PEEK != 0 {
		return so.pendingError()
	}
	return so.takeError()
}

// receiver is the state of one wait for something to receive.
type receiver struct {
	so    *Socket
	t     *kern.Thread
	m     *Message
	flags int
	meet  Rendezvous // nil if the protocol has none
	taken bool       // m.Data is with the protocol
	n     int
	err   error
}

// withdraw takes m.Data back from the protocol and says whether there is something in it.
func (r *receiver) withdraw() bool {
	if !r.taken {
		return false
	}
	r.taken = false
	r.n = r.meet.Withdraw()
	return r.n > 0
}

// try receives, and says whether the wait is over.
func (r *receiver) try() bool {
	if r.withdraw() {
		r.err = nil
		return true
	}
	so := r.so
	if !so.enough(len(r.m.Data)) {
		r.err = abi.EWOULDBLOCK
		return false
	}
	if r.meet != nil {
		r.n, r.taken, r.err = r.meet.Offer(r.m)
		if r.taken {
			r.err = abi.EWOULDBLOCK
		}
	} else {
		r.n, r.err = so.protocol.Recv(r.t, r.m, r.flags)
	}
	if r.err == abi.EWOULDBLOCK || r.err == nil && r.n == 0 && so.stream() {
		if err := so.recvError(r.flags); err != nil {
			r.err = err
		}
	}
	return r.err != abi.EWOULDBLOCK
}

// enough says whether there is as much to receive as SO_RCVLOWAT wants, or as the caller does, or nothing more to wait for.
func (so *Socket) enough(want int) bool {
	low := min(int(so.rcvlowat.Load()), want)
	if low <= 1 || !so.stream() || so.failed.Load() {
		return true
	}
	c, ok := so.protocol.(Counter)
	if !ok {
		return true
	}
	if over, _ := so.ended(); over {
		return true
	}
	readable, _, _ := c.Counts()
	return readable == 0 || readable >= low
}

// recvUio receives into the client's buffers; fd is for the trace.
func (so *Socket) recvUio(t *kern.Thread, f *kern.File, fd int, m *Message, u *uio, flags int) (int, error) {
	done := 0
	for {
		want := int(min(u.left, maxTransfer))
		n, err := u.fill(t, want, func(p []byte) (int, error) {
			m.Data = p
			n, err := so.recv(t, f.Nonblock(), m, flags)
			if n > 0 || err == nil {
				t.KtraceIO(fd, abi.UIO_READ, p[:n])
			}
			return n, err
		})
		done += n
		if err != nil || n < want || u.left == 0 || flags&abi.MSG_WAITALL == 0 || !so.stream() || flags&abi.MSG_PEEK != 0 {
			return done, err
		}
	}
}

// recvMessage is what every call that receives does: a part that came before an interruption is a success.
func (so *Socket) recvMessage(t *kern.Thread, f *kern.File, fd int, m *Message, u *uio, flags int) (int64, error) {
	n, err := so.recvUio(t, f, fd, m, u, flags)
	if n > 0 && (err == abi.EINTR || err == abi.EWOULDBLOCK) {
		err = nil
	}
	if err != nil {
		releaseControl(t, m.Control)
		return 0, err
	}
	return int64(n), nil
}

// sysRecvfrom is recvfrom(s, buf, len, flags, from, fromlen). Control messages are dropped.
func sysRecvfrom(t *kern.Thread, a *kern.Args) (int64, error) {
	f, so, err := getSocket(t, a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	u, err := newUio(abi.Iovec{Base: a[1], Len: a[2]})
	if err != nil {
		return 0, err
	}
	var m Message
	n, err := so.recvMessage(t, f, a.Int(0), &m, u, a.Int(3)&abi.MSG_USERFLAGS)
	if err != nil {
		return 0, err
	}
	releaseControl(t, m.Control)
	return n, copyOutSockaddr(t, a[4], a[5], m.Name)
}

func sysRecvmsg(t *kern.Thread, a *kern.Args) (int64, error) {
	var h abi.Msghdr
	if err := t.CopyInStruct(a[1], &h, abi.SizeofMsghdr); err != nil {
		return 0, err
	}
	f, so, err := getSocket(t, a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	n, err := so.recvMsghdr(t, f, a.Int(0), &h, a.Int(2)&abi.MSG_USERFLAGS)
	if err != nil {
		return 0, err
	}
	return n, t.CopyOutStruct(a[1], &h, abi.SizeofMsghdr)
}

// recvMsghdr receives into what a struct msghdr describes, and fills in its lengths and flags.
func (so *Socket) recvMsghdr(t *kern.Thread, f *kern.File, fd int, h *abi.Msghdr, flags int) (int64, error) {
	u, err := copyInUio(t, h.Iov, h.Iovlen)
	if err != nil {
		return 0, err
	}
	var m Message
	n, err := so.recvMessage(t, f, fd, &m, u, flags)
	if err != nil {
		return 0, err
	}
	h.Flags = int32(flags&^abi.MSG_EOR | m.Flags)
	if h.Control == 0 {
		releaseControl(t, m.Control)
	} else if err := copyOutControl(t, h, m.Control, flags&abi.MSG_CMSG_CLOEXEC != 0); err != nil {
		return 0, err
	}
	if h.Name != 0 {
		room, err := copyOutName(t, h.Name, int32(h.Namelen), m.Name)
		if err != nil {
			return 0, err
		}
		h.Namelen = uint32(room)
	}
	return n, nil
}

// sysRecvmmsg is recvmmsg(s, messages, how many, flags, timeout). The timeout ends it after a message, not before the first; with
// MSG_WAITFORONE only the first is waited for. An error after the first message is kept for the next call.
func sysRecvmmsg(t *kern.Thread, a *kern.Args) (int64, error) {
	var end time.Time
	if a[4] != 0 {
		var ts abi.Timespec
		if err := t.CopyInStruct(a[4], &ts, abi.SizeofTimespec); err != nil {
			return 0, err
		}
		d, err := kern.TimespecDuration(ts)
		if err != nil {
			return 0, err
		}
		end = time.Now().Add(d)
	}
	f, so, err := getSocket(t, a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	flags := a.Int(3) & abi.MSG_USERFLAGS
	one := flags&abi.MSG_WAITFORONE != 0
	flags &^= abi.MSG_WAITFORONE
	count := uint64(min(a.Uint(2), maxMmsg))
	for i := range count {
		h, err := so.recvMmsghdr(t, f, a, i, flags)
		if err != nil {
			return so.mmsgError(i, err)
		}
		if h.Hdr.Flags&abi.MSG_OOB != 0 || !end.IsZero() && time.Now().After(end) {
			return int64(i + 1), nil
		}
		if one {
			flags |= abi.MSG_DONTWAIT
		}
	}
	return int64(count), nil
}

// recvMmsghdr receives message i of recvmmsg(2).
func (so *Socket) recvMmsghdr(t *kern.Thread, f *kern.File, a *kern.Args, i uint64, flags int) (h abi.Mmsghdr, err error) {
	addr := a[1] + i*abi.SizeofMmsghdr
	if err := t.CopyInStruct(addr, &h, abi.SizeofMmsghdr); err != nil {
		return h, err
	}
	n, err := so.recvMsghdr(t, f, a.Int(0), &h.Hdr, flags)
	if err != nil {
		return h, err
	}
	h.Len = uint32(n)
	return h, t.CopyOutStruct(addr, &h, abi.SizeofMmsghdr)
}
