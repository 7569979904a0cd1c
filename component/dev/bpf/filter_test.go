package bpf

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// insns takes a program apart that is laid out as in memory: struct bpf_insn.
func insns(raw []byte) []abi.BpfInsn {
	list := make([]abi.BpfInsn, len(raw)/abi.SizeofBpfInsn)
	for i := range list {
		if err := list[i].Decode(raw[i*abi.SizeofBpfInsn:]); err != nil {
			panic(err)
		}
	}
	return list
}

// laidOut is that memory.
func laidOut(list []abi.BpfInsn) []byte {
	var b []byte
	for i := range list {
		b = list[i].Append(b)
	}
	return b
}

// assemble makes a program of golang.org/x/net/bpf's instructions.
func assemble(tb testing.TB, prog ...bpf.Instruction) []abi.BpfInsn {
	tb.Helper()
	raw, err := bpf.Assemble(prog)
	if err != nil {
		tb.Fatal(err)
	}
	list := make([]abi.BpfInsn, len(raw))
	for i, r := range raw {
		list[i] = abi.BpfInsn{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return list
}

func look(data []byte) *packet {
	head := data[:min(len(data), headSize)]
	return &packet{head: head, size: uint32(len(data)), pkt: ifnet.NewPacket(data)}
}

// TestRun: what each instruction does, by bpf(4).
func TestRun(t *testing.T) {
	data := make([]byte, 300)
	for i := range data {
		data[i] = byte(i)
	}
	ld := func(k uint32) abi.BpfInsn { return abi.BpfInsn{Code: abi.BPF_LD | abi.BPF_IMM, K: k} }
	ldx := func(k uint32) abi.BpfInsn { return abi.BpfInsn{Code: abi.BPF_LDX | abi.BPF_IMM, K: k} }
	alu := func(op uint16, k uint32) abi.BpfInsn { return abi.BpfInsn{Code: abi.BPF_ALU | op, K: k} }
	for name, c := range map[string]struct {
		prog []abi.BpfInsn
		want uint32
	}{
		"word":                 {[]abi.BpfInsn{{Code: abi.BPF_LD | abi.BPF_W | abi.BPF_ABS, K: 1}}, 0x01020304},
		"half":                 {[]abi.BpfInsn{{Code: abi.BPF_LD | abi.BPF_H | abi.BPF_ABS, K: 1}}, 0x0102},
		"byte":                 {[]abi.BpfInsn{{Code: abi.BPF_LD | abi.BPF_B | abi.BPF_ABS, K: 255}}, 255},
		"across the head":      {[]abi.BpfInsn{{Code: abi.BPF_LD | abi.BPF_W | abi.BPF_ABS, K: headSize - 2}}, 0x7e7f8081},
		"behind the head":      {[]abi.BpfInsn{{Code: abi.BPF_LD | abi.BPF_H | abi.BPF_ABS, K: 298}}, 0x2a2b},
		"past the end":         {[]abi.BpfInsn{ld(7), {Code: abi.BPF_LD | abi.BPF_H | abi.BPF_ABS, K: 299}, ld(9)}, 0},
		"far past the end":     {[]abi.BpfInsn{ldx(2), {Code: abi.BPF_LD | abi.BPF_W | abi.BPF_IND, K: 0xffffffff}, ld(9)}, 0},
		"indirect":             {[]abi.BpfInsn{ldx(4), {Code: abi.BPF_LD | abi.BPF_B | abi.BPF_IND, K: 3}}, 7},
		"header length":        {[]abi.BpfInsn{{Code: abi.BPF_LDX | abi.BPF_MSH | abi.BPF_B, K: 0x45}, {Code: abi.BPF_MISC | abi.BPF_TXA}}, 20},
		"length":               {[]abi.BpfInsn{{Code: abi.BPF_LD | abi.BPF_LEN}}, 300},
		"length in X":          {[]abi.BpfInsn{{Code: abi.BPF_LDX | abi.BPF_LEN}, {Code: abi.BPF_MISC | abi.BPF_TXA}}, 300},
		"memory":               {[]abi.BpfInsn{ld(5), {Code: abi.BPF_ST, K: 15}, ld(6), {Code: abi.BPF_LD | abi.BPF_MEM, K: 15}}, 5},
		"memory begins zeroed": {[]abi.BpfInsn{ld(5), {Code: abi.BPF_LD | abi.BPF_MEM, K: 3}}, 0},
		"tax and X":            {[]abi.BpfInsn{ld(5), {Code: abi.BPF_MISC | abi.BPF_TAX}, ld(3), alu(abi.BPF_SUB|abi.BPF_X, 0)}, 0xfffffffe},
		"mod":                  {[]abi.BpfInsn{ld(17), alu(abi.BPF_MOD, 5)}, 2},
		"xor":                  {[]abi.BpfInsn{ld(17), alu(abi.BPF_XOR, 1)}, 16},
		"neg":                  {[]abi.BpfInsn{ld(1), alu(abi.BPF_NEG, 0)}, 0xffffffff},
		"divided by X of 0":    {[]abi.BpfInsn{ld(1), alu(abi.BPF_DIV|abi.BPF_X, 0), ld(9)}, 0},
		"jump":                 {[]abi.BpfInsn{ld(1), {Code: abi.BPF_JMP | abi.BPF_JA, K: 1}, ld(2)}, 1},
		"jset":                 {[]abi.BpfInsn{ld(6), {Code: abi.BPF_JMP | abi.BPF_JSET, K: 2, Jt: 0, Jf: 1}, ld(8)}, 8},
	} {
		prog, err := Compile(append(c.prog, abi.BpfInsn{Code: abi.BPF_RET | abi.BPF_A}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := prog.run(look(data)); got != c.want {
			t.Errorf("%s: %#x, want %#x", name, got, c.want)
		}
	}
}

// TestCompileRefuses: what bpf(4) says a filter may not do.
func TestCompileRefuses(t *testing.T) {
	ret := abi.BpfInsn{Code: abi.BPF_RET | abi.BPF_K, K: 1}
	for name, prog := range map[string][]abi.BpfInsn{
		"nothing":                 {},
		"too long":                make([]abi.BpfInsn, abi.BPF_MAXINSNS+1),
		"no return":               {{Code: abi.BPF_LD | abi.BPF_IMM}},
		"unknown":                 {{Code: 0xffff}, ret},
		"bits that have no place": {{Code: abi.BPF_LD | abi.BPF_H | abi.BPF_IMM}, ret},
		"coprocessor":             {{Code: abi.BPF_MISC | abi.BPF_COP}, ret},
		"divided by 0":            {{Code: abi.BPF_ALU | abi.BPF_DIV}, ret},
		"modulo 0":                {{Code: abi.BPF_ALU | abi.BPF_MOD}, ret},
		"load past the memory":    {{Code: abi.BPF_LD | abi.BPF_MEM, K: 16}, ret},
		"store past the memory":   {{Code: abi.BPF_STX, K: 16}, ret},
		"jump past the end":       {{Code: abi.BPF_JMP | abi.BPF_JA, K: 1}, ret},
		"jump back":               {{Code: abi.BPF_JMP | abi.BPF_JA, K: 0xffffffff}, ret},
		"branch past the end":     {{Code: abi.BPF_JMP | abi.BPF_JEQ, Jf: 1}, ret},
	} {
		if _, err := Compile(prog); err != abi.EINVAL {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzProgram: a valid program ends and does what golang.org/x/net/bpf's machine does, where that takes it; nothing else is run.
func FuzzProgram(f *testing.F) {
	f.Add(laidOut(assemble(f, bpf.LoadAbsolute{Off: 12, Size: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x800, SkipFalse: 5},
		bpf.LoadMemShift{Off: 14}, bpf.LoadIndirect{Off: 16, Size: 2}, bpf.StoreScratch{Src: bpf.RegA, N: 3}, bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 53, SkipTrue: 1}, bpf.RetConstant{Val: 0}, bpf.RetA{})), []byte("some packet of which to filter, 0123456789"))
	f.Add([]byte{0x16, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 200))
	f.Fuzz(func(t *testing.T, raw, data []byte) {
		list := insns(raw)
		prog, err := Compile(list)
		if err != nil || len(data) == 0 {
			return
		}
		got := prog.run(look(data))
		other := make([]bpf.RawInstruction, len(list))
		for i, in := range list {
			other[i] = bpf.RawInstruction{Op: in.Code, Jt: in.Jt, Jf: in.Jf, K: in.K}
		}
		dis, all := bpf.Disassemble(other)
		vm, err := bpf.NewVM(dis)
		if !all || err != nil || wraps(list) {
			return
		}
		want, err := vm.Run(data)
		if err == nil && got != uint32(want) {
			t.Errorf("%v: %d, want %d", dis, got, want)
		}
	})
}

// wraps says that a program has what the other machine does differently: it reckons offsets in an int, has no MOD by X of 0,
// and takes X for lengths.
func wraps(list []abi.BpfInsn) bool {
	for _, in := range list {
		if in.Code&0xe7 == abi.BPF_LD|abi.BPF_IND && in.K >= 1<<31 {
			return true
		}
	}
	return false
}

func BenchmarkRun(b *testing.B) {
	prog, err := Compile(assemble(b, bpf.LoadAbsolute{Off: 12, Size: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x800, SkipFalse: 8},
		bpf.LoadAbsolute{Off: 23, Size: 1}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipFalse: 6}, bpf.LoadAbsolute{Off: 20, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: 4}, bpf.LoadMemShift{Off: 14}, bpf.LoadIndirect{Off: 16, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 80, SkipFalse: 1}, bpf.RetConstant{Val: 65535}, bpf.RetConstant{Val: 0}))
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 100)
	binary.BigEndian.PutUint16(data[12:], 0x800)
	data[14], data[23] = 0x45, 6
	binary.BigEndian.PutUint16(data[36:], 80)
	p := look(data)
	for b.Loop() {
		if prog.run(p) != 65535 {
			b.Fatal("the filter does not take the packet")
		}
	}
}
