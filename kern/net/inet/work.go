package inet

import (
	"math"
	"sync"
)

// workQueue does work on behalf of those who can not do it where they are: because it needs Config, which timers and the input
// of packets must not wait for, or because it would come back to where they hold locks. A goroutine does it, one piece after the other, which is there only
// while there is work.
type workQueue struct {
	lock sync.Locker // held around each piece; nil for none

	mu      sync.Mutex
	work    []func()
	running bool
	closed  bool
	idle    sync.Cond // the goroutine has ended
}

// maxWork bounds the work that waits on behalf of packets: what a flood of them asks for beyond it is dropped.
const maxWork = 1024

func (q *workQueue) init(lock sync.Locker) {
	q.lock = lock
	q.idle.L = &q.mu
}

// do has f called after what was asked for before, and says whether it will be: not when too much waits already.
func (q *workQueue) do(f func()) bool { return q.add(f, maxWork) }

// must is do for what nobody from outside can cause, however often: timers.
func (q *workQueue) must(f func()) { q.add(f, math.MaxInt) }

func (q *workQueue) add(f func(), limit int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.work) >= limit {
		return false
	}
	q.work = append(q.work, f)
	if !q.running {
		q.running = true
		go q.run()
	}
	return true
}

func (q *workQueue) run() {
	for {
		q.mu.Lock()
		if len(q.work) == 0 || q.closed {
			q.work, q.running = nil, false
			q.idle.Broadcast()
			q.mu.Unlock()
			return
		}
		f := q.work[0]
		q.work[0] = nil
		q.work = q.work[1:]
		q.mu.Unlock()
		q.call(f)
	}
}

func (q *workQueue) call(f func()) {
	if q.lock != nil {
		q.lock.Lock()
		defer q.lock.Unlock()
	}
	f()
}

// close drops the work that waits, and waits until none is being done. The queue's lock must not be held.
func (q *workQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for q.running {
		q.idle.Wait()
	}
}
