package kern_test

import (
	"encoding/binary"
	"maps"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// made is a node as sysctl -w -c would make it.
func made(name string, flags uint32, num int32) *abi.Sysctlnode {
	n := &abi.Sysctlnode{Flags: abi.SYSCTL_VERSION | flags, Num: num}
	abi.PutCString(n.Name[:], name)
	return n
}

// nodeCall does CTL_CREATE or CTL_DESTROY below vendor.
func nodeCall(p *kerntest.P, op int32, n *abi.Sysctlnode) (abi.Sysctlnode, abi.Errno) {
	b := make([]byte, abi.SizeofSysctlnode)
	size := binary.LittleEndian.AppendUint64(nil, uint64(len(b)))
	raw := kerntest.Struct(n)
	_, errno := p.Call(abi.SYS___sysctl, kerntest.Ints(abi.CTL_VENDOR, op), 2, b, size, raw, len(raw))
	var got abi.Sysctlnode
	got.Decode(b)
	return got, errno
}

// Oracle: sysctl(3), CTL_CREATE: what comes back is the node, with its number, size and version.
func TestMakeNodes(t *testing.T) {
	p := start(t)
	immediate := made("answer", abi.CTLTYPE_INT|abi.CTLFLAG_IMMEDIATE|abi.CTLFLAG_READWRITE, abi.CTL_CREATE)
	immediate.SetIdata(42)
	got, errno := nodeCall(p, abi.CTL_CREATE, immediate)
	if errno != 0 || got.Num < 1024 || got.Idata() != 42 || got.Size != 4 || got.Ver == 0 {
		t.Fatalf("%+v, %v", got, errno)
	}
	value := func(name string) string {
		b, errno := p.Sysctl("vendor." + name)
		if errno != 0 {
			return errno.Name()
		}
		return string(b)
	}
	if v := value("answer"); v != "\x2a\x00\x00\x00" {
		t.Errorf("value %q", v)
	}
	if errno := p.SetSysctl("vendor.answer", kerntest.Ints(6)); errno != 0 || value("answer") != "\x06\x00\x00\x00" {
		t.Errorf("%v, %q", errno, value("answer"))
	}
	text := made("motto", abi.CTLTYPE_STRING|abi.CTLFLAG_OWNDATA, 7)
	text.SetDataData(p.Mem.Map([]byte("of course it runs\x00")))
	if got, errno := nodeCall(p, abi.CTL_CREATE, text); errno != 0 || got.Num != 7 || got.Size != 18 {
		t.Errorf("%+v, %v", got, errno)
	}
	if v := value("motto"); v != "of course it runs\x00" {
		t.Errorf("value %q", v)
	}
	if errno := p.SetSysctl("vendor.motto", []byte("x")); errno != abi.EPERM {
		t.Errorf("writing a node that is read only: %v", errno)
	}
	blob := made("blob", abi.CTLTYPE_STRUCT|abi.CTLFLAG_OWNDATA|abi.CTLFLAG_READWRITE, abi.CTL_CREATE)
	blob.Size = 3
	if _, errno := nodeCall(p, abi.CTL_CREATE, blob); errno != 0 || value("blob") != "\x00\x00\x00" {
		t.Errorf("%v, %q", errno, value("blob"))
	}
	// The version tells changes of the tree: a node made against an old one is refused.
	late := made("late", abi.CTLTYPE_NODE, abi.CTL_CREATE)
	late.Ver = got.Ver
	if _, errno := nodeCall(p, abi.CTL_CREATE, late); errno != abi.EINVAL {
		t.Errorf("an old version: %v", errno)
	}
	if clash, errno := nodeCall(p, abi.CTL_CREATE, made("motto", abi.CTLTYPE_NODE, abi.CTL_CREATE)); errno != abi.EEXIST || clash.Num != 7 {
		t.Errorf("%+v, %v", clash, errno)
	}
}

// Oracle: the C kernel's checks in CTL_CREATE.
func TestMakeNodeErrors(t *testing.T) {
	p := start(t)
	with := func(n *abi.Sysctlnode, f func(n *abi.Sysctlnode)) *abi.Sysctlnode { f(n); return n }
	const owned = abi.CTLFLAG_OWNDATA
	for name, c := range map[string]struct {
		node *abi.Sysctlnode
		want abi.Errno
	}{
		"version":      {&abi.Sysctlnode{}, abi.EINVAL},
		"no name":      {made("", abi.CTLTYPE_NODE, 1), abi.EINVAL},
		"digit first":  {made("1a", abi.CTLTYPE_NODE, 1), abi.EINVAL},
		"space":        {made("a b", abi.CTLTYPE_NODE, 1), abi.EINVAL},
		"number":       {made("a", abi.CTLTYPE_NODE, -9), abi.EINVAL},
		"no type":      {made("a", owned, 1), abi.EINVAL},
		"type 15":      {made("a", owned|15, 1), abi.EINVAL},
		"no value":     {made("a", abi.CTLTYPE_INT, 1), abi.EINVAL},
		"both":         {made("a", abi.CTLTYPE_INT|owned|abi.CTLFLAG_IMMEDIATE, 1), abi.EINVAL},
		"immediate":    {made("a", abi.CTLTYPE_STRING|abi.CTLFLAG_IMMEDIATE, 1), abi.EINVAL},
		"node's data":  {made("a", abi.CTLTYPE_NODE|owned, 1), abi.EINVAL},
		"permanent":    {made("a", abi.CTLTYPE_NODE|abi.CTLFLAG_PERMANENT, 1), abi.EPERM},
		"any number":   {made("a", abi.CTLTYPE_NODE|abi.CTLFLAG_ANYNUMBER, 1), abi.EPERM},
		"function":     {with(made("a", abi.CTLTYPE_NODE, 1), func(n *abi.Sysctlnode) { n.Func = 1 }), abi.EPERM},
		"parent":       {with(made("a", abi.CTLTYPE_NODE, 1), func(n *abi.Sysctlnode) { n.Parent = 1 }), abi.EINVAL},
		"kernel data":  {with(made("a", abi.CTLTYPE_INT, 1), func(n *abi.Sysctlnode) { n.SetDataData(1 << 40) }), abi.EPERM},
		"int size":     {with(made("a", abi.CTLTYPE_INT|owned, 1), func(n *abi.Sysctlnode) { n.Size = 8 }), abi.EINVAL},
		"empty struct": {made("a", abi.CTLTYPE_STRUCT|owned, 1), abi.EINVAL},
		"huge":         {with(made("a", abi.CTLTYPE_STRUCT|owned, 1), func(n *abi.Sysctlnode) { n.Size = 1 << 60 }), abi.ENOMEM},
		"fault":        {with(made("a", abi.CTLTYPE_INT|owned, 1), func(n *abi.Sysctlnode) { n.SetDataData(1) }), abi.EFAULT},
		"string fault": {with(made("a", abi.CTLTYPE_STRING|owned, 1), func(n *abi.Sysctlnode) { n.SetDataData(1) }), abi.EFAULT},
		"no string":    {made("a", abi.CTLTYPE_STRING|owned, 1), abi.EINVAL},
	} {
		if _, errno := nodeCall(p, abi.CTL_CREATE, c.node); errno != c.want {
			t.Errorf("%s: %v, want %v", name, errno, c.want)
		}
	}
	p.Must(abi.SYS_setuid, 5)
	if _, errno := nodeCall(p, abi.CTL_CREATE, made("a", abi.CTLTYPE_NODE, 1)); errno != abi.EPERM {
		t.Errorf("a user: %v", errno)
	}
	if _, errno := nodeCall(p, abi.CTL_DESTROY, made("a", 0, 1)); errno != abi.EPERM {
		t.Errorf("a user: %v", errno)
	}
}

// Oracle: sysctl(3), CTL_DESTROY.
func TestDestroyNodes(t *testing.T) {
	p := start(t)
	nodeCall(p, abi.CTL_CREATE, made("dir", abi.CTLTYPE_NODE|abi.CTLFLAG_READWRITE, 1))
	leaf := made("leaf", abi.CTLTYPE_INT|abi.CTLFLAG_IMMEDIATE, 2)
	raw := kerntest.Struct(leaf)
	p.Must(abi.SYS___sysctl, kerntest.Ints(abi.CTL_VENDOR, 1, abi.CTL_CREATE), 3, nil, nil, raw, len(raw))
	if _, errno := nodeCall(p, abi.CTL_DESTROY, made("dir", 0, 1)); errno != abi.ENOTEMPTY {
		t.Errorf("not empty: %v", errno)
	}
	if _, errno := nodeCall(p, abi.CTL_DESTROY, made("other", 0, 1)); errno != abi.ENOENT {
		t.Errorf("another name: %v", errno)
	}
	if _, errno := nodeCall(p, abi.CTL_DESTROY, made("", 0, 99)); errno != abi.ENOENT {
		t.Errorf("no such number: %v", errno)
	}
	p.Must(abi.SYS___sysctl, kerntest.Ints(abi.CTL_VENDOR, 1, abi.CTL_DESTROY), 3, nil, nil, raw, len(raw))
	if got, errno := nodeCall(p, abi.CTL_DESTROY, made("", 0, 1)); errno != 0 || abi.CString(got.Name[:]) != "dir" {
		t.Errorf("%+v, %v", got, errno)
	}
	if nodes := query(t, p, abi.CTL_VENDOR); len(nodes) != 0 {
		t.Errorf("left: %+v", nodes)
	}
	// vendor itself and everything of the kernel's stays.
	q := kerntest.Struct(made("vendor", 0, abi.CTL_VENDOR))
	p.Want(abi.EPERM, abi.SYS___sysctl, kerntest.Ints(abi.CTL_DESTROY), 1, nil, nil, q, len(q))
}

// Oracle: sysctl(3), CTL_DESCRIBE: all descriptions, one, and setting one that is not there.
func TestDescribeNodes(t *testing.T) {
	p := start(t)
	vendor := []int32{abi.CTL_VENDOR}
	nodeCall(p, abi.CTL_CREATE, made("a", abi.CTLTYPE_NODE, 1))
	nodeCall(p, abi.CTL_CREATE, made("b", abi.CTLTYPE_NODE, 2))
	text := func(num int32, s string) *abi.Sysctlnode {
		n := made("", 0, num)
		n.Desc = p.Mem.Map([]byte(s + "\x00"))
		return n
	}
	for _, c := range []struct {
		node *abi.Sysctlnode
		want map[string]string
	}{
		{text(1, "the first"), map[string]string{"1": "the first"}},
		{text(1, "again"), map[string]string{"error": "EPERM"}},
		{text(9, "nobody"), map[string]string{"error": "ENOENT"}},
		{made("", 0, 1), map[string]string{"1": "the first"}},
		{made("", 0, 9), map[string]string{"error": "ENOENT"}},
		{text(2, strings.Repeat("long", 300)), map[string]string{"error": "ENAMETOOLONG"}},
		{nil, map[string]string{"1": "the first", "2": ""}},
	} {
		if got := describe(t, p, vendor, c.node); !maps.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.node, got, c.want)
		}
	}
	if got := describe(t, p, []int32{abi.CTL_KERN}, text(abi.KERN_OSTYPE, "x")); got["error"] != "EPERM" {
		t.Errorf("a permanent node: %v", got)
	}
	p.Must(abi.SYS_setuid, 5)
	if got := describe(t, p, vendor, text(2, "x")); got["error"] != "EPERM" {
		t.Errorf("a user: %v", got)
	}
}
