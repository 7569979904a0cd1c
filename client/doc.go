// Package client is a process on a rump kernel: its files, directories and
// devices, its sysctl tree and everything else that system calls reach.
//
// The kernel may be behind a socket ([Dial], [FromEnv]) or in this very program
// ([New] with a transport of package rump); the two are used alike. There are two
// layers. [Process.Sys] has the system calls as NetBSD defines them: numbers
// and structures of package abi, errors that are an abi.Errno. [Process] itself
// and [File] look like package os: errors are a *fs.PathError (or *os.LinkError,
// *os.SyscallError) around the abi.Errno, so that errors.Is(err, fs.ErrNotExist)
// and errors.Is(err, abi.ENOENT) both answer. [Process.FS] is a directory as an
// fs.FS. [Process.DialContext], [Process.Listen] and [Process.ListenPacket] are package net's on the
// kernel's sockets, [Process.Interfaces] lists its interfaces.
//
// Nothing here touches the host: a path is the kernel's, a descriptor is the
// kernel's. Descriptors 0, 1 and 2 of a process are the kernel's console, not
// the standard streams of this program.
//
// Start reading at [Process] and, for the calls, at request.go.
package client
