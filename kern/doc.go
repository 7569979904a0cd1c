// Package kern is a rump kernel as a value: processes and their threads, credentials, descriptors,
// the system call table, sysctl, time, readiness and components.
//
// It knows no file system, no socket and no wire. The factions stand beside it and bring their own rows of
// the system call table: kern/vfs, kern/dev and kern/net. Package rump puts a kernel together and serves it;
// package sysproxy carries calls to it over a socket.
//
// Start reading with Kernel (kernel.go), then Component (component.go: what a kernel is made of),
// Proc and Thread (proc.go: who calls) and Syscall (syscall.go: what is called).
// File (file.go) is what a descriptor refers to; Selinfo (selinfo.go) is the one way to wait for something.
package kern
