package kern

// Owner is who gets the file's signals, for files with requests of their own for that (SIOCGPGRP): a pid, or a process group's
// number negated; 0 for none.
func (f *File) Owner() int32 { return f.owner() }

// SetOwner says who gets the file's signals, as F_SETOWN of fcntl(2).
//
// Errors: ESRCH when there is no such process or group; EPERM when the group belongs to another session.
func (f *File) SetOwner(t *Thread, id int32) error { return f.setOwner(t, id) }

// Refs is how many references to the file there are: descriptors, calls at work, messages on their way.
func (f *File) Refs() int { return int(f.refs.Load()) }
