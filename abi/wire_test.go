package abi

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"testing"
)

// recorded returns structures as C programs and a C kernel of NetBSD 7.99.34
// passed them between each other: by C name, as bytes. Whole messages and
// lists may follow the structure.
func recorded(t *testing.T) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/wire.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ Struct, Source, Hex string }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	m := map[string][]byte{}
	for _, r := range list {
		if m[r.Struct], err = hex.DecodeString(r.Hex); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// decode decodes the recorded structure of the given C name.
func decode(t *testing.T, c string, v record) {
	t.Helper()
	if err := v.Decode(recorded(t)[c]); err != nil {
		t.Fatalf("%s: %v", c, err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// TestWireFiles: what stat and statvfs say of /tmp, a fresh tmpfs of mode
// 1777. Oracle: wire sessions of ls -l and df.
func TestWireFiles(t *testing.T) {
	var st Stat
	decode(t, "struct stat", &st)
	equal(t, "st_mode", st.Mode, S_IFDIR|S_ISVTX|0o1777)
	equal(t, "st_ino", st.Ino, 5)
	equal(t, "st_nlink", st.Nlink, 2)
	equal(t, "st_rdev", st.Rdev, NODEV)
	equal(t, "st_mtim", st.Mtim, Timespec{Sec: 0x6b009bc2, Nsec: 0x1b395365})
	equal(t, "st_size", st.Size, 512)
	equal(t, "st_blksize", st.Blksize, 512)

	var fs Statvfs
	decode(t, "struct statvfs", &fs)
	equal(t, "f_flag", fs.Flag, MNT_LOCAL)
	equal(t, "f_bsize", fs.Bsize, 4096)
	equal(t, "f_namemax", fs.Namemax, 255)
	equal(t, "f_fstypename", CString(fs.Fstypename[:]), "tmpfs")
	equal(t, "f_mntonname", CString(fs.Mntonname[:]), "/tmp")
	equal(t, "f_mntfromname", CString(fs.Mntfromname[:]), "tmpfs")

	b := recorded(t)["struct dirent"]
	equal(t, "d_reclen", uint16(b[DirentOffReclen]), uint16(len(b)))
	equal(t, "d_namlen", b[DirentOffNamlen], 3)
	equal(t, "d_type", b[DirentOffType], DT_DIR)
	equal(t, "d_name", CString(b[DirentOffName:]), "tmp")
}

// TestWireKernel: sysctl, modules, mount arguments. Oracle: wire sessions of
// sysctl kern.hostname, modstat, mount_tmpfs and ls.
func TestWireKernel(t *testing.T) {
	var node Sysctlnode
	decode(t, "struct sysctlnode", &node)
	equal(t, "sysctl_num", node.Num, KERN_HOSTNAME)
	equal(t, "sysctl_name", CString(node.Name[:]), "hostname")
	equal(t, "sysctl_flags", node.Flags&SYSCTL_TYPEMASK, CTLTYPE_STRING)
	equal(t, "version", node.Flags&SYSCTL_VERS_MASK, SYSCTL_VERSION)
	equal(t, "CTLFLAG_READWRITE", node.Flags&CTLFLAG_READWRITE, CTLFLAG_READWRITE)
	equal(t, "sysctl_size", node.Size, MAXHOSTNAMELEN)

	var mod Modstat
	decode(t, "struct modstat", &mod)
	equal(t, "ms_name", CString(mod.Name[:]), "suser")
	equal(t, "ms_source", mod.Source, MODULE_SOURCE_KERNEL)
	equal(t, "ms_class", mod.Class, MODULE_CLASS_SECMODEL)

	var args TmpfsArgs
	decode(t, "struct tmpfs_args", &args)
	equal(t, "tmpfs_args", args, TmpfsArgs{Version: TMPFS_ARGS_VERSION, RootMode: S_IFDIR | 0o1777})

	var tv Timeval
	decode(t, "struct timeval", &tv)
	equal(t, "timeval", tv, Timeval{Sec: 0x6b009bc2, Usec: 0xb16d5})
}

// TestWireDisks: vnconfig, cgdconfig, disklabel of a 4 MiB vnd. Oracle: their
// wire sessions; the magic is that of disklabel(5).
func TestWireDisks(t *testing.T) {
	var vnd VndIoctl
	decode(t, "struct vnd_ioctl", &vnd)
	equal(t, "vnd_size", vnd.Size, 1<<20)
	var cgd CgdIoctl
	decode(t, "struct cgd_ioctl", &cgd)
	equal(t, "ci_keylen", cgd.Keylen, 256)

	var label Disklabel
	decode(t, "struct disklabel", &label)
	equal(t, "d_magic", label.Magic, DISKMAGIC)
	equal(t, "d_magic2", label.Magic2, DISKMAGIC)
	equal(t, "d_typename", CString(label.Typename[:]), "vnd")
	equal(t, "d_type", label.Type, DKTYPE_VND)
	equal(t, "d_secsize", label.Secsize, 512)
	equal(t, "cylinders", label.Secpercyl*label.Ncylinders, label.Secperunit)
	equal(t, "raw partition", label.Partitions[3].Size, label.Secperunit)
}

// TestWireNetwork: interface flags and a routing message. Oracle: wire
// sessions of ifconfig lo0 and route get 127.0.0.1.
func TestWireNetwork(t *testing.T) {
	var ifr Ifreq
	decode(t, "struct ifreq", &ifr)
	equal(t, "ifr_name", CString(ifr.Name[:]), "lo0")
	equal(t, "ifr_flags", uint16(ifr.Flags()), IFF_UP|IFF_LOOPBACK|IFF_RUNNING|IFF_MULTICAST)

	var rtm RtMsghdr
	decode(t, "struct rt_msghdr", &rtm)
	equal(t, "rtm_version", rtm.Version, RTM_VERSION)
	equal(t, "rtm_type", rtm.Type, RTM_GET)
	equal(t, "rtm_addrs", rtm.Addrs, RTA_DST|RTA_GATEWAY|RTA_IFP|RTA_IFA)
	equal(t, "rtm_seq", rtm.Seq, 1)
	var dst SockaddrIn
	if err := dst.Decode(recorded(t)["struct rt_msghdr"][SizeofRtMsghdr:]); err != nil {
		t.Fatal(err)
	}
	equal(t, "family", dst.Family, AF_INET)
	equal(t, "destination", netip.AddrFrom4(dst.Addr.As4()).String(), "127.0.0.1")
}

// TestInet: byte order of ports and addresses. Oracle: sockaddr_in of
// inet(4): both are big-endian in memory.
func TestInet(t *testing.T) {
	sin := SockaddrIn{Len: SizeofSockaddrIn, Family: AF_INET, Port: Htons(0x1234),
		Addr: InAddrFrom4([4]byte{1, 2, 3, 4})}
	b := sin.Append(nil)
	equal(t, "bytes", hex.EncodeToString(b), "1002"+"1234"+"01020304"+"0000000000000000")
	equal(t, "As4", sin.Addr.As4(), [4]byte{1, 2, 3, 4})
	equal(t, "Htons", Htons(sin.Port), 0x1234)
	equal(t, "loopback", InAddr{Addr: Htonl(INADDR_LOOPBACK)}.As4(), [4]byte{127, 0, 0, 1})
}

// TestUnions: accessors read and write the member's bytes and no others.
// Oracle: offsets in the data file.
func TestUnions(t *testing.T) {
	var h KtrHeader
	h.SetV2Ts(Timespec{Sec: 1, Nsec: 2})
	h.SetV2Lid(3)
	equal(t, "_v", hex.EncodeToString(h.V[:]), "0100000000000000"+"0200000000000000"+"0300000000000000")
	equal(t, "_v2._ts", h.V2Ts(), Timespec{Sec: 1, Nsec: 2})
	equal(t, "_v2._lid", h.V2Lid(), 3)
	equal(t, "_v0.tv_sec", h.V0TvSec(), 1)

	var n Sysctlnode
	n.SetQdata(1<<40 | 5)
	equal(t, "scu_idata", n.Idata(), 5)
	n.SetIdata(-1)
	equal(t, "scu_qdata", n.Qdata(), 1<<40|0xffffffff)
	n.SetBdata(false)
	equal(t, "scu_bdata", n.Bdata(), false)
	n.SetChildClen(7)
	equal(t, "suc_clen", n.ChildClen(), 7)
}

// TestBitFields: the first byte of an IPv4 header of 20 bytes is 0x45 (RFC
// 791), data offset is the high half in TCP (RFC 9293).
func TestBitFields(t *testing.T) {
	ip := Ip{Bits0: 0xff}
	ip.SetV(4)
	ip.SetHl(5)
	equal(t, "ip", ip.Append(nil)[0], 0x45)
	equal(t, "ip_v", ip.V(), 4)
	equal(t, "ip_hl", ip.Hl(), 5)
	var th Tcphdr
	th.SetOff(0x15)
	equal(t, "th_off", th.Append(nil)[12], 0x50)
	equal(t, "th_x2", th.X2(), 0)
}
