package socket

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// cmsgAlign rounds the length of a part of a control buffer up, CMSG_ALIGN.
func cmsgAlign(n int) int { return (n + abi.ALIGNBYTES) &^ abi.ALIGNBYTES }

// cmsgHeader is the length of a struct cmsghdr with what keeps its data aligned.
const cmsgHeader = (abi.SizeofCmsghdr + abi.ALIGNBYTES) &^ abi.ALIGNBYTES

// cmsgSpace is what a control message of n bytes of data takes in a control buffer, CMSG_SPACE.
func cmsgSpace(n int) int { return cmsgHeader + cmsgAlign(n) }

// maxControl is the longest control buffer that is sent: a page.
const maxControl = 4096

// copyInControl reads the control messages that are to be sent. For a protocol that passes descriptors those of an SCM_RIGHTS are
// turned into files, held.
//
// Errors: EINVAL for a buffer that is too long or holds no messages; EFAULT; EBADF; EAGAIN for too many files on their way.
func (so *Socket) copyInControl(t *kern.Thread, addr uint64, n uint32) ([]Control, error) {
	if n < cmsgHeader || n > maxControl {
		return nil, abi.EINVAL
	}
	b := make([]byte, n)
	if err := t.Mem.CopyIn(addr, b); err != nil {
		return nil, err
	}
	control, err := parseControl(b)
	if err != nil {
		return nil, err
	}
	p, ok := so.protocol.(RightsPasser)
	if !ok {
		return control, nil
	}
	for i := 0; i < len(control) && err == nil; i++ {
		if err = control[i].internalize(t); err == nil && len(control[i].Files) > 0 {
			err = p.PassRights(len(control[i].Files))
		}
	}
	if err != nil {
		releaseControl(t, control)
		return nil, err
	}
	return control, nil
}

// parseControl splits a control buffer into its messages. What is too short for another one at the end is left out. Errors: EINVAL.
func parseControl(b []byte) ([]Control, error) {
	var control []Control
	for len(b) >= cmsgHeader {
		var h abi.Cmsghdr
		if err := h.Decode(b); err != nil {
			return nil, err
		}
		if h.Len < cmsgHeader || uint64(h.Len) > uint64(len(b)) {
			return nil, abi.EINVAL
		}
		control = append(control, Control{Level: int(h.Level), Type: int(h.Type), Data: b[cmsgHeader:h.Len:h.Len]})
		b = b[min(cmsgAlign(int(h.Len)), len(b)):]
	}
	return control, nil
}

// rights says whether the message passes descriptors.
func (c *Control) rights() bool { return c.Level == abi.SOL_SOCKET && c.Type == abi.SCM_RIGHTS }

// internalize turns the descriptors of an SCM_RIGHTS into files, held. Errors: EBADF, for a kqueue too.
func (c *Control) internalize(t *kern.Thread) error {
	if !c.rights() {
		return nil
	}
	for b := c.Data; len(b) >= 4; b = b[4:] {
		f, err := t.Desc.Get(int(int32(le.Uint32(b))))
		if err != nil {
			return err
		}
		c.Files = append(c.Files, f)
		if f.Type == abi.DTYPE_KQUEUE {
			return abi.EBADF
		}
	}
	c.Data = nil
	return nil
}

// externalize gives the files of an SCM_RIGHTS descriptors, whose numbers become the data; the files are the table's then.
//
// Errors: EMSGSIZE when there are not enough descriptors: the files are released.
func (c *Control) externalize(t *kern.Thread, cloexec bool) error {
	for i, f := range c.Files {
		fd, err := t.Desc.Alloc(f, 0, cloexec)
		if err != nil {
			c.closeDescriptors(t)
			c.Files = c.Files[i:]
			return abi.EMSGSIZE
		}
		c.Data = le.AppendUint32(c.Data, uint32(fd))
	}
	c.Files = nil
	return nil
}

// closeDescriptors closes what externalize has made.
func (c *Control) closeDescriptors(t *kern.Thread) {
	for b := c.Data; len(b) >= 4; b = b[4:] {
		t.Desc.Close(t, int(int32(le.Uint32(b))))
	}
	c.Data = nil
}

// append appends the message as it stands in a control buffer, padded.
func (c *Control) append(b []byte) []byte {
	start := len(b)
	h := abi.Cmsghdr{Len: uint32(cmsgHeader + len(c.Data)), Level: int32(c.Level), Type: int32(c.Type)}
	b = h.Append(b)
	b = append(b, make([]byte, cmsgHeader-abi.SizeofCmsghdr)...)
	b = append(b, c.Data...)
	return append(b, make([]byte, start+cmsgSpace(len(c.Data))-len(b))...)
}

// copyOutControl writes control messages to the client's buffer, and their length and MSG_CTRUNC to h. What has no room is cut off, an
// SCM_RIGHTS as a whole: its files are closed.
//
// Errors: EFAULT, EMSGSIZE.
func copyOutControl(t *kern.Thread, h *abi.Msghdr, control []Control, cloexec bool) error {
	defer releaseControl(t, control)
	room := int(min(h.Controllen, maxRecvControl))
	var b []byte
	var passed []*Control
	for i := range control {
		c := &control[i]
		if len(b) >= room {
			h.Flags |= abi.MSG_CTRUNC
			break
		}
		if len(b)+cmsgHeader+len(c.Data)+4*len(c.Files) > room {
			h.Flags |= abi.MSG_CTRUNC
			if !c.rights() {
				b = c.append(b)[:room]
			}
			break
		}
		if c.rights() {
			passed = append(passed, c)
			if err := c.externalize(t, cloexec); err != nil {
				return undoRights(t, passed, err)
			}
		}
		b = c.append(b)
	}
	b = b[:min(len(b), room)]
	if len(b) > 0 {
		if err := t.Mem.CopyOut(h.Control, b); err != nil {
			return undoRights(t, passed, err)
		}
	}
	h.Controllen = uint32(len(b))
	return nil
}

// undoRights closes descriptors that the client will not learn of.
func undoRights(t *kern.Thread, passed []*Control, err error) error {
	for _, c := range passed {
		c.closeDescriptors(t)
	}
	return err
}

// maxRecvControl bounds the control buffer that is filled, whatever the client says.
const maxRecvControl = 64 << 10
