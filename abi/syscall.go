package abi

import "iter"

// Syscall is one row of the system call table. Rows are shared: read only.
type Syscall struct {
	Num  int
	Name string // as in sys/syscall.h without SYS_
	Ret  string // C type of the result
	Args []Arg  // one register each, padding included
	Rump bool   // a rump kernel can serve it
	Kind string // STD, NOERR (never fails), INDIR, EXTERN, or COMPAT_50 and the like
}

// Arg is one argument of a system call, in one register.
type Arg struct {
	Type string // in C
	Name string
	Kind ArgKind
}

// ArgKind says how an argument's register is to be read.
type ArgKind uint8

// Kinds of arguments.
const (
	ArgPad    ArgKind = iota // nothing: aligns what follows
	ArgInt                   // 32 bits, signed
	ArgUint                  // 32 bits, unsigned
	ArgLong                  // a word, signed
	ArgUlong                 // a word, unsigned
	ArgSize                  // size_t
	ArgOff                   // off_t, 64 bits, signed
	ArgPtr                   // address in the caller's memory
	ArgString                // address of a text that ends with NUL
	ArgMode                  // mode_t, to be shown in octal
	ArgRest                  // all registers that follow
)

// SyscallByNum returns the row of call number n, or nil if there is none.
func SyscallByNum(n int) *Syscall {
	if n < 0 || n >= len(syscalls) || syscalls[n].Name == "" {
		return nil
	}
	return &syscalls[n]
}

// SyscallByName returns the row of a call by its name, as "__stat50", or nil.
// It looks at each row in turn.
func SyscallByName(name string) *Syscall {
	for s := range Syscalls() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Syscalls yields all rows in order of number.
func Syscalls() iter.Seq[*Syscall] {
	return func(yield func(*Syscall) bool) {
		for i := range syscalls {
			if syscalls[i].Name != "" && !yield(&syscalls[i]) {
				return
			}
		}
	}
}
