package route_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// boot returns a kernel with an Ethernet, 10.1.1.1/24.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpnet_netinet6", "rumpnet_shmif")
	k.Check([]utiltest.Step{
		{Cmd: "ifconfig shmif0 create"},
		{Cmd: "ifconfig shmif0 linkstr " + t.TempDir() + "/bus"},
		{Cmd: "ifconfig shmif0 inet 10.1.1.1/24"},
	})
	return k
}

const (
	title = "Routing tables\n\nInternet:\nDestination        Gateway            Flags    Refs      Use    Mtu Interface\n"
	local = "10.1.1/24          link#2             U           -        -      -  shmif0\n" +
		"10.1.1.1           link#2             UHl         -        -      -  lo0\n" +
		"127.0.0.1          lo0                UHl         -        -  33624  lo0\n"
	metrics = " recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire\n" +
		"       0         0         0         0         0         0         0         0 \n"
)

// Oracle: the transcript net-04, but for the host that flush names and the family, which show is given.
func TestTranscript(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{
		{Cmd: "route -n show -inet", Out: title + local},
		{Cmd: "route add default 10.1.1.254", Out: "add net default: gateway 10.1.1.254\n"},
		{Cmd: "route add default 10.1.1.254", Status: 1,
			Out: "route: writing to routing socket: File exists\nadd net default: gateway 10.1.1.254: File exists\n"},
		{Cmd: "route add -net 192.168.5.0/24 10.1.1.253", Out: "add net 192.168.5.0: gateway 10.1.1.253\n"},
		{Cmd: "route add -host 192.168.6.7 10.1.1.252", Out: "add host 192.168.6.7: gateway 10.1.1.252\n"},
		{Cmd: "route -n show -inet", Out: title + "default            10.1.1.254         UG          -        -      -  shmif0\n" + local +
			"192.168.5/24       10.1.1.253         UG          -        -      -  shmif0\n" +
			"192.168.6.7        10.1.1.252         UGH         -        -      -  shmif0\n"},
		{Cmd: "route -n get 192.168.5.9", Out: "   route to: 192.168.5.9\ndestination: 192.168.5.0\n       mask: 255.255.255.0\n" +
			"    gateway: 10.1.1.253\n local addr: 10.1.1.1\n  interface: shmif0\n      flags: <UP,GATEWAY,DONE,STATIC>\n" + metrics},
		{Cmd: "route change default 10.1.1.250", Out: "change net default: gateway 10.1.1.250\n"},
		{Cmd: "route -n get 8.8.8.8", Out: "   route to: 8.8.8.8\ndestination: default\n       mask: default\n" +
			"    gateway: 10.1.1.250\n local addr: 10.1.1.1\n  interface: shmif0\n      flags: <UP,GATEWAY,DONE,STATIC>\n" + metrics},
		{Cmd: "route -n -s get 8.8.8.8", Out: "10.1.1.250\n"},
		{Cmd: "route delete -net 192.168.5.0/24", Out: "delete net 192.168.5.0\n"},
		{Cmd: "route delete -net 192.168.5.0/24", Status: 1,
			Out: "route: writing to routing socket: not in table\ndelete net 192.168.5.0: not in table\n"},
		{Cmd: "route -n flush", Out: "default              10.1.1.250           done\n192.168.6.7          10.1.1.252           done\n"},
		{Cmd: "route -n show -inet", Out: title + local},
		{Cmd: "route add -net 172.16.0.0/12 -reject 127.0.0.1", Out: "add net 172.16.0.0: gateway 127.0.0.1\n"},
		{Cmd: "route", Status: 1, Out: "Usage: route [-dfLnqSsTtv] cmd [[-<qualifers>] args]\n"},
	})
}

// Oracle: route(8): the forms of destinations, and what is refused.
func TestDestinations(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{
		{Cmd: "route -q add -net 10.9 10.1.1.2"},
		{Cmd: "route -q add -net 192.168.7.0 -netmask 255.255.255.240 10.1.1.2"},
		{Cmd: "route -q add -net 192.168.8.0 -prefixlen 28 10.1.1.2 -mtu 1400 -lock -rtt 1000"},
		{Cmd: "route -q add 11.0.0.0 10.1.1.2"},
		{Cmd: "route -q add 11.0.0.1 10.1.1.2"},
		{Cmd: "route -q add 12.0.0.1 -iface shmif0"},
		{Cmd: "route -n show -gateway -inet", Out: title +
			"10.9/16            10.1.1.2           UG          -        -      -  shmif0\n" +
			"11/8               10.1.1.2           UG          -        -      -  shmif0\n" +
			"11.0.0.1           10.1.1.2           UGH         -        -      -  shmif0\n" +
			"192.168.7.0/28     10.1.1.2           UG          -        -      -  shmif0\n" +
			"192.168.8.0/28     10.1.1.2           UG          -        -   1400  shmif0\n"},
		{Cmd: "route add 13.0.0.1", Out: "route: missing gateway specification\n", Status: 1},
		{Cmd: "route add", Out: "route: missing destination specification\n", Status: 1},
		{Cmd: "route add -host -net 13.0.0.1 10.1.1.2", Out: "route: -host and -net conflict\n", Status: 1},
		{Cmd: "route add -inet 1.2.3.4/33 10.1.1.2", Out: "route: 33: bad value\n", Status: 1},
		{Cmd: "route add 1.2.3.4 10.99.1.2", Status: 1,
			Out: "route: writing to routing socket: Network is unreachable\nadd host 1.2.3.4: gateway 10.99.1.2: Network is unreachable\n"},
		{Cmd: "route add -tag 3 1.2.3.4 10.1.1.2", Out: "route: -tag: not supported\n", Status: 1},
		{Cmd: "route -q add -inet6 2001:db8::/32 fe80::2%shmif0"},
		{Cmd: "route -n -s get -inet6 2001:db8::1", Out: "<linklocal>%shmif0\n"},
		{Cmd: "route -q delete -inet6 2001:db8::/32"},
		{Cmd: "route -t add 1.2.3.4 10.1.1.2", Out: "add host 1.2.3.4: gateway 10.1.1.2\n"},
		{Cmd: "route -n get -host 1.2.3.4", Status: 1, Out: "route: writing to routing socket: not in table\n"},
	})
}

// Oracle: route(8), route(4): monitor tells of a route that another process adds.
func TestMonitor(t *testing.T) {
	k := boot(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := &watched{want: "RTM_ADD: Add Route", seen: cancel}
	done := make(chan int)
	go func() { done <- k.RunStreams(ctx, strings.NewReader(""), out, out, "route", "-n", "monitor") }()
	for n := 0; ctx.Err() == nil; n++ {
		k.Run("", "route", "-q", "add", "1.2.3.4", "10.1.1.2")
		k.Run("", "route", "-q", "delete", "1.2.3.4")
	}
	if status := <-done; status != 0 {
		t.Errorf("status %d: %s", status, out.b.String())
	}
	for _, want := range []string{"got message of size ", "flags: <UP,GATEWAY,HOST,DONE,STATIC>", "sockaddrs: <DST,GATEWAY", " 1.2.3.4 10.1.1.2"} {
		if !strings.Contains(out.b.String(), want) {
			t.Errorf("%q lacks %q", out.b.String(), want)
		}
	}
}

// watched calls seen when something has been written.
type watched struct {
	b    bytes.Buffer
	want string
	seen func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.b.Write(p)
	if strings.Contains(w.b.String(), w.want) {
		w.seen()
	}
	return len(p), nil
}
