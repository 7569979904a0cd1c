package main

import "fmt"

// errnos writes the Errno constants and the tables of names and texts, of
// signals too.
func (g *generator) errnos() ([]byte, error) {
	consts := g.src.Facts.Consts
	s := g.newSource("// Error numbers. The negative ones never leave a kernel: they say how a call\n// is to be finished, see errno(2) of the kernel manual.")
	s.printf("const (\n")
	for _, e := range g.src.Extra.Errno {
		v, ok := consts[e.Name]
		if !ok {
			return nil, fmt.Errorf("%s is not measured", e.Name)
		}
		if err := g.claim(e.Name, e.Name); err != nil {
			return nil, err
		}
		if v < 0 {
			s.printf("%s Errno = %#x // %d\n", e.Name, uint32(v), v)
		} else {
			s.printf("%s Errno = %d\n", e.Name, v)
		}
	}
	s.printf(")\n\n")
	s.printf("// errnoText is strerror(3) by number.\nvar errnoText = [...]string{\n")
	g.texts(s, g.src.Extra.Errno, func(e Text) string { return e.Text })
	s.printf("}\n\n// errnoName is the C name by number.\nvar errnoName = [...]string{\n")
	g.texts(s, g.src.Extra.Errno, func(e Text) string { return e.Name })
	s.printf("}\n\n// pseudoErrno is the C name of a number below zero, by its absolute value.\nvar pseudoErrno = [...]string{\n")
	for _, e := range g.src.Extra.Errno {
		if v := consts[e.Name]; v < 0 {
			s.printf("%d: %q,\n", -v, e.Name)
		}
	}
	s.printf("}\n\n// signalName is the C name by signal number.\nvar signalName = [...]string{\n")
	g.texts(s, g.src.Extra.Signals, func(e Text) string { return e.Name })
	s.printf("}\n\n// signalText is strsignal(3) by number.\nvar signalText = [...]string{\n")
	g.texts(s, g.src.Extra.Signals, func(e Text) string { return e.Text })
	s.printf("}\n")
	return s.format()
}

// texts writes table elements for the entries of list that have a positive
// number and a text of their own: an alias (EWOULDBLOCK) has none.
func (g *generator) texts(s *source, list []Text, text func(Text) string) {
	for _, e := range list {
		if v := g.src.Facts.Consts[e.Name]; v > 0 && e.Text != "" {
			s.printf("%d: %q,\n", v, text(e))
		}
	}
}
