package ifnet

import (
	"github.com/rumpctrl/rumpctrl/abi"
)

// Flags are the IFF_* flags.
func (ifp *Interface) Flags() uint32 { return ifp.flags.Load() }

// Up says whether the interface is up and running: whether packets pass.
func (ifp *Interface) Up() bool {
	const both = abi.IFF_UP | abi.IFF_RUNNING
	return ifp.flags.Load()&both == both
}

// SetFlags sets and clears flags, and tells the observers where something changes. When IFF_UP comes the driver is started before,
// when it goes the driver is stopped. Config held. Errors: those of the driver's Start, which leave the interface as it was.
func (ifp *Interface) SetFlags(set, clear uint32) error {
	old := ifp.Flags()
	next := old&^clear | set
	s, starts := ifp.Driver.(Starter)
	if starts && old&abi.IFF_UP == 0 && next&abi.IFF_UP != 0 {
		if err := s.Start(ifp); err != nil {
			return err
		}
	}
	if old&abi.IFF_UP != 0 && next&abi.IFF_UP == 0 {
		ifp.setDown()
		set &^= abi.IFF_UP
	}
	ifp.changeFlags(set, clear)
	if now := ifp.Flags(); now != old {
		ifp.Net.Notify(Event{Kind: FlagsChanged, If: ifp, Old: old})
	}
	return nil
}

// setDown clears IFF_UP and stops the driver, without telling anybody.
func (ifp *Interface) setDown() {
	if ifp.Flags()&abi.IFF_UP == 0 {
		return
	}
	ifp.changeFlags(0, abi.IFF_UP)
	if s, ok := ifp.Driver.(Starter); ok {
		s.Stop(ifp)
		ifp.changeFlags(0, abi.IFF_RUNNING)
	}
}

// SetRunning says whether the driver passes packets: IFF_RUNNING. It is for drivers, in Start, and tells nobody.
func (ifp *Interface) SetRunning(on bool) {
	if on {
		ifp.changeFlags(abi.IFF_RUNNING, 0)
	} else {
		ifp.changeFlags(0, abi.IFF_RUNNING)
	}
}

// changeFlags sets and clears flags, without telling anybody.
func (ifp *Interface) changeFlags(set, clear uint32) {
	for {
		old := ifp.flags.Load()
		if ifp.flags.CompareAndSwap(old, old&^clear|set) {
			break
		}
	}
}

// MTU is the largest packet in bytes, without the link header.
func (ifp *Interface) MTU() uint32 { return ifp.mtu.Load() }

// SetMTU changes the MTU; what it may be SIOCSIFMTU looks at, not this. Config held.
func (ifp *Interface) SetMTU(mtu uint32) {
	if ifp.mtu.Swap(mtu) != mtu {
		ifp.changed()
	}
}

// changed tells the observers of a change that is no flag's.
func (ifp *Interface) changed() {
	ifp.touch()
	ifp.Net.Notify(Event{Kind: FlagsChanged, If: ifp, Old: ifp.Flags()})
}

// Caps are what packets the interface can be given now.
func (ifp *Interface) Caps() Capabilities { return Capabilities(ifp.caps.Load()) }

// SetCaps changes them, at any time, before Attach too.
func (ifp *Interface) SetCaps(c Capabilities) { ifp.caps.Store(uint32(c)) }

// Metric is the metric that SIOCSIFMETRIC sets, for routing daemons.
func (ifp *Interface) Metric() uint64 {
	ifp.mu.Lock()
	defer ifp.mu.Unlock()
	return ifp.metric
}

// SetMetric sets it. Config held.
func (ifp *Interface) SetMetric(metric uint64) {
	ifp.mu.Lock()
	same := ifp.metric == metric
	ifp.metric = metric
	ifp.mu.Unlock()
	if !same {
		ifp.changed()
	}
}

// LinkState is LINK_STATE_UNKNOWN, DOWN or UP.
func (ifp *Interface) LinkState() int32 {
	ifp.mu.Lock()
	defer ifp.mu.Unlock()
	return ifp.linkState
}

// SetLinkState tells of the link's state. Config held.
func (ifp *Interface) SetLinkState(state int32) {
	ifp.mu.Lock()
	same := ifp.linkState == state
	ifp.linkState = state
	ifp.mu.Unlock()
	if !same {
		ifp.changed()
	}
}

// SetBaudrate says how fast the link is, in bits a second: ifi_baudrate.
func (ifp *Interface) SetBaudrate(bps uint64) {
	ifp.mu.Lock()
	defer ifp.mu.Unlock()
	ifp.baudrate = bps
}

// Data is the interface's struct if_data.
func (ifp *Interface) Data() abi.IfData {
	s := &ifp.Stats
	ifp.mu.Lock()
	defer ifp.mu.Unlock()
	d := abi.IfData{
		Type: ifp.Type, Addrlen: uint8(len(ifp.LinkAddr())), Hdrlen: ifp.HdrLen, LinkState: ifp.linkState,
		Mtu: uint64(ifp.MTU()), Metric: ifp.metric, Baudrate: ifp.baudrate,
	}
	d.Ipackets, d.Ierrors, d.Opackets, d.Oerrors = s.Ipackets.Load(), s.Ierrors.Load(), s.Opackets.Load(), s.Oerrors.Load()
	d.Collisions, d.Ibytes, d.Obytes = s.Collisions.Load(), s.Ibytes.Load(), s.Obytes.Load()
	d.Imcasts, d.Omcasts, d.Iqdrops, d.Noproto = s.Imcasts.Load(), s.Omcasts.Load(), s.Iqdrops.Load(), s.Noproto.Load()
	if !ifp.lastchange.IsZero() {
		d.Lastchange = abi.Timespec{Sec: ifp.lastchange.Unix(), Nsec: int64(ifp.lastchange.Nanosecond())}
	}
	return d
}

// Dropped counts packets that found no room in the driver's output queue: as output errors, and in net.interfaces.<name>.sndq.drops.
func (ifp *Interface) Dropped(n int) {
	ifp.Stats.Oerrors.Add(uint64(n))
	ifp.drops.Add(uint32(n))
}
