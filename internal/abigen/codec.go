package main

import "fmt"

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
		if f.kind == arrayType {
			c.printf("for i := range s.%s {\n", f.name)
			c.printf("%s\n}\n", c.putExpr(*f.elem, "s."+f.name+"[i]", place{f.off, f.elem.size, true}))
			continue
		}
		c.printf("%s\n", c.putExpr(f.goType, "s."+f.name, place{f.off, f.size, false}))
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
		if f.kind == arrayType {
			c.printf("for i := range s.%s {\n", f.name)
			c.printf("%s\n}\n", c.getExpr(*f.elem, "s."+f.name+"[i]", place{f.off, f.elem.size, true}))
			continue
		}
		c.printf("%s\n", c.getExpr(f.goType, "s."+f.name, place{f.off, f.size, false}))
	}
	c.printf("}\n")
}

// A place is where a value is in the array b: at a fixed offset, or for
// element i of an array that begins there.
type place struct {
	off, size int
	indexed   bool
}

func (p place) String() string {
	if !p.indexed {
		return fmt.Sprintf("b[%d:%d]", p.off, p.off+p.size)
	}
	return fmt.Sprintf("b[%d+%d*i:]", p.off, p.size)
}

func (p place) single() string {
	if !p.indexed {
		return fmt.Sprintf("b[%d]", p.off)
	}
	return fmt.Sprintf("b[%d+i]", p.off)
}

// putExpr is the statement that stores value v of type t at p.
func (c *codec) putExpr(t goType, v string, p place) string {
	switch {
	case t.kind == structType:
		return fmt.Sprintf("%s.put((*[Sizeof%s]byte)(%s))", v, t.name, p)
	case t.kind == bytesType || t.kind == unionType:
		return fmt.Sprintf("copy(%s, %s[:])", p, v)
	case t.kind == boolType:
		return fmt.Sprintf("%s = boolByte(%s)", p.single(), v)
	case t.size == 1:
		return fmt.Sprintf("%s = %s", p.single(), convert("uint8", t.name, v))
	}
	u := fmt.Sprintf("uint%d", 8*t.size)
	return fmt.Sprintf("binary.%s.PutUint%d(%s, %s)", c.machine.order, 8*t.size, p, convert(u, t.name, v))
}

// getExpr is the statement that sets v of type t from p.
func (c *codec) getExpr(t goType, v string, p place) string {
	switch {
	case t.kind == structType:
		return fmt.Sprintf("%s.get((*[Sizeof%s]byte)(%s))", v, t.name, p)
	case t.kind == bytesType || t.kind == unionType:
		return fmt.Sprintf("copy(%s[:], %s)", v, p)
	case t.kind == boolType:
		return fmt.Sprintf("%s = %s != 0", v, p.single())
	case t.size == 1:
		return fmt.Sprintf("%s = %s", v, convert(t.name, "uint8", p.single()))
	}
	u := fmt.Sprintf("uint%d", 8*t.size)
	return fmt.Sprintf("%s = %s", v, convert(t.name, u, fmt.Sprintf("binary.%s.Uint%d(%s)", c.machine.order, 8*t.size, p)))
}

func convert(to, from, v string) string {
	if to == from {
		return v
	}
	return to + "(" + v + ")"
}
