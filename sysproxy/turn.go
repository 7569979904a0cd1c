package sysproxy

// turn decides who reads a connection. At any time one goroutine at most has
// the turn; it alone reads, and hands what it reads to those that wait for it.
// A goroutine that waits for an answer takes the turn if it is free and reads
// until its answer comes, else it joins the queue, and either its answer or the
// turn will come to it. So a lone caller reads its own answer, and no goroutine
// is switched.
//
// The methods need the mutex of the connection's end that the turn is part of.
// What belongs to the reading (stream's fields) belongs to who has the turn.
type turn struct {
	held        bool
	first, last *waiter
}

// waiter is one goroutine that waits for an answer.
type waiter struct {
	wake       chan bool // true: the turn is yours, false: your answer is here
	next, prev *waiter
	queued     bool
}

// take takes the turn if it is free.
func (t *turn) take() bool {
	if t.held {
		return false
	}
	t.held = true
	return true
}

// join puts w into the queue.
func (t *turn) join(w *waiter) {
	w.queued, w.prev, w.next = true, t.last, nil
	if t.last != nil {
		t.last.next = w
	} else {
		t.first = w
	}
	t.last = w
}

// remove takes w out of the queue.
func (t *turn) remove(w *waiter) {
	if !w.queued {
		return
	}
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		t.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		t.last = w.prev
	}
	w.queued, w.prev, w.next = false, nil, nil
}

// answered tells w that its answer is here, unless w has the turn and sees
// that itself.
func (t *turn) answered(w *waiter) {
	if w.queued {
		t.remove(w)
		w.wake <- false
	}
}

// pass gives the turn to the first in the queue. It returns true if there was
// none, so that nobody has the turn now.
func (t *turn) pass() bool {
	if w := t.first; w != nil {
		t.remove(w)
		w.wake <- true
		return false
	}
	t.held = false
	return true
}
