package ifnet

import "github.com/rumpctrl/rumpctrl/abi"

// Output sends packets that are complete with their link header: offers them to the port, counts them, shows them to the taps, and
// gives them to the driver.
//
// Errors: ENETDOWN when the interface is not up and running; the driver's.
func (ifp *Interface) Output(pkts ...*Packet) error {
	port := ifp.Port()
	if port == nil || !ifp.Up() {
		return ifp.Enqueue(pkts...)
	}
	left := pkts[:0:0]
	for _, p := range pkts {
		if !port.OutputPacket(ifp, p) {
			left = append(left, p)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return ifp.Enqueue(left...)
}

// Enqueue is Output without the port: what a bridge sends on its members.
func (ifp *Interface) Enqueue(pkts ...*Packet) error {
	if !ifp.Up() {
		for _, p := range pkts {
			p.Release()
		}
		return abi.ENETDOWN
	}
	pkts = ifp.finish(pkts)
	for _, p := range pkts {
		ifp.countOutput(p)
		ifp.tap(p, true)
	}
	return ifp.Driver.Transmit(ifp, pkts)
}

func (ifp *Interface) countOutput(p *Packet) {
	ifp.Stats.Opackets.Add(1)
	ifp.Stats.Obytes.Add(uint64(p.Len()))
	if ifp.HdrLen == EtherHdrLen {
		var dst [1]byte
		if p.Header(dst[:]) && dst[0]&1 != 0 {
			ifp.Stats.Omcasts.Add(1)
		}
	}
}

// finish does for the packets what the interface cannot: large segments are cut, checksums filled in.
func (ifp *Interface) finish(pkts []*Packet) []*Packet {
	caps := ifp.Caps()
	if caps&(CapSegment|CapChecksum) == CapSegment|CapChecksum || !unfinished(pkts) {
		return pkts
	}
	done := make([]*Packet, 0, len(pkts))
	for _, p := range pkts {
		switch {
		case p.Segment.Size != 0 && caps&CapSegment == 0:
			done = append(done, Segments(p, int(ifp.HdrLen))...)
		case p.Flags&ChecksumMissing != 0 && caps&CapChecksum == 0:
			FinishChecksum(p, int(ifp.HdrLen))
			done = append(done, p)
		default:
			done = append(done, p)
		}
	}
	return done
}

func unfinished(pkts []*Packet) bool {
	for _, p := range pkts {
		if p.Segment.Size != 0 || p.Flags&ChecksumMissing != 0 {
			return true
		}
	}
	return false
}
