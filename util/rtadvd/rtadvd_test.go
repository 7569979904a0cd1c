package rtadvd

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

var start = time.Date(2016, 7, 1, 12, 0, 0, 0, time.UTC)

// read reads the configuration of shmif0, whose MTU is 1500.
func read(text string, forwarding bool) (*config, string, error) {
	caps, err := lookupEntry(text, "shmif0")
	if err != nil {
		return nil, "", err
	}
	var warnings bytes.Buffer
	env := util.Env{Args: []string{"rtadvd"}, Stderr: &warnings}
	r := reader{capabilities: caps, ifname: "shmif0", mtu: 1500, warn: env.Warnx}
	c, err := r.readConfig(forwarding, start)
	return c, warnings.String(), err
}

// Oracle: capfile(5): names, lines that go on, comments, quotes, escapes, numbers, tc, and that the first of a name counts.
func TestCapabilities(t *testing.T) {
	const text = "# comment\n\nne0|shmif0|the first:\\\n\t:rltime#0x10:chlim#010:flag:addr=\"2001:db8::\":\\\n\t:esc=a\\072\\E^A\\\":gone@:tc=default:\n" +
		"default:chlim#64:gone=here:mtu=auto:\n"
	c, err := lookupEntry(text, "shmif0")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"rltime": 16, "chlim": 8, "mtu": -1, "none": -1} {
		n, ok, err := c.num(name)
		if !ok {
			n = -1
		}
		if n != want || err != nil {
			t.Errorf("%s is %d, %v; want %d", name, n, err, want)
		}
	}
	for name, want := range map[string]string{"addr": "2001:db8::", "esc": "a:\x1b\x01\"", "mtu": "auto", "gone": "", "flag": ""} {
		if got, _ := c.str(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !c.flag("flag") || c.flag("addr") || c.flag("fla") {
		t.Error("flags are wrong")
	}
	if c, err := lookupEntry(text, "ne1"); c != nil || err != nil {
		t.Errorf("ne1 is %v, %v", c, err)
	}
	for _, text := range []string{"shmif0:tc=shmif0:\n", "shmif0:tc=nobody:\n"} {
		if _, err := lookupEntry(text, "shmif0"); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Oracle: rtadvd.conf(5) for the defaults, RFC 4861, 4.2 and 4.6, RFC 4191, 2.3, RFC 6106, 5 for the bytes.
func TestAdvertisement(t *testing.T) {
	link := []byte{2, 0, 0, 0, 0, 1}
	for _, c := range []struct{ name, text, want string }{
		{"defaults", "", "86000000 40 00 0708 00000000 00000000 0101 020000000001"},
		{"header", "shmif0:raflags=\"moh\":rltime#0:rtime#1000:retrans#2:chlim#5:nolladdr:", "86000000 05 c8 0000 000003e8 00000002"},
		{"number", "shmif0:raflags#0x58:nolladdr:maxinterval#4:", "86000000 40 58 000c 00000000 00000000"},
		{"MTU", "shmif0:nolladdr:mtu=auto:", "86000000 40 00 0708 00000000 00000000 0501 0000 000005dc"},
		{"prefixes", "shmif0:nolladdr:addr=\"2001:db8:1:2:3::\":addr3=\"2001:db8:2::\":prefixlen3#48:pinfoflags3=\"a\":vltime3#60:vltimedecr3:pltime3#30:",
			"86000000 40 00 0708 00000000 00000000" +
				"0304 40 c0 00278d00 00093a80 00000000 20010db8000100020000000000000000" +
				"0304 30 40 00000032 0000001e 00000000 20010db8000200000000000000000000"},
		{"routes", "shmif0:nolladdr:rtprefix=\"2001:db8:5::\":rtplen#48:rtflags=\"l\":rtltime#7:rtprefix1=\"::\":rtplen1#0:rtltime1#8:rtrprefix2=\"2001:db8::1\":rtplen2#128:rtltime2#9:",
			"86000000 40 00 0708 00000000 00000000" +
				"1802 30 18 00000007 20010db800050000" + "1801 00 00 00000008" + "1803 80 00 00000009 20010db8000000000000000000000001"},
		{"DNS", "shmif0:nolladdr:rdnss=\"2001:db8::1,2001:db8::2\":dnssl=\"example.com,a\":dnsslltime#600:",
			"86000000 40 00 0708 00000000 00000000" +
				"1905 0000 00000384 20010db8000000000000000000000001 20010db8000000000000000000000002" +
				"1f03 0000 00000258 076578616d706c6503636f6d00 016100"},
	} {
		conf, _, err := read(c.text, true)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := conf.advertisement(link, start.Add(10*time.Second)); !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("%s:\n%x, want\n%s", c.name, got, strings.ReplaceAll(c.want, " ", ""))
		}
	}
}

// Oracle: rtadvd.conf(5): bounds, and what contradicts itself.
func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		"maxinterval#1801:":                   "maxinterval (1801) on shmif0 is invalid (must be between 4 and 1800)",
		"maxinterval#8:mininterval#7:":        "mininterval (7) on shmif0 is invalid (must be between 3 and 6)",
		"rltime#599:":                         "router lifetime (599) on shmif0 is invalid (must be 0 or between 600 and 9000)",
		"raflags=\"hl\":":                     "the 'h' and 'l' router flags are exclusive",
		"raflags#0x10:":                       "invalid router preference (10) on shmif0",
		"rtime#3600001:":                      "rtime (3600001) on shmif0 is invalid (must be between 0 and 3600000)",
		"addr=\"ff02::\":":                    "multicast prefix (ff02::) must not be advertised on shmif0",
		"addr=\"1.2.3.4\":":                   "inet_pton failed for 1.2.3.4",
		"addr=\"2001:db8::\":prefixlen#129:":  "prefixlen (129) on shmif0 is invalid (must be between 0 and 128)",
		"mtu#1279:":                           "advertised link mtu (1279) on shmif0 is invalid (must be between least MTU (1280) and physical link MTU (1500)",
		"chlim#x:":                            "chlim: x is no number",
		"rdnss=\"::1,x\":":                    "inet_pton failed for ::1,x",
		"rdnss=\"::1\":rdnssltime#1201:":      "rdnssltime (1201) on shmif0 is invalid (must be between 600 and 1200)",
		"dnssl=\"a..b\":":                     "dnssl on shmif0 is invalid: a..b",
		"hapref#1:":                           "mobile-ip6 configuration not supported",
		"rtprefix=\"::\":rtflags#0x10:":       "invalid router preference (10) on shmif0",
		"rltime#1800:maxinterval#600:chlim#:": "chlim:  is no number",
	} {
		if _, _, err := read("shmif0:"+text+"\n", true); err == nil || err.Error() != want {
			t.Errorf("%s %v, want %s", text, err, want)
		}
	}
	if _, _, err := read("shmif0:rltime#0:", false); err != nil {
		t.Errorf("a host that is no router: %v", err)
	}
	_, warnings, err := read("shmif0:rtrprefix=\"::\":addr=\"fe80::\":", true)
	want := "rtadvd: link-local prefix (fe80::) will be advertised on shmif0\nrtadvd: rtrprefix was obsoleted.  Use rtprefix.\n" +
		"rtadvd: rtltime should be specified for interface shmif0.\n"
	if err != nil || warnings != want {
		t.Errorf("%v, warnings\n%s", err, warnings)
	}
}

// testRouter is one on an interface that is up, with the configuration.
func testRouter(t *testing.T, text string) *router {
	t.Helper()
	c, _, err := read(text, true)
	if err != nil {
		t.Fatal(err)
	}
	ifp := &client.Interface{Index: 1, Name: "shmif0", Flags: abi.IFF_UP, LinkAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}}
	return newRouter(ifp, c, start)
}

// Oracle: RFC 4861, 6.2.4: soon at first, at most 16 seconds apart for three times, then at random between the bounds.
func TestIntervals(t *testing.T) {
	r := testRouter(t, "shmif0:maxinterval#600:mininterval#200:")
	if d := r.next.Sub(start); d < 0 || d >= maxRADelay {
		t.Errorf("the first is after %v", d)
	}
	now := start
	for i := range 50 {
		r.advertised(now)
		d := r.next.Sub(now)
		if i < 2 && d != 16*time.Second || i >= 2 && (d < 200*time.Second || d > 600*time.Second) {
			t.Errorf("after %d advertisements the next is in %v", i+1, d)
		}
		now = r.next
	}
}

// Oracle: RFC 4861, 6.2.6: a solicitation is answered within half a second, but not within three of the last advertisement, and the one
// that is due is not put off.
func TestSolicited(t *testing.T) {
	r := testRouter(t, "")
	r.lastSent, r.next = start, start.Add(time.Hour)
	r.solicit(start.Add(time.Second))
	if d := r.next.Sub(start); d < minDelay || d >= minDelay+maxRADelay {
		t.Errorf("a second after the last: %v after it", d)
	}
	r.next = start.Add(time.Hour)
	r.solicit(start.Add(time.Minute))
	if d := r.next.Sub(start.Add(time.Minute)); d < 0 || d >= maxRADelay {
		t.Errorf("a minute after the last: %v after the solicitation", d)
	}
	due := start.Add(2 * time.Minute)
	r.next = due
	r.solicit(due)
	if !r.next.Equal(due) {
		t.Errorf("put off until %v", r.next)
	}
}

// addrs are addresses of an interface.
func addrs(list ...string) (as []client.InterfaceAddr) {
	for _, s := range list {
		as = append(as, client.InterfaceAddr{Prefix: netip.MustParsePrefix(s)})
	}
	return as
}

// Oracle: rtadvd(8): prefixes of the interface come and go; those that went are told with no lifetimes for two hours.
func TestPrefixes(t *testing.T) {
	r := testRouter(t, "")
	up := *r.ifp
	up.Addrs = addrs("fe80::1/64", "2001:db8:1::1/64", "2001:db8:1::2/64", "10.1.1.1/24", "2001:db8:3::1/128")
	if !r.update(&up, start) || len(r.conf.prefixes) != 1 || r.conf.prefixes[0].Prefix != netip.MustParsePrefix("2001:db8:1::/64") {
		t.Fatalf("prefixes %v", r.conf.prefixes)
	}
	if r.update(&up, start) {
		t.Error("nothing has changed")
	}
	other := up
	other.Addrs = addrs("2001:db8:2::1/64")
	if !r.update(&other, start) {
		t.Error("something has changed")
	}
	var lifetimes []uint32
	for _, p := range r.conf.prefixes {
		v, _ := p.lifetimes(start)
		lifetimes = append(lifetimes, v)
	}
	if !slices.Equal(lifetimes, []uint32{0, defaultValid}) {
		t.Errorf("lifetimes %v", lifetimes)
	}
	if text := r.describe(start); !strings.Contains(text, "2001:db8:1::/64(DYNAMIC, vltime: 2592000, pltime: 604800, flags: LA, expire in: 7200)\n") {
		t.Errorf("the dump is\n%s", text)
	}
	r.forget(start.Add(keepGone))
	if len(r.conf.prefixes) != 1 {
		t.Errorf("prefixes %v", r.conf.prefixes)
	}
	back := up
	if !r.update(&back, start) || !r.conf.prefixes[0].gone.IsZero() && len(r.conf.prefixes) != 2 {
		t.Errorf("prefixes %v", r.conf.prefixes)
	}
}

// testDaemon is one without a kernel, which tells of everything.
func testDaemon(t *testing.T, out io.Writer, text string) (*daemon, *router) {
	t.Helper()
	r := testRouter(t, text)
	env := &util.Env{Args: []string{"rtadvd"}, Stdout: io.Discard, Stderr: out}
	return &daemon{env: env, options: &options{debug: levelInfo}, routers: []*router{r}}, r
}

// packet is one that was received on interface 1.
func packet(from string, hops byte, b []byte) *echo.Packet {
	a := allRouters.As16()
	info := cmsg.Message{Level: abi.IPPROTO_IPV6, Type: abi.IPV6_PKTINFO, Data: append(a[:], 1, 0, 0, 0)}
	limit := cmsg.Message{Level: abi.IPPROTO_IPV6, Type: abi.IPV6_HOPLIMIT, Data: []byte{hops, 0, 0, 0}}
	return &echo.Packet{
		Data: b, From: sockaddr.Inet(netip.MustParseAddr(from), 0, 1), Control: limit.Append(info.Append(nil)), At: start.Add(time.Minute),
	}
}

// Oracle: RFC 4861, 6.1.1 and 6.1.2: which messages are valid.
func TestInput(t *testing.T) {
	solicit := []byte{abi.ND_ROUTER_SOLICIT, 0, 0, 0, 0, 0, 0, 0}
	link := []byte{abi.ND_OPT_SOURCE_LINKADDR, 1, 2, 0, 0, 0, 0, 2}
	for _, c := range []struct {
		name string
		p    *echo.Packet
		ok   bool
	}{
		{"good", packet("fe80::2", 255, append(bytes.Clone(solicit), link...)), true},
		{"of no address", packet("::", 255, solicit), true},
		{"routed", packet("fe80::2", 254, solicit), false},
		{"of no address, with one", packet("::", 255, append(bytes.Clone(solicit), link...)), false},
		{"code", packet("fe80::2", 255, []byte{133, 1, 0, 0, 0, 0, 0, 0}), false},
		{"short", packet("fe80::2", 255, solicit[:7]), false},
		{"option of no length", packet("fe80::2", 255, append(bytes.Clone(solicit), 1, 0, 0, 0, 0, 0, 0, 0)), false},
		{"option cut", packet("fe80::2", 255, append(bytes.Clone(solicit), 1, 2, 0, 0, 0, 0, 0, 0)), false},
	} {
		var out bytes.Buffer
		d, r := testDaemon(t, &out, "")
		r.next = start.Add(time.Hour)
		d.input(c.p)
		if ok := r.solicited == 1; ok != c.ok || ok != (r.next.Before(start.Add(2*time.Minute))) || ok != (out.Len() == 0) {
			t.Errorf("%s: %v, next %v\n%s", c.name, ok, r.next, out.String())
		}
	}
}

// A packet that came before the options of the socket were set lacks their control messages: one that is a router's business is told of, no other.
func TestUncontrolled(t *testing.T) {
	for typ, told := range map[byte]bool{abi.ND_ROUTER_SOLICIT: true, abi.ND_NEIGHBOR_SOLICIT: false, abi.MLD_LISTENER_REPORT: false} {
		var out bytes.Buffer
		d, r := testDaemon(t, &out, "")
		p := packet("fe80::2", 255, []byte{typ, 0, 0, 0, 0, 0, 0, 0})
		p.Control = nil
		d.input(p)
		if r.solicited != 0 || told != strings.Contains(out.String(), "failed to get receiving hop limit or interface") {
			t.Errorf("type %d: %q", typ, out.String())
		}
	}
}

// Oracle: RFC 4861, 6.2.7: what routers should agree upon.
func TestConsistency(t *testing.T) {
	const text = "shmif0:raflags=m:retrans#5:mtu#1400:addr=\"2001:db8:1::\":"
	for _, c := range []struct{ name, text, want string }{
		{"same", text, ""},
		{"unspecified", "shmif0:raflags=m:", ""},
		{"M", "shmif0:raflags=o:", "rtadvd: M flag inconsistent on shmif0: 0 from fe80::2, 128 from us\nrtadvd: O flag inconsistent on shmif0: 64 from fe80::2, 0 from us\n"},
		{"MTU", "shmif0:raflags=m:mtu#1300:chlim#3:", "rtadvd: CurHopLimit inconsistent on shmif0: 3 from fe80::2, 64 from us\nrtadvd: Link MTU inconsistent on shmif0: 1300 from fe80::2, 1400 from us\n"},
		{"lifetime", text + "vltime#604801:", "rtadvd: valid lifetime for 2001:db8:1::/64 inconsistent on shmif0: 604801 from fe80::2, 2592000 from us\n"},
		{"prefix", "shmif0:raflags=m:addr=\"2001:db8:2::\":", "rtadvd: prefix 2001:db8:2::/64 from fe80::2 on shmif0 is not in our list\n"},
	} {
		var out bytes.Buffer
		d, r := testDaemon(t, &out, text)
		theirs, _, err := read(c.text, true)
		if err != nil {
			t.Fatal(err)
		}
		d.input(packet("fe80::2", 255, theirs.advertisement(nil, start)))
		if got := out.String(); got != c.want || r.received != 1 || (r.inconsistent == 1) != strings.Contains(c.want, "inconsistent") {
			t.Errorf("%s: %d of %d inconsistent\n%s", c.name, r.inconsistent, r.received, got)
		}
	}
}

// Oracle: RFC 4861, 6.2.5 and RFC 6106, 5.1: a router that goes has no lifetime, and its DNS servers have none; the configuration stays.
func TestFinal(t *testing.T) {
	c, _, err := read("shmif0:rdnss=\"::1\":dnssl=\"a\":", true)
	if err != nil {
		t.Fatal(err)
	}
	f := c.final()
	if f.lifetime != 0 || f.servers[0].lifetime != 0 || f.domains[0].lifetime != 0 || c.lifetime != 1800 || c.servers[0].lifetime != 900 {
		t.Errorf("%+v of %+v", f, c)
	}
}

// FuzzConfig: any file is a configuration or an error, and what is configured can be advertised and read.
func FuzzConfig(f *testing.F) {
	f.Add("shmif0:addr=\"2001:db8::\":rtprefix=\"::\":rdnss=\"::1\":dnssl=\"a.b\":tc=d:\nd:mtu=auto:")
	f.Add("shmif0:raflags=\"moh\":pinfoflags#3:vltimedecr:\\\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, _, err := read(text, true)
		if err != nil {
			return
		}
		m, err := parseMessage(c.advertisement([]byte{1, 2, 3, 4, 5, 6}, start))
		if err != nil || m.lifetime != c.lifetime || len(m.prefixes) != len(c.prefixes) {
			t.Errorf("%q is %+v, %v", text, m, err)
		}
		c.describePrefixes(start)
		c.describeRest()
	})
}

// FuzzInput: whatever arrives is taken or refused.
func FuzzInput(f *testing.F) {
	f.Add([]byte{133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0}, []byte{})
	c, _, err := read("shmif0:addr=\"2001:db8::\":rtprefix=\"::\":rdnss=\"::1\":mtu#1400:", true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.advertisement(nil, start), []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b, control []byte) {
		d, _ := testDaemon(t, io.Discard, "shmif0:addr=\"2001:db8::\":")
		p := packet("fe80::2", 255, b)
		d.input(p)
		p.Control = control
		d.input(p)
	})
}
