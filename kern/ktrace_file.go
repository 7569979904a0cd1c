package kern

import (
	"io"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// ktraceFile is a file that records go to: of one process or of many.
//
// Records are made wherever something happens, under whatever locks; they are queued. What is queued is written by the
// threads of traced processes when a call begins and when it ends, one of them at a time, with no lock of the kernel held:
// when a call has returned, its records are in the file, unless another thread is writing to it.
type ktraceFile struct {
	k *Kernel
	f *File

	mu      sync.Mutex
	refs    int           // traced processes, calls at work, the thread that writes; none: the file is closed
	queue   []byte        // whole records, but for a first one that has been written in part
	spare   []byte        // for the next queue
	failed  bool          // it could not be written to: nothing is queued any more
	writing chan struct{} // closed when the thread that writes has done so; nil when there is none
}

// maxKtraceQueue is how many bytes of records are queued before those who make them wait for the thread that writes.
const maxKtraceQueue = 1 << 20

// hold takes a reference, unless there is none any more.
func (d *ktraceFile) hold() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refs == 0 {
		return false
	}
	d.refs++
	return true
}

// release writes what is queued and drops a reference. The last one closes the file.
func (d *ktraceFile) release(t *Thread) {
	d.flush(t)
	d.drop(t)
}

func (d *ktraceFile) drop(t *Thread) {
	d.mu.Lock()
	d.refs--
	last := d.refs == 0
	if last {
		d.queue, d.spare = nil, nil
	}
	d.mu.Unlock()
	if last {
		d.f.Release(t)
	}
}

// add queues a record.
func (d *ktraceFile) add(h *abi.KtrHeader, parts ...[]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refs == 0 || d.failed {
		return
	}
	d.queue = h.Append(d.queue)
	for _, p := range parts {
		d.queue = append(d.queue, p...)
	}
}

// flush writes what is queued, or waits for the thread that does when that is much. It waits as the caller of a pipe
// does: the end of the process interrupts it, and what is left stays in the queue.
func (d *ktraceFile) flush(t *Thread) {
	d.mu.Lock()
	if len(d.queue) == 0 { // as when it is closed
		d.mu.Unlock()
		return
	}
	if wait := d.writing; wait != nil {
		full := len(d.queue) > maxKtraceQueue
		d.mu.Unlock()
		if full {
			t.Sleep(wait, time.Time{})
		}
		return
	}
	done := make(chan struct{})
	d.writing = done
	d.refs++
	defer d.drop(t)
	err := d.writeQueue(t)
	d.writing = nil
	d.mu.Unlock()
	close(done)
	if err != nil {
		d.fail(t, err)
	}
}

// writeQueue writes until the queue is empty. It is called with the lock held, and gives it up for writing.
func (d *ktraceFile) writeQueue(t *Thread) error {
	for len(d.queue) > 0 {
		b := d.queue
		d.queue, d.spare = d.spare[:0], nil
		d.mu.Unlock()
		n, err := d.write(t, b)
		d.mu.Lock()
		if n < len(b) {
			d.queue = append(b[n:], d.queue...)
		} else {
			d.spare = b
		}
		if err == abi.EINTR || err == abi.ERESTART {
			return nil
		}
		if err != nil {
			d.queue, d.failed = nil, true
			return err
		}
	}
	return nil
}

// write writes to the file: one with offsets as the kernel itself, so that neither limits of the traced process count
// nor its identity; another one, which may have to be waited for, as the thread at hand.
func (d *ktraceFile) write(t *Thread, b []byte) (int, error) {
	w, ok := d.f.Ops.(Writer)
	if !ok {
		return 0, abi.EBADF
	}
	if _, ok := d.f.Ops.(Seeker); ok {
		t = d.k.KernelThread()
	}
	n, err := w.Write(t, d.f, b, Current)
	if n < len(b) && err == nil {
		err = abi.ToErrno(io.ErrShortWrite)
	}
	return n, err
}

// fail ends the tracing of every process to a file that cannot be written to. A reader that has gone is nothing to speak of.
func (d *ktraceFile) fail(t *Thread, err error) {
	if err != abi.EPIPE {
		d.k.Logf("ktrace write failed, errno %d, tracing stopped", int(abi.ToErrno(err)))
	}
	for _, p := range d.k.Procs() {
		if kt := p.ktrace.Load(); kt != nil && kt.to == d {
			p.ktraceEnd(t, d)
		}
	}
}
