package tcpdump

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/ondisk/pcap"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/tcpdump/bpfexpr"
)

// source is where packets come from.
type source interface {
	// read gives the next packets, at least one; they stay as they are. It may wait. Errors: io.EOF after the last.
	read() ([]pcap.Packet, error)
	// link is their data link type, and the byte order of address families in front of them.
	link() (linkType uint32, order binary.ByteOrder)
	// setFilter has only packets come that the filter lets through.
	setFilter(f *bpfexpr.Filter) error
	// counts are the packets that the kernel has looked at, and those that it had no room for; ok is false if that is unknown.
	counts() (received, dropped uint64, ok bool)
}

// sink is what is done with packets.
type sink interface {
	packet(p *pcap.Packet) error
	close() error
}

// session is one run.
type session struct {
	*options
	ctx context.Context
	env *util.Env

	src      source
	captured int
}

func (s *session) run() error {
	if s.has('D') {
		return s.listInterfaces()
	}
	var dev *device
	var err error
	if s.has('r') && (s.has('y') || s.has('L')) {
		return errors.New("-L and -y are about interfaces, not about files")
	}
	if s.has('r') {
		s.src, err = s.openFile()
	} else if dev, err = s.openDevice(); err == nil {
		s.src = dev
	}
	if err != nil {
		return err
	}
	if s.has('L') {
		return dev.listLinkTypes(s.env.Stdout)
	}
	f, err := s.compile()
	if err != nil {
		return err
	}
	if s.has('d') {
		for i, in := range f.Program() {
			fmt.Fprintf(s.env.Stdout, "(%03d) %v\n", i, in)
		}
		return nil
	}
	if err := s.src.setFilter(f); err != nil {
		return err
	}
	out, err := s.openSink()
	if err != nil {
		return err
	}
	s.announce(dev)
	err = s.pump(out)
	if e := out.close(); err == nil {
		err = e
	}
	if dev != nil {
		s.summary()
	}
	return err
}

// compile compiles the expression. Names are looked up where the host looks them up.
func (s *session) compile() (*bpfexpr.Filter, error) {
	linkType, order := s.src.link()
	config := bpfexpr.Config{Order: order, Snaplen: s.snaplen, LookupHost: func(name string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(s.ctx, "ip", name)
	}, LookupPort: func(proto, name string) (int, error) {
		return net.DefaultResolver.LookupPort(s.ctx, proto, name)
	}}
	switch linkType {
	case pcap.LinkEthernet:
		config.Link = bpfexpr.Ethernet
	case pcap.LinkNull:
		config.Link = bpfexpr.Null
	default:
		if s.expression != "" {
			return nil, fmt.Errorf("expressions are not supported on data link type %d", linkType)
		}
	}
	return bpfexpr.Compile(s.expression, config)
}

// announce says where packets come from.
func (s *session) announce(dev *device) {
	linkType, _ := s.src.link()
	w := s.env.Stderr
	switch {
	case dev == nil:
		fmt.Fprintf(w, "reading from file %s, link-type %s\n", s.read, linkText(linkType))
		return
	case s.given['v'] == 0 && !s.has('w'):
		s.env.Warnx("verbose output suppressed, use -v or -vv for full protocol decode")
	default:
		fmt.Fprintf(w, "%s: ", s.env.Name())
	}
	fmt.Fprintf(w, "listening on %s, link-type %s, capture size %d bytes\n", dev.name, linkText(linkType), s.snaplen)
}

// batch is what one read of a source has given.
type batch struct {
	packets []pcap.Packet
	err     error
}

// pump takes packets from the source to the sink until there are no more, there have been enough, or the context ends. The source is read by a goroutine of
// its own, which the end of the process ends if the source still waits.
func (s *session) pump(out sink) error {
	batches := make(chan batch)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			packets, err := s.src.read()
			select {
			case batches <- batch{packets, err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for {
		select {
		case b := <-batches:
			if enough, err := s.take(b.packets, out); enough || err != nil {
				return err
			}
			if b.err == io.EOF || b.err != nil && s.ctx.Err() != nil {
				return nil
			}
			if b.err != nil {
				return b.err
			}
		case <-s.ctx.Done():
			fmt.Fprintln(s.env.Stderr)
			return nil
		}
	}
}

// take gives packets to the sink, and says whether there have been enough.
func (s *session) take(packets []pcap.Packet, out sink) (enough bool, err error) {
	for i := range packets {
		if err := out.packet(&packets[i]); err != nil {
			return true, err
		}
		if s.captured++; s.captured == s.count {
			return true, nil
		}
	}
	return false, nil
}

// summary is what is said at the end of a capture.
func (s *session) summary() {
	s.env.Flush() //nolint:errcheck // Run reports it at the end
	say := func(n uint64, what string) {
		plural := "s"
		if n == 1 {
			plural = ""
		}
		fmt.Fprintf(s.env.Stderr, "%d packet%s %s\n", n, plural, what)
	}
	say(uint64(s.captured), "captured")
	if received, dropped, ok := s.src.counts(); ok {
		say(received, "received by filter")
		say(dropped, "dropped by kernel")
	}
}
