package bpf

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Program is a filter that has been validated: running it ends and stays within the packet and its memory.
type Program []abi.BpfInsn

// opcodes are the instructions of a filter, bpf(4), with what has to hold of their operands.
var opcodes = func() map[uint16]check {
	ops := map[uint16]check{
		abi.BPF_LD | abi.BPF_IMM: nil, abi.BPF_LD | abi.BPF_W | abi.BPF_LEN: nil, abi.BPF_LD | abi.BPF_MEM: inMemory,
		abi.BPF_LDX | abi.BPF_IMM: nil, abi.BPF_LDX | abi.BPF_W | abi.BPF_LEN: nil, abi.BPF_LDX | abi.BPF_MEM: inMemory,
		abi.BPF_LDX | abi.BPF_MSH | abi.BPF_B: nil,
		abi.BPF_ST:                            inMemory, abi.BPF_STX: inMemory,
		abi.BPF_ALU | abi.BPF_NEG: nil,
		abi.BPF_JMP | abi.BPF_JA:  jumpAlways,
		abi.BPF_RET | abi.BPF_K:   nil, abi.BPF_RET | abi.BPF_A: nil,
		abi.BPF_MISC | abi.BPF_TAX: nil, abi.BPF_MISC | abi.BPF_TXA: nil,
	}
	for _, size := range []uint16{abi.BPF_W, abi.BPF_H, abi.BPF_B} {
		ops[abi.BPF_LD|size|abi.BPF_ABS], ops[abi.BPF_LD|size|abi.BPF_IND] = nil, nil
	}
	for _, op := range []uint16{abi.BPF_ADD, abi.BPF_SUB, abi.BPF_MUL, abi.BPF_DIV, abi.BPF_MOD, abi.BPF_OR, abi.BPF_AND,
		abi.BPF_XOR, abi.BPF_LSH, abi.BPF_RSH} {
		ops[abi.BPF_ALU|op|abi.BPF_K], ops[abi.BPF_ALU|op|abi.BPF_X] = nil, nil
	}
	ops[abi.BPF_ALU|abi.BPF_DIV|abi.BPF_K], ops[abi.BPF_ALU|abi.BPF_MOD|abi.BPF_K] = notZero, notZero
	for _, op := range []uint16{abi.BPF_JEQ, abi.BPF_JGT, abi.BPF_JGE, abi.BPF_JSET} {
		ops[abi.BPF_JMP|op|abi.BPF_K], ops[abi.BPF_JMP|op|abi.BPF_X] = jumpIf, jumpIf
	}
	return ops
}()

// check says whether an instruction with left more after it is valid.
type check func(in *abi.BpfInsn, left uint32) bool

func inMemory(in *abi.BpfInsn, _ uint32) bool      { return in.K < abi.BPF_MEMWORDS }
func notZero(in *abi.BpfInsn, _ uint32) bool       { return in.K != 0 }
func jumpAlways(in *abi.BpfInsn, left uint32) bool { return in.K < left }
func jumpIf(in *abi.BpfInsn, left uint32) bool     { return uint32(in.Jt) < left && uint32(in.Jf) < left }

// Compile validates a filter: known instructions, jumps forward within it, no constant division by zero, and a return at the end. (Jumps go
// forward alone, so that every filter ends.)
//
// Errors: EINVAL.
func Compile(insns []abi.BpfInsn) (Program, error) {
	if len(insns) == 0 || len(insns) > abi.BPF_MAXINSNS {
		return nil, abi.EINVAL
	}
	for i := range insns {
		valid, known := opcodes[insns[i].Code]
		if !known || valid != nil && !valid(&insns[i], uint32(len(insns)-i-1)) {
			return nil, abi.EINVAL
		}
	}
	if insns[len(insns)-1].Code&7 != abi.BPF_RET {
		return nil, abi.EINVAL
	}
	return insns, nil
}

// headSize is how much of a packet a filter finds at once: what lies beyond is fetched a word at a time.
const headSize = 128

// packet is what a filter looks at.
type packet struct {
	head  []byte // its first bytes, all of it when it is not longer
	size  uint32 // of all of it
	pkt   *ifnet.Packet
	front int // bytes of head ahead of those of pkt
}

// rest fills b with bytes from an offset that is not in front of pkt.
func (p *packet) rest(b []byte, off int) { p.pkt.Buf.ReadAt(b, int64(off-p.front)) }

// load reads a number of 1, 2 or 4 bytes in network order; ok is false when it is not within the packet.
func (p *packet) load(off uint64, n uint64) (v uint32, ok bool) {
	if off+n > uint64(p.size) {
		return 0, false
	}
	var buf [4]byte
	b := buf[:n]
	if off+n <= uint64(len(p.head)) {
		b = p.head[off : off+n]
	} else {
		p.rest(b, int(off))
	}
	switch n {
	case 4:
		return binary.BigEndian.Uint32(b), true
	case 2:
		return uint32(binary.BigEndian.Uint16(b)), true
	}
	return uint32(b[0]), true
}

// machine is the state of a filter that runs.
type machine struct {
	a, x uint32
	mem  [abi.BPF_MEMWORDS]uint32
}

// sizes are the numbers of bytes that the size bits of a load stand for.
var sizes = [4]uint64{abi.BPF_W >> 3: 4, abi.BPF_H >> 3: 2, abi.BPF_B >> 3: 1}

// run says how many bytes of the packet the filter takes; 0 is none. Loads past its end and division by zero end it with 0.
func (prog Program) run(p *packet) uint32 {
	var m machine
	for pc := 0; pc < len(prog); pc++ {
		in := &prog[pc]
		ok := true
		switch in.Code & 7 {
		case abi.BPF_LD:
			ok = m.loadA(in, p)
		case abi.BPF_LDX:
			ok = m.loadX(in, p)
		case abi.BPF_ST:
			m.mem[in.K] = m.a
		case abi.BPF_STX:
			m.mem[in.K] = m.x
		case abi.BPF_ALU:
			ok = m.alu(in)
		case abi.BPF_JMP:
			pc += m.jump(in)
		case abi.BPF_RET:
			if in.Code == abi.BPF_RET|abi.BPF_A {
				return m.a
			}
			return in.K
		case abi.BPF_MISC:
			if in.Code == abi.BPF_MISC|abi.BPF_TAX {
				m.x = m.a
			} else {
				m.a = m.x
			}
		}
		if !ok {
			return 0
		}
	}
	return 0
}

func (m *machine) loadA(in *abi.BpfInsn, p *packet) (ok bool) {
	switch in.Code & 0xe0 {
	case abi.BPF_ABS:
		m.a, ok = p.load(uint64(in.K), sizes[in.Code>>3&3])
		return ok
	case abi.BPF_IND:
		m.a, ok = p.load(uint64(m.x)+uint64(in.K), sizes[in.Code>>3&3])
		return ok
	case abi.BPF_IMM:
		m.a = in.K
	case abi.BPF_LEN:
		m.a = p.size
	case abi.BPF_MEM:
		m.a = m.mem[in.K]
	}
	return true
}

func (m *machine) loadX(in *abi.BpfInsn, p *packet) bool {
	switch in.Code & 0xe0 {
	case abi.BPF_MSH:
		v, ok := p.load(uint64(in.K), 1)
		m.x = v & 0xf << 2
		return ok
	case abi.BPF_IMM:
		m.x = in.K
	case abi.BPF_LEN:
		m.x = p.size
	case abi.BPF_MEM:
		m.x = m.mem[in.K]
	}
	return true
}

// operand is X or the constant, as bit BPF_X of the code says.
func (m *machine) operand(in *abi.BpfInsn) uint32 {
	if in.Code&abi.BPF_X != 0 {
		return m.x
	}
	return in.K
}

func (m *machine) alu(in *abi.BpfInsn) bool {
	v := m.operand(in)
	switch in.Code & 0xf0 {
	case abi.BPF_ADD:
		m.a += v
	case abi.BPF_SUB:
		m.a -= v
	case abi.BPF_MUL:
		m.a *= v
	case abi.BPF_DIV, abi.BPF_MOD:
		return m.divide(in.Code&0xf0 == abi.BPF_MOD, v)
	case abi.BPF_OR:
		m.a |= v
	case abi.BPF_AND:
		m.a &= v
	case abi.BPF_XOR:
		m.a ^= v
	case abi.BPF_LSH:
		m.a <<= v
	case abi.BPF_RSH:
		m.a >>= v
	case abi.BPF_NEG:
		m.a = -m.a
	}
	return true
}

func (m *machine) divide(rest bool, v uint32) bool {
	if v == 0 {
		return false
	}
	if rest {
		m.a %= v
	} else {
		m.a /= v
	}
	return true
}

// jump is by how many instructions to go on.
func (m *machine) jump(in *abi.BpfInsn) int {
	v, holds := m.operand(in), false
	switch in.Code & 0xf0 {
	case abi.BPF_JA:
		return int(in.K)
	case abi.BPF_JEQ:
		holds = m.a == v
	case abi.BPF_JGT:
		holds = m.a > v
	case abi.BPF_JGE:
		holds = m.a >= v
	case abi.BPF_JSET:
		holds = m.a&v != 0
	}
	if holds {
		return int(in.Jt)
	}
	return int(in.Jf)
}
