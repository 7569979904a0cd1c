package dissect

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	dnsHeaderLen = 12
	maxRecords   = 100 // of a section that are shown
)

// dns prints a message; it says whether it is one that it can read.
func (p *Printer) dns(k packet) bool {
	if len(k.data) < dnsHeaderLen || len(k.data) < k.length {
		return false
	}
	var parser dnsmessage.Parser
	h, err := parser.Start(k.data)
	if err != nil || h.OpCode != 0 {
		return false
	}
	counts := [4]int{}
	for i := range counts {
		counts[i] = int(be.Uint16(k.data[4+2*i:]))
	}
	var text string
	var ok bool
	if h.Response {
		text, ok = p.dnsAnswer(&parser, &h, counts)
	} else {
		text, ok = p.dnsQuery(&parser, &h, counts)
	}
	if !ok {
		return false
	}
	p.printf("%d%s (%d)", h.ID, text, k.length)
	return true
}

func dnsType(t dnsmessage.Type) string {
	if t == dnsmessage.TypeALL {
		return "ANY"
	}
	if s, ok := strings.CutPrefix(t.String(), "Type"); ok {
		return s
	}
	return fmt.Sprintf("Type%d", t)
}

func dnsQuestions(parser *dnsmessage.Parser) (string, bool) {
	list, err := parser.AllQuestions()
	if err != nil {
		return "", false
	}
	var s strings.Builder
	for i, q := range list {
		if i > 0 {
			s.WriteString(", ")
		} else {
			s.WriteByte(' ')
		}
		s.WriteString(dnsType(q.Type))
		if q.Class != dnsmessage.ClassINET {
			fmt.Fprintf(&s, " (class %d)", q.Class)
		}
		s.WriteString("? " + q.Name.String())
	}
	return s.String(), true
}

func (p *Printer) dnsQuery(parser *dnsmessage.Parser, h *dnsmessage.Header, counts [4]int) (string, bool) {
	flags := ""
	if h.RecursionDesired {
		flags = "+"
	}
	if h.CheckingDisabled {
		flags += "%"
	}
	for i, letter := range []string{"q", "a", "n", "au"} {
		if counts[i] > 0 && (i > 0 || counts[i] > 1) {
			flags += fmt.Sprintf(" [%d%s]", counts[i], letter)
		}
	}
	q, ok := dnsQuestions(parser)
	return flags + q, ok
}

// rcodes are how tcpdump calls what went wrong.
var rcodes = map[dnsmessage.RCode]string{
	0: "", 1: " FormErr", 2: " ServFail", 3: " NXDomain", 4: " NotImp", 5: " Refused", 6: " YXDomain", 7: " YXRRSet", 8: " NXRRSet", 9: " NotAuth", 10: " NotZone",
}

func (p *Printer) dnsAnswer(parser *dnsmessage.Parser, h *dnsmessage.Header, counts [4]int) (string, bool) {
	rcode, known := rcodes[h.RCode]
	if !known {
		rcode = fmt.Sprintf(" Resp%d", h.RCode)
	}
	text := rcode
	for _, f := range []struct {
		on   bool
		mark string
	}{{h.Authoritative, "*"}, {!h.RecursionAvailable, "-"}, {h.Truncated, "|"}, {h.AuthenticData, "$"}} {
		if f.on {
			text += f.mark
		}
	}
	if counts[0] != 1 {
		text += fmt.Sprintf(" [%dq]", counts[0])
	}
	questions, ok := dnsQuestions(parser)
	if !ok {
		return "", false
	}
	if p.Verbose > 1 {
		text += " q:" + questions
	}
	text += fmt.Sprintf(" %d/%d/%d", counts[1], counts[2], counts[3])
	sections := []struct {
		name string
		next func() (dnsmessage.Resource, error)
		show bool
	}{{"", parser.Answer, true}, {" ns:", parser.Authority, p.Verbose > 0}, {" ar:", parser.Additional, p.Verbose > 0}}
	for _, s := range sections {
		records, ok := p.dnsRecords(s.next)
		if !ok {
			return "", false
		}
		if s.show && records != "" {
			text += s.name + records
		}
	}
	return text, true
}

// dnsRecords is a section.
func (p *Printer) dnsRecords(next func() (dnsmessage.Resource, error)) (string, bool) {
	var list []string
	for {
		r, err := next()
		if err == dnsmessage.ErrSectionDone {
			break
		}
		if err != nil {
			return "", false
		}
		if len(list) < maxRecords {
			list = append(list, " "+p.dnsRecord(&r))
		}
	}
	return strings.Join(list, ","), true
}

func (p *Printer) dnsRecord(r *dnsmessage.Resource) string {
	text := dnsType(r.Header.Type)
	if body := p.dnsBody(r.Body); body != "" {
		text += " " + body
	}
	if r.Header.Type == dnsmessage.TypeOPT {
		return ". " + text + fmt.Sprintf(" UDPsize=%d", r.Header.Class)
	}
	if p.Verbose > 0 {
		ttl := ""
		if p.Verbose > 2 {
			ttl = " [" + dnsTTL(r.Header.TTL) + "]"
		}
		text = r.Header.Name.String() + ttl + " " + text
	}
	return text
}

// dnsTTL is a time to live in weeks, days, hours, minutes and seconds.
func dnsTTL(s uint32) string {
	var text string
	for _, u := range []struct {
		seconds uint32
		name    string
	}{{604800, "w"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}} {
		if n := s / u.seconds; n > 0 || u.seconds == 1 && text == "" {
			text += fmt.Sprint(n) + u.name
		}
		s %= u.seconds
	}
	return text
}

// dnsBody is what a record says.
func (p *Printer) dnsBody(body dnsmessage.ResourceBody) string {
	switch b := body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(b.AAAA).String()
	case *dnsmessage.CNAMEResource:
		return b.CNAME.String()
	case *dnsmessage.NSResource:
		return b.NS.String()
	case *dnsmessage.PTRResource:
		return b.PTR.String()
	case *dnsmessage.MXResource:
		return fmt.Sprintf("%s %d", b.MX, b.Pref)
	case *dnsmessage.SRVResource:
		return fmt.Sprintf("%s:%d %d %d", b.Target, b.Port, b.Priority, b.Weight)
	case *dnsmessage.TXTResource:
		return `"` + strings.Join(b.TXT, `" "`) + `"`
	}
	return ""
}
