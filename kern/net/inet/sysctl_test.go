package inet_test

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// missing are nodes of the original that are not here, and why.
var missing = map[string]string{
	"pcblist": "the sockets', package inpcb's", "ident": "package inpcb's", "drop": "package inpcb's", "reserve": "ports are not reserved",
}

// differing are values that differ, and why.
var differing = map[string]string{
	"net.inet.ip.forwsrcrt": "source routes are not followed", "net.inet.ip.allowsrcrt": "the same",
	"net.inet.ip.ifq.maxlen":             "there is no such queue",
	"net.inet.ip.anonportalgo.available": "one algorithm", "net.inet6.ip6.anonportalgo.available": "the same",
	"net.inet.tcp.congctl.available": "two algorithms", "net.inet6.tcp6.congctl.available": "the same",
	"net.inet6.icmp6.maxqueuelen":   "more packets wait for an address",
	"net.inet6.ip6.rtadv_numroutes": "the original counts a prefix of lo0",
}

// TestSysctl: the oracle is sysctl -a of a C kernel, sysctl-inet.txt: the names that are there, and their values.
func TestSysctl(t *testing.T) {
	h := newHost(t)
	p := kerntest.Proc(t, h.k)
	f, err := os.Open("testdata/sysctl-inet.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	compared := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		name, want, ok := strings.Cut(s.Text(), " = ")
		if !ok {
			name, _, _ = strings.Cut(strings.TrimPrefix(s.Text(), "sysctl: "), ":")
		}
		last := name[strings.LastIndexByte(name, '.')+1:]
		b, errno := p.Sysctl(name)
		if _, known := missing[last]; known {
			continue
		}
		if errno != 0 && want != "" {
			t.Errorf("%s: %v", name, errno)
			continue
		}
		if !ok || want == "" {
			continue
		}
		got := abi.CString(b)
		if len(b) == 4 && want[0] <= '9' {
			got = strconv.Itoa(int(kerntest.Int(b)))
		}
		if _, known := differing[name]; got != want && !known {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
		compared++
	}
	if compared < 100 {
		t.Errorf("only %d nodes compared", compared)
	}
}

// TestSysctlWriting: what can be set is, within its bounds; what has no effect here says so: EOPNOTSUPP.
func TestSysctlWriting(t *testing.T) {
	h := newHost(t)
	p := kerntest.Proc(t, h.k)
	for _, c := range []struct {
		name string
		v    int32
		want abi.Errno
	}{
		{"net.inet.ip.ttl", 33, 0},
		{"net.inet.ip.ttl", 256, abi.EINVAL},
		{"net.inet.ip.anonportmin", 60000, 0},
		{"net.inet.ip.anonportmax", 50000, abi.EINVAL},
		{"net.inet.ip.forwsrcrt", 1, abi.EOPNOTSUPP},
		{"net.inet.ip.forwsrcrt", 0, 0},
		{"net.inet.tcp.sack.enable", 0, 0},
		{"net.inet6.ip6.hlim", 17, 0},
		{"net.inet.ip.ifq.len", 1, abi.EPERM},
	} {
		if errno := p.SetSysctl(c.name, kerntest.Ints(c.v)); errno != c.want {
			t.Errorf("%s=%d: %v, want %v", c.name, c.v, errno, c.want)
		}
	}
	if errno := p.SetSysctl("net.inet.tcp.congctl.selected", []byte("cubic\x00")); errno != 0 {
		t.Errorf("cubic: %v", errno)
	}
	if b, errno := p.Sysctl("net.inet6.tcp6.congctl.selected"); errno != 0 || abi.CString(b) != "cubic" {
		t.Errorf("selected %q, %v", b, errno)
	}
	if got := h.in.Int("net.inet.ip.ttl"); got != 33 {
		t.Errorf("ttl %d", got)
	}
	if b, errno := p.Sysctl("net.inet.ip.stats"); errno != 0 || len(b) != 8*abi.IP_NSTATS {
		t.Errorf("%d bytes of statistics, %v", len(b), errno)
	}
}
