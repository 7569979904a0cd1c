package vfs

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/kern"
)

// magicVars are the variables of magic symbolic links, symlink(7): "@name", at the end or before a slash, and "@{name}".
var magicVars = map[string]func(k *kern.Kernel, c *kern.Cred) string{
	"domainname":   func(k *kern.Kernel, _ *kern.Cred) string { return k.Domainname() },
	"emul":         func(*kern.Kernel, *kern.Cred) string { return "netbsd" },
	"gid":          func(_ *kern.Kernel, c *kern.Cred) string { return idText(c.Egid) },
	"hostname":     func(k *kern.Kernel, _ *kern.Cred) string { return k.Hostname() },
	"kernel_ident": func(*kern.Kernel, *kern.Cred) string { return "RUMP-ROAST" },
	"machine":      func(*kern.Kernel, *kern.Cred) string { return "amd64" },
	"machine_arch": func(*kern.Kernel, *kern.Cred) string { return "x86_64" },
	"osrelease":    func(*kern.Kernel, *kern.Cred) string { return kern.OSRelease },
	"ostype":       func(*kern.Kernel, *kern.Cred) string { return "NetBSD" },
	"rgid":         func(_ *kern.Kernel, c *kern.Cred) string { return idText(c.Rgid) },
	"ruid":         func(_ *kern.Kernel, c *kern.Cred) string { return idText(c.Ruid) },
	"uid":          func(_ *kern.Kernel, c *kern.Cred) string { return idText(c.Euid) },
}

func idText(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// magic puts values in the place of the variables of a symbolic link's target. What is none stays as it is.
func (lk *lookup) magic(target string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(target, "@")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, rest := magicName(after)
		value, known := magicVars[name]
		if !known {
			out.WriteByte('@')
			target = after
			continue
		}
		out.WriteString(value(lk.v.k, lk.cred))
		target = rest
	}
}

// magicName splits the name of a variable off what follows an "@".
func magicName(s string) (name, rest string) {
	if braced, ok := strings.CutPrefix(s, "{"); ok {
		if name, rest, ok = strings.Cut(braced, "}"); ok {
			return name, rest
		}
		return "", s
	}
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}
