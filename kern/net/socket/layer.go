package socket

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/kern"
)

// Layer is a kernel's socket layer: its state as a faction.
type Layer struct {
	k *kern.Kernel

	mu      sync.Mutex
	domains map[int]Domain
	ioctls  map[byte]IoctlFunc
	parts   map[any]any
}

// IoctlFunc serves the ioctls of a group for any socket. Errors: ENOTTY for those it does not know.
type IoctlFunc func(t *kern.Thread, so *Socket, cmd uint32, data []byte) error

// Of is the kernel's socket layer; nil without rumpnet.
func Of(k *kern.Kernel) *Layer {
	l, _ := k.FactionState(kern.FactionNet).(*Layer)
	return l
}

// Register brings a domain: af is PF_LOCAL, PF_INET, ...
func (l *Layer) Register(af int, d Domain) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.domains[af] = d
}

// HandleIoctls brings the ioctls of a group: 'i' for those of interfaces, 'r' for routes.
func (l *Layer) HandleIoctls(group byte, f IoctlFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ioctls[group] = f
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
