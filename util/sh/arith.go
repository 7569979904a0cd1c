package sh

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

var errDivision = errors.New("arithmetic expression: division by zero")

// arithmetic evaluates an arithmetic expression on signed 64-bit numbers: XCU 2.6.4.
func (s *shell) arithmetic(x syntax.ArithmExpr) (int64, error) {
	switch x := x.(type) {
	case nil:
		return 0, nil
	case *syntax.ParenArithm:
		return s.arithmetic(x.X)
	case *syntax.Word:
		return s.operand(x)
	case *syntax.UnaryArithm:
		return s.unary(x)
	case *syntax.BinaryArithm:
		return s.binaryArithmetic(x)
	}
	return 0, fmt.Errorf("arithmetic expression: %T is not of the POSIX shell", x)
}

// operand evaluates a word: a number, a variable, or what an expansion resulted in, which is an expression itself.
func (s *shell) operand(w *syntax.Word) (int64, error) {
	f, err := s.one(w, false, true)
	if err != nil {
		return 0, err
	}
	return s.evalNumber(f.text.String())
}

// evalNumber evaluates text as an expression.
func (s *shell) evalNumber(text string) (int64, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return 0, nil
	case '0' <= text[0] && text[0] <= '9':
		if n, ok := number(text); ok {
			return n, nil
		}
	case syntax.ValidName(text):
		return s.variableNumber(text)
	}
	x, err := newParser().Arithmetic(strings.NewReader(text))
	if err != nil || x == nil || int(x.End().Offset()) != len(text) ||
		strings.ContainsAny(text, "$`'\"\\") { // a value is not expanded again
		return 0, fmt.Errorf("arithmetic expression: syntax error: %q", text)
	}
	if w, ok := x.(*syntax.Word); ok && w.Lit() == text {
		return 0, fmt.Errorf("arithmetic expression: expecting a number: %q", text)
	}
	if !s.nest() {
		return 0, errTold
	}
	defer func() { s.nesting-- }()
	return s.arithmetic(x)
}

// variableNumber evaluates a variable; one that is not set is 0.
func (s *shell) variableNumber(name string) (int64, error) {
	value, set := s.lookupVar(name)
	if !set && s.opts.on('u') {
		return 0, fmt.Errorf("%s: parameter not set", name)
	}
	if value == name {
		return 0, fmt.Errorf("arithmetic expression: expecting a number: %q", value)
	}
	if !s.nest() {
		return 0, errTold
	}
	defer func() { s.nesting-- }()
	return s.evalNumber(value)
}

// number parses a decimal, octal or hexadecimal constant of at most 64 bits.
func number(text string) (int64, bool) {
	base := 10
	if len(text) > 1 && text[0] == '0' {
		base, text = 8, text[1:]
		if text[0] == 'x' || text[0] == 'X' {
			base, text = 16, text[1:]
		}
	}
	n, err := strconv.ParseUint(text, base, 64)
	return int64(n), err == nil
}

func (s *shell) unary(x *syntax.UnaryArithm) (int64, error) {
	n, err := s.arithmetic(x.X)
	if err != nil {
		return 0, err
	}
	switch x.Op {
	case syntax.Not:
		return truth(n == 0), nil
	case syntax.BitNegation:
		return ^n, nil
	case syntax.Plus:
		return n, nil
	case syntax.Minus:
		return -n, nil
	case syntax.Inc, syntax.Dec:
		after := n + 1
		if x.Op == syntax.Dec {
			after = n - 1
		}
		if err := s.assignNumber(x.X, after); err != nil || x.Post {
			return n, err
		}
		return after, nil
	}
	return 0, fmt.Errorf("arithmetic expression: bad operator %v", x.Op)
}

// assignNumber assigns to the variable that x names.
func (s *shell) assignNumber(x syntax.ArithmExpr, n int64) error {
	w, ok := x.(*syntax.Word)
	if !ok || !syntax.ValidName(w.Lit()) {
		return errors.New("arithmetic expression: assignment to what is no variable")
	}
	return s.setVar(w.Lit(), strconv.FormatInt(n, 10))
}

func (s *shell) binaryArithmetic(x *syntax.BinaryArithm) (int64, error) {
	switch x.Op {
	case syntax.Assgn:
		n, err := s.arithmetic(x.Y)
		if err != nil {
			return 0, err
		}
		return n, s.assignNumber(x.X, n)
	case syntax.TernQuest:
		return s.ternary(x)
	}
	left, err := s.arithmetic(x.X)
	if err != nil {
		return 0, err
	}
	switch {
	case x.Op == syntax.AndArit && left == 0:
		return 0, nil
	case x.Op == syntax.OrArit && left != 0:
		return 1, nil
	}
	right, err := s.arithmetic(x.Y)
	if err != nil {
		return 0, err
	}
	if op, ok := assignOperators[x.Op]; ok {
		n, err := operate(op, left, right)
		if err != nil {
			return 0, err
		}
		return n, s.assignNumber(x.X, n)
	}
	return operate(x.Op, left, right)
}

func (s *shell) ternary(x *syntax.BinaryArithm) (int64, error) {
	branches, ok := x.Y.(*syntax.BinaryArithm)
	if !ok {
		return 0, errors.New("arithmetic expression: syntax error: ? without a colon")
	}
	n, err := s.arithmetic(x.X)
	switch {
	case err != nil:
		return 0, err
	case n != 0:
		return s.arithmetic(branches.X)
	}
	return s.arithmetic(branches.Y)
}

// assignOperators has the operators that assign and the ones that they apply.
var assignOperators = map[syntax.BinAritOperator]syntax.BinAritOperator{
	syntax.AddAssgn: syntax.Add, syntax.SubAssgn: syntax.Sub, syntax.MulAssgn: syntax.Mul,
	syntax.QuoAssgn: syntax.Quo, syntax.RemAssgn: syntax.Rem, syntax.AndAssgn: syntax.And,
	syntax.OrAssgn: syntax.Or, syntax.XorAssgn: syntax.Xor, syntax.ShlAssgn: syntax.Shl,
	syntax.ShrAssgn: syntax.Shr,
}

// operators has the operators that cannot fail.
var operators = map[syntax.BinAritOperator]func(a, b int64) int64{
	syntax.Add:     func(a, b int64) int64 { return a + b },
	syntax.Sub:     func(a, b int64) int64 { return a - b },
	syntax.Mul:     func(a, b int64) int64 { return a * b },
	syntax.And:     func(a, b int64) int64 { return a & b },
	syntax.Or:      func(a, b int64) int64 { return a | b },
	syntax.Xor:     func(a, b int64) int64 { return a ^ b },
	syntax.Shl:     func(a, b int64) int64 { return a << (uint64(b) & 63) },
	syntax.Shr:     func(a, b int64) int64 { return a >> (uint64(b) & 63) },
	syntax.Eql:     func(a, b int64) int64 { return truth(a == b) },
	syntax.Neq:     func(a, b int64) int64 { return truth(a != b) },
	syntax.Lss:     func(a, b int64) int64 { return truth(a < b) },
	syntax.Leq:     func(a, b int64) int64 { return truth(a <= b) },
	syntax.Gtr:     func(a, b int64) int64 { return truth(a > b) },
	syntax.Geq:     func(a, b int64) int64 { return truth(a >= b) },
	syntax.AndArit: func(a, b int64) int64 { return truth(a != 0 && b != 0) },
	syntax.OrArit:  func(a, b int64) int64 { return truth(a != 0 || b != 0) },
	syntax.Comma:   func(_, b int64) int64 { return b },
}

func operate(op syntax.BinAritOperator, a, b int64) (int64, error) {
	if f := operators[op]; f != nil {
		return f(a, b), nil
	}
	switch op {
	case syntax.Quo, syntax.Rem:
		switch {
		case b == 0:
			return 0, errDivision
		case op == syntax.Rem:
			return a % b, nil
		}
		return a / b, nil
	}
	return 0, fmt.Errorf("arithmetic expression: bad operator %v", op)
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
