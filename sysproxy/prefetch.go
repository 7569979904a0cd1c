package sysproxy

import "encoding/binary"

// The extension prefetch: memory lent for reading comes along with a request.
// After the arguments stand count entries
//
//	8 address, 8 length, the data, zeroes up to a multiple of 8
//
// and then a trailer of 16 bytes, the last of the body:
//
//	4 length of the arguments in bytes, 4 count, 8 magic
const (
	prefetchMagic   = 0x315f4d454d504d52 // "RMPMEM_1" in memory
	prefetchTrailer = 16
	prefetchEntry   = 16 // before an entry's data

	// maxPrefetch bounds the data of a call that comes along with it, so
	// that a write of 64 KiB with its small arguments is one request.
	maxPrefetch = 64<<10 + 4<<10

	// maxPrefetched is the largest number of entries.
	maxPrefetched = 16

	// MaxRequest is the longest request that a client sends: arguments,
	// entries with their padding, trailer.
	MaxRequest = headerSize + 8*MaxArgs + maxPrefetch + maxPrefetched*(prefetchEntry+8) + prefetchTrailer
)

func pad8(n int) int { return -n & 7 }

// selectPrefetch appends to dst the ranges that are worth sending along: those
// lent for reading, in order, as long as they fit. Ranges stay in ascending
// order of their addresses, because they were reserved in that order.
func selectPrefetch(dst []span, lent []span) []span {
	left := maxPrefetch
	for i := range lent {
		s := &lent[i]
		if s.mode&lentIn == 0 || len(s.b) == 0 || len(s.b) > left || len(dst) == maxPrefetched {
			continue
		}
		left -= len(s.b)
		dst = append(dst, *s)
	}
	return dst
}

// prefetchSize returns how long the section for spans is, trailer included.
func prefetchSize(spans []span) int {
	if len(spans) == 0 {
		return 0
	}
	n := prefetchTrailer
	for i := range spans {
		l := len(spans[i].b)
		n += prefetchEntry + l + pad8(l)
	}
	return n
}

// putPrefetch adds the section to a request whose arguments take args bytes.
func putPrefetch(out *batch, spans []span, args int) {
	if len(spans) == 0 {
		return
	}
	le := binary.LittleEndian
	for i := range spans {
		s := &spans[i]
		out.buf = le.AppendUint64(out.buf, s.addr)
		out.buf = le.AppendUint64(out.buf, uint64(len(s.b)))
		out.data(s.b)
		out.buf = append(out.buf, make([]byte, pad8(len(s.b)))...)
	}
	out.buf = le.AppendUint32(out.buf, uint32(args))
	out.buf = le.AppendUint32(out.buf, uint32(len(spans)))
	out.buf = le.AppendUint64(out.buf, prefetchMagic)
}

// splitPrefetch parts the body of a SYSCALL request into arguments and the
// ranges that came along, which it appends to dst and which alias body. A body
// without the magic is all arguments. Errors: the section is malformed, or its
// ranges do not ascend or overlap.
func splitPrefetch(body []byte, dst []span) (args []byte, spans []span, err error) {
	le := binary.LittleEndian
	end := len(body) - prefetchTrailer
	if end < 0 || le.Uint64(body[end+8:]) != prefetchMagic {
		return body, dst, nil
	}
	nargs, count := le.Uint32(body[end:]), le.Uint32(body[end+4:])
	if nargs%8 != 0 || uint64(nargs) > uint64(end) || count == 0 || count > maxPrefetched {
		return nil, nil, violation("prefetch of %d ranges after %d bytes of arguments", count, nargs)
	}
	rest := body[nargs:end]
	next := uint64(0) // lowest address that may come
	for range count {
		s, n, err := prefetchSpan(rest, next)
		if err != nil {
			return nil, nil, err
		}
		rest = rest[n:]
		next = s.addr + uint64(len(s.b))
		dst = append(dst, s)
	}
	if len(rest) != 0 {
		return nil, nil, violation("%d bytes after the last prefetched range", len(rest))
	}
	return body[:nargs], dst, nil
}

// prefetchSpan reads one entry from the beginning of b and tells its length.
func prefetchSpan(b []byte, next uint64) (span, int, error) {
	if len(b) < prefetchEntry {
		return span{}, 0, violation("prefetched range without address")
	}
	le := binary.LittleEndian
	addr, size := le.Uint64(b), le.Uint64(b[8:])
	b = b[prefetchEntry:]
	if size == 0 || size > uint64(len(b)) || pad8(int(size)) > len(b)-int(size) {
		return span{}, 0, violation("prefetched range of %d bytes, %d are there", size, len(b))
	}
	if addr < next || addr+size < addr {
		return span{}, 0, violation("prefetched range at %#x overlaps another", addr)
	}
	n := int(size)
	return span{addr: addr, b: b[:n:n], mode: lentIn}, prefetchEntry + n + pad8(n), nil
}
