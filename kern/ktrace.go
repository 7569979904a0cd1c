package kern

import (
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
)

// ktrace is what a process has that is traced by ktrace(2): where its records go and which it makes. The flags never
// change: what changes them replaces the whole. A process that is not traced has none: looking at that one pointer is all
// that it pays.
type ktrace struct {
	to      *ktraceFile
	facs    uint32      // KTRFAC_* points, KTRFAC_INHERIT, KTRFAC_PERSISTENT
	version int16       // of the records' headers: 0, 1 or 2
	emul    atomic.Bool // a record of KTR_EMUL comes before the next one
}

func newKtrace(to *ktraceFile, facs uint32, version int16) *ktrace {
	kt := &ktrace{to: to, facs: facs, version: version}
	kt.emul.Store(kt.has(abi.KTR_EMUL))
	return kt
}

// has says whether records of a type are wanted.
func (kt *ktrace) has(typ int16) bool { return kt.facs&(1<<typ) != 0 }

// ktraceFacs are the flags that ktrace(2) takes.
const ktraceFacs = abi.KTRFAC_MASK | abi.KTRFAC_INHERIT

// maxKtraceVersion is the newest version of the records' headers.
const maxKtraceVersion = abi.KTRFACv2 >> abi.KTRFAC_VER_SHIFT

// Ktrace is ktrace(2) and fktrace(2) but for finding the file. f is where the records go, nil for KTROP_CLEAR; same says
// whether an open file is the same one as f. pid is negative for a process group. The caller keeps its reference of f.
//
// Errors: EINVAL for no points, or an unknown operation or version; ESRCH; EPERM when none of the processes, for
// KTROP_CLEARFILE when any of them, may be traced by the caller.
func (t *Thread) Ktrace(f *File, ops, facs uint32, pid int, same func(*File) bool) error {
	op, version := ops&abi.KTROP_MASK, ops&abi.KTRFAC_VER_MASK>>abi.KTRFAC_VER_SHIFT
	facs &= ktraceFacs
	switch {
	case op > abi.KTROP_CLEARFILE || version > maxKtraceVersion:
		return abi.EINVAL
	case op == abi.KTROP_CLEARFILE:
		return t.ktraceClearFile(same)
	case facs == 0:
		return abi.EINVAL
	}
	targets, err := t.ktraceTargets(pid, ops&abi.KTRFLAG_DESCEND != 0)
	if err != nil {
		return err
	}
	change := func(p *Proc) { p.ktraceClear(t, facs) }
	if op == abi.KTROP_SET {
		to := t.K.ktraceFile(f, same)
		defer to.release(t)
		if t.Cred().Root() {
			facs |= abi.KTRFAC_PERSISTENT
		}
		change = func(p *Proc) { p.ktraceSet(t, to, facs, int16(version)) }
	}
	err = abi.EPERM
	for _, p := range targets {
		if t.canKtrace(p) {
			change(p)
			err = nil
		}
	}
	return err
}

// ktraceTargets are the processes that a pid, or a negative process group, stands for, with their descendants if these are
// meant too. Errors: ESRCH.
func (t *Thread) ktraceTargets(pid int, descend bool) ([]*Proc, error) {
	var targets []*Proc
	if pid < 0 {
		targets = t.K.Group(-pid)
	} else if p := t.K.Proc(pid); p != nil {
		targets = []*Proc{p}
	}
	if len(targets) == 0 {
		return nil, abi.ESRCH
	}
	if !descend {
		return targets, nil
	}
	children := map[int][]*Proc{}
	for _, p := range t.K.Procs() {
		children[p.PPID()] = append(children[p.PPID()], p)
	}
	known := map[*Proc]bool{}
	for _, p := range targets {
		known[p] = true
	}
	for i := 0; i < len(targets); i++ {
		for _, c := range children[targets[i].PID] {
			if !known[c] {
				known[c] = true
				targets = append(targets, c)
			}
		}
	}
	return targets, nil
}

// canKtrace says whether the caller may trace a process: one of its own user and group that has never been anybody
// else's, nor is traced by the superuser; the superuser may trace all.
func (t *Thread) canKtrace(p *Proc) bool {
	me, c := t.Cred(), p.Cred()
	if me.Root() {
		return true
	}
	if kt := p.ktrace.Load(); kt != nil && kt.facs&abi.KTRFAC_PERSISTENT != 0 {
		return false
	}
	return me.Euid == c.Ruid && c.Ruid == c.Svuid && me.Rgid == c.Rgid && c.Rgid == c.Svgid
}

// ktraceFile is where records for f go: what other processes write to already if that is the same file. The caller
// releases it.
func (k *Kernel) ktraceFile(f *File, same func(*File) bool) *ktraceFile {
	for _, p := range k.Procs() {
		if kt := p.ktrace.Load(); kt != nil && same(kt.to.f) && kt.to.hold() {
			return kt.to
		}
	}
	f.Hold()
	return &ktraceFile{k: k, f: f, refs: 1}
}

// ktraceClearFile ends the tracing of all processes to a file.
func (t *Thread) ktraceClearFile(same func(*File) bool) error {
	var err error
	for _, p := range t.K.Procs() {
		kt := p.ktrace.Load()
		if kt == nil || !same(kt.to.f) {
			continue
		}
		if t.canKtrace(p) {
			p.ktraceEnd(t, kt.to)
		} else {
			err = abi.EPERM
		}
	}
	return err
}

// ktraceSet has the process traced to a file, in which it adds points to those that it has.
func (p *Proc) ktraceSet(t *Thread, to *ktraceFile, facs uint32, version int16) {
	p.ktraceReplace(t, func(old *ktrace) *ktrace {
		if old != nil {
			facs |= old.facs
		}
		if p.exited || !to.hold() {
			return old
		}
		return newKtrace(to, facs, version)
	})
}

// ktraceClear takes points away from a traced process.
func (p *Proc) ktraceClear(t *Thread, facs uint32) {
	p.ktraceReplace(t, func(old *ktrace) *ktrace {
		if old == nil || old.facs&^facs&abi.KTRFAC_MASK == 0 || !old.to.hold() {
			return nil
		}
		return newKtrace(old.to, old.facs&^facs, old.version)
	})
}

// ktraceEnd ends the tracing of the process to a file, or to any if to is nil.
func (p *Proc) ktraceEnd(t *Thread, to *ktraceFile) {
	p.ktraceReplace(t, func(old *ktrace) *ktrace {
		if old != nil && to != nil && old.to != to {
			return old
		}
		return nil
	})
}

// ktraceReplace changes how the process is traced: next is called with the process's lock held and gives what comes after
// old, which holds its file if it is new.
func (p *Proc) ktraceReplace(t *Thread, next func(old *ktrace) *ktrace) {
	p.mu.Lock()
	old := p.ktrace.Load()
	kt := next(old)
	p.ktrace.Store(kt)
	p.mu.Unlock()
	if old != nil && old != kt {
		old.to.release(t)
	}
}

// ktraceInherit has a forked process traced as its parent is, if that is inherited; called with the parent's lock held.
func (p *Proc) ktraceInherit(parent *Proc) {
	kt := parent.ktrace.Load()
	if kt != nil && kt.facs&abi.KTRFAC_INHERIT != 0 && kt.to.hold() {
		p.ktrace.Store(newKtrace(kt.to, kt.facs, kt.version))
	}
}

// ktraceExec has the trace say anew what a process runs under that has executed a program.
func (p *Proc) ktraceExec() {
	if kt := p.ktrace.Load(); kt != nil {
		kt.emul.Store(kt.has(abi.KTR_EMUL))
	}
}
