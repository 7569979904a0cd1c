// Package tcpdump is tcpdump(8): it shows what passes an interface of the kernel, or writes it to a file.
//
// Packets come from /dev/bpf of the kernel (device.go) or from a pcap file (file.go); what is done with each is in session.go and output.go. Package dissect puts
// them into words, package bpfexpr compiles filter expressions. Files of -r and -w are the kernel's; - is a standard stream, as with dd and
// pax: "tcpdump -w - | wireshark -k -i -".
//
// Start reading at run.
package tcpdump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/ondisk/pcap"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is tcpdump(8).
var Utility = util.Utility{
	Name:    "tcpdump",
	Section: 8,
	Doc:     "dump traffic on a network",
	Usage: []string{
		"[-AdDeLlnpqStUvXx] [-c count] [-i interface] [-r file] [-s snaplen] [-w file] [-y datalinktype] [expression]",
	},
	Options: []util.Option{
		{Letter: 'A', Doc: "Print each packet, without its link-level header, as ASCII."},
		{Letter: 'c', Arg: "count", Doc: "Exit after so many packets."},
		{Letter: 'D', Doc: "List the interfaces."},
		{Letter: 'd', Doc: "Print the program that the expression is compiled to, and exit."},
		{Letter: 'e', Doc: "Print the link-level header."},
		{Letter: 'i', Arg: "interface", Doc: "The interface, by its name or its number in the list of -D; the first that is up if none is given."},
		{Letter: 'L', Doc: "List the data link types of the interface."},
		{Letter: 'l', Doc: "Write each line at once."},
		{Letter: 'n', Doc: "Do not convert addresses and ports to names."},
		{Letter: 'p', Doc: "Do not put the interface into promiscuous mode."},
		{Letter: 'q', Doc: "Print less of the protocols."},
		{Letter: 'r', Arg: "file", Doc: "Read packets from a pcap file in the kernel; - is the standard input."},
		{Letter: 'S', Doc: "Print absolute sequence numbers of TCP."},
		{Letter: 's', Arg: "snaplen", Doc: "Keep so many bytes of a packet instead of 262144; 0 is 262144 as well."},
		{Letter: 't', Doc: "Print no time; twice: seconds since 1970; three times: since the packet before; four times: the date, too; five times: since the first packet."},
		{Letter: 'U', Doc: "With -w, write each packet at once."},
		{Letter: 'v', Doc: "Print more of the protocols; twice or more often: still more."},
		{Letter: 'w', Arg: "file", Doc: "Write packets to a pcap file in the kernel instead of printing them; - is the standard output."},
		{Letter: 'X', Doc: "Print each packet, without its link-level header, in hexadecimal and ASCII; twice: with the header."},
		{Letter: 'x', Doc: "Print each packet, without its link-level header, in hexadecimal; twice: with the header."},
		{Letter: 'y', Arg: "datalinktype", Doc: "Use a data link type of the interface: EN10MB or NULL."},
	},
	Operands: []util.Operand{{Name: "expression", Doc: "Which packets: pcap-filter(7), as far as Ethernet, ARP and the internet protocols go."}},
	SumsUp:   true,
	Main:     run,
}

// options are what the command line says.
type options struct {
	given      [128]int // how often each option was
	count      int      // of -c; 0 for no end
	device     string
	read       string
	write      string
	snaplen    uint32
	linkType   string
	expression string
}

func (o *options) has(letter byte) bool { return o.given[letter] > 0 }

var errUsage = errors.New("usage")

func parseOptions(env *util.Env) (*options, error) {
	o := &options{snaplen: pcap.MaxSnaplen}
	g := env.Getopt()
	for g.Next() {
		if g.Letter == '?' {
			return nil, errUsage
		}
		o.given[g.Letter]++
		if err := o.argument(g.Letter, g.Arg); err != nil {
			return nil, err
		}
	}
	o.expression = strings.Join(g.Args(), " ")
	return o, nil
}

// argument takes the argument of an option.
func (o *options) argument(letter byte, arg string) error {
	switch letter {
	case 'c':
		n, err := strconv.Atoi(arg)
		if err != nil || n <= 0 {
			return fmt.Errorf("invalid packet count %s", arg)
		}
		o.count = n
	case 's':
		n, err := strconv.ParseUint(arg, 0, 32)
		if err != nil || n > pcap.MaxSnaplen {
			return fmt.Errorf("invalid snaplen %s", arg)
		}
		if o.snaplen = uint32(n); n == 0 {
			o.snaplen = pcap.MaxSnaplen
		}
	case 'i':
		o.device = arg
	case 'r':
		o.read = arg
	case 'w':
		o.write = arg
	case 'y':
		o.linkType = arg
	}
	return nil
}

func run(ctx context.Context, env *util.Env) int {
	o, err := parseOptions(env)
	if errors.Is(err, errUsage) {
		return env.UsageError()
	}
	if err == nil {
		s := &session{ctx: ctx, env: env, options: o}
		err = s.run()
	}
	if errors.Is(err, io.ErrClosedPipe) { // who read the output has gone away
		return util.ExitFailure
	}
	if err != nil {
		return env.Errx("%s", err)
	}
	return util.ExitOK
}

// failed is the message of an error and what failed; nil for none.
func failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return util.Messagef("%s: %s", fmt.Sprintf(format, args...), err)
}
