package traceroute

import (
	"context"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
)

// Utility is traceroute(8).
var Utility = util.Utility{
	Name:    "traceroute",
	Section: 8,
	Doc:     "print the route packets take to network host",
	Usage: []string{
		"Usage: traceroute [-adDFPIlMnrvx] [-g gateway] [-i iface] [-f first_ttl]",
		"\t[-m max_ttl] [-p port] [-q nqueries] [-s src_addr] [-t tos]",
		"\t[-w waittime] [-z pausemsecs] [-A as_server] host [packetlen]",
	},
	Options: []util.Option{
		{Letter: 'A', Arg: "as_server", Doc: "As -a, of this server."},
		{Letter: 'a', Doc: "Ask a server that the host reaches for each hop's autonomous system."},
		{Letter: 'D', Doc: "Dump packets before they are sent."},
		{Letter: 'd', Doc: "Set SO_DEBUG on the sockets."},
		{Letter: 'F', Doc: "Set the Don't Fragment bit."},
		{Letter: 'f', Arg: "first_ttl", Doc: "The first probes' time to live."},
		{Letter: 'g', Arg: "gateway", Doc: "Send by this gateway, with loose source routing; up to 8."},
		{Letter: 'I', Doc: "Send ICMP echo requests, not UDP datagrams."},
		{Letter: 'i', Arg: "iface", Doc: "Send from this interface's address."},
		{Letter: 'l', Doc: "Print the time to live of answers."},
		{Letter: 'M', Doc: "Print the MPLS labels in answers."},
		{Letter: 'm', Arg: "max_ttl", Doc: "The last probes' time to live, net.inet.ip.ttl at first."},
		{Letter: 'n', Doc: "Print numbers, no names."},
		{Letter: 'P', Doc: "Find the path's MTU: begin with large packets that may not be fragmented."},
		{Letter: 'p', Arg: "port", Doc: "Send to this UDP port and those after it, 33434 at first."},
		{Letter: 'q', Arg: "nqueries", Doc: "Probes a hop, 3 at first."},
		{Letter: 'r', Doc: "Send to directly attached networks only."},
		{Letter: 's', Arg: "src_addr", Doc: "Send from this address."},
		{Letter: 't', Arg: "tos", Doc: "The type of service."},
		{Letter: 'v', Doc: "Print other ICMP packets, too; twice: those that are sent as well."},
		{Letter: 'w', Arg: "waittime", Doc: "Seconds to wait for an answer, 5 at first."},
		{Letter: 'x', Doc: "Do not compute checksums."},
		{Letter: 'z', Arg: "pausemsecs", Doc: "Milliseconds between the probes of a hop."},
	},
	Operands: []util.Operand{
		{Name: "host", Doc: "The host to find the route to."},
		{Name: "packetlen", Doc: "The length of packets, 40 at first."},
	},
	SumsUp: true,
	Main:   func(ctx context.Context, env *util.Env) int { return run(ctx, env, false) },
}

// Utility6 is traceroute6(8).
var Utility6 = util.Utility{
	Name:    "traceroute6",
	Section: 8,
	Doc:     "print the route IPv6 packets will take to the destination",
	Usage: []string{
		"Usage: traceroute6 [-adIlnrv] [-A as_server] [-f firsthop] [-g gateway]",
		"\t[-m hoplimit] [-p port] [-q probes] [-s src] [-w waittime] target [datalen]",
	},
	Options: []util.Option{
		{Letter: 'A', Arg: "as_server", Doc: "As -a, of this server."},
		{Letter: 'a', Doc: "Ask a server that the host reaches for each hop's autonomous system."},
		{Letter: 'd', Doc: "Set SO_DEBUG on the sockets."},
		{Letter: 'f', Arg: "firsthop", Doc: "The first probes' hop limit."},
		{Letter: 'g', Arg: "gateway", Doc: "Send by this gateway, by a routing header of type 0; for kernels that have such."},
		{Letter: 'I', Doc: "Send ICMPv6 echo requests, not UDP datagrams."},
		{Letter: 'l', Doc: "Print names and numbers."},
		{Letter: 'm', Arg: "hoplimit", Doc: "The last probes' hop limit, 30 at first."},
		{Letter: 'n', Doc: "Print numbers, no names."},
		{Letter: 'p', Arg: "port", Doc: "Send to this UDP port and those after it, 33434 at first."},
		{Letter: 'q', Arg: "probes", Doc: "Probes a hop, 3 at first."},
		{Letter: 'r', Doc: "Send to directly attached networks only."},
		{Letter: 's', Arg: "src", Doc: "Send from this address."},
		{Letter: 'v', Doc: "Print other ICMPv6 packets, too."},
		{Letter: 'w', Arg: "waittime", Doc: "Seconds to wait for an answer, 5 at first."},
	},
	Operands: []util.Operand{
		{Name: "target", Doc: "The host to find the route to."},
		{Name: "datalen", Doc: "The length of the probes' data, 12 at first, 16 with -I."},
	},
	SumsUp: true,
	Main:   func(ctx context.Context, env *util.Env) int { return run(ctx, env, true) },
}

// options are what the command line says.
type options struct {
	six        bool
	on         [128]bool // letters without an argument
	verbosity  int
	first, max int
	probes     int
	port       int
	waittime   time.Duration
	pause      time.Duration
	tos        int
	size       int // of packets, or of their data; 0 for the least
	device     string
	source     string
	asServer   string
	gateways   []netip.Addr
	host       string
	target     netip.Addr
}

func (o *options) has(letter byte) bool { return o.on[letter] }

// defaultPort is where no one is expected to listen.
const defaultPort = 32768 + 666

func run(ctx context.Context, env *util.Env, six bool) int {
	o := &options{six: six, first: 1, max: 30, probes: 3, port: defaultPort, waittime: 5 * time.Second}
	if ttl, err := env.Proc.Sysctl().Int("net.inet.ip.ttl"); err == nil && !six {
		o.max = ttl
	}
	status, ok := o.parse(ctx, env)
	if !ok {
		return status
	}
	return start(ctx, env, o)
}

// parse reads the command line. It says what is wrong.
func (o *options) parse(ctx context.Context, env *util.Env) (status int, ok bool) {
	g := env.Getopt()
	for g.Next() {
		if g.Letter == '?' {
			return env.UsageError(), false
		}
		if err := o.option(ctx, g.Letter, g.Arg); err != nil {
			return env.Errx("%v", err), false
		}
	}
	switch {
	case o.first > o.max && o.six:
		return env.Errx("max hoplimit `%d' must be larger than first hoplimit `%d'", o.max, o.first), false
	case o.first > o.max:
		return env.Errx("first ttl (%d) may not be greater than max ttl (%d)", o.first, o.max), false
	case o.has('x'):
		env.Warnx("ip checksums disabled")
	}
	args := g.Args()
	if len(args) < 1 || len(args) > 2 {
		return env.UsageError(), false
	}
	if err := o.setSize(args[1:]); err != nil {
		return env.Errx("%v", err), false
	}
	o.host = args[0]
	var err error
	if o.target, err = o.lookup(ctx, o.host); err != nil {
		return env.Errx("%v", err), false
	}
	return 0, true
}

// option takes one option.
func (o *options) option(ctx context.Context, letter byte, arg string) (err error) {
	if n, ok := o.numbers()[letter]; ok {
		v, err := n.parse(arg)
		if err == nil {
			n.set(o, v)
		}
		return err
	}
	switch letter {
	case 'A':
		o.asServer = arg
	case 'g':
		if len(o.gateways) >= o.maxGateways() {
			return util.Messagef("No more than %d gateways", o.maxGateways())
		}
		var a netip.Addr
		if a, err = hostaddr.Lookup(ctx, arg, o.family()); err != nil && o.six {
			return util.Messagef("Unknown host `%s'", arg)
		} else if err != nil {
			return util.Messagef("unknown host %s", arg)
		}
		o.gateways = append(o.gateways, a)
	case 'i':
		o.device = arg
	case 's':
		o.source = arg
	case 'v':
		o.verbosity++
	case 'x':
		o.on['x'] = !o.on['x']
	default:
		o.on[letter] = true
	}
	return nil
}

// maxGateways is how many fit into IP's options, or into a routing header of type 0.
func (o *options) maxGateways() int {
	if o.six {
		return 127
	}
	return 8
}

func (o *options) family() int {
	if o.six {
		return abi.AF_INET6
	}
	return abi.AF_INET
}

// lookup finds a host.
func (o *options) lookup(ctx context.Context, host string) (netip.Addr, error) {
	a, err := hostaddr.Lookup(ctx, host, o.family())
	switch {
	case err == nil || ctx.Err() != nil:
	case o.six:
		err = util.Messagef("%s", noName)
	default:
		err = util.Messagef("unknown host %s", host)
	}
	return a, err
}

// noName is getaddrinfo(3)'s word for a name that is none.
const noName = "hostname nor servname provided, or not known"

const (
	// maxPacket4 is the largest packet of traceroute, maxData6 the bound of traceroute6's data.
	maxPacket4 = 32 << 10
	maxData6   = 65535
	stampSize  = 12 // number, time to live, padding, seconds and microseconds
)

// setSize reads the length of packets, if there is one. At least the number of the probe and a time must fit.
func (o *options) setSize(args []string) error {
	least := stampSize
	switch {
	case o.six && o.has('I'):
		least = 16
	case !o.six:
		least += 20 + 8
		if n := len(o.gateways); n > 0 {
			least += 4 * (n + 1)
		}
	}
	o.size = least
	if o.has('P') {
		o.size = mtus[0]
	}
	if len(args) == 0 {
		return nil
	}
	if !o.six {
		n := number{bad: "\"%s\" bad value for packet length", name: "packet length", least: least, most: maxPacket4}
		v, err := n.parse(args[0])
		o.size = v
		return err
	}
	v, err := strconv.ParseUint(args[0], 0, 63)
	switch {
	case err != nil:
		return util.Messagef("Invalid packet length `%s'", args[0])
	case v >= maxData6:
		return util.Messagef("Packet size must be %d <= s < %d", least, maxData6)
	}
	o.size = max(int(v), least)
	return nil
}

// number is an option's argument that is one.
type number struct {
	bad         string // what is wrong with one that is none, or with one out of range if name is empty
	out         string // what is wrong with one out of range, if not bad
	name        string // what it is called when it is out of range
	least, most int
	set         func(o *options, v int)
}

// parse reads it. A name's numbers are decimal or hexadecimal, others C's.
func (n *number) parse(s string) (int, error) {
	base := 0
	if n.name != "" && !strings.HasPrefix(strings.ToLower(s), "0x") {
		base = 10
	}
	v, err := strconv.ParseInt(s, base, 32)
	switch {
	case err != nil:
		return 0, util.Messagef(n.bad, s)
	case int(v) >= n.least && int(v) <= n.most:
		return int(v), nil
	case n.out != "":
		return 0, util.Messagef(n.out, s)
	case n.name == "":
		return 0, util.Messagef(n.bad, s)
	case int(v) > n.most:
		return 0, util.Messagef("%s must be <= %d", n.name, n.most)
	case n.least == 0:
		return 0, util.Messagef("%s must be >= 0", n.name)
	}
	return 0, util.Messagef("%s must be > %d", n.name, n.least-1)
}

// numbers are the family's options that take numbers.
func (o *options) numbers() map[byte]number {
	if o.six {
		return numbers6
	}
	return numbers4
}

func named(name string, least, most int, set func(o *options, v int)) number {
	return number{bad: "\"%s\" bad value for " + name, name: name, least: least, most: most, set: set}
}

var (
	setFirst  = func(o *options, v int) { o.first = v }
	setMax    = func(o *options, v int) { o.max = v }
	setPort   = func(o *options, v int) { o.port = v }
	setProbes = func(o *options, v int) { o.probes = v }
	setWait   = func(o *options, v int) { o.waittime = time.Duration(v) * time.Second }
)

var numbers4 = map[byte]number{
	'f': named("first ttl", 1, 255, setFirst),
	'm': named("max ttl", 1, 255, setMax),
	'p': named("port", 1, math.MaxUint16, setPort),
	'q': named("nprobes", 1, math.MaxInt32, setProbes),
	't': named("tos", 0, 255, func(o *options, v int) { o.tos = v }),
	'w': named("wait time", 2, 24*60*60, setWait),
	'z': named("pause msecs", 0, 60*60*1000, func(o *options, v int) { o.pause = time.Duration(v) * time.Millisecond }),
}

var numbers6 = map[byte]number{
	'f': {bad: "Invalid min hoplimit `%s'", least: 1, most: 255, set: setFirst},
	'm': {bad: "Invalid max hoplimit `%s'", least: 1, most: 255, set: setMax},
	'p': {bad: "Invalid port `%s'", out: "Port `%s' out of range", least: 1, most: math.MaxUint16, set: setPort},
	'q': {bad: "Invalid nprobes `%s'", out: "nprobes `%s' must be > 0", least: 1, most: math.MaxInt32, set: setProbes},
	'w': {bad: "Invalid wait time `%s'", out: "Wait `%s' must be > 1 sec", least: 2, most: math.MaxInt32, set: setWait},
}
