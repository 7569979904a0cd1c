package vfs

import (
	"encoding/binary"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// fifo is what the opens of a named pipe share: mkfifo(2). It lives from the first open to the last close.
type fifo struct {
	pipe  kern.Pipe
	opens int // guarded by the vnode's fifoMu

	sel kern.Selinfo // somebody has opened or closed it, there are bytes or there is room

	mu      sync.Mutex
	readers uint64 // opens for reading ever
	writers uint64 // opens for writing ever
}

func newFifo() *fifo {
	q := new(fifo)
	tell := func(uint32, int64) { q.sel.Notify(0) }
	readable, writable := q.pipe.Selinfos()
	readable.Watch(&kern.Watcher{Notify: tell})
	writable.Watch(&kern.Watcher{Notify: tell})
	return q
}

// fifoFile is an open fifo.
type fifoFile struct {
	openVnode
	fifo        *fifo
	read, write bool
}

var (
	_ vnodeFile   = (*fifoFile)(nil)
	_ kern.Reader = (*fifoFile)(nil)
	_ kern.Writer = (*fifoFile)(nil)
	_ kern.Poller = (*fifoFile)(nil)
)

// openFifo opens a fifo as a file of face: for reading it waits for a writer, for writing for a reader, unless O_NONBLOCK is given or both are
// asked for.
//
// Errors: ENXIO for O_WRONLY and O_NONBLOCK without a reader, EINTR.
func (vp *Vnode) openFifo(t *kern.Thread, face *Vnode, fflags uint32) (vnodeFile, error) {
	ff := &fifoFile{openVnode: vp.opened(face), read: fflags&abi.FREAD != 0, write: fflags&abi.FWRITE != 0}
	vp.fifoMu.Lock()
	if vp.fifo == nil {
		vp.fifo = newFifo()
	}
	q := vp.fifo
	q.opens++
	vp.fifoMu.Unlock()
	ff.fifo = q
	hadReaders, hadWriters := q.enter(ff.read, ff.write)
	var err error
	switch nonblock := fflags&abi.O_NONBLOCK != 0; {
	case ff.read && ff.write:
	case ff.write && nonblock:
		if q.pipe.Readers() == 0 {
			err = abi.ENXIO
		}
	case nonblock:
	case ff.read:
		err = q.await(t, func() bool { return q.pipe.Writers() > 0 || q.pipe.Buffered() > 0 || q.writers != hadWriters })
	default:
		err = q.await(t, func() bool { return q.pipe.Readers() > 0 || q.readers != hadReaders })
	}
	if err != nil {
		ff.detach()
		return nil, err
	}
	return ff, nil
}

// enter counts an open and says how many there were before.
func (q *fifo) enter(read, write bool) (hadReaders, hadWriters uint64) {
	q.mu.Lock()
	hadReaders, hadWriters = q.readers, q.writers
	if read {
		q.readers++
	}
	if write {
		q.writers++
	}
	q.mu.Unlock()
	q.pipe.Attach(read, write)
	return hadReaders, hadWriters
}

// await waits for another open; ready is called with q locked. Somebody who came and has left again counts.
func (q *fifo) await(t *kern.Thread, ready func() bool) error {
	return t.WaitFor(&q.sel, kern.Forever, func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return ready()
	})
}

// detach undoes the open; the last one drops what is in the fifo.
func (ff *fifoFile) detach() {
	ff.fifo.pipe.Detach(ff.read, ff.write)
	ff.leaf.fifoMu.Lock()
	defer ff.leaf.fifoMu.Unlock()
	if ff.fifo.opens--; ff.fifo.opens == 0 && ff.leaf.fifo == ff.fifo {
		ff.leaf.fifo = nil
	}
}

// Close closes one open of the fifo.
func (ff *fifoFile) Close(t *kern.Thread, f *kern.File) error {
	ff.detach()
	return ff.openVnode.Close(t, f)
}

// Read takes bytes out; 0 without writers.
func (ff *fifoFile) Read(t *kern.Thread, f *kern.File, p []byte, _ int64) (int, error) {
	n, err := ff.fifo.pipe.Read(t, p, f.Nonblock())
	if n > 0 {
		ff.touch(Atime)
	}
	return n, err
}

// Write puts bytes in. Errors: EPIPE, and SIGPIPE, without readers.
func (ff *fifoFile) Write(t *kern.Thread, f *kern.File, p []byte, _ int64) (int, error) {
	n, err := ff.fifo.pipe.Write(t, p, f.Nonblock())
	if n > 0 {
		ff.touch(Mtime | Ctime)
	}
	return n, err
}

func (ff *fifoFile) touch(which TimeMask) {
	if ff.leaf.rlock() == nil {
		ff.leaf.touch(which)
		ff.leaf.mu.RUnlock()
	}
}

// Poll says what can be done without waiting.
func (ff *fifoFile) Poll(_ *kern.File, events int) int {
	return ff.fifo.pipe.Poll(events, ff.read, ff.write)
}

// Selinfo is where changes of Poll are told.
func (ff *fifoFile) Selinfo() *kern.Selinfo { return &ff.fifo.sel }

// Knote watches the bytes and the room in the fifo, and the vnode's events.
func (ff *fifoFile) Knote(f *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	if filter == abi.EVFILT_VNODE {
		return ff.openVnode.Knote(f, filter)
	}
	return ff.fifo.pipe.Knote(filter)
}

// Ioctl knows FIONREAD, FIONWRITE and FIONSPACE.
func (ff *fifoFile) Ioctl(t *kern.Thread, f *kern.File, cmd uint32, data []byte) error {
	switch cmd {
	case abi.FIONREAD, abi.FIONWRITE:
		binary.LittleEndian.PutUint32(data, uint32(ff.fifo.pipe.Buffered()))
		return nil
	case abi.FIONSPACE:
		binary.LittleEndian.PutUint32(data, uint32(ff.fifo.pipe.Room()))
		return nil
	}
	return ff.openVnode.Ioctl(t, f, cmd, data)
}
