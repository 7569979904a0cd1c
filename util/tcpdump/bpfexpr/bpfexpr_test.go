package bpfexpr

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/rumpctrl/rumpctrl/util/tcpdump/frametest"
)

// TestErrors: what is wrong or not supported is said with its place, counted from 1.
func TestErrors(t *testing.T) {
	for expr, want := range map[string]string{
		"10.1.1.1":                      `syntax error: unexpected "10.1.1.1" at character 1`,
		"tcp and":                       "syntax error: the expression ends at character 8",
		"tcp udp":                       `syntax error: unexpected "udp" at character 5`,
		"(tcp":                          "syntax error: the expression ends at character 5",
		"tcp)":                          `syntax error: unexpected ")" at character 4`,
		"host":                          "syntax error: the expression ends at character 5",
		"host tcp":                      `syntax error: unexpected "tcp" at character 6`,
		"host nosuch":                   `"nosuch" is no address at character 6`,
		"host 300":                      `"300" is no address at character 6`,
		"ip host ::1":                   `"ip" does not go with the addresses of "::1" at character 9`,
		"host 2:0:0:0:0:1":              "an Ethernet address goes with",
		"ether host joe":                `"joe" is no Ethernet address at character 12`,
		"net 10.1.1.1/24":               `non-network bits set in "10.1.1.1/24" at character 5`,
		"net 10.0.0.0/33":               "mask length must be <= 32 at character 14",
		"net 10.0.0.0 mask 255.0.255.0": "a mask with holes is not supported at character 19",
		"net 10.0.0.0 mask x":           `"x" is no mask of IPv4 at character 19`,
		"net joe":                       `"joe" is no net at character 5`,
		"ip6 net 10":                    `"ip6" does not go with a net of this family at character 9`,
		"port 70000":                    `"70000" is no port at character 6`,
		"port nosuch":                   `"nosuch" is no port at character 6`,
		"ip port 5":                     `there are no ports over "ip" at character 9`,
		"ip proto 256":                  "unknown ip proto '256' at character 10",
		"ether proto joe":               "unknown ether proto 'joe' at character 13",
		"src proto 6":                   "a protocol has no direction at character 11",
		"arp proto 6":                   `"arp" has no protocols at character 11`,
		"ip broadcast":                  "it would need the netmask at character 4",
		"arp multicast":                 `"multicast" does not go with "arp" at character 5`,
		"src 10.0.0.0/8":                "mask syntax is for networks only at character 13",
		"vlan 5":                        `"vlan" is not supported at character 1`,
		"tcp and inbound":               `"inbound" is not supported at character 9`,
		"ip protochain 6":               `"protochain" is not supported at character 4`,
		"tcp[0:3] = 1":                  "data size must be 1, 2, or 4 at character 7",
		"ip[8] / 0 = 1":                 "division by zero at character 7",
		"ip[8] << 32 = 1":               "shift by more than 31 bits at character 7",
		"ip[9999999] = 1":               "offset 9999999 is out of range at character 1",
		"ip[0":                          "syntax error: the expression ends at character 5",
		"ip[0] + = 1":                   `syntax error: unexpected "=" at character 9`,
		"len":                           "syntax error: the expression ends at character 4",
		"tcp; udp":                      "illegal character ';' at character 4",
		"less joe":                      `syntax error: unexpected "joe" at character 6`,
		strings.Repeat("(", 200):        "parentheses are nested too deeply",
		strings.Repeat("ip[", 200):      "parentheses are nested too deeply",
		strings.Repeat("ip[ip[0]+", 20) + "0" + strings.Repeat("]", 20) + " = 0": "too complex",
		strings.Repeat("tcp port 5 or ", 50) + "ip":                              ErrTooLong.Error(),
		strings.Repeat(" ", maxExpr+1):                                           ErrTooLong.Error(),
	} {
		if _, err := compile(expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", expr, err, want)
		}
	}
}

// TestNull: packets of DLT_NULL begin with an address family in the byte order of who captured them: pcap-linktype(7).
func TestNull(t *testing.T) {
	packets := map[string][]byte{
		"ip":  frametest.IP4{Proto: 17}.Packet(frametest.UDP(1, 2, nil)),
		"ip6": frametest.IP6{Next: 17}.Packet(frametest.UDP(1, 2, nil)),
	}
	families := map[string][]uint32{"ip": {2}, "ip6": {24, 28, 30}}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for version, list := range families {
			for _, family := range list {
				var head [4]byte
				order.PutUint32(head[:], family)
				data := append(head[:], packets[version]...)
				for expr, want := range map[string]bool{
					"ip": version == "ip", "ip6": version == "ip6", "udp port 2": true, "arp": false, "tcp": false, "len = 32": version == "ip",
					"udp[0:2] = 1": version == "ip", "link[0:4] != 0": true, "host 10.1.1.1": version == "ip", "ip6 host fe80::1": version == "ip6",
				} {
					f, err := Compile(expr, Config{Link: Null, Order: order, Snaplen: 100})
					if err != nil {
						t.Errorf("%s: %v", expr, err)
					} else if got := f.Match(data, len(data)); got != want {
						t.Errorf("%v: %s of a packet of family %d: %v", order, expr, family, got)
					}
				}
			}
		}
	}
	if _, err := Compile("ether host 2:0:0:0:0:1", Config{Link: Null}); err == nil {
		t.Error("an Ethernet address where there are none")
	}
}

// TestNames: a name stands for all its addresses.
func TestNames(t *testing.T) {
	config := Config{Snaplen: 100, LookupHost: func(string) ([]netip.Addr, error) { return []netip.Addr{frametest.A1, frametest.B1}, nil }}
	for expr, want := range map[string][2]bool{"src host joe": {true, true}, "ip src joe": {true, false}, "dst joe": {false, false}} {
		f, err := Compile(expr, config)
		if err != nil {
			t.Fatal(err)
		}
		for i, frame := range [][]byte{frametest.IP4{Proto: 17}.Frame(nil), frametest.IP6{Next: 17}.Frame(nil)} {
			if f.Match(frame, len(frame)) != want[i] {
				t.Errorf("%s, frame %d", expr, i)
			}
		}
	}
}

// TestLength: less and greater are about the packet, not about what was captured of it.
func TestLength(t *testing.T) {
	f, err := compile("greater 100")
	if err != nil {
		t.Fatal(err)
	}
	if data := make([]byte, 60); f.Match(data, 60) || !f.Match(data, 1000) {
		t.Error("the length is that of what was captured")
	}
}

// TestLongJumps: conditions that are farther apart than a conditional jump goes.
func TestLongJumps(t *testing.T) {
	expr := strings.Repeat("tcp port 5 or ", 20) + "arp"
	f, err := compile(expr)
	if err != nil {
		t.Fatal(err)
	}
	trampolines := 0
	for _, in := range f.Program() {
		if _, ok := in.(bpf.Jump); ok {
			trampolines++
		}
	}
	if trampolines == 0 {
		t.Fatalf("%d instructions, no long jump", len(f.Program()))
	}
	for _, c := range []struct {
		frame []byte
		want  bool
	}{
		{frametest.IP4{Proto: 6}.Frame(frametest.TCP{Sport: 5}.Segment(nil)), true},
		{frametest.IP4{Proto: 6}.Frame(frametest.TCP{Sport: 6}.Segment(nil)), false},
		{frametest.Ether(frametest.MAC1, frametest.MAC2, 0x806, nil, true), true},
	} {
		if got := f.Match(c.frame, len(c.frame)); got != c.want {
			t.Errorf("%x: %v", c.frame[:20], got)
		}
	}
}

// FuzzCompile: an expression is refused, or its program is one that a kernel takes and that runs on anything.
func FuzzCompile(f *testing.F) {
	for _, expr := range expressions {
		f.Add(expr, []byte{1, 2, 3})
	}
	f.Fuzz(func(t *testing.T, expr string, packet []byte) {
		for _, link := range []LinkType{Ethernet, Null} {
			filter, err := Compile(expr, Config{Link: link, Order: binary.LittleEndian, Snaplen: 96})
			if err != nil {
				continue
			}
			if n := len(filter.Program()); n > maxInstructions {
				t.Fatalf("%d instructions", n)
			}
			if _, err := bpf.Assemble(filter.Program()); err != nil {
				t.Fatal(err)
			}
			filter.Match(packet, len(packet)+1)
		}
	})
}
