package ifnet

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/kern"
)

// Driver moves an interface's packets: shmif, lo, bridge, gif, ... What it can do further it says by the small interfaces
// below.
type Driver interface {
	// Transmit sends packets, which it owns from then on. It is called from any goroutine, several at once, and does not wait: what
	// there is no room for is released and counted by its error.
	//
	// Errors: ENOBUFS when packets were dropped, ENETDOWN.
	Transmit(ifp *Interface, pkts []*Packet) error
}

// Starter is implemented by drivers that act on IFF_UP. Called with Net.Config held.
type Starter interface {
	// Start is called when the interface is set up, before IFF_UP is seen; the driver sets IFF_RUNNING. An error leaves it down.
	Start(ifp *Interface) error
	// Stop is called when it is set down or destroyed: no Input afterwards.
	Stop(ifp *Interface)
}

// Ioctler is implemented by drivers with ioctls of their own (SIOCSLINKSTR, SIOCSETVLAN, SIOCSDRVSPEC, SIOCSIFPHYADDR...), or that
// want to refuse generic ones (SIOCSIFMTU): they are asked first, and ENOTTY has the generic code do it. Called with Net.Config held.
//
// What it reads of its caller's memory (t.Mem) it reads before it changes anything, and it returns the error of a read that fails: memory that is not there yet is
// fetched without locks, and Ioctl is called again.
type Ioctler interface {
	Ioctl(t *kern.Thread, ifp *Interface, cmd uint32, data []byte) error
}

// Promiscuer is implemented by drivers that act on promiscuous mode: those of interfaces whose frames come through others. Called with
// Net.Config held.
type Promiscuer interface {
	SetPromiscuous(ifp *Interface, on bool)
}

// Joiner is implemented by drivers with a filter of multicast addresses; others receive all.
type Joiner interface {
	Join(ifp *Interface, group [6]byte)
	Leave(ifp *Interface, group [6]byte)
}

// Destroyer is implemented by drivers that have something to free.
type Destroyer interface {
	Destroy(ifp *Interface)
}

// Cloner makes interfaces of a kind: SIOCIFCREATE, SIOCIFGCLONERS.
type Cloner interface {
	// Prefix is the name without the unit: "shmif".
	Prefix() string
	// Create makes the interface of a unit and attaches it. Called with Net.Config held. Errors: EINVAL, ENXIO, EPERM (the host's).
	Create(t *kern.Thread, n *Net, unit int) (*Interface, error)
}

// Keeper is implemented by cloners with interfaces that are not to be destroyed.
type Keeper interface {
	// Keep says why ifp stays. Errors: nil for one that may go; EPERM, EBUSY.
	Keep(ifp *Interface) error
}

// Capabilities are what an interface can be given beyond plain packets.
type Capabilities uint32

const (
	// CapChecksum: packets may lack their transport checksum (ChecksumMissing).
	CapChecksum Capabilities = 1 << iota
	// CapSegment: TCP segments of up to 64 KiB may be given uncut (Packet.Segment).
	CapSegment
)

// Interface is a network interface, as struct ifnet. The exported fields are set by who makes it and not changed after Net.Attach.
type Interface struct {
	Net *Net
	// Name is "shmif0": Prefix and Unit.
	Name   string
	Prefix string
	Unit   int
	// Index numbers interfaces from 1; Attach sets it. It is gVisor's NICID too.
	Index uint16
	// Type is IFT_ETHER, IFT_LOOP, ...; HdrLen the length of the link header, DLT what bpf shows (DLT_EN10MB, DLT_NULL).
	Type   uint8
	HdrLen uint8
	DLT    uint32
	Driver Driver
	// IFCAP are the IFCAP_* that SIOCGIFCAP shows and SIOCSIFCAP lets a program enable.
	IFCAP uint64
	// MinMTU and MaxMTU are what SIOCSIFMTU takes; with MaxMTU 0 those of Ethernet for IFT_ETHER, and anything for others.
	MinMTU, MaxMTU uint32

	// Stats are counted by Input, Output and the driver.
	Stats Stats

	flags  atomic.Uint32 // IFF_*
	mtu    atomic.Uint32
	caps   atomic.Uint32
	active atomic.Pointer[Addr]    // the link-level address in use, one of addrs
	addrs  atomic.Pointer[[]*Addr] // the link address first
	drops  atomic.Uint32           // of the output queue
	maxlen atomic.Int32            // of the output queue, for sysctl
	port   atomic.Pointer[portBox]
	taps   atomic.Pointer[[]Tap]
	vlans  atomic.Pointer[map[uint16]*Interface]

	groupMu sync.Mutex      // held while the driver is told, too
	groups  map[[6]byte]int // multicast groups and how often each was joined

	hwaddr *Addr // the link-level address that its manufacturer gave it; nil without. Under Net.Config

	mu         sync.Mutex
	metric     uint64
	linkState  int32
	baudrate   uint64
	lastchange time.Time
	promisc    int    // how many asked for promiscuous mode
	capenable  uint64 // IFCAP_* that are enabled
}

// Stats are the counters of struct if_data.
type Stats struct {
	Ipackets, Ierrors, Opackets, Oerrors, Collisions   atomic.Uint64
	Ibytes, Obytes, Imcasts, Omcasts, Iqdrops, Noproto atomic.Uint64
}

// Addr is an address of an interface, as struct ifaddr. All addresses are struct sockaddrs. Changed only under Net.Config.
type Addr struct {
	If *Interface
	// Family is abi.AF_INET, AF_INET6, AF_LINK.
	Family int
	// Addr, Mask, and Dst (the peer of a point-to-point link, the broadcast address of a broadcast one; nil without).
	Addr, Mask, Dst []byte
	// Flags are the routing flags of its route, RTF_UP and the like; Preference is SIOCSIFADDRPREF's, an int16, which a
	// kernel without NetBSD's option IPSELSRC does not look at, and neither does this one.
	Flags      uint32
	Metric     int
	Preference atomic.Int32
	// Owner is the protocol's part of the address (in_ifaddr, in6_ifaddr).
	Owner                              any
	Ipackets, Ibytes, Opackets, Obytes atomic.Uint64
}

// counters are all of them.
func (s *Stats) counters() []*atomic.Uint64 {
	return []*atomic.Uint64{
		&s.Ipackets, &s.Ierrors, &s.Opackets, &s.Oerrors, &s.Collisions,
		&s.Ibytes, &s.Obytes, &s.Imcasts, &s.Omcasts, &s.Iqdrops, &s.Noproto,
	}
}
