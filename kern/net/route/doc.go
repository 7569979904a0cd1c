// Package route is the routing table of a kernel and its routing sockets, the upper half of component rumpnet_net: longest
// prefix match per family, the messages RTM_* of route(4) in both directions, sysctl net.route (NET_RT_DUMP, IFLIST, FLAGS).
//
// The table here is the truth; package inet observes it and writes what it needs into the TCP/IP stack, and registers the tables of link-level
// addresses (ARP, neighbour discovery), whose entries are shown and changed by the same messages. Start reading at Table and Entry.
package route
