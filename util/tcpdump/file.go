package tcpdump

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/rumpctrl/rumpctrl/ondisk/pcap"
	"github.com/rumpctrl/rumpctrl/util/tcpdump/bpfexpr"
)

const (
	// linkLoop is LinkNull with the address family in network order.
	linkLoop = 108
	// maxBatch is how many packets of a file are read ahead.
	maxBatch = 256
)

// file is a pcap file that is read.
type file struct {
	in     *bufio.Reader
	rd     *pcap.Reader
	filter *bpfexpr.Filter
}

// openFile is -r.
func (s *session) openFile() (*file, error) {
	in := s.env.Stdin
	if s.read != "-" {
		f, err := s.env.Proc.Open(s.read)
		if err != nil {
			return nil, failed(err, "%s", s.read)
		}
		in = f
	}
	f := &file{in: bufio.NewReaderSize(in, bufferSize)}
	var err error
	f.rd, err = pcap.NewReader(f.in)
	return f, failed(err, "%s", s.read)
}

func (f *file) link() (uint32, binary.ByteOrder) {
	if f.rd.LinkType() == linkLoop {
		return pcap.LinkNull, binary.BigEndian
	}
	return f.rd.LinkType(), f.rd.Order()
}

func (f *file) setFilter(filter *bpfexpr.Filter) error {
	f.filter = filter
	return nil
}

// read reads the next packet that the filter lets through, and those that can be had without waiting.
func (f *file) read() ([]pcap.Packet, error) {
	var list []pcap.Packet
	for len(list) == 0 || len(list) < maxBatch && f.in.Buffered() > 0 {
		p, err := f.rd.Next()
		if err != nil {
			return list, err
		}
		if f.filter.Match(p.Data, p.Len) {
			p.Data = bytes.Clone(p.Data)
			list = append(list, p)
		}
	}
	return list, nil
}

func (*file) counts() (received, dropped uint64, ok bool) { return 0, 0, false }

// writer is -w.
type writer struct {
	out   *bufio.Writer
	file  io.Closer // nil for standard output
	flush func() error
	pcap  *pcap.Writer
	snap  int
	each  bool // packet is written at once
}

func (s *session) openSink() (sink, error) {
	if !s.has('w') {
		return newPrinter(s), nil
	}
	w := &writer{each: s.has('U'), flush: s.env.Flush, snap: int(s.snaplen)}
	var out io.Writer = s.env.Stdout
	if s.write != "-" {
		f, err := s.env.Proc.Create(s.write)
		if err != nil {
			return nil, failed(err, "%s", s.write)
		}
		out, w.file, w.flush = f, f, func() error { return nil }
	}
	w.out = bufio.NewWriterSize(out, bufferSize)
	linkType, order := s.src.link()
	if linkType == pcap.LinkNull && order == binary.BigEndian {
		linkType = linkLoop
	}
	var err error
	w.pcap, err = pcap.NewWriter(w.out, s.snaplen, linkType)
	if err == nil && w.each {
		err = w.sync()
	}
	return w, err
}

func (w *writer) packet(p *pcap.Packet) error {
	p.Data = p.Data[:min(len(p.Data), w.snap)]
	if err := w.pcap.Write(p); err != nil || !w.each {
		return err
	}
	return w.sync()
}

func (w *writer) sync() error {
	if err := w.out.Flush(); err != nil {
		return err
	}
	return w.flush()
}

func (w *writer) close() error {
	err := w.sync()
	if w.file != nil {
		if e := w.file.Close(); err == nil {
			err = e
		}
	}
	return err
}
