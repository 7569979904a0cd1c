package bpf

import (
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// defaultSize is the size of a descriptor's buffers, in bytes, until BIOCSBLEN changes it.
const defaultSize = 32768

// waitState says how far the read timeout of somebody who polls is: bde_state.
type waitState uint8

// descriptor is one open of the device. There are two buffers of size bytes: packets are stored in one while the other, when it
// is full, is held for a reader.
type descriptor struct {
	dev *device
	pid int32
	sel kern.Selinfo

	mu                  sync.Mutex
	ifp                 *ifnet.Interface // nil until BIOCSETIF
	gone                bool             // the interface that it had is no more
	size                int
	store, hold, spare  []byte // spare is nil while a reader has that buffer, or there is a hold
	allocated           int64  // bytes that are accounted to the kernel's memory
	filter              Program
	immediate, hdrcmplt bool
	seesent, promisc    bool
	feedback            bool
	timeout             time.Duration // of reads; 0 for none
	state               waitState
	timer               *time.Timer // of state BPF_WAITING
	recv, drop, capt    uint64
}

var (
	_ kern.Reader      = (*descriptor)(nil)
	_ kern.Writer      = (*descriptor)(nil)
	_ kern.Ioctler     = (*descriptor)(nil)
	_ kern.Poller      = (*descriptor)(nil)
	_ kern.KnoteFilter = (*descriptor)(nil)
	_ ifnet.Tap        = (*descriptor)(nil)
)

// Close unbinds the descriptor.
func (b *descriptor) Close(*kern.Thread, *kern.File) error {
	b.dev.forget(b)
	b.dev.net.Config.Lock()
	b.unbind()
	b.dev.net.Config.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopTimer(abi.BPF_IDLE)
	b.free()
	return nil
}

// bind makes the descriptor a tap of an interface; one that it is a tap of already has its buffers emptied. Config held. Errors: ENOMEM.
func (b *descriptor) bind(ifp *ifnet.Interface) error {
	b.mu.Lock()
	err := b.allocate()
	old := b.ifp
	b.mu.Unlock()
	if err != nil {
		return err
	}
	if old != ifp {
		b.unbind()
		b.mu.Lock()
		b.ifp, b.gone = ifp, false
		b.mu.Unlock()
		ifp.AddTap(b)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reset()
	return nil
}

// unbind ends that. Config held.
func (b *descriptor) unbind() {
	b.mu.Lock()
	ifp, promisc := b.ifp, b.promisc
	b.ifp, b.promisc = nil, false
	b.mu.Unlock()
	if ifp == nil {
		return
	}
	ifp.RemoveTap(b)
	if promisc {
		ifp.SetPromiscuous(-1)
	}
}

// interfaceGone unbinds the descriptor when its interface ends. Config held.
func (b *descriptor) interfaceGone(ifp *ifnet.Interface) {
	b.mu.Lock()
	mine := b.ifp == ifp
	b.gone = b.gone || mine
	b.mu.Unlock()
	if mine {
		b.unbind()
		b.sel.Notify(0)
	}
}

// allocate makes the buffers. b.mu held. Errors: ENOMEM.
func (b *descriptor) allocate() error {
	if b.allocated != 0 {
		return nil
	}
	if err := b.dev.k.Mem.Alloc(2 * int64(b.size)); err != nil {
		return err
	}
	b.allocated = 2 * int64(b.size)
	b.store, b.spare = make([]byte, 0, b.size), make([]byte, 0, b.size)
	return nil
}

// free drops the buffers. b.mu held.
func (b *descriptor) free() {
	b.dev.k.Mem.Free(b.allocated)
	b.store, b.hold, b.spare, b.allocated = nil, nil, nil, 0
}

// reset drops what has been stored and the counts. b.mu held.
func (b *descriptor) reset() {
	if b.hold != nil {
		b.spare, b.hold = b.hold[:0], nil
	}
	b.store = b.store[:0]
	b.recv, b.drop, b.capt = 0, 0, 0
}

// rotate holds what is stored for the reader, if the other buffer is free. b.mu held.
func (b *descriptor) rotate() bool {
	if b.hold != nil || b.spare == nil {
		return false
	}
	b.hold, b.store, b.spare = b.store, b.spare, nil
	return true
}

// readable says whether a read would find something at once. b.mu held.
func (b *descriptor) readable() bool {
	return b.gone || b.hold != nil || (b.immediate || b.state == abi.BPF_TIMED_OUT) && len(b.store) > 0
}

// Read gives the packets that a whole buffer holds, or after the timeout, or at once with BIOCIMMEDIATE, those that there are; 0 when the timeout
// passes without any.
//
// Errors: EINVAL unless p is as large as a buffer, ENXIO without an interface, EWOULDBLOCK, EINTR.
func (b *descriptor) Read(t *kern.Thread, f *kern.File, p []byte, _ int64) (int, error) {
	b.mu.Lock()
	size, bound, timeout := b.size, b.ifp != nil, b.timeout
	switch {
	case len(p) != size:
		b.mu.Unlock()
		return 0, abi.EINVAL
	case !bound:
		b.mu.Unlock()
		return 0, abi.ENXIO
	}
	timedOut := b.state == abi.BPF_TIMED_OUT
	b.stopTimer(abi.BPF_IDLE)
	now := timedOut || f.Nonblock()
	b.mu.Unlock()
	if timeout == 0 {
		timeout = kern.Forever
	}
	if !now {
		if err := b.await(t, timeout); err != nil {
			return 0, err
		}
	}
	n, gone := b.take(p)
	switch {
	case n == 0 && gone:
		return 0, abi.ENXIO
	case n == 0 && f.Nonblock():
		return 0, abi.EWOULDBLOCK
	}
	return n, nil
}

// await waits until a read finds something, or the timeout. Errors: EINTR.
func (b *descriptor) await(t *kern.Thread, timeout time.Duration) error {
	err := t.WaitFor(&b.sel, timeout, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.readable()
	})
	if err == abi.EWOULDBLOCK {
		return nil
	}
	return err
}

// take moves what is held, or else what is stored, to a reader.
func (b *descriptor) take(p []byte) (n int, gone bool) {
	b.mu.Lock()
	if b.hold == nil && len(b.store) > 0 {
		b.rotate()
	}
	buf := b.hold
	b.hold = nil
	gone = b.gone
	b.mu.Unlock()
	n = copy(p, buf)
	b.mu.Lock()
	defer b.mu.Unlock()
	if buf != nil && cap(buf) == b.size && b.spare == nil && b.allocated != 0 {
		b.spare = buf[:0]
	}
	return n, gone
}

// Poll is POLLOUT always; POLLIN as Read would not wait. Whoever polls begins to wait for the read timeout.
func (b *descriptor) Poll(_ *kern.File, events int) int {
	ready := events & (abi.POLLOUT | abi.POLLWRNORM)
	if events&(abi.POLLIN|abi.POLLRDNORM) == 0 {
		return ready
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readable() {
		return ready | events&(abi.POLLIN|abi.POLLRDNORM)
	}
	if b.timeout > 0 && b.state == abi.BPF_IDLE {
		b.state = abi.BPF_WAITING
		b.timer = time.AfterFunc(b.timeout, b.timedOut)
	}
	return ready
}

// timedOut ends the timeout of somebody who polls.
func (b *descriptor) timedOut() {
	b.mu.Lock()
	if b.state == abi.BPF_WAITING {
		b.state = abi.BPF_TIMED_OUT
	}
	wake := len(b.store) > 0
	b.mu.Unlock()
	if wake {
		b.sel.Notify(0)
	}
}

// stopTimer ends a timeout. b.mu held.
func (b *descriptor) stopTimer(state waitState) {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	b.state = state
}

// Selinfo is where packets are announced.
func (b *descriptor) Selinfo() *kern.Selinfo { return &b.sel }

// Knote is EVFILT_READ, with the number of bytes to read. Errors: EINVAL.
func (b *descriptor) Knote(_ *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	if filter != abi.EVFILT_READ {
		return nil, nil, abi.EINVAL
	}
	return &b.sel, func(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
		b.mu.Lock()
		defer b.mu.Unlock()
		data = int64(len(b.hold))
		if b.immediate {
			data += int64(len(b.store))
		}
		if b.gone {
			flags = abi.EV_EOF
		}
		return data > 0 || b.gone, data, 0, flags
	}, nil
}

// external is what net.bpf.peers shows.
func (b *descriptor) external() *abi.BpfDExt {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &abi.BpfDExt{
		Bufsize: int32(b.size), Promisc: uint8(flag(b.promisc)), State: uint8(b.state), Immediate: uint8(flag(b.immediate)),
		Hdrcmplt: int32(flag(b.hdrcmplt)), Seesent: int32(flag(b.seesent)), Pid: b.pid, Rcount: b.recv, Dcount: b.drop, Ccount: b.capt,
	}
	if b.ifp != nil {
		copy(e.Ifname[:], b.ifp.Name)
	}
	return e
}

// flag is a bool as an int of C.
func flag(v bool) uint32 {
	if v {
		return 1
	}
	return 0
}
