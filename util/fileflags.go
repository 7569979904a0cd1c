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
