package sysctl

import (
	"math"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// newNode is a node that is to be made: what follows "//create=".
type newNode struct {
	name   string
	typ    int
	size   uint64
	num    int32
	flags  uint32
	access uint32 // CTLFLAG_READONLY or CTLFLAG_READWRITE, with hasAccess
	addr   uint64
	symbol string
	value  string
	node   abi.Sysctlnode
	data   []byte

	hasAccess, hasAddr, hasSymbol, hasValue bool
}

// keyword is a part of what follows "//create=".
type keyword struct {
	name string
	set  func(t *tool, c *newNode, value string) error
}

// keywords has the keys besides value, which takes the rest.
var keywords = [...]keyword{
	{"addr", setAddr},
	{"symbol", setSymbol},
	{"type", setType},
	{"size", setSize},
	{"n", setNum},
	{"flags", setFlags},
}

// create makes a node.
func (t *tool) create(text string) error {
	if !t.write {
		return t.mustWrite("create nodes")
	}
	c := &newNode{num: abi.CTL_CREATE}
	var rest string
	c.name, rest, _ = strings.Cut(text, ",")
	for rest != "" && !c.hasValue {
		var err error
		if rest, err = t.keyword(c, rest); err != nil {
			return err
		}
	}
	if c.typ == 0 {
		c.typ = abi.CTLTYPE_NODE
	}
	if err := t.complete(c); err != nil {
		return err
	}
	return t.make(c)
}

// keyword takes one "key=value" off text and returns the rest.
func (t *tool) keyword(c *newNode, text string) (rest string, err error) {
	if value, ok := strings.CutPrefix(text, "value="); ok {
		c.value, c.hasValue = value, true
		return "", nil
	}
	item, rest, _ := strings.Cut(text, ",")
	key, value, hasValue := strings.Cut(item, "=")
	for _, k := range keywords {
		if k.name != key {
			continue
		}
		if !hasValue {
			return "", t.fail("%s: missing value", c.name)
		}
		return rest, k.set(t, c, value)
	}
	return "", t.fail("%s: unrecognized keyword '%s'", c.name, key)
}

// onePlace complains if it was said before where the data is.
func (t *tool) onePlace(c *newNode) error {
	switch {
	case c.hasAddr:
		return t.fail("%s: already have %s for new node", c.name, "addr")
	case c.hasSymbol:
		return t.fail("%s: already have %s for new node", c.name, "symbol")
	}
	return nil
}

func setAddr(t *tool, c *newNode, value string) error {
	if err := t.onePlace(c); err != nil {
		return err
	}
	addr, err := parseUquad(value)
	if err != nil {
		return t.fail("%s: '%s' is not a valid address", c.name, value)
	}
	c.addr, c.hasAddr = addr, true
	return nil
}

func setSymbol(t *tool, c *newNode, value string) error {
	if err := t.onePlace(c); err != nil {
		return err
	}
	c.symbol, c.hasSymbol = value, true
	return nil
}

// newTypes has the types that a node can be made with, and the sizes that these have.
var newTypes = [...]struct {
	name string
	typ  int
	size uint64
}{
	{"node", abi.CTLTYPE_NODE, 0},
	{"int", abi.CTLTYPE_INT, 4},
	{"bool", abi.CTLTYPE_BOOL, 1},
	{"string", abi.CTLTYPE_STRING, 0},
	{"quad", abi.CTLTYPE_QUAD, 8},
	{"struct", abi.CTLTYPE_STRUCT, 0},
}

func setType(t *tool, c *newNode, value string) error {
	for _, nt := range newTypes {
		if nt.name == value {
			c.typ = nt.typ
			if nt.size != 0 {
				c.size = nt.size
			}
			return nil
		}
	}
	return t.fail("%s: '%s' is not a valid type", c.name, value)
}

func setSize(t *tool, c *newNode, value string) error {
	size, err := parseUquad(value)
	if err != nil {
		return t.fail("%s: '%s' is not a valid size", c.name, value)
	}
	c.size = size
	return nil
}

func setNum(t *tool, c *newNode, value string) error {
	num, ok := parse32(value)
	if !ok {
		return t.fail("%s: '%s' is not a valid mib number", c.name, value)
	}
	c.num = num
	return nil
}

// parse32 reads a number that fits an int or an unsigned int.
func parse32(s string) (int32, bool) {
	v, err := parseUquad(s)
	n := int64(v)
	return int32(n), err == nil && n >= math.MinInt32 && n <= math.MaxUint32
}

// newFlags has the letters of flags=.
var newFlags = [...]struct {
	letter byte
	flag   uint32
}{
	{'a', abi.CTLFLAG_ANYWRITE},
	{'h', abi.CTLFLAG_HIDDEN},
	{'i', abi.CTLFLAG_IMMEDIATE},
	{'o', abi.CTLFLAG_OWNDATA},
	{'p', abi.CTLFLAG_PRIVATE},
	{'u', abi.CTLFLAG_UNSIGNED},
	{'x', abi.CTLFLAG_HEX},
}

func setFlags(t *tool, c *newNode, value string) error {
letters:
	for i := range len(value) {
		switch value[i] {
		case 'r':
			c.access, c.hasAccess = abi.CTLFLAG_READONLY, true
			continue
		case 'w':
			c.access, c.hasAccess = abi.CTLFLAG_READWRITE, true
			continue
		}
		for _, f := range newFlags {
			if f.letter == value[i] {
				c.flags |= f.flag
				continue letters
			}
		}
		return t.fail("%s: '%c' is not a valid flag", c.name, value[i])
	}
	return nil
}

// destroy removes a node.
func (t *tool) destroy(name string) error {
	if !t.write {
		return t.mustWrite("destroy nodes")
	}
	n, err := t.lookup(name)
	if err != nil {
		return err
	}
	gone, err := t.tree.Destroy(n.MIB)
	if err != nil {
		return t.fail("%s: CTL_DESTROY failed: %s", name, util.ErrorText(err))
	}
	if !t.quiet && t.bare == 0 {
		t.printf("%s(%s): (destroyed)\n", n.Path, typeName(int(gone.Flags&abi.SYSCTL_TYPEMASK)))
	}
	return nil
}

// describeNode prints a node's description, or with "name=text" gives it one.
func (t *tool) describeNode(operand string) error {
	name, text, set := strings.Cut(operand, "=")
	if set && !t.write {
		return t.mustWrite("set descriptions")
	}
	n, err := t.lookup(name)
	if err != nil {
		return err
	}
	if !set {
		with := *t
		with.describe = true
		err := with.print(n, client.Separator(name), false)
		t.errors = with.errors
		return err
	}
	got, err := t.tree.SetDescription(n.MIB, text)
	switch {
	case err != nil:
		t.complain("%s: CTL_DESCRIBE failed: %s", n.Path, util.ErrorText(err))
	case got == "":
		t.complain("%s: description not set", n.Path)
	case !t.quiet && t.bare == 0:
		t.printf("%s: %s\n", n.Path, got)
	}
	return nil
}
