package kinfo_test

import (
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util/kinfo"
)

// Oracle: struct kinfo_pcb and kinfo_file as package abi has them; sockaddr_in, sockaddr_un.
func TestDecode(t *testing.T) {
	var pcb abi.KinfoPcb
	pcb.Sockaddr = 7
	copy(pcb.S[:], sockaddr.Inet(netip.MustParseAddr("10.1.1.1"), 80, 0))
	path, _ := sockaddr.Unix("/a")
	copy(pcb.D[:], path)
	list := kinfo.DecodeSockets(append(pcb.Append(nil), 1, 2, 3))
	if len(list) != 1 || list[0] != pcb {
		t.Fatalf("%+v", list)
	}
	if a, port := kinfo.Inet(&list[0].S); a.String() != "10.1.1.1" || port != 80 {
		t.Error(a, port)
	}
	if got := kinfo.Path(&list[0].D); got != "/a" {
		t.Errorf("%q", got)
	}
	if a, port := kinfo.Inet(&list[0].D); a.IsValid() || port != 0 || kinfo.Path(&list[0].S) != "" {
		t.Error(a, port)
	}
	f := abi.KinfoFile{Fd: 3}
	if files := kinfo.DecodeFiles(f.Append(nil)); len(files) != 1 || files[0] != f {
		t.Errorf("%+v", files)
	}
}

// FuzzDecode: whatever a kernel lists is read.
func FuzzDecode(f *testing.F) {
	f.Add((&abi.KinfoPcb{}).Append(nil))
	f.Fuzz(func(_ *testing.T, b []byte) {
		kinfo.DecodeFiles(b)
		list := kinfo.DecodeSockets(b)
		for i := range list {
			kinfo.Inet(&list[i].S)
			kinfo.Path(&list[i].S)
		}
	})
}
