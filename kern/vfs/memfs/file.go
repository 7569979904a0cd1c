package memfs

import (
	"math"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// file is a regular file.
type file struct {
	inode
	length atomic.Int64
	held   atomic.Int64 // bytes of pages

	// chunks by offset / chunkSize; guarded by the vnode lock.
	chunks map[int64]*chunk
}

var (
	_ vfs.Reader     = (*file)(nil)
	_ vfs.Writer     = (*file)(nil)
	_ vfs.AttrSetter = (*file)(nil)
)

func (f *file) size() int64     { return f.length.Load() }
func (f *file) contents() int64 { return f.held.Load() }

// Attr fills a. Bytes is what the file's pages take: holes take nothing.
func (f *file) Attr(t *kern.Thread, a *vfs.Attr) error {
	err := f.inode.Attr(t, a)
	a.Bytes = f.contents()
	return err
}

// ReadAt reads at most to the end of the file. Holes read as zeroes.
func (f *file) ReadAt(_ *kern.Thread, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, abi.EINVAL
	}
	left := f.size() - off
	if left <= 0 || len(p) == 0 {
		return 0, nil
	}
	p = p[:min(int64(len(p)), left)]
	for done := 0; done < len(p); {
		at := off + int64(done)
		rest := p[done:min(int64(len(p)), int64(done)+chunkSize-at%chunkSize)]
		f.chunks[at/chunkSize].read(rest, int(at%chunkSize))
		done += len(rest)
	}
	return len(p), nil
}

// read fills p from an offset within the chunk; a nil chunk is a hole.
func (c *chunk) read(p []byte, off int) {
	if c == nil {
		clear(p)
		return
	}
	for len(p) > 0 {
		n := min(len(p), pageSize-off%pageSize)
		if pg := c.page[off/pageSize]; pg != nil {
			copy(p[:n], pg[off%pageSize:])
		} else {
			clear(p[:n])
		}
		p, off = p[n:], off+n
	}
}

// WriteAt writes, extending the file where it must. Errors: EFBIG; ENOSPC, with what could be written.
func (f *file) WriteAt(_ *kern.Thread, p []byte, off int64) (int, error) {
	switch {
	case off < 0:
		return 0, abi.EINVAL
	case len(p) == 0:
		return 0, nil
	case int64(len(p)) > math.MaxInt64-off:
		return 0, abi.EFBIG
	}
	done := 0
	var err error
	for done < len(p) && err == nil {
		at := off + int64(done)
		end := min(int64(len(p)), int64(done)+chunkSize-at%chunkSize)
		var n int
		n, err = f.writeChunk(p[done:end], at)
		done += n
	}
	if done > 0 {
		f.length.Store(max(f.length.Load(), off+int64(done)))
	}
	return done, err
}

// writeChunk writes what lies within one chunk.
func (f *file) writeChunk(p []byte, off int64) (int, error) {
	c, first := f.chunks[off/chunkSize], int(off%chunkSize)/pageSize
	if c == nil {
		c = new(chunk)
	}
	pages := (int(off%chunkSize)+len(p)+pageSize-1)/pageSize - first
	err := f.charge(c, first, &pages)
	if pages == 0 {
		return 0, err
	}
	f.put(off/chunkSize, c)
	if err == nil && len(p) == chunkSize && c.run == nil && c.missing(0, chunkPages) == chunkPages {
		c.fill(&f.fs.pages)
	}
	p = p[:min(len(p), (first+pages)*pageSize-int(off%chunkSize))]
	c.write(&f.fs.pages, p, int(off%chunkSize))
	return len(p), err
}

// put enters a chunk in the table.
func (f *file) put(index int64, c *chunk) {
	if f.chunks == nil {
		f.chunks = map[int64]*chunk{}
	}
	f.chunks[index] = c
}

// chunkAt is a chunk of the table, made when it is not there.
func (f *file) chunkAt(index int64) *chunk {
	c := f.chunks[index]
	if c == nil {
		c = new(chunk)
		f.put(index, c)
	}
	return c
}

// charge takes space for the holes among *pages pages from first on. When there is not enough, *pages becomes the number of
// those from first on that can be written. Errors: ENOSPC, ESTALE for a freed file.
func (f *file) charge(c *chunk, first int, pages *int) error {
	want := int64(c.missing(first, first+*pages))
	if want == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		*pages = 0
		return abi.ESTALE
	}
	got, err := f.fs.space.takePages(want)
	f.held.Add(got * pageSize)
	if got == want {
		return err
	}
	n := 0
	for ; n < *pages; n++ {
		if c.page[first+n] == nil {
			if got == 0 {
				break
			}
			got--
		}
	}
	*pages = n
	return abi.ENOSPC
}

// write copies p to an offset within the chunk, giving it the pages that it lacks; they are charged already.
func (c *chunk) write(pool *pagePool, p []byte, off int) {
	for len(p) > 0 {
		n := min(len(p), pageSize-off%pageSize)
		pg := c.page[off/pageSize]
		if pg == nil {
			pg = pool.page()
			c.page[off/pageSize] = pg
			if n < pageSize {
				*pg = page{}
			}
		}
		copy(pg[off%pageSize:], p[:n])
		p, off = p[n:], off+n
	}
}

// SetAttr changes attributes. A larger size adds a hole; a smaller one frees what is past it.
func (f *file) SetAttr(t *kern.Thread, s *vfs.SetAttr) error {
	if s.Valid&vfs.SetSize != 0 {
		if s.Size < 0 {
			return abi.EINVAL
		}
		f.truncate(s.Size)
	}
	return f.inode.SetAttr(t, s)
}

// truncate sets the length and clears what is left of the last page, so that it reads as zeroes when the file grows again.
func (f *file) truncate(size int64) {
	old := f.length.Swap(size)
	if size >= old {
		return
	}
	freed := 0
	for i := range f.chunksFrom(size/chunkSize, (old-1)/chunkSize) {
		c := f.chunks[i]
		keep := 0
		if i == size/chunkSize {
			keep = int(size%chunkSize+pageSize-1) / pageSize
		}
		freed += c.truncate(&f.fs.pages, keep)
		if keep == 0 {
			delete(f.chunks, i)
		} else if pg := c.page[keep-1]; pg != nil && size%pageSize > 0 {
			clear(pg[size%pageSize:])
		}
	}
	f.held.Add(-int64(freed) * pageSize)
	f.fs.space.give(int64(freed) * pageSize)
}

// chunksFrom yields the chunks from first to last that are there, which may go away meanwhile.
func (f *file) chunksFrom(first, last int64) func(yield func(int64) bool) {
	return func(yield func(int64) bool) {
		if last-first < int64(len(f.chunks)) {
			for i := first; i <= last; i++ {
				if f.chunks[i] != nil && !yield(i) {
					return
				}
			}
			return
		}
		for i := range f.chunks {
			if i >= first && i <= last && !yield(i) {
				return
			}
		}
	}
}

// freed drops the pages of a file that nobody can reach any more.
func (f *file) freed() {
	for _, c := range f.chunks {
		c.truncate(&f.fs.pages, 0)
	}
	f.chunks = nil
	f.length.Store(0)
	f.held.Store(0)
}
