package inet

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// rows4 are the ints of net.inet, with their numbers and first values as NetBSD 7.99.34 has them; but source routes are never followed here.
var rows4 = []sysctlRow{
	{"net.inet.ip.forwarding", abi.IPCTL_FORWARDING, 1, 0, 1, nil},
	{"net.inet.ip.redirect", abi.IPCTL_SENDREDIRECTS, 1, 0, 1, nil},
	{"net.inet.ip.ttl", abi.IPCTL_DEFTTL, 64, 1, 255, nil},
	{"net.inet.ip.forwsrcrt", abi.IPCTL_FORWSRCRT, 0, 0, 0, nil},
	{"net.inet.ip.directed-broadcast", abi.IPCTL_DIRECTEDBCAST, 0, 0, 1, nil},
	{"net.inet.ip.allowsrcrt", abi.IPCTL_ALLOWSRCRT, 0, 0, 0, nil},
	{"net.inet.ip.subnetsarelocal", abi.IPCTL_SUBNETSARELOCAL, 1, 0, 0, nil},
	{"net.inet.ip.mtudisc", abi.IPCTL_MTUDISC, 1, 0, 1, nil},
	{"net.inet.ip.anonportmin", abi.IPCTL_ANONPORTMIN, 49152, 1024, 65535, portBound("net.inet.ip.anonportmax", true)},
	{"net.inet.ip.anonportmax", abi.IPCTL_ANONPORTMAX, 65535, 1024, 65535, portBound("net.inet.ip.anonportmin", false)},
	{"net.inet.ip.mtudisctimeout", abi.IPCTL_MTUDISCTIMEOUT, 600, 0, 0, nil},
	{"net.inet.ip.maxflows", abi.IPCTL_MAXFLOWS, 256, 0, 0, nil},
	{"net.inet.ip.hostzerobroadcast", abi.IPCTL_HOSTZEROBROADCAST, 0, 0, 1, nil},
	{"net.inet.ip.gifttl", abi.IPCTL_GIF_TTL, 30, 1, 255, nil},
	{"net.inet.ip.lowportmin", abi.IPCTL_LOWPORTMIN, 600, 1, 1023, portBound("net.inet.ip.lowportmax", true)},
	{"net.inet.ip.lowportmax", abi.IPCTL_LOWPORTMAX, 1023, 1, 1023, portBound("net.inet.ip.lowportmin", false)},
	{"net.inet.ip.maxfragpackets", abi.IPCTL_MAXFRAGPACKETS, 200, 0, maxInt, nil},
	{"net.inet.ip.checkinterface", abi.IPCTL_CHECKINTERFACE, 0, 0, 1, nil},
	{"net.inet.ip.random_id", abi.IPCTL_RANDOMID, 0, 0, 1, nil},
	{"net.inet.ip.do_loopback_cksum", abi.IPCTL_LOOPBACKCKSUM, 0, 0, 0, nil},
	{"net.inet.ip.dad_count", abi.IPCTL_DAD_COUNT, 3, 0, maxInt, nil},
	{"net.inet.ip.hashsize", abi.CTL_CREATE, 64, 0, 0, nil},

	{"net.inet.icmp.maskrepl", abi.ICMPCTL_MASKREPL, 0, 0, 1, nil},
	{"net.inet.icmp.returndatabytes", abi.ICMPCTL_RETURNDATABYTES, 8, 8, 512, nil},
	{"net.inet.icmp.errppslimit", abi.ICMPCTL_ERRPPSLIMIT, 100, -1, maxInt, nil},
	{"net.inet.icmp.rediraccept", abi.ICMPCTL_REDIRACCEPT, 1, 0, 1, nil},
	{"net.inet.icmp.redirtimeout", abi.ICMPCTL_REDIRTIMEOUT, 600, 0, maxInt, nil},
	{"net.inet.icmp.bmcastecho", abi.ICMPCTL_BMCASTECHO, 0, 0, 1, nil},

	{"net.inet.udp.checksum", abi.UDPCTL_CHECKSUM, 1, 0, 0, nil},
	{"net.inet.udp.sendspace", abi.UDPCTL_SENDSPACE, 9216, 1, maxInt, nil},
	{"net.inet.udp.recvspace", abi.UDPCTL_RECVSPACE, 41600, 1, maxInt, nil},
	{"net.inet.udp.do_loopback_cksum", abi.UDPCTL_LOOPBACKCKSUM, 0, 0, 0, nil},

	{"net.inet.arp.keep", abi.CTL_CREATE, 1200, 1, maxInt, nil},
	{"net.inet.arp.down", abi.CTL_CREATE, 20, 1, maxInt, nil},
	{"net.inet.arp.log_movements", abi.CTL_CREATE, 1, 0, 1, nil},
	{"net.inet.arp.log_permanent_modify", abi.CTL_CREATE, 1, 0, 1, nil},
	{"net.inet.arp.log_wrong_iface", abi.CTL_CREATE, 1, 0, 1, nil},
	{"net.inet.arp.log_unknown_network", abi.CTL_CREATE, 1, 0, 1, nil},
	{"net.inet.arp.debug", abi.CTL_CREATE, 0, 0, 0, nil},
}

// tcpRows are the ints of net.inet.tcp and net.inet6.tcp6, which are the same variables. Those that can be written are looked at when a socket is
// made, or are options of the stack.
var tcpRows = []sysctlRow{
	{".rfc1323", abi.TCPCTL_RFC1323, 1, 0, 0, nil},
	{".sendspace", abi.TCPCTL_SENDSPACE, 32768, 1, maxInt, nil},
	{".recvspace", abi.TCPCTL_RECVSPACE, 32768, 1, maxInt, tcpRecvSpace(".recvbuf_max")},
	{".mssdflt", abi.TCPCTL_MSSDFLT, 536, 0, 0, nil},
	{".syn_cache_limit", abi.TCPCTL_SYN_CACHE_LIMIT, 10255, 0, 0, nil},
	{".syn_bucket_limit", abi.TCPCTL_SYN_BUCKET_LIMIT, 105, 0, 0, nil},
	{".init_win", abi.TCPCTL_INIT_WIN, 4, 0, 0, nil},
	{".mss_ifmtu", abi.TCPCTL_MSS_IFMTU, 0, 0, 0, nil},
	{".win_scale", abi.TCPCTL_WSCALE, 1, 0, 0, nil},
	{".timestamps", abi.TCPCTL_TSTAMP, 1, 0, 0, nil},
	{".compat_42", abi.TCPCTL_COMPAT_42, 0, 0, 0, nil},
	{".cwm", abi.TCPCTL_CWM, 0, 0, 0, nil},
	{".cwm_burstsize", abi.TCPCTL_CWM_BURSTSIZE, 4, 0, 0, nil},
	{".ack_on_push", abi.TCPCTL_ACK_ON_PUSH, 0, 0, 0, nil},
	{".keepidle", abi.TCPCTL_KEEPIDLE, 14400, 1, maxInt, nil},
	{".keepintvl", abi.TCPCTL_KEEPINTVL, 150, 1, maxInt, nil},
	{".keepcnt", abi.TCPCTL_KEEPCNT, 8, 1, maxInt, nil},
	{".log_refused", abi.TCPCTL_LOG_REFUSED, 0, 0, 0, nil},
	{".rstppslimit", abi.TCPCTL_RSTPPSLIMIT, 100, 0, 0, nil},
	{".delack_ticks", abi.TCPCTL_DELACK_TICKS, 20, 0, 0, nil},
	{".init_win_local", abi.TCPCTL_INIT_WIN_LOCAL, 4, 0, 0, nil},
	{".do_loopback_cksum", abi.TCPCTL_LOOPBACKCKSUM, 0, 0, 0, nil},
	{".msl", abi.TCPCTL_MSL, 30, 0, 0, nil},
	{".minmss", abi.CTL_CREATE, 216, 0, 0, nil},
	{".keepinit", abi.CTL_CREATE, 150, 1, maxInt, nil},
	{".recvbuf_auto", abi.CTL_CREATE, 1, 0, 1, tcpOption(tcpModerate)},
	{".recvbuf_inc", abi.CTL_CREATE, 16384, 1, maxInt, nil},
	{".recvbuf_max", abi.CTL_CREATE, 262144, 1, maxInt, tcpRecvSpace(".recvspace")},
	{".sendbuf_auto", abi.CTL_CREATE, 1, 0, 1, nil},
	{".sendbuf_inc", abi.CTL_CREATE, 8192, 1, maxInt, nil},
	{".sendbuf_max", abi.CTL_CREATE, 262144, 1, maxInt, nil},
	{".ecn.enable", abi.CTL_CREATE, 0, 0, 0, nil},
	{".ecn.maxretries", abi.CTL_CREATE, 1, 0, 0, nil},
	{".sack.enable", abi.CTL_CREATE, 1, 0, 1, tcpOption(tcpSACK)},
	{".sack.maxholes", abi.CTL_CREATE, 32, 0, 0, nil},
	{".sack.globalmaxholes", abi.CTL_CREATE, 1024, 0, 0, nil},
	{".local_by_rtt", abi.CTL_CREATE, 0, 0, 0, nil},
	{".iss_hash", abi.CTL_CREATE, 0, 0, 0, nil},
	{".abc.enable", abi.CTL_CREATE, 1, 0, 0, nil},
	{".abc.aggressive", abi.CTL_CREATE, 1, 0, 0, nil},
	{".mslt.enable", abi.CTL_CREATE, 1, 0, 0, nil},
	{".mslt.loopback", abi.CTL_CREATE, 2, 1, maxInt, nil},
	{".mslt.local", abi.CTL_CREATE, 10, 0, 0, nil},
	{".mslt.remote", abi.CTL_CREATE, 60, 1, maxInt, nil},
	{".mslt.remote_threshold", abi.CTL_CREATE, 6, 0, 0, nil},
	{".vtw.enable", abi.CTL_CREATE, 0, 0, 0, nil},
}

// tcpDirs are the nodes in tcpRows that have others below them.
var tcpDirs = []kern.SysctlNode{
	dir(".sack", abi.TCPCTL_SACK, "selective acknowledgements"),
	dir(".ecn", abi.CTL_CREATE, "explicit congestion notification"),
	dir(".abc", abi.CTL_CREATE, "appropriate byte counting"),
	dir(".mslt", abi.CTL_CREATE, "maximum segment lifetimes"),
	dir(".vtw", abi.CTL_CREATE, "vestigial TIME_WAIT"),
}

// tcpNodes are the nodes below net.inet.tcp or net.inet6.tcp6: in both the same variables.
func (in *Inet) tcpNodes(path string) []kern.SysctlNode {
	var nodes []kern.SysctlNode
	for _, d := range tcpDirs {
		d.Path = path + d.Path
		nodes = append(nodes, d)
	}
	for i := range tcpRows {
		n := in.intNode(&sysctlRow{path: tcpPath + tcpRows[i].path, num: tcpRows[i].num, lo: tcpRows[i].lo, hi: tcpRows[i].hi, set: tcpRows[i].set})
		n.Path = path + tcpRows[i].path
		nodes = append(nodes, n)
	}
	nodes = append(nodes,
		kern.SysctlNode{Path: path + ".slowhz", Num: abi.TCPCTL_SLOWHZ, Flags: abi.CTLFLAG_PERMANENT, Value: kern.SysctlConst(2)},
		readInt(path+".sack.globalholes", abi.CTL_CREATE, func() int32 { return 0 }),
		readInt(path+".vtw.entries", abi.CTL_CREATE, func() int32 { return 16 }))
	nodes = append(nodes, congctl(path+".congctl", in)...)
	return append(nodes, counters(path+".stats", abi.TCPCTL_STATS, &in.Stats.TCP, in.refreshTCP))
}

// Numbers below net.inet.ip.ifq, IFQCTL_*.
const (
	ifqLen    = 1
	ifqMaxlen = 2
	ifqDrops  = 4
)

const tcpPath = "net.inet.tcp"

// nodes4 are all nodes of net.inet.
func nodes4(in *Inet) []kern.SysctlNode {
	nodes := []kern.SysctlNode{
		dir("net.inet", abi.PF_INET, "PF_INET related settings"),
		dir("net.inet.ip", abi.IPPROTO_IP, "IPv4 related settings"),
		dir("net.inet.icmp", abi.IPPROTO_ICMP, "ICMPv4 related settings"),
		dir("net.inet.igmp", abi.IPPROTO_IGMP, "Internet Group Management Protocol"),
		dir(tcpPath, abi.IPPROTO_TCP, "TCP related settings"),
		dir("net.inet.udp", abi.IPPROTO_UDP, "UDPv4 related settings"),
		dir("net.inet.arp", abi.CTL_CREATE, "Address Resolution Protocol"),
		dir("net.inet.multicast", abi.CTL_CREATE, "multicast addresses"),
		dir("net.inet.ip.ifq", abi.IPCTL_IFQ, "the input queue of IPv4: there is none, interfaces do the work"),
		readInt("net.inet.ip.ifq.len", ifqLen, func() int32 { return 0 }),
		readInt("net.inet.ip.ifq.maxlen", ifqMaxlen, func() int32 { return 0 }),
		readInt("net.inet.ip.ifq.drops", ifqDrops, func() int32 { return 0 }),
		counters("net.inet.ip.stats", abi.IPCTL_STATS, &in.Stats.IP, nil),
		counters("net.inet.icmp.stats", abi.ICMPCTL_STATS, &in.Stats.ICMP, nil),
		counters("net.inet.igmp.stats", abi.CTL_CREATE, &in.Stats.IGMP, nil),
		counters("net.inet.udp.stats", abi.UDPCTL_STATS, &in.Stats.UDP, nil),
		counters("net.inet.arp.stats", abi.CTL_CREATE, &in.Stats.ARP, nil),
	}
	for i := range rows4 {
		nodes = append(nodes, in.intNode(&rows4[i]))
	}
	nodes = append(nodes, portalgo("net.inet.ip.anonportalgo")...)
	return append(nodes, in.tcpNodes(tcpPath)...)
}
