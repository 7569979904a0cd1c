package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Parts of an ioctl request number, see ioctl(9) and sys/ioccom.h.
const (
	iocVoid    = 0x20000000
	iocDirMask = 0xe0000000
	iocLenMask = 0x1fff
)

// isIoctl tells whether a constant is an ioctl request: by its name, and by
// direction bits, parameter length and group that a request can have.
func (x *Extra) isIoctl(name string, v int64) bool {
	if !slices.ContainsFunc(x.IoctlPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
		return false
	}
	if v < 0 || v > 0xffffffff {
		return false
	}
	dir, size, group := v&iocDirMask, v>>16&iocLenMask, v>>8&0xff
	if group < ' ' || group > '~' {
		return false
	}
	return dir == iocVoid && size == 0 || dir > iocVoid && dir&iocVoid == 0
}

// ioctls writes the request constants and the table of all of them by number.
func (g *generator) ioctls() ([]byte, error) {
	all, err := g.src.allConsts()
	if err != nil {
		return nil, err
	}
	s := g.newSource("// Requests of ioctl(2).")
	var names []string
	s.printf("const (\n")
	for _, c := range slices.Sorted(maps.Keys(all)) {
		if !g.src.Extra.isIoctl(c, all[c]) {
			continue
		}
		if err := g.claim(c, c); err != nil {
			return nil, err
		}
		s.printf("%s = %#x\n", c, all[c])
		names = append(names, c)
	}
	s.printf(")\n\n")
	s.printf("// ioctls is sorted by number; of several names of one number the usual one\n// comes first.\nvar ioctls = [...]Ioctl{\n")
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(all[a], all[b]), cmp.Compare(g.aliasRank(a), g.aliasRank(b)), cmp.Compare(a, b))
	})
	for _, n := range names {
		s.printf("{%s, %q},\n", n, n)
	}
	s.printf("}\n")
	return s.format()
}

// aliasRank orders the names of one request: old and odd names go last.
func (g *generator) aliasRank(name string) int {
	return slices.Index(g.src.Extra.IoctlAliases, name)
}
