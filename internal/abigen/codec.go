package main

import (
	"fmt"
	"strconv"
	"strings"
)

// methods writes the exported methods of a structure, over put and get.
func (c *codec) methods(name string) {
	c.printf(`
// Encode writes s to the first Sizeof%[1]s bytes of b, padding as zeroes.
func (s *%[1]s) Encode(b []byte) error {
	if len(b) < Sizeof%[1]s {
		return ErrShort
	}
	s.put((*[Sizeof%[1]s]byte)(b))
	return nil
}

// Decode sets s from the first Sizeof%[1]s bytes of b.
func (s *%[1]s) Decode(b []byte) error {
	if len(b) < Sizeof%[1]s {
		return ErrShort
	}
	s.get((*[Sizeof%[1]s]byte)(b))
	return nil
}

// Append appends s as Encode writes it.
func (s *%[1]s) Append(b []byte) []byte {
	var raw [Sizeof%[1]s]byte
	s.put(&raw)
	return append(b, raw[:]...)
}
`, name)
}

// put writes the encoder of a structure.
func (c *codec) put(s *structure) {
	c.printf("\nfunc (s *%[1]s) put(b *[Sizeof%[1]s]byte) {\n", s.name)
	end := 0
	for _, f := range s.fields {
		c.padding(end, f.off)
		end = f.off + f.size
		c.printf("%s\n", statement(c.store, f.goType, "s."+f.name, place{off: f.off, size: f.size}))
	}
	c.padding(end, s.size)
	c.printf("}\n")
}

func (c *codec) padding(from, to int) {
	if from < to {
		c.printf("clear(b[%d:%d])\n", from, to)
	}
}

// get writes the decoder of a structure.
func (c *codec) get(s *structure) {
	c.printf("\nfunc (s *%[1]s) get(b *[Sizeof%[1]s]byte) {\n", s.name)
	for _, f := range s.fields {
		c.printf("%s\n", statement(c.load, f.goType, "s."+f.name, place{off: f.off, size: f.size}))
	}
	c.printf("}\n")
}

// A place is where a value is in the array b: size bytes at off, or for an
// element of arrays that begin there, at off plus index times stride for each.
type place struct {
	off, size int
	index     string // Go expression to be added to off, with its sign
}

// start is the Go expression of the place's first byte.
func (p place) start() string {
	return strconv.Itoa(p.off) + p.index
}

// slice is the Go expression of the place's bytes, and maybe what follows.
func (p place) slice() string {
	if p.index != "" {
		return fmt.Sprintf("b[%s:]", p.start())
	}
	return fmt.Sprintf("b[%d:%d]", p.off, p.off+p.size)
}

// statement applies leaf, which is store or load, to value v of type t: in
// loops, if that is an array.
func statement(leaf func(goType, string, place) string, t goType, v string, p place) string {
	if t.kind != arrayType {
		return leaf(t, v, p)
	}
	i := string("ijkl"[strings.Count(p.index, "+")])
	p.index += fmt.Sprintf("+%d*%s", t.elem.size, i)
	p.size = t.elem.size
	return fmt.Sprintf("for %s := range %s {\n%s\n}", i, v, statement(leaf, *t.elem, v+"["+i+"]", p))
}

// store is the statement that writes value v of type t to p.
func (c *codec) store(t goType, v string, p place) string {
	switch {
	case t.kind == structType:
		return fmt.Sprintf("%s.put((*[Sizeof%s]byte)(%s))", v, t.name, p.slice())
	case t.kind == bytesType || t.kind == unionType:
		return fmt.Sprintf("copy(%s, %s[:])", p.slice(), v)
	case t.kind == boolType:
		return fmt.Sprintf("b[%s] = boolByte(%s)", p.start(), v)
	case t.size == 1:
		return fmt.Sprintf("b[%s] = %s", p.start(), convert("uint8", t.name, v))
	}
	bits := 8 * t.size
	return fmt.Sprintf("binary.%s.PutUint%d(%s, %s)", c.machine.order, bits, p.slice(), convert(fmt.Sprintf("uint%d", bits), t.name, v))
}

// load is the statement that sets v of type t from p.
func (c *codec) load(t goType, v string, p place) string {
	switch {
	case t.kind == structType:
		return fmt.Sprintf("%s.get((*[Sizeof%s]byte)(%s))", v, t.name, p.slice())
	case t.kind == bytesType || t.kind == unionType:
		return fmt.Sprintf("copy(%s[:], %s)", v, p.slice())
	case t.kind == boolType:
		return fmt.Sprintf("%s = b[%s] != 0", v, p.start())
	case t.size == 1:
		return fmt.Sprintf("%s = %s", v, convert(t.name, "uint8", "b["+p.start()+"]"))
	}
	bits := 8 * t.size
	number := fmt.Sprintf("binary.%s.Uint%d(%s)", c.machine.order, bits, p.slice())
	return fmt.Sprintf("%s = %s", v, convert(t.name, fmt.Sprintf("uint%d", bits), number))
}

// convert is expression v of type from as type to.
func convert(to, from, v string) string {
	if to == from {
		return v
	}
	return to + "(" + v + ")"
}
