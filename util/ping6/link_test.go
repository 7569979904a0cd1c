package ping6_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/kern/net/membus"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// Oracle: RFC 4007 and ping6(8): an address of a link is one with a zone or with -I, a group has answers of all its members, and the
// kernel's own are among them.
func TestLink(t *testing.T) {
	var buses membus.Buses
	ks := make([]*utiltest.Kernel, 2)
	for i := range ks {
		ks[i] = utiltest.Boot(t, rump.Config{Components: rump.With("rumpnet_netinet6", "rumpnet_shmif"), Buses: &buses})
		addr := []string{"2001:db8:1::1", "2001:db8:1::2"}[i]
		ks[i].Check([]utiltest.Step{
			{Cmd: "sysctl -qw net.inet6.ip6.dad_count=0"},
			{Cmd: "ifconfig shmif0 create"},
			{Cmd: "ifconfig shmif0 linkstr mem:link"},
			{Cmd: "ifconfig shmif0 inet6 " + addr + " prefixlen 64"},
		})
	}
	stats := "1 packets transmitted, 1 packets received, 0.0% packet loss\nround-trip min/avg/max/std-dev <ms>\n"
	ks[0].Check([]utiltest.Step{
		{Cmd: "ping6 -c 1 2001:db8:1::2", Out: "PING6(56=40+8+8 bytes) 2001:db8:1::1 --> 2001:db8:1::2\n" +
			"16 bytes from 2001:db8:1::2, icmp_seq=0 hlim=64 <ms>\n\n--- 2001:db8:1::2 ping6 statistics ---\n" + stats},
		{Cmd: "ping6 -q -c 1 -m -m -s 3000 2001:db8:1::2", Out: "PING6(3048=40+8+3000 bytes) 2001:db8:1::1 --> 2001:db8:1::2\n" +
			"\n--- 2001:db8:1::2 ping6 statistics ---\n" + stats},
		{Cmd: "ping6 -q -c 1 ff02::1%shmif0", Out: "PING6(56=40+8+8 bytes) <linklocal>%shmif0 --> ff02::1%shmif0\n" +
			"\n--- ff02::1%shmif0 ping6 statistics ---\n" + stats},
		{Cmd: "ping6 -q -c 1 -I shmif0 ff02::1", Out: "PING6(56=40+8+8 bytes) <linklocal>%shmif0 --> ff02::1%shmif0\n" +
			"\n--- ff02::1 ping6 statistics ---\n" + stats},
	})
}

// Oracle: RFC 4620 and ping6(8): a node is asked for its name, its addresses and what it answers, by its address or by the group of its name.
// Addresses are told when net.inet6.icmp6.nodeinfo says so.
func TestNodeInformation(t *testing.T) {
	var buses membus.Buses
	ks := make([]*utiltest.Kernel, 2)
	for i := range ks {
		name := []string{"asker", "node.example.org"}[i]
		ks[i] = utiltest.Boot(t, rump.Config{Components: rump.With("rumpnet_netinet6", "rumpnet_shmif"), Buses: &buses, Hostname: name})
		ks[i].Check([]utiltest.Step{
			{Cmd: "sysctl -qw net.inet6.ip6.dad_count=0"},
			{Cmd: "sysctl -qw net.inet6.icmp6.nodeinfo=3"},
			{Cmd: "ifconfig shmif0 create"},
			{Cmd: "ifconfig shmif0 linkstr mem:link"},
			{Cmd: "ifconfig shmif0 inet6 " + []string{"2001:db8:1::1", "2001:db8:1::2"}[i] + " prefixlen 64"},
		})
	}
	const target = "2001:db8:1::2"
	stats := "\n--- " + target + " ping6 statistics ---\n1 packets transmitted, 1 packets received, 0.0% packet loss\n"
	head := func(size, data string) string {
		return "PING6(" + size + "=40+8+" + data + " bytes) 2001:db8:1::1 --> " + target + "\n"
	}
	ks[0].Check([]utiltest.Step{
		{Cmd: "ping6 -c 1 -w " + target, Out: head("72", "24") + "38 bytes from " + target + ": node.example.org.\n" + stats},
		{Cmd: "ping6 -c 1 -W " + target, Out: head("56", "8") + "37 bytes from " + target + ": node.example.org\n" + stats},
		{Cmd: "ping6 -c 1 -t " + target, Out: head("56", "8") + "20 bytes from " + target + ": NodeInfo Supported Qtypes 0-3\n" + stats},
		{Cmd: "ping6 -c 1 -a g " + target, Out: head("72", "24") + "36 bytes from " + target + ": \n  " + target + "(TTL=2147483647)\n\n" + stats},
		{Cmd: "ping6 -c 1 -a l " + target, Out: head("72", "24") + "36 bytes from " + target + ": \n  <linklocal>(TTL=2147483647)\n\n" + stats},
		{Cmd: "ping6 -q -c 1 -N -I shmif0 -w node.example.org", Out: "PING6(72=40+8+24 bytes) <linklocal>%shmif0 --> ff02::2:7759:900d%shmif0\n" +
			"\n--- ff02::2:7759:900d ping6 statistics ---\n1 packets transmitted, 1 packets received, 0.0% packet loss\n"},
	})
	ks[1].Check([]utiltest.Step{{Cmd: "sysctl -qw net.inet6.icmp6.nodeinfo=0"}})
	if _, status := ks[0].Run("", "ping6", "-c", "1", "-X", "0.2", "-w", target); status != 1 {
		t.Errorf("answered, though it may not: status %d", status)
	}
}
