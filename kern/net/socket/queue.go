package socket

import (
	"math"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Queue is a receive buffer, as struct sockbuf: what has arrived for a socket and has not been received. Local sockets, routing
// sockets and raw sockets keep their data in one; a protocol that has buffers of its own does not need it.
//
// It holds records (NewRecordQueue: datagrams, each with its sender's address and control messages, received whole or cut off) or
// bytes (NewStreamQueue). It holds no more than the socket's SO_RCVBUF, or what it is told, and says so by EWOULDBLOCK or
// ENOBUFS. Whatever changes what a receiver would find tells the socket's readers (Socket.NotifyRead); when a receiver has made room,
// Drained is called, for a protocol whose senders wait for that.
//
// All methods may be called from several threads at once, none waits. The queue's lock is a leaf: a caller may hold its own.
type Queue struct {
	// Drained, unless it is nil, is called without the queue's lock after something has been received. Set before the first use.
	Drained func()

	stream bool

	mu     sync.Mutex
	so     *Socket // nil until a connection that waits is accepted
	recs   []record
	first  int // recs[:first] have been received
	cc     int // bytes of data
	cost   int // what the records are charged for
	mem    int // what they take in memory, as mbufs would
	ended  bool
	closed bool
	lost   uint64 // records that found no room
	offer  *offer // a receiver that waits with its buffer
	spare  []byte // a buffer of a stream to be used again
}

// record is a datagram, or a piece of a stream that begins with control messages.
type record struct {
	name    []byte
	control []Control
	flags   int    // MSG_EOR, MSG_BCAST, MSG_MCAST
	data    []byte // what has not been received; what has been appended to it lies in its capacity
	buf     []byte // of a stream: what data lies in
	cost    int    // of name and control
	mem     int
}

// NewRecordQueue makes a queue of records for a socket: SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET. The socket of a connection that waits to be
// accepted is nil until SetSocket.
func NewRecordQueue(so *Socket) *Queue { return &Queue{so: so} }

// NewStreamQueue makes a queue of bytes for a socket: SOCK_STREAM.
func NewStreamQueue(so *Socket) *Queue { return &Queue{so: so, stream: true} }

// SetSocket says whose queue it is, once the connection has been accepted.
func (q *Queue) SetSocket(so *Socket) {
	q.mu.Lock()
	q.so = so
	q.mu.Unlock()
	so.NotifyRead()
}

// unlock gives up the lock and tells the readers.
func (q *Queue) unlock() {
	so := q.so
	q.mu.Unlock()
	if so != nil {
		so.NotifyRead()
	}
}

// mbufs is what so many bytes take in memory: one mbuf, or clusters.
func mbufs(n int) int {
	if n <= abi.MSIZE/2 {
		return abi.MSIZE
	}
	return (n + abi.MCLBYTES - 1) / abi.MCLBYTES * (abi.MSIZE + abi.MCLBYTES)
}

// controlCost is the length of control messages, and what they take in memory. Open files count as their descriptors would.
func controlCost(control []Control) (cost, mem int) {
	for i := range control {
		n := cmsgSpace(len(control[i].Data) + 4*len(control[i].Files))
		cost += n
		mem += mbufs(n)
	}
	return cost, mem
}

// Append adds a record: its sender's address (nil for none), control messages, data, which are copied, and flags, of MSG_EOR, MSG_BCAST
// and MSG_MCAST. The files of control messages are the queue's when there is no error. What is appended after End or Close is dropped.
//
// Errors: ENOBUFS when there is no room for it in SO_RCVBUF: the caller drops it, and it is counted as lost.
func (q *Queue) Append(name, data []byte, control []Control, flags int) error {
	q.mu.Lock()
	err := q.append(int(q.so.Rcvbuf.Load()), name, data, control, flags)
	switch err {
	case nil:
		q.unlock()
	case abi.EPIPE:
		k := q.so.K
		q.mu.Unlock()
		releaseControl(k.KernelThread(), control)
		err = nil
	default:
		q.lost++
		q.mu.Unlock()
	}
	return err
}

// AppendWithin is Append to a queue that is to hold at most limit bytes, whatever SO_RCVBUF says. One that is empty takes a record whose
// data alone is not longer than that.
//
// Errors: EWOULDBLOCK when there is no room for it now; EPIPE after End or Close.
func (q *Queue) AppendWithin(limit int, name, data []byte, control []Control, flags int) error {
	q.mu.Lock()
	err := q.append(limit, name, data, control, flags)
	if err == abi.ENOBUFS {
		err = abi.EWOULDBLOCK
		if len(q.recs) == q.first && len(data) <= limit {
			err = q.append(math.MaxInt32, name, data, control, flags)
		}
	}
	if err != nil {
		q.mu.Unlock()
		return err
	}
	q.unlock()
	return nil
}

// append adds a record, if it fits: the memory of those that are there, as mbufs would take it, counts with twice the limit. It is called
// with the lock held.
func (q *Queue) append(limit int, name, data []byte, control []Control, flags int) error {
	if q.ended || q.closed {
		return abi.EPIPE
	}
	cost, mem := controlCost(control)
	cost += len(name)
	mem += mbufs(len(data))
	r := record{control: control, flags: flags}
	if name != nil {
		mem += abi.MSIZE
		r.name = append([]byte{}, name...)
	}
	if cost+len(data) > min(limit-q.cost-q.cc, 2*limit-q.mem) {
		return abi.ENOBUFS
	}
	r.cost, r.mem = cost, mem
	r.data = append(r.data, data...)
	q.push(r)
	return nil
}

// push adds a record; called with the lock held.
func (q *Queue) push(r record) {
	if q.first > 0 && len(q.recs) == cap(q.recs) {
		n := copy(q.recs, q.recs[q.first:])
		clear(q.recs[n:])
		q.recs, q.first = q.recs[:n], 0
	}
	q.recs = append(q.recs, r)
	q.cc += len(r.data)
	q.cost += r.cost
	q.mem += r.mem
}

// streamChunk is the least buffer of a stream: small pieces gather in it.
const streamChunk = 2048

// maxSpare is the largest buffer that a stream keeps when it is empty.
const maxSpare = 2 * streamChunk

// Write adds bytes to a stream, as many as there is room for within limit, with control messages before the first of them, and says how
// many. Control messages go in with some data or not at all; their files are the queue's when there is no error.
//
// Errors: EWOULDBLOCK when there is no room; EPIPE after End or Close; ENOBUFS for control messages longer than the limit.
func (q *Queue) Write(limit int, data []byte, control []Control) (int, error) {
	q.mu.Lock()
	n, err := q.write(limit, data, control)
	if err != nil {
		q.mu.Unlock()
		return n, err
	}
	q.unlock()
	return n, nil
}

// write adds bytes; called with the lock held.
func (q *Queue) write(limit int, data []byte, control []Control) (int, error) {
	if q.ended || q.closed {
		return 0, abi.EPIPE
	}
	if len(control) > 0 {
		return q.writeControl(limit, data, control)
	}
	given := q.give(data)
	data = data[given:]
	if len(data) == 0 {
		return given, nil
	}
	room := limit - q.cc - q.cost
	if room <= 0 {
		if given > 0 {
			return given, nil
		}
		return 0, abi.EWOULDBLOCK
	}
	data = data[:min(len(data), room)]
	done := given + len(data)
	if data = data[q.gather(data):]; len(data) > 0 {
		buf := q.buffer(len(data))
		q.push(record{buf: buf, data: append(buf, data...)})
	}
	return done, nil
}

// buffer is an empty buffer for n bytes of a stream, or for more; called with the lock held.
func (q *Queue) buffer(n int) []byte {
	if b := q.spare; cap(b) >= n {
		q.spare = nil
		return b
	}
	return make([]byte, 0, max(n, streamChunk))
}

// writeControl adds control messages and bytes after them; called with the lock held.
func (q *Queue) writeControl(limit int, data []byte, control []Control) (int, error) {
	cost, _ := controlCost(control)
	if cost >= limit {
		return 0, abi.ENOBUFS
	}
	room := limit - q.cc - q.cost - cost
	if room < 0 || room == 0 && len(data) > 0 {
		return 0, abi.EWOULDBLOCK
	}
	data = data[:min(len(data), room)]
	q.push(record{control: control, cost: cost, data: append([]byte(nil), data...)})
	return len(data), nil
}

// gather adds data to the last piece of the stream as far as its buffer has room, and says how much; called with the lock held.
func (q *Queue) gather(data []byte) int {
	if len(q.recs) == q.first {
		return 0
	}
	r := &q.recs[len(q.recs)-1]
	n := min(len(data), cap(r.data)-len(r.data))
	r.data = append(r.data, data[:n]...)
	q.cc += n
	return n
}

// Recv receives the first record, or bytes of the stream, as Protocol.Recv has it; flags are MSG_PEEK. On a stream the bytes end before
// control messages that come later. Open files are not shown to MSG_PEEK.
//
// Errors: EWOULDBLOCK when there is nothing. 0 without an error and without a record is the end: after End or Close.
func (q *Queue) Recv(m *Message, flags int) (int, error) {
	q.mu.Lock()
	if len(q.recs) == q.first {
		over := q.ended || q.closed
		q.mu.Unlock()
		if over {
			return 0, nil
		}
		return 0, abi.EWOULDBLOCK
	}
	var n int
	if q.stream {
		n = q.recvStream(m, flags)
	} else {
		n = q.recvRecord(m, flags)
	}
	q.mu.Unlock()
	if flags&abi.MSG_PEEK == 0 && q.Drained != nil {
		q.Drained()
	}
	return n, nil
}

// recvRecord takes the first record out, or looks at it; called with the lock held.
func (q *Queue) recvRecord(m *Message, flags int) int {
	r := &q.recs[q.first]
	n := copy(m.Data, r.data)
	m.Name, m.Flags = r.name, r.flags
	if n < len(r.data) {
		m.Flags |= abi.MSG_TRUNC
	}
	m.Full = len(r.data)
	if flags&abi.MSG_PEEK != 0 {
		m.Control = appendPeeked(m.Control, r.control)
		return n
	}
	m.Control = append(m.Control, r.control...)
	q.cc -= len(r.data)
	q.pop()
	return n
}

// appendPeeked appends those control messages that may be shown without being taken out.
func appendPeeked(to, control []Control) []Control {
	for _, c := range control {
		if len(c.Files) == 0 {
			to = append(to, c)
		}
	}
	return to
}

// pop forgets the first record, whose data have been taken out; called with the lock held.
func (q *Queue) pop() {
	r := &q.recs[q.first]
	q.cost -= r.cost
	q.mem -= r.mem
	if c := cap(r.buf); c > cap(q.spare) && c <= maxSpare {
		q.spare = r.buf
	}
	*r = record{}
	if q.first++; q.first == len(q.recs) {
		q.recs, q.first = q.recs[:0], 0
	}
}

// recvStream takes bytes out of the stream, or looks at them; called with the lock held.
func (q *Queue) recvStream(m *Message, flags int) int {
	peek := flags&abi.MSG_PEEK != 0
	n := 0
	for i := q.first; i < len(q.recs); {
		r := &q.recs[i]
		if len(r.control) > 0 {
			if i > q.first || n > 0 {
				break
			}
			if peek {
				m.Control = appendPeeked(m.Control, r.control)
			} else {
				m.Control = append(m.Control, r.control...)
				q.cost -= r.cost
				r.control, r.cost = nil, 0
			}
		}
		c := copy(m.Data[n:], r.data)
		n += c
		if peek {
			if i++; c < len(r.data) {
				break
			}
			continue
		}
		q.cc -= c
		if r.data = r.data[c:]; len(r.data) > 0 {
			break
		}
		q.pop()
		if i = q.first; q.first == 0 {
			break
		}
	}
	return n
}

// End says that nothing will be added any more: when the queue is empty, that is the end of the file.
func (q *Queue) End() {
	q.mu.Lock()
	q.ended = true
	q.unlock()
}

// Close drops what is there and what is added later: the socket is closed, or its receiving side is shut. Files that were on their way
// are released; t may be any thread.
func (q *Queue) Close(t *kern.Thread) {
	q.mu.Lock()
	recs := q.recs[q.first:]
	q.recs, q.first, q.cc, q.cost, q.mem, q.closed, q.spare = nil, 0, 0, 0, 0, true, nil
	q.unlock()
	for i := range recs {
		releaseControl(t, recs[i].control)
	}
	if q.Drained != nil {
		q.Drained()
	}
}

// releaseControl gives back the files of control messages.
func releaseControl(t *kern.Thread, control []Control) {
	for i := range control {
		for _, f := range control[i].Files {
			f.Release(t)
		}
		control[i].Files = nil
	}
}

// Readable says whether Recv would have something to say: a record, bytes, or the end.
func (q *Queue) Readable() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.recs) > q.first || q.ended || q.closed
}

// Ended says that nothing will come any more, but for what is there.
func (q *Queue) Ended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ended || q.closed
}

// Bytes is the number of bytes of data that wait.
func (q *Queue) Bytes() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.cc
}

// Room is how many bytes more there is room for when the queue is to hold limit.
func (q *Queue) Room(limit int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return max(0, limit-q.cc-q.cost)
}

// Lost is how many records found no room.
func (q *Queue) Lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}

// Files calls f for each open file in the control messages that wait, with the queue's lock held.
func (q *Queue) Files(f func(*kern.File)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := q.first; i < len(q.recs); i++ {
		for _, c := range q.recs[i].control {
			for _, file := range c.Files {
				f(file)
			}
		}
	}
}
