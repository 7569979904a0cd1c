// Package rump puts a rump kernel into a Go program: it makes a kernel of components, boots it, gives processes on
// it and serves it to clients on sockets, until it is halted.
//
//	k, err := rump.New(rump.Config{Components: rump.With("rumpfs_tmpfs")})
//	...
//	if err := k.Boot(); err != nil {
//		...
//	}
//	defer k.Halt()
//	p, err := k.Process("worker") // *client.Process: files, directories, sysctl, io/fs
//
// Any number of kernels live in one program; they share nothing but the host. The kernel itself is package kern, the
// protocol package sysproxy, what a process can do package client; this package only joins them.
//
// Start reading at [Config] and [Kernel]; [Drive] maps host files as disks.
package rump
