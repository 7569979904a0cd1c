package client

import (
	"io/fs"
	"path"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// fileInfo is an fs.FileInfo. Its Sys is the *abi.Stat.
type fileInfo struct {
	name string
	st   abi.Stat
}

func (fi *fileInfo) Name() string       { return fi.name }
func (fi *fileInfo) Size() int64        { return fi.st.Size }
func (fi *fileInfo) Mode() fs.FileMode  { return FileMode(fi.st.Mode) }
func (fi *fileInfo) ModTime() time.Time { return Time(fi.st.Mtim) }
func (fi *fileInfo) IsDir() bool        { return fi.st.Mode&abi.S_IFMT == abi.S_IFDIR }
func (fi *fileInfo) Sys() any           { return &fi.st }

// FileInfo returns the attributes of a file as an fs.FileInfo, whose Sys is a *abi.Stat. Its name
// is the last element of a path.
func FileInfo(name string, st *abi.Stat) fs.FileInfo {
	return &fileInfo{name: path.Base(name), st: *st}
}

// Time returns a time of the kernel in the host's time zone.
func Time(ts abi.Timespec) time.Time { return time.Unix(ts.Sec, ts.Nsec) }

// Timespec returns a time as the kernel has it. The zero time is abi.UTIME_OMIT: it leaves what is.
func Timespec(t time.Time) abi.Timespec {
	if t.IsZero() {
		return abi.Timespec{Nsec: abi.UTIME_OMIT}
	}
	return abi.Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}
}

// fileTypes has the types of fs.FileMode by those of a mode_t, in steps of 0010000.
var fileTypes = [16]fs.FileMode{
	abi.S_IFIFO >> 12:  fs.ModeNamedPipe,
	abi.S_IFCHR >> 12:  fs.ModeDevice | fs.ModeCharDevice,
	abi.S_IFDIR >> 12:  fs.ModeDir,
	abi.S_IFBLK >> 12:  fs.ModeDevice,
	abi.S_IFLNK >> 12:  fs.ModeSymlink,
	abi.S_IFSOCK >> 12: fs.ModeSocket,
	abi.S_IFWHT >> 12:  fs.ModeIrregular,
}

// modeBits has the bits that stand elsewhere in fs.FileMode.
var modeBits = [...]struct {
	c  uint32
	in fs.FileMode
}{
	{abi.S_ISUID, fs.ModeSetuid},
	{abi.S_ISGID, fs.ModeSetgid},
	{abi.S_ISVTX, fs.ModeSticky},
}

// FileMode returns a mode_t as an fs.FileMode.
func FileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode&0o777) | fileTypes[mode&abi.S_IFMT>>12]
	for _, b := range modeBits {
		if mode&b.c != 0 {
			m |= b.in
		}
	}
	return m
}

// sysMode returns the permissions of an fs.FileMode as a mode_t.
func sysMode(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	for _, b := range modeBits {
		if m&b.in != 0 {
			mode |= b.c
		}
	}
	return mode
}
