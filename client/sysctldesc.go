package client

import (
	"encoding/binary"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// Where the members of a struct sysctldesc are.
const (
	descLen = 8
	descStr = 12
)

var errDesc = &sysproxy.ProtocolError{What: "malformed node description"}

// parseDescription returns the number and the text of a struct sysctldesc.
func parseDescription(b []byte) (num int32, text string, ok bool) {
	if len(b) < descStr {
		return 0, "", false
	}
	n := binary.LittleEndian.Uint32(b[descLen:])
	if uint64(n) > uint64(len(b)-descStr) {
		return 0, "", false
	}
	return int32(binary.LittleEndian.Uint32(b)), abi.CString(b[descStr : descStr+int(n)]), true
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
	num, got, ok := parseDescription(b[:min(n, len(b))])
	if !ok || num != q.Num {
		return "", errDesc
	}
	return got, nil
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
