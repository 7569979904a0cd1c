package main

import (
	"fmt"
	"strings"
)

// unionAccessors writes methods for the members of a structure's unions.
func (c *codec) unionAccessors(s *structure) error {
	for _, f := range s.fields {
		if f.kind != unionType {
			continue
		}
		members, err := c.unionMembers(f.goType, f.from)
		if err != nil {
			return err
		}
		if err := c.union(s, f, members, ""); err != nil {
			return err
		}
	}
	return nil
}

// unionMembers returns the members of union m, at their places in the
// structure that m is in.
func (c *codec) unionMembers(t goType, m *member) ([]*member, error) {
	if t.name == "" {
		return m.subs, nil
	}
	members, err := tree(c.facts.Structs[t.name].Fields)
	for _, sub := range members {
		sub.shift(m.Off)
	}
	return members, err
}

// shift moves a member and what it contains by off bytes.
func (m *member) shift(off int) {
	m.Off += off
	for _, sub := range m.subs {
		sub.shift(off)
	}
}

// union writes accessors for the numbers and structures in union f of
// structure s; path is the Go name so far of the members' parent. Arrays have
// none: they are slices of the raw bytes.
func (c *codec) union(s *structure, f field, members []*member, path string) error {
	prefix := commonPrefix(members)
	for _, m := range members {
		if m.Bits != "" || m.Size == 0 {
			continue
		}
		goName := path + fieldName(m.name, prefix)
		t, err := c.resolve(m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		switch t.kind {
		case bytesType, arrayType:
			continue
		case unionType:
			inner, err := c.unionMembers(t, m)
			if err != nil {
				return err
			}
			if err := c.union(s, f, inner, goName); err != nil {
				return err
			}
			continue
		}
		if s.taken[goName] {
			goName = f.name + goName
		}
		if err := c.accessor(s, f, t, goName, m); err != nil {
			return err
		}
	}
	return nil
}

// accessor writes the getter and the setter of one member of union f.
func (c *codec) accessor(s *structure, f field, t goType, goName string, m *member) error {
	if err := s.take(goName); err != nil {
		return err
	}
	if err := s.take("Set" + goName); err != nil {
		return err
	}
	p := place{off: m.Off - f.off, size: t.size}
	c.printf("\n// %s is member %s of %s.\n", goName, m.Name, f.cName)
	c.printf("func (s *%s) %s() (v %s) {\nb := &s.%s\n%s\nreturn v\n}\n", s.name, goName, t, f.name, c.load(t, "v", p))
	c.printf("\n// Set%s sets member %s and leaves the other bytes of %s as they are.\n", goName, m.Name, f.cName)
	c.printf("func (s *%s) Set%s(v %s) {\nb := &s.%s\n%s\n}\n", s.name, goName, t, f.name, c.store(t, "v", p))
	return nil
}

// bitAccessors writes accessors for the bit-fields of a structure.
func (c *codec) bitAccessors(s *structure) error {
	prefix := commonPrefix(s.members)
	for _, m := range s.members {
		if m.Bits == "" {
			continue
		}
		shift, off, err := c.bitPlace(m)
		if err != nil {
			return err
		}
		goName := fieldName(m.name, prefix)
		if err := s.take(goName); err != nil {
			return err
		}
		width, _, _ := strings.Cut(m.Bits, "@")
		c.printf("\n// %s is bit-field %s, %s bits.\n", goName, m.name, width)
		c.printf("func (s *%s) %s() uint8 { return s.Bits%d >> %d & (1<<%s - 1) }\n", s.name, goName, off, shift, width)
		c.printf("\n// Set%s sets bit-field %s to the low %s bits of v.\n", goName, m.name, width)
		c.printf("func (s *%s) Set%s(v uint8) {\nconst mask = (1<<%s - 1) << %d\ns.Bits%d = s.Bits%d&^mask | v<<%d&mask\n}\n",
			s.name, goName, width, shift, off, off, shift)
	}
	return nil
}
