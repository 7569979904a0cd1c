package mknod

import (
	"errors"

	"github.com/rumpctrl/rumpctrl/util"
)

// packer packs the numbers of a device, major first, into one. Errors are the text of a message.
type packer func(numbers []uint64) (uint64, error)

var (
	errMajor   = errors.New("invalid major number")
	errMinor   = errors.New("invalid minor number")
	errUnit    = errors.New("invalid unit number")
	errSubunit = errors.New("invalid subunit number")
	errFields  = errors.New("too many fields for format")
)

// Device packs a device number as an operating system does, by the name of -F: from major and minor number, or the
// fields that it has instead.
func Device(format string, numbers []uint64) (uint64, error) {
	pack := formatOf(format)
	if pack == nil || len(numbers) < 2 {
		return 0, errFields
	}
	return pack(numbers)
}

// formatOf returns how an operating system packs device numbers, by the names of -F, or nil.
func formatOf(name string) packer {
	switch name {
	case "native", "netbsd":
		return packNetBSD
	case "386bsd", "4bsd", "isc", "linux", "sco", "sunos", "svr3", "ultrix":
		return halves(8, 8)
	case "solaris", "svr4":
		return halves(14, 18)
	case "hpux":
		return halves(8, 24)
	case "osf1":
		return halves(12, 20)
	case "freebsd":
		return packFreeBSD
	case "bsdos":
		return packBSDOS
	}
	return nil
}

// halves packs a major number of some bits above a minor number of others.
func halves(majorBits, minorBits int) packer {
	return func(n []uint64) (uint64, error) {
		switch {
		case len(n) != 2:
			return 0, errFields
		case n[1]>>minorBits != 0:
			return 0, errMinor
		case n[0]>>majorBits != 0:
			return 0, errMajor
		}
		return n[0]<<minorBits | n[1], nil
	}
}

// packNetBSD packs as makedev(3) does: 12 bits of major, 20 of minor.
func packNetBSD(n []uint64) (uint64, error) {
	switch {
	case len(n) != 2:
		return 0, errFields
	case n[0]>>12 != 0:
		return 0, errMajor
	case n[1]>>20 != 0:
		return 0, errMinor
	}
	return util.Makedev(uint32(n[0]), uint32(n[1])), nil
}

// packFreeBSD packs a major number of 8 bits into the midst of a minor number of 24.
func packFreeBSD(n []uint64) (uint64, error) {
	switch {
	case len(n) != 2:
		return 0, errFields
	case n[1]&^0xffff00ff != 0:
		return 0, errMinor
	case n[0]>>8 != 0:
		return 0, errMajor
	}
	return n[0]<<8 | n[1], nil
}

// packBSDOS packs 12 bits of major and either 20 of minor or 12 of unit and 8 of subunit.
func packBSDOS(n []uint64) (uint64, error) {
	if len(n) != 3 {
		return halves(12, 20)(n)
	}
	switch {
	case n[2]>>8 != 0:
		return 0, errSubunit
	case n[1]>>12 != 0:
		return 0, errUnit
	case n[0]>>12 != 0:
		return 0, errMajor
	}
	return n[0]<<20 | n[1]<<8 | n[2], nil
}
