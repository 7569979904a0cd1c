package local

import (
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// inFlight is how many files are on their way in messages.
func (d *Domain) inFlight() int {
	n := 0
	for _, p := range d.all() {
		p.q.Files(func(*kern.File) { n++ })
	}
	return n
}

// all are the domain's ends, those that wait to be accepted among them.
func (d *Domain) all() []*pcb {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]*pcb, 0, len(d.pcbs))
	for p := range d.pcbs {
		list = append(list, p)
	}
	return list
}

// DescriptorClosed is called when a descriptor of the socket is about to drop its reference to f: if that was the last that a process
// has, messages may be left that hold each other's sockets.
func (p *pcb) DescriptorClosed(t *kern.Thread, f *kern.File) { p.d.collect(t, f) }

// collect drops the messages of sockets that only messages hold which nobody can receive, as unp_gc of the original does: a socket that has
// been sent over itself would stay for ever. closing, when not nil, is a file that is about to lose a reference.
//
// A socket that is held otherwise than by messages is in use, and so is what messages to sockets in use hold. The rest is garbage.
func (d *Domain) collect(t *kern.Thread, closing *kern.File) {
	if !d.passed.Load() {
		return
	}
	if !d.passing.TryLock() { // this thread may be in the middle of passing a file itself
		go d.collectLater()
		return
	}
	d.sweep(t, closing)
}

// collectLater collects when no file is being passed.
func (d *Domain) collectLater() {
	d.passing.Lock()
	d.sweep(d.k.KernelThread(), nil)
}

// sweep is called with passing locked, and gives it up.
func (d *Domain) sweep(t *kern.Thread, closing *kern.File) {
	garbage := d.garbage(closing)
	d.passing.Unlock()
	for _, p := range garbage {
		p.q.Close(t)
	}
}

// garbage finds the sockets that nobody can reach; called while no file is being passed.
func (d *Domain) garbage(closing *kern.File) []*pcb {
	held := map[*pcb][]*kern.File{} // what the messages to a socket hold
	flying := map[*kern.File]int{}
	for _, p := range d.all() {
		p.q.Files(func(f *kern.File) {
			held[p] = append(held[p], f)
			flying[f]++
		})
	}
	d.passed.Store(len(flying) > 0)
	// Only sockets that messages hold can be garbage; all others, and what waits to be accepted by them, are where marking begins.
	suspect := map[*pcb]bool{}
	for f, n := range flying {
		refs := f.Refs()
		if f == closing {
			refs--
		}
		if p := endOf(f); p != nil && refs <= n {
			suspect[p] = true
		}
	}
	if len(suspect) == 0 {
		return nil
	}
	d.mark(suspect, held)
	var garbage []*pcb
	for p := range suspect {
		garbage = append(garbage, p)
	}
	return garbage
}

// mark takes out of suspect what can be reached.
func (d *Domain) mark(suspect map[*pcb]bool, held map[*pcb][]*kern.File) {
	var waiting []*pcb
	for p := range suspect {
		waiting = append(waiting, p.unaccepted()...)
	}
	for _, end := range waiting {
		suspect[end] = true
	}
	var reached []*pcb
	for p := range held {
		if !suspect[p] {
			reached = append(reached, p)
		}
	}
	for len(reached) > 0 {
		p := reached[len(reached)-1]
		reached = reached[:len(reached)-1]
		for _, f := range held[p] {
			to := endOf(f)
			if to == nil || !suspect[to] {
				continue
			}
			for _, q := range append(to.unaccepted(), to) {
				delete(suspect, q)
				reached = append(reached, q)
			}
		}
	}
}

// unaccepted are the connections that wait at a socket.
func (p *pcb) unaccepted() []*pcb {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	return append([]*pcb(nil), p.waiting...)
}

// endOf is the end of a local socket's file; nil for another file.
func endOf(f *kern.File) *pcb {
	so, ok := f.Ops.(*socket.Socket)
	if !ok {
		return nil
	}
	p, _ := so.Protocol().(*pcb)
	return p
}
