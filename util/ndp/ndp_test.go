package ndp_test

import (
	"encoding/binary"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// pair returns two kernels on one Ethernet, 2001:db8:1::1 and ::2; the second takes what routers advertise.
func pair(t *testing.T) (one, two *utiltest.Kernel) {
	t.Helper()
	bus := t.TempDir() + "/bus"
	boot := func(addr, accept string) *utiltest.Kernel {
		k := utiltest.New(t, "rumpfs_tmpfs", "rumpnet_netinet6", "rumpnet_shmif")
		k.Check([]utiltest.Step{
			{Cmd: "sysctl -q -w net.inet6.ip6.accept_rtadv=" + accept},
			{Cmd: "sysctl -q -w net.inet6.ip6.dad_count=0"}, // addresses are good at once
			{Cmd: "ifconfig shmif0 create"},
			{Cmd: "ifconfig shmif0 linkstr " + bus},
			{Cmd: "ifconfig shmif0 inet6 " + addr + "/64"},
		})
		return k
	}
	one = boot("2001:db8:1::1", "0")
	return one, boot("2001:db8:1::2", "1")
}

const title = "Neighbor                             Linklayer Address  Netif Expire    S Flags\n"

var (
	expires = regexp.MustCompile(`(shmif0|=)( ?)(\d+[dhms])+ *`)
	columns = regexp.MustCompile(`<linklocal>%shmif0  +`) // how long the address is hangs on the zeroes in it
	stamps  = regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{6} `)
)

// run is Run with words for what differs from run to run.
func run(k *utiltest.Kernel, cmd string) (string, int) {
	out, status := k.Run("", utiltest.Words(cmd)...)
	out = columns.ReplaceAllString(utiltest.Normal(out), "<linklocal>%shmif0     ")
	out = expires.ReplaceAllString(out, "$1$2<time> ")
	return stamps.ReplaceAllString(out, "<now> "), status
}

// meet has a kernel find a neighbour, by sending it something.
func meet(t *testing.T, k *utiltest.Kernel, addr string) {
	t.Helper()
	sys := k.Process().Sys()
	fd, err := sys.Socket(abi.PF_INET6, abi.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sys.Sendto(fd, nil, 0, sockaddr.Inet(netip.MustParseAddr(addr), 9, 0)); err != nil {
		t.Fatal(err)
	}
	for out := ""; !strings.Contains(out, " <mac> shmif0 "); {
		out, _ = run(k, "ndp -n "+addr)
	}
}

// Oracle: the transcript net-03, ndp(8).
func TestEntries(t *testing.T) {
	_, two := pair(t)
	meet(t, two, "2001:db8:1::1")
	const (
		peer  = "2001:db8:1::1                        <mac> shmif0 <time> R \n"
		mine  = "2001:db8:1::2                        <mac> shmif0 permanent R \n"
		local = "<linklocal>%shmif0     <mac> shmif0 permanent R \n"
		five  = "2001:db8:1::5                        <mac> shmif0 permanent R \n"
	)
	for _, c := range []struct {
		cmd, in, want string
		status        int
	}{
		{cmd: "ndp -an", want: title + mine + local + peer},
		{cmd: "ndp -n 2001:db8:1::1", want: title + peer},
		{cmd: "ndp -nt -A 0", want: "<now> " + mine + "<now> " + local + "<now> " + peer},
		{cmd: "ndp -s 2001:db8:1::5 2:0:0:0:0:5"},
		{cmd: "ndp -s 2001:db8:1::6 2:0:0:0:0:6 temp proxy"},
		{cmd: "sh -c 'echo fe80::7%shmif0 2:0:0:0:0:7 > /hosts'"},
		{cmd: "ndp -f /hosts"},
		{cmd: "ndp -an", want: title + mine + local + peer + five + "2001:db8:1::6                        <mac> shmif0 <time> R p\n" +
			"<linklocal>%shmif0     <mac> shmif0 permanent R \n"},
		{cmd: "ndp -n -d 2001:db8:1::1", want: "2001:db8:1::1 (2001:db8:1::1) deleted\n"},
		{cmd: "ndp -n -d fe80::7%shmif0", want: "<linklocal>%shmif0 (<linklocal>%shmif0) deleted\n"},
		{cmd: "ndp -n -c", want: "2001:db8:1::6 (2001:db8:1::6) deleted\n"},
		{cmd: "ndp -an", want: title + mine + local + five},
		{cmd: "ndp -n 2001:db8:1::1", want: title + "ndp: 2001:db8:1::1 (2001:db8:1::1) -- no entry\n", status: 1},
		{cmd: "ndp -d 2001:db8:1::1", want: "ndp: writing to routing socket: No such file or directory\n", status: 1},
	} {
		if out, status := run(two, c.cmd); out != c.want || status != c.status {
			t.Errorf("$ %s\n%s[%d]\nwant:\n%s[%d]", c.cmd, out, status, c.want, c.status)
		}
	}
}

// Oracle: ndp(8) and the messages of its source.
func TestRefused(t *testing.T) {
	_, two := pair(t)
	usage := "Usage: ndp [-nt] hostname\n       ndp [-nt] -a | -c | -p | -r | -H | -P | -R\n       ndp [-nt] -A wait\n" +
		"       ndp [-nt] -d hostname\n       ndp [-nt] -f filename\n       ndp [-nt] -i interface [flags...]\n" +
		"       ndp [-nt] -I [interface|delete]\n       ndp [-nt] -s nodename etheraddr [temp] [proxy]\n"
	two.Check([]utiltest.Step{
		{Cmd: "ndp", Out: usage, Status: 1},
		{Cmd: "ndp -a -c", Out: usage, Status: 1},
		{Cmd: "ndp -a host", Out: usage, Status: 1},
		{Cmd: "ndp -s ::1 2:0:0:0:0:1 sometimes", Out: usage, Status: 1},
		{Cmd: "ndp -A soon", Out: "ndp: soon: invalid number of seconds\n", Status: 1},
		{Cmd: "ndp -n 10.1.1.1", Out: "ndp: 10.1.1.1: hostname nor servname provided, or not known\n", Status: 1},
		{Cmd: "ndp -d fe80::1%nope0", Out: "ndp: <linklocal>%nope0: hostname nor servname provided, or not known\n", Status: 1},
		{Cmd: "ndp -s 2001:db8:1::5 2:0:0:0:0", Out: "ndp: invalid Ethernet address '2:0:0:0:0'\n", Status: 1},
		{Cmd: "ndp -s 2001:db8:9::5 2:0:0:0:0:5", Out: "ndp: writing to routing socket: No such process\n", Status: 1},
		{Cmd: "ndp -f -", In: "2001:db8:1::5\n", Out: "ndp: bad line: 2001:db8:1::5\n", Status: 1},
		{Cmd: "ndp -f /nope", Out: "ndp: /nope: No such file or directory\n", Status: 1},
		{Cmd: "ndp -i nope0", Out: "ndp: ioctl(SIOCGIFINFO_IN6): Device not configured\n", Status: 1},
		{Cmd: "ndp -i shmif0 nude", Out: "ndp: nude: unknown flag\n", Status: 1},
		{Cmd: "ndp -i shmif0 retrans", Out: "ndp: syntax error in retrans field\n", Status: 1},
		{Cmd: "ndp -i shmif0 curhlim=256", Out: "ndp: syntax error in curhlim's value\n", Status: 1},
		{Cmd: "ndp -i shmif0 speed=1", Out: "ndp: speed: unknown variable\n", Status: 1},
		{Cmd: "ndp -I", Out: "No default interface.\n"},
		{Cmd: "ndp -I nope0", Out: "ndp: invalid interface nope0\n", Status: 1},
	})
}

// Oracle: ndp(8): what is shown of an interface, flags set and cleared, numbers.
func TestInterface(t *testing.T) {
	_, two := pair(t)
	reachable := regexp.MustCompile(`reachable=\d+s,`)
	for _, c := range []struct{ cmd, want string }{
		{"ndp -i shmif0", "linkmtu=1500, maxmtu=1500, curhlim=64, basereachable=30s0ms, reachable=<time> , retrans=1s0ms\nFlags: nud accept_rtadv auto_linklocal \n"},
		{"ndp -i shmif0 -- -nud prefer_source retrans=1500 curhlim=32", ""},
		{"ndp -i shmif0", "linkmtu=1500, maxmtu=1500, curhlim=32, basereachable=30s0ms, reachable=<time> , retrans=1s500ms\nFlags: accept_rtadv auto_linklocal prefer_source \n"},
	} {
		out, status := two.Run("", utiltest.Words(c.cmd)...)
		out = reachable.ReplaceAllString(out, "reachable=<time> ,")
		if c.want != "" && (out != c.want || status != 0) {
			t.Errorf("%s: %s[%d]\nwant %s", c.cmd, out, status, c.want)
		}
	}
}

// advertise sends a router's advertisement of 2001:db8:5::/64 as RFC 4861, 4.2 and 4.6.2, have it.
func advertise(t *testing.T, k *utiltest.Kernel) {
	t.Helper()
	p := k.Process()
	fd, err := p.Sys().Socket(abi.PF_INET6, abi.SOCK_RAW, abi.IPPROTO_ICMPV6)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Sys().SetsockoptInt(fd, abi.IPPROTO_IPV6, abi.IPV6_MULTICAST_HOPS, 255); err != nil {
		t.Fatal(err)
	}
	ra := []byte{abi.ND_ROUTER_ADVERT, 0, 0, 0, 64, abi.ND_RA_FLAG_OTHER | abi.ND_RA_FLAG_RTPREF_HIGH, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0}
	prefix := []byte{abi.ND_OPT_PREFIX_INFORMATION, 4, 64, 0xc0}
	prefix = binary.BigEndian.AppendUint32(prefix, 0xffffffff)
	prefix = binary.BigEndian.AppendUint32(prefix, 86400)
	net := netip.MustParseAddr("2001:db8:5::").As16()
	prefix = append(append(prefix, 0, 0, 0, 0), net[:]...)
	ifp, err := p.InterfaceByName("shmif0")
	if err != nil {
		t.Fatal(err)
	}
	to := sockaddr.Inet(netip.MustParseAddr("ff02::1"), 0, uint32(ifp.Index))
	if _, err := p.Sys().Sendto(fd, append(ra, prefix...), 0, to); err != nil {
		t.Fatal(err)
	}
}

// Oracle: ndp(8): the routers and prefixes that are known, and how they are forgotten.
func TestRouters(t *testing.T) {
	one, two := pair(t)
	if out, _ := run(two, "ndp -r"); out != "" {
		t.Errorf("%q", out)
	}
	advertise(t, one)
	var out string
	for out == "" {
		out, _ = run(two, "ndp -nr")
	}
	if want := "<linklocal>%shmif0 if=shmif0, flags=O, pref=high, expire=<time> \n"; out != want {
		t.Errorf("%q, want %q", out, want)
	}
	out, _ = run(two, "ndp -np")
	for _, want := range []string{"2001:db8:5::/64 if=shmif0\nflags=LAO vltime=infinity, pltime=86400, expire=Never, ref=1\n  advertised by\n    <linklocal>%shmif0 ("} {
		if !strings.Contains(out, want) {
			t.Errorf("%q lacks %q", out, want)
		}
	}
	two.Check([]utiltest.Step{
		{Cmd: "ndp -H"}, {Cmd: "ndp -P"}, {Cmd: "ndp -R"}, {Cmd: "ndp -r"},
	})
	if out, _ := run(two, "ndp -np"); strings.Contains(out, "advertised by") {
		t.Errorf("%q", out)
	}
}
