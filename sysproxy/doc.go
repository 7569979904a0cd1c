// Package sysproxy is the remote system call protocol, both ends: a process
// that runs somewhere makes the system calls of a NetBSD kernel that runs
// somewhere else, over a stream connection.
//
// The client end is a [Transport]: [Dial] connects to a kernel by its URL and
// becomes a new process there; a [Call] carries one system call and lends it the
// memory that its arguments point to. [Local] is the same thing for a kernel
// in this very program, without a wire. The server end is a [Server]: it is
// given a [Kernel] and listeners, and turns what clients send into calls of
// [Process], with a [Memory] through which the kernel reaches what the client
// lent.
//
// The package knows no kernel and no system call: it passes numbers, arguments
// and bytes. It does not decode structures (package abi does) and offers no
// files or sockets (package client does).
//
// docs/protocol.md describes what is on the wire. Start reading at [Call], then
// link.go (the client's end of one connection) and session.go (the server's).
// Both have one reader at a time per connection: whoever waits for an answer
// reads, and hands on what belongs to others, see turn.go.
package sysproxy
