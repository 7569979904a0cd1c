package bpfexpr

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/ondisk/pcap"
	"github.com/rumpctrl/rumpctrl/util/tcpdump/frametest"
)

// expressions are compared with tcpdump's.
var expressions = []string{
	"", "ip", "ip6", "arp", "rarp", "tcp", "udp", "icmp", "icmp6", "igmp", "sctp",
	"host 10.1.1.1", "src 10.1.1.1", "dst host 10.1.1.1", "src host 10.1.1.1 and dst host 10.1.1.2", "src and dst 10.1.1.1",
	"src or dst 10.1.1.1", "ip host 10.1.1.2", "arp host 10.1.1.2", "rarp src host 10.1.1.2", "host fe80::1", "ip6 host 2001:db8::2",
	"src host 2001:db8::2", "dst ff02::1", "host 10.1.1.1 or fe80::1", "not host 10.1.1.1", "! ip",
	"net 10", "net 10.1", "net 10.1.0.0/16", "net 10.1.1.0 mask 255.255.255.0", "src net 224.0.0.0/4", "dst net 224", "src net 10.0.0.0/8",
	"net 2001:db8::/32", "dst net ff00::/8", "src net fe80::/10", "net 0.0.0.0/0", "arp net 10.1.1",
	"port 53", "tcp port 5001", "udp port 53", "src port 1234", "udp dst port 5678", "dst port 49152", "src or dst port 5001", "src and dst port 1",
	"portrange 1000-2000", "udp portrange 5000-5700", "tcp src portrange 5001-5001", "port domain", "udp port domain",
	"ip proto 17", "ip proto \\tcp", "ip6 proto 58", "proto 2", "proto \\udp", "ether proto 0x0806", "ether proto \\ip6", "ip6 proto \\udp",
	"ether host 02:00:00:00:00:01", "ether src 2:0:0:0:0:2", "ether dst ff:ff:ff:ff:ff:ff", "ether broadcast", "broadcast", "ether multicast",
	"multicast", "ip multicast", "ip6 multicast", "not ether multicast and ip",
	"less 60", "greater 100", "len > 1000", "len <= 42", "len = 60", "len != 60", "len - 14 > 100",
	"tcp or udp and port 53", "tcp or (udp and port 53)", "tcp and port 5001 or arp", "not tcp and not udp and ip", "not (tcp or udp) and ip",
	"tcp && port 5001 || arp", "port 53 or 5678", "host 10.1.1.1 and 10.1.1.2 and udp",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[13] = 2", "tcp[tcpflags] == tcp-syn|tcp-ack", "tcp[0:2] > 5000", "ip[6:2] & 0x1fff != 0",
	"ip[0] & 0xf != 5", "icmp[icmptype] = icmp-echo", "icmp[icmptype] != icmp-echo and icmp[0] != icmp-echoreply", "icmp6[icmp6type] = icmp6-neighborsolicit",
	"ip6[6] = 58", "ether[0] & 1 = 0", "ether[12:2] = 0x806", "udp[4:2] > 100", "arp[6:2] = 1", "ip[2:2] = len - 14", "(ip[2:2] + 14) = len",
	"ip[(ip[0] & 0xf) * 4] = 8", "ip[ip[0] & 0xf] > 0", "tcp[(tcp[12] >> 4) * 4] = 104", "((tcp[13] & 2) != 0 or arp)",
	"ip[8] * 2 > 100", "ip[8] / 2 < 10", "ip[8] % 16 = 0", "(ip[0] ^ 0x45) = 0", "1 < ip[8]", "ip[1] << 4 = 0x100", "2 * 3 = 6", "ip[8] - 64 = 0",
	"igmp[0] = 0x16", "ip[12:4] = 0x0a010101", "ip[8] & 0x40 | 1 = 65", "ether[6:4] + ether[8:2] > 5",
}

// capture is the corpus as a file.
func capture(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcap.NewWriter(&b, 65535, pcap.LinkEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frametest.Corpus() {
		p := pcap.Packet{Time: time.Unix(int64(i), 0), Len: len(f.Data), Data: f.Data}
		if err := w.Write(&p); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

var services = map[string]int{"domain": 53}

func compile(expr string) (*Filter, error) {
	return Compile(expr, Config{Snaplen: 65535, LookupPort: func(_, name string) (int, error) {
		if n, ok := services[name]; ok {
			return n, nil
		}
		return 0, fmt.Errorf("%s: no service", name)
	}})
}

// Oracle: tcpdump(8) with the same expression on the same frames.
func TestAgainstTcpdump(t *testing.T) {
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed: what expressions select is not compared with it")
	}
	file := capture(t)
	for _, expr := range expressions {
		f, err := compile(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		cmd := exec.Command(tcpdump, "-tt", "-n", "-q", "-r", "-", expr)
		cmd.Stdin = bytes.NewReader(file)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("tcpdump %s: %v", expr, err)
			continue
		}
		want := map[string]bool{}
		for line := range strings.Lines(string(out)) {
			if at, _, ok := strings.Cut(line, ".000000 "); ok {
				want[at] = true
			}
		}
		for i, frame := range frametest.Corpus() {
			if got := f.Match(frame.Data, len(frame.Data)); got != want[fmt.Sprint(i)] {
				t.Errorf("%s: frame %d, %s: %v", expr, i, frame.Name, got)
			}
		}
	}
}
