package find

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// maxNesting is how deep parentheses may be nested.
const maxNesting = 1000

// token is a part of an expression: an operator, or a primary with its arguments.
type token struct {
	op   string // "(", ")", "!" or "-o"; empty for a primary
	test test
}

// parser parses an expression.
type parser struct {
	*finder
	table  map[string]primary
	name   string   // of the primary
	args   []string // what follows
	output bool     // something does what a -print would
	delete bool
	tokens []token
	deep   int
}

// parse parses the expression. Errors are messages.
func (f *finder) parse(args []string) error {
	p := &parser{finder: f, table: primaryTable(), args: args}
	for len(p.args) > 0 {
		p.name, p.args = p.args[0], p.args[1:]
		if err := p.next(); err != nil {
			return err
		}
	}
	if p.delete && f.walk.Follow {
		return util.Messagef("-delete: insecure options got turned on")
	}
	f.test = f.print
	if len(p.tokens) == 0 {
		return nil
	}
	expression, err := p.or()
	if err != nil {
		return err
	}
	if len(p.tokens) > 0 {
		return util.Messagef("): no beginning '('")
	}
	f.test = expression
	if !p.output {
		f.test = both(expression, f.print)
	}
	return nil
}

// next takes an operator or a primary, whose name has been taken, off the arguments.
func (p *parser) next() error {
	switch p.name {
	case "(", ")", "!":
		p.tokens = append(p.tokens, token{op: p.name})
		return nil
	case "-o", "-or":
		p.tokens = append(p.tokens, token{op: "-o"})
		return nil
	case "-a", "-and":
		return nil
	}
	row, ok := p.table[p.name]
	if !ok {
		return util.Messagef("%s: unknown option", p.name)
	}
	arg := ""
	if row.arg != "" {
		if len(p.args) == 0 {
			return util.Messagef("%s: requires additional arguments", p.name)
		}
		arg, p.args = p.args[0], p.args[1:]
	}
	p.output = p.output || row.output
	if row.stat {
		p.walk.NoStat = false
	}
	if row.acts {
		p.walk.Ahead = false
	}
	t, err := row.make(p, arg)
	if err != nil {
		return err
	}
	p.tokens = append(p.tokens, token{test: t})
	return nil
}

// peek returns the operator that comes next: "" for a primary, ")" at the end.
func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ")"
	}
	return p.tokens[0].op
}

func (p *parser) or() (test, error) {
	if p.peek() == "-o" {
		return nil, util.Messagef("-o: no expression before -o")
	}
	left, err := p.and()
	for err == nil && p.peek() == "-o" {
		p.tokens = p.tokens[1:]
		if next := p.peek(); next == "-o" || next == ")" {
			return nil, util.Messagef("-o: no expression after -o")
		}
		var right test
		right, err = p.and()
		left = either(left, right)
	}
	return left, err
}

func (p *parser) and() (test, error) {
	left, err := p.not()
	for err == nil && p.peek() != "-o" && p.peek() != ")" {
		var right test
		right, err = p.not()
		left = both(left, right)
	}
	return left, err
}

func (p *parser) not() (test, error) {
	value := true
	for p.peek() == "!" {
		value = !value
		p.tokens = p.tokens[1:]
		switch p.peek() {
		case ")":
			return nil, util.Messagef("!: no following expression")
		case "-o":
			return nil, util.Messagef("!: nothing between ! and -o")
		}
	}
	t, err := p.operand()
	if err != nil || value {
		return t, err
	}
	return func(e *fts.Entry) bool { return !t(e) }, nil
}

// operand is a primary, or an expression in parentheses.
func (p *parser) operand() (test, error) {
	open := p.peek() == "("
	if !open && p.peek() == ")" {
		return nil, util.Messagef("): no beginning '('")
	}
	first := p.tokens[0]
	p.tokens = p.tokens[1:]
	if !open {
		return first.test, nil
	}
	if p.deep++; p.deep > maxNesting {
		return nil, util.Messagef("(: nested too deep")
	}
	if len(p.tokens) > 0 && p.peek() == ")" {
		return nil, util.Messagef("(): empty inner expression")
	}
	if len(p.tokens) == 0 {
		return nil, util.Messagef("(: missing closing ')'")
	}
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	if len(p.tokens) == 0 {
		return nil, util.Messagef("(: missing closing ')'")
	}
	p.tokens = p.tokens[1:]
	p.deep--
	return inner, nil
}

func both(left, right test) test {
	return func(e *fts.Entry) bool { return left(e) && right(e) }
}

func either(left, right test) test {
	return func(e *fts.Entry) bool { return left(e) || right(e) }
}

// until takes the arguments up to one that is ends.
func (p *parser) until(ends func(args []string, i int) bool) (list []string, end string, ok bool) {
	for i := range p.args {
		if ends(p.args, i) {
			list, end = p.args[:i], p.args[i]
			p.args = p.args[i+1:]
			return list, end, true
		}
	}
	return nil, "", false
}

// substitute puts a path in the place of each "{}".
func substitute(words []string, path string) []string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = strings.ReplaceAll(w, "{}", path)
	}
	return list
}
