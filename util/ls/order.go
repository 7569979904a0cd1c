package ls

import (
	"cmp"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// order is what files are sorted by before their names.
type order int

const (
	byName order = iota
	bySize       // largest first
	byTime       // newest first
)

// compare returns the order of files, or nil if they are not to be sorted.
func (c *config) compare() func(a, b *fts.Entry) int {
	if c.unsorted {
		return nil
	}
	by := func(a, b *fts.Entry) int { return strings.Compare(a.Rel, b.Rel) }
	switch c.order {
	case bySize:
		by = first(func(s *abi.Stat) (int64, int64) { return s.Size, 0 }, by)
	case byTime:
		by = first(func(s *abi.Stat) (int64, int64) { t := c.when(s); return t.Sec, int64(t.Nsec) }, by)
	}
	if !c.reverse {
		return by
	}
	return func(a, b *fts.Entry) int { return by(b, a) }
}

// first compares by a key, the greatest first, and then by another order. Files without attributes have
// the order of theirs.
func first(key func(*abi.Stat) (int64, int64), then func(a, b *fts.Entry) int) func(a, b *fts.Entry) int {
	return func(a, b *fts.Entry) int {
		if a.Stat == nil || b.Stat == nil {
			return then(a, b)
		}
		a1, a2 := key(a.Stat)
		b1, b2 := key(b.Stat)
		return cmp.Or(cmp.Compare(b1, a1), cmp.Compare(b2, a2), then(a, b))
	}
}

// when returns the time that -c and -u choose.
func (c *config) when(s *abi.Stat) abi.Timespec {
	switch c.time {
	case 'c':
		return s.Ctim
	case 'u':
		return s.Atim
	}
	return s.Mtim
}
