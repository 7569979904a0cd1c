package ifconfig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

var le = binary.LittleEndian

func putInt(b []byte, v int) { le.PutUint32(b, uint32(v)) }

func getInt(b []byte) int { return int(int32(le.Uint32(b))) }

// word is a word of the command line. read looks at its arguments and returns what is to be done, nil for nothing now.
type word struct {
	name string
	args int
	read func(c *config, args []string) (action, error)
}

// action does something to the interface. Actions run in the order of their words; what was read of an address, of media and of
// capabilities follows them.
type action func() error

// words are all words but addresses, families and link-level capabilities.
func words() []word {
	list := []word{
		{"create", 0, create(abi.SIOCIFCREATE)},
		{"destroy", 0, create(abi.SIOCIFDESTROY)},
		{"alias", 0, setAlias(+1)},
		{"-alias", 0, setAlias(-1)},
		{"delete", 0, setAlias(-1)},
		{"netmask", 1, readNetmask},
		{"prefixlen", 1, readPrefixlen},
		{"broadcast", 1, readBroadcast},
		{"preference", 1, readPreference},
		{"active", 0, func(c *config, _ []string) (action, error) { c.address.active = true; return nil, nil }},
		{"pltime", 1, readLifetime(func(a *addressChange, secs uint32) { a.pltime = &secs })},
		{"vltime", 1, readLifetime(func(a *addressChange, secs uint32) { a.vltime = &secs })},
		{"eui64", 0, func(c *config, _ []string) (action, error) { c.address.eui64 = true; return nil, nil }},
		{"metric", 1, setNumber(abi.SIOCSIFMETRIC, "SIOCSIFMETRIC")},
		{"mtu", 1, setNumber(abi.SIOCSIFMTU, "SIOCSIFMTU")},
		{"linkstr", 1, setLinkstr},
		{"-linkstr", 0, unsetLinkstr},
		{"trailers", 0, trailers}, {"-trailers", 0, trailers},
		{"media", 1, readMedia},
		{"mediaopt", 1, readMediaopt(true)},
		{"-mediaopt", 1, readMediaopt(false)},
		{"mode", 1, readMediaMode},
		{"instance", 1, readMediaInstance}, {"inst", 1, readMediaInstance},
		{"tunnel", 2, setTunnel},
		{"deletetunnel", 0, deleteTunnel},
		{"vlan", 1, setVlan},
		{"vlanif", 1, setVlanif},
		{"-vlanif", 0, unsetVlanif},
		{"agrport", 1, agrPort(abi.AGRCMD_ADDPORT)},
		{"-agrport", 1, agrPort(abi.AGRCMD_REMPORT)},
	}
	for _, f := range flagWords {
		list = append(list, word{f.name, 0, setFlag(f.set, f.clear)})
	}
	for name, bit := range map[string]int32{"anycast": abi.IN6_IFF_ANYCAST, "deprecated": abi.IN6_IFF_DEPRECATED} {
		list = append(list, word{name, 0, setAddrFlag(bit, true)}, word{"-" + name, 0, setAddrFlag(bit, false)})
	}
	for _, r := range refused {
		for _, name := range strings.Fields(r.words) {
			list = append(list, word{name, 0, refuse(name, r.what)})
		}
	}
	return append(list, capWords()...)
}

// flagWords are the words that set and clear flags of the interface.
var flagWords = []struct {
	name       string
	set, clear int
}{
	{"up", abi.IFF_UP, 0}, {"down", 0, abi.IFF_UP},
	{"arp", 0, abi.IFF_NOARP}, {"-arp", abi.IFF_NOARP, 0},
	{"debug", abi.IFF_DEBUG, 0}, {"-debug", 0, abi.IFF_DEBUG},
	{"link0", abi.IFF_LINK0, 0}, {"-link0", 0, abi.IFF_LINK0},
	{"link1", abi.IFF_LINK1, 0}, {"-link1", 0, abi.IFF_LINK1},
	{"link2", abi.IFF_LINK2, 0}, {"-link2", 0, abi.IFF_LINK2},
}

// refused are the words of drivers that neither this kernel nor the original rump kernel has.
var refused = []struct{ what, words string }{
	{"carp(4)", "advbase advskew carpdev pass state vhid"},
	{"pfsync(4)", "maxupd syncdev -syncdev syncpeer -syncpeer"},
	{"wireless networks", "nwid ssid nwkey -nwkey list powersave -powersave powersavesleep hidessid -hidessid apbridge -apbridge " +
		"bssid -bssid chan -chan frag rts"},
	{"atalk(4)", "atalk range phase"},
}

func refuse(name, what string) func(*config, []string) (action, error) {
	return func(*config, []string) (action, error) {
		return nil, fmt.Errorf("%s: %s: not supported", name, what)
	}
}

// change reads all words, does what they say, and then what they say of the address.
func (c *config) change(args []string) error {
	actions, err := c.read(args)
	if err != nil {
		return err
	}
	for _, act := range actions {
		if err := act(); err != nil {
			return err
		}
	}
	if err := c.commitMedia(); err != nil {
		return err
	}
	if err := c.commitAddress(); err != nil {
		return err
	}
	return c.commitCaps()
}

// read reads words and addresses. A word that is neither makes no command line.
func (c *config) read(args []string) ([]action, error) {
	table := map[string]word{}
	for _, w := range words() {
		table[w.name] = w
	}
	var actions []action
	for len(args) > 0 {
		name := args[0]
		args = args[1:]
		w, ok := table[name]
		if !ok {
			if c.setFamily(name) {
				continue
			}
			if err := c.readAddress(name); err != nil {
				return nil, err
			}
			continue
		}
		if len(args) < w.args {
			return nil, errUsage
		}
		act, err := w.read(c, args[:w.args])
		if err != nil {
			return nil, err
		}
		if act != nil {
			actions = append(actions, act)
		}
		args = args[w.args:]
	}
	return actions, nil
}

// integer reads a decimal, octal or hexadecimal number of a range; anything else makes no command line.
func integer(s string, least, most int64) (int64, error) {
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil || n < least || n > most || strings.Contains(s, "_") {
		return 0, errUsage
	}
	return n, nil
}

func seconds(s string) (int, error) {
	n, err := integer(s, 0, 1<<31-1)
	if err != nil {
		return 0, fmt.Errorf("%s: not a number", s)
	}
	return int(n), nil
}

// create makes or removes the interface. The original's second message says no more than the first, but scripts know it.
func create(req uint32) func(*config, []string) (action, error) {
	return func(c *config, _ []string) (action, error) {
		return func() error {
			_, err := c.ifreqNumber(req, 0)
			if err == nil {
				return nil
			}
			c.env.Warn(err, "clone_command")
			return failed(err, "exec_matches")
		}, nil
	}
}

func setFlag(set, clear int) func(*config, []string) (action, error) {
	return func(c *config, _ []string) (action, error) {
		return func() error {
			v, err := c.ifflags()
			if err != nil {
				return err
			}
			_, err = c.ifreqNumber(abi.SIOCSIFFLAGS, v&^clear|set)
			return failed(err, "SIOCSIFFLAGS")
		}, nil
	}
}

// setNumber sets what an int of an ifreq says. A failure is told and does not count, as in the original.
func setNumber(req uint32, what string) func(*config, []string) (action, error) {
	return func(c *config, args []string) (action, error) {
		n, err := integer(args[0], 0, 1<<31-1)
		if err != nil {
			return nil, err
		}
		return func() error {
			_, err := c.ifreqNumber(req, int(n))
			if err != nil {
				c.env.Warn(err, "%s", what)
			}
			return nil
		}, nil
	}
}

func trailers(c *config, _ []string) (action, error) {
	return func() error {
		fmt.Fprintln(c.env.Stdout, "Note: trailers are no longer sent, but always received")
		return nil
	}, nil
}

// linkstr makes a request about the link-level string: its command, and the memory that it points to.
func (c *config) linkstr(req uint32, cmd uint64, lend func(client.Lender, []byte) uint64, text []byte) (int, error) {
	fd, err := c.sock(abi.AF_UNSPEC)
	if err != nil {
		return 0, err
	}
	var raw []byte
	err = c.sys.IoctlFunc(fd, req, func(l client.Lender) []byte {
		d := abi.Ifdrv{Cmd: cmd, Len: uint64(len(text))}
		copy(d.Name[:abi.IFNAMSIZ-1], c.name)
		if text != nil {
			d.Data = lend(l, text)
		}
		raw = d.Append(nil)
		return raw
	})
	if err != nil {
		return 0, err
	}
	var d abi.Ifdrv
	if err := d.Decode(raw); err != nil {
		return 0, err
	}
	return int(d.Len), nil
}

func setLinkstr(c *config, args []string) (action, error) {
	return func() error {
		_, err := c.linkstr(abi.SIOCSLINKSTR, 0, client.Lender.In, append([]byte(args[0]), 0))
		return failed(err, "SIOCSLINKSTR")
	}, nil
}

func unsetLinkstr(c *config, _ []string) (action, error) {
	return func() error {
		_, err := c.linkstr(abi.SIOCSLINKSTR, abi.IFLINKSTR_UNSET, nil, nil)
		return failed(err, "SIOCSLINKSTR")
	}, nil
}

// maxLinkstr bounds what a kernel may say of the length of its string.
const maxLinkstr = 64 << 10

// queryLinkstr is the link-level string; ok is false on an interface that has none.
func (c *config) queryLinkstr() (text string, ok bool, err error) {
	n, err := c.linkstr(abi.SIOCGLINKSTR, abi.IFLINKSTR_QUERYLEN, nil, nil)
	if err != nil {
		return "", false, nil //nolint:nilerr // most interfaces do not know the request
	}
	if n <= 0 || n > maxLinkstr {
		return "", false, errors.New("failed to query linkstr: bad length")
	}
	buf := make([]byte, n)
	if _, err := c.linkstr(abi.SIOCGLINKSTR, 0, client.Lender.Out, buf); err != nil {
		return "", false, failed(err, "failed to query linkstr")
	}
	return abi.CString(buf), true, nil
}

// capNames are the capabilities by the words for them, those of -rx and -tx also together.
var capNames = []struct {
	name string
	bit  uint64
}{
	{"tso4", abi.IFCAP_TSOv4}, {"tso6", abi.IFCAP_TSOv6}, {"lro", abi.IFCAP_LRO},
	{"ip4csum-rx", abi.IFCAP_CSUM_IPv4_Rx}, {"ip4csum-tx", abi.IFCAP_CSUM_IPv4_Tx},
	{"tcp4csum-rx", abi.IFCAP_CSUM_TCPv4_Rx}, {"tcp4csum-tx", abi.IFCAP_CSUM_TCPv4_Tx},
	{"udp4csum-rx", abi.IFCAP_CSUM_UDPv4_Rx}, {"udp4csum-tx", abi.IFCAP_CSUM_UDPv4_Tx},
	{"tcp6csum-rx", abi.IFCAP_CSUM_TCPv6_Rx}, {"tcp6csum-tx", abi.IFCAP_CSUM_TCPv6_Tx},
	{"udp6csum-rx", abi.IFCAP_CSUM_UDPv6_Rx}, {"udp6csum-tx", abi.IFCAP_CSUM_UDPv6_Tx},
}

// capChange is a capability to switch.
type capChange struct {
	bits uint64
	on   bool
}

func capWords() []word {
	both := map[string]uint64{}
	var list []word
	add := func(name string, bits uint64) {
		for _, on := range []bool{true, false} {
			sign := map[bool]string{true: "", false: "-"}[on]
			list = append(list, word{sign + name, 0, func(c *config, _ []string) (action, error) {
				c.caps = append(c.caps, capChange{bits, on})
				return nil, nil
			}})
		}
	}
	for _, k := range capNames {
		add(k.name, k.bit)
		if base, _, two := strings.Cut(k.name, "-"); two {
			both[base] |= k.bit
		}
	}
	for base, bits := range both {
		add(base, bits)
	}
	return list
}

// commitCaps sets the capabilities.
func (c *config) commitCaps() error {
	if len(c.caps) == 0 {
		return nil
	}
	q := make([]byte, abi.SizeofIfcapreq)
	if err := c.ioctl(abi.AF_UNSPEC, abi.SIOCGIFCAP, q); err != nil {
		return failed(err, "SIOCGIFCAP")
	}
	var r abi.Ifcapreq
	if err := r.Decode(q); err != nil {
		return err
	}
	for _, k := range c.caps {
		r.Capenable &^= k.bits
		if k.on {
			r.Capenable |= k.bits
		}
	}
	return failed(c.ioctl(abi.AF_UNSPEC, abi.SIOCSIFCAP, r.Append(nil)), "SIOCSIFCAP")
}

// snprintb is a number and the names of its bits as snprintb(3) has them without its 0x: "8049<UP,LOOPBACK>".
func snprintb(v uint64, names []bitName) string {
	var on []string
	for _, n := range names {
		if v&n.bit != 0 {
			on = append(on, n.name)
		}
	}
	s := strconv.FormatUint(v, 16)
	if len(on) > 0 {
		s += "<" + strings.Join(on, ",") + ">"
	}
	return s
}

type bitName struct {
	bit  uint64
	name string
}
