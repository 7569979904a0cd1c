package socket

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// callFlags are the flags of sending that are the layer's own and do not reach a protocol.
const callFlags = abi.MSG_DONTWAIT | abi.MSG_NBIO | abi.MSG_NOSIGNAL

// stream says whether messages have no boundaries.
func (so *Socket) stream() bool { return so.Type == abi.SOCK_STREAM }

// send sends a message, and waits until all of it is taken: a stream may take it in pieces. What control messages refer to is the
// protocol's when the first piece is.
//
// Errors: with some of it sent, and the error; EMSGSIZE, EWOULDBLOCK, EINTR, the socket's asynchronous error, and the protocol's.
func (so *Socket) send(t *kern.Thread, nonblock bool, m *Message, flags int) (int, error) {
	if !so.stream() && len(m.Data) > int(so.Sndbuf.Load()) {
		return 0, abi.EMSGSIZE
	}
	nonblock = nonblock || flags&(abi.MSG_DONTWAIT|abi.MSG_NBIO) != 0
	flags &^= callFlags
	limit := timeout(&so.sndtimeo)
	done := 0
	for {
		var n int
		var err error
		werr := so.wait(t, &so.writeSel, nonblock, limit, func() bool {
			if err = so.sendError(); err != nil {
				return true
			}
			n, err = so.protocol.Send(t, m, flags)
			return err != abi.EWOULDBLOCK
		})
		done += n
		if err = either(werr, err); err != nil {
			return done, err
		}
		m.Control = nil
		if m.Data = m.Data[n:]; len(m.Data) == 0 {
			return done, nil
		}
	}
}

// sendError is the asynchronous error that keeps a message from being sent. When nothing can be sent any more the protocol says so.
func (so *Socket) sendError() error {
	if !so.failed.Load() {
		return nil
	}
	if _, over := so.ended(); over {
		return nil
	}
	return so.takeError()
}

// sendUio sends what the client's buffers hold, as one message or, on a stream, in pieces; fd is for the trace.
func (so *Socket) sendUio(t *kern.Thread, f *kern.File, fd int, m *Message, u *uio, flags int) (int, error) {
	if !so.stream() && u.left > uint64(so.Sndbuf.Load()) {
		return 0, abi.EMSGSIZE
	}
	done := 0
	for {
		p, err := u.lend(t, int(min(u.left, maxTransfer)))
		if err != nil {
			return done, err
		}
		m.Data = p
		n, err := so.send(t, f.Nonblock(), m, flags)
		if done += n; n > 0 || err == nil {
			t.KtraceIO(fd, abi.UIO_WRITE, p[:n])
		}
		if err != nil || u.left == 0 {
			return done, err
		}
	}
}

// sendMessage is the end of every call that sends: a part of a message that was sent before an interruption is a success, and EPIPE raises SIGPIPE.
func (so *Socket) sendMessage(t *kern.Thread, f *kern.File, fd int, m *Message, u *uio, flags int) (int64, error) {
	n, err := so.sendUio(t, f, fd, m, u, flags)
	if err != nil {
		releaseControl(t, m.Control)
	}
	if n > 0 && (err == abi.EINTR || err == abi.EWOULDBLOCK) {
		err = nil
	}
	if err == abi.EPIPE && f.Flags()&abi.O_NOSIGPIPE == 0 && flags&abi.MSG_NOSIGNAL == 0 {
		t.Signal(abi.SIGPIPE)
	}
	if err != nil {
		return 0, err
	}
	return int64(n), nil
}

// sysSendto is sendto(s, buf, len, flags, to, tolen).
func sysSendto(t *kern.Thread, a *kern.Args) (int64, error) {
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
	if a[4] != 0 {
		if m.Name, err = copyInSockaddr(t, a[4], a.Uint(5)); err != nil {
			return 0, err
		}
	}
	return so.sendMessage(t, f, a.Int(0), &m, u, a.Int(3)&abi.MSG_USERFLAGS)
}

func sysSendmsg(t *kern.Thread, a *kern.Args) (int64, error) {
	var h abi.Msghdr
	if err := t.CopyInStruct(a[1], &h, abi.SizeofMsghdr); err != nil {
		return 0, err
	}
	f, so, err := getSocket(t, a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	return so.sendMsghdr(t, f, a.Int(0), &h, a.Int(2)&abi.MSG_USERFLAGS)
}

// sendMsghdr sends what a struct msghdr describes.
func (so *Socket) sendMsghdr(t *kern.Thread, f *kern.File, fd int, h *abi.Msghdr, flags int) (int64, error) {
	u, err := copyInUio(t, h.Iov, h.Iovlen)
	if err != nil {
		return 0, err
	}
	var m Message
	if h.Name != 0 {
		if m.Name, err = copyInSockaddr(t, h.Name, h.Namelen); err != nil {
			return 0, err
		}
	}
	if h.Control != 0 {
		if m.Control, err = so.copyInControl(t, h.Control, h.Controllen); err != nil {
			return 0, err
		}
	}
	return so.sendMessage(t, f, fd, &m, u, flags)
}

// maxMmsg is how many messages sendmmsg(2) and recvmmsg(2) handle in one call.
const maxMmsg = 1024

// sysSendmmsg is sendmmsg(s, messages, how many, flags). An error after the first message is kept for the next call.
func sysSendmmsg(t *kern.Thread, a *kern.Args) (int64, error) {
	f, so, err := getSocket(t, a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	flags := a.Int(3) & abi.MSG_USERFLAGS
	var h abi.Mmsghdr
	for i := range uint64(min(a.Uint(2), maxMmsg)) {
		addr := a[1] + i*abi.SizeofMmsghdr
		err := t.CopyInStruct(addr, &h, abi.SizeofMmsghdr)
		if err == nil {
			var n int64
			n, err = so.sendMsghdr(t, f, a.Int(0), &h.Hdr, flags)
			h.Len = uint32(n)
		}
		if err == nil {
			h.Hdr.Flags = int32(flags)
			err = t.CopyOutStruct(addr, &h, abi.SizeofMmsghdr)
		}
		if err != nil {
			return so.mmsgError(i, err)
		}
	}
	return int64(min(a.Uint(2), maxMmsg)), nil
}

// mmsgError is the result when message i of a call that handles many has failed.
func (so *Socket) mmsgError(i uint64, err error) (int64, error) {
	if i == 0 {
		return 0, err
	}
	if err != abi.EWOULDBLOCK {
		so.SetError(err)
	}
	return int64(i), nil
}
