package tcpdump

import (
	"bufio"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/rumpctrl/rumpctrl/ondisk/pcap"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/tcpdump/dissect"
)

// printer prints packets.
type printer struct {
	s        *session
	out      *bufio.Writer
	words    dissect.Printer
	linkType int
	location *time.Location

	first, last time.Time
	names       map[netip.Addr]string
}

// services are the names of the most common ports: services(5) as far as it matters.
var services = map[uint16]string{
	20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 37: "time", 53: "domain", 67: "bootps", 68: "bootpc", 69: "tftp", 79: "finger", 80: "http", 88: "kerberos",
	110: "pop3", 111: "sunrpc", 113: "auth", 119: "nntp", 123: "ntp", 137: "netbios-ns", 138: "netbios-dgm", 139: "netbios-ssn", 143: "imap", 161: "snmp",
	162: "snmp-trap", 179: "bgp", 389: "ldap", 443: "https", 514: "syslog", 520: "route", 546: "dhcpv6-client", 547: "dhcpv6-server", 636: "ldaps", 853: "domain-s",
	993: "imaps", 995: "pop3s", 2049: "nfs", 5353: "mdns", 6000: "x11",
}

func newPrinter(s *session) *printer {
	linkType, order := s.src.link()
	p := &printer{s: s, out: bufio.NewWriter(s.env.Stdout), linkType: int(linkType), location: s.env.Location(), names: map[netip.Addr]string{}}
	o := dissect.Numeric()
	if !s.has('n') {
		o.Numeric, o.Host, o.Port = false, p.host, portName
	}
	o.Verbose, o.Quiet, o.Link, o.Absolute = s.given['v'], s.has('q'), s.has('e'), s.has('S')
	o.NoDump = s.has('x') || s.has('X') || s.has('A')
	p.words = dissect.Printer{Options: o, Order: order}
	return p
}

// maxNames bounds how many names are remembered.
const maxNames = 4096

// host is the name of an address.
func (p *printer) host(a netip.Addr) string {
	name, known := p.names[a]
	if !known {
		if len(p.names) >= maxNames {
			clear(p.names)
		}
		name = hostaddr.Name(p.s.ctx, a, false)
		p.names[a] = name
	}
	return name
}

func portName(_ string, port uint16) string {
	if name, ok := services[port]; ok {
		return name
	}
	return strconv.Itoa(int(port))
}

func (p *printer) packet(k *pcap.Packet) error {
	data := k.Data[:min(len(k.Data), int(p.s.snaplen))]
	p.timestamp(k.Time)
	text, payload := p.words.Packet(p.linkType, data, k.Len)
	p.out.Write(text) //nolint:errcheck // bufio remembers it
	p.out.WriteByte('\n')
	p.dump(data, min(payload, len(data)))
	if err := p.out.Flush(); err != nil {
		return err
	}
	if p.s.has('l') {
		return p.s.env.Flush()
	}
	return nil
}

// dump is what -A, -x and -X ask for. payload is where the network header begins.
func (p *printer) dump(data []byte, payload int) {
	given := &p.s.given
	switch {
	case given['X'] > 0:
		if given['X'] > 1 {
			payload = 0
		}
		p.out.Write(dissect.HexDump(data[payload:], true)) //nolint:errcheck // bufio remembers it
	case given['x'] > 0:
		if given['x'] > 1 {
			payload = 0
		}
		p.out.Write(dissect.HexDump(data[payload:], false)) //nolint:errcheck // bufio remembers it
	case given['A'] > 0:
		if given['A'] > 1 {
			payload = 0
		}
		p.out.Write(dissect.ASCII(data[payload:])) //nolint:errcheck // bufio remembers it
	}
}

// timestamp prints when a packet came, as -t says.
func (p *printer) timestamp(t time.Time) {
	if p.first.IsZero() {
		p.first, p.last = t, t
	}
	const clock = "15:04:05.000000 "
	switch p.s.given['t'] {
	case 0:
		p.out.WriteString(t.In(p.location).Format(clock))
	case 1:
	case 2:
		fmt.Fprintf(p.out, "%d.%06d ", t.Unix(), t.Nanosecond()/1000)
	case 3:
		p.out.WriteString(delta(t.Sub(p.last)))
		p.last = t
	case 4:
		p.out.WriteString(t.In(p.location).Format("2006-01-02 " + clock))
	default:
		p.out.WriteString(delta(t.Sub(p.first)))
	}
}

// delta is a time that has passed.
func delta(d time.Duration) string {
	sign := " "
	if d < 0 {
		sign, d = "-", -d
	}
	return fmt.Sprintf("%s%02d:%02d:%02d.%06d ", sign, int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60, d.Microseconds()%1e6)
}

func (p *printer) close() error { return p.out.Flush() }
