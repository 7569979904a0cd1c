// Package local is the domain PF_LOCAL, component rumpnet_local: sockets between processes of one kernel, with names in the file
// system, as unix(4): stream, seqpacket and datagram.
//
// What is sent lies in the receiver's queue (socket.Queue); a stream goes past it into the buffer of a receiver that waits. Files on their
// way in control messages belong to the queue that they are in; those that nobody can receive any more are found by collect.go.
//
// Start reading at Domain, then at pcb, which is a socket's end.
package local
