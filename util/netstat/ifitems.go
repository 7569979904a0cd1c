package netstat

import "github.com/rumpctrl/rumpctrl/abi"

// interfaceItem is a line about one interface: a counter of a structure S.
type interfaceItem[S any] struct {
	text  string
	value func(*S) uint64
}

// ip6InterfaceItems are the counters of RFC 2465.
var ip6InterfaceItems = []interfaceItem[abi.In6Ifstat]{
	{"\t# total input datagram~", func(s *abi.In6Ifstat) uint64 { return s.InReceive }},
	{"\t# datagram~ with invalid header received", func(s *abi.In6Ifstat) uint64 { return s.InHdrerr }},
	{"\t# datagram~ exceeded MTU received", func(s *abi.In6Ifstat) uint64 { return s.InToobig }},
	{"\t# datagram~ with no route received", func(s *abi.In6Ifstat) uint64 { return s.InNoroute }},
	{"\t# datagram~ with invalid dst received", func(s *abi.In6Ifstat) uint64 { return s.InAddrerr }},
	{"\t# truncated datagram~ received", func(s *abi.In6Ifstat) uint64 { return s.InTruncated }},
	{"\t# datagram~ with unknown proto received", func(s *abi.In6Ifstat) uint64 { return s.InProtounknown }},
	{"\t# input datagram~ discarded", func(s *abi.In6Ifstat) uint64 { return s.InDiscard }},
	{"\t# datagram~ delivered to an upper layer protocol", func(s *abi.In6Ifstat) uint64 { return s.InDeliver }},
	{"\t# datagram~ forwarded to this interface", func(s *abi.In6Ifstat) uint64 { return s.OutForward }},
	{"\t# datagram~ sent from an upper layer protocol", func(s *abi.In6Ifstat) uint64 { return s.OutRequest }},
	{"\t# total discarded output datagram~", func(s *abi.In6Ifstat) uint64 { return s.OutDiscard }},
	{"\t# output datagram~ fragmented", func(s *abi.In6Ifstat) uint64 { return s.OutFragok }},
	{"\t# output datagram~ failed on fragment", func(s *abi.In6Ifstat) uint64 { return s.OutFragfail }},
	{"\t# output datagram~ succeeded on fragment", func(s *abi.In6Ifstat) uint64 { return s.OutFragcreat }},
	{"\t# incoming datagram~ fragmented", func(s *abi.In6Ifstat) uint64 { return s.ReassReqd }},
	{"\t# datagram~ reassembled", func(s *abi.In6Ifstat) uint64 { return s.ReassOk }},
	{"\t# datagram~ failed on reassembling", func(s *abi.In6Ifstat) uint64 { return s.ReassFail }},
	{"\t# multicast datagram~ received", func(s *abi.In6Ifstat) uint64 { return s.InMcast }},
	{"\t# multicast datagram~ sent", func(s *abi.In6Ifstat) uint64 { return s.OutMcast }},
}

// icmp6InterfaceItems are the counters of RFC 2466.
var icmp6InterfaceItems = []interfaceItem[abi.Icmp6Ifstat]{
	{"\t# total input message~", func(s *abi.Icmp6Ifstat) uint64 { return s.InMsg }},
	{"\t# total input error message~", func(s *abi.Icmp6Ifstat) uint64 { return s.InError }},
	{"\t# input destination unreachable error~", func(s *abi.Icmp6Ifstat) uint64 { return s.InDstunreach }},
	{"\t# input administratively prohibited error~", func(s *abi.Icmp6Ifstat) uint64 { return s.InAdminprohib }},
	{"\t# input time exceeded error~", func(s *abi.Icmp6Ifstat) uint64 { return s.InTimeexceed }},
	{"\t# input parameter problem error~", func(s *abi.Icmp6Ifstat) uint64 { return s.InParamprob }},
	{"\t# input packet too big error~", func(s *abi.Icmp6Ifstat) uint64 { return s.InPkttoobig }},
	{"\t# input echo request~", func(s *abi.Icmp6Ifstat) uint64 { return s.InEcho }},
	{"\t# input echo reply~", func(s *abi.Icmp6Ifstat) uint64 { return s.InEchoreply }},
	{"\t# input router solicitation~", func(s *abi.Icmp6Ifstat) uint64 { return s.InRoutersolicit }},
	{"\t# input router advertisement~", func(s *abi.Icmp6Ifstat) uint64 { return s.InRouteradvert }},
	{"\t# input neighbor solicitation~", func(s *abi.Icmp6Ifstat) uint64 { return s.InNeighborsolicit }},
	{"\t# input neighbor advertisement~", func(s *abi.Icmp6Ifstat) uint64 { return s.InNeighboradvert }},
	{"\t# input redirect~", func(s *abi.Icmp6Ifstat) uint64 { return s.InRedirect }},
	{"\t# input MLD query~", func(s *abi.Icmp6Ifstat) uint64 { return s.InMldquery }},
	{"\t# input MLD report~", func(s *abi.Icmp6Ifstat) uint64 { return s.InMldreport }},
	{"\t# input MLD done~", func(s *abi.Icmp6Ifstat) uint64 { return s.InMlddone }},
	{"\t# total output message~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutMsg }},
	{"\t# total output error message~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutError }},
	{"\t# output destination unreachable error~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutDstunreach }},
	{"\t# output administratively prohibited error~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutAdminprohib }},
	{"\t# output time exceeded error~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutTimeexceed }},
	{"\t# output parameter problem error~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutParamprob }},
	{"\t# output packet too big error~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutPkttoobig }},
	{"\t# output echo request~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutEcho }},
	{"\t# output echo reply~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutEchoreply }},
	{"\t# output router solicitation~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutRoutersolicit }},
	{"\t# output router advertisement~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutRouteradvert }},
	{"\t# output neighbor solicitation~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutNeighborsolicit }},
	{"\t# output neighbor advertisement~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutNeighboradvert }},
	{"\t# output redirect~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutRedirect }},
	{"\t# output MLD query~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutMldquery }},
	{"\t# output MLD report~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutMldreport }},
	{"\t# output MLD done~", func(s *abi.Icmp6Ifstat) uint64 { return s.OutMlddone }},
}
