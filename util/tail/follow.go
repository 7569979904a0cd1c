package tail

import (
	"context"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// queue is an event queue of the kernel that tells when something happens to a file.
type queue struct {
	sys *client.Sys
	fd  int
}

// changes are what may happen to a file that there is more to read of, or another file by its name.
const changes = abi.NOTE_WRITE | abi.NOTE_EXTEND | abi.NOTE_ATTRIB | abi.NOTE_DELETE | abi.NOTE_RENAME | abi.NOTE_REVOKE

// watch returns a queue for a file, before it is read: what is appended meanwhile is not missed. It is nil if the file is the
// host's, or on a file system that tells nothing.
func (p *printer) watch(f *file) *queue {
	in, ok := f.r.(*client.File)
	if !ok {
		return nil
	}
	sys := p.env.Proc.Sys()
	fd, err := sys.Kqueue(abi.O_CLOEXEC)
	if err != nil {
		return nil
	}
	q := &queue{sys, fd}
	event := abi.Kevent{
		Ident: uint64(in.Fd()), Filter: abi.EVFILT_VNODE, Flags: abi.EV_ADD | abi.EV_CLEAR, Fflags: changes,
	}
	if f.st.Mode&abi.S_IFMT != abi.S_IFREG {
		event.Filter, event.Fflags = abi.EVFILT_READ, 0
	}
	if _, err := sys.Kevent(fd, []abi.Kevent{event}, nil, nil); err != nil {
		q.close()
		return nil
	}
	return q
}

// close closes the queue, if there is one.
func (q *queue) close() {
	if q != nil {
		q.sys.Close(q.fd)
	}
}

// Where nothing tells of changes they are looked for this often, and another file by the same name always.
const (
	pollInterval = time.Second
	nameInterval = 5 * time.Second
)

// wait waits until there may be more to read. With -F that may be in another file, which f is then, with a queue of its own.
func (p *printer) wait(ctx context.Context, q *queue, f *file) (*queue, error) {
	if err := p.sleep(ctx, q); err != nil {
		return q, err
	}
	if !p.rename {
		return q, nil
	}
	if !p.moved(f) {
		return q, nil
	}
	q.close()
	return p.reopen(f)
}

// reopen opens the file that has the name now, to be read from its beginning.
func (p *printer) reopen(f *file) (*queue, error) {
	f.close()
	in, err := p.env.Proc.Open(f.name)
	if err != nil {
		return nil, err
	}
	f.r = in
	if err := p.env.Proc.Sys().Fstat(in.Fd(), &f.st); err != nil {
		return nil, err
	}
	return p.watch(f), nil
}

// sleep waits for an event, or as long as it takes to look again.
func (p *printer) sleep(ctx context.Context, q *queue) error {
	if q == nil {
		timer := time.NewTimer(pollInterval)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var timeout *abi.Timespec
	if p.rename {
		timeout = &abi.Timespec{Sec: int64(nameInterval / time.Second)}
	}
	_, err := q.sys.Kevent(q.fd, nil, make([]abi.Kevent, 1), timeout)
	return err
}

// moved tells whether the name is another file's, or the file has become shorter. Without a file of that name the old one is
// followed on.
func (p *printer) moved(f *file) bool {
	var st abi.Stat
	if p.env.Proc.Sys().Stat(f.name, &st) != nil {
		return false
	}
	if st.Dev != f.st.Dev || st.Ino != f.st.Ino || st.Size < f.st.Size {
		return true
	}
	f.st.Size = st.Size
	return false
}
