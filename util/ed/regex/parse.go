package regex

// op is what a node of a parsed expression matches.
type op uint8

const (
	opSet       op = iota // a byte of set
	opCat                 // the nodes of sub, one after the other; nothing if there are none
	opAlt                 // one of the nodes of sub
	opGroup               // sub[0], which is subexpression n
	opRepeat              // sub[0], min to max times; max is -1 if there is no limit
	opBack                // what subexpression n has matched
	opBegin               // nothing, at the beginning of the text
	opEnd                 // nothing, at its end
	opWordBegin           // nothing, before the first byte of a word
	opWordEnd             // nothing, after the last
)

// node is a node of a parsed expression.
type node struct {
	op       op
	n        int
	min, max int
	set      *set
	sub      []*node
}

// set is a set of bytes.
type set [256]bool

// parser parses an expression.
type parser struct {
	text     string
	pos      int
	extended bool
	fold     bool // upper and lower case are the same
	groups   int
	closed   [10]bool // subexpressions 1 to 9 that are complete
	depth    int
}

func (p *parser) parse() (*node, error) {
	if len(p.text) > maxPattern {
		return nil, ErrSpace
	}
	body := p.basic
	if p.extended {
		body = p.alternation
	}
	tree, err := body()
	if err == nil && p.pos < len(p.text) {
		err = ErrParen // only a closing parenthesis ends it
	}
	return tree, err
}

func (p *parser) more() bool { return p.pos < len(p.text) }

// see tells whether s comes next.
func (p *parser) see(s string) bool {
	return len(p.text)-p.pos >= len(s) && p.text[p.pos:p.pos+len(s)] == s
}

// eat takes s if it comes next.
func (p *parser) eat(s string) bool {
	if !p.see(s) {
		return false
	}
	p.pos += len(s)
	return true
}

// group parses a subexpression, behind its opening parenthesis.
func (p *parser) group(body func() (*node, error), end string) (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, ErrSpace
	}
	if !p.more() {
		return nil, ErrParen
	}
	p.groups++
	n := p.groups
	inner, err := body()
	if err != nil {
		return nil, err
	}
	if !p.eat(end) {
		return nil, ErrParen
	}
	p.depth--
	if n < len(p.closed) {
		p.closed[n] = true
	}
	return &node{op: opGroup, n: n, sub: []*node{inner}}, nil
}

// basic parses a basic expression up to its end or the end of the subexpression that it is.
func (p *parser) basic() (*node, error) {
	cat := &node{op: opCat}
	if p.eat("^") {
		cat.sub = append(cat.sub, &node{op: opBegin})
	}
	for first := true; p.more() && !p.see(`\)`); first = false {
		if p.eat("$") {
			if !p.more() || p.see(`\)`) {
				cat.sub = append(cat.sub, &node{op: opEnd})
				break
			}
			p.pos--
		}
		atom, err := p.basicAtom(first)
		if err != nil {
			return nil, err
		}
		if atom, err = p.basicRepeat(atom); err != nil {
			return nil, err
		}
		cat.sub = append(cat.sub, atom)
	}
	return cat, nil
}

// basicAtom parses what a repetition may follow. An asterisk that comes first is itself.
func (p *parser) basicAtom(first bool) (*node, error) {
	switch {
	case p.eat("*"):
		if !first {
			return nil, ErrRepeat
		}
		return p.literal('*'), nil
	case p.eat("["):
		return p.bracket()
	case p.eat("."):
		return anyByte(), nil
	case p.eat(`\(`):
		return p.group(p.basic, `\)`)
	case p.eat(`\{`):
		return nil, ErrRepeat
	case p.eat(`\}`):
		return nil, ErrBrace
	case p.eat(`\`):
		return p.escaped()
	}
	p.pos++
	return p.literal(p.text[p.pos-1]), nil
}

// escaped parses what follows a backslash.
func (p *parser) escaped() (*node, error) {
	if !p.more() {
		return nil, ErrBackslash
	}
	c := p.text[p.pos]
	p.pos++
	switch {
	case c == '<':
		return &node{op: opWordBegin}, nil
	case c == '>':
		return &node{op: opWordEnd}, nil
	case '1' <= c && c <= '9' && !p.extended:
		n := int(c - '0')
		if !p.closed[n] {
			return nil, ErrSubexp
		}
		return &node{op: opBack, n: n}, nil
	}
	return p.literal(c), nil
}

// basicRepeat parses the repetition of an atom, if there is one.
func (p *parser) basicRepeat(atom *node) (*node, error) {
	switch {
	case p.eat("*"):
		return &node{op: opRepeat, max: -1, sub: []*node{atom}}, nil
	case p.eat(`\{`):
		return p.bound(atom, `\}`)
	}
	return atom, nil
}

// bound parses how often an atom is repeated, behind the opening brace.
func (p *parser) bound(atom *node, end string) (*node, error) {
	low, ok := p.number()
	if !ok {
		return nil, p.badBound(end)
	}
	high := low
	if p.eat(",") {
		if high, ok = p.number(); !ok {
			high = -1
		}
	}
	if !p.eat(end) {
		return nil, p.badBound(end)
	}
	if low > maxCount || high > maxCount || high >= 0 && low > high {
		return nil, ErrCount
	}
	return &node{op: opRepeat, min: low, max: high, sub: []*node{atom}}, nil
}

// badBound tells what is wrong with a bound: its end is missing, or what it holds.
func (p *parser) badBound(end string) error {
	for ; p.more(); p.pos++ {
		if p.see(end) {
			return ErrCount
		}
	}
	return ErrBrace
}

// number parses a number, which is larger than maxCount if it is too large.
func (p *parser) number() (n int, ok bool) {
	for ; p.more() && '0' <= p.text[p.pos] && p.text[p.pos] <= '9'; p.pos++ {
		n, ok = min(n*10+int(p.text[p.pos]-'0'), maxCount+1), true
	}
	return n, ok
}

// alternation parses an extended expression up to its end or the end of the subexpression that it is.
func (p *parser) alternation() (*node, error) {
	alt := &node{op: opAlt}
	for {
		branch, err := p.branch()
		if err != nil {
			return nil, err
		}
		alt.sub = append(alt.sub, branch)
		if !p.eat("|") {
			break
		}
	}
	if len(alt.sub) == 1 {
		return alt.sub[0], nil
	}
	return alt, nil
}

// branch parses one of several alternatives. Only a subexpression may be empty: "()".
func (p *parser) branch() (*node, error) {
	cat := &node{op: opCat}
	inGroup := p.depth > 0
	for p.more() && !p.see("|") && !(inGroup && p.see(")")) {
		atom, err := p.extendedAtom()
		if err != nil {
			return nil, err
		}
		if atom, err = p.extendedRepeat(atom); err != nil {
			return nil, err
		}
		cat.sub = append(cat.sub, atom)
	}
	unit := inGroup && p.see(")") && p.text[p.pos-1] == '('
	if len(cat.sub) == 0 && !unit {
		return nil, ErrEmpty
	}
	return cat, nil
}

// extendedAtom parses what a repetition may follow.
func (p *parser) extendedAtom() (*node, error) {
	switch {
	case p.eat("("):
		return p.group(p.alternation, ")")
	case p.eat(")"):
		return nil, ErrParen
	case p.eat("^"):
		return &node{op: opBegin}, nil
	case p.eat("$"):
		return &node{op: opEnd}, nil
	case p.eat("*"), p.eat("+"), p.eat("?"):
		return nil, ErrRepeat
	case p.eat("["):
		return p.bracket()
	case p.eat("."):
		return anyByte(), nil
	case p.eat(`\`):
		return p.escaped()
	case p.seeBound():
		return nil, ErrRepeat
	}
	p.pos++
	return p.literal(p.text[p.pos-1]), nil
}

// seeBound tells whether a brace comes next that begins a bound: one that a digit follows.
func (p *parser) seeBound() bool {
	return p.see("{") && p.pos+1 < len(p.text) && '0' <= p.text[p.pos+1] && p.text[p.pos+1] <= '9'
}

// extendedRepeat parses the repetition of an atom, if there is one. There is none of a repetition.
func (p *parser) extendedRepeat(atom *node) (*node, error) {
	repeat := &node{op: opRepeat, max: -1, sub: []*node{atom}}
	switch {
	case p.eat("*"):
	case p.eat("+"):
		repeat.min = 1
	case p.eat("?"):
		repeat.max = 1
	case p.seeBound():
		p.pos++
		var err error
		if repeat, err = p.bound(atom, "}"); err != nil {
			return nil, err
		}
	default:
		return atom, nil
	}
	if atom.op == opBegin || p.see("*") || p.see("+") || p.see("?") || p.seeBound() {
		return nil, ErrRepeat
	}
	return repeat, nil
}

// literal returns what matches a byte.
func (p *parser) literal(c byte) *node {
	s := new(set)
	s[c] = true
	if p.fold {
		s.fold()
	}
	return &node{op: opSet, set: s}
}

// anyByte returns what matches every byte.
func anyByte() *node {
	s := new(set)
	for i := range s {
		s[i] = true
	}
	return &node{op: opSet, set: s}
}
