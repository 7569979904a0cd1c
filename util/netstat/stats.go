package netstat

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// statistics are a protocol's counters and how they are printed.
type statistics struct {
	out        io.Writer
	counters   []uint64
	brief      bool           // leave out those that are 0
	interfaces map[int]string // names by index
}

// readCounters reads an array of uint64.
func readCounters(b []byte) []uint64 {
	c := make([]uint64, len(b)/8)
	for i := range c {
		c[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return c
}

// at is a counter, 0 for one that the kernel does not have.
func (s *statistics) at(i int) uint64 {
	if i < 0 || i >= len(s.counters) {
		return 0
	}
	return s.counters[i]
}

// item is a line of statistics, or several.
type item interface {
	print(s *statistics)
}

// count is a line with numbers. In the text # stands for the next number, and after it ~ for "s", ^ for "es", | for "ies", unless the number is 1:
// for nothing then, or "y" for |.
type count struct {
	text  string
	stats []int
}

// n is a count of these counters.
func n(text string, stats ...int) count { return count{text, stats} }

// wanted says whether the line is to be printed.
func (c count) wanted(s *statistics) bool {
	for _, i := range c.stats {
		if s.at(i) != 0 {
			return true
		}
	}
	return !s.brief
}

func (c count) print(s *statistics) {
	if c.wanted(s) {
		values := make([]uint64, len(c.stats))
		for i, stat := range c.stats {
			values[i] = s.at(stat)
		}
		fmt.Fprintln(s.out, fill(c.text, values...))
	}
}

// endings are what the marks for endings stand for: one, and all other numbers.
var endings = map[byte][2]string{'~': {"", "s"}, '^': {"", "es"}, '|': {"y", "ies"}}

// fill puts numbers and endings into a text.
func fill(text string, values ...uint64) string {
	var b strings.Builder
	last := uint64(0)
	for i := range len(text) {
		ending, marked := endings[text[i]]
		switch {
		case text[i] == '#' && len(values) > 0:
			last, values = values[0], values[1:]
			b.WriteString(strconv.FormatUint(last, 10))
		case marked && last == 1:
			b.WriteString(ending[0])
		case marked:
			b.WriteString(ending[1])
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// and is a line of two counts, the second of which may be left out.
type and struct{ first, second count }

func (a and) print(s *statistics) {
	if !a.first.wanted(s) && !a.second.wanted(s) {
		return
	}
	text := fill(a.first.text, s.at(a.first.stats[0]))
	if a.second.wanted(s) {
		text += fill(a.second.text, s.at(a.second.stats[0]))
	}
	fmt.Fprintln(s.out, text)
}

// heading is a line without numbers.
type heading string

func (h heading) print(s *statistics) { fmt.Fprintln(s.out, string(h)) }

// rest is how many of the packets of a counter are in none of the others: those that were delivered.
type rest struct {
	all    int
	others []int
}

func (r rest) print(s *statistics) {
	left := s.at(r.all)
	for _, i := range r.others {
		left -= s.at(i)
	}
	if left != 0 || !s.brief {
		fmt.Fprintf(s.out, "\t%d delivered\n", left)
	}
}

// histogram is a row of counters, of which those are printed that are not 0.
type histogram struct {
	title    string
	first, n int
	name     func(i int) string
}

func (h histogram) print(s *statistics) {
	titled := false
	for i := range h.n {
		v := s.at(h.first + i)
		if v == 0 {
			continue
		}
		if !titled {
			fmt.Fprintf(s.out, "\t%s\n", h.title)
			titled = true
		}
		fmt.Fprintf(s.out, "\t\t%s: %d\n", h.name(i), v)
	}
}

// lengths is a row of counters by the index of an interface.
type lengths struct {
	title    string
	first, n int
}

func (l lengths) print(s *statistics) {
	titled := false
	for i := range l.n {
		v := s.at(l.first + i)
		if v == 0 {
			continue
		}
		if !titled {
			fmt.Fprintln(s.out, l.title)
			titled = true
		}
		name, ok := s.interfaces[i]
		if !ok {
			name = "#" + strconv.Itoa(i)
		}
		fmt.Fprintf(s.out, "\t\t\t%s = %d\n", name, v)
	}
}

// scopes is a row of counters by the scope of addresses (RFC 4291, 2.7).
type scopes struct {
	title string
	first int
}

// scopeTexts are the scopes that have names.
var scopeTexts = map[int]string{1: "# node-local~", 2: "# link-local~", 5: "# site-local~", 14: "# global~"}

func (sc scopes) print(s *statistics) {
	titled := false
	for i := range 16 {
		v := s.at(sc.first + i)
		if v == 0 {
			continue
		}
		if !titled {
			fmt.Fprintf(s.out, "\t%s\n", sc.title)
			titled = true
		}
		text, ok := scopeTexts[i]
		if !ok {
			text = fmt.Sprintf("# addresses scope=%x", i)
		}
		fmt.Fprintf(s.out, "\t\t%s\n", fill(text, v))
	}
}

// icmpNames are the types of ICMP messages, RFC 792 and IANA's list, as netinet/ip_icmp.h words them.
var icmpNames = map[int]string{
	0: "echoreply", 1: "unassigned_1", 2: "unassigned_2", 3: "unreach", 4: "sourcequench", 5: "redirect", 6: "althostaddr", 7: "unassigned_7",
	8: "echo", 9: "routeradvert", 10: "routersolicit", 11: "timxceed", 12: "paramprob", 13: "tstamp", 14: "tstampreply", 15: "ireq",
	16: "ireqreply", 17: "maskreq", 18: "maskreply", 30: "traceroute", 31: "dataconverr", 32: "mobile_redirect", 33: "ipv6_whereareyou",
	34: "ipv6_iamhere", 35: "mobile_regrequest", 36: "mobile_regreply", 39: "skip", 40: "photuris",
}

func icmpName(i int) string {
	if name := icmpNames[i]; name != "" {
		return name
	}
	return "reserved_" + strconv.Itoa(i)
}

// icmp6Names are the types of ICMPv6 messages.
var icmp6Names = map[int]string{
	1: "unreach", 2: "packet too big", 3: "time exceed", 4: "parameter problem", 128: "echo", 129: "echo reply", 130: "multicast listener query",
	131: "multicast listener report", 132: "multicast listener done", 133: "router solicitation", 134: "router advertisement",
	135: "neighbor solicitation", 136: "neighbor advertisement", 137: "redirect", 138: "router renumbering",
	139: "node information request", 140: "node information reply",
}

func icmp6Name(i int) string { return numbered(icmp6Names, i) }

// nextHeaders are the protocols that may follow a header of IPv6.
var nextHeaders = map[int]string{
	0: "hop by hop", 1: "ICMP", 2: "IGMP", 4: "IP", 6: "TCP", 17: "UDP", 22: "IDP", 41: "IP6", 43: "routing", 44: "fragment", 50: "ESP", 51: "AH",
	58: "ICMP6", 59: "no next header", 60: "destination option", 89: "OSPF", 97: "Ethernet", 103: "PIM", 132: "SCTP",
}

func nextHeaderName(i int) string { return numbered(nextHeaders, i) }

// numbered is a name, or the number where there is none.
func numbered(names map[int]string, i int) string {
	if name := names[i]; name != "" {
		return name
	}
	return "#" + strconv.Itoa(i)
}
