// Package inet is IPv4 and IPv6 of a kernel, components rumpnet_netinet and rumpnet_netinet6: addresses of interfaces and their ioctls,
// input, output and forwarding of datagrams, fragments, ICMP, ARP, neighbour discovery, multicast groups, sysctl net.inet and
// net.inet6.
//
// It is not the sockets, which are package inpcb's, and not TCP and UDP, which are gVisor's netstack (Inet.Stack). Of gVisor only
// the transport protocols and their endpoints are used: the network protocols IPv4 and IPv6 that the stack is made with
// are this package's (netproto.go), because a NetBSD kernel's differ in nearly all that can be seen: it takes packets for
// any of its addresses on any interface, forwards, has a routing table with a longest prefix and rejecting routes, tentative and duplicated
// addresses in IPv4 too, published and static ARP entries, raw sockets of every protocol, and counts by its own names.
//
// # The way of a packet
//
// ifnet hands a frame to input4, input6 or arpInput. A datagram for this kernel is put together (reass.go), shown to those who asked
// for its protocol (raw.go), and goes to ICMP, IGMP, or into the stack's TCP and UDP; others are forwarded (forward.go). The stack's
// packets come back through endpoint.WritePacket into output4 and output6, where the routing table is asked, for each packet: it is the
// only truth. A packet to an own address leaves through lo0 and comes in again. The last step is link.go: the link-level address of the next hop, by ARP
// or neighbour discovery.
//
// # Locks
//
// What configures holds ifnet's Net.Config. The paths of packets read snapshots (addresses, interfaces) and take only leaf locks: those
// of a neighbour table, of the fragments, of a multicast list. They never take Config, since an interface that is being stopped waits for
// its input; what they find out that changes configuration is done later, by another goroutine (Inet.later).
package inet
