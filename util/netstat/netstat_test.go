package netstat_test

import (
	"bytes"
	"context"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// boot returns a kernel with an Ethernet, 10.1.1.1/24 and 2001:db8::1/64.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs", "rumpnet_netinet6", "rumpnet_shmif", "rumpnet_local", "rumpdev_bpf")
	k.Check([]utiltest.Step{
		{Cmd: "sysctl -q -w net.inet6.ip6.dad_count=0"},
		{Cmd: "ifconfig shmif0 create"},
		{Cmd: "ifconfig shmif0 linkstr " + t.TempDir() + "/bus"},
		{Cmd: "ifconfig shmif0 inet 10.1.1.1/24"},
		{Cmd: "ifconfig shmif0 inet6 2001:db8::1/64"},
	})
	return k
}

// must makes a socket.
func must(t *testing.T) func(fd int, err error) int {
	return func(fd int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
}

// open opens sockets: servers of TCP and UDP of both families with a connection over IPv4, and a local server with a client.
func open(t *testing.T, k *utiltest.Kernel) *client.Process {
	t.Helper()
	p := k.Process()
	sys, fd := p.Sys(), must(t)
	local, _ := sockaddr.Unix("/sock")
	for _, s := range []struct {
		family, typ int
		addr        []byte
		listen      bool
	}{
		{abi.PF_INET, abi.SOCK_STREAM, sockaddr.Inet(netip.MustParseAddr("10.1.1.1"), 80, 0), true},
		{abi.PF_INET, abi.SOCK_DGRAM, sockaddr.Inet(netip.MustParseAddr("0.0.0.0"), 53, 0), false},
		{abi.PF_INET6, abi.SOCK_STREAM, sockaddr.Inet(netip.MustParseAddr("2001:db8::1"), 4242, 0), true},
		{abi.PF_INET6, abi.SOCK_DGRAM, sockaddr.Inet(netip.MustParseAddr("::"), 514, 0), false},
		{abi.PF_LOCAL, abi.SOCK_STREAM, local, true},
	} {
		n := fd(sys.Socket(s.family, s.typ, 0))
		fd(0, sys.Bind(n, s.addr))
		if s.listen {
			fd(0, sys.Listen(n, 5))
			c := fd(sys.Socket(s.family, s.typ, 0))
			fd(0, sys.Connect(c, s.addr))
		}
	}
	return p
}

var (
	numbers = regexp.MustCompile(`\b[0-9a-f]{1,4}( +(stream|dgram|tcp6?|udp6?) )`)
	ports   = regexp.MustCompile(`(10\.1\.1\.1|2001:db8::1)\.(6\d{4}|[45]\d{4})`)
)

// show runs netstat and puts words for what differs from run to run.
func show(t *testing.T, k *utiltest.Kernel, cmd string) string {
	t.Helper()
	out, status := k.Run("", utiltest.Words(cmd)...)
	if status != 0 {
		t.Errorf("%s: status %d: %s", cmd, status, out)
	}
	return ports.ReplaceAllString(numbers.ReplaceAllString(utiltest.Normal(out), "<n>$1"), "$1.<port>")
}

// Oracle: netstat(1) and the formats of its source.
func TestSockets(t *testing.T) {
	k := boot(t)
	open(t, k)
	const (
		head4 = "Active Internet connections%s\nProto Recv-Q Send-Q  Local Address          Foreign Address        State\n"
		head6 = "Active Internet6 connections%s\nProto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
	)
	for _, c := range []struct{ cmd, want string }{
		{"netstat -n -f inet", strings.Replace(head4, "%s", "", 1) +
			"tcp        0      0  10.1.1.1.<port>         10.1.1.1.80            ESTABLISHED\n" +
			"tcp        0      0  10.1.1.1.80            10.1.1.1.<port>         ESTABLISHED\n"},
		{"netstat -anf inet", strings.Replace(head4, "%s", " (including servers)", 1) +
			"tcp        0      0  10.1.1.1.<port>         10.1.1.1.80            ESTABLISHED\n" +
			"tcp        0      0  10.1.1.1.80            *.*                    LISTEN\n" +
			"tcp        0      0  10.1.1.1.80            10.1.1.1.<port>         ESTABLISHED\n" +
			"udp        0      0  *.53                   *.*                   \n"},
		{"netstat -aSf inet6", strings.Replace(head6, "%s", " (including servers)", 1) +
			"tcp6       0      0  2001:db8::1.<port>      2001:db8::1.4242       ESTABLISHED\n" +
			"tcp6       0      0  2001:db8::1.4242       *.*                    LISTEN\n" +
			"tcp6       0      0  2001:db8::1.4242       2001:db8::1.<port>      ESTABLISHED\n" +
			"udp6       0      0  *.syslog               *.*                   \n"},
		{"netstat -S -f inet6,inet", strings.Replace(head4, "%s", "", 1) +
			"tcp        0      0  10.1.1.1.<port>         10.1.1.1.http          ESTABLISHED\n" +
			"tcp        0      0  10.1.1.1.http          10.1.1.1.<port>         ESTABLISHED\n" + strings.Replace(head6, "%s", "", 1) +
			"tcp6       0      0  2001:db8::1.<port>      2001:db8::1.4242       ESTABLISHED\n" +
			"tcp6       0      0  2001:db8::1.4242       2001:db8::1.<port>      ESTABLISHED\n"},
	} {
		if got := show(t, k, c.cmd); got != c.want {
			t.Errorf("$ %s\n%swant:\n%s", c.cmd, got, c.want)
		}
	}
	for cmd, wants := range map[string][]string{
		"netstat -Anf inet": {"PCB      Proto Recv-Q Send-Q Local Address         Foreign Address       State\n", "10.1.1.1.80           ESTABL\n"},
		"netstat -u":        {"Address  Type   Recv-Q Send-Q    Inode     Conn     Refs  Nextref Addr\n", " /sock\n", " -> /sock\n"},
		"netstat -f local":  {"Active UNIX domain sockets\n"},
		"netstat -n":        {"Active Internet connections\n", "Active Internet6 connections\n", "Active UNIX domain sockets\n"},
	} {
		for _, want := range wants {
			if got := show(t, k, cmd); !strings.Contains(got, want) {
				t.Errorf("$ %s\n%slacks %q", cmd, got, want)
			}
		}
	}
}

// Oracle: netstat(1) and the formats of its source: interfaces and routes.
func TestInterfaces(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{
		{Cmd: "ping -q -c 1 127.0.0.1", Out: "PING 127.0.0.1 (127.0.0.1): 56 data bytes\n\n----127.0.0.1 PING Statistics----\n" +
			"1 packets transmitted, 1 packets received, 0.0% packet loss\nround-trip min/avg/max/stddev <ms>\n"},
		{Cmd: "netstat -n -I lo0", Out: "Name  Mtu   Network       Address              Ipkts Ierrs    Opkts Oerrs Colls\n" +
			"lo0   33624 <Link>                                 2     0        2     0     0\n" +
			"lo0   33624 ::1/128       ::1                      2     0        2     0     0\n" +
			"lo0   33624 <linklocal>/64     <linklocal>                  2     0        2     0     0\n" +
			"lo0   33624 127/8         127.0.0.1                2     0        2     0     0\n"},
		{Cmd: "netstat -bdhntv -I lo0", Out: "Name  Mtu   Network       Address               Ibytes     Obytes Time Drops\n" +
			"lo0   33624 <Link>                                168B       168B    0     0\n" +
			"lo0   33624 ::1/128       ::1                     168B       168B    0     0\n" +
			"lo0   33624 <linklocal>%lo0/64 <linklocal>%lo0             168B       168B    0     0\n" +
			"lo0   33624 127/8         127.0.0.1               168B       168B    0     0\n"},
		{Cmd: "ifconfig shmif0 down"},
		{Cmd: "netstat -I nope0", Out: "Name  Mtu   Network       Address              Ipkts Ierrs    Opkts Oerrs Colls\n"},
		{Cmd: "netstat -w 1 -I nope0", Out: "netstat: nope0: unknown interface\n", Status: 1},
		{Cmd: "route -q add -net 10.9 127.0.0.1"},
	})
	if out := show(t, k, "netstat -in"); !strings.Contains(out, "shmif0* 1500  10.1.1/24     10.1.1.1 ") {
		t.Errorf("%s", out)
	}
	if out := show(t, k, "netstat -rnf inet"); !strings.Contains(out, "10.9/16            127.0.0.1          UGS  ") ||
		!strings.Contains(out, "Routing tables\n\nInternet:\n") || strings.Contains(out, "Internet6") {
		t.Errorf("%s", out)
	}
}

// Oracle: netstat(1): statistics of protocols.
func TestStatistics(t *testing.T) {
	k := boot(t)
	if out, status := k.Run("", "ping", "-q", "-c", "1", "127.0.0.1"); status != 0 {
		t.Fatal(out)
	}
	for cmd, wants := range map[string][]string{
		"netstat -p icmp":                 {"icmp:\n\t0 calls to icmp_error\n", "\tOutput histogram:\n\t\techoreply: 1\n", "\tInput histogram:\n\t\techoreply: 1\n\t\techo: 1\n\t1 message response generated\n"},
		"netstat -s -s -p ICMP":           {"icmp:\n\tOutput histogram:\n\t\techoreply: 1\n"},
		"netstat -s -f inet":              {"ip:\n\t2 total packets received\n", "\nicmp:\n", "\nigmp:\n", "\ntcp:\n", "\nudp:\n\t0 datagrams received\n", "\t0 packets forwarded (0 packets fast forwarded)\n"},
		"netstat -s -f inet6,arp":         {"ip6:\n", "\n\tMbuf statistics:\n\t\t0 one mbufs\n", "\nicmp6:\n", "\nrip6:\n", "\narp:\n"},
		"netstat -s -i -I shmif0":         {"ip6 on shmif0:\n\t", "icmp6 on shmif0:\n\t", " output MLD reports\n"},
		"netstat -p ip6 -I lo0":           {"ip6 on lo0:\n\t0 total input datagrams\n"},
		"netstat -rs":                     {"routing:\n\t0 bad routing redirects\n\t0 dynamically created routes\n"},
		"netstat -Bs":                     {"bpf:\n\t0 total packets received\n"},
		"netstat -p carp":                 {"carp: no stats routine\n"},
		"netstat -g":                      {"no multicast routing compiled into this system\nno IPv6 multicast routing compiled into this system\n"},
		"netstat -X -g -f inet6":          {"no IPv6 multicast routing compiled into this system\n"},
		"netstat -f inet,nope -p arp -ss": {"netstat: nope: unknown address family\n", "arp:\n\t1 packet sent\n\t\t1 request packet\n"},
	} {
		out := show(t, k, cmd)
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("$ %s\n%slacks %q", cmd, out, want)
			}
		}
	}
}

// Oracle: netstat(1): users of bpf(4).
func TestBPF(t *testing.T) {
	k := boot(t)
	sys := k.Process().Sys()
	fd := must(t)(sys.Open("/dev/bpf", abi.O_RDWR, 0))
	r := abi.Ifreq{}
	b := r.Append(nil)
	copy(b, "shmif0")
	if err := sys.Ioctl(fd, abi.BIOCSETIF, b); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^Active BPF peers\nPID\tInt\tRecv     Drop     Capt     Flags  Bufsize  Comm\n\d+ +shmif0  \d+ +0 +\d+ +I--S-  \d+ +test\n$`)
	for _, cmd := range []string{"netstat -B", "netstat -B -I shmif0"} {
		if out, _ := k.Run("", strings.Fields(cmd)...); !want.MatchString(out) {
			t.Errorf("%q", out)
		}
	}
	k.Check([]utiltest.Step{{Cmd: "netstat -B -I lo0", Out: "Active BPF peers\nPID\tInt\tRecv     Drop     Capt     Flags  Bufsize  Comm\n"}})
}

// lines cancels when so many lines have been written.
type lines struct {
	bytes.Buffer
	left   int
	cancel func()
}

func (l *lines) Write(b []byte) (int, error) {
	if l.left -= bytes.Count(b, []byte("\n")); l.left <= 0 {
		l.cancel()
	}
	return l.Buffer.Write(b)
}

// Oracle: netstat(1): -w, and its obsolete form without an option. The first line is what there has been since boot.
func TestInterval(t *testing.T) {
	k := boot(t)
	if out, status := k.Run("", "ping", "-q", "-c", "1", "127.0.0.1"); status != 0 {
		t.Fatal(out)
	}
	for cmd, want := range map[string]string{
		"netstat -I lo0 3600": "       2     0        2     0     0",
		"netstat -b -w 3600":  "       168                 168        ",
	} {
		ctx, cancel := context.WithCancel(context.Background())
		out := &lines{left: 3, cancel: cancel}
		status := k.RunStreams(ctx, strings.NewReader(""), out, out, strings.Fields(cmd)...)
		rows := strings.Split(out.String(), "\n")
		if status != 0 || len(rows) != 4 || !strings.HasPrefix(rows[2], want) {
			t.Errorf("$ %s\n%s[%d]", cmd, out.String(), status)
		}
		if want := "lo0 in lo0 out total in total out"; strings.Join(strings.Fields(rows[0]), " ") != want {
			t.Errorf("%q, want %q", rows[0], want)
		}
		cancel()
	}
}

// Oracle: netstat(1) and the messages of its source.
func TestRefused(t *testing.T) {
	usage := "usage: netstat [-Aan] [-f address_family[,family ...]] [-M core] [-N system]\n" +
		"       netstat [-bdghiLlmnqrSsTtvX] [-f address_family[,family ...]] [-M core] [-N system]\n" +
		"       netstat [-dn] [-I interface] [-M core] [-N system] [-w wait]\n       netstat [-p protocol] [-M core] [-N system]\n" +
		"       netstat [-p protocol] [-M core] [-N system] -P pcbaddr\n       netstat [-p protocol] [-i] [-I Interface]\n" +
		"       netstat [-s] [-f address_family[,family ...]] [-i] [-I Interface]\n       netstat [-s] [-B] [-I interface]\n"
	k := utiltest.New(t, "rumpnet_local")
	k.Check([]utiltest.Step{
		{Cmd: "netstat -Z", Out: "netstat: unknown option -- Z\n" + usage, Status: 1},
		{Cmd: "netstat word", Out: usage, Status: 1},
		{Cmd: "netstat -w 0", Out: "netstat: 0: invalid interval\n", Status: 1},
		{Cmd: "netstat -p nope", Out: "netstat: nope: unknown or uninstrumented protocol\n", Status: 1},
		{Cmd: "netstat -M core", Out: "netstat: -M: core dumps are not supported\n", Status: 1},
		{Cmd: "netstat -N netbsd", Out: "netstat: -N: core dumps are not supported\n", Status: 1},
		{Cmd: "netstat -P 1", Out: "netstat: -P: the memory of a kernel cannot be read\n", Status: 1},
		{Cmd: "netstat -m", Out: "netstat: -m: there are no mbufs\n", Status: 1},
		{Cmd: "netstat -q", Out: "netstat: -q: there are no software interrupt queues\n", Status: 1},
		{Cmd: "netstat -s"}, // a kernel without the internet protocols
		{Cmd: "netstat -an"},
		{Cmd: "netstat -r", Out: "netstat: sysctl: No such file or directory\n", Status: 1},
		{Cmd: "netstat -B", Out: "netstat: sysctlnametomib: net.bpf.peers: No such file or directory\n", Status: 1},
	})
}
