package union

import (
	"bytes"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// copyUp copies a regular file of the lower layer to the upper one, if it is not there yet. The kernel does it by its own right: whoever
// may write to a file need not be allowed to write to its directory.
//
// Errors: EROFS for another kind of file, and where the directory has no shadow; ENOSPC.
func (p *place) copyUp(contents bool) error {
	p.copyMu.Lock()
	defer p.copyMu.Unlock()
	if p.up() != nil {
		return nil
	}
	parent, name := p.where()
	if p.lower.Type() != abi.S_IFREG || parent.up() == nil {
		return abi.EROFS
	}
	t := p.fs.k.KernelThread()
	parent.copying.Lock()
	defer parent.copying.Unlock()
	dir := parent.up()
	made, err := dir.Create(t, name, &vfs.NewNode{Mode: abi.S_IFREG | 0o600})
	if err == abi.EEXIST {
		return abi.ESTALE // something else has that name in the upper layer since this was looked up
	}
	if err != nil {
		return err
	}
	if err = p.copyTo(t, made, contents); err != nil {
		// What is half copied must not hide what is below.
		if rerr := dir.Remove(t, name, made, false); rerr != nil {
			p.fs.k.Logf("union: %s: a part of a copy is left: %v\n", name, rerr)
		}
		made.Release(t)
		return err
	}
	p.raise(made)
	return nil
}

// copyTo copies contents, extended attributes and attributes.
func (p *place) copyTo(t *kern.Thread, to *vfs.Vnode, contents bool) error {
	var a vfs.Attr
	if err := p.lower.Attr(t, &a); err != nil {
		return err
	}
	if contents {
		if err := copyContents(t, p.lower, to, a.Size); err != nil {
			return err
		}
	}
	if err := vfs.CopyExtAttrs(t, p.lower, to); err != nil {
		return err
	}
	changes := []vfs.SetAttr{
		{Valid: vfs.SetUID | vfs.SetGID, UID: a.UID, GID: a.GID},
		{Valid: vfs.SetMode, Mode: a.Mode & abi.ALLPERMS},
		{Valid: vfs.SetAtime | vfs.SetMtime | vfs.SetBtime, Atime: a.Atime, Mtime: a.Mtime, Btime: a.Btime},
	}
	if a.Flags != 0 {
		changes = append(changes, vfs.SetAttr{Valid: vfs.SetFlags, Flags: a.Flags})
	}
	for i := range changes {
		if err := to.SetAttr(t, &changes[i]); err != nil {
			return err
		}
	}
	return nil
}

// copyBuffer is how many bytes are copied at a time.
const copyBuffer = 64 << 10

// copyContents copies a file of a size; what is zeroes becomes a hole.
func copyContents(t *kern.Thread, from, to *vfs.Vnode, size int64) error {
	buf, zeroes := make([]byte, copyBuffer), make([]byte, copyBuffer)
	var off int64
	for off < size {
		n, err := from.ReadAt(t, buf, off)
		if err != nil {
			return err
		}
		if n == 0 {
			break // it has become shorter
		}
		if !bytes.Equal(buf[:n], zeroes[:n]) {
			if err := writeAll(t, to, buf[:n], off); err != nil {
				return err
			}
		}
		off += int64(n)
	}
	return to.SetAttr(t, &vfs.SetAttr{Valid: vfs.SetSize, Size: off})
}

// writeAll writes all of p. Errors: ENOSPC when only a part fits.
func writeAll(t *kern.Thread, to *vfs.Vnode, p []byte, off int64) error {
	for len(p) > 0 {
		n, err := to.WriteAt(t, p, off)
		if err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}
