package bpfexpr

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"

	"golang.org/x/net/bpf"
)

// LinkType says what packets begin with.
type LinkType int

const (
	// Ethernet is DLT_EN10MB.
	Ethernet LinkType = iota
	// Null is DLT_NULL: an address family in the order of the machine that captured.
	Null
)

// Config is what an expression is compiled for.
type Config struct {
	Link LinkType
	// Order is that of the address family of Null.
	Order binary.ByteOrder
	// Snaplen is how many bytes of a packet that matches are kept.
	Snaplen uint32
	// LookupHost finds the addresses of a name. Without it names are refused.
	LookupHost func(name string) ([]netip.Addr, error)
	// LookupPort finds the port of a service over "tcp", "udp" or "sctp". Without it names are refused.
	LookupPort func(proto, name string) (int, error)
}

const (
	maxExpr         = 64 << 10 // bytes
	maxDepth        = 100      // of parentheses
	maxInstructions = 512      // of a program: BPF_MAXINSNS
)

// ErrTooLong is said of an expression whose program would be too long for a kernel.
var ErrTooLong = errors.New("expression is too complex: its program has more than 512 instructions")

// Filter is a compiled expression.
type Filter struct {
	program []bpf.Instruction
	vm      *bpf.VM
	hasLen  bool // it asks for the packet's length
}

// Compile compiles an expression; an empty one lets everything through. Errors: *Error, ErrTooLong, those of looking up.
func Compile(expr string, config Config) (*Filter, error) {
	if len(expr) > maxExpr {
		return nil, ErrTooLong
	}
	tokens, err := lex(expr)
	if err != nil {
		return nil, err
	}
	p := &parser{Config: config, expr: expr, tokens: tokens}
	cond, err := p.whole()
	if err != nil {
		return nil, err
	}
	c := &code{}
	no := c.put(bpf.RetConstant{Val: 0})
	yes := c.put(bpf.RetConstant{Val: config.Snaplen})
	if entry := cond.emit(c, yes, no); entry != c.here() {
		c.put(bpf.Jump{Skip: uint32(c.here() - entry)})
	}
	if len(c.reversed) > maxInstructions {
		return nil, ErrTooLong
	}
	f := &Filter{program: c.program()}
	f.hasLen = slices.ContainsFunc(f.program, isLen)
	f.vm, err = bpf.NewVM(f.program)
	return f, err
}

func isLen(in bpf.Instruction) bool { return in == bpf.LoadExtension{Num: bpf.ExtLen} }

// Program is the filter's instructions, for a kernel.
func (f *Filter) Program() []bpf.Instruction { return slices.Clone(f.program) }

// Match says whether the filter lets a packet of length bytes through, of which data was captured.
func (f *Filter) Match(data []byte, length int) bool {
	vm := f.vm
	if f.hasLen && length != len(data) {
		list := f.Program()
		for i, in := range list {
			if isLen(in) {
				list[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: uint32(length)}
			}
		}
		var err error
		if vm, err = bpf.NewVM(list); err != nil {
			return false
		}
	}
	n, err := vm.Run(data)
	return err == nil && n > 0
}
