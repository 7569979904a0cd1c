package socket

import (
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Layer is a kernel's socket layer: its state as a faction.
type Layer struct {
	k *kern.Kernel

	vars vars // kern.sbmax and its neighbours

	sockets atomic.Uint64 // the last socket's number

	mu      sync.Mutex
	domains map[int]Domain
	ioctls  map[byte]IoctlFunc
	parts   map[any]any
}

// vars are the variables of sysctl that concern all sockets.
type vars struct {
	sbMax, somaxkva                atomic.Int32
	nmbclusters, mblowat, mcllowat atomic.Int32
}

// IoctlFunc serves the ioctls of a group for any socket. Errors: ENOTTY for those it does not know.
type IoctlFunc func(t *kern.Thread, so *Socket, cmd uint32, data []byte) error

// Of is the kernel's socket layer; nil without rumpnet.
func Of(k *kern.Kernel) *Layer {
	l, _ := k.FactionState(kern.FactionNet).(*Layer)
	return l
}

// Attach gives a kernel its socket layer, without domains.
func Attach(k *kern.Kernel) error {
	l := &Layer{k: k, domains: map[int]Domain{}, ioctls: map[byte]IoctlFunc{}, parts: map[any]any{}}
	l.vars.init()
	k.SetFaction(kern.FactionNet, l)
	return l.createSysctls()
}

// Register brings a domain: af is PF_LOCAL, PF_INET, ...
func (l *Layer) Register(af int, d Domain) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.domains[af] = d
}

// domain is that of an address family. Errors: EAFNOSUPPORT.
func (l *Layer) domain(af int) (Domain, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.domains[af]
	if d == nil {
		return nil, abi.EAFNOSUPPORT
	}
	return d, nil
}

// HandleIoctls brings the ioctls of a group: 'i' for those of interfaces, 'r' for routes.
func (l *Layer) HandleIoctls(group byte, f IoctlFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ioctls[group] = f
}

// groupIoctl is what serves the ioctls of a group; nil if nobody does.
func (l *Layer) groupIoctl(group byte) IoctlFunc {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ioctls[group]
}

// SetPart keeps the state of a part of the network in the kernel, under a key of a type of its own, as context.WithValue.
func (l *Layer) SetPart(key, part any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts[key] = part
}

// Part is what SetPart kept; nil if there is no such part.
func (l *Layer) Part(key any) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parts[key]
}
