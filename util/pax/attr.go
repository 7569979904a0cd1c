package pax

import (
	"github.com/rumpctrl/rumpctrl/abi"
)

// restore is what a directory gets when everything in it is there.
type restore struct {
	m    *member
	mode uint32 // if chmod
	set  bool
}

// setAttributes gives a file the owner, the permissions and the times that -p says.
func (j *job) setAttributes(m *member, name string) {
	owned := j.setOwner(m, name)
	mode := m.st.Mode & 0o7777
	if !owned {
		mode &^= setID
	}
	if j.perm {
		j.setMode(name, mode)
	}
	j.setTimes(m, name)
}

// setOwner sets user and group if that is asked for and the super-user runs it, and tells whether they are.
func (j *job) setOwner(m *member, name string) bool {
	if !j.owner {
		return false
	}
	if uid, err := j.sys.Geteuid(); err != nil || uid != 0 {
		return false // nobody else may, and that is no failure
	}
	if err := j.sys.Lchown(name, int(int32(m.st.Uid)), int(int32(m.st.Gid))); err != nil {
		j.fail(err, "Cannot set file uid/gid of %s", name)
		return false
	}
	return true
}

func (j *job) setMode(name string, mode uint32) {
	if err := j.sys.Lchmod(name, mode); err != nil {
		j.fail(err, "Cannot set permissions on %s", name)
	}
}

// setTimes sets the times that are not to be those of now.
func (j *job) setTimes(m *member, name string) {
	if j.noAccess && j.noModified {
		return
	}
	access, modified := m.st.Atim, m.st.Mtim
	if j.noAccess || j.noModified {
		var st abi.Stat
		if err := j.sys.Lstat(name, &st); err != nil {
			j.fail(err, "Cannot obtain file stats %s", name)
			return
		}
		if j.noAccess {
			access = st.Atim
		}
		if j.noModified {
			modified = st.Mtim
		}
	}
	if err := j.sys.Lutimens(name, access, modified); err != nil {
		j.fail(err, "Access/modification time set failed on: %s", name)
	}
}

// keepDirectory notes what a directory is to get at the end. Until then its owner can write to it.
func (j *job) keepDirectory(m *member) {
	owned := j.setOwner(m, m.name)
	r := restore{m: m, mode: m.st.Mode & 0o7777, set: j.perm}
	if !owned {
		r.mode &^= setID
	}
	var st abi.Stat
	if err := j.sys.Stat(m.name, &st); err == nil && st.Mode&abi.S_IRWXU != abi.S_IRWXU {
		if !r.set {
			r.mode, r.set = st.Mode&0o7777, true
		}
		j.setMode(m.name, st.Mode&0o7777|abi.S_IRWXU)
	}
	j.directories = append(j.directories, r)
}

// restoreDirectories gives directories their permissions and times, the last first.
func (j *job) restoreDirectories() {
	for i := len(j.directories) - 1; i >= 0; i-- {
		r := j.directories[i]
		if r.set {
			j.setMode(r.m.name, r.mode)
		}
		j.setTimes(r.m, r.m.name)
	}
	j.directories = nil
}
