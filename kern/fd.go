package kern

import (
	"slices"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Filedesc is a process's descriptor table.
type Filedesc struct {
	proc *Proc

	mu    sync.RWMutex
	slots []fdslot
	free  int // no slot below is free
	kqs   []*kqueue
}

type fdslot struct {
	file    *File
	cloexec bool
}

func (d *Filedesc) init(p *Proc) { d.proc = p }

// limit is the number of descriptors that the process may have.
func (d *Filedesc) limit() int {
	return int(min(d.proc.Rlimit(abi.RLIMIT_NOFILE).Cur, maxDescriptors))
}

// maxDescriptors bounds descriptor tables whatever the limit says.
const maxDescriptors = 1 << 16

// Get is the file behind a descriptor, held: the caller releases it. Errors: EBADF.
func (d *Filedesc) Get(fd int) (*File, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if fd < 0 || fd >= len(d.slots) || d.slots[fd].file == nil {
		return nil, abi.EBADF
	}
	f := d.slots[fd].file
	f.Hold()
	return f, nil
}

// Alloc gives f the lowest free descriptor, at least from; the table takes over the caller's reference.
//
// Errors: EMFILE (f keeps the caller's reference), EINVAL for a from outside the limit.
func (d *Filedesc) Alloc(f *File, from int, cloexec bool) (int, error) {
	limit := d.limit()
	d.mu.Lock()
	defer d.mu.Unlock()
	if from < 0 || from > 0 && from >= limit {
		return -1, abi.EINVAL
	}
	fd := max(from, d.free)
	for fd < len(d.slots) && d.slots[fd].file != nil {
		fd++
	}
	if fd >= limit {
		return -1, abi.EMFILE
	}
	d.set(fd, f, cloexec)
	if from <= d.free {
		d.free = fd + 1
	}
	return fd, nil
}

// Full says whether there is no descriptor left for Alloc: accept(2) takes no connection then.
func (d *Filedesc) Full() bool {
	limit := d.limit()
	d.mu.RLock()
	defer d.mu.RUnlock()
	fd := d.free
	for fd < len(d.slots) && d.slots[fd].file != nil {
		fd++
	}
	return fd >= limit
}

// set fills a slot; called with the lock held.
func (d *Filedesc) set(fd int, f *File, cloexec bool) {
	for fd >= len(d.slots) {
		d.slots = append(d.slots, fdslot{})
	}
	d.slots[fd] = fdslot{f, cloexec}
}

// Replace makes fd refer to f, as dup2(2) does, closing what was there, whatever its Close says; the table takes over the
// caller's reference.
//
// Errors: EBADF for a descriptor outside the limit (f keeps the caller's reference).
func (d *Filedesc) Replace(t *Thread, fd int, f *File, cloexec bool) error {
	if fd < 0 || fd >= d.limit() {
		return abi.EBADF
	}
	d.mu.Lock()
	var old *File
	if fd < len(d.slots) {
		old = d.slots[fd].file
	}
	d.set(fd, f, cloexec)
	d.mu.Unlock()
	if old != nil {
		d.closed(t, fd, old)
	}
	return nil
}

// Close frees a descriptor and returns what closing its file says. Errors: EBADF.
func (d *Filedesc) Close(t *Thread, fd int) error {
	d.mu.Lock()
	if fd < 0 || fd >= len(d.slots) || d.slots[fd].file == nil {
		d.mu.Unlock()
		return abi.EBADF
	}
	f := d.slots[fd].file
	d.slots[fd] = fdslot{}
	d.free = min(d.free, fd)
	d.mu.Unlock()
	return d.closed(t, fd, f)
}

// closed is called for a descriptor that has been taken out of the table.
func (d *Filedesc) closed(t *Thread, fd int, f *File) error {
	d.mu.RLock()
	kqs := slices.Clone(d.kqs)
	d.mu.RUnlock()
	for _, kq := range kqs {
		kq.dropFile(fd, f)
	}
	return f.closeDescriptor(t)
}

// addKqueue has the table tell kq of descriptors that are closed.
func (d *Filedesc) addKqueue(kq *kqueue) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kqs = append(d.kqs, kq)
}

func (d *Filedesc) removeKqueue(kq *kqueue) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.kqs, kq); i >= 0 {
		d.kqs = slices.Delete(d.kqs, i, i+1)
	}
}

// DescriptorCloser is implemented by Ops that act when any descriptor of a process is closed, not only the
// last: advisory record locks of fcntl(2) go then. kqueue drops the descriptor's events by its own means.
type DescriptorCloser interface {
	CloseDescriptor(t *Thread, f *File)
}

func (f *File) closeDescriptor(t *Thread) error {
	if c, ok := f.Ops.(DescriptorCloser); ok {
		c.CloseDescriptor(t, f)
	}
	return f.Release(t)
}

// Cloexec reads a descriptor's close-on-exec flag. Errors: EBADF.
func (d *Filedesc) Cloexec(fd int) (bool, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if fd < 0 || fd >= len(d.slots) || d.slots[fd].file == nil {
		return false, abi.EBADF
	}
	return d.slots[fd].cloexec, nil
}

// SetCloexec sets a descriptor's close-on-exec flag. Errors: EBADF.
func (d *Filedesc) SetCloexec(fd int, on bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if fd < 0 || fd >= len(d.slots) || d.slots[fd].file == nil {
		return abi.EBADF
	}
	d.slots[fd].cloexec = on
	return nil
}

// Open calls f for each open descriptor, in order, without the table's lock.
func (d *Filedesc) Open(f func(fd int, file *File)) {
	d.mu.RLock()
	slots := append([]fdslot(nil), d.slots...)
	for _, s := range slots {
		if s.file != nil {
			s.file.Hold()
		}
	}
	d.mu.RUnlock()
	t := d.proc.internalThread()
	for fd, s := range slots {
		if s.file != nil {
			f(fd, s.file)
			s.file.Release(t)
		}
	}
}

// copyFrom fills an empty table with a parent's descriptors; a kqueue is not inherited.
func (d *Filedesc) copyFrom(parent *Filedesc) {
	parent.mu.RLock()
	defer parent.mu.RUnlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	for fd, s := range parent.slots {
		if s.file == nil || s.file.Type == abi.DTYPE_KQUEUE {
			continue
		}
		s.file.Hold()
		d.set(fd, s.file, s.cloexec)
	}
}

// last is the highest descriptor that is open; -1 when there is none.
func (d *Filedesc) last() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	fd := len(d.slots) - 1
	for fd >= 0 && d.slots[fd].file == nil {
		fd--
	}
	return fd
}

// closeFrom closes fd and all descriptors above it. Errors: EBADF for a negative one.
func (d *Filedesc) closeFrom(t *Thread, fd int) error {
	if fd < 0 {
		return abi.EBADF
	}
	d.closeWhere(t, func(n int, _ fdslot) bool { return n >= fd })
	return nil
}

func (d *Filedesc) closeOnExec(t *Thread) {
	d.closeWhere(t, func(_ int, s fdslot) bool { return s.cloexec })
}

func (d *Filedesc) closeAll(t *Thread) { d.closeWhere(t, func(int, fdslot) bool { return true }) }

func (d *Filedesc) closeWhere(t *Thread, cond func(int, fdslot) bool) {
	d.mu.Lock()
	closing := make([]*File, len(d.slots))
	for fd, s := range d.slots {
		if s.file != nil && cond(fd, s) {
			closing[fd] = s.file
			d.slots[fd] = fdslot{}
			d.free = min(d.free, fd)
		}
	}
	d.mu.Unlock()
	for fd, f := range closing {
		if f != nil {
			d.closed(t, fd, f)
		}
	}
}
