package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Knote is kqueue's view of a vnode: EVFILT_VNODE with the NOTE_* events that calls on the file cause, under whatever name.
//
// Errors: EINVAL for another filter.
func (of *openVnode) Knote(_ *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	if filter != abi.EVFILT_VNODE {
		return nil, nil, abi.EINVAL
	}
	event := func(hint, sfflags uint32) (active bool, data int64, fflags uint32, flags uint16) {
		if of.vp.dead.Load() || of.leaf.dead.Load() || of.valid() != nil {
			return true, 0, hint&sfflags | abi.NOTE_REVOKE, abi.EV_EOF
		}
		return hint&sfflags != 0, 0, hint & sfflags, 0
	}
	return &of.leaf.sel, event, nil
}

// Knote adds EVFILT_READ, active while the offset is not at the end of the file, with the distance as data (negative past the
// end), and EVFILT_WRITE, always active.
func (of *regFile) Knote(f *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	switch filter {
	case abi.EVFILT_READ:
		return &of.leaf.sel, of.readEvent(f), nil
	case abi.EVFILT_WRITE:
		return &of.leaf.sel, alwaysActive, nil
	}
	return of.openVnode.Knote(f, filter)
}

// alwaysActive is the event of what never has to be waited for.
func alwaysActive(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
	return true, 0, 0, 0
}

func (of *regFile) readEvent(f *kern.File) kern.KnoteEvent {
	t := of.vp.mount.vfs.k.KernelThread()
	return func(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
		size, err := of.vp.size(t)
		if err != nil {
			return true, 0, 0, abi.EV_EOF
		}
		f.OffMu.Lock()
		data = size - f.Offset
		f.OffMu.Unlock()
		return data != 0, data, 0, 0
	}
}
