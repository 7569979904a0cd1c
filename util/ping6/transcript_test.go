package ping6_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/ping6"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const (
	head = "PING6(56=40+8+8 bytes) ::1 --> ::1\n"
	line = "16 bytes from ::1, icmp_seq=N hlim=64 <ms>\n"
)

func at(n string) string { return strings.Replace(line, "N", n, 1) }

func stats(n string) string {
	return "\n--- ::1 ping6 statistics ---\n" + n + " packets transmitted, " + n +
		" packets received, 0.0% packet loss\nround-trip min/avg/max/std-dev <ms>\n"
}

// Oracle: the transcript net-02, what of it is about ping6; -c 3 as the manual page has it.
func TestTranscript(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet6")
	k.Check([]utiltest.Step{
		{Cmd: "ping6 -c 1 ::1", Out: head + at("0") + stats("1")},
		{Cmd: "ping6 -n -c 1 2001:db8::99", Status: 1, Out: "ping6: UDP connect: No route to host\n"},
		{Cmd: "ping6 -c 3 -i 0.01 -x 60000 ::1", Out: head + at("0") + at("1") + at("2") + stats("3")},
		{Cmd: "ping6 -o ::1", Out: head + at("0") + stats("1")},
		{Cmd: "ping6 -c 5 -o ::1", Out: head + at("0") + stats("1")},
		{Cmd: "ping6", Status: 1, Out: strings.Join(ping6.Utility.Usage, "\n") + "\n"},
	})
}

// Oracle: ping6(8): options, and complaints about their arguments.
func TestOptions(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet6")
	quiet := func(n string) string { return strings.Replace(head, "56=40+8+8", n, 1) }
	k.Check([]utiltest.Step{
		{Cmd: "ping6 -q -c 2 -l 1 -i 0.01 -x 60000 ::1", Out: head + stats("2")},
		{Cmd: "ping6 -q -c 1 -s 9000 -b 20000 ::1", Out: quiet("9048=40+8+9000") + stats("1")},
		{Cmd: "ping6 -q -c 1 -m -s 4000 ::1", Out: quiet("4048=40+8+4000") + stats("1")},
		{Cmd: "ping6 -q -c 1 -s 2 -mm ::1", Out: quiet("50=40+8+2") + strings.TrimSuffix(stats("1"), "round-trip min/avg/max/std-dev <ms>\n")},
		{Cmd: "ping6 -c 1 -s 16 -p a5f ::1", Out: "PATTERN: 0xa50f\n" + quiet("64=40+8+16") + strings.Replace(at("0"), "16 bytes", "24 bytes", 1) + stats("1")},
		{Cmd: "ping6 -c 1 -h 3 -I lo0 -S ::1 -x 60000 -X 60 -d -n ::1", Out: head + at("0") + stats("1")},
		{Cmd: "sysctl -qw net.inet6.icmp6.nodeinfo=0"},
		{Cmd: "ping6 -c 1 -X 0.3 -w ::1", Status: 1, Out: "PING6(72=40+8+24 bytes) ::1 --> ::1\n\n--- ::1 ping6 statistics ---\n" +
			"1 packets transmitted, 0 packets received, 100.0% packet loss\n"},
		{Cmd: "ping6 -c 0 ::1", Status: 1, Out: "ping6: illegal number of packets -- 0\n"},
		{Cmd: "ping6 -h 256 ::1", Status: 1, Out: "ping6: illegal hoplimit -- 256\n"},
		{Cmd: "ping6 -i x ::1", Status: 1, Out: "ping6: illegal timing interval x\n"},
		{Cmd: "ping6 -f -i 1 ::1", Status: 1, Out: "ping6: -f and -i incompatible options\n"},
		{Cmd: "ping6 -s 65488 ::1", Status: 1, Out: "ping6: datalen value too large, maximum is 65487\n"},
		{Cmd: "ping6 -p xyz ::1", Status: 1, Out: "ping6: patterns must be specified as hex digits\n"},
		{Cmd: "ping6 -P in ::1", Status: 1, Out: "ping6: -P: IPsec is not supported\n"},
		{Cmd: "ping6 -R ::1", Status: 1, Out: "ping6: -R is not supported in this configuration\n"},
		{Cmd: "ping6 -I nif0 ::1", Status: 1, Out: "ping6: nif0: invalid interface name\n"},
		{Cmd: "ping6 -S 1.2.3.4 ::1", Status: 1, Out: "ping6: invalid source address: hostname nor servname provided, or not known\n"},
		{Cmd: "ping6 -g ::1 ::1", Status: 1, Out: "ping6: setsockopt(IPV6_NEXTHOP): Operation not supported\n"},
		{Cmd: "ping6 ::2 ::1", Status: 1, Out: "ping6: setsockopt(IPV6_RTHDR): Operation not supported\n"},
		{Cmd: "ping6 'no host'", Status: 1, Out: "ping6: hostname nor servname provided, or not known\n"},
		{Cmd: "ping6 -x 0 ::1", Status: 1, Out: "ping6: Bad/invalid maxwait time: 0\n"},
		{Cmd: "ping6 -a z ::1", Status: 1, Out: strings.Join(ping6.Utility.Usage, "\n") + "\n"},
	})
}

// Oracle: ping6(8): the super-user alone may flood, preload and send more often than once a second.
func TestUser(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet6")
	for cmd, want := range map[string]string{
		"ping6 -f ::1": "Must be superuser to flood ping", "ping6 -l 1 ::1": "Must be superuser to preload",
		"ping6 -i 0.5 ::1": "Operation not permitted: only root may use interval < 1s",
	} {
		var out strings.Builder
		status := k.RunAs(context.Background(), 7, strings.NewReader(""), io.Discard, &out, strings.Fields(cmd)...)
		if status != 1 || out.String() != "ping6: "+want+"\n" {
			t.Errorf("%s: %q[%d]", cmd, out.String(), status)
		}
	}
}

// Oracle: ping6(8): an interrupt prints the statistics; a flood prints dots and takes them back.
func TestInterrupt(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet6")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := &utiltest.Until{Want: "icmp_seq=1 ", Seen: cancel}
	status := k.RunStreams(ctx, strings.NewReader(""), out, out, "ping6", "-i", "0.01", "::1")
	if status != 0 || !strings.Contains(out.String(), "ping6 statistics ---\n") {
		t.Errorf("status %d\n%s", status, out.String())
	}
	flood, status := k.Run("", "ping6", "-f", "-c", "50", "-x", "60000", "::1")
	if status != 0 || !strings.Contains(flood, "50 packets transmitted, 50 packets received, 0.0% packet loss") {
		t.Errorf("status %d\n%s", status, flood)
	}
}
