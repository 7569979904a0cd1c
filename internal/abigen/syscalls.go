package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// sysName matches the constant of a system call, and not SYS_MAXSYSCALL.
var sysName = regexp.MustCompile("^SYS_[a-z_]")

// syscallNames returns the names of sys/syscall.h, SYS_ and all, by number.
// The rows have the names of handlers, which differ where one handler or one
// name has served several calls: 19 is compat_43_olseek there, 20 getpid.
func (s *Source) syscallNames() (map[int]string, error) {
	all, err := s.allConsts()
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	for c, v := range all {
		if !sysName.MatchString(c) {
			continue
		}
		if old, ok := names[int(v)]; ok {
			return nil, fmt.Errorf("%s and %s are both call %d", old, c, v)
		}
		names[int(v)] = c
	}
	return names, nil
}

// syscalls writes the SYS_ constants and the table of rows by number.
func (g *generator) syscalls() ([]byte, error) {
	calls := slices.Clone(g.src.Facts.Syscalls)
	slices.SortFunc(calls, func(a, b CSyscall) int { return a.Num - b.Num })
	names, err := g.src.syscallNames()
	if err != nil {
		return nil, err
	}
	s := g.newSource("// System call numbers. A call kept for old programs has the release that\n// replaced it in its name.")
	s.printf("const (\n")
	for _, c := range calls {
		name, ok := names[c.Num]
		if !ok {
			return nil, fmt.Errorf("no SYS_ constant for call %d, %s", c.Num, c.Name)
		}
		if err := g.claim(name, name); err != nil {
			return nil, err
		}
		s.printf("%s = %d\n", name, c.Num)
	}
	s.printf(")\n\n// syscalls is indexed by number; a number without a call has no name.\nvar syscalls = [...]Syscall{\n")
	for _, c := range calls {
		name := strings.TrimPrefix(names[c.Num], "SYS_")
		s.printf("%d: {Num: %d, Name: %q, Ret: %q, Rump: %t, Kind: %q", c.Num, c.Num, name, c.Ret, c.Rump, c.Kind)
		if err := g.args(s, c.Args); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		s.printf("},\n")
	}
	s.printf("}\n")
	return s.format()
}

// args writes the arguments of a call.
func (g *generator) args(s *source, args []string) error {
	if len(args) == 0 {
		return nil
	}
	s.printf(", Args: []Arg{")
	for _, a := range args {
		ctype, name, err := splitArg(a)
		if err != nil {
			return err
		}
		kind, err := argKind(ctype, name)
		if err != nil {
			return err
		}
		s.printf("{%q, %q, %s}, ", ctype, name, kind)
	}
	s.printf("}")
	return nil
}

// splitArg splits "const char *path" into type and name. A variable argument
// ("... mode_t mode") is as good as any other in a register.
func splitArg(decl string) (ctype, name string, err error) {
	decl = strings.TrimSpace(strings.TrimPrefix(decl, "..."))
	i := strings.LastIndexAny(decl, " *")
	if i < 0 || i == len(decl)-1 {
		return "", "", fmt.Errorf("argument %q has no name", decl)
	}
	return strings.TrimSpace(decl[:i+1]), decl[i+1:], nil
}

// argKinds is the decoding of argument types other than pointers.
var argKinds = map[string]string{
	"int": "ArgInt", "int32_t": "ArgInt", "pid_t": "ArgInt", "lwpid_t": "ArgInt",
	"clockid_t": "ArgInt", "timer_t": "ArgInt", "mqd_t": "ArgInt", "idtype_t": "ArgInt",
	"psetid_t": "ArgInt",
	"u_int":    "ArgUint", "unsigned int": "ArgUint", "unsigned": "ArgUint", "uint32_t": "ArgUint",
	"uid_t": "ArgUint", "gid_t": "ArgUint", "id_t": "ArgUint", "socklen_t": "ArgUint",
	"mode_t": "ArgMode",
	"long":   "ArgLong", "key_t": "ArgLong", "quad_t": "ArgLong", "intptr_t": "ArgLong", "ssize_t": "ArgLong",
	"u_long": "ArgUlong", "dev_t": "ArgUlong", "cpuid_t": "ArgUlong", "register_t": "ArgRest",
	"size_t": "ArgSize",
	"off_t":  "ArgOff",
}

func argKind(ctype, name string) (string, error) {
	switch {
	case name == "PAD":
		return "ArgPad", nil
	case ctype == "const char *" && name != "msg_ptr":
		return "ArgString", nil
	case strings.HasSuffix(ctype, "*"), strings.HasSuffix(ctype, "* const"), strings.HasSuffix(ctype, "*const"):
		return "ArgPtr", nil
	}
	if kind, ok := argKinds[ctype]; ok {
		return kind, nil
	}
	return "", fmt.Errorf("argument %s has type %q, which is in no table", name, ctype)
}
