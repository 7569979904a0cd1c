// Package kinfo is what netstat(1) and sockstat(1) read of sockets, descriptors and processes: the lists of sysctl net.*.pcblist and
// kern.file2, and how addresses and ports are worded in them.
//
// A kernel that lacks a protocol has no list of its sockets; that is an empty list here.
package kinfo

import (
	"errors"
	"math"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
)

// Sockets reads a list of sockets by its sysctl's name: "net.inet.tcp.pcblist". Errors: the call's.
func Sockets(p *client.Process, name string) ([]abi.KinfoPcb, error) {
	node, err := p.Sysctl().Lookup(name)
	if errors.Is(err, abi.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	mib := append(append([]int32(nil), node.MIB...), abi.PCB_ALL, 0, abi.SizeofKinfoPcb, math.MaxInt32)
	b, err := p.Sysctl().Get(mib)
	if err != nil {
		return nil, err
	}
	return DecodeSockets(b), nil
}

// DecodeSockets reads a list of struct kinfo_pcb; what is left over at the end is not looked at.
func DecodeSockets(b []byte) []abi.KinfoPcb {
	list := make([]abi.KinfoPcb, len(b)/abi.SizeofKinfoPcb)
	for i := range list {
		list[i].Decode(b[i*abi.SizeofKinfoPcb:]) //nolint:errcheck // it is long enough
	}
	return list
}

// Files reads the descriptors of all processes. Errors: the call's.
func Files(p *client.Process) ([]abi.KinfoFile, error) {
	b, err := p.Sysctl().Get([]int32{abi.CTL_KERN, abi.KERN_FILE2, abi.KERN_FILE_BYPID, -1, abi.SizeofKinfoFile, math.MaxInt32})
	if err != nil {
		return nil, err
	}
	return DecodeFiles(b), nil
}

// DecodeFiles reads a list of struct kinfo_file; what is left over at the end is not looked at.
func DecodeFiles(b []byte) []abi.KinfoFile {
	list := make([]abi.KinfoFile, len(b)/abi.SizeofKinfoFile)
	for i := range list {
		list[i].Decode(b[i*abi.SizeofKinfoFile:]) //nolint:errcheck // it is long enough
	}
	return list
}

// Command is the name of a process; ok is false when it is gone.
func Command(p *client.Process, pid int32) (name string, ok bool) {
	b, err := p.Sysctl().Get([]int32{abi.CTL_KERN, abi.KERN_PROC_ARGS, pid, abi.KERN_PROC_ARGV})
	if err != nil {
		return "", false
	}
	return abi.CString(b), true
}

// Inet is an internet address of a list: the zero Addr where there is none.
func Inet(sa *[264]byte) (netip.Addr, uint16) {
	a, port, _, _ := sockaddr.ParseInet(sa[:])
	return a, port
}

// Path is the path of a local socket of a list, empty where there is none.
func Path(sa *[264]byte) string {
	n := min(int(sa[0]), len(sa))
	if n < 2 {
		return ""
	}
	path, _ := sockaddr.ParseUnix(sa[:n])
	return path
}
