package sysctl_test

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/sysproxy"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/sysctl"
)

// node is a node of a fake kernel: one that has what no kernel here has.
type node struct {
	path  string // "kern.boottime"
	typ   uint32 // with flags
	size  uint64
	value []byte
	err   abi.Errno // of every use
	cut   bool      // the value is cut to the room there is
}

// fake is a kernel that is nothing but a sysctl tree. The numbers of nodes are their places in it, from 100 on, but for
// some at the top.
type fake struct {
	sysproxy.Transport // nil: the methods that no test needs
	space              sysproxy.AddressSpace
	nodes              []*node
}

var topNumbers = map[string]int32{
	"kern": abi.CTL_KERN, "net": abi.CTL_NET, "debug": abi.CTL_DEBUG, "ddb": abi.CTL_DDB, "vendor": abi.CTL_VENDOR,
}

// newFake makes a kernel of nodes, and those that are above them.
func newFake(list ...node) *fake {
	f := new(fake)
	for _, n := range list {
		parts := strings.Split(n.path, ".")
		for i := 1; i < len(parts); i++ {
			if above := strings.Join(parts[:i], "."); f.find(above) == nil {
				f.nodes = append(f.nodes, &node{path: above, typ: abi.CTLTYPE_NODE, size: abi.SizeofSysctlnode})
			}
		}
		f.nodes = append(f.nodes, &n)
	}
	return f
}

func (f *fake) find(path string) *node {
	i := slices.IndexFunc(f.nodes, func(n *node) bool { return n.path == path })
	if i < 0 {
		return nil
	}
	return f.nodes[i]
}

// num returns the number of a node among its siblings.
func (f *fake) num(n *node) int32 {
	if num, ok := topNumbers[n.path]; ok {
		return num
	}
	return int32(100 + slices.Index(f.nodes, n))
}

// at returns the node of a MIB.
func (f *fake) at(mib []int32) *node {
	var at *node
	for i, num := range mib {
		j := slices.IndexFunc(f.nodes, func(n *node) bool {
			above := strings.Count(n.path, ".") == i && (at == nil || strings.HasPrefix(n.path, at.path+"."))
			return above && f.num(n) == num
		})
		if j < 0 {
			return nil
		}
		at = f.nodes[j]
	}
	return at
}

func (f *fake) NewCall(num int) *sysproxy.Call { return f.space.NewCall(num) }

func (f *fake) Do(c *sysproxy.Call) error {
	if c.Num != abi.SYS___sysctl {
		c.Err = abi.ENOSYS
		return nil
	}
	args := c.Arguments()
	raw, _ := c.Lend(args[0], 4*int(args[1]), false)
	mib := make([]int32, args[1])
	for i := range mib {
		mib[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	size, _ := c.Lend(args[3], 8, true)
	room := binary.LittleEndian.Uint64(size)
	value, errno := f.read(mib)
	if errno != 0 {
		c.Err = errno
		return nil
	}
	binary.LittleEndian.PutUint64(size, uint64(len(value)))
	if args[2] != 0 {
		c.CopyOut(args[2], value[:min(uint64(len(value)), room)])
		if n := f.at(mib); room < uint64(len(value)) && (n == nil || !n.cut) {
			c.Err = abi.ENOMEM
		}
	}
	if n := f.at(mib); n != nil && args[4] != 0 {
		b, _ := c.Lend(args[4], int(args[5]), false)
		n.value = slices.Clone(b)
	}
	return nil
}

// read returns a value, or the nodes below one.
func (f *fake) read(mib []int32) ([]byte, abi.Errno) {
	if mib[len(mib)-1] == abi.CTL_QUERY {
		return f.query(f.at(mib[:len(mib)-1])), 0
	}
	n := f.at(mib)
	if n == nil {
		return nil, abi.ENOENT
	}
	return n.value, n.err
}

func (f *fake) query(above *node) []byte {
	var b []byte
	for _, n := range f.nodes {
		i := strings.LastIndexByte(n.path, '.')
		if above == nil && i >= 0 || above != nil && (i < 0 || n.path[:i] != above.path) {
			continue
		}
		s := abi.Sysctlnode{Flags: abi.SYSCTL_VERSION | n.typ, Num: f.num(n), Size: n.size}
		abi.PutCString(s.Name[:], n.path[i+1:])
		b = s.Append(b)
	}
	return b
}

// run runs sysctl on the kernel and returns what it prints and its status.
func (f *fake) run(t *testing.T, args string) (string, int) {
	t.Helper()
	var out strings.Builder
	status := util.Run(context.Background(), &sysctl.Utility, &util.Env{
		Args: append([]string{"sysctl"}, strings.Fields(args)...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Getenv: func(name string) string { return map[string]string{"TZ": "UTC"}[name] },
		Proc:   client.New(f),
	})
	return out.String(), status
}
