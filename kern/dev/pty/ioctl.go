package pty

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

var le = binary.LittleEndian

// userRequest is UIOCCMD(0): the requests of TIOCUCNTL have its group, and any number.
const userRequest = abi.IOC_VOID | 'u'<<8

// setsModes are the requests that change a terminal's modes.
var setsModes = map[uint32]bool{abi.TIOCSETA: true, abi.TIOCSETAW: true, abi.TIOCSETAF: true}

// ioctl serves what both sides have in common: TIOCEXT and TIOCPTSNAME, and then, with terminal, the requests of tty(4), of which the
// master hears in packet mode.
func (pt *pair) ioctl(t *kern.Thread, cmd uint32, data []byte, terminal func() error) error {
	switch cmd {
	case abi.TIOCEXT:
		pt.setExternal(le.Uint32(data) != 0)
		return nil
	case abi.TIOCPTSNAME:
		return pt.describe(t, pt.ps.namerOf(pt.index), pt.index, pt.index, data)
	}
	err := terminal()
	pt.tty.Lock()
	defer pt.tty.Unlock()
	if err == abi.ENOTTY && pt.control && cmd&^0xff == userRequest {
		if cmd&0xff != 0 {
			pt.request = byte(cmd)
			pt.sel.Notify(0)
		}
		return nil
	}
	pt.announce(cmd)
	return err
}

// setExternal is TIOCEXT: the master does the line editing, or no longer.
func (pt *pair) setExternal(on bool) {
	pt.tty.Lock()
	defer pt.tty.Unlock()
	if pt.packet && (on || pt.tty.External()) {
		pt.tell(abi.TIOCPKT_IOCTL, 0)
	}
	pt.tty.SetExternal(on)
}

// announce tells the master of changed modes: with TIOCEXT of any, otherwise of whether ^S and ^Q are the terminal's. Called with the
// terminal locked.
func (pt *pair) announce(cmd uint32) {
	if pt.packet && pt.tty.External() && setsModes[cmd] {
		pt.tell(abi.TIOCPKT_IOCTL, 0)
	}
	m := pt.tty.Modes()
	stops := m.Iflag&abi.IXON != 0 && m.Cc[abi.VSTOP] == abi.CSTOP && m.Cc[abi.VSTART] == abi.CSTART
	if stops == !pt.noStop {
		return
	}
	pt.noStop = !stops
	if stops {
		pt.tell(abi.TIOCPKT_DOSTOP, abi.TIOCPKT_NOSTOP)
	} else {
		pt.tell(abi.TIOCPKT_NOSTOP, abi.TIOCPKT_DOSTOP)
	}
}

// describe fills in a struct ptmget: two descriptors, and the names of both sides.
func (pt *pair) describe(t *kern.Thread, n Namer, cfd, sfd int, data []byte) error {
	g := abi.Ptmget{Cfd: int32(cfd), Sfd: int32(sfd)}
	for _, side := range []struct {
		s   Side
		buf []byte
	}{{Master, g.Cn[:]}, {Slave, g.Sn[:]}} {
		name, err := n.Name(t, pt.index, side.s)
		if err != nil {
			return err
		}
		if len(name) >= len(side.buf) {
			return abi.ENOSPC
		}
		copy(side.buf, name)
	}
	return g.Encode(data)
}

// masterRequests are the requests of pty(4) that only masters have.
var masterRequests = map[uint32]func(m *master, t *kern.Thread, data []byte) error{
	abi.TIOCGRANTPT: func(m *master, t *kern.Thread, _ []byte) error { return m.pt.grant(t) },
	abi.TIOCGPGRP:   (*master).foreground,
	abi.TIOCPKT:     (*master).setPacket,
	abi.TIOCUCNTL:   (*master).setControl,
	abi.TIOCREMOTE:  (*master).setRemote,
	abi.TIOCSIG:     (*master).signal,
	abi.FIONREAD:    (*master).pending,
}

// Ioctl serves the requests of pty(4), and those of tty(4) for the terminal. To change modes throws output away, since whoever would
// take it is here.
//
// Errors: ENOTTY.
func (m *master) Ioctl(t *kern.Thread, f *kern.File, cmd uint32, data []byte) error {
	if serve := masterRequests[cmd]; serve != nil {
		return serve(m, t, data)
	}
	if setsModes[cmd] || cmd == abi.TIOCSETD {
		m.pt.tty.Lock()
		m.pt.tty.Discard()
		m.pt.tty.Unlock()
	}
	return m.pt.ioctl(t, cmd, data, func() error { return m.pt.tty.Ioctl(t, f, cmd, data) })
}

// foreground is TIOCGPGRP: the master need not be in the session. 0 for none.
func (m *master) foreground(_ *kern.Thread, data []byte) error {
	m.pt.tty.Lock()
	defer m.pt.tty.Unlock()
	le.PutUint32(data, uint32(m.pt.tty.Foreground()))
	return nil
}

// setPacket is TIOCPKT. Errors: EINVAL with TIOCUCNTL.
func (m *master) setPacket(_ *kern.Thread, data []byte) error {
	m.pt.tty.Lock()
	defer m.pt.tty.Unlock()
	on := le.Uint32(data) != 0
	if on && m.pt.control {
		return abi.EINVAL
	}
	m.pt.packet = on
	return nil
}

// setControl is TIOCUCNTL. Errors: EINVAL with TIOCPKT.
func (m *master) setControl(_ *kern.Thread, data []byte) error {
	m.pt.tty.Lock()
	defer m.pt.tty.Unlock()
	on := le.Uint32(data) != 0
	if on && m.pt.packet {
		return abi.EINVAL
	}
	m.pt.control = on
	return nil
}

func (m *master) setRemote(_ *kern.Thread, data []byte) error {
	m.pt.tty.Lock()
	defer m.pt.tty.Unlock()
	m.pt.tty.SetRemote(le.Uint32(data) != 0)
	return nil
}

// signal is TIOCSIG, whose argument is the number itself. Errors: EINVAL.
func (m *master) signal(_ *kern.Thread, data []byte) error {
	sig := int(int32(le.Uint32(data)))
	if sig <= 0 || sig >= abi.NSIG {
		return abi.EINVAL
	}
	m.pt.tty.Lock()
	defer m.pt.tty.Unlock()
	m.pt.tty.FlushPost(sig)
	return nil
}

// pending is FIONREAD: how much the terminal has written.
func (m *master) pending(_ *kern.Thread, data []byte) error {
	m.pt.tty.Lock()
	defer m.pt.tty.Unlock()
	le.PutUint32(data, uint32(m.pt.tty.Queued()))
	return nil
}
