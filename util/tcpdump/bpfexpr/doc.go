// Package bpfexpr compiles filter expressions, as pcap-filter(7) describes them, to programs for the packet filter machine of bpf(4).
//
// It has the expressions about Ethernet, ARP, IPv4, IPv6 and the protocols over them: hosts, nets, ports, protocols, lengths, and relations of
// bytes of the packet. What it does not know, it refuses, with the place in the expression. It does no input or output but for the names of
// hosts, which its caller looks up.
//
// Text becomes words (lex.go), words a tree of conditions (parse.go, primitive.go, relation.go), the tree instructions (condition.go). Start reading at
// Compile.
package bpfexpr
