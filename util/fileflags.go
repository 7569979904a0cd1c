package util

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// fileFlags are the names that ls -lo prints and chflags(1) takes, in the order of the former.
var fileFlags = [...]struct {
	flag uint32
	name string
}{
	{abi.UF_APPEND, "uappnd"},
	{abi.UF_IMMUTABLE, "uchg"},
	{abi.UF_NODUMP, "nodump"},
	{abi.UF_OPAQUE, "opaque"},
	{abi.SF_APPEND, "sappnd"},
	{abi.SF_ARCHIVED, "arch"},
	{abi.SF_IMMUTABLE, "schg"},
	{abi.SF_SNAPSHOT, "snap"},
}

// FileFlags returns the names of file flags, separated by commas, or none if there are no flags: flags_to_string(3).
func FileFlags(flags uint32, none string) string {
	var names []string
	for _, f := range fileFlags {
		if flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	if names == nil {
		return none
	}
	return strings.Join(names, ",")
}

// flagNames are the names that chflags(1) takes beside those above.
var flagNames = map[string]uint32{
	"uappend": abi.UF_APPEND, "uchange": abi.UF_IMMUTABLE, "uimmutable": abi.UF_IMMUTABLE, "archived": abi.SF_ARCHIVED,
	"sappend": abi.SF_APPEND, "schange": abi.SF_IMMUTABLE, "simmutable": abi.SF_IMMUTABLE, "snapshot": abi.SF_SNAPSHOT,
}

// ParseFileFlags reads names of file flags, separated by commas or blanks: string_to_flags(3). A name with "no" before it is a
// flag to clear; so is "dump". It reports false if there is a name that it does not know.
func ParseFileFlags(s string) (set, clear uint32, ok bool) {
	for _, name := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		if flag := fileFlag(name); flag != 0 {
			set |= flag
			continue
		}
		flag := fileFlag(strings.TrimPrefix(name, "no"))
		if name == "dump" {
			flag = abi.UF_NODUMP
		}
		if flag == 0 {
			return 0, 0, false
		}
		clear |= flag
	}
	return set, clear, true
}

// fileFlag returns the flag of a name, or 0.
func fileFlag(name string) uint32 {
	for _, f := range fileFlags {
		if f.name == name {
			return f.flag
		}
	}
	return flagNames[name]
}
