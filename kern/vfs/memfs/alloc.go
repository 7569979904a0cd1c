package memfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

var (
	_ vfs.Allocator = (*file)(nil)
	_ vfs.Discarder = (*file)(nil)
)

// eachChunk calls do for each chunk that n bytes from off on are in, with the part of them that is in it.
func eachChunk(off, n int64, do func(index int64, from, to int)) {
	for end := off + n; off < end; {
		index := off / chunkSize
		stop := min(end, (index+1)*chunkSize)
		do(index, int(off%chunkSize), int(stop-index*chunkSize))
		off = stop
	}
}

// pagesOf are the pages that a part of a chunk touches.
func pagesOf(from, to int) (first, last int) { return from / pageSize, (to + pageSize - 1) / pageSize }

// Allocate gives a part of the file all its pages, zeroes where there were holes. Errors: ENOSPC; nothing has changed then.
func (f *file) Allocate(_ *kern.Thread, off, n int64) error {
	if n/pageSize > (f.fs.space.usage().avail+f.contents())/pageSize {
		return abi.ENOSPC
	}
	var want int64
	eachChunk(off, n, func(i int64, from, to int) {
		first, last := pagesOf(from, to)
		if c := f.chunks[i]; c != nil {
			want += int64(c.missing(first, last))
		} else {
			want += int64(last - first)
		}
	})
	if err := f.fs.space.take(want * pageSize); err != nil {
		return err
	}
	f.held.Add(want * pageSize)
	eachChunk(off, n, func(i int64, from, to int) {
		first, last := pagesOf(from, to)
		f.chunkAt(i).zero(&f.fs.pages, first, last)
	})
	f.length.Store(max(f.length.Load(), off+n))
	return nil
}

// zero fills the holes among the pages from first to before last.
func (c *chunk) zero(pool *pagePool, first, last int) {
	for i := first; i < last; i++ {
		if c.page[i] == nil {
			c.page[i] = pool.page()
			*c.page[i] = page{}
		}
	}
}

// Discard makes a part of the file read as zeroes and gives back the pages that are wholly in it.
func (f *file) Discard(_ *kern.Thread, off, n int64) error {
	n = min(n, max(0, f.size()-off))
	if n == 0 {
		return nil
	}
	freed, end := 0, off+n
	for i := range f.chunksFrom(off/chunkSize, (end-1)/chunkSize) {
		base := i * chunkSize
		from, to := int(max(off, base)-base), int(min(end-base, chunkSize))
		if end == f.size() && to < chunkSize {
			to = int(roundUp(int64(to), pageSize)) // there is nothing behind
		}
		freed += f.chunks[i].discard(&f.fs.pages, from, to)
		if f.chunks[i].missing(0, chunkPages) == chunkPages {
			delete(f.chunks, i)
		}
	}
	f.held.Add(-int64(freed) * pageSize)
	f.fs.space.give(int64(freed) * pageSize)
	return nil
}

// discard clears a part of the chunk, drops the pages that are wholly in it, and returns how many those were.
func (c *chunk) discard(pool *pagePool, from, to int) int {
	first, last := (from+pageSize-1)/pageSize, to/pageSize
	dropped := 0
	if first < last {
		dropped = last - first - c.missing(first, last)
	}
	if c.run != nil && dropped > 0 {
		c.split(pool, chunkPages)
	}
	for at := from; at < to; {
		stop := min(to, (at/pageSize+1)*pageSize)
		if pg := c.page[at/pageSize]; pg != nil {
			clear(pg[at%pageSize : (stop-1)%pageSize+1])
		}
		at = stop
	}
	for i := first; i < last; i++ {
		if c.page[i] != nil {
			pool.pages.Put(c.page[i])
			c.page[i] = nil
		}
	}
	return dropped
}
