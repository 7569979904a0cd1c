package client

import (
	"encoding/binary"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// Where the members of a struct sysctldesc are, and the bytes that entries of a list are
// aligned to.
const (
	descLen   = 8
	descStr   = 12
	descAlign = 4
)

var errDesc = &sysproxy.ProtocolError{What: "malformed node description"}

// description is a struct sysctldesc.
type description struct {
	num  int32
	ver  uint32
	text string
}

// nextDescription takes the first entry off b.
func nextDescription(b []byte) (d description, rest []byte, ok bool) {
	if len(b) < descStr {
		return d, nil, false
	}
	n := binary.LittleEndian.Uint32(b[descLen:])
	if uint64(n) > uint64(len(b)-descStr) {
		return d, nil, false
	}
	d.num = int32(binary.LittleEndian.Uint32(b))
	d.ver = binary.LittleEndian.Uint32(b[4:])
	end := descStr + int(n)
	d.text = abi.CString(b[descStr:end])
	end = (end + descAlign - 1) &^ (descAlign - 1)
	return d, b[min(end, len(b)):], true
}

// Describe returns the description of a node, empty if it has none. Errors: an abi.Errno.
func (t *Sysctl) Describe(mib []int32) (string, error) {
	return t.describe(mib, &abi.Sysctlnode{Flags: abi.SYSCTL_VERSION}, "")
}

// SetDescription sets the description of a node, and returns what it is then. Errors: EPERM if
// it has one already.
func (t *Sysctl) SetDescription(mib []int32, text string) (string, error) {
	return t.describe(mib, &abi.Sysctlnode{Flags: abi.SYSCTL_VERSION | abi.CTLFLAG_OWNDESC}, text)
}

func (t *Sysctl) describe(mib []int32, q *abi.Sysctlnode, text string) (string, error) {
	if len(mib) == 0 {
		return "", abi.EINVAL
	}
	last := len(mib) - 1
	q.Num = mib[last]
	b := make([]byte, firstRead)
	n, err := t.s.SysctlFunc(append(slices.Clone(mib[:last]), abi.CTL_DESCRIBE), b, func(l Lender) []byte {
		if q.Flags&abi.CTLFLAG_OWNDESC != 0 {
			q.Desc = l.InString(text)
		}
		return q.Append(nil)
	})
	if err != nil {
		return "", err
	}
	d, _, ok := nextDescription(b[:min(n, len(b))])
	if !ok || d.num != q.Num {
		return "", errDesc
	}
	return d.text, nil
}

// Descriptions returns the descriptions of the nodes below a node, by their numbers.
func (t *Sysctl) Descriptions(mib []int32) (map[int32]string, error) {
	b, err := t.read(append(slices.Clip(mib), abi.CTL_DESCRIBE), nil)
	if err != nil {
		return nil, err
	}
	all := make(map[int32]string)
	for len(b) > 0 {
		d, rest, ok := nextDescription(b)
		if !ok {
			return nil, errDesc
		}
		all[d.num] = d.text
		b = rest
	}
	return all, nil
}

// Create makes a node below another, or at the top with an empty mib, and returns it as it came to be:
// sysctl(9). node has the new node's flags with its type, its name, size, value if it is CTLFLAG_IMMEDIATE, and number, or
// CTL_CREATE for any. data is its value otherwise; the kernel copies it with CTLFLAG_OWNDATA. With sym, data
// is the name of a kernel symbol. Errors: EPERM, EEXIST, EINVAL, ENOTDIR.
func (t *Sysctl) Create(mib []int32, node abi.Sysctlnode, data []byte, sym bool) (abi.Sysctlnode, error) {
	op := int32(abi.CTL_CREATE)
	if sym {
		op = abi.CTL_CREATESYM
	}
	return t.change(mib, op, func(l Lender) []byte {
		if data != nil {
			node.SetDataData(l.In(data))
		}
		return node.Append(nil)
	})
}

// Destroy removes a node and returns what it was. Errors: EPERM, ENOTEMPTY.
func (t *Sysctl) Destroy(mib []int32) (abi.Sysctlnode, error) {
	if len(mib) == 0 {
		return abi.Sysctlnode{}, abi.EINVAL
	}
	last := len(mib) - 1
	q := abi.Sysctlnode{Flags: abi.SYSCTL_VERSION, Num: mib[last]}
	return t.change(mib[:last], abi.CTL_DESTROY, func(Lender) []byte { return q.Append(nil) })
}

// change makes or removes a node and forgets what is known.
func (t *Sysctl) change(mib []int32, op int32, build func(Lender) []byte) (abi.Sysctlnode, error) {
	var node abi.Sysctlnode
	b := make([]byte, abi.SizeofSysctlnode)
	_, err := t.s.SysctlFunc(append(slices.Clone(mib), op), b, build)
	if err != nil {
		return node, err
	}
	t.Forget()
	return node, node.Decode(b)
}
