package gif

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
)

// outer is a datagram of an outer protocol from host 2 to host 1 that carries another: RFC 2003, RFC 2473.
func outer(v6 bool, proto byte, inner []byte) []byte {
	if v6 {
		b := make([]byte, 40, 40+len(inner))
		b[0], b[6], b[7] = 0x60, proto, 64
		binary.BigEndian.PutUint16(b[4:], uint16(len(inner)))
		copy(b[8:], outside(true, 2).AsSlice())
		copy(b[24:], outside(true, 1).AsSlice())
		return append(b, inner...)
	}
	b := make([]byte, 20, 20+len(inner))
	b[0], b[8], b[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)+len(inner)))
	copy(b[12:], outside(false, 2).AsSlice())
	copy(b[16:], outside(false, 1).AsSlice())
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum+sum>>16))
	return append(b, inner...)
}

// FuzzDecapsulation gives a kernel with tunnels over both protocols what a peer of them can send: tunnels in tunnels too. It answers afterwards.
func FuzzDecapsulation(f *testing.F) {
	nested := []byte{0x45}
	for range 1000 {
		nested = outer(false, abi.IPPROTO_IPV4, nested)
	}
	f.Add(false, false, []byte{0x45, 0, 0, 20})
	f.Add(true, true, []byte{0x60})
	f.Add(false, false, nested)
	f.Add(true, false, outer(false, abi.IPPROTO_IPV6, outer(true, abi.IPPROTO_IPV4, nil)))
	var buses membus.Buses
	h, other := newHost(f, &buses, 1), newHost(f, &buses, 2)
	for i, v6 := range []bool{false, true} {
		name := fmt.Sprint("gif", i)
		h.ioctl(abi.AF_INET, abi.SIOCIFCREATE, ifreq(name), 0)
		h.tunnel(name, outside(v6, 1), outside(v6, 2), 0)
		h.up(name)
	}
	shmif0, lladdr := ifnet.Of(h.k).ByName("shmif0"), ifnet.Of(h.k).ByName("shmif0").LinkAddr()
	f.Fuzz(func(t *testing.T, outer6, inner6 bool, inner []byte) {
		if len(inner) > 65000 {
			return
		}
		proto, typ := byte(abi.IPPROTO_IPV4), []byte{8, 0}
		if inner6 {
			proto = abi.IPPROTO_IPV6
		}
		if outer6 {
			typ = []byte{0x86, 0xdd}
		}
		frame := append(bytes.Clone(lladdr), 2, 0, 0, 0, 0, 2)
		shmif0.Input(ifnet.NewPacket(append(append(frame, typ...), outer(outer6, proto, inner)...)))
	})
	exchange(f, h, other, outside(false, 1), outside(false, 2), 100)
}
