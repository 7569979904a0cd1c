package ifnet

import (
	"bytes"

	"github.com/rumpctrl/rumpctrl/abi"
)

// ioctlAddrPref reads or sets the preference of an address, SIOCGIFADDRPREF and SIOCSIFADDRPREF. domain is the socket's. It is kept and shown:
// the policies that choose a source address by it are NetBSD's option IPSELSRC (in_getifa(9)), which its kernels, a rump kernel among them, are built without.
//
// Errors: EINVAL for an address of another family than the socket's, EADDRNOTAVAIL for one that the interface has not.
func (ifp *Interface) ioctlAddrPref(domain int, cmd uint32, data []byte) error {
	const at, prefAt = 24, abi.IFNAMSIZ // offsets in struct if_addrprefreq
	sa := data[at:]
	if int(sa[1]) != domain || !wholeSockaddr(sa) {
		return abi.EINVAL
	}
	want := external(sa[:sa[0]])
	for _, a := range ifp.Addrs() {
		if a.Family != domain || !bytes.Equal(external(a.Addr), want) {
			continue
		}
		if cmd == abi.SIOCSIFADDRPREF {
			a.Preference.Store(int32(int16(le.Uint16(data[prefAt:]))))
			return nil
		}
		le.PutUint16(data[prefAt:], uint16(a.Preference.Load()))
		copy(sa, a.Addr)
		return nil
	}
	return abi.EADDRNOTAVAIL
}

// wholeSockaddr says whether a sockaddr has the length of its family's.
func wholeSockaddr(sa []byte) bool {
	switch sa[1] {
	case abi.AF_INET:
		return sa[0] == abi.SizeofSockaddrIn
	case abi.AF_INET6:
		return sa[0] == abi.SizeofSockaddrIn6
	}
	return false
}

// external is the address of a struct sockaddr_in or sockaddr_in6, without the scope in a link-local one's second 16 bits.
func external(sa []byte) []byte {
	if len(sa) == abi.SizeofSockaddrIn6 && sa[1] == abi.AF_INET6 {
		a := bytes.Clone(sa[8:24])
		if a[0] == 0xfe && a[1]&0xc0 == 0x80 {
			a[2], a[3] = 0, 0
		}
		return a
	}
	return sa[min(4, len(sa)):min(8, len(sa))]
}
