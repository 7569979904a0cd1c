package util

import (
	"fmt"
	"strings"
)

// MountOption is an option of mount -o that sets or clears flags.
type MountOption struct {
	Name    string
	Flag    uint32 // abi.MNT_*, or the file system's own
	Inverse bool   // named for the flag's absence: "async" clears, "noasync" sets
	Alt     bool   // Flag is the file system's own
}

// MountFlags is what the options of mount -o come to: getmntopts(3).
type MountFlags struct {
	Flags, Alt uint32
	Values     map[string]string // of "name=value"
}

// Parse adds a list of options, "rdonly,noatime", to f. Options are found in the table without regard
// to case, with "no" in front for their opposite. Errors: the first option that is not in
// the table, in the words of getmntopts(3).
func (f *MountFlags) Parse(list string, table []MountOption) error {
	for _, word := range strings.Split(list, ",") {
		if word == "" {
			continue
		}
		name, value, hasValue := strings.Cut(word, "=")
		opt, negative := findMountOption(name, table)
		if opt == nil {
			return fmt.Errorf("-o %s: option not supported", name)
		}
		flags := &f.Flags
		if opt.Alt {
			flags = &f.Alt
		}
		if negative == opt.Inverse {
			*flags |= opt.Flag
		} else {
			*flags &^= opt.Flag
		}
		if hasValue {
			if f.Values == nil {
				f.Values = make(map[string]string)
			}
			f.Values[opt.Name] = value
		}
	}
	return nil
}

// findMountOption finds an option by its name, or by "no" and its name.
func findMountOption(name string, table []MountOption) (opt *MountOption, negative bool) {
	find := func(name string) *MountOption {
		for i := range table {
			if strings.EqualFold(table[i].Name, name) {
				return &table[i]
			}
		}
		return nil
	}
	if rest, ok := strings.CutPrefix(name, "no"); ok {
		if opt := find(rest); opt != nil {
			return opt, true
		}
	}
	return find(name), false
}
