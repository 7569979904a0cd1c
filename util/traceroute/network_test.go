package traceroute_test

import (
	"context"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/kern/net/membus"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util/traceroute"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// network is three kernels in a line, as NetBSD's test t_traceroute has them: 1.2.3.4 and 2.3.4.5 with a router, 1.2.3.1 and 2.3.4.1, between
// them. The router's second network has a smaller MTU.
func network(t *testing.T) []*utiltest.Kernel {
	t.Helper()
	var buses membus.Buses
	ks := make([]*utiltest.Kernel, 3)
	for i := range ks {
		ks[i] = utiltest.Boot(t, rump.Config{Components: rump.With("rumpnet_netinet6", "rumpnet_shmif"), Buses: &buses})
		ks[i].Check([]utiltest.Step{{Cmd: "sysctl -qw net.inet6.ip6.dad_count=0"}})
	}
	join := func(k *utiltest.Kernel, ifname, bus, addr, addr6 string) {
		k.Check([]utiltest.Step{
			{Cmd: "ifconfig " + ifname + " create"},
			{Cmd: "ifconfig " + ifname + " linkstr mem:" + bus},
			{Cmd: "ifconfig " + ifname + " inet " + addr + " netmask 0xffffff00"},
			{Cmd: "ifconfig " + ifname + " inet6 " + addr6 + " prefixlen 64"},
		})
	}
	route := func(k *utiltest.Kernel, gw, gw6 string) {
		k.Check([]utiltest.Step{
			{Cmd: "route -q add default " + gw},
			{Cmd: "route -q add -inet6 default " + gw6},
		})
	}
	join(ks[0], "shmif0", "bus1", "1.2.3.4", "2001:db8:1::4")
	join(ks[1], "shmif0", "bus1", "1.2.3.1", "2001:db8:1::1")
	join(ks[1], "shmif1", "bus2", "2.3.4.1", "2001:db8:2::1")
	join(ks[2], "shmif0", "bus2", "2.3.4.5", "2001:db8:2::5")
	route(ks[0], "1.2.3.1", "2001:db8:1::1")
	route(ks[2], "2.3.4.1", "2001:db8:2::1")
	ks[1].Check([]utiltest.Step{
		{Cmd: "ifconfig shmif1 mtu 1000"},
		{Cmd: "sysctl -qw net.inet.ip.forwarding=1"},
		{Cmd: "sysctl -qw net.inet6.ip6.forwarding=1"},
	})
	return ks
}

var times = regexp.MustCompile(`\d+(\.\d+)?(e-\d+)? ms`)

// check runs a command, which may take its time, and compares what it prints, times left out.
func check(t *testing.T, k *utiltest.Kernel, cmd, want string) {
	t.Helper()
	args := strings.Fields(cmd)
	got, status := k.Run("", append([]string{args[0], "-w", "60"}, args[1:]...)...)
	if got = times.ReplaceAllString(got, "MS"); got != want || status != 0 {
		t.Errorf("$ %s\n%s[%d]\nwant:\n%s", cmd, got, status, want)
	}
}

const (
	route4 = " 1  1.2.3.1  MS  MS  MS\n 2  2.3.4.5  MS  MS  MS\n"
	route6 = " 1  2001:db8:1::1  MS  MS  MS\n 2  2001:db8:2::5  MS  MS  MS\n"
)

// Oracle: NetBSD's test t_traceroute (1.2.3.1, 2.3.4.5 and back, with UDP and with ICMP), and traceroute(8)'s text.
func TestRoute(t *testing.T) {
	ks := network(t)
	head := "traceroute to 2.3.4.5 (2.3.4.5), 64 hops max, 40 byte packets\n"
	check(t, ks[0], "traceroute -n 2.3.4.5", head+route4)
	check(t, ks[0], "traceroute -n -I 2.3.4.5", head+route4)
	check(t, ks[2], "traceroute -n 1.2.3.4", "traceroute to 1.2.3.4 (1.2.3.4), 64 hops max, 40 byte packets\n 1  2.3.4.1  MS  MS  MS\n 2  1.2.3.4  MS  MS  MS\n")
	for cmd, want := range map[string]string{
		"traceroute -n -x -d -M -q 1 -t 16 -z 1 -p 40000 2.3.4.5 200": "traceroute: ip checksums disabled\n" + strings.Replace(head, "40 byte", "200 byte", 1) +
			" 1  1.2.3.1  MS\n 2  2.3.4.5  MS\n",
		"traceroute -n -l -q 1 -s 1.2.3.4 -i shmif0 -m 9 -v 2.3.4.5": "traceroute to 2.3.4.5 (2.3.4.5) from 1.2.3.4, 9 hops max, 40 byte packets\n" +
			" 1  1.2.3.1 36 bytes to 1.2.3.4  MS (ttl = 255)\n 2  2.3.4.5 36 bytes to 1.2.3.4  MS (ttl = 254)\n",
		"traceroute -n -f 2 2.3.4.5":              head + " 2  2.3.4.5  MS  MS  MS\n",
		"traceroute -n -m 1 2.3.4.5":              strings.Replace(head, "64", "1", 1) + " 1  1.2.3.1  MS  MS  MS\n",
		"traceroute -n -q 1 -F -f 2 2.3.4.5 1200": strings.Replace(head, "40 byte", "1200 byte", 1) + " 2  1.2.3.1  MS !F-1000\n",
		"traceroute -n -q 1 -g 1.2.3.1 2.3.4.5":   strings.Replace(head, "40 byte", "48 byte", 1) + " 1  1.2.3.1  MS !S\n",
		"traceroute -n -q 1 -r 1.2.3.1":           "traceroute to 1.2.3.1 (1.2.3.1), 64 hops max, 40 byte packets\n 1  1.2.3.1  MS\n",
	} {
		check(t, ks[0], cmd, want)
	}
}

// Oracle: traceroute(8): -P tries smaller packets, as a link or a router says.
func TestPathMTU(t *testing.T) {
	ks := network(t)
	check(t, ks[0], "traceroute -n -q 2 -P 2.3.4.5", "traceroute to 2.3.4.5 (2.3.4.5), 64 hops max, 17914 byte packets\n"+
		"message too big, trying new MTU = 1500\n 1  1.2.3.1  MS  MS\n 2  1.2.3.1  MS\nfragmentation required and DF set, next hop MTU = 1000\n"+
		" 2 \n    2.3.4.5  MS  MS\n")
}

// Oracle: traceroute6(8).
func TestRoute6(t *testing.T) {
	ks := network(t)
	head := "traceroute6 to 2001:db8:2::5 (2001:db8:2::5) from 2001:db8:1::4, 30 hops max, 12 byte packets\n"
	check(t, ks[0], "traceroute6 -n 2001:db8:2::5", head+route6)
	check(t, ks[0], "traceroute6 -n -I 2001:db8:2::5", strings.Replace(head, "12 byte", "16 byte", 1)+route6)
	check(t, ks[0], "traceroute6 -n -l -d -r -q 1 -p 40000 2001:db8:1::1", "traceroute6 to 2001:db8:1::1 (2001:db8:1::1) from 2001:db8:1::4, 30 hops max, 12 byte packets\n"+
		" 1  2001:db8:1::1  MS\n")
	check(t, ks[0], "traceroute6 -n -v -f 2 -q 1 -s 2001:db8:1::4 2001:db8:2::5 64", strings.Replace(head, "12 byte", "64 byte", 1)+
		"Skipping 1 intermediate hops\n 2  2001:db8:2::5 120 bytes of data to 2001:db8:1::4  MS\n")
	check(t, ks[0], "traceroute6 -n -q 2 2001:db8:3::1", "traceroute6 to 2001:db8:3::1 (2001:db8:3::1) from 2001:db8:1::4, 30 hops max, 12 byte packets\n"+
		" 1  2001:db8:1::1  MS  MS\n 2  2001:db8:1::1  MS !N  MS !N\n")
}

// Oracle: traceroute(8), traceroute6(8): complaints about the command line.
func TestOptions(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet6")
	usage, usage6 := strings.Join(traceroute.Utility.Usage, "\n")+"\n", strings.Join(traceroute.Utility6.Usage, "\n")+"\n"
	k.Check([]utiltest.Step{
		{Cmd: "traceroute", Status: 1, Out: usage},
		{Cmd: "traceroute6 a b c", Status: 1, Out: usage6},
		{Cmd: "traceroute -f x ::1", Status: 1, Out: "traceroute: \"x\" bad value for first ttl\n"},
		{Cmd: "traceroute -f 0 ::1", Status: 1, Out: "traceroute: first ttl must be > 0\n"},
		{Cmd: "traceroute -t -1 ::1", Status: 1, Out: "traceroute: tos must be >= 0\n"},
		{Cmd: "traceroute -m 0x100 ::1", Status: 1, Out: "traceroute: max ttl must be <= 255\n"},
		{Cmd: "traceroute -f 4 -m 3 ::1", Status: 1, Out: "traceroute: first ttl (4) may not be greater than max ttl (3)\n"},
		{Cmd: "traceroute ::1", Status: 1, Out: "traceroute: unknown host ::1\n"},
		{Cmd: "traceroute 127.0.0.1 39", Status: 1, Out: "traceroute: packet length must be > 39\n"},
		{Cmd: "traceroute -i nif0 127.0.0.1", Status: 1, Out: "traceroute: Can't find interface nif0\n"},
		{Cmd: "traceroute -i lo0 -s 1.2.3.4 127.0.0.1", Status: 1, Out: "traceroute: 1.2.3.4 is not on interface lo0\n"},
		{Cmd: "traceroute6 -f x ::1", Status: 1, Out: "traceroute6: Invalid min hoplimit `x'\n"},
		{Cmd: "traceroute6 -m 256 ::1", Status: 1, Out: "traceroute6: Invalid max hoplimit `256'\n"},
		{Cmd: "traceroute6 -p 65536 ::1", Status: 1, Out: "traceroute6: Port `65536' out of range\n"},
		{Cmd: "traceroute6 -q 0 ::1", Status: 1, Out: "traceroute6: nprobes `0' must be > 0\n"},
		{Cmd: "traceroute6 -w 1 ::1", Status: 1, Out: "traceroute6: Wait `1' must be > 1 sec\n"},
		{Cmd: "traceroute6 -f 9 -m 3 ::1", Status: 1, Out: "traceroute6: max hoplimit `3' must be larger than first hoplimit `9'\n"},
		{Cmd: "traceroute6 1.2.3.4", Status: 1, Out: "traceroute6: hostname nor servname provided, or not known\n"},
		{Cmd: "traceroute6 ::1 x", Status: 1, Out: "traceroute6: Invalid packet length `x'\n"},
		{Cmd: "traceroute6 ::1 65535", Status: 1, Out: "traceroute6: Packet size must be 12 <= s < 65535\n"},
		{Cmd: "traceroute6 -g ::1 ::1", Status: 1, Out: "traceroute6: setsockopt(IPV6_RTHDR): Operation not supported\n"},
	})
	for _, cmd := range []string{"traceroute 127.0.0.1", "traceroute6 ::1"} {
		var out strings.Builder
		status := k.RunAs(context.Background(), 7, strings.NewReader(""), io.Discard, &out, strings.Fields(cmd)...)
		if status != 1 || !strings.HasSuffix(out.String(), "Permission denied\n") {
			t.Errorf("%s as a user: %q[%d]", cmd, out.String(), status)
		}
	}
}

// Oracle: traceroute(8): an interrupt ends it, while it waits for a host that does not answer.
func TestInterrupt(t *testing.T) {
	ks := network(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := &utiltest.Until{Want: " 1 ", Seen: cancel}
	if status := ks[0].RunStreams(ctx, strings.NewReader(""), out, io.Discard, "traceroute", "-n", "-w", "3600", "1.2.3.99"); status != 0 {
		t.Errorf("status %d", status)
	}
}
