package regex

// Bounds of a search.
const (
	maxSteps  = 4 << 20
	maxNested = 50_000
)

// search is a backtracking search for the longest match that begins at one place.
type search struct {
	text   string
	fold   bool
	groups []int // begins and ends of subexpressions, as Find has them

	best   []int // the longest match so far
	steps  int   // nodes looked at, in all places
	nested int   // calls under way
}

// backtrack is Find for trees that Go's regexp does not have.
func (re *Regexp) backtrack(text string, from int) ([]int, error) {
	s := &search{text: text, fold: re.fold, groups: make([]int, 2*(re.groups+1))}
	for at := from; at <= len(text); at++ {
		for i := range s.groups {
			s.groups[i] = -1
		}
		s.groups[0] = at
		s.node(re.tree, at, s.matched)
		if s.exhausted() {
			return nil, ErrTooComplex
		}
		if s.best != nil {
			return s.best, nil
		}
	}
	return nil, nil
}

// exhausted tells whether the search has taken too long or too much.
func (s *search) exhausted() bool { return s.steps > maxSteps || s.nested > maxNested }

// matched is what comes after the whole expression: it keeps the longest match. It is enough if there is nothing left.
func (s *search) matched(end int) bool {
	if s.best == nil || end > s.best[1] {
		s.groups[1] = end
		s.best = append(s.best[:0], s.groups...)
	}
	return end == len(s.text)
}

// node matches a node at an offset in all ways, the longest first, and calls next with where each ends. It stops and
// returns true as soon as that does, or if the search is exhausted.
func (s *search) node(n *node, at int, next func(int) bool) bool {
	s.steps++
	s.nested++
	if s.exhausted() {
		return true
	}
	stop := s.way(n, at, next)
	if s.exhausted() {
		return true
	}
	s.nested--
	return stop
}

func (s *search) way(n *node, at int, next func(int) bool) bool {
	switch n.op {
	case opSet:
		return at < len(s.text) && n.set[s.text[at]] && next(at+1)
	case opCat:
		return s.sequence(n.sub, at, next)
	case opAlt:
		for _, sub := range n.sub {
			if s.node(sub, at, next) {
				return true
			}
		}
		return false
	case opGroup:
		return s.group(n, at, next)
	case opRepeat:
		if n.sub[0].op == opSet {
			return s.run(n, at, next)
		}
		return s.repeat(n, 0, at, next)
	case opBack:
		return s.back(n.n, at, next)
	default:
		return s.assertion(n.op, at) && next(at)
	}
}

// sequence matches nodes one after the other.
func (s *search) sequence(nodes []*node, at int, next func(int) bool) bool {
	if len(nodes) == 0 {
		return next(at)
	}
	return s.node(nodes[0], at, func(end int) bool { return s.sequence(nodes[1:], end, next) })
}

// group matches a subexpression and notes where it is.
func (s *search) group(n *node, at int, next func(int) bool) bool {
	begin, end := 2*n.n, 2*n.n+1
	return s.node(n.sub[0], at, func(to int) bool {
		oldBegin, oldEnd := s.groups[begin], s.groups[end]
		s.groups[begin], s.groups[end] = at, to
		if next(to) {
			return true
		}
		s.groups[begin], s.groups[end] = oldBegin, oldEnd
		return false
	})
}

// run matches a repeated byte.
func (s *search) run(n *node, at int, next func(int) bool) bool {
	set, count := n.sub[0].set, 0
	for at+count < len(s.text) && set[s.text[at+count]] && (n.max < 0 || count < n.max) {
		count++
	}
	s.steps += count
	for ; count >= n.min; count-- {
		if next(at + count) {
			return true
		}
	}
	return false
}

// repeat matches a node that has matched count times already.
func (s *search) repeat(n *node, count, at int, next func(int) bool) bool {
	if n.max < 0 || count < n.max {
		if s.node(n.sub[0], at, func(end int) bool {
			if end == at && count >= n.min {
				return false // nothing, again and again
			}
			return s.repeat(n, count+1, end, next)
		}) {
			return true
		}
	}
	return count >= n.min && next(at)
}

// back matches what a subexpression has matched.
func (s *search) back(group, at int, next func(int) bool) bool {
	begin, end := s.groups[2*group], s.groups[2*group+1]
	if begin < 0 {
		return false
	}
	size := end - begin
	s.steps += size
	return len(s.text)-at >= size && s.same(s.text[at:at+size], s.text[begin:end]) && next(at+size)
}

// same compares texts of equal size.
func (s *search) same(a, b string) bool {
	if !s.fold {
		return a == b
	}
	for i := range len(a) {
		if lowered(a[i]) != lowered(b[i]) {
			return false
		}
	}
	return true
}

// lowered is tolower(3).
func lowered(c byte) byte {
	if upper(c) {
		return c - 'A' + 'a'
	}
	return c
}

// assertion tells whether something is true of an offset.
func (s *search) assertion(op op, at int) bool {
	before := at > 0 && word(s.text[at-1])
	after := at < len(s.text) && word(s.text[at])
	switch op {
	case opBegin:
		return at == 0
	case opEnd:
		return at == len(s.text)
	case opWordBegin:
		return !before && after
	}
	return before && !after
}
