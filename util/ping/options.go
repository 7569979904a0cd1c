package ping

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

// Utility is ping(8).
var Utility = util.Utility{
	Name:    "ping",
	Section: 8,
	Doc:     "send ICMP ECHO_REQUEST packets to network hosts",
	Usage: []string{
		"usage:",
		"ping [-aCDdfLnoPQqRrv] [-c count] [-g gateway] [-h host] [-I addr] [-i interval]",
		"     [-l preload] [-p pattern] [-s size] [-T ttl] [-t tos] [-w maxwait]",
		"     [-E policy] host",
	},
	Options: []util.Option{
		{Letter: 'a', Doc: "Beep at each answer."},
		{Letter: 'C', Doc: "Send timestamps of two 32-bit words, seconds and microseconds."},
		{Letter: 'c', Arg: "count", Doc: "Stop after so many answers."},
		{Letter: 'D', Doc: "Set the Don't Fragment bit."},
		{Letter: 'd', Doc: "Set SO_DEBUG on the socket."},
		{Letter: 'E', Arg: "policy", Doc: "Refused: the kernel has no IPsec."},
		{Letter: 'f', Doc: "Flood: send as fast as answers come, at least a hundred times a second."},
		{Letter: 'g', Arg: "gateway", Doc: "Send by this gateway, with loose source routing."},
		{Letter: 'h', Arg: "host", Doc: "The host, in place of the operand."},
		{Letter: 'I', Arg: "srcaddr", Doc: "Send from this address; for multicast the interface that has it."},
		{Letter: 'i', Arg: "interval", Doc: "Seconds between packets, 1 at first, 0.01 with -f."},
		{Letter: 'L', Doc: "Do not loop multicast packets back."},
		{Letter: 'l', Arg: "preload", Doc: "Send so many packets at once first."},
		{Letter: 'n', Doc: "Print numbers, no names."},
		{Letter: 'o', Doc: "Stop with success after one answer."},
		{Letter: 'P', Doc: "Fill packets with random bytes."},
		{Letter: 'p', Arg: "pattern", Doc: "Fill packets with up to 16 bytes in hexadecimal."},
		{Letter: 'Q', Doc: "Do not print what was unreachable."},
		{Letter: 'q', Doc: "Print nothing but the first line and the statistics."},
		{Letter: 'R', Doc: "Record the route, and print it."},
		{Letter: 'r', Doc: "Send to directly attached networks only."},
		{Letter: 's', Arg: "packetsize", Doc: "Bytes of data, 56 at first."},
		{Letter: 'T', Arg: "ttl", Doc: "The time to live."},
		{Letter: 't', Arg: "tos", Doc: "The type of service."},
		{Letter: 'v', Doc: "Print other ICMP packets, too."},
		{Letter: 'w', Arg: "maxwait", Doc: "End after so many seconds in any case."},
	},
	Operands: []util.Operand{{Name: "host", Doc: "The host to ask."}},
	SumsUp:   true,
	Main:     run,
}

// maxData is the largest number of bytes of data, by ping(8).
const maxData = 65467

// defaultData makes ICMP messages of 64 bytes.
const defaultData = 56

// options are what the command line says.
type options struct {
	on       [128]bool // letters without an argument
	count    int       // of answers, the preload's included; 0 is without end
	preload  int
	interval time.Duration
	maxwait  time.Duration
	size     int
	ttl, tos int
	pattern  []byte
	source   netip.Addr
	gateway  netip.Addr
	host     string
	target   netip.Addr
}

func (o *options) has(letter byte) bool { return o.on[letter] }

// parse reads the command line. Its status is not 0 when it has said what is wrong.
func parse(ctx context.Context, env *util.Env) (*options, int) {
	o := &options{size: defaultData}
	g := env.Getopt()
	for g.Next() {
		if g.Letter == '?' {
			return nil, env.UsageError()
		}
		if err := o.option(ctx, g.Letter, g.Arg); err != nil {
			return nil, env.Errx("%v", err)
		}
	}
	args := g.Args()
	if o.host == "" && len(args) == 1 {
		o.host, args = args[0], nil
	}
	if o.host == "" || len(args) > 0 {
		return nil, env.UsageError()
	}
	if err := o.privileges(env); err != nil {
		return nil, env.Errx("%v", err)
	}
	var err error
	if o.target, err = lookup(ctx, "", o.host); err != nil {
		return nil, env.Errx("%v", err)
	}
	return o, 0
}

// option takes one option.
func (o *options) option(ctx context.Context, letter byte, arg string) (err error) {
	switch letter {
	case 'c':
		o.count, err = whole(arg, 1, math.MaxInt32, "Bad/invalid number of packets: %s")
	case 'l':
		o.preload, err = whole(arg, 0, math.MaxInt32, "Bad/invalid preload value: %s")
	case 's':
		o.size, err = whole(arg, 0, math.MaxInt32, "Bad/invalid packet size: %s")
		if err == nil && o.size > maxData {
			err = fmt.Errorf("packet size is too large")
		}
	case 'T':
		o.ttl, err = whole(arg, 1, 255, "ttl out of range: %s")
	case 't':
		o.tos, err = whole(arg, 0, 255, "bad tos value: %s")
	case 'i':
		o.interval, err = duration(arg, "Bad/invalid interval: %s")
	case 'w':
		o.maxwait, err = duration(arg, "Bad/invalid maxwait time: %s")
	case 'I':
		o.source, err = lookup(ctx, "-I", arg)
	case 'g':
		o.gateway, err = lookup(ctx, "-g", arg)
	case 'h':
		o.host = arg
	case 'p':
		var ok bool
		if o.pattern, ok = echo.ParsePattern(arg); !ok {
			err = util.Messagef("Patterns must be specified as hex digits")
		}
	case 'E':
		err = fmt.Errorf("-E: IPsec is not supported")
	default:
		o.on[letter] = true
	}
	if o.has('P') && o.pattern != nil {
		err = util.Messagef("Only one of -P and -p allowed")
	}
	return err
}

// privileges refuses what the super-user alone may, and fills in the interval.
func (o *options) privileges(env *util.Env) error {
	fast := o.interval != 0 && o.interval < time.Second
	if o.interval == 0 {
		o.interval = time.Second
		if o.has('f') {
			o.interval = 10 * time.Millisecond
		}
	}
	if o.count != 0 {
		o.count += o.preload
	}
	uid, err := env.Proc.Sys().Getuid()
	if err != nil || uid == 0 {
		return err
	}
	for _, c := range []struct {
		on   bool
		what string
	}{{o.has('f'), "-f"}, {fast, "< 1 sec ping interval"}, {o.preload > 0, "-l"}} {
		if c.on {
			return util.Messagef("Must be superuser to use %s", c.what)
		}
	}
	return nil
}

// whole reads a whole number, decimal, octal or hexadecimal.
func whole(s string, least, most int64, complaint string) (int, error) {
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf(complaint, s)
	}
	return int(n), nil
}

// duration reads seconds, with a fraction.
func duration(s, complaint string) (time.Duration, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f <= 0 || math.IsNaN(f) || f > 1e9 {
		return 0, fmt.Errorf(complaint, s)
	}
	return max(time.Duration(f*float64(time.Second)), 1), nil
}

func lookup(ctx context.Context, option, host string) (netip.Addr, error) {
	a, err := hostaddr.Lookup(ctx, host, abi.AF_INET)
	if err != nil && option != "" {
		err = fmt.Errorf("%s %w", option, err)
	}
	return a, err
}
