package util

// Makedev returns a device number of NetBSD: makedev(3). Bits beyond the 12 of major and the 20 of minor are cut.
func Makedev(major, minor uint32) uint64 {
	return uint64(major)<<8&0x000fff00 | uint64(minor)<<12&0xfff00000 | uint64(minor)&0x000000ff
}

// Major returns the number of a device's driver: major(3).
func Major(dev uint64) uint32 { return uint32(dev >> 8 & 0xfff) }

// Minor returns the number of a device among those of its driver: minor(3).
func Minor(dev uint64) uint32 { return uint32(dev>>12&0xfff00 | dev&0xff) }
