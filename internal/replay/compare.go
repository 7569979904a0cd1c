package replay

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Layout is a structure of the ABI's data file.
type Layout struct {
	Size   int
	Fields []Field
}

// Field is a member of a structure.
type Field struct {
	Name string
	Off  int
	Size int
	Type string
}

// LoadLayouts reads the structures of the ABI's data file.
func LoadLayouts(path string) (map[string]Layout, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var data struct{ Structs map[string]Layout }
	if err := json.Unmarshal(b, &data); err != nil {
		return nil, err
	}
	return data.Structs, nil
}

// Mask says which bytes of a call's results vary from run to run: of which structure at which argument, which
// fields. Bytes between fields are padding, which the C server leaves uninitialised.
type Mask struct {
	Call   string
	Arg    int    // the argument with the address; -1 - n: the n-th COPYOUT alone
	Struct string // "" for all bytes
	// Array says that structures follow each other.
	Array bool
	// MIB restricts the mask to sysctls whose name begins so.
	MIB    []int32
	Fields []string
	Reason string
}

const (
	clockReason = "time"
	inodeReason = "device and inode numbers"
)

var statFields = []string{"st_dev", "st_ino", "st_atim", "st_mtim", "st_ctim", "st_birthtim"}

// masks are the volatile fields by name.
var masks = []Mask{
	{Call: "__stat50", Arg: 1, Struct: "struct stat", Fields: statFields, Reason: inodeReason},
	{Call: "__lstat50", Arg: 1, Struct: "struct stat", Fields: statFields, Reason: inodeReason},
	{Call: "__fstat50", Arg: 1, Struct: "struct stat", Fields: statFields, Reason: inodeReason},
	{Call: "__gettimeofday50", Arg: 0, Reason: clockReason},
	{Call: "__clock_gettime50", Arg: 1, Reason: clockReason},
	{Call: "__sysctl", Arg: 2, MIB: []int32{1, 81}, Reason: "kern.arandom"},
	{Call: "__sysctl", Arg: 2, MIB: []int32{1, 10}, Reason: "kern.hostname"},
	{Call: "__sysctl", Arg: 3, MIB: []int32{1, 10}, Reason: "the length of kern.hostname"},
	{Call: "getvfsstat", Arg: 0, Struct: "struct statvfs", Array: true, Fields: statvfsFields, Reason: "usage and ids of file systems"},
	{Call: "statvfs1", Arg: 1, Struct: "struct statvfs", Fields: statvfsFields, Reason: "usage and ids of file systems"},
	{Call: "fstatvfs1", Arg: 1, Struct: "struct statvfs", Fields: statvfsFields, Reason: "usage and ids of file systems"},
}

var statvfsFields = []string{"f_fsid", "f_blocks", "f_bfree", "f_bavail", "f_bresvd", "f_files", "f_ffree", "f_favail",
	"f_syncreads", "f_syncwrites", "f_asyncreads", "f_asyncwrites", "f_spare"}

// mib is the name of a sysctl call as the recorded client had it.
func mib(c *Call) []int32 {
	var name []int32
	for _, b := range c.In {
		if b.Addr != c.Arg(0) {
			continue
		}
		for i := 0; i+4 <= len(b.Data); i += 4 {
			name = append(name, int32(binary.LittleEndian.Uint32(b.Data[i:])))
		}
		return name
	}
	return nil
}

func (m *Mask) applies(c *Call) bool {
	if m.Call != c.Name() {
		return false
	}
	if m.MIB == nil {
		return true
	}
	name := mib(c)
	return len(name) >= len(m.MIB) && slices.Equal(name[:len(m.MIB)], m.MIB)
}

// Comparer finds what differs between a recorded call and ours.
type Comparer struct {
	Layouts map[string]Layout
	// dirs are the descriptors that directories were read by: their offsets are each file system's own.
	dirs map[uint64]bool
}

// Begin forgets the descriptors of the session before.
func (c *Comparer) Begin() { c.dirs = map[uint64]bool{} }

// Diff lists the differences, each in words; none when the calls agree.
func (c *Comparer) Diff(rec, got *Call) []string {
	switch rec.Num {
	case abi.SYS___getdents30:
		c.dirs[rec.Arg(0)] = true
	case abi.SYS_close:
		delete(c.dirs, rec.Arg(0))
	}
	if rec.Errno == got.Errno && (rec.Errno == 0 || rec.Errno == abi.ENOMEM) { // sysctl copies out what fits
		for _, r := range records {
			if r.applies(rec) {
				return diffRecords(r.take(rec), r.take(got))
			}
		}
	}
	var diffs []string
	if rec.Errno != got.Errno {
		return []string{fmt.Sprintf("errno %d (%v), recorded %d (%v)", got.Errno, got.Errno, rec.Errno, rec.Errno)}
	}
	if rec.Errno == 0 && rec.Ret != got.Ret && !volatileReturn[rec.Name()] && !(rec.Num == abi.SYS_lseek && c.dirs[rec.Arg(0)]) {
		diffs = append(diffs, fmt.Sprintf("returned %#x, recorded %#x", got.Ret, rec.Ret))
	}
	return append(diffs, c.diffMemory(rec, newImage(rec.Out), newImage(got.Out))...)
}

// volatileReturn are the calls whose value varies.
var volatileReturn = map[string]bool{"getpid": true, "getpgrp": true, "getppid": true}

func (c *Comparer) diffMemory(rec *Call, want, got image) []string {
	bad := map[string]int{}
	var order []string
	addrs := make([]uint64, 0, len(want))
	for a := range want {
		addrs = append(addrs, a)
	}
	for a := range got {
		if _, ok := want[a]; !ok {
			addrs = append(addrs, a)
		}
	}
	slices.Sort(addrs)
	for _, a := range addrs {
		w, wok := want[a]
		g, gok := got[a]
		if wok && gok && w == g {
			continue
		}
		where, masked := c.where(rec, a)
		if masked {
			continue
		}
		if bad[where] == 0 {
			order = append(order, where)
		}
		bad[where]++
	}
	for i, where := range order {
		order[i] = fmt.Sprintf("memory: %s: %d bytes differ", where, bad[where])
	}
	return order
}

// where names the place of an address in a call's results, and says whether it may vary.
func (c *Comparer) where(rec *Call, addr uint64) (name string, masked bool) {
	for i := range masks {
		m := &masks[i]
		if !m.applies(rec) {
			continue
		}
		base := rec.Arg(m.Arg)
		if addr < base {
			continue
		}
		off := int(addr - base)
		if m.Struct == "" {
			if off < 1<<16 && sameArg(rec, m.Arg, addr) {
				return m.Reason, true
			}
			continue
		}
		l := c.Layouts[m.Struct]
		if !m.Array && off >= l.Size {
			continue
		}
		return fieldAt(l, off%l.Size, m)
	}
	for i := range 6 {
		if a := rec.Arg(i); a != 0 && addr >= a && addr < a+1<<16 && sameArg(rec, i, addr) {
			return fmt.Sprintf("argument %d", i), false
		}
	}
	return fmt.Sprintf("%#x", addr), false
}

// sameArg says whether argument i is the nearest one below the address.
func sameArg(rec *Call, i int, addr uint64) bool {
	for j := range 6 {
		if a := rec.Arg(j); a > rec.Arg(i) && a <= addr {
			return false
		}
	}
	return true
}

// fieldAt names the innermost field at an offset; padding is masked.
func fieldAt(l Layout, off int, m *Mask) (string, bool) {
	name, masked := m.Struct+" padding", true
	best := l.Size + 1
	for _, f := range l.Fields {
		if off < f.Off || off >= f.Off+f.Size {
			continue
		}
		hit := slices.ContainsFunc(m.Fields, func(n string) bool { return n == f.Name || strings.HasPrefix(f.Name, n) })
		if f.Size < best {
			best, name, masked = f.Size, m.Struct+" "+f.Name, hit
		} else {
			masked = masked || hit
		}
	}
	return name, masked
}

// sprintCall shows a call for a report: its place, name, arguments and the strings that it was given.
func sprintCall(i int, c *Call) string {
	var b strings.Builder
	fmt.Fprintf(&b, "call %d, %s(", i, c.Name())
	for j := 0; 8*j < len(c.Args); j++ {
		if j > 0 {
			b.WriteString(", ")
		}
		b.WriteString(argText(c, c.Arg(j)))
	}
	return b.String() + ")"
}

func argText(c *Call, v uint64) string {
	for _, in := range c.In {
		if in.Addr == v && len(in.Data) > 1 && in.Data[len(in.Data)-1] == 0 && in.Data[0] >= ' ' && in.Data[0] < 0x7f {
			return fmt.Sprintf("%q", in.Data[:len(in.Data)-1])
		}
	}
	return fmt.Sprintf("%#x", v)
}

// record is a kind of call whose result is a list of named records. Their order and number vary with what is in the
// kernel; they are compared by name.
type record struct {
	applies func(c *Call) bool
	// take gives each record's text by its name: what of it must agree.
	take func(c *Call) map[string]string
}

var records = []record{
	{func(c *Call) bool { return c.Name() == "__getdents30" }, dirents},
	{func(c *Call) bool { return c.Name() == "modctl" && c.Arg(0) == abi.MODCTL_STAT }, modules},
	{isQuery, nodes},
	{isRouteList, routeMessages},
}

func diffRecords(want, have map[string]string) []string {
	var diffs []string
	for name, text := range want {
		if t, ok := have[name]; !ok {
			diffs = append(diffs, fmt.Sprintf("%s is missing", name))
		} else if t != text {
			diffs = append(diffs, fmt.Sprintf("%s: %s, recorded %s", name, t, text))
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			diffs = append(diffs, fmt.Sprintf("%s is not in the recording", name))
		}
	}
	slices.Sort(diffs)
	return diffs
}

// out is what a call copied out at addr and behind, n bytes at most.
func (c *Call) out(addr uint64, n int) []byte {
	var b []byte
	for _, chunk := range c.Out {
		if chunk.Addr == addr+uint64(len(b)) && len(b) < n {
			b = append(b, chunk.Data...)
		}
	}
	return b[:min(n, len(b))]
}

// dirents are the entries of a directory with their types. The order is each file system's own, inode numbers vary, and
// the C kernel's rumpfs leaves "." and ".." out.
func dirents(c *Call) map[string]string {
	entries := map[string]string{}
	b := c.out(c.Arg(1), int(min(c.Ret, 1<<20)))
	for len(b) >= abi.DirentOffName {
		reclen := int(binary.LittleEndian.Uint16(b[abi.DirentOffReclen:]))
		if reclen < abi.DirentOffName || reclen > len(b) {
			break
		}
		if name := abi.CString(b[abi.DirentOffName:reclen]); name != "." && name != ".." {
			entries["entry "+name] = fmt.Sprintf("type %d", b[abi.DirentOffType])
		}
		b = b[reclen:]
	}
	return entries
}

// modules are modstat's, with class and what they require.
func modules(c *Call) map[string]string {
	list := map[string]string{}
	for _, chunk := range c.Out {
		var m abi.Modstat
		for b := chunk.Data; m.Decode(b) == nil; b = b[abi.SizeofModstat:] {
			list["module "+abi.CString(m.Name[:])] = fmt.Sprintf("class %d requires %q", m.Class, abi.CString(m.Required[:]))
		}
	}
	return list
}

// isQuery recognises sysctl's CTL_QUERY.
func isQuery(c *Call) bool {
	if c.Name() != "__sysctl" {
		return false
	}
	name := mib(c)
	return len(name) > 0 && name[len(name)-1] == abi.CTL_QUERY
}

// nodes are a sysctl node's children: number (that of created ones varies), type, flags and size.
func nodes(c *Call) map[string]string {
	list := map[string]string{}
	var n abi.Sysctlnode
	for b := c.out(c.Arg(2), 1<<20); n.Decode(b) == nil; b = b[abi.SizeofSysctlnode:] {
		num := n.Num
		if num >= abi.CREATE_BASE {
			num = -1
		}
		text := fmt.Sprintf("number %d flags %#x", num, n.Flags)
		if n.Flags&abi.SYSCTL_TYPEMASK != abi.CTLTYPE_NODE {
			text += fmt.Sprintf(" size %d", n.Size)
		}
		list["node "+abi.CString(n.Name[:])] = text
	}
	return list
}
