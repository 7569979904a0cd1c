package regex

// classes are the classes of characters that a bracket expression may name: what isalpha(3) and the others say of ASCII.
var classes = [...]struct {
	name string
	has  func(c byte) bool
}{
	{"alnum", func(c byte) bool { return alpha(c) || digit(c) }},
	{"alpha", alpha},
	{"blank", func(c byte) bool { return c == ' ' || c == '\t' }},
	{"cntrl", func(c byte) bool { return c < ' ' || c == 0x7f }},
	{"digit", digit},
	{"graph", graph},
	{"lower", lower},
	{"print", func(c byte) bool { return c == ' ' || graph(c) }},
	{"punct", func(c byte) bool { return graph(c) && !alpha(c) && !digit(c) }},
	{"space", func(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }},
	{"upper", upper},
	{"xdigit", func(c byte) bool { return digit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }},
}

func lower(c byte) bool { return 'a' <= c && c <= 'z' }
func upper(c byte) bool { return 'A' <= c && c <= 'Z' }
func alpha(c byte) bool { return lower(c) || upper(c) }
func digit(c byte) bool { return '0' <= c && c <= '9' }
func graph(c byte) bool { return '!' <= c && c <= '~' }

// word tells whether a byte is part of a word.
func word(c byte) bool { return alpha(c) || digit(c) || c == '_' }

// bracket parses a bracket expression, behind the bracket.
func (p *parser) bracket() (*node, error) {
	switch {
	case p.eat("[:<:]]"):
		return &node{op: opWordBegin}, nil
	case p.eat("[:>:]]"):
		return &node{op: opWordEnd}, nil
	}
	negated := p.eat("^")
	s := new(set)
	for first := true; first || !p.see("]"); first = false {
		if !p.more() {
			return nil, ErrBracket
		}
		if err := p.bracketItem(s); err != nil {
			return nil, err
		}
	}
	p.pos++
	if p.fold {
		s.fold()
	}
	if negated {
		for i := range s {
			s[i] = !s[i]
		}
	}
	return &node{op: opSet, set: s}, nil
}

// fold adds the letters of the other case to those that are in s.
func (s *set) fold() {
	for c := byte('a'); c <= 'z'; c++ {
		other := c - 'a' + 'A'
		s[c] = s[c] || s[other]
		s[other] = s[c]
	}
}

// bracketItem adds a class, a range or a character to s.
func (p *parser) bracketItem(s *set) error {
	if p.eat("[:") {
		return p.class(s)
	}
	if p.eat("[=") {
		c, err := p.collating("=]")
		s[c] = true
		return err
	}
	low, err := p.endpoint()
	if err != nil {
		return err
	}
	high := low
	if p.see("-") && !p.see("-]") {
		p.pos++
		if p.see("[:") || p.see("[=") {
			return ErrRange
		}
		if high, err = p.endpoint(); err != nil {
			return err
		}
	}
	if low > high {
		return ErrRange
	}
	for c := int(low); c <= int(high); c++ {
		s[c] = true
	}
	return nil
}

// class adds a class to s, behind "[:".
func (p *parser) class(s *set) error {
	for _, class := range classes {
		if !p.eat(class.name + ":]") {
			continue
		}
		for c := range s {
			s[c] = s[c] || class.has(byte(c))
		}
		return nil
	}
	return ErrClass
}

// endpoint parses a character, or an end of a range.
func (p *parser) endpoint() (byte, error) {
	if p.eat("[.") {
		return p.collating(".]")
	}
	if !p.more() {
		return 0, ErrBracket
	}
	p.pos++
	return p.text[p.pos-1], nil
}

// collating parses a collating element: one character, in the locale that there is.
func (p *parser) collating(end string) (byte, error) {
	if !p.more() {
		return 0, ErrBracket
	}
	c := p.text[p.pos]
	p.pos++
	if !p.eat(end) {
		return 0, ErrCollate
	}
	return c, nil
}
