package hostaddr

import "strconv"

// services are the names of ports that services(5) has for TCP and UDP alike, by IANA's list.
var services = map[uint16]string{
	1: "tcpmux", 7: "echo", 9: "discard", 11: "systat", 13: "daytime", 17: "qotd", 19: "chargen", 20: "ftp-data", 21: "ftp", 22: "ssh",
	23: "telnet", 25: "smtp", 37: "time", 43: "whois", 49: "tacacs", 53: "domain", 67: "bootps", 68: "bootpc", 69: "tftp", 70: "gopher",
	79: "finger", 80: "http", 88: "kerberos", 110: "pop3", 111: "sunrpc", 113: "auth", 119: "nntp", 123: "ntp", 137: "netbios-ns",
	138: "netbios-dgm", 139: "netbios-ssn", 143: "imap", 161: "snmp", 162: "snmp-trap", 179: "bgp", 194: "irc", 389: "ldap", 443: "https",
	445: "microsoft-ds", 500: "isakmp", 546: "dhcpv6-client", 547: "dhcpv6-server", 554: "rtsp", 563: "nntps", 631: "ipp", 636: "ldaps",
	873: "rsync", 993: "imaps", 995: "pop3s", 1080: "socks", 1194: "openvpn", 2049: "nfsd", 3260: "iscsi-target", 3306: "mysql", 5060: "sip",
	5353: "mdns", 5432: "postgresql", 5900: "rfb", 6000: "x11",
}

// datagram and stream are the ports that are another service, or one at all, for UDP or TCP alone.
var (
	datagram = map[uint16]string{512: "biff", 513: "who", 514: "syslog", 520: "route", 521: "ripng"}
	stream   = map[uint16]string{512: "exec", 513: "login", 514: "shell", 515: "printer"}
)

// Service is the name of a port, or the port in numbers where it has none or numeric is set; "*" for port 0.
func Service(port uint16, udp, numeric bool) string {
	if port == 0 {
		return "*"
	}
	if !numeric {
		own := stream
		if udp {
			own = datagram
		}
		for _, table := range []map[uint16]string{own, services} {
			if name := table[port]; name != "" {
				return name
			}
		}
	}
	return strconv.Itoa(int(port))
}

// Port is the port that a service's name means for either protocol.
func Port(name string) (uint16, bool) {
	for _, table := range []map[uint16]string{services, stream, datagram} {
		for port, n := range table {
			if n == name {
				return port, true
			}
		}
	}
	return 0, false
}
