package pty

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// devNames are the files in /dev, ptyp0 to ptyTZ and ttyp0 to ttyTZ.
type devNames struct{}

var _ Namer = devNames{}

const (
	// ttyGroup is the group "tty", and ttyMode the permissions of a terminal that is somebody's: that group may write.
	ttyGroup = 4
	ttyMode  = abi.S_IRUSR | abi.S_IWUSR | abi.S_IWGRP

	nameLetters = "pqrstuvwxyzPQRST"
	oldSuffixes = "0123456789abcdef"
	newSuffixes = "ghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// DevName is the name in /dev of a side of a pair, pty(4): a letter for each 16, then for each 46 of those past 256.
func DevName(index int, s Side) string {
	kind := "tty"
	if s == Master {
		kind = "pty"
	}
	suffixes := oldSuffixes
	if old := len(nameLetters) * len(oldSuffixes); index >= old {
		index, suffixes = index-old, newSuffixes
	}
	return kind + string(nameLetters[index/len(suffixes)]) + string(suffixes[index%len(suffixes)])
}

// Vnode finds the special file. Errors: ENOENT for one that has not been made; EINVAL for another file of that name.
func (n devNames) Vnode(t *kern.Thread, index int, s Side) (*vfs.Vnode, error) {
	vp, err := vfs.Of(t.K).Lookup("/dev/" + DevName(index, s))
	if err != nil {
		return nil, err
	}
	if vp.Type() != abi.S_IFCHR || vp.Rdev() != Dev(index, s) {
		vp.Release(t)
		return nil, abi.EINVAL
	}
	return vp, nil
}

// Name is the path in /dev.
func (devNames) Name(_ *kern.Thread, index int, s Side) (string, error) {
	return "/dev/" + DevName(index, s), nil
}

// Rights are those of terminals.
func (devNames) Rights() (gid, mode uint32) { return ttyGroup, ttyMode }

// Visible says yes.
func (devNames) Visible(*kern.Thread) bool { return true }

// Has says yes: every pair has a name here.
func (devNames) Has(int) bool { return true }
