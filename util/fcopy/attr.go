package fcopy

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// setID are the bits that only the owner's copy of a program may have.
const setID = abi.S_ISUID | abi.S_ISGID

// attributes gives a copy the owner, group, permissions and flags of the source: by its descriptor or,
// if that is -1, by its path.
func (t *tree) attributes(e *fts.Entry, p *place, fd int) bool {
	ok := true
	mode := e.Stat.Mode & (setID | abi.S_IRWXU | abi.S_IRWXG | abi.S_IRWXO)
	if err := t.chown(e.Stat, p, fd); err != nil {
		mode &^= setID
		if err != abi.EPERM {
			t.fail(err, "chown: %s", p.path)
			ok = false
		}
	}
	if err := t.chmod(mode, p, fd); err != nil {
		t.fail(err, "chmod: %s", p.path)
		ok = false
	}
	if e.Type != abi.DT_LNK && !t.NoFlags {
		if err := t.chflags(e.Stat.Flags, p, fd); err != nil && (err != abi.EOPNOTSUPP || e.Stat.Flags != 0) {
			t.fail(err, "chflags: %s", p.path)
			ok = false
		}
	}
	return ok
}

func (t *tree) chown(st *abi.Stat, p *place, fd int) error {
	if fd >= 0 {
		return t.sys.Fchown(fd, int(int32(st.Uid)), int(int32(st.Gid)))
	}
	return t.sys.Fchownat(t.to.FD(), p.rel, int(int32(st.Uid)), int(int32(st.Gid)), abi.AT_SYMLINK_NOFOLLOW)
}

func (t *tree) chmod(mode uint32, p *place, fd int) error {
	if fd >= 0 {
		return t.sys.Fchmod(fd, mode)
	}
	return t.sys.Fchmodat(t.to.FD(), p.rel, mode, abi.AT_SYMLINK_NOFOLLOW)
}

// chflags sets file flags. Without a descriptor it opens one, since there is no chflagsat(2).
func (t *tree) chflags(flags uint32, p *place, fd int) error {
	if flags == 0 && !p.exists {
		return nil // a new file has none
	}
	if fd >= 0 {
		return t.sys.Fchflags(fd, flags)
	}
	fd, err := t.sys.Openat(t.to.FD(), p.rel, abi.O_RDONLY|abi.O_NONBLOCK|abi.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer t.sys.Close(fd)
	return t.sys.Fchflags(fd, flags)
}

// times gives a copy the times of the source.
func (t *tree) times(e *fts.Entry, p *place) bool {
	err := t.sys.Utimensat(t.to.FD(), p.rel, e.Stat.Atim, e.Stat.Mtim, abi.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		t.fail(err, "lutimens: %s", p.path)
	}
	return err == nil
}

// keepSetID gives a new copy of the user's own program the set-ID bits, as far as owner and group
// are the same: without -p.
func (t *tree) keepSetID(e *fts.Entry, p *place, fd int) bool {
	if t.Preserve || p.exists || e.Stat.Mode&setID == 0 {
		return true
	}
	uid, err := t.sys.Getuid()
	if err != nil || uint32(uid) != e.Stat.Uid {
		return true
	}
	var st abi.Stat
	err = t.sys.Fstat(fd, &st)
	if err == nil && st.Gid == e.Stat.Gid {
		var mask uint32
		if mask, err = t.umask(); err == nil {
			err = t.sys.Fchmod(fd, e.Stat.Mode&0o7777&^mask)
		}
	}
	if err != nil {
		t.fail(err, "%s", p.path)
	}
	return err == nil
}

// umask returns the umask, which there is no way to ask for but to set it.
func (t *tree) umask() (uint32, error) {
	mask, err := t.sys.Umask(0)
	if err != nil {
		return 0, err
	}
	_, err = t.sys.Umask(mask)
	return mask, err
}

// extended copies the extended attributes that are accessible from one open file to another.
func (t *tree) extended(e *fts.Entry, p *place, from, to int) {
	if t.noExtended[e.Stat.Dev] {
		return
	}
	for _, space := range []int{abi.EXTATTR_NAMESPACE_SYSTEM, abi.EXTATTR_NAMESPACE_USER} {
		names, err := t.sys.ExtattrList(client.Attr{FD: from, Space: space})
		if err == abi.EOPNOTSUPP || err == abi.ENOSYS {
			t.noExtended[e.Stat.Dev] = true
			return
		}
		for _, name := range names {
			if err := t.copyExtended(from, to, space, name); err != nil {
				t.env.Warn(err, "%s: error copying extended attributes", p.path)
				break
			}
		}
	}
}

// copyExtended copies an extended attribute.
func (t *tree) copyExtended(from, to, space int, name string) error {
	a := client.Attr{FD: from, Space: space, Name: name}
	n, err := t.sys.ExtattrGet(a, nil)
	if err != nil {
		return err
	}
	value := make([]byte, n)
	if n, err = t.sys.ExtattrGet(a, value); err != nil {
		return err
	}
	a.FD = to
	_, err = t.sys.ExtattrSet(a, value[:n])
	return err
}
