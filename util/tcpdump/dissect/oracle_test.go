package dissect

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/ondisk/pcap"
	"github.com/rumpctrl/rumpctrl/util/tcpdump/frametest"
)

// modes are options of tcpdump, and the same as Options.
var modes = []struct {
	args string
	with func(*Options)
}{
	{"", func(*Options) {}},
	{"-e", func(o *Options) { o.Link = true }},
	{"-q", func(o *Options) { o.Quiet = true }},
	{"-S", func(o *Options) { o.Absolute = true }},
	{"-e -q", func(o *Options) { o.Link, o.Quiet = true, true }},
	{"-v", func(o *Options) { o.Verbose = 1 }},
	{"-v -e", func(o *Options) { o.Verbose, o.Link = 1, true }},
	{"-v -v", func(o *Options) { o.Verbose = 2 }},
}

// otherwise are frames whose text is another than tcpdump's, with its beginning and the reason.
var otherwise = map[string]string{
	"arp of no known operation": "Unknown (77), length 46",                  // no dump of what is said already
	"unreachable protocol":      "ip-proto-132 8",                           // SCTP is not put into words, for which -v has tcpdump look
	"bad option of TCP":         "options [[bad opt]], length 0",            // tcpdump leaves the line at that
	"unknown type of ICMPv6":    "unknown icmp6 type (99), length 8",        // no dump
	"unreachable, code 5":       "source address failed policy 2001:db8::2", // RFC 4443; tcpdump does not know it
	"unreachable, code 6":       "reject route to destination 2001:db8::2",  // as well
}

func newPrinter(with func(*Options)) *Printer {
	p := &Printer{Options: Numeric()}
	with(&p.Options)
	return p
}

// Oracle: tcpdump(8) -n on the same frames, each told by its second.
func TestAgainstTcpdump(t *testing.T) {
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed: the text of packets is not compared with it")
	}
	var file bytes.Buffer
	w, err := pcap.NewWriter(&file, 65535, pcap.LinkEthernet)
	if err != nil {
		t.Fatal(err)
	}
	corpus := frametest.Corpus()
	for i, f := range corpus {
		if err := w.Write(&pcap.Packet{Time: time.Unix(int64(1000000+i), 0), Len: len(f.Data), Data: f.Data}); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range modes {
		cmd := exec.Command(tcpdump, append(strings.Fields(mode.args), "-n", "-tt", "-r", "-")...)
		cmd.Stdin = bytes.NewReader(file.Bytes())
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split("\n"+string(out), "\n1000")[1:]
		if len(want) != len(corpus) {
			t.Fatalf("tcpdump printed %d packets of %d", len(want), len(corpus))
		}
		p := newPrinter(mode.with)
		for i, f := range corpus {
			text, _ := p.Packet(LinkEthernet, f.Data, len(f.Data))
			_, line, _ := strings.Cut(want[i], " ")
			if line = strings.TrimSuffix(line, "\n"); string(text) != line && (otherwise[f.Name] == "" || !strings.Contains(string(text), otherwise[f.Name])) {
				t.Errorf("%s, %s:\n%q, tcpdump has\n%q", f.Name, mode.args, text, line)
			}
		}
	}
}
