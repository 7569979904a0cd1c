package sysctl

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// printAll prints the whole tree.
func (t *tool) printAll() {
	list, err := t.tree.Children(nil)
	if err != nil {
		t.unreadable("", err)
		return
	}
	t.asked = false
	t.printChildren(&client.SysctlNode{}, list, ".") //nolint:errcheck // a special node that cannot be printed has said so
}

// print prints a node and what is below it. listed tells that it was found below another, not asked for by
// its name. The error is errFatal, or nil: what cannot be read was said.
func (t *tool) print(n *client.SysctlNode, sep string, listed bool) error {
	isNode := n.Type() == abi.CTLTYPE_NODE
	if t.mib {
		t.printNode(n)
		if !isNode {
			return nil
		}
	}
	if t.describe {
		t.printDescription(n, listed)
		if !isNode {
			return nil
		}
	}
	if n.Has(abi.CTLFLAG_ALIAS) && listed {
		return nil
	}
	s := findSpecial(n.Path)
	switch {
	case isNode:
		return t.printTree(n, s, sep)
	case s != nil:
		t.printSpecial(s, n)
	default:
		t.printValue(n)
	}
	return nil
}

// printTree prints what is below a node.
func (t *tool) printTree(n *client.SysctlNode, s *special, sep string) error {
	list, err := t.tree.Children(n.MIB)
	if err == nil && len(list) > 0 {
		t.asked = false
		return t.printChildren(n, list, sep)
	}
	switch {
	case t.describe:
	case s != nil:
		t.printSpecial(s, n)
	case t.curious() && !t.mib:
		t.printf("%s: no children\n", n.Path)
	}
	return nil
}

func (t *tool) printChildren(n *client.SysctlNode, list []abi.Sysctlnode, sep string) error {
	for i := range list {
		if list[i].Flags&abi.CTLFLAG_HIDDEN != 0 && !t.all {
			continue
		}
		if err := t.print(n.Child(&list[i], sep), sep, true); err != nil {
			return err
		}
	}
	return nil
}

// printValue prints the value of a node by its type.
func (t *tool) printValue(n *client.SysctlNode) {
	if n.Size == 0 {
		size, err := t.tree.Len(n)
		if err != nil {
			t.unreadable(n.Path, err)
			return
		}
		if size == 0 {
			if t.curious() && !t.mib {
				t.printf("%s: node contains no data\n", n.Path)
			}
			return
		}
	}
	b, err := t.tree.Value(n)
	if err != nil {
		t.unreadable(n.Path, err)
		return
	}
	switch n.Type() {
	case abi.CTLTYPE_INT, abi.CTLTYPE_BOOL, abi.CTLTYPE_QUAD:
		t.number(n, b, value)
	case abi.CTLTYPE_STRING:
		t.text(n, b, value)
	case abi.CTLTYPE_STRUCT:
		t.structure(n, b, value)
	}
}

// printDescription prints a node's description: of nodes above others with -A only, and that there is none only
// if it was asked for.
func (t *tool) printDescription(n *client.SysctlNode, listed bool) {
	if n.Type() == abi.CTLTYPE_NODE && !t.all {
		return
	}
	text, err := t.tree.Describe(n.MIB)
	if err != nil || text == "" {
		if listed && !t.all {
			return
		}
		text = "(no description)"
	}
	if t.bare == 0 {
		t.printf("%s: ", n.Path)
	}
	t.printf("%s\n", text)
}

// typeName returns the name of a node's type.
func typeName(typ int) string {
	names := [...]string{
		abi.CTLTYPE_NODE: "NODE", abi.CTLTYPE_INT: "INT", abi.CTLTYPE_STRING: "STRING",
		abi.CTLTYPE_QUAD: "QUAD", abi.CTLTYPE_STRUCT: "STRUCT", abi.CTLTYPE_BOOL: "BOOL",
	}
	if typ < len(names) && names[typ] != "" {
		return names[typ]
	}
	return "???"
}

// printNode prints what a node is: -M.
func (t *tool) printNode(n *client.SysctlNode) {
	nums := make([]string, len(n.MIB))
	for i, num := range n.MIB {
		nums[i] = strconv.Itoa(int(num))
	}
	if t.bare > 0 {
		t.printf("%s: ", strings.Join(nums, "."))
	} else {
		t.printf("%s (%s): ", n.Path, strings.Join(nums, "."))
	}
	t.printf("CTLTYPE_%s", typeName(n.Type()))
	if n.Type() == abi.CTLTYPE_NODE {
		if n.Has(abi.CTLFLAG_ALIAS) {
			t.printf(", alias %d", n.Alias())
		} else {
			t.printf(", children %d/%d", n.ChildClen(), n.ChildCsize())
		}
	}
	flags := n.Flags & abi.SYSCTL_FLAGMASK
	t.printf(", size %d, flags 0x%x<%s>", n.Size, flags, flagNames(flags))
	if n.Func != 0 {
		t.printf(", func=%#x", n.Func)
	}
	t.printf(", ver=%d\n", n.Ver)
}

// flagNames returns the names of flags with commas between them, and the rest in hexadecimal.
func flagNames(flags uint32) string {
	names := []string{"READONLY"}
	if flags&abi.CTLFLAG_READWRITE == abi.CTLFLAG_READWRITE {
		names[0] = "READWRITE"
		flags &^= abi.CTLFLAG_READWRITE
	} else if flags&abi.CTLFLAG_READWRITE != 0 {
		names = names[:0]
	}
	for _, f := range [...]struct {
		flag uint32
		name string
	}{
		{abi.CTLFLAG_ANYWRITE, "ANYWRITE"},
		{abi.CTLFLAG_PRIVATE, "PRIVATE"},
		{abi.CTLFLAG_PERMANENT, "PERMANENT"},
		{abi.CTLFLAG_OWNDATA, "OWNDATA"},
		{abi.CTLFLAG_IMMEDIATE, "IMMEDIATE"},
		{abi.CTLFLAG_HEX, "HEX"},
		{abi.CTLFLAG_ROOT, "ROOT"},
		{abi.CTLFLAG_ANYNUMBER, "ANYNUMBER"},
		{abi.CTLFLAG_HIDDEN, "HIDDEN"},
		{abi.CTLFLAG_ALIAS, "ALIAS"},
	} {
		if flags&f.flag == f.flag {
			names = append(names, f.name)
			flags &^= f.flag
		}
	}
	if flags != 0 {
		names = append(names, strconv.FormatUint(uint64(flags), 16))
	}
	return strings.Join(names, ",")
}
