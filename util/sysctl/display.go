package sysctl

import (
	"bytes"
	"fmt"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// when says which of a node's values is displayed.
type when int

const (
	value  when = iota // the value there is
	before             // the value there was before it was set
	after              // the value it was set to
)

// display prints a value's name and the value, which text prints in its plain form. In raw and dump form it
// prints the bytes.
func (t *tool) display(path string, b []byte, w when, text func()) {
	if t.quiet || (t.bare > 0 || t.raw) && w == before {
		return
	}
	if t.raw {
		t.env.Stdout.Write(b) //nolint:errcheck // the flush at the end reports it
		return
	}
	if t.bare == 0 {
		switch w {
		case value:
			t.printf("%s%s", path, t.eq)
		case before:
			t.printf("%s: ", path)
		}
	}
	if t.hex > 1 {
		if w != after {
			t.printf("\n")
		}
		t.printf("%s", hexDump(b))
		return
	}
	text()
	if w == before {
		t.printf(" -> ")
	} else {
		t.printf("\n")
	}
}

// number displays an int, a bool or a quad.
func (t *tool) number(n *client.SysctlNode, b []byte, w when) {
	t.display(n.Path, b, w, func() {
		v := decodeNumber(b)
		switch {
		case t.hex > 0:
			t.printf("0x%0*x", 2*len(b), v)
		case n.Has(abi.CTLFLAG_HEX) && v != 0:
			t.printf("%#x", v)
		case n.Type() == abi.CTLTYPE_INT && !n.Has(abi.CTLFLAG_UNSIGNED):
			t.printf("%d", int32(v))
		default:
			t.printf("%d", v)
		}
	})
}

// text displays a string.
func (t *tool) text(n *client.SysctlNode, b []byte, w when) {
	t.display(n.Path, b, w, func() {
		s, _, terminated := bytes.Cut(b, []byte{0})
		switch {
		case t.hex > 0:
			t.printf("%x", s)
			if terminated {
				t.printf("00")
			}
		case n.Has(abi.CTLFLAG_HEX):
			for _, c := range s {
				t.printf(`\x%02x`, c)
			}
		default:
			t.printf("%s", s)
		}
	})
}

// shown is how many bytes of a structure -x shows.
const shown = 16

// structure displays what has no other form, if its bytes were asked for.
func (t *tool) structure(n *client.SysctlNode, b []byte, w when) {
	if t.quiet {
		return
	}
	if t.hex == 0 && !t.raw {
		if t.curious() {
			t.complain("%s: this type is unknown to this program", n.Path)
		}
		return
	}
	t.display(n.Path, b, w, func() {
		t.printf("%x", b[:min(len(b), shown)])
		if len(b) > shown {
			t.printf("...(%d more bytes)", len(b)-shown)
		}
	})
}

// hexDump returns bytes in the manner of hexdump -C.
func hexDump(b []byte) string {
	var out bytes.Buffer
	for at := 0; at < len(b); at += 16 {
		row := b[at:min(at+16, len(b))]
		plain := make([]byte, 16)
		for i := range plain {
			plain[i] = ' '
		}
		digits := ""
		for i, c := range row {
			digits += fmt.Sprintf("%02x ", c)
			plain[i] = '.'
			if c >= ' ' && c <= '~' {
				plain[i] = c
			}
		}
		fmt.Fprintf(&out, "%07x  %-49s| %s |\n", at, digits, plain)
	}
	fmt.Fprintf(&out, "%07d bytes\n", len(b))
	return out.String()
}
