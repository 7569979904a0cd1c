package sh

import (
	"context"
	"io"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

const (
	pipeSize   = 64 << 10 // how much a pipe holds
	pipeAtomic = 512      // PIPE_BUF: as much is written in one piece
)

// pipe connects two commands inside this program: its bytes never travel to the kernel.
type pipe struct {
	mu               sync.Mutex
	changed          *sync.Cond
	buf              []byte
	readers, writers int // ends in use
}

// newPipe returns the two ends of a pipe, each in use once.
func newPipe() (pipeReader, pipeWriter) {
	p := &pipe{readers: 1, writers: 1}
	p.changed = sync.NewCond(&p.mu)
	return pipeReader{p}, pipeWriter{p}
}

// wait waits, with the lock, until ready returns true. It returns the error of ctx if that is done
// first.
func (p *pipe) wait(ctx context.Context, ready func() bool) error {
	if ready() {
		return nil
	}
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.changed.Broadcast()
	})
	defer stop()
	for !ready() {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.changed.Wait()
	}
	return nil
}

// count changes the number of ends in use.
func (p *pipe) count(n *int, by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*n += by
	p.changed.Broadcast()
}

// pipeReader is the end that is read from.
type pipeReader struct{ *pipe }

func (r pipeReader) read(ctx context.Context, b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.wait(ctx, func() bool { return len(r.buf) > 0 || r.writers == 0 })
	if err != nil {
		return 0, err
	}
	if len(r.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.buf)
	r.buf = r.buf[:copy(r.buf, r.buf[n:])]
	r.changed.Broadcast()
	return n, nil
}

func (r pipeReader) write(context.Context, []byte) (int, error) { return 0, abi.EBADF }
func (r pipeReader) close()                                     { r.count(&r.readers, -1) }

func (r pipeReader) fork(*client.Process) openFile {
	r.count(&r.readers, 1)
	return r
}

// pipeWriter is the end that is written to.
type pipeWriter struct{ *pipe }

func (w pipeWriter) read(context.Context, []byte) (int, error) { return 0, abi.EBADF }

// write writes all of b. Errors: io.ErrClosedPipe if nobody will read it.
func (w pipeWriter) write(ctx context.Context, b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	total := 0
	for {
		need := 1
		if len(b) <= pipeAtomic {
			need = len(b)
		}
		err := w.wait(ctx, func() bool { return w.readers == 0 || pipeSize-len(w.buf) >= need })
		if err != nil {
			return total, err
		}
		if w.readers == 0 {
			return total, io.ErrClosedPipe
		}
		n := min(len(b)-total, pipeSize-len(w.buf))
		w.buf = append(w.buf, b[total:total+n]...)
		total += n
		w.changed.Broadcast()
		if total == len(b) {
			return total, nil
		}
	}
}

func (w pipeWriter) close() { w.count(&w.writers, -1) }

func (w pipeWriter) fork(*client.Process) openFile {
	w.count(&w.writers, 1)
	return w
}
