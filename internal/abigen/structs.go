package main

import "fmt"

// codec generates the structures.
type codec struct {
	*source
	facts   *Facts
	machine machine
	goNames map[string]string // C name to Go name, of all structures needed
	queue   []string          // C names still to be written
}

// A field is one member as it is in the Go structure.
type field struct {
	goType
	name  string
	off   int
	cName string // what the comment says
	from  *member
}

// structs writes a Go structure for each selected C structure and for those
// that they contain.
func (g *generator) structs() ([]byte, error) {
	m, err := g.src.Facts.machine()
	if err != nil {
		return nil, err
	}
	c := &codec{source: g.newSource("", "encoding/binary"), facts: &g.src.Facts, machine: m, goNames: map[string]string{}}
	for _, sel := range g.src.Structs {
		if _, ok := c.facts.Structs[sel.C]; !ok {
			return nil, fmt.Errorf("%s is not measured", sel.C)
		}
		if sel.Go == "" {
			sel.Go = typeName(sel.C)
		}
		if _, twice := c.goNames[sel.C]; twice {
			return nil, fmt.Errorf("%s is selected twice", sel.C)
		}
		c.goNames[sel.C] = sel.Go
		c.queue = append(c.queue, sel.C)
	}
	for len(c.queue) != 0 {
		name := c.queue[0]
		c.queue = c.queue[1:]
		if err := g.claim(c.goNames[name], name); err != nil {
			return nil, err
		}
		s, err := c.layout(name)
		if err == nil {
			err = c.structure(s)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		g.written = append(g.written, s)
	}
	return c.format()
}

// layouts writes the list of structures for the tests, which compare each
// with the data file.
func (g *generator) layouts() ([]byte, error) {
	s := g.newSource("// layouts has every generated structure by its C name.")
	s.printf("var layouts = []struct {\nc string\nsize int\nmake func() record\n}{\n")
	for _, l := range g.written {
		s.printf("{%q, Sizeof%[2]s, func() record { return new(%[2]s) }},\n", l.cName, l.name)
	}
	s.printf("}\n")
	return s.format()
}

// need returns the Go name of a structure, and has it written.
func (c *codec) need(cName string) string {
	if _, ok := c.goNames[cName]; !ok {
		c.goNames[cName] = typeName(cName)
		c.queue = append(c.queue, cName)
	}
	return c.goNames[cName]
}

// A structure is one C structure on its way to Go.
type structure struct {
	cName   string
	name    string // in Go
	size    int
	members []*member
	fields  []field
	taken   map[string]bool // names of fields and methods
}

// layout reads the members of a structure and places them in fields.
func (c *codec) layout(cName string) (*structure, error) {
	measured := c.facts.Structs[cName]
	s := &structure{cName: cName, name: c.goNames[cName], size: measured.Size}
	var err error
	if s.members, err = tree(measured.Fields); err != nil {
		return nil, err
	}
	if s.fields, err = c.fields(s.members); err != nil {
		return nil, err
	}
	return s, s.check()
}

// structure writes everything of one structure.
func (c *codec) structure(s *structure) error {
	c.printf("\n// Sizeof%[1]s is the size of a %[2]s in bytes.\nconst Sizeof%[1]s = %[3]d\n", s.name, s.cName, s.size)
	c.printf("\n// %[1]s is %[2]s.\ntype %[1]s struct {\n", s.name, s.cName)
	for _, f := range s.fields {
		c.printf("%s %s // %s\n", f.name, f.goType, f.cName)
	}
	c.printf("}\n")
	c.methods(s.name)
	c.put(s)
	c.get(s)
	if err := c.unionAccessors(s); err != nil {
		return err
	}
	if err := c.bitAccessors(s); err != nil {
		return err
	}
	if s.cName == "struct dirent" {
		c.offsets(s)
	}
	return nil
}

// fields turns the members of a structure into fields of the Go structure.
func (c *codec) fields(members []*member) ([]field, error) {
	prefix := commonPrefix(members)
	var fields []field
	for _, m := range members {
		switch {
		case m.Bits != "":
			unit, err := c.bitUnit(m)
			if err != nil {
				return nil, err
			}
			if n := len(fields); n == 0 || fields[n-1].off != unit.off {
				fields = append(fields, unit)
			} else {
				fields[n-1].cName += ", " + m.name
			}
			continue
		case m.Size == 0:
			continue
		}
		t, err := c.resolve(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		fields = append(fields, field{t, fieldName(m.name, prefix), m.Off, m.name, m})
	}
	return fields, nil
}

// check tells of fields that overlap, leave the structure or have one name.
func (s *structure) check() error {
	s.taken = map[string]bool{"Encode": true, "Decode": true, "Append": true}
	end := 0
	for _, f := range s.fields {
		if f.off < end || f.off+f.size > s.size {
			return fmt.Errorf("%s at %d, %d bytes, does not fit", f.cName, f.off, f.size)
		}
		end = f.off + f.size
		if err := s.take(f.name); err != nil {
			return err
		}
	}
	return nil
}

// take reserves the name of a field or method.
func (s *structure) take(name string) error {
	if s.taken[name] {
		return fmt.Errorf("second field or method named %s", name)
	}
	s.taken[name] = true
	return nil
}

// bitUnit is the byte that holds a bit-field.
func (c *codec) bitUnit(m *member) (field, error) {
	_, byteOff, err := c.bitPlace(m)
	if err != nil {
		return field{}, err
	}
	t := goType{kind: scalarType, size: 1, name: "uint8"}
	return field{t, fmt.Sprintf("Bits%d", byteOff), byteOff, m.name, nil}, nil
}

// bitPlace finds the byte that a bit-field is in and its shift there. A
// bit-field that crosses bytes is an error: none of ours does.
func (c *codec) bitPlace(m *member) (shift, byteOff int, err error) {
	var width, msb int
	if _, err := fmt.Sscanf(m.Bits, "%d@%d", &width, &msb); err != nil {
		return 0, 0, fmt.Errorf("%s: bits %q: %w", m.Name, m.Bits, err)
	}
	lsb := 8*m.Size - msb - width
	if lsb < 0 || lsb/8 != (lsb+width-1)/8 {
		return 0, 0, fmt.Errorf("%s: bits %s cross bytes", m.Name, m.Bits)
	}
	byteOff = m.Off + lsb/8
	if c.machine.order == "BigEndian" {
		byteOff = m.Off + m.Size - 1 - lsb/8
	}
	return lsb % 8, byteOff, nil
}

// offsets writes the place of each field, for records that end early.
func (c *codec) offsets(s *structure) {
	c.printf("\n// Where the fields of a %s begin, in bytes.\nconst (\n", s.cName)
	for _, f := range s.fields {
		c.printf("%sOff%s = %d\n", s.name, f.name, f.off)
	}
	c.printf(")\n")
}
