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
