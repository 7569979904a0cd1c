// Package sh is the shell: the utility sh, and what cmd/rump opens. Its commands are the
// utilities, its files and directories are the kernel's.
//
// The language is the POSIX shell's, as sh(1) of NetBSD has it. The parser and the
// matching of patterns are those of mvdan.cc/sh; what is parsed is carried out here, because
// here everything that a shell takes from its system comes from a rump kernel: a shell is a
// process on the kernel, a subshell is a forked process, a descriptor refers to an open
// file of the kernel or to a stream of the host that the shell was given. Nothing in
// this package looks at the host but host.go, history.go and terminal.go: the command
// "host", the file of the history, and the terminal.
//
// It is not a way to run programs of the host: a command that is no utility is not found.
//
// Start reading at [shell] and, for what happens to a command, at command.go. What the shell
// does and does not do is in docs/shell.md.
package sh
