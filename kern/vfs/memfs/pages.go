package memfs

import "sync"

const (
	chunkPages = 16
	chunkSize  = chunkPages * pageSize
)

type page [pageSize]byte

// run is the memory of a whole chunk in one piece.
type run [chunkPages]page

// chunk is chunkSize bytes of a file, from a multiple of that on. A page that is nil is a hole.
type chunk struct {
	page [chunkPages]*page
	// run, when not nil, is where all the pages are: a chunk that was written at once has it.
	run *run
}

// pagePool keeps freed memory for the next file; the garbage collector empties it. What comes out of it is
// dirty.
type pagePool struct {
	pages, runs sync.Pool
}

func (p *pagePool) page() *page {
	if pg, ok := p.pages.Get().(*page); ok {
		return pg
	}
	return new(page)
}

func (p *pagePool) run() *run {
	if r, ok := p.runs.Get().(*run); ok {
		return r
	}
	return new(run)
}

// fill gives the chunk all its pages at once; it must have none.
func (c *chunk) fill(p *pagePool) {
	c.run = p.run()
	for i := range c.page {
		c.page[i] = &c.run[i]
	}
}

// missing counts the pages from, including, to before to that are holes.
func (c *chunk) missing(from, to int) int {
	n := 0
	for _, pg := range c.page[from:to] {
		if pg == nil {
			n++
		}
	}
	return n
}

// truncate drops the pages from n on and returns how many they were.
func (c *chunk) truncate(p *pagePool, n int) int {
	dropped := chunkPages - n - c.missing(n, chunkPages)
	if c.run != nil && dropped > 0 {
		c.split(p, n)
		return dropped
	}
	for i, pg := range c.page[n:] {
		if pg != nil {
			p.pages.Put(pg)
			c.page[n+i] = nil
		}
	}
	return dropped
}

// split turns a chunk that has a run into one of n pages of their own, so that a run is never held for the
// sake of some of its pages.
func (c *chunk) split(p *pagePool, n int) {
	for i := range c.page {
		c.page[i] = nil
		if i < n {
			c.page[i] = p.page()
			*c.page[i] = c.run[i]
		}
	}
	p.runs.Put(c.run)
	c.run = nil
}
