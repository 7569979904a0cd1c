// Package modstat is modstat(8): it lists the modules of the kernel.
package modstat

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is modstat(8).
var Utility = util.Utility{
	Name:    "modstat",
	Section: 8,
	Doc:     "display status of loaded kernel modules",
	Usage:   []string{"Usage: modstat [-Aaekn] [name]"},
	Options: []util.Option{
		{Letter: 'A', Doc: "Tell whether modules can be loaded automatically, kern.module.autoload included."},
		{Letter: 'a', Doc: "Tell whether modules can be loaded automatically."},
		{Letter: 'e', Doc: "Tell whether you may load modules now."},
		{Letter: 'k', Doc: "Print the modules' addresses."},
		{Letter: 'n', Arg: "name", Doc: "List the module of that name alone."},
	},
	Operands: []util.Operand{{Name: "name", Doc: "The module to list; all if there is none."}},
	Main:     run,
}

func run(_ context.Context, env *util.Env) int {
	var query byte
	var name string
	var addresses bool
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'A', 'a', 'e':
			query = g.Letter
		case 'k':
			addresses = true
		case 'n':
			name = g.Arg
		default:
			return env.UsageError()
		}
	}
	args := g.Args()
	if len(args) == 1 && name == "" {
		name, args = args[0], nil
	}
	if len(args) > 0 {
		return env.UsageError()
	}
	if query != 0 {
		return loadable(env, query)
	}
	list, err := env.Proc.Sys().Modstat()
	if err != nil {
		return env.Err(err, "modctl(MODCTL_STAT)")
	}
	print(env, list, name, addresses)
	return util.ExitOK
}

// loadable tells whether modules can be loaded: by autoloading (-a, -A) or by the caller (-e).
func loadable(env *util.Env, query byte) int {
	auto := query != 'e'
	switch err := env.Proc.Sys().Modexists(auto); {
	case err == abi.ENOSYS:
		return env.Errx("The kernel was compiled without options MODULAR.")
	case err == abi.EPERM && auto:
		return env.Errx("Modules can not be autoloaded right now.")
	case err == abi.EPERM:
		return env.Errx("You are not allowed to load modules right now.")
	case err != nil:
		return env.Err(err, "modctl_exists for autoload")
	}
	if !auto {
		env.Warnx("You can load modules.")
		return util.ExitOK
	}
	but := ""
	if query == 'A' {
		on, err := env.Proc.Sysctl().Int("kern.module.autoload")
		if err != nil {
			return env.Err(err, "sysctl kern.module.autoload failed.")
		}
		if on == 0 {
			but = ", but kern.module.autoload = 0"
		}
	}
	env.Warnx("Modules can be autoloaded%s.", but)
	return util.ExitOK
}

// Names of classes, sources and flags, by their numbers.
var (
	classes = [...]string{
		abi.MODULE_CLASS_ANY: "any", abi.MODULE_CLASS_MISC: "misc", abi.MODULE_CLASS_VFS: "vfs",
		abi.MODULE_CLASS_DRIVER: "driver", abi.MODULE_CLASS_EXEC: "exec", abi.MODULE_CLASS_SECMODEL: "secmodel",
		abi.MODULE_CLASS_SECMODEL + 1: "bufq",
	}
	sources = [...]string{
		abi.MODULE_SOURCE_KERNEL: "builtin", abi.MODULE_SOURCE_BOOT: "boot", abi.MODULE_SOURCE_FILESYS: "filesys",
	}
	flags = [...]string{
		0: "-", abi.MODFLG_MUST_FORCE: "f", abi.MODFLG_AUTO_LOADED: "a",
		abi.MODFLG_MUST_FORCE | abi.MODFLG_AUTO_LOADED: "af",
	}
)

func name(table []string, n uint32) string {
	if n < uint32(len(table)) {
		return table[n]
	}
	return "UNKNOWN"
}

// print prints the table, of one module if a name is given.
func print(env *util.Env, list []abi.Modstat, only string, addresses bool) {
	text := func(m *abi.Modstat) string { return abi.CString(m.Name[:]) }
	slices.SortFunc(list, func(a, b abi.Modstat) int { return cmp.Compare(text(&a), text(&b)) })
	width := 16
	for i := range list {
		width = max(width, len(text(&list[i])))
	}
	row := func(name, class, source, flag, refs, addr, size, required string) {
		fmt.Fprintf(env.Stdout, "%-*s %-8s %-8s %-4s %-5s ", width, name, class, source, flag, refs)
		if addresses {
			fmt.Fprintf(env.Stdout, "%-16s ", addr)
		}
		fmt.Fprintf(env.Stdout, "%-7s %s\n", size, required)
	}
	row("NAME", "CLASS", "SOURCE", "FLAG", "REFS", "ADDRESS", "SIZE", "REQUIRES ")
	for i := range list {
		m := &list[i]
		if only != "" && text(m) != only {
			continue
		}
		size := "-"
		if m.Size != 0 {
			size = strconv.FormatUint(uint64(m.Size), 10)
		}
		row(text(m), name(classes[:], m.Class), name(sources[:], m.Source), flags[m.Flags&3],
			strconv.Itoa(int(int32(m.Refcnt))), strconv.FormatUint(m.Addr, 16), size,
			cmp.Or(abi.CString(m.Required[:]), "-"))
	}
}
