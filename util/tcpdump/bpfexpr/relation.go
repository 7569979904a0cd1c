package bpfexpr

import (
	"golang.org/x/net/bpf"
)

// constants are the names of numbers in relations: offsets of fields and their values, pcap-filter(7).
var constants = map[string]uint32{
	"icmptype": 0, "icmpcode": 1, "icmp6type": 0, "icmp6code": 1, "tcpflags": 13,
	"icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4, "icmp-redirect": 5, "icmp-echo": 8, "icmp-routeradvert": 9,
	"icmp-routersolicit": 10, "icmp-timxceed": 11, "icmp-paramprob": 12, "icmp-tstamp": 13, "icmp-tstampreply": 14, "icmp-ireq": 15,
	"icmp-ireqreply": 16, "icmp-maskreq": 17, "icmp-maskreply": 18,
	"icmp6-destinationrunreach": 1, "icmp6-packettoobig": 2, "icmp6-timeexceeded": 3, "icmp6-parameterproblem": 4, "icmp6-echo": 128,
	"icmp6-echoreply": 129, "icmp6-multicastlistenerquery": 130, "icmp6-multicastlistenerreportv1": 131,
	"icmp6-multicastlistenerdone": 132, "icmp6-routersolicit": 133, "icmp6-routeradvert": 134, "icmp6-neighborsolicit": 135,
	"icmp6-neighboradvert": 136, "icmp6-redirect": 137, "icmp6-multicastlistenerreportv2": 143,
	"tcp-fin": 1, "tcp-syn": 2, "tcp-rst": 4, "tcp-push": 8, "tcp-ack": 16, "tcp-urg": 32, "tcp-ece": 64, "tcp-cwr": 128,
}

// arith is a number that is computed from a packet.
type arith struct {
	code  []bpf.Instruction // leaves it in A; may use X and the scratch memory from slot depth on
	depth int               // slots of scratch memory that the code uses
	guard all               // what has to hold for the packet to have what the code loads
	// isConst says that it is val, whatever the packet.
	isConst bool
	val     uint32
}

func constant(v uint32) *arith {
	return &arith{code: []bpf.Instruction{bpf.LoadConstant{Dst: bpf.RegA, Val: v}}, isConst: true, val: v}
}

// scratch is the number of slots that the machine has.
const scratch = 16

// startsRelation says whether what comes next may be a relation.
func (p *parser) startsRelation() bool {
	t := p.peek()
	if t.text == "(" || t.text == "-" {
		return true
	}
	if !t.word || t.escaped {
		return false
	}
	_, isAccess := bases[t.text]
	_, isName := constants[t.text]
	_, isNumber := number(t.text)
	return isAccess && p.ahead(1).text == "[" || t.text == "len" || isName || isNumber && p.ahead(1).arithmetic()
}

// arithmetic says whether a token goes on with an arithmetic expression.
func (t token) arithmetic() bool {
	_, op := operations[t.text]
	_, rel := relations[t.text]
	return !t.word && (op || rel)
}

// relations are the comparisons: the machine's tests.
var relations = map[string]bpf.JumpTest{
	"<": bpf.JumpLessThan, "<=": bpf.JumpLessOrEqual, ">": bpf.JumpGreaterThan, ">=": bpf.JumpGreaterOrEqual,
	"=": bpf.JumpEqual, "==": bpf.JumpEqual, "!=": bpf.JumpNotEqual,
}

// compareX holds if a number stands in a relation to another.
type compareX struct {
	left, right *arith
	test        bpf.JumpTest
}

// emit computes the right side into memory, the left one into A, and compares that with X.
func (r compareX) emit(c *code, yes, no place) place {
	slot := r.left.depth
	c.jump(r.test, 0, true, yes, no)
	c.putAll([]bpf.Instruction{bpf.LoadScratch{Dst: bpf.RegX, N: slot}})
	c.putAll(r.left.code)
	c.putAll([]bpf.Instruction{bpf.StoreScratch{Src: bpf.RegA, N: slot}})
	c.putAll(r.right.code)
	return c.here()
}

func (p *parser) relation() (condition, error) {
	left, err := p.arithmetic(0)
	if err != nil {
		return nil, err
	}
	op := p.take()
	test, known := relations[op.text]
	if !known || op.word {
		return nil, p.unexpected(op)
	}
	right, err := p.arithmetic(0)
	if err != nil {
		return nil, err
	}
	guards := append(append(all{}, left.guard...), right.guard...)
	if right.isConst {
		return append(guards, compare{load: left.code, test: test, val: right.val}), nil
	}
	if left.depth >= scratch {
		return nil, p.refuse(op, "the arithmetic expression is too complex")
	}
	return append(guards, compareX{left, right, test}), nil
}

// operation is an operator between numbers.
type operation struct {
	precedence int
	op         bpf.ALUOp
	eval       func(a, b uint32) uint32 // b is not 0 for those that divide
}

// shifts is the precedence of << and >>.
const shifts = 2

// operations are the operators; & binds as loosely as |.
var operations = map[string]operation{
	"|":  {1, bpf.ALUOpOr, func(a, b uint32) uint32 { return a | b }},
	"^":  {1, bpf.ALUOpXor, func(a, b uint32) uint32 { return a ^ b }},
	"&":  {1, bpf.ALUOpAnd, func(a, b uint32) uint32 { return a & b }},
	"<<": {shifts, bpf.ALUOpShiftLeft, func(a, b uint32) uint32 { return a << b }},
	">>": {shifts, bpf.ALUOpShiftRight, func(a, b uint32) uint32 { return a >> b }},
	"+":  {3, bpf.ALUOpAdd, func(a, b uint32) uint32 { return a + b }},
	"-":  {3, bpf.ALUOpSub, func(a, b uint32) uint32 { return a - b }},
	"*":  {4, bpf.ALUOpMul, func(a, b uint32) uint32 { return a * b }},
	"/":  {4, bpf.ALUOpDiv, func(a, b uint32) uint32 { return a / b }},
	"%":  {4, bpf.ALUOpMod, func(a, b uint32) uint32 { return a % b }},
}

// arithmetic reads numbers between operators that bind at least so tightly.
func (p *parser) arithmetic(precedence int) (*arith, error) {
	left, err := p.operand()
	for err == nil {
		t := p.peek()
		op, known := operations[t.text]
		if !known || t.word || op.precedence < precedence {
			return left, nil
		}
		p.take()
		var right *arith
		if right, err = p.arithmetic(op.precedence + 1); err == nil {
			left, err = p.combine(t, op, left, right)
		}
	}
	return nil, err
}

func (p *parser) combine(t token, op operation, left, right *arith) (*arith, error) {
	divides := op.op == bpf.ALUOpDiv || op.op == bpf.ALUOpMod
	if right.isConst {
		switch {
		case divides && right.val == 0:
			return nil, p.refuse(t, "division by zero")
		case op.precedence == shifts && right.val > 31:
			return nil, p.refuse(t, "shift by more than 31 bits")
		case left.isConst:
			return constant(op.eval(left.val, right.val)), nil
		}
		left.code = append(left.code, bpf.ALUOpConstant{Op: op.op, Val: right.val})
		return left, nil
	}
	slot := max(left.depth, right.depth)
	if slot >= scratch {
		return nil, p.refuse(t, "the arithmetic expression is too complex")
	}
	var code []bpf.Instruction
	code = append(code, right.code...)
	code = append(code, bpf.StoreScratch{Src: bpf.RegA, N: slot})
	code = append(code, left.code...)
	code = append(code, bpf.LoadScratch{Dst: bpf.RegX, N: slot}, bpf.ALUOpX{Op: op.op})
	return &arith{code: code, depth: slot + 1, guard: append(append(all{}, left.guard...), right.guard...)}, nil
}

// operand reads a number, the name of one, len, a parenthesis, a negative number or an access to the packet.
func (p *parser) operand() (*arith, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.refuse(p.peek(), "parentheses are nested too deeply")
	}
	defer func() { p.depth-- }()
	t := p.take()
	switch {
	case t.text == "(":
		a, err := p.arithmetic(0)
		if err == nil && !p.accept(")") {
			err = p.unexpected(p.peek())
		}
		return a, err
	case t.text == "-":
		a, err := p.operand()
		if err != nil {
			return nil, err
		}
		return p.combine(t, operations["-"], constant(0), a)
	case !t.word || t.escaped:
		return nil, p.unexpected(t)
	case t.text == "len":
		return &arith{code: []bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtLen}}}, nil
	}
	if v, ok := constants[t.text]; ok {
		return constant(v), nil
	}
	if v, ok := number(t.text); ok {
		return constant(v), nil
	}
	if base, ok := bases[t.text]; ok && p.accept("[") {
		return p.access(t, base)
	}
	return nil, p.unexpected(t)
}

// base is what an access counts from.
type base struct {
	link      bool   // the packet's first byte; otherwise the network header
	off       uint32 // from there
	transport bool   // and the length of the IPv4 header more
	guard     func(p *parser) all
}

var bases = map[string]base{
	"ether": {link: true}, "link": {link: true},
	"ip": {guard: protocol("ip")}, "ip6": {guard: protocol("ip6")}, "arp": {guard: protocol("arp")}, "rarp": {guard: protocol("rarp")},
	"tcp": transport(6), "udp": transport(17), "icmp": transport(1), "igmp": transport(2), "sctp": transport(132),
	"icmp6": {off: ip6HeaderLen, guard: func(p *parser) all { return all{p.ip6Next(58)} }},
}

func protocol(name string) func(*parser) all {
	return func(p *parser) all { return all{p.ethertype(etherTypes[name])} }
}

// transport is a protocol over IPv4, in packets and first fragments.
func transport(proto uint32) base {
	return base{transport: true, guard: func(p *parser) all { return all{p.ip4Proto(proto), p.firstFragment()} }}
}

// maxIndex bounds the constant offsets of accesses.
const maxIndex = 1 << 20

// access reads what follows "ip[": the offset, perhaps a size, and the bracket.
func (p *parser) access(name token, b base) (*arith, error) {
	index, err := p.arithmetic(0)
	if err != nil {
		return nil, err
	}
	size := 1
	if p.accept(":") {
		t := p.take()
		v, ok := number(t.text)
		if !ok || v != 1 && v != 2 && v != 4 {
			return nil, p.refuse(t, "data size must be 1, 2, or 4")
		}
		size = int(v)
	}
	if !p.accept("]") {
		return nil, p.unexpected(p.peek())
	}
	if index.isConst && index.val > maxIndex {
		return nil, p.refuse(name, "offset %d is out of range", index.val)
	}
	if index.depth+1 >= scratch {
		return nil, p.refuse(name, "the arithmetic expression is too complex")
	}
	a := p.load(b, index, size)
	if b.guard != nil {
		a.guard = append(b.guard(p), a.guard...)
	}
	return a, nil
}

// load is the code of an access.
func (p *parser) load(b base, index *arith, size int) *arith {
	off := b.off
	if !b.link {
		off += p.network()
	}
	a := &arith{guard: index.guard, depth: index.depth}
	switch {
	case index.isConst && !b.transport:
		a.code = []bpf.Instruction{bpf.LoadAbsolute{Off: off + index.val, Size: size}}
	case index.isConst:
		a.code = []bpf.Instruction{bpf.LoadMemShift{Off: off}, bpf.LoadIndirect{Off: off + index.val, Size: size}}
	case !b.transport:
		a.code = append(append(a.code, index.code...), bpf.TAX{}, bpf.LoadIndirect{Off: off, Size: size})
	default:
		a.code = append(append(a.code, index.code...), bpf.LoadMemShift{Off: off}, bpf.ALUOpX{Op: bpf.ALUOpAdd}, bpf.TAX{},
			bpf.LoadIndirect{Off: off, Size: size})
	}
	return a
}
