package sysctl

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// complete works out what was not said of a new node, and checks that it fits together.
func (t *tool) complete(c *newNode) error {
	if err := t.completeData(c); err != nil {
		return err
	}
	immediate := c.flags&abi.CTLFLAG_IMMEDIATE != 0
	switch {
	case immediate && c.typ == abi.CTLTYPE_STRING:
		return t.fail("%s: cannot make an immediate %s", c.name, "string")
	case immediate && c.typ == abi.CTLTYPE_STRUCT:
		return t.fail("%s: cannot make an immediate %s", c.name, "struct")
	case c.typ == abi.CTLTYPE_NODE && (c.hasAddr || c.hasSymbol || c.hasValue):
		return t.fail("%s: nodes do not have data", c.name)
	case c.size != 0 && !c.rightSize():
		return t.fail("%s: wrong size for type", c.name)
	case c.size == 0 && c.typ == abi.CTLTYPE_STRUCT:
		return t.fail("%s: struct must have size", c.name)
	}
	if !c.hasAccess {
		c.access = abi.CTLFLAG_READONLY
		if c.typ == abi.CTLTYPE_NODE || c.flags&(abi.CTLFLAG_OWNDATA|abi.CTLFLAG_IMMEDIATE) != 0 {
			c.access = abi.CTLFLAG_READWRITE
		}
	}
	return nil
}

// rightSize tells whether the size is that of the type.
func (c *newNode) rightSize() bool {
	for _, nt := range newTypes {
		if nt.typ == c.typ {
			return nt.size == c.size || nt.size == 0 && c.typ != abi.CTLTYPE_NODE
		}
	}
	return false
}

// completeData works out where the data of a new node is.
func (t *tool) completeData(c *newNode) error {
	switch {
	case c.hasValue && (c.hasAddr || c.hasSymbol):
		return t.fail("%s: cannot specify both value and address", c.name)
	case c.hasValue:
		return t.initialValue(c)
	case c.hasAddr:
		c.node.SetDataData(c.addr)
	case c.hasSymbol:
		c.data = append([]byte(c.symbol), 0)
	case c.typ != abi.CTLTYPE_NODE:
		if c.size == 0 {
			return t.fail("%s: need a size or a starting value", c.name)
		}
		if c.flags&abi.CTLFLAG_IMMEDIATE == 0 {
			c.flags |= abi.CTLFLAG_OWNDATA
		}
	}
	return nil
}

// initialValue puts the value into the new node, or beside it.
func (t *tool) initialValue(c *newNode) error {
	switch c.typ {
	case abi.CTLTYPE_STRUCT:
		return t.fail("%s: struct not initializable", c.name)
	case abi.CTLTYPE_STRING:
		c.flags |= abi.CTLFLAG_OWNDATA
		c.data = append([]byte(c.value), 0)
		if c.size != 0 && c.size < uint64(len(c.data)) {
			t.complain("%s: ignoring size=%d for string node, too small for given value", c.name, c.size)
			c.size = 0
		}
		if c.size == 0 {
			c.size = uint64(len(c.data))
		}
	case abi.CTLTYPE_INT, abi.CTLTYPE_BOOL, abi.CTLTYPE_QUAD:
		return t.initialNumber(c)
	}
	return nil
}

func (t *tool) initialNumber(c *newNode) error {
	v, err := parseUquad(c.value)
	ok, kind := err == nil, "quad"
	switch c.typ {
	case abi.CTLTYPE_INT:
		_, ok = parse32(c.value)
		kind = "integer"
	case abi.CTLTYPE_BOOL:
		ok = ok && v <= 1
		kind = "bool"
	}
	if !ok {
		return t.fail("%s: '%s' is not a valid %s", c.name, c.value, kind)
	}
	if c.flags&abi.CTLFLAG_OWNDATA != 0 {
		c.data, _ = encodeNumber(c.typ, v)
		return nil
	}
	c.flags |= abi.CTLFLAG_IMMEDIATE
	switch c.typ {
	case abi.CTLTYPE_INT:
		c.node.SetIdata(int32(v))
	case abi.CTLTYPE_BOOL:
		c.node.SetBdata(v == 1)
	default:
		c.node.SetQdata(v)
	}
	return nil
}

// make has the kernel make the node.
func (t *tool) make(c *newNode) error {
	parent, name, err := t.parent(c.name)
	if err != nil {
		return err
	}
	c.node.Flags = abi.SYSCTL_VERSION | c.flags | c.access | uint32(c.typ)
	c.node.Num, c.node.Size = c.num, c.size
	abi.PutCString(c.node.Name[:], name)
	if _, err := t.tree.Create(parent, c.node, c.data, c.hasSymbol); err != nil {
		return t.fail("%s: CTL_CREATE failed: %s", c.name, util.ErrorText(err))
	}
	if !t.quiet && t.bare == 0 {
		t.printf("%s(%s): (created)\n", c.name, typeName(c.typ))
	}
	return nil
}

// parent returns the MIB of the node above a name, and the last part of the name.
func (t *tool) parent(name string) ([]int32, string, error) {
	sep := client.Separator(name)
	i := strings.LastIndex(name, sep)
	if i <= 0 {
		return nil, strings.TrimPrefix(name, sep), nil
	}
	n, err := t.lookup(name[:i])
	if err != nil {
		return nil, "", err
	}
	return n.MIB, name[i+1:], nil
}
