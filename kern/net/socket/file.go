package socket

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

var (
	_ kern.Reader           = (*Socket)(nil)
	_ kern.Writer           = (*Socket)(nil)
	_ kern.Stater           = (*Socket)(nil)
	_ kern.Ioctler          = (*Socket)(nil)
	_ kern.Poller           = (*Socket)(nil)
	_ kern.KnoteFilter      = (*Socket)(nil)
	_ kern.DescriptorCloser = (*Socket)(nil)
	_ kern.Numbered         = (*Socket)(nil)
	_ kern.Owned            = (*Socket)(nil)
)

// Close ends the socket. With SO_LINGER it waits until the protocol is done.
func (so *Socket) Close(t *kern.Thread, f *kern.File) error {
	err := so.protocol.Close(t)
	if l, ok := so.protocol.(Lingerer); ok {
		if on, d := so.Linger(); on && d > 0 && !f.Nonblock() {
			err = either(err, t.WaitFor(&so.writeSel, d, l.Closed))
		}
	}
	so.unreserve()
	return err
}

// CloseDescriptor wakes those who wait at the socket: if it was theirs, it is gone.
func (so *Socket) CloseDescriptor(t *kern.Thread, f *kern.File) {
	if p, ok := so.protocol.(DescriptorCloser); ok {
		p.DescriptorClosed(t, f)
	}
	so.restarts.Add(1)
	so.readSel.Notify(0)
	so.writeSel.Notify(0)
}

// Read receives without flags. Control messages are dropped.
func (so *Socket) Read(t *kern.Thread, f *kern.File, p []byte, _ int64) (int, error) {
	m := Message{Data: p}
	n, err := so.recv(t, f.Nonblock(), &m, 0)
	releaseControl(t, m.Control)
	return n, err
}

// Write sends without flags.
func (so *Socket) Write(t *kern.Thread, f *kern.File, p []byte, _ int64) (int, error) {
	return so.send(t, f.Nonblock(), &Message{Data: p}, 0)
}

// Stat describes a socket.
func (so *Socket) Stat(_ *kern.Thread, _ *kern.File, st *abi.Stat) error {
	*st = abi.Stat{Mode: abi.S_IFSOCK, Blksize: so.Sndbuf.Load()}
	if s, ok := so.protocol.(Stater); ok {
		s.Stat(st)
	}
	return nil
}

// Ioctl serves what all sockets have, then the group's handler, then the protocol's.
//
// Errors: EOPNOTSUPP for interfaces where there are none; ENOTTY.
func (so *Socket) Ioctl(t *kern.Thread, f *kern.File, cmd uint32, data []byte) error {
	if get := counts[cmd]; get != nil {
		le.PutUint32(data, uint32(get(so)))
		return nil
	}
	switch cmd {
	case abi.SIOCSPGRP, abi.TIOCSPGRP:
		id := int32(le.Uint32(data))
		if cmd == abi.TIOCSPGRP {
			if id < 0 {
				return abi.EINVAL
			}
			id = -id
		}
		return f.SetOwner(t, id)
	case abi.SIOCGPGRP, abi.TIOCGPGRP:
		id := f.Owner()
		if cmd == abi.TIOCGPGRP {
			id = -id
		}
		le.PutUint32(data, uint32(id))
		return nil
	}
	return so.otherIoctl(t, cmd, data)
}

// otherIoctl serves the ioctls that are not the layer's own.
func (so *Socket) otherIoctl(t *kern.Thread, cmd uint32, data []byte) error {
	group := byte(cmd >> 8)
	err := error(abi.ENOTTY)
	if h := so.Layer.groupIoctl(group); h != nil {
		err = h(t, so, cmd, data)
	} else if group == 'i' {
		err = abi.EOPNOTSUPP
	}
	if err != abi.ENOTTY {
		return err
	}
	if p, ok := so.protocol.(Ioctler); ok {
		return p.Ioctl(t, cmd, data)
	}
	return err
}

// counts are the ioctls that ask for a number.
var counts = map[uint32]func(so *Socket) int{
	abi.FIONREAD:  func(so *Socket) int { n, _, _ := so.counts(); return n },
	abi.FIONWRITE: func(so *Socket) int { _, n, _ := so.counts(); return n },
	abi.FIONSPACE: func(so *Socket) int { _, _, n := so.counts(); return n },
	abi.SIOCATMARK: func(so *Socket) int {
		if p, ok := so.protocol.(AtMarker); ok && p.AtMark() {
			return 1
		}
		return 0
	},
}

// counts are the protocol's; zeroes if it has none.
func (so *Socket) counts() (readable, queued, space int) {
	if c, ok := so.protocol.(Counter); ok {
		return c.Counts()
	}
	return 0, 0, 0
}

const (
	readEvents  = abi.POLLIN | abi.POLLRDNORM
	writeEvents = abi.POLLOUT | abi.POLLWRNORM
)

// Poll says what can be done without waiting, low-water marks considered.
func (so *Socket) Poll(_ *kern.File, events int) int {
	got := so.protocol.Poll(events)
	if so.failed.Load() {
		return got | events&(readEvents|writeEvents)
	}
	if got&(abi.POLLHUP|abi.POLLERR) != 0 {
		return got
	}
	return so.aboveLow(got)
}

// aboveLow takes away what is less than the low-water marks want.
func (so *Socket) aboveLow(got int) int {
	rcvlow, sndlow := int(so.rcvlowat.Load()), int(so.sndlowat.Load())
	c, ok := so.protocol.(Counter)
	if !ok || got == 0 {
		return got
	}
	recvOver, sendOver := so.ended()
	readable, _, space := c.Counts()
	if got&readEvents != 0 && !recvOver && readable > 0 && readable < rcvlow {
		got &^= readEvents
	}
	if got&writeEvents != 0 && !sendOver && space > 0 && space < sndlow {
		got &^= writeEvents
	}
	return got
}

// Selinfo is where changes of Poll are announced.
func (so *Socket) Selinfo() *kern.Selinfo { return &so.pollSel }

// Knote has EVFILT_READ, with the bytes or connections that wait, and EVFILT_WRITE, with the room. Errors: EINVAL.
func (so *Socket) Knote(f *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	switch filter {
	case abi.EVFILT_READ:
		return &so.readSel, so.knoteRead, nil
	case abi.EVFILT_WRITE:
		return &so.writeSel, so.knoteWrite, nil
	}
	return nil, nil, abi.EINVAL
}

func (so *Socket) knoteRead(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
	ready := so.Poll(nil, readEvents)
	if b, ok := so.protocol.(Backlogger); ok && so.Option(abi.SO_ACCEPTCONN) {
		n := b.Backlog()
		return n > 0, int64(n), 0, 0
	}
	readable, _, _ := so.counts()
	return so.knote(ready&readEvents != 0, readable, func() bool { over, _ := so.ended(); return over })
}

func (so *Socket) knoteWrite(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
	ready := so.Poll(nil, writeEvents)
	_, _, space := so.counts()
	return so.knote(ready&writeEvents != 0, space, func() bool { _, over := so.ended(); return over })
}

// knote is an event of a direction that has n bytes; over says whether it has ended.
func (so *Socket) knote(ready bool, n int, over func() bool) (active bool, data int64, fflags uint32, flags uint16) {
	if over() {
		if err := so.pendingError(); err != nil {
			fflags = uint32(abi.ToErrno(err))
		}
		return true, int64(n), fflags, abi.EV_EOF
	}
	return ready, int64(n), 0, 0
}
