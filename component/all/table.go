package all

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/component/dev/bpf"
	"github.com/rumpctrl/rumpctrl/component/dev/disk"
	"github.com/rumpctrl/rumpctrl/component/dev/rnd"
	"github.com/rumpctrl/rumpctrl/component/fs/fdesc"
	"github.com/rumpctrl/rumpctrl/component/fs/kernfs"
	"github.com/rumpctrl/rumpctrl/component/fs/null"
	"github.com/rumpctrl/rumpctrl/component/fs/overlay"
	"github.com/rumpctrl/rumpctrl/component/fs/ptyfs"
	"github.com/rumpctrl/rumpctrl/component/fs/tmpfs"
	"github.com/rumpctrl/rumpctrl/component/fs/umap"
	"github.com/rumpctrl/rumpctrl/component/fs/union"
	"github.com/rumpctrl/rumpctrl/component/kern/tty"
	"github.com/rumpctrl/rumpctrl/component/net/agr"
	"github.com/rumpctrl/rumpctrl/component/net/bridge"
	"github.com/rumpctrl/rumpctrl/component/net/gif"
	"github.com/rumpctrl/rumpctrl/component/net/local"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/netinet"
	"github.com/rumpctrl/rumpctrl/component/net/netinet6"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/component/net/shmif"
	"github.com/rumpctrl/rumpctrl/component/net/tap"
	"github.com/rumpctrl/rumpctrl/component/net/tun"
	"github.com/rumpctrl/rumpctrl/component/net/virtif"
	"github.com/rumpctrl/rumpctrl/component/net/vlan"
	"github.com/rumpctrl/rumpctrl/component/rumpdev"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/component/vfs/fifofs"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Entries are all components of the original, factions first. Those of ffs, tmpfs, cgd, raidframe, netinet, shmif and npf have the
// needs that rump_wmd of the original prints, in its order; the others those that follow from what they are.
func Entries() []Entry {
	return slices.Concat(factions(), kernelEntries(), vfsEntries(), fileSystems(), devices(), network())
}

func factions() []Entry {
	return []Entry{
		have(&kern.Component{Name: "rump", Doc: "the base, in every kernel: processes, descriptors, pipes, sysctl, time"}),
		have(rumpvfs.Component()),
		have(rumpdev.Component()),
		have(rumpnet.Component()),
	}
}

func kernelEntries() []Entry {
	return []Entry{
		{Name: "rumpkern_crypto", Doc: "ciphers and digests"},
		{Name: "rumpkern_sljit", Doc: "the just-in-time compiler that bpfjit uses"},
		{Name: "rumpkern_solaris", Needs: []string{"rumpvfs"}, Doc: "what zfs needs of Solaris"},
		{Name: "rumpkern_sys_linux", Needs: []string{"rumpvfs"}, Doc: "Linux system calls"},
		{Name: "rumpkern_sysproxy", Doc: "remote system calls: every server has them"},
		have(tty.Component()),
		{Name: "rumpkern_z", Doc: "compression"},
	}
}

func vfsEntries() []Entry {
	onVFS := []string{"rumpvfs"}
	return []Entry{
		{Name: "rumpvfs_aio", Needs: onVFS, Doc: "asynchronous input and output"},
		have(fifofs.Component()),
		have(layerfs.Component()),
	}
}

func fileSystems() []Entry {
	onDisk := []string{"rumpdev", "rumpdev_disk", "rumpvfs"}
	onFFS := append(slices.Clone(onDisk), "rumpfs_ffs")
	onNet := []string{"rumpvfs", "rumpnet", "rumpnet_net", "rumpnet_netinet"}
	return []Entry{
		{Name: "rumpfs_cd9660", Needs: onDisk, Doc: "ISO 9660, the file system of CDs"},
		{Name: "rumpfs_efs", Needs: onDisk, Doc: "the file system of IRIX"},
		{Name: "rumpfs_ext2fs", Needs: onDisk, Doc: "the file system of Linux"},
		have(fdesc.Component()),
		{Name: "rumpfs_ffs", Needs: onDisk, Doc: "the Berkeley fast file system"},
		{Name: "rumpfs_hfs", Needs: onDisk, Doc: "the file system of Mac OS"},
		have(kernfs.Component()),
		{Name: "rumpfs_lfs", Needs: onDisk, Doc: "the log-structured file system"},
		{Name: "rumpfs_mfs", Needs: onFFS, Doc: "ffs in memory"},
		{Name: "rumpfs_msdos", Needs: onDisk, Doc: "FAT, the file system of MS-DOS"},
		{Name: "rumpfs_nfs", Needs: onNet, Doc: "the network file system"},
		{Name: "rumpfs_nfsserver", Needs: append(slices.Clone(onNet), "rumpfs_nfs"), Doc: "the server of the network file system"},
		{Name: "rumpfs_nilfs", Needs: onDisk, Doc: "the log-structured file system of Linux"},
		{Name: "rumpfs_ntfs", Needs: onDisk, Doc: "the file system of Windows NT"},
		have(null.Component()),
		have(overlay.Component()),
		have(ptyfs.Component()),
		{Name: "rumpfs_smbfs", Needs: append(slices.Clone(onNet), "rumpdev", "rumpdev_netsmb"), Doc: "shares of Windows"},
		{Name: "rumpfs_syspuffs", Needs: []string{"rumpvfs", "rumpdev", "rumpdev_putter"}, Doc: "file systems in programs"},
		{Name: "rumpfs_sysvbfs", Needs: onDisk, Doc: "the boot file system of System V"},
		have(tmpfs.Component()),
		{Name: "rumpfs_udf", Needs: onDisk, Doc: "the file system of DVDs"},
		have(umap.Component()),
		have(union.Component()),
		{Name: "rumpfs_v7fs", Needs: onDisk, Doc: "the file system of Unix Version 7"},
		{Name: "rumpfs_zfs", Needs: append(slices.Clone(onDisk), "rumpkern_solaris", "rumpkern_z"), Doc: "the file system of Solaris"},
	}
}

func devices() []Entry {
	onDev, onDevVFS := []string{"rumpdev"}, []string{"rumpdev", "rumpvfs"}
	onDisk := []string{"rumpvfs", "rumpdev", "rumpdev_disk"}
	onUSB := []string{"rumpvfs", "rumpdev", "rumpdev_usb"}
	onTTY := append(slices.Clone(onUSB), "rumpkern_tty")
	return []Entry{
		{Name: "rumpdev_audio", Needs: onDevVFS, Doc: "sound"},
		have(bpf.Component()),
		{Name: "rumpdev_cgd", Needs: []string{"rumpkern_crypto", "rumpvfs", "rumpdev_disk", "rumpdev"}, Doc: "encrypted disks"},
		have(disk.Component()),
		{Name: "rumpdev_dm", Needs: onDisk, Doc: "the device mapper"},
		{Name: "rumpdev_drvctl", Needs: onDevVFS, Doc: "control of autoconfiguration"},
		{Name: "rumpdev_fss", Needs: onDisk, Doc: "snapshots of file systems"},
		{Name: "rumpdev_md", Needs: onDisk, Doc: "disks in memory"},
		{Name: "rumpdev_netsmb", Needs: []string{"rumpdev", "rumpvfs", "rumpnet", "rumpnet_net"}, Doc: "the protocol of smbfs"},
		{Name: "rumpdev_opencrypto", Needs: []string{"rumpvfs", "rumpdev", "rumpkern_crypto", "rumpkern_z"}, Doc: "ciphers as a device"},
		{Name: "rumpdev_pad", Needs: append(slices.Clone(onDevVFS), "rumpdev_audio"), Doc: "sound that programs read"},
		{Name: "rumpdev_pud", Needs: append(slices.Clone(onDevVFS), "rumpdev_putter"), Doc: "devices in programs"},
		{Name: "rumpdev_putter", Needs: onDevVFS, Doc: "how programs serve file systems and devices"},
		{Name: "rumpdev_raidframe", Needs: onDisk, Doc: "RAID"},
		have(rnd.Component()),
		{Name: "rumpdev_scsipi", Needs: onDisk, Doc: "SCSI"},
		{Name: "rumpdev_sysmon", Needs: onDevVFS, Doc: "sensors, power, watchdogs"},
		{Name: "rumpdev_ubt", Needs: append(slices.Clone(onUSB), "rumpnet", "rumpnet_netbt"), Doc: "Bluetooth on USB"},
		{Name: "rumpdev_ucom", Needs: onTTY, Doc: "serial ports on USB"},
		{Name: "rumpdev_ugenhc", Needs: onUSB, Doc: "the host's USB devices"},
		{Name: "rumpdev_ulpt", Needs: onUSB, Doc: "printers on USB"},
		{Name: "rumpdev_umass", Needs: append(slices.Clone(onUSB), "rumpdev_disk", "rumpdev_scsipi"), Doc: "disks on USB"},
		{Name: "rumpdev_usb", Needs: onDevVFS, Doc: "USB"},
		{Name: "rumpdev_vnd", Needs: onDisk, Doc: "files as disks"},
		{Name: "rumpdev_wscons", Needs: append(slices.Clone(onDev), "rumpvfs", "rumpkern_tty"), Doc: "the console's keyboard and mouse"},
	}
}

func network() []Entry {
	onNet := []string{"rumpnet", "rumpnet_net"}
	onInet := append(slices.Clone(onNet), "rumpnet_netinet")
	return []Entry{
		have(agr.Component()),
		{Name: "rumpnet_bpfjit", Needs: append(slices.Clone(onNet), "rumpdev_bpf", "rumpkern_sljit"), Doc: "compiled packet filters"},
		have(bridge.Component()),
		{Name: "rumpnet_config", Needs: onInet, Doc: "configuration of interfaces at start"},
		have(gif.Component()),
		have(local.Component()),
		have(net.Component()),
		{Name: "rumpnet_net80211", Needs: onNet, Doc: "wireless networks"},
		{Name: "rumpnet_netbt", Needs: onNet, Doc: "Bluetooth"},
		have(netinet.Component()),
		have(netinet6.Component()),
		{Name: "rumpnet_netmpls", Needs: onNet, Doc: "MPLS"},
		{Name: "rumpnet_npf", Needs: []string{"rumpnet_net", "rumpnet", "rumpdev_bpf"}, Doc: "the packet filter npf"},
		{Name: "rumpnet_pppoe", Needs: onNet, Doc: "PPP over Ethernet"},
		have(shmif.Component()),
		{Name: "rumpnet_sockin", Needs: []string{"rumpnet"}, Doc: "the host's sockets"},
		have(tap.Component()),
		have(vlan.Component()),
		have(tun.Component()),
		have(virtif.Component()),
	}
}
