package vfs

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// hostDriver is the driver of mapped disks of one type.
type hostDriver struct {
	table *hostTable
	typ   HostType
}

// Open opens a mapped disk. Errors: ENXIO, EACCES for writing where the host does not allow it.
func (d hostDriver) Open(_ *kern.Thread, dev uint64, fflags uint32) (kern.Ops, error) {
	d.table.mu.RLock()
	defer d.table.mu.RUnlock()
	disks := d.table.disks[d.typ]
	unit := kern.Minor(dev)
	if unit >= len(disks) {
		return nil, abi.ENXIO
	}
	if fflags&abi.FWRITE != 0 && disks[unit].file.ReadOnly() {
		return nil, abi.EACCES
	}
	return disks[unit], nil
}

// hostDisk is a mapped disk.
type hostDisk struct {
	file HostFile
	unit int
}

var (
	_ kern.Ops         = (*hostDisk)(nil)
	_ kern.BlockDevice = (*hostDisk)(nil)
	_ kern.Ioctler     = (*hostDisk)(nil)
)

func (d *hostDisk) Close(*kern.Thread, *kern.File) error { return nil }

func (d *hostDisk) ReadAt(p []byte, off int64) (int, error) { return readHost(d.file, p, off) }

func (d *hostDisk) WriteAt(p []byte, off int64) (int, error) { return writeHost(d.file, p, off) }

func (d *hostDisk) Size() int64 { return d.file.Size() }

func (d *hostDisk) SectorSize() int { return hostSector }

func (d *hostDisk) Sync() error {
	if err := d.file.Sync(); err != nil {
		return abi.ToErrno(err)
	}
	return nil
}

// Ioctl knows what the original's mapped disks know, and DIOCGSECTORSIZE: disklabel(9) with one partition, the size, flushing.
func (d *hostDisk) Ioctl(_ *kern.Thread, _ *kern.File, cmd uint32, data []byte) error {
	switch cmd {
	case abi.DIOCGDINFO:
		label := d.label()
		return label.Encode(data)
	case abi.DIOCGMEDIASIZE:
		binary.LittleEndian.PutUint64(data, uint64(d.Size()))
		return nil
	case abi.DIOCGSECTORSIZE:
		binary.LittleEndian.PutUint32(data, hostSector)
		return nil
	case abi.DIOCCACHESYNC:
		return d.Sync()
	}
	return abi.ENOTTY
}

// label describes the disk as one partition, whose letter follows from the minor number.
func (d *hostDisk) label() abi.Disklabel {
	sectors := uint32(d.Size() / hostSector)
	part := d.unit % abi.MAXPARTITIONS
	l := abi.Disklabel{
		Magic: abi.DISKMAGIC, Magic2: abi.DISKMAGIC, Type: abi.DKTYPE_RUMPD, Secsize: hostSector,
		Nsectors: sectors, Ntracks: 1, Ncylinders: 1, Secpercyl: sectors, Secperunit: sectors, Rpm: 11,
		Npartitions: uint16(part + 1),
	}
	copy(l.Typename[:], "rumpd")
	copy(l.Un[:], "fictitious")
	l.Partitions[part].Size = sectors
	return l
}
