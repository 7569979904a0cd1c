package ed

// line is a line of the text, without its newline. A line that is changed is another line: marks and the lines of
// a global command are known by their address in memory.
type line struct {
	text   string
	active bool // a global command has still to come to it
}

// limits are how much a buffer holds, with what it keeps for the command u.
type limits struct{ lines, bytes int }

// buffer is the text that is edited. Lines are numbered from 1. There is a gap in the array of lines, where the last
// change was, so that changes one after the other move little.
type buffer struct {
	lines []*line // gap included
	gap   int     // lines before the gap
	free  int     // size of the gap

	marks [26]*line
	near  int // where find has found a line last

	most limits
	held limits // of the text and of journal

	binary  bool // the text has bytes that are 0
	noFinal bool // the last line had no newline in its file, and gets none if the text is binary

	journal *journal // nil if there is nothing to undo
}

// change is a replacement of lines: those after the line at were removed, and others put in their place.
type change struct {
	at      int
	removed []*line
	added   int
}

// journal is what the last command has changed.
type journal struct {
	changes []change
	current int // line before it
}

func newBuffer(most limits) *buffer { return &buffer{most: most} }

// last returns the number of the last line.
func (b *buffer) last() int { return len(b.lines) - b.free }

// at returns line n.
func (b *buffer) at(n int) *line {
	if n > b.gap {
		n += b.free
	}
	return b.lines[n-1]
}

// find returns the number of a line, 0 if it is not there.
func (b *buffer) find(l *line) int {
	last := b.last()
	low, high := min(b.near, last), min(b.near, last)+1
	for l != nil && (low > 0 || high <= last) {
		if low > 0 && b.at(low) == l {
			b.near = low
			return low
		}
		if high <= last && b.at(high) == l {
			b.near = high
			return high
		}
		low, high = low-1, high+1
	}
	return 0
}

// begin begins what u undoes; current is the current line.
func (b *buffer) begin(current int) {
	b.forget()
	b.journal = &journal{current: current}
}

// forget drops what can be undone.
func (b *buffer) forget() {
	if b.journal == nil {
		return
	}
	for _, c := range b.journal.changes {
		b.hold(c.removed, -1)
	}
	b.journal = nil
}

// hold counts lines that are kept, or are no longer.
func (b *buffer) hold(lines []*line, sign int) {
	b.held.lines += sign * len(lines)
	for _, l := range lines {
		b.held.bytes += sign * len(l.text)
	}
}

// room tells whether lines can be put into the text.
func (b *buffer) room(with []*line) bool {
	size := 0
	for _, l := range with {
		size += len(l.text)
	}
	return b.held.lines+len(with) <= b.most.lines && b.held.bytes+size <= b.most.bytes
}

// replace removes n lines after the line at, and puts others in their place. Nothing has changed if it fails.
func (b *buffer) replace(at, n int, with []*line) error {
	if !b.room(with) {
		return errSpace
	}
	b.hold(with, 1)
	removed := b.splice(at, n, with)
	if b.journal == nil {
		b.hold(removed, -1)
		return nil
	}
	b.journal.changes = append(b.journal.changes, change{at, removed, len(with)})
	return nil
}

// splice is replace without limits and undoing. It returns what it has removed, which no global command comes to.
func (b *buffer) splice(at, n int, with []*line) []*line {
	b.moveGap(at)
	var removed []*line
	if n > 0 {
		after := b.lines[b.gap+b.free : b.gap+b.free+n]
		removed = append(removed, after...)
		clear(after)
		b.free += n
	}
	for _, l := range removed {
		l.active = false
	}
	if len(with) > b.free {
		b.grow(len(with))
	}
	copy(b.lines[b.gap:], with)
	b.gap += len(with)
	b.free -= len(with)
	return removed
}

// moveGap puts the gap behind line n.
func (b *buffer) moveGap(n int) {
	switch {
	case b.free == 0:
	case n < b.gap:
		copy(b.lines[n+b.free:], b.lines[n:b.gap])
		clear(b.lines[n:min(b.gap, n+b.free)])
	case n > b.gap:
		copy(b.lines[b.gap:], b.lines[b.gap+b.free:n+b.free])
		clear(b.lines[max(n, b.gap+b.free) : n+b.free])
	}
	b.gap = n
}

// grow makes the gap at least n lines large.
func (b *buffer) grow(n int) {
	free := n + b.last()/4 + 16
	lines := make([]*line, b.last()+free)
	copy(lines, b.lines[:b.gap])
	copy(lines[b.gap+free:], b.lines[b.gap+b.free:])
	b.lines, b.free = lines, free
}

// undo undoes the changes of the journal, and makes a journal of that. It takes the current line and returns what
// it was; false if there is no journal.
func (b *buffer) undo(current int) (was int, changed, ok bool) {
	if b.journal == nil {
		return current, false, false
	}
	back := &journal{current: current}
	for i := len(b.journal.changes) - 1; i >= 0; i-- {
		c := b.journal.changes[i]
		removed := b.splice(c.at, c.added, c.removed)
		back.changes = append(back.changes, change{c.at, removed, len(c.removed)})
	}
	was = b.journal.current
	b.journal = back
	return was, len(back.changes) > 0, true
}

// copyOf returns lines in an array of their own.
func (b *buffer) copyOf(first, last int) []*line {
	lines := make([]*line, 0, last-first+1)
	for n := first; n <= last; n++ {
		lines = append(lines, b.at(n))
	}
	return lines
}

// clear removes everything; that cannot be undone.
func (b *buffer) clear() { *b = buffer{most: b.most} }
