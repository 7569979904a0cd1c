package rtadvd_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/kern/net/membus"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util/routing"
	"github.com/rumpctrl/rumpctrl/util/rtadvd"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// link is a router and a host on a link.
func link(t *testing.T) (router, host *utiltest.Kernel) {
	t.Helper()
	var buses membus.Buses
	boot := func(steps ...string) *utiltest.Kernel {
		k := utiltest.Boot(t, rump.Config{Components: rump.With("rumpvfs", "rumpnet_netinet6", "rumpnet_shmif"), Buses: &buses})
		for _, cmd := range append([]string{
			"sysctl -qw net.inet6.ip6.dad_count=0", "ifconfig shmif0 create", "ifconfig shmif0 linkstr mem:link",
		}, steps...) {
			k.Check([]utiltest.Step{{Cmd: cmd}})
		}
		return k
	}
	router = boot("sysctl -qw net.inet6.ip6.forwarding=1", "ifconfig shmif0 inet6 2001:db8:1::1 prefixlen 64", "mkdir -p /etc")
	host = boot("sysctl -qw net.inet6.ip6.accept_rtadv=1", "ifconfig shmif0 up")
	return router, host
}

// advertise runs rtadvd until stop is called, which returns what it has written.
func advertise(t *testing.T, k *utiltest.Kernel, args ...string) (stop func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var out strings.Builder
	done := make(chan int)
	go func() {
		done <- k.RunStreams(ctx, strings.NewReader(""), io.Discard, &out, append([]string{"rtadvd"}, args...)...)
	}()
	stop = sync.OnceValue(func() string {
		cancel()
		if status := <-done; status != 0 {
			t.Errorf("rtadvd: status %d\n%s", status, out.String())
		}
		return out.String()
	})
	t.Cleanup(func() { stop() })
	return stop
}

// await runs a command until it prints a text or, with there false, prints it no more: each time the routing socket has something to say.
func await(t *testing.T, k *utiltest.Kernel, cmd, text string, there bool) string {
	t.Helper()
	s, err := routing.Open(k.Process())
	if err != nil {
		t.Fatal(err)
	}
	for {
		out, _ := k.Run("", strings.Fields(cmd)...)
		if strings.Contains(out, text) == there {
			return out
		}
		if _, err := s.Receive(); err != nil {
			t.Fatal(err)
		}
	}
}

// write writes a file of the kernel's.
func write(t *testing.T, k *utiltest.Kernel, name, text string) {
	t.Helper()
	if err := k.Process().WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Oracle: rtadvd(8), RFC 4862: a host that accepts advertisements has an address in the interface's prefix and a default route by the
// router's link-local address, and pings it. What the interface gets later is advertised, too. When rtadvd ends the host has no default
// router: RFC 4861, 6.2.5.
func TestAutoconfiguration(t *testing.T) {
	router, host := link(t)
	stop := advertise(t, router, "-f", "-D", "shmif0")
	await(t, host, "ifconfig shmif0 inet6", "inet6 2001:db8:1:", true)
	if routes := await(t, host, "route -n show -inet6", "default", true); !strings.Contains(routes, "fe80::") {
		t.Errorf("the default route is not by a link-local address:\n%s", routes)
	}
	out, status := host.Run("", "ping6", "-c", "1", "-q", "2001:db8:1::1")
	if status != 0 {
		t.Errorf("ping6: status %d\n%s", status, out)
	}
	stop()
	await(t, host, "route -n show -inet6", "default", false)
}

// Oracle: rtadvd.conf(5): the prefixes that are configured are advertised in place of the interface's.
func TestConfigured(t *testing.T) {
	router, host := link(t)
	write(t, router, "/etc/conf", "default:\\\n\t:chlim#17:\nshmif0:\\\n\t:addr=\"2001:db8:2::\":prefixlen#64:mtu#1400:tc=default:\n")
	stop := advertise(t, router, "-c", "/etc/conf", "-s", "-f", "shmif0")
	if out := await(t, host, "ifconfig shmif0 inet6", "inet6 2001:db8:2:", true); strings.Contains(out, "2001:db8:1:") {
		t.Errorf("the interface's prefix is advertised too:\n%s", out)
	}
	if text := stop(); text != "" {
		t.Errorf("rtadvd says %q", text)
	}
}

// Oracle: rtadvd(8) and its complaints about configurations.
func TestOptions(t *testing.T) {
	router, host := link(t)
	write(t, router, "/etc/wrong", "shmif0:maxinterval#3:\n")
	router.Check([]utiltest.Step{
		{Cmd: "rtadvd", Status: 1, Out: rtadvd.Utility.Usage[0] + "\n"},
		{Cmd: "rtadvd -R", Status: 1, Out: "rtadvd: the -R option is currently ignored.\n" + rtadvd.Utility.Usage[0] + "\n"},
		{Cmd: "rtadvd -c /etc/wrong shmif0", Status: 1, Out: "rtadvd: maxinterval (3) on shmif0 is invalid (must be between 4 and 1800)\n"},
		{Cmd: "rtadvd -c /etc shmif0", Status: 1, Out: "rtadvd: /etc: Is a directory\n"},
	})
	host.Check([]utiltest.Step{
		{Cmd: "rtadvd shmif0", Status: 1, Out: "rtadvd: non zero router lifetime is specified for shmif0, which must not be allowed for hosts.  " +
			"you must change router lifetime or enable IPv6 forwarding.\n"},
	})
}
