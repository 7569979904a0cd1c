// Package host is what a rump kernel's server needs of the machine that it runs on: host files mapped as disks,
// shared memory in files, detaching from the terminal, unix sockets that a dead server left behind, and the host's error numbers in
// NetBSD's.
//
// It knows no kernel and no protocol. Whatever differs between systems stands in files named after them, with a
// fallback that says so where a system has nothing of the kind.
//
// Start reading at [Images]; [Detach] is the daemon's part.
package host
