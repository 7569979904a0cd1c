package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A goType is how a C type appears in Go.
type goType struct {
	kind  typeKind
	size  int    // bytes, of the whole
	name  string // scalar: uint32; structure: its Go name
	elem  *goType
	count int // elements of an array
}

type typeKind int

const (
	scalarType typeKind = iota
	boolType
	bytesType // [size]byte, characters or raw memory
	arrayType
	structType
	unionType // [size]byte with accessors: unions, and structures without a name
)

func (t goType) String() string {
	switch t.kind {
	case bytesType, unionType:
		return fmt.Sprintf("[%d]byte", t.size)
	case arrayType:
		return fmt.Sprintf("[%d]%s", t.count, t.elem)
	}
	return t.name
}

// signedTypes are the C types and typedefs that are signed integers.
var signedTypes = set(`char int long_int long_long_int short_int
	__int8_t __int16_t __int32_t __int64_t int8_t int16_t int32_t int64_t intmax_t quad_t
	__pid_t time_t __off_t off_t ssize_t suseconds_t blksize_t blkcnt_t daddr_t lwpid_t
	__intptr_t __devmajor_t segsz_t __register_t voff_t vm_prot_t vm_inherit_t pri_t psetid_t
	RF_RowCol_t RF_SectorNum_t RF_StripeNum_t RF_ParityConfig_t`)

// unsignedTypes are the C types and typedefs that are unsigned integers.
var unsignedTypes = set(`unsigned_char unsigned_int short_unsigned_int long_unsigned_int
	u_char u_short u_int u_long ulong u_quad_t uintmax_t
	__uint8_t __uint16_t __uint32_t __uint64_t u_int8_t u_int16_t u_int32_t u_int64_t
	dev_t ino_t nlink_t __mode_t __uid_t __gid_t id_t clock_t size_t vsize_t vaddr_t
	__fsblkcnt_t __fsfilcnt_t rlim_t fixpt_t n_time n_short tcp_seq if_index_t
	__sa_family_t __in_port_t __in_addr_t __socklen_t tcflag_t cc_t __fd_mask
	__uintptr_t modsrc_t modclass_t npf_netmask_t sysctlfn sig_t ieee80211_keyix
	RF_ReconReqFlags_t RF_SectorCount_t RF_StripeCount_t RF_uint64 RF_DiskStatus_t prop_type_t`)

// typedefs are names of structures that the data file has under a tag.
var typedefs = map[string]string{
	"stack_t": "struct sigaltstack", "sigval_t": "union sigval",
	"npf_ioctl_buf_t": "struct npf_ioctl_buf", "npf_ioctl_ent_t": "struct npf_ioctl_ent",
	"RF_RaidDisk_t": "struct RF_RaidDisk_s", "mixer_level_t": "struct mixer_level",
	"audio_mixer_name_t": "struct audio_mixer_name",
}

// opaqueTypes are typedefs of unions and of character arrays.
var opaqueTypes = set("npf_addr_t RF_DiskQueueType_t")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[strings.ReplaceAll(strings.TrimPrefix(w, "__"), "_", " ")] = true
	}
	return m
}

// inSet looks up a C type with underscores and spaces alike, and reserved
// names (__pid_t) as public ones.
func inSet(m map[string]bool, ctype string) bool {
	return m[strings.ReplaceAll(strings.TrimPrefix(ctype, "__"), "_", " ")]
}

// A member is one field of a C structure in the tree that the dotted names
// of the data file describe.
type member struct {
	CField
	name string // last component
	subs []*member
}

// tree builds the members of a structure.
func tree(fields []CField) ([]*member, error) {
	root := &member{}
	byName := map[string]*member{"": root}
	for _, f := range fields {
		parent, last := "", f.Name
		if i := strings.LastIndexByte(f.Name, '.'); i >= 0 {
			parent, last = f.Name[:i], f.Name[i+1:]
		}
		p := byName[parent]
		if p == nil {
			return nil, fmt.Errorf("member %s comes before %s", f.Name, parent)
		}
		m := &member{CField: f, name: last}
		p.subs = append(p.subs, m)
		byName[f.Name] = m
	}
	return root.subs, nil
}

// commonPrefix is what all member names begin with, up to and including the
// first underscore ("st_"), or nothing. Reserved members (_pad, __rsvd) need
// not have it.
func commonPrefix(members []*member) string {
	prefix := ""
	for _, reserved := range []bool{false, true} {
		for _, m := range members {
			if strings.HasPrefix(m.name, "_") != reserved {
				continue
			}
			i := strings.IndexByte(strings.TrimLeft(m.name, "_"), '_')
			if i < 0 {
				return ""
			}
			p := strings.TrimLeft(m.name, "_")[:i+1]
			if prefix != "" && p != prefix {
				return ""
			}
			prefix = p
		}
		if prefix != "" {
			break
		}
	}
	return prefix
}

// fieldName is the Go name of a member: without prefix, in CamelCase.
func fieldName(name, prefix string) string {
	name = strings.TrimLeft(name, "_")
	short := camel(strings.TrimPrefix(name, prefix))
	if short == "" || short[0] < 'A' || short[0] > 'Z' {
		return camel(name)
	}
	return short
}

// typeName is the Go name of a C structure: "struct sockaddr_in6" is
// SockaddrIn6, "fsid_t" is Fsid.
func typeName(c string) string {
	c = strings.TrimPrefix(strings.TrimPrefix(c, "struct "), "union ")
	return camel(strings.TrimSuffix(c, "_t"))
}

func camel(name string) string {
	var b strings.Builder
	for _, w := range strings.Split(name, "_") {
		if w != "" {
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return b.String()
}

// splitArray splits "char[32]" into element type and numbers of elements. Of
// several the data file has the innermost first.
func splitArray(ctype string) (elem string, dims []int, err error) {
	elem, rest, _ := strings.Cut(ctype, "[")
	for d := range strings.SplitSeq(strings.TrimSuffix(rest, "]"), "][") {
		if d == "" {
			continue
		}
		n, err := strconv.Atoi(d)
		if err != nil || n <= 0 {
			return "", nil, fmt.Errorf("array type %s", ctype)
		}
		dims = append(dims, n)
	}
	return elem, dims, nil
}

// resolve finds the Go type of a member.
func (c *codec) resolve(m *member) (goType, error) {
	elem, dims, err := splitArray(m.Type)
	if err != nil {
		return goType{}, err
	}
	if strings.HasPrefix(elem, "*") && m.Size == c.machine.pointer {
		dims = nil // a pointer to an array
	}
	count := 1
	for _, n := range dims {
		count *= n
	}
	if m.Size%count != 0 {
		return goType{}, fmt.Errorf("%s of %d bytes", m.Type, m.Size)
	}
	t, err := c.element(elem, m.Size/count, m.subs)
	for _, n := range dims {
		t = arrayOf(t, n)
	}
	return t, err
}

// arrayOf is the type of count elements; small numbers become bytes.
func arrayOf(t goType, count int) goType {
	size := t.size * count
	if t.kind == scalarType && t.size == 1 {
		return goType{kind: bytesType, size: size}
	}
	return goType{kind: arrayType, size: size, elem: &t, count: count}
}

// element finds the Go type of a C type that is no array.
func (c *codec) element(ctype string, size int, subs []*member) (goType, error) {
	if target, ok := typedefs[ctype]; ok {
		ctype = target
	}
	if _, ok := c.facts.Structs[ctype]; ok && strings.HasPrefix(ctype, "union ") {
		return goType{kind: unionType, size: size, name: ctype}, nil
	} else if ok {
		return goType{kind: structType, size: size, name: c.need(ctype)}, nil
	}
	switch {
	case ctype == "anon union":
		if t, ok, err := c.collapse(size, subs); ok || err != nil {
			return t, err
		}
		return goType{kind: unionType, size: size}, nil
	case ctype == "anon struct":
		return goType{kind: unionType, size: size}, nil
	case ctype == "_Bool":
		return goType{kind: boolType, size: 1, name: "bool"}, nil
	case strings.HasPrefix(ctype, "*"), strings.HasPrefix(ctype, "enum "), inSet(unsignedTypes, ctype):
		return scalar("uint", size)
	case inSet(signedTypes, ctype):
		return scalar("int", size)
	case inSet(opaqueTypes, ctype):
		return goType{kind: bytesType, size: size}, nil
	}
	return goType{}, fmt.Errorf("type %q of %d bytes is in no table", ctype, size)
}

func scalar(base string, size int) (goType, error) {
	switch size {
	case 1, 2, 4, 8:
		return goType{kind: scalarType, size: size, name: base + strconv.Itoa(8*size)}, nil
	}
	return goType{}, fmt.Errorf("integer of %d bytes", size)
}

// collapse finds the type of a union whose first member says all that there
// is to say: a number or bytes of the union's size.
func (c *codec) collapse(size int, subs []*member) (goType, bool, error) {
	if len(subs) == 0 || subs[0].Size != size || strings.HasPrefix(subs[0].Type, "anon ") {
		return goType{}, false, nil
	}
	t, err := c.resolve(subs[0])
	if err != nil {
		return goType{}, false, err
	}
	return t, t.kind == scalarType || t.kind == bytesType, nil
}
