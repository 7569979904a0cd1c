package sh

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// param expands a parameter: XCU 2.6.2.
func (e *expansion) param(p *syntax.ParamExp, quoted bool) error {
	if p.Param == nil || p.Excl || p.Width || p.IsSet || p.Index != nil || p.Slice != nil ||
		p.Repl != nil || p.Names != 0 || p.NestedParam != nil {
		return fmt.Errorf("syntax error: bad substitution")
	}
	name := p.Param.Value
	value, set := e.value(p)
	switch {
	case p.Length:
		return e.length(name, value, set, quoted)
	case p.Exp != nil:
		return e.operator(p, value, set, quoted)
	}
	if !set && e.opts.on('u') && name != "@" && name != "*" {
		return fmt.Errorf("%s: parameter not set", name)
	}
	e.parameter(name, value, e.params, quoted)
	return nil
}

// value returns a parameter's value, that of "@" and "*" as one string.
func (e *expansion) value(p *syntax.ParamExp) (string, bool) {
	switch name := p.Param.Value; name {
	case "@":
		return strings.Join(e.params, " "), len(e.params) > 0
	case "*":
		return strings.Join(e.params, e.joiner()), len(e.params) > 0
	case "LINENO":
		return strconv.Itoa(int(p.Pos().Line())), true
	default:
		return e.lookupVar(name)
	}
}

// joiner returns what "$*" puts between parameters.
func (e *expansion) joiner() string {
	ifs := e.ifs()
	_, size := utf8.DecodeRuneInString(ifs)
	return ifs[:size]
}

// parameter adds the value of a parameter. "@", and "*" outside quotes, make a field of each of params, the
// positional parameters.
func (e *expansion) parameter(name, value string, params []string, quoted bool) {
	if !e.split || name != "@" && (name != "*" || quoted) {
		e.result(value, quoted)
		return
	}
	for i, param := range params {
		if i > 0 && (quoted || !e.out.last.empty()) {
			e.out.cut()
		}
		e.result(param, quoted)
	}
}

// length adds the length of a parameter in characters, or how many positional parameters there are.
func (e *expansion) length(name, value string, set, quoted bool) error {
	if !set && e.opts.on('u') && name != "@" && name != "*" {
		return fmt.Errorf("%s: parameter not set", name)
	}
	n := utf8.RuneCountInString(value)
	if name == "@" || name == "*" {
		n = len(e.params)
	}
	e.result(strconv.Itoa(n), quoted)
	return nil
}

// operator adds ${name-word} and its kin.
func (e *expansion) operator(p *syntax.ParamExp, value string, set, quoted bool) error {
	name, op, word := p.Param.Value, p.Exp.Op, p.Exp.Word
	use := set
	switch op {
	case syntax.DefaultUnsetOrNull, syntax.AlternateUnsetOrNull, syntax.AssignUnsetOrNull, syntax.ErrorUnsetOrNull:
		use = set && value != ""
	}
	switch op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull:
		if !use {
			return e.word(word, quoted)
		}
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if use {
			return e.word(word, quoted)
		}
		return nil
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if !use {
			return e.assignDefault(name, word, quoted)
		}
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		if !use {
			return e.paramError(name, word, set)
		}
	case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		return e.remove(name, op, word, value, set, quoted)
	default:
		return fmt.Errorf("syntax error: bad substitution")
	}
	e.parameter(name, value, e.params, quoted)
	return nil
}

// word adds the word of ${name-word} in the place of the parameter.
func (e *expansion) word(w *syntax.Word, quoted bool) error {
	if w == nil {
		return nil
	}
	outer := e.nested
	e.nested = true
	err := e.parts(w.Parts, quoted, true)
	e.nested = outer
	return err
}

// assignDefault assigns the word of ${name=word} and adds it.
func (e *expansion) assignDefault(name string, w *syntax.Word, quoted bool) error {
	if !syntax.ValidName(name) {
		return fmt.Errorf("%s: bad variable name", name)
	}
	f, err := e.one(w, true, quoted)
	if err != nil {
		return err
	}
	if err := e.setVar(name, f.text.String()); err != nil {
		return err
	}
	e.result(f.text.String(), quoted)
	return nil
}

// paramError returns the error of ${name?word}.
func (e *expansion) paramError(name string, w *syntax.Word, set bool) error {
	text, err := e.literal(w)
	switch {
	case err != nil:
		return err
	case text != "":
	case set:
		text = "parameter null"
	default:
		text = "parameter not set"
	}
	return fmt.Errorf("%s: %s", name, text)
}

// remove adds a parameter without what a pattern matches of its start or end.
func (e *expansion) remove(name string, op syntax.ParExpOperator, w *syntax.Word, value string, set, quoted bool) error {
	if !set && e.opts.on('u') && name != "@" && name != "*" {
		return fmt.Errorf("%s: parameter not set", name)
	}
	pat, err := e.pattern(w)
	if err != nil {
		return err
	}
	suffix := op == syntax.RemSmallSuffix || op == syntax.RemLargeSuffix
	longest := op == syntax.RemLargePrefix || op == syntax.RemLargeSuffix
	if name != "@" && name != "*" {
		e.result(trim(pat, value, suffix, longest), quoted)
		return nil
	}
	params := make([]string, len(e.params))
	for i, param := range e.params {
		params[i] = trim(pat, param, suffix, longest)
	}
	e.parameter(name, strings.Join(params, e.joiner()), params, quoted)
	return nil
}
