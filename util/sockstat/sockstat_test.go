package sockstat_test

import (
	"net/netip"
	"regexp"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// open opens sockets of all kinds: of each server that listens a client, too. Descriptor 4 is a copy of 3.
func open(t *testing.T, k *utiltest.Kernel) {
	t.Helper()
	sys := k.Process().Sys()
	must := func(n int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	local, _ := sockaddr.Unix("/sock")
	for i, s := range []struct {
		family, typ, proto int
		addr               []byte
		listen             bool
	}{
		{abi.PF_INET, abi.SOCK_STREAM, 0, sockaddr.Inet(netip.MustParseAddr("127.0.0.1"), 80, 0), true},
		{abi.PF_INET6, abi.SOCK_DGRAM, 0, sockaddr.Inet(netip.MustParseAddr("::1"), 514, 0), false},
		{abi.PF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP, nil, false},
		{abi.PF_INET, abi.SOCK_STREAM, 0, nil, false},
		{abi.PF_LOCAL, abi.SOCK_SEQPACKET, 0, local, true},
	} {
		n := must(sys.Socket(s.family, s.typ, s.proto))
		if i == 0 {
			must(sys.Dup(n))
		}
		if s.addr != nil {
			must(0, sys.Bind(n, s.addr))
		}
		if s.listen {
			must(0, sys.Listen(n, 5))
			must(0, sys.Connect(must(sys.Socket(s.family, s.typ, 0)), s.addr))
		}
	}
}

// Oracle: sockstat(1) and the formats of its source.
func TestLists(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs", "rumpnet_netinet6", "rumpnet_local")
	k.Check([]utiltest.Step{{Cmd: "mkdir -p /etc"}, {Cmd: "sh -c 'echo root:x:0:0:System:/:/bin/sh > /etc/passwd'"}})
	open(t, k)
	const (
		head   = "USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n"
		tcp    = "root     test       <pid>  3 tcp    127.0.0.1.80          *.*\n"
		copied = "root     test       <pid>  4 tcp    127.0.0.1.80          *.*\n"
		conn   = "root     test       <pid>  5 tcp    127.0.0.1.<port>       127.0.0.1.80\n"
		udp6   = "root     test       <pid>  6 udp6   ::1.514               *.*\n"
		icmp   = "root     test       <pid>  7 2/1    *.*                   *.*\n"
		idle   = "root     test       <pid>  8 tcp    *.*                   *.*\n"
		server = "root     test       <pid>  9 seq    /sock                 -\n"
		client = "root     test       <pid> 10 seq    -                     /sock\n"
	)
	pid, port := regexp.MustCompile(`(?m)^(root     test       )\d+ {1,5}( \d|\d\d) `), regexp.MustCompile(`127\.0\.0\.1\.\d{5}`)
	for _, c := range []struct{ cmd, want string }{
		{"sockstat -n", head + tcp + copied + conn + udp6 + icmp + idle + server + client},
		{"sockstat -n -4", head + tcp + copied + conn + icmp + idle},
		{"sockstat -n6u", head + udp6 + server + client},
		{"sockstat -n -f INET6", head + udp6},
		{"sockstat -n -f unix -f local", head + server + client},
		{"sockstat -nc", head + conn + client},
		{"sockstat -nl", head + tcp + copied + udp6 + icmp + server},
		{"sockstat -ncl4", head + tcp + copied + conn + icmp},
		{"sockstat -n -p 514", head + udp6},
		{"sockstat -n -p http", head + tcp + copied + conn},
		{"sockstat -n -p 1-3,500-600,7", head + udp6},
		{"sockstat -n -4 -p 514", ""},
	} {
		out, status := k.Run("", utiltest.Words(c.cmd)...)
		out = port.ReplaceAllString(pid.ReplaceAllString(out, "${1}<pid> $2 "), "127.0.0.1.<port>")
		if out != c.want || status != 0 {
			t.Errorf("$ %s\n%s[%d]\nwant:\n%s", c.cmd, out, status, c.want)
		}
	}
}

// Oracle: sockstat(1) and the messages of its source.
func TestRefused(t *testing.T) {
	k := utiltest.New(t, "rumpvfs") // a kernel without sockets lists none
	k.Check([]utiltest.Step{
		{Cmd: "sockstat"},
		{Cmd: "sockstat -z", Out: "sockstat: unknown option -- z\nusage: sockstat [-46clnu] [-f address_family] [-p ports]\n", Status: 1},
		{Cmd: "sockstat file", Out: "usage: sockstat [-46clnu] [-f address_family] [-p ports]\n", Status: 1},
		{Cmd: "sockstat -f x25", Out: "sockstat: x25: unsupported protocol family\n", Status: 1},
		{Cmd: "sockstat -u -p 80", Out: "sockstat: local domain sockets do not have ports\n", Status: 1},
		{Cmd: "sockstat -p 80x", Out: "sockstat: 80x: Invalid argument\n", Status: 1},
		{Cmd: "sockstat -p 1-", Out: "sockstat: 1-: Invalid argument\n", Status: 1},
		{Cmd: "sockstat -p 65536", Out: "sockstat: 65536: Invalid argument\n", Status: 1},
	})
}

// Oracle: sockstat(1): the user is the socket's owner, by number where it has no name.
func TestOwner(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet")
	p := k.Process()
	if err := p.Sys().Setuid(123); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sys().Socket(abi.PF_INET, abi.SOCK_DGRAM, 0); err != nil {
		t.Fatal(err)
	}
	out, status := k.Run("", "sockstat", "-n4")
	if want := regexp.MustCompile(`^USER .*\n123      test       \d+ +3 udp    \*\.\*                   \*\.\*\n$`); status != 0 || !want.MatchString(out) {
		t.Errorf("%q", out)
	}
}
