package main

import (
	"fmt"
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

// put writes the encoder of a structure of size bytes.
func (c *codec) put(name string, fields []field, size int) {
	c.printf("\nfunc (s *%s) put(b *[Sizeof%s]byte) {\n", name, name)
	end := 0
	for _, f := range fields {
		c.padding(end, f.off)
		end = f.off + f.size
		if f.kind == arrayType {
			c.printf("for i := range s.%s {\n", f.name)
			c.printf("%s\n}\n", c.putExpr(*f.elem, "s."+f.name+"[i]", place{f.off, f.elem.size, true}))
			continue
		}
		c.printf("%s\n", c.putExpr(f.goType, "s."+f.name, place{f.off, f.size, false}))
	}
	c.padding(end, size)
	c.printf("}\n")
}

func (c *codec) padding(from, to int) {
	if from < to {
		c.printf("clear(b[%d:%d])\n", from, to)
	}
}

// get writes the decoder of a structure.
func (c *codec) get(name string, fields []field) {
	c.printf("\nfunc (s *%s) get(b *[Sizeof%s]byte) {\n", name, name)
	for _, f := range fields {
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

// accessors writes methods for the members of unions and for bit-fields.
func (c *codec) accessors(name string, fields []field) error {
	layoutNames := map[string]bool{}
	for _, f := range fields {
		layoutNames[f.name] = true
	}
	for _, f := range fields {
		if f.kind != unionType {
			continue
		}
		subs := f.from.subs
		if len(subs) == 0 {
			var err error
			if subs, err = tree(c.facts.Structs[f.goType.name].Fields); err != nil {
				return err
			}
			for _, m := range subs {
				m.shift(f.off)
			}
		}
		if err := c.union(name, f, subs, "", layoutNames); err != nil {
			return err
		}
	}
	return c.bitAccessors(name, layoutNames)
}

// shift moves a member and what it contains by off bytes.
func (m *member) shift(off int) {
	m.Off += off
	for _, s := range m.subs {
		s.shift(off)
	}
}

// union writes accessors for the numbers and structures in union field f of
// structure name; path is the Go name so far of the members' parent.
func (c *codec) union(name string, f field, members []*member, path string, taken map[string]bool) error {
	prefix := commonPrefix(members)
	for _, m := range members {
		goName := path + fieldName(m.name, prefix)
		if m.Bits != "" || m.Size == 0 {
			continue
		}
		t, err := c.resolve(m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		if t.kind == unionType {
			if err := c.union(name, f, m.subs, goName, taken); err != nil {
				return err
			}
			continue
		}
		if t.kind == bytesType || t.kind == arrayType {
			continue
		}
		if taken[goName] {
			goName = f.name + goName
		}
		if taken[goName] || taken["Set"+goName] {
			return fmt.Errorf("second field or accessor named %s", goName)
		}
		taken[goName], taken["Set"+goName] = true, true
		c.accessor(name, f, t, goName, m)
	}
	return nil
}

func (c *codec) accessor(name string, f field, t goType, goName string, m *member) {
	p := place{m.Off - f.off, t.size, false}
	c.printf("\n// %s is member %s of union %s.\n", goName, m.Name, f.cName)
	c.printf("func (s *%s) %s() (v %s) {\nb := &s.%s\n%s\nreturn v\n}\n", name, goName, t, f.name, c.getExpr(t, "v", p))
	c.printf("\n// Set%s sets member %s and leaves the rest of the union as it is.\n", goName, m.Name)
	c.printf("func (s *%s) Set%s(v %s) {\nb := &s.%s\n%s\n}\n", name, goName, t, f.name, c.putExpr(t, "v", p))
}

// bitAccessors writes accessors for the bit-fields of structure name.
func (c *codec) bitAccessors(name string, taken map[string]bool) error {
	cName := ""
	for k, v := range c.goNames {
		if v == name {
			cName = k
		}
	}
	members, err := tree(c.facts.Structs[cName].Fields)
	if err != nil {
		return err
	}
	prefix := commonPrefix(members)
	for _, m := range members {
		if m.Bits == "" {
			continue
		}
		shift, off, err := c.bitPlace(m)
		if err != nil {
			return err
		}
		goName := fieldName(m.name, prefix)
		if taken[goName] {
			return fmt.Errorf("second field or accessor named %s", goName)
		}
		taken[goName] = true
		width, _, _ := strings.Cut(m.Bits, "@")
		c.printf("\n// %s is the bit-field %s, %s bits.\n", goName, m.name, width)
		c.printf("func (s *%s) %s() uint8 { return s.Bits%d >> %d & (1<<%s - 1) }\n", name, goName, off, shift, width)
		c.printf("\n// Set%s sets the bit-field %s to the low %s bits of v.\n", goName, m.name, width)
		c.printf("func (s *%s) Set%s(v uint8) {\nconst mask = (1<<%s - 1) << %d\ns.Bits%d = s.Bits%d&^mask | v<<%d&mask\n}\n", name, goName, width, shift, off, off, shift)
	}
	return nil
}
