package ping6

import (
	"context"
	"crypto/md5" //nolint:gosec // the groups of RFC 4620 are made with it
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

// Utility is ping6(8).
var Utility = util.Utility{
	Name:    "ping6",
	Section: 8,
	Doc:     "send ICMPv6 ECHO_REQUEST packets to network hosts",
	Usage: []string{
		"usage: ping6 [-dfHmnNoqtvwW] [-P policy] [-a [aAclsg]] [-b sockbufsiz] [-c count]",
		"\t[-I interface] [-i wait] [-l preload] [-p pattern] [-X deadline]",
		"\t[-x maxwait] [-S sourceaddr] [-s packetsize] [-h hoplimit]",
		"\t[-g gateway] [hops...] host",
	},
	Options: []util.Option{
		{Letter: 'a', Arg: "addrtype", Doc: "Ask for addresses of the node: a all interfaces', c compatible, g global, s site-local, l link-local ones, A anycast."},
		{Letter: 'b', Arg: "bufsiz", Doc: "The size of the socket's buffers."},
		{Letter: 'c', Arg: "count", Doc: "Stop after so many answers."},
		{Letter: 'd', Doc: "Set SO_DEBUG on the socket."},
		{Letter: 'f', Doc: "Flood: send as fast as answers come, at least a hundred times a second."},
		{Letter: 'g', Arg: "gateway", Doc: "The next hop, a neighbor; for kernels that have IPV6_NEXTHOP."},
		{Letter: 'H', Doc: "Print names of hosts."},
		{Letter: 'h', Arg: "hoplimit", Doc: "The hop limit."},
		{Letter: 'I', Arg: "interface", Doc: "Send by this interface."},
		{Letter: 'i', Arg: "wait", Doc: "Seconds between packets, 1 at first, 0.01 with -f."},
		{Letter: 'l', Arg: "preload", Doc: "Send so many packets at once first."},
		{Letter: 'm', Doc: "Do not fragment into the least MTU; twice: not for multicast either."},
		{Letter: 'N', Doc: "Ask the group of nodes that may have the name."},
		{Letter: 'n', Doc: "Print numbers, no names."},
		{Letter: 'o', Doc: "Stop with success after one answer."},
		{Letter: 'P', Arg: "policy", Doc: "Refused: the kernel has no IPsec."},
		{Letter: 'p', Arg: "pattern", Doc: "Fill packets with up to 16 bytes in hexadecimal."},
		{Letter: 'q', Doc: "Print nothing but the first line and the statistics."},
		{Letter: 'R', Doc: "Refused: the kernel takes no hints that a neighbor is there."},
		{Letter: 'S', Arg: "sourceaddr", Doc: "Send from this address, in numbers."},
		{Letter: 's', Arg: "packetsize", Doc: "Bytes of data, 8 at first."},
		{Letter: 't', Doc: "Ask which queries the node answers."},
		{Letter: 'v', Doc: "Print other ICMPv6 packets, too."},
		{Letter: 'W', Doc: "Ask for the node's name, in the way of an old draft."},
		{Letter: 'w', Doc: "Ask for the node's name."},
		{Letter: 'X', Arg: "deadline", Doc: "End after so many seconds in any case."},
		{Letter: 'x', Arg: "maxwait", Doc: "Answers that take longer than so many milliseconds do not count."},
	},
	Operands: []util.Operand{
		{Name: "hops", Doc: "Hosts to pass through, by a routing header of type 0; for kernels that have such."},
		{Name: "host", Doc: "The host to ask."},
	},
	SumsUp: true,
	Main:   run,
}

const (
	// maxData is the largest number of bytes of data: what an IPv6 packet has room for, less ICMPv6's header.
	maxData = abi.IPV6_MAXPACKET - 40 - icmpHeader
	// defaultData is the timestamp alone.
	defaultData = stampSize
)

// options are what the command line says.
type options struct {
	on         [128]bool // letters without an argument
	query      query     // what to ask for
	naFlags    uint16    // abi.NI_NODEADDR_FLAG_*
	bufferSize int
	count      int
	preload    int
	fragment   int // how often -m was given
	interval   time.Duration
	deadline   time.Duration
	maxwait    time.Duration
	size       int
	hops       int // the hop limit; -1 for the kernel's
	pattern    []byte
	ifname     string
	source     netip.Addr
	gateway    string
	via        []string // hosts to pass through
	host       string
	target     netip.Addr
}

func (o *options) has(letter byte) bool { return o.on[letter] }

// parse reads the command line. Its status is not 0 when it has said what is wrong.
func parse(ctx context.Context, env *util.Env) (*options, int) {
	o := &options{size: defaultData, hops: -1}
	g := env.Getopt()
	for g.Next() {
		if g.Letter == '?' {
			return nil, env.UsageError()
		}
		if err := o.option(env, g.Letter, g.Arg); errors.Is(err, errUsage) {
			return nil, env.UsageError()
		} else if err != nil {
			return nil, env.Errx("%v", err)
		}
	}
	args := g.Args()
	if len(args) == 0 {
		return nil, env.UsageError()
	}
	o.host, o.via = args[len(args)-1], args[:len(args)-1]
	if o.interval != 0 && o.has('f') {
		return nil, env.Errx("-f and -i incompatible options")
	}
	if o.interval == 0 {
		o.interval = time.Second
		if o.has('f') {
			o.interval = floodInterval
		}
	}
	if o.has('N') {
		var ok bool
		if o.target, ok = nodeGroup(o.host); !ok {
			return nil, env.UsageError()
		}
		o.host = o.target.String()
		return o, 0
	}
	var err error
	if o.target, err = lookup(ctx, o.host); err != nil {
		return nil, env.Errx("%v", err)
	}
	return o, 0
}

// errUsage says that the usage is to be told.
var errUsage = errors.New("usage")

// floodInterval is the least time between packets, and that of a flood.
const floodInterval = 10 * time.Millisecond

// option takes one option.
func (o *options) option(env *util.Env, letter byte, arg string) (err error) {
	switch letter {
	case 'a':
		o.query = queryAddrs
		o.naFlags, err = parseAddrTypes(arg)
	case 'b':
		o.bufferSize, err = whole(arg, 0, math.MaxInt32, "invalid socket buffer size")
	case 'c':
		o.count, err = whole(arg, 1, math.MaxInt32, "illegal number of packets -- %s")
	case 'g':
		o.gateway = arg
	case 'h':
		o.hops, err = whole(arg, -1, 255, "illegal hoplimit -- %s")
	case 'I':
		o.ifname = arg
	case 'i':
		err = o.setInterval(env, arg)
	case 'l':
		if err = root(env, "Must be superuser to preload"); err == nil {
			o.preload, err = whole(arg, 0, math.MaxInt32, "illegal preload value -- %s")
		}
	case 'P':
		err = util.Messagef("-P: IPsec is not supported")
	case 'p':
		err = o.setPattern(env, arg)
	case 'R':
		err = util.Messagef("-R is not supported in this configuration")
	case 'S':
		var ok bool
		if o.source, ok = hostaddr.Parse(arg, abi.AF_INET6); !ok {
			err = util.Messagef("invalid source address: %s", noName)
		}
	case 's':
		if o.size, err = whole(arg, 0, math.MaxInt32, "illegal datalen value -- %s"); err == nil && o.size > maxData {
			err = util.Messagef("datalen value too large, maximum is %d", maxData)
		}
	case 'x':
		o.maxwait, err = duration(arg, time.Millisecond, "Bad/invalid maxwait time: %s")
	case 'X':
		o.deadline, err = duration(arg, time.Second, "Bad/invalid deadline time: %s")
	default:
		err = o.flag(env, letter)
	}
	return err
}

// flag takes an option without an argument.
func (o *options) flag(env *util.Env, letter byte) error {
	o.on[letter] = true
	switch letter {
	case 'f':
		return root(env, "Must be superuser to flood ping")
	case 'm':
		o.fragment++
	case 'n':
		o.on['H'] = false
	case 't':
		o.query = queryTypes
	case 'w':
		o.query = queryName
	case 'W':
		o.query = queryOldName
	}
	return nil
}

// setInterval is -i.
func (o *options) setInterval(env *util.Env, arg string) error {
	f, err := strconv.ParseFloat(arg, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 1e9 {
		return util.Messagef("illegal timing interval %s", arg)
	}
	if f < 1 {
		if err := root(env, "Operation not permitted: only root may use interval < 1s"); err != nil {
			return err
		}
	}
	o.interval = time.Duration(f * float64(time.Second))
	if o.interval < floodInterval {
		env.Warnx("too small interval, raised to 0.01")
		o.interval = floodInterval
	}
	return nil
}

// setPattern is -p.
func (o *options) setPattern(env *util.Env, arg string) error {
	var ok bool
	if o.pattern, ok = echo.ParsePattern(arg); !ok {
		return util.Messagef("patterns must be specified as hex digits")
	}
	if !o.has('q') {
		fmt.Fprintf(env.Stdout, "PATTERN: 0x%x\n", o.pattern)
	}
	return nil
}

// root refuses what the super-user alone may.
func root(env *util.Env, complaint string) error {
	uid, err := env.Proc.Sys().Getuid()
	if err == nil && uid != 0 {
		err = util.Messagef("%s", complaint)
	}
	return err
}

// whole reads a decimal number. A complaint may have room for the argument.
func whole(s string, least, most int64, complaint string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most {
		return 0, util.Messagef("%s", strings.Replace(complaint, "%s", s, 1))
	}
	return int(n), nil
}

// duration reads units of time, with a fraction.
func duration(s string, unit time.Duration, complaint string) (time.Duration, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f <= 0 || math.IsNaN(f) || f > 1e9 {
		return 0, util.Messagef(complaint, s)
	}
	return max(time.Duration(f*float64(unit)), 1), nil
}

// addrTypes are -a's letters.
var addrTypes = map[rune]uint16{
	'a': abi.NI_NODEADDR_FLAG_ALL, 'c': abi.NI_NODEADDR_FLAG_COMPAT, 'C': abi.NI_NODEADDR_FLAG_COMPAT,
	'l': abi.NI_NODEADDR_FLAG_LINKLOCAL, 'L': abi.NI_NODEADDR_FLAG_LINKLOCAL, 's': abi.NI_NODEADDR_FLAG_SITELOCAL,
	'S': abi.NI_NODEADDR_FLAG_SITELOCAL, 'g': abi.NI_NODEADDR_FLAG_GLOBAL, 'G': abi.NI_NODEADDR_FLAG_GLOBAL,
	'A': abi.NI_NODEADDR_FLAG_ANYCAST,
}

// parseAddrTypes reads them.
func parseAddrTypes(s string) (flags uint16, err error) {
	for _, c := range s {
		flag, ok := addrTypes[c]
		if !ok {
			return 0, errUsage
		}
		flags |= flag
	}
	return flags, nil
}

// noName is getaddrinfo(3)'s word for a name that is none.
const noName = "hostname nor servname provided, or not known"

// lookup finds an IPv6 host.
func lookup(ctx context.Context, host string) (netip.Addr, error) {
	a, err := hostaddr.Lookup(ctx, host, abi.AF_INET6)
	if err != nil && ctx.Err() == nil {
		err = util.Messagef("%s", noName)
	}
	return a, err
}

// nodeGroup is the group of the nodes that may have a name, ff02::2:xxxx:xxxx: by the first 32 bits of the MD5 of the name's first label with
// its length before it, as NetBSD's kernel joins them.
func nodeGroup(name string) (netip.Addr, bool) {
	label, _, _ := strings.Cut(strings.ToLower(name), ".")
	if label == "" || len(label) > 63 {
		return netip.Addr{}, false
	}
	sum := md5.Sum(append([]byte{byte(len(label))}, label...)) //nolint:gosec // no secret is made
	a := [16]byte{0: 0xff, 1: 2, 11: 2}
	copy(a[12:], sum[:4])
	return netip.AddrFrom16(a), true
}

// interfaceIndex finds an interface by its name.
func interfaceIndex(list []client.Interface, name string) (uint32, bool) {
	for i := range list {
		if list[i].Name == name {
			return uint32(list[i].Index), true
		}
	}
	return 0, false
}
