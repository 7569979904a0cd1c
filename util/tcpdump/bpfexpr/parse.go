package bpfexpr

import (
	"fmt"
	"strconv"
)

// parser reads the tokens of an expression, one after the other.
type parser struct {
	Config
	expr   string
	tokens []token
	pos    int
	depth  int
	last   *qualifiers // of the primitive before, which a bare name or number after "and" or "or" takes over; nil at first
}

func (p *parser) peek() token { return p.tokens[p.pos] }

// ahead is the token after n others.
func (p *parser) ahead(n int) token { return p.tokens[min(p.pos+n, len(p.tokens)-1)] }

// take takes the next token.
func (p *parser) take() token {
	t := p.peek()
	if p.pos < len(p.tokens)-1 {
		p.pos++
	}
	return t
}

// accept takes the next token if it is one of these operators or keywords.
func (p *parser) accept(texts ...string) bool {
	t := p.peek()
	for _, text := range texts {
		if t.text == text && !t.escaped {
			p.take()
			return true
		}
	}
	return false
}

// refuse is an error at a token.
func (p *parser) refuse(t token, format string, args ...any) error {
	return &Error{p.expr, t.at, fmt.Sprintf(format, args...)}
}

// unexpected is the error of a token that cannot stand where it does.
func (p *parser) unexpected(t token) error {
	if t.text == "" {
		return p.refuse(t, "syntax error: the expression ends")
	}
	return p.refuse(t, "syntax error: unexpected \"%s\"", t.text)
}

func (p *parser) whole() (condition, error) {
	if p.peek().text == "" {
		return always(true), nil
	}
	c, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.text != "" {
		return nil, p.unexpected(t)
	}
	return c, nil
}

// alternatives reads conditions that are joined by and, or. The two bind equally and from the left: pcap-filter(7).
func (p *parser) alternatives() (condition, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.refuse(p.peek(), "parentheses are nested too deeply")
	}
	defer func() { p.depth-- }()
	left, err := p.negation()
	for err == nil {
		var right condition
		switch {
		case p.accept("and", "&&"):
			right, err = p.negation()
			left = all{left, right}
		case p.accept("or", "||"):
			right, err = p.negation()
			left = anyOf{left, right}
		default:
			return left, nil
		}
	}
	return nil, err
}

func (p *parser) negation() (condition, error) {
	negated := false
	for p.accept("not", "!") {
		negated = !negated
	}
	c, err := p.term()
	if negated && err == nil {
		c = not{c}
	}
	return c, err
}

// term reads a relation, a parenthesis or a primitive. What a parenthesis encloses is known only at its end: "(tcp[0] + 1) > 2" or "(tcp or udp)".
func (p *parser) term() (condition, error) {
	start := p.pos
	if p.startsRelation() {
		c, err := p.relation()
		if err == nil || p.peekAt(start).text != "(" {
			return c, err
		}
		p.pos = start
	}
	if p.peek().text != "(" {
		return p.primitive()
	}
	p.take()
	c, err := p.alternatives()
	if err == nil && !p.accept(")") {
		err = p.unexpected(p.peek())
	}
	return c, err
}

func (p *parser) peekAt(pos int) token { return p.tokens[pos] }

// number reads a word as a number: decimal, hexadecimal with 0x, octal with 0.
func number(s string) (uint32, bool) {
	base, digits := 10, s
	switch {
	case len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x':
		base, digits = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base, digits = 8, s[1:]
	}
	v, err := strconv.ParseUint(digits, base, 32)
	return uint32(v), err == nil
}
