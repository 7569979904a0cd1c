package pty

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// ptm is the cloning device, ptm(4).
type ptm struct{ ps *Ptys }

// Open opens /dev/ptmx, which gives a free master in its place, or /dev/ptm, which takes TIOCPTMGET.
//
// Errors: ENODEV for another minor; ENXIO when no pair is free; ENOENT when the special file of the next free one is not there.
func (d ptm) Open(t *kern.Thread, dev uint64, fflags uint32) (kern.Ops, error) {
	switch kern.Minor(dev) {
	case PtmMinor:
		return cloner(d), nil
	case PtmxMinor:
		n, err := d.ps.namer(t)
		if err != nil {
			return nil, err
		}
		f, _, err := d.ps.openMaster(t, n)
		if err != nil {
			return nil, err
		}
		f.SetFlags(fflags&abi.O_NONBLOCK, 0)
		return nil, &kern.Opened{File: f}
	}
	return nil, abi.ENODEV
}

// openMaster opens the first master that is free.
func (ps *Ptys) openMaster(t *kern.Thread, n Namer) (*kern.File, *pair, error) {
	for {
		index, err := ps.free()
		if err != nil {
			return nil, nil, err
		}
		pt, err := ps.pair(index)
		if err != nil {
			return nil, nil, err
		}
		f, err := openSide(t, n, index, Master)
		if err == nil {
			return f, pt, nil
		}
		if err != abi.EIO || !ps.Busy(index) {
			return nil, nil, err
		}
		// Somebody else was faster: the next one.
	}
}

// openSide opens a side of a pair by its special file, whoever that belongs to.
func openSide(t *kern.Thread, n Namer, index int, s Side) (*kern.File, error) {
	vp, err := n.Vnode(t, index, s)
	if err != nil {
		return nil, err
	}
	return vfs.Of(t.K).Open(t, vp, abi.FREAD|abi.FWRITE)
}

// grant is TIOCGRANTPT: the slave becomes the calling user's, and whoever has it open has it no more.
func (pt *pair) grant(t *kern.Thread) error {
	n := pt.ps.namerOf(pt.index)
	vp, err := n.Vnode(t, pt.index, Slave)
	if err != nil {
		return err
	}
	defer vp.Release(t)
	gid, mode := n.Rights()
	if err := vp.Give(t, t.Cred().Ruid, gid, mode); err != nil {
		return err
	}
	return vp.Revoke(t)
}

// cloner is an open /dev/ptm.
type cloner struct{ ps *Ptys }

var _ kern.Ioctler = cloner{}

// Close has nothing to give back.
func (cloner) Close(*kern.Thread, *kern.File) error { return nil }

// Ioctl serves TIOCPTMGET: a pair, both sides open, the slave the caller's. Errors: EINVAL for another request, ENXIO, EMFILE.
func (c cloner) Ioctl(t *kern.Thread, _ *kern.File, cmd uint32, data []byte) error {
	if cmd != abi.TIOCPTMGET {
		return abi.EINVAL
	}
	n, err := c.ps.namer(t)
	if err != nil {
		return err
	}
	f, pt, err := c.ps.openMaster(t, n)
	if err != nil {
		return err
	}
	cfd, err := t.Desc.Alloc(f, 0, false)
	if err != nil {
		f.Release(t)
		return err
	}
	sfd, err := pt.openSlave(t, n)
	if err == nil {
		if err = pt.describe(t, n, cfd, sfd, data); err == nil {
			return nil
		}
		t.Desc.Close(t, sfd)
	}
	t.Desc.Close(t, cfd)
	return err
}

// openSlave grants and opens the slave, with a descriptor.
func (pt *pair) openSlave(t *kern.Thread, n Namer) (int, error) {
	if err := pt.grant(t); err != nil {
		return -1, err
	}
	f, err := openSide(t, n, pt.index, Slave)
	if err != nil {
		return -1, err
	}
	fd, err := t.Desc.Alloc(f, 0, false)
	if err != nil {
		f.Release(t)
	}
	return fd, err
}
