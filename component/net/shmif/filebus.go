package shmif

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	format "github.com/rumpctrl/rumpctrl/ondisk/shmif"
)

// fileBus is a bus in a file. The interface sends from any goroutine and receives in one of its own, which exists while
// it is up; each has a view of the ring for itself.
type fileBus struct {
	shared *host.Shared
	sender uint64
	large  *largeFile // nil without large frames

	received atomic.Pointer[receiver] // nil while it is down
	broken   atomic.Bool              // the file was cut short: nothing can be sent or received any more

	seen   atomic.Uint64 // the frame (Ring.Newest) up to which all have been received, or are ours
	unread atomic.Int32  // of those that are ours, how many the receiver has not passed yet; changed with the lock of the bus

	txMu    sync.Mutex
	tx      *format.Ring    // whoever holds txMu uses it; while backlog is being sent, the goroutine that does
	backlog []*ifnet.Packet // what waits for the lock of the bus, nil unless somebody sends it
	sending bool            // somebody does

	mu     sync.Mutex
	users  int // those who have the file in use
	closed bool
}

// openFileBus opens the file of a bus. Errors: the host's, package ondisk/shmif's.
func openFileBus(path string) (*fileBus, error) {
	if err := mayBeBus(path); err != nil {
		return nil, err
	}
	shared, err := host.OpenShared(path, format.FileSize)
	if err != nil {
		return nil, err
	}
	b := &fileBus{shared: shared, users: 1}
	gone := shared.Guard(func() {
		if b.tx, err = b.newRing(); err == nil {
			b.large = openLarge(path, b.tx)
		}
	})
	if err = errors.Join(err, gone, b.drawSender()); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// mayBeBus keeps files of others from being extended to the size of a bus: a file is empty, begins with zeroes, or is a bus.
func mayBeBus(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil // what else is wrong opening it will say
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var magic [4]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil && err != io.EOF {
		return err
	}
	if m := binary.NativeEndian.Uint32(magic[:]); m != 0 && m != format.Magic {
		return format.ErrNotBus
	}
	return nil
}

func (b *fileBus) drawSender() error {
	var raw [8]byte
	_, err := rand.Read(raw[:])
	b.sender = binary.NativeEndian.Uint64(raw[:])
	return err
}

// newRing is a view of the ring, for one goroutine at a time.
func (b *fileBus) newRing() (*format.Ring, error) {
	var token [4]byte
	rand.Read(token[:])
	return format.NewRing(b.shared, binary.NativeEndian.Uint32(token[:])|1, format.DefaultPatience)
}

func (b *fileBus) caps() ifnet.Capabilities {
	if b.large == nil {
		return 0
	}
	return ifnet.CapChecksum | ifnet.CapSegment
}

func (b *fileBus) maxMTU() uint32 {
	if b.large == nil {
		return etherMTU
	}
	return maxMTU
}

// use keeps the file mapped until unuse. It is false when the bus has been closed.
func (b *fileBus) use() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users == 0 {
		return false
	}
	b.users++
	return true
}

func (b *fileBus) unuse() {
	b.mu.Lock()
	b.users--
	last := b.users == 0
	b.mu.Unlock()
	if last {
		if b.large != nil {
			b.large.shared.Close()
		}
		b.shared.Close()
	}
}

// close gives up the file; the last user unmaps it.
func (b *fileBus) close() {
	b.mu.Lock()
	first := !b.closed
	b.closed = true
	b.mu.Unlock()
	if first {
		b.unuse()
	}
}

// guard runs f on the mapped memory, unless the file has been cut short, now or before. It says whether f has run to its end.
func (b *fileBus) guard(ifp *ifnet.Interface, f func()) bool {
	if b.broken.Load() {
		return false
	}
	err := b.shared.Guard(f)
	if err == nil {
		return true
	}
	if !b.broken.Swap(true) && ifp.Net.K != nil {
		ifp.Net.K.Logf("%s: %s: %v\n", ifp.Name, b.shared.Path(), err)
	}
	return false
}

// wakeFor wakes the other members, unless those who want these frames see them without, and our receiver has no need to pass those of ours.
func (b *fileBus) wakeFor(frames []*ifnet.Packet) {
	if b.unread.Load() >= maxUnread || !b.large.seenByAll(frames) {
		b.wake()
	}
}

// wake tells the other members that there is something to receive.
func (b *fileBus) wake() {
	var version [4]byte
	binary.NativeEndian.PutUint32(version[:], format.Version)
	b.shared.WriteAt(version[:], format.VersionOffset)
}
