package bpfexpr

import (
	"golang.org/x/net/bpf"
)

// condition is a node of the tree: it emits code that goes to one place if it holds of a packet and to another if not.
type condition interface {
	emit(c *code, yes, no place) place
}

// place is where an instruction stands, counted from the end of the program: programs are written backwards, so that the place to
// which a jump goes is known when it is written. (The machine jumps forward alone.)
type place int

// code is a program that grows from its end.
type code struct {
	reversed []bpf.Instruction
}

// put puts an instruction before what is there.
func (c *code) put(in bpf.Instruction) place {
	c.reversed = append(c.reversed, in)
	return place(len(c.reversed) - 1)
}

// putAll puts instructions that run one after the other.
func (c *code) putAll(list []bpf.Instruction) {
	for i := len(list) - 1; i >= 0; i-- {
		c.put(list[i])
	}
}

// here is the place of the first instruction.
func (c *code) here() place { return place(len(c.reversed) - 1) }

// maxSkip is how far a conditional jump goes.
const maxSkip = 255

// near is a place that a conditional jump can reach and that leads to p. other more instructions may come before the jump.
func (c *code) near(p place, other int) place {
	if len(c.reversed)+other-int(p)-1 <= maxSkip {
		return p
	}
	return c.put(bpf.Jump{Skip: uint32(len(c.reversed) - int(p) - 1)})
}

// jump puts a comparison of A with a constant, or with X.
func (c *code) jump(test bpf.JumpTest, val uint32, withX bool, yes, no place) place {
	yes = c.near(yes, 1)
	no = c.near(no, 0)
	at := len(c.reversed)
	skipYes, skipNo := uint8(at-int(yes)-1), uint8(at-int(no)-1)
	if withX {
		return c.put(bpf.JumpIfX{Cond: test, SkipTrue: skipYes, SkipFalse: skipNo})
	}
	return c.put(bpf.JumpIf{Cond: test, Val: val, SkipTrue: skipYes, SkipFalse: skipNo})
}

// program is the instructions in order.
func (c *code) program() []bpf.Instruction {
	list := make([]bpf.Instruction, len(c.reversed))
	for i, in := range c.reversed {
		list[len(list)-1-i] = in
	}
	return list
}

// all holds if every one does.
type all []condition

func (l all) emit(c *code, yes, no place) place {
	for i := len(l) - 1; i >= 0; i-- {
		yes = l[i].emit(c, yes, no)
	}
	return yes
}

// anyOf holds if one does.
type anyOf []condition

func (l anyOf) emit(c *code, yes, no place) place {
	for i := len(l) - 1; i >= 0; i-- {
		no = l[i].emit(c, yes, no)
	}
	return no
}

// not holds if the other does not.
type not struct{ condition }

func (n not) emit(c *code, yes, no place) place { return n.condition.emit(c, no, yes) }

// compare holds if what the load puts into A, masked, stands in a relation to a constant.
type compare struct {
	load []bpf.Instruction
	mask uint32 // 0 for none
	test bpf.JumpTest
	val  uint32
}

func (p compare) emit(c *code, yes, no place) place {
	c.jump(p.test, p.val, false, yes, no)
	if p.mask != 0 {
		c.put(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: p.mask})
	}
	c.putAll(p.load)
	return c.here()
}

// equal compares a number at a fixed place.
func equal(off uint32, size int, val uint32) condition {
	return compare{load: []bpf.Instruction{bpf.LoadAbsolute{Off: off, Size: size}}, test: bpf.JumpEqual, val: val}
}

// maskedEqual compares some of its bits.
func maskedEqual(off uint32, size int, mask, val uint32) condition {
	return compare{load: []bpf.Instruction{bpf.LoadAbsolute{Off: off, Size: size}}, mask: mask, test: bpf.JumpEqual, val: val}
}

// bytesEqual compares bytes at a fixed place, under a mask of the same length or none.
func bytesEqual(off uint32, want, mask []byte) condition {
	var list all
	for len(want) > 0 {
		n := 4
		for n > len(want) {
			n /= 2
		}
		v, m := bigEndian(want[:n]), uint32(1<<(8*n)-1)
		if mask != nil {
			m = bigEndian(mask[:n])
			mask = mask[n:]
		}
		switch m {
		case 0: // any will do
		case uint32(1<<(8*n) - 1):
			list = append(list, equal(off, n, v))
		default:
			list = append(list, maskedEqual(off, n, m, v&m))
		}
		off, want = off+uint32(n), want[n:]
	}
	return list
}

func bigEndian(b []byte) uint32 {
	var v uint32
	for _, c := range b {
		v = v<<8 | uint32(c)
	}
	return v
}

// always holds of every packet, or of none.
type always bool

func (a always) emit(_ *code, yes, no place) place {
	if a {
		return yes
	}
	return no
}
