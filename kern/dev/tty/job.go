package tty

import (
	"fmt"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// noGroup is what TIOCGPGRP says without a foreground process group, NO_PGID.
const noGroup = -1

// post is a signal to be raised when the terminal is unlocked.
type post struct {
	session *kern.Session
	pgid    int // 0 for the session's leader alone
	sig     int
}

// raise raises the signal at the group's processes that are in the session.
func (p post) raise(k *kern.Kernel) {
	if p.pgid == 0 {
		if leader := k.Proc(p.session.ID()); leader != nil && leader.Session() == p.session {
			leader.Signal(p.sig)
		}
		return
	}
	for _, q := range k.Group(p.pgid) {
		if q.Session() == p.session {
			q.Signal(p.sig)
		}
	}
}

// Post raises a signal at the foreground process group. For a Driver, with the terminal locked.
func (tp *TTY) Post(sig int) { tp.post(sig) }

// FlushPost is a signal that a Driver raises for the user: queues are emptied first, as by VINTR, unless NOFLSH is set. With the
// terminal locked.
func (tp *TTY) FlushPost(sig int) {
	if !tp.lflag(abi.NOFLSH) {
		tp.flush(abi.FREAD | abi.FWRITE)
	}
	tp.post(sig)
	if sig == abi.SIGINFO && !tp.lflag(abi.NOKERNINFO) {
		tp.report()
	}
}

func (tp *TTY) post(sig int) {
	if tp.session != nil && tp.pgid != 0 {
		tp.posts = append(tp.posts, post{tp.session, tp.pgid, sig})
	}
}

// postLeader raises a signal at the session's leader; called locked.
func (tp *TTY) postLeader(sig int) {
	if tp.session != nil {
		tp.posts = append(tp.posts, post{tp.session, 0, sig})
	}
}

// Foreground is the foreground process group; 0 without one. For a Driver, with the terminal locked.
func (tp *TTY) Foreground() int { return tp.pgid }

// controls says whether the terminal is the process's controlling one.
func (tp *TTY) controls(p *kern.Proc) bool { return p.Ctty() == kern.Ctty(tp) }

// background says whether a process is in the background of its terminal; called locked.
func (tp *TTY) background(p *kern.Proc) bool { return tp.controls(p) && p.PGID() != tp.pgid }

// becomeCtty is TIOCSCTTY. Errors: EPERM for another than a session's leader, when the session has another terminal, and when the
// terminal has another session.
func (tp *TTY) becomeCtty(t *kern.Thread) error {
	s := t.Session()
	tp.Lock()
	defer tp.Unlock()
	if !t.LeadsSession() || tp.session != nil && tp.session != s || !s.SetCtty(tp) {
		return abi.EPERM
	}
	tp.session, tp.pgid = s, t.PGID()
	t.SetControlled(true)
	tp.wake()
	return nil
}

// setForeground is TIOCSPGRP. Errors: ENOTTY, EINVAL, EPERM for a group that is not in the session.
func (tp *TTY) setForeground(t *kern.Thread, pgid int) error {
	switch {
	case pgid == noGroup:
		return abi.EINVAL
	case !tp.controls(t.Proc):
		return abi.ENOTTY
	case t.K.GroupSession(pgid) != t.Session():
		return abi.EPERM
	}
	tp.Lock()
	defer tp.Unlock()
	tp.pgid = pgid
	tp.wake()
	return nil
}

// foreground is TIOCGPGRP; noGroup when the group has gone.
func (tp *TTY) foreground(t *kern.Thread) int {
	tp.Lock()
	defer tp.Unlock()
	if tp.pgid == 0 || t.K.GroupSession(tp.pgid) != tp.session {
		return noGroup
	}
	return tp.pgid
}

// awaitForeground holds a process in the background: its group gets sig, SIGTTIN or SIGTTOU, and it waits until it is in the
// foreground. wanted says, of a locked terminal, whether it has to be there.
//
// Errors: EIO for a process of an orphaned group, which nobody would bring to the foreground; EINTR.
func (l *Line) awaitForeground(t *kern.Thread, sig int, wanted func() bool) error {
	waiting := func() bool {
		l.tp.Lock()
		defer l.tp.Unlock()
		return l.live() && l.tp.background(t.Proc) && wanted()
	}
	if !waiting() {
		return nil
	}
	if t.Orphaned() {
		return abi.EIO
	}
	wake := make(chan struct{}, 1)
	w := &kern.Watcher{Notify: func(uint32, int64) {
		select {
		case wake <- struct{}{}:
		default:
		}
	}}
	l.tp.sel.Watch(w)
	defer l.tp.sel.Unwatch(w)
	t.Sel.Watch(w) // announces changes of the process's group
	defer t.Sel.Unwatch(w)
	for _, p := range t.K.Group(t.PGID()) {
		p.Signal(sig)
	}
	for waiting() {
		if t.Orphaned() {
			return abi.EIO
		}
		if err := t.Sleep(wake, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// always is for awaitForeground.
func always() bool { return true }

// report prints a line about the foreground process group: its newest process. What the original adds, of processors
// and memory, a rump kernel does not know of its clients. Called locked.
func (tp *TTY) report() {
	text := "no foreground process group\n"
	if tp.session == nil {
		text = "not a controlling terminal\n"
	} else if tp.pgid != 0 {
		text = "empty foreground process group\n"
		if members := tp.k.Group(tp.pgid); len(members) > 0 {
			p := members[len(members)-1]
			text = fmt.Sprintf("cmd: %s %d\n", p.Name(), p.PID)
		}
	}
	tp.print([]byte(text))
}
