package ping_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/ping"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// Oracle: the transcript net-02, what of it is about ping.
func TestTranscript(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet6")
	line := "64 bytes from 127.0.0.1: icmp_seq=N ttl=255 <ms>\n"
	stats := func(n string) string {
		return "\n----127.0.0.1 PING Statistics----\n" + n + " packets transmitted, " + n +
			" packets received, 0.0% packet loss\nround-trip min/avg/max/stddev <ms>\n"
	}
	head := "PING 127.0.0.1 (127.0.0.1): 56 data bytes\n"
	at := func(n string) string { return strings.Replace(line, "N", n, 1) }
	k.Check([]utiltest.Step{
		{Cmd: "ping -c 1 127.0.0.1", Out: head + at("0") + stats("1")},
		{Cmd: "ping -o 127.0.0.1", Out: head + at("0") + stats("1")},
		{Cmd: "ping -c 3 -i 0.01 127.0.0.1", Out: head + at("0") + at("1") + at("2") + stats("3")},
		{Cmd: "ping -n -c 1 -s 1000 127.0.0.1", Out: "PING 127.0.0.1 (127.0.0.1): 1000 data bytes\n" +
			strings.Replace(at("0"), "64 bytes", "1008 bytes", 1) + stats("1")},
		{Cmd: "ping -q -c 2 -i 0.01 127.0.0.1", Out: head + stats("2")},
		{Cmd: "ping -c 1 -w 2 10.9.8.7", Status: 2, Out: "PING 10.9.8.7 (10.9.8.7): 56 data bytes\nping: sendto: No route to host\n\n" +
			"----10.9.8.7 PING Statistics----\n1 packets transmitted, 0 packets received, 100.0% packet loss\n"},
		{Cmd: "ping", Status: 1, Out: strings.Join(ping.Utility.Usage, "\n") + "\n"},
	})
}

// Oracle: ping(8): options, and complaints about their arguments.
func TestOptions(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet")
	k.Check([]utiltest.Step{
		{Cmd: "ping -q -c 1 -s 60000 127.0.0.1", Out: "PING 127.0.0.1 (127.0.0.1): 60000 data bytes\n\n----127.0.0.1 PING Statistics----\n" +
			"1 packets transmitted, 1 packets received, 0.0% packet loss\nround-trip min/avg/max/stddev <ms>\n"},
		{Cmd: "ping -q -s 4 -o -p a5 -T 3 -t 0x10 -D 127.0.0.1", Out: "PING 127.0.0.1 (127.0.0.1): 4 data bytes\n\n" +
			"----127.0.0.1 PING Statistics----\n1 packets transmitted, 1 packets received, 0.0% packet loss\n"},
		{Cmd: "ping -q -o -C -P -l 2 127.0.0.1", Out: "PING 127.0.0.1 (127.0.0.1): 56 data bytes\n\n----127.0.0.1 PING Statistics----\n" +
			"2 packets transmitted, 1 packets received, 50.0% packet loss\nround-trip min/avg/max/stddev <ms>\n"},
		{Cmd: "ping -c 0 127.0.0.1", Status: 1, Out: "ping: Bad/invalid number of packets: 0\n"},
		{Cmd: "ping -i x 127.0.0.1", Status: 1, Out: "ping: Bad/invalid interval: x\n"},
		{Cmd: "ping -s 65468 127.0.0.1", Status: 1, Out: "ping: packet size is too large\n"},
		{Cmd: "ping -P -p ff 127.0.0.1", Status: 1, Out: "ping: Only one of -P and -p allowed\n"},
		{Cmd: "ping -p xyz 127.0.0.1", Status: 1, Out: "ping: Patterns must be specified as hex digits\n"},
		{Cmd: "ping -E x 127.0.0.1", Status: 1, Out: "ping: -E: IPsec is not supported\n"},
		{Cmd: "ping 'no host'", Status: 1, Out: "ping: no host: unknown host\n"},
	})
	var out strings.Builder
	for _, args := range []string{"ping -f -c 1 127.0.0.1", "ping -i 0.5 127.0.0.1", "ping -l 1 127.0.0.1"} {
		if status := k.RunAs(context.Background(), 7, strings.NewReader(""), io.Discard, &out, strings.Fields(args)...); status != 1 {
			t.Errorf("%s as a user: status %d", args, status)
		}
	}
	if n := strings.Count(out.String(), "Must be superuser to use "); n != 3 {
		t.Errorf("complaints of a user:\n%s", out.String())
	}
}

// Oracle: ping(8): an interrupt prints the statistics.
func TestInterrupt(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := &utiltest.Until{Want: "icmp_seq=1 ", Seen: cancel}
	status := k.RunStreams(ctx, strings.NewReader(""), out, out, "ping", "-i", "0.01", "127.0.0.1")
	if status != 0 || !strings.Contains(out.String(), "PING Statistics----\n") {
		t.Errorf("status %d\n%s", status, out.String())
	}
}
