package bpf

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// nullHdrLen is the length of the header that packets of DLT_NULL are given: their address family as an int.
const nullHdrLen = 4

// Tap stores a packet that passes the interface, if the filter takes it.
func (b *descriptor) Tap(ifp *ifnet.Interface, p *ifnet.Packet, out bool) {
	b.mu.Lock()
	wake := b.tap(ifp, p, out)
	b.mu.Unlock()
	if wake {
		b.sel.Notify(0)
	}
}

// tap says whether a reader should be woken. b.mu held.
func (b *descriptor) tap(ifp *ifnet.Interface, p *ifnet.Packet, out bool) bool {
	if b.ifp != ifp || out && !b.seesent {
		return false
	}
	b.recv++
	b.dev.recv.Add(1)
	var buf [headSize + nullHdrLen]byte
	v := view(ifp, p, buf[:])
	taken := v.size
	if b.filter != nil {
		taken = min(taken, b.filter.run(&v))
	}
	if taken == 0 {
		return false
	}
	b.capt++
	b.dev.capt.Add(1)
	return b.catch(ifp, &v, int(taken))
}

// view is a packet as readers and filters see it: on an interface without link header, with its address family in front.
func view(ifp *ifnet.Interface, p *ifnet.Packet, buf []byte) packet {
	front := 0
	if ifp.DLT == abi.DLT_NULL {
		front = nullHdrLen
		binary.NativeEndian.PutUint32(buf, uint32(p.Family))
	}
	n, _ := p.Buf.ReadAt(buf[front:], 0)
	return packet{head: buf[:front+n], size: uint32(front + p.Len()), pkt: p, front: front}
}

// catch stores taken bytes of a packet, with a struct bpf_hdr, such that the network header is aligned. It says whether a reader should be
// woken. b.mu held.
func (b *descriptor) catch(ifp *ifnet.Interface, p *packet, taken int) bool {
	link := int(ifp.HdrLen)
	if ifp.DLT == abi.DLT_NULL {
		link = nullHdrLen
	}
	hdrlen := align(link+abi.SizeofBpfHdr) - link
	total := min(hdrlen+taken, b.size)
	at := align(len(b.store))
	wake := false
	if at+total > b.size {
		if !b.rotate() {
			b.drop++
			b.dev.drop.Add(1)
			return false
		}
		at, wake = 0, true
	}
	if total < hdrlen {
		return wake // not even the header fits into such a small buffer
	}
	buf := b.store[:at+total]
	clear(buf[len(b.store):at])
	b.store = buf
	record := buf[at:]
	now := b.dev.k.Now()
	h := abi.BpfHdr{
		Tstamp: abi.BpfTimeval{Sec: now.Unix(), Usec: int64(now.Nanosecond() / 1000)},
		Caplen: uint32(total - hdrlen), Datalen: p.size, Hdrlen: uint16(hdrlen),
	}
	clear(record[:hdrlen])
	if h.Encode(record) != nil {
		return wake
	}
	p.copy(record[hdrlen:])
	return wake || b.immediate || b.state == abi.BPF_TIMED_OUT
}

// copy fills b with the beginning of the packet.
func (p *packet) copy(b []byte) {
	if n := copy(b, p.head); n < len(b) {
		p.rest(b[n:], n)
	}
}

// align rounds up as records in a buffer are aligned: BPF_WORDALIGN.
func align(n int) int { return (n + abi.BPF_ALIGNMENT - 1) &^ (abi.BPF_ALIGNMENT - 1) }
