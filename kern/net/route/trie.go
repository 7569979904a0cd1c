package route

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// trieKey is an address, from its most significant bit on: those of IPv4 have 32 bits of hi.
type trieKey struct{ hi, lo uint64 }

// keyOf is an address's key. The index of the interface of a scoped address stands where KAME puts it, in the second 16 bits, which
// are 0 in all link-local addresses.
func keyOf(a netip.Addr, scope uint16) trieKey {
	if a.Is4() {
		b := a.As4()
		return trieKey{hi: uint64(binary.BigEndian.Uint32(b[:])) << 32}
	}
	b := a.As16()
	k := trieKey{hi: binary.BigEndian.Uint64(b[:8]), lo: binary.BigEndian.Uint64(b[8:])}
	k.hi |= uint64(scope) << 32
	return k
}

// bit is bit i, 0 being the most significant.
func (k trieKey) bit(i uint8) int {
	if i < 64 {
		return int(k.hi >> (63 - i) & 1)
	}
	return int(k.lo >> (127 - i) & 1)
}

// common is the number of leading bits that are equal.
func (k trieKey) common(o trieKey) uint8 {
	if k.hi != o.hi {
		return uint8(bits.LeadingZeros64(k.hi ^ o.hi))
	}
	return uint8(64 + bits.LeadingZeros64(k.lo^o.lo))
}

func (k trieKey) less(o trieKey) bool {
	return k.hi < o.hi || k.hi == o.hi && k.lo < o.lo
}

// trie is a node of a compressed binary trie and all that is below: the prefix of plen bits of key, and the entry of that prefix
// where there is one; without one, the key's other bits are anything. Nodes never change: insert and remove copy those on the way, so that readers need no lock. nil is the empty trie.
type trie struct {
	key   trieKey
	plen  uint8
	entry *Entry
	child [2]*trie // by bit plen
}

// lookup is the entry of the longest prefix of key; nil without one.
func (n *trie) lookup(key trieKey) (best *Entry) {
	for n != nil && n.key.common(key) >= n.plen {
		if n.entry != nil {
			best = n.entry
		}
		if n.plen == 128 {
			break
		}
		n = n.child[key.bit(n.plen)]
	}
	return best
}

// exact is the entry of just this prefix; nil without one.
func (n *trie) exact(key trieKey, plen uint8) *Entry {
	for n != nil && n.plen <= plen && n.key.common(key) >= n.plen {
		if n.plen == plen {
			return n.entry
		}
		n = n.child[key.bit(n.plen)]
	}
	return nil
}

// insert is the trie with e at a prefix, in the place of what is there.
func (n *trie) insert(key trieKey, plen uint8, e *Entry) *trie {
	if n == nil {
		return &trie{key: key, plen: plen, entry: e}
	}
	switch common := min(n.key.common(key), n.plen, plen); {
	case common == n.plen && common == plen:
		return &trie{key: key, plen: plen, entry: e, child: n.child}
	case common == n.plen:
		c := *n
		side := key.bit(n.plen)
		c.child[side] = n.child[side].insert(key, plen, e)
		return &c
	case common == plen:
		up := &trie{key: key, plen: plen, entry: e}
		up.child[n.key.bit(plen)] = n
		return up
	default:
		fork := &trie{key: key, plen: common}
		fork.child[key.bit(common)] = &trie{key: key, plen: plen, entry: e}
		fork.child[n.key.bit(common)] = n
		return fork
	}
}

// remove is the trie without the entry of a prefix.
func (n *trie) remove(key trieKey, plen uint8) *trie {
	if n == nil || n.plen > plen || n.key.common(key) < n.plen {
		return n
	}
	c := *n
	if n.plen == plen {
		c.entry = nil
	} else {
		side := key.bit(n.plen)
		c.child[side] = n.child[side].remove(key, plen)
	}
	switch {
	case c.entry != nil || c.child[0] != nil && c.child[1] != nil:
		return &c
	case c.child[0] != nil:
		return c.child[0]
	}
	return c.child[1]
}

// walk calls f for all entries.
func (n *trie) walk(f func(*trie)) {
	if n == nil {
		return
	}
	if n.entry != nil {
		f(n)
	}
	n.child[0].walk(f)
	n.child[1].walk(f)
}
