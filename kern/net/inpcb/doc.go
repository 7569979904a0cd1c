// Package inpcb is the sockets of PF_INET and PF_INET6: TCP, UDP, and raw IP of any protocol, ICMP and ICMPv6 among them. It is what
// components rumpnet_netinet and rumpnet_netinet6 register as their domains.
//
// It is not the internet protocols below, which are package inet's, and not the calls above, which are package socket's. TCP's
// connections are gVisor's; everything of them that has a NetBSD face is here: who may bind what (bind.go), options, errors, the
// backlog, the lists that netstat reads. UDP and raw sockets are this package's own from the datagram up.
//
// Start reading at Tables, a kernel's sockets, and at pcb, what all of them have: addresses, ports, IP options. tcp.go, udp.go and raw.go
// are the three kinds; output.go and control.go serve the last two.
//
// # What is not there
//
// Urgent data, IP options and IP_MINTTL on TCP, source routes, IPv6's extension headers and next hops, TCP_MD5SIG, TCP_MAXSEG of a
// connection that is made: they are refused. How much of what was sent a peer has not taken (FIONWRITE, ki_sndq) the stack does not tell, and is
// said to be 0; and a close(2) with SO_LINGER learns that all was taken when the peer closes too, or when its time is over.
//
// # Locks
//
// A table's lock guards the addresses and ports of its pcbs and is a leaf: nothing is called with it held. A pcb's own lock guards its
// options, and is a leaf too. Events of the stack arrive with its locks held; they only notify the socket.
package inpcb
