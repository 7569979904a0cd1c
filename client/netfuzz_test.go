package client

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/rtmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
)

// FuzzInterfaces: whatever a kernel answers to NET_RT_IFLIST, an address that is listed is one of its family with a netmask of it.
func FuzzInterfaces(f *testing.F) {
	link := sockaddr.Link{Index: 2, Type: abi.IFT_ETHER, Name: "shmif0", Addr: []byte{2, 0, 0, 0, 0, 1}}
	info := abi.IfMsghdr{Msglen: abi.SizeofIfMsghdr, Version: abi.RTM_VERSION, Type: abi.RTM_IFINFO, Index: 2, Addrs: abi.RTA_IFP}
	sa := link.AppendShort(nil)
	sa = append(sa, make([]byte, -len(sa)&7)...)
	info.Msglen += uint16(len(sa))
	f.Add(append(info.Append(nil), sa...))
	f.Add(info.Append(nil))
	f.Add(make([]byte, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		var list []Interface
		for m, err := range rtmsg.All(b) {
			if err == nil {
				list, err = addMessage(list, m)
			}
			if err != nil {
				return
			}
		}
		for i := range list {
			for _, a := range list[i].Addrs {
				if !a.Prefix.IsValid() {
					t.Errorf("%s: address %v", list[i].Name, a)
				}
				list[i].Sockaddr(a.Prefix.Addr())
			}
		}
	})
}
