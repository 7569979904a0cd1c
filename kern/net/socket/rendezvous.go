package socket

// offer is the buffer of a receiver that waits at a stream: what is sent goes there by one copy, past the queue.
type offer struct {
	data []byte // what is not filled yet
	n    int    // how much has been filled
}

// Offer is Recv for a receiver that is about to wait: unless it receives something it leaves m.Data with the queue, where the next Write
// puts its bytes. The receiver watches the socket's readers before it offers, and withdraws when it is woken or gives up. One offer
// may be there at a time: taken is false when another receiver's is, or when the queue is one of records.
//
// Errors: those of Recv; with EWOULDBLOCK alone the offer stands.
func (q *Queue) Offer(m *Message) (n int, taken bool, err error) {
	q.mu.Lock()
	if q.stream && len(q.recs) == q.first && !q.ended && !q.closed && q.offer == nil && len(m.Data) > 0 {
		q.offer = &offer{data: m.Data}
		q.mu.Unlock()
		return 0, true, nil
	}
	q.mu.Unlock()
	n, err = q.Recv(m, 0)
	return n, false, err
}

// Withdraw takes the offer back and says how many bytes have been put there.
func (q *Queue) Withdraw() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	o := q.offer
	q.offer = nil
	return o.n
}

// give puts data into the buffer that a receiver offers, as far as it goes, and says how much; called with the lock held.
func (q *Queue) give(data []byte) int {
	o := q.offer
	if o == nil || len(q.recs) > q.first {
		return 0
	}
	n := copy(o.data, data)
	o.data, o.n = o.data[n:], o.n+n
	return n
}
