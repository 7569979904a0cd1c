package kern

import (
	"slices"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// maxProc is the most processes that a kernel has, kernel and init included. It stands well above the
// server's limit of clients: each may have forked.
const maxProc = 1 << 16

// firstPID is the pid of the first client: 0 is the kernel and 1 is init.
const firstPID = 2

// proctab is the table of processes.
type proctab struct {
	k     *Kernel
	proc0 *Proc

	mu       sync.Mutex
	newCwdi  func(*Proc) Cwdinfo // makes the file system state of a process that is not forked from another
	procs    map[int]*Proc
	groups   idCount // members of each process group
	sessions idCount // members of each session
	next     int
}

// idCount counts the processes that have a number, of a group or a session.
type idCount map[int]int

func (c idCount) add(id, n int) {
	if c[id] += n; c[id] == 0 {
		delete(c, id)
	}
}

func (pt *proctab) init(k *Kernel) {
	pt.k, pt.procs, pt.next = k, map[int]*Proc{}, firstPID
	pt.groups, pt.sessions = idCount{}, idCount{}
	pt.proc0 = pt.newProc(0, "system")
	pt.enter(pt.proc0)
	pt.enter(pt.newProc(1, "init"))
}

// newProc makes a process with root's credentials, in its own process group and session.
func (pt *proctab) newProc(pid int, name string) *Proc {
	p := &Proc{K: pt.k, PID: pid, name: name, pgid: pid, session: &Session{sid: pid}, ppid: 1, limits: defaultLimits(),
		corename: defaultCorename, gone: make(chan struct{}), idle: make(chan struct{})}
	if pid <= 1 {
		p.ppid = 0
	}
	p.SetCred(&Cred{})
	p.Desc.init(p)
	p.timers.proc = p
	return p
}

// enter makes a process known; called with the lock held, or before there is anybody else.
func (pt *proctab) enter(p *Proc) {
	pt.procs[p.PID] = p
	pt.groups.add(p.pgid, +1)
	pt.sessions.add(p.session.sid, +1)
}

// add makes a process with the next free pid; parent is nil when it is not forked.
//
// Errors: EAGAIN past the limits of processes, of the kernel or of the user; ESRCH when the parent exits.
func (pt *proctab) add(name string, parent *Proc) (*Proc, error) {
	pt.mu.Lock()
	defer pt.mu.Unlock()
	if len(pt.procs) >= maxProc || parent != nil && pt.pastUserLimit(parent) {
		return nil, abi.EAGAIN
	}
	for pt.idTaken(pt.next) {
		pt.advance()
	}
	p := pt.newProc(pt.next, name)
	if parent != nil {
		if err := p.inherit(parent); err != nil {
			return nil, err
		}
	}
	pt.enter(p)
	pt.advance()
	return p, nil
}

// idTaken says whether a pid is in use: by a process, or as the number of a process group or a session that
// has outlived its leader. Called with the lock held.
func (pt *proctab) idTaken(pid int) bool {
	return pt.procs[pid] != nil || pt.groups[pid] > 0 || pt.sessions[pid] > 0
}

// pastUserLimit says whether the user of a process has as many as it may; the superuser may have any number.
// Called with the lock held.
func (pt *proctab) pastUserLimit(p *Proc) bool {
	c := p.Cred()
	if c.Root() {
		return false
	}
	procs, _ := pt.countUser(c.Ruid)
	return uint64(procs) >= p.Rlimit(abi.RLIMIT_NPROC).Cur
}

// countUser counts a user's processes and their threads; called with the lock held.
func (pt *proctab) countUser(uid uint32) (procs, lwps int) {
	for _, p := range pt.procs {
		if p.Cred().Ruid == uid {
			procs++
			p.mu.Lock()
			lwps += p.nthreads
			p.mu.Unlock()
		}
	}
	return procs, lwps
}

// advance goes on to the next pid; they begin again after 2 * maxProc so that a pid is not reused at once.
func (pt *proctab) advance() {
	if pt.next++; pt.next >= 2*maxProc {
		pt.next = firstPID
	}
}

// remove takes an exited process out and gives its children to init.
func (pt *proctab) remove(p *Proc) {
	pt.mu.Lock()
	defer pt.mu.Unlock()
	delete(pt.procs, p.PID)
	p.mu.Lock()
	pgid, sid, forked := p.pgid, p.session.sid, p.forked
	p.mu.Unlock()
	pt.groups.add(pgid, -1)
	pt.sessions.add(sid, -1)
	if !forked {
		return
	}
	for _, c := range pt.procs {
		c.mu.Lock()
		if c.ppid == p.PID {
			c.ppid = 1
		}
		c.mu.Unlock()
	}
}

// NewProc makes a process, a child of init, as a new client gets: superuser, descriptors 0, 1 and 2 on the console.
//
// Errors: EAGAIN past the limit of processes, ENXIO when the kernel has halted.
func (k *Kernel) NewProc(name string) (*Proc, error) {
	if k.halting.Load() {
		return nil, abi.ENXIO
	}
	p, err := k.procs.add(name, nil)
	if err != nil {
		return nil, err
	}
	k.procs.mu.Lock()
	newCwdi := k.procs.newCwdi
	k.procs.mu.Unlock()
	if newCwdi != nil {
		p.Cwdi = newCwdi(p)
	}
	p.Desc.openConsole(k)
	return p, nil
}

// SetCwdinfo has f make the directories of each new process; for the file system faction's Attach.
// The processes that are there get theirs now.
func (k *Kernel) SetCwdinfo(f func(*Proc) Cwdinfo) {
	k.procs.mu.Lock()
	k.procs.newCwdi = f
	k.procs.mu.Unlock()
	for _, p := range k.Procs() {
		p.Cwdi = f(p)
	}
}

// Proc finds a process by pid; nil when there is none.
func (k *Kernel) Proc(pid int) *Proc {
	k.procs.mu.Lock()
	defer k.procs.mu.Unlock()
	return k.procs.procs[pid]
}

// Procs lists the processes by pid.
func (k *Kernel) Procs() []*Proc {
	k.procs.mu.Lock()
	defer k.procs.mu.Unlock()
	list := make([]*Proc, 0, len(k.procs.procs))
	for _, p := range k.procs.procs {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *Proc) int { return a.PID - b.PID })
	return list
}
