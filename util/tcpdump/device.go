package tcpdump

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/bpf"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/ondisk/pcap"
	"github.com/rumpctrl/rumpctrl/util/tcpdump/bpfexpr"
)

// bufferSize is how much the kernel is asked to keep for one read, in bytes.
const bufferSize = 256 << 10

var le = binary.LittleEndian

// device is an open /dev/bpf that is bound to an interface.
type device struct {
	sys  *client.Sys
	fd   int
	name string
	dlt  uint32
	buf  []byte
}

// linkTypes are the data link types that -y knows.
var linkTypes = []struct {
	number     uint32
	name, text string
}{{pcap.LinkEthernet, "EN10MB", "Ethernet"}, {pcap.LinkNull, "NULL", "BSD loopback"}}

func linkText(number uint32) string {
	for _, l := range linkTypes {
		if l.number == number {
			return l.name + " (" + l.text + ")"
		}
	}
	return strconv.FormatUint(uint64(number), 10)
}

// openDevice opens the packet filter for the interface that is asked for.
func (s *session) openDevice() (*device, error) {
	name, err := s.chooseInterface()
	if err != nil {
		return nil, err
	}
	d := &device{sys: s.env.Proc.Sys(), name: name}
	if d.fd, err = d.sys.Open("/dev/bpf", abi.O_RDONLY, 0); err != nil {
		return nil, failed(err, "/dev/bpf")
	}
	if err := d.bind(s.linkType); err != nil {
		return nil, err
	}
	if !s.has('p') && !s.has('L') {
		if err := d.sys.Ioctl(d.fd, abi.BIOCPROMISC, nil); err != nil {
			return nil, failed(err, "%s: BIOCPROMISC", name)
		}
	}
	return d, nil
}

// bind binds the descriptor to the interface, and gives it a buffer.
func (d *device) bind(linkType string) error {
	size := le.AppendUint32(nil, bufferSize)
	if err := d.sys.Ioctl(d.fd, abi.BIOCSBLEN, size); err != nil {
		return failed(err, "BIOCSBLEN")
	}
	ifr := make([]byte, abi.SizeofIfreq)
	copy(ifr[:abi.IFNAMSIZ-1], d.name)
	if err := d.sys.Ioctl(d.fd, abi.BIOCSETIF, ifr); err != nil {
		return failed(err, "BIOCSETIF: %s", d.name)
	}
	if err := d.sys.Ioctl(d.fd, abi.BIOCGBLEN, size); err != nil {
		return failed(err, "BIOCGBLEN")
	}
	if n := le.Uint32(size); n == 0 || n > abi.BPF_MAXBUFSIZE {
		return fmt.Errorf("BIOCGBLEN: a buffer of %d bytes", n)
	}
	d.buf = make([]byte, le.Uint32(size))
	if err := d.sys.Ioctl(d.fd, abi.BIOCIMMEDIATE, le.AppendUint32(nil, 1)); err != nil {
		return failed(err, "BIOCIMMEDIATE")
	}
	return d.setLinkType(linkType)
}

// setLinkType is -y, and asks what the data link type is.
func (d *device) setLinkType(name string) error {
	arg := make([]byte, 4)
	for _, l := range linkTypes {
		if strings.EqualFold(name, l.name) {
			le.PutUint32(arg, l.number)
			if err := d.sys.Ioctl(d.fd, abi.BIOCSDLT, arg); err != nil {
				return fmt.Errorf("%s is not one of the DLTs supported by this device", l.name)
			}
			name = ""
		}
	}
	if name != "" {
		return fmt.Errorf("invalid data link type %s", name)
	}
	if err := d.sys.Ioctl(d.fd, abi.BIOCGDLT, arg); err != nil {
		return failed(err, "BIOCGDLT")
	}
	d.dlt = le.Uint32(arg)
	return nil
}

// maxLinkTypes is more than any interface has.
const maxLinkTypes = 64

// listLinkTypes is -L.
func (d *device) listLinkTypes(w io.Writer) error {
	list := make([]byte, 4*maxLinkTypes)
	var raw []byte
	err := d.sys.IoctlFunc(d.fd, abi.BIOCGDLTLIST, func(l client.Lender) []byte {
		arg := abi.BpfDltlist{Len: maxLinkTypes, List: l.Out(list)}
		raw = arg.Append(nil)
		return raw
	})
	if err != nil {
		return failed(err, "BIOCGDLTLIST")
	}
	fmt.Fprintf(w, "Data link types for %s (use option -y to set):\n", d.name)
	for i := range min(le.Uint32(raw), maxLinkTypes) {
		fmt.Fprintf(w, "  %s\n", linkText(le.Uint32(list[4*i:])))
	}
	return nil
}

func (d *device) link() (uint32, binary.ByteOrder) { return d.dlt, le }

// setFilter is BIOCSETF.
func (d *device) setFilter(f *bpfexpr.Filter) error {
	list, err := bpf.Assemble(f.Program())
	if err != nil {
		return err
	}
	var raw []byte
	for _, in := range list {
		insn := abi.BpfInsn{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
		raw = insn.Append(raw)
	}
	err = d.sys.IoctlFunc(d.fd, abi.BIOCSETF, func(l client.Lender) []byte {
		arg := abi.BpfProgram{Len: uint32(len(list)), Insns: l.In(raw)}
		return arg.Append(nil)
	})
	return failed(err, "BIOCSETF")
}

// read reads what the kernel has, and waits for it.
func (d *device) read() ([]pcap.Packet, error) {
	for {
		n, err := d.sys.Read(d.fd, d.buf)
		if err == abi.EINTR {
			continue
		}
		if err != nil {
			return nil, failed(err, "read")
		}
		if packets := records(d.buf[:n]); len(packets) > 0 {
			return packets, nil
		}
	}
}

// records takes a buffer of bpf(4) apart. What is damaged ends it.
func records(b []byte) []pcap.Packet {
	var list []pcap.Packet
	b = append([]byte(nil), b...)
	for len(b) >= abi.SizeofBpfHdr {
		var h abi.BpfHdr
		if h.Decode(b) != nil || int(h.Hdrlen) < abi.BPF_ALIGNMENT || uint64(h.Hdrlen)+uint64(h.Caplen) > uint64(len(b)) {
			break
		}
		end := int(h.Hdrlen) + int(h.Caplen)
		list = append(list, pcap.Packet{
			Time: time.Unix(h.Tstamp.Sec, h.Tstamp.Usec*1000), Len: int(min(h.Datalen, 1<<31-1)), Data: b[h.Hdrlen:end:end],
		})
		b = b[min(len(b), (end+abi.BPF_ALIGNMENT-1)&^(abi.BPF_ALIGNMENT-1)):]
	}
	return list
}

// counts is BIOCGSTATS.
func (d *device) counts() (received, dropped uint64, ok bool) {
	raw := make([]byte, abi.SizeofBpfStat)
	var st abi.BpfStat
	if d.sys.Ioctl(d.fd, abi.BIOCGSTATS, raw) != nil || st.Decode(raw) != nil {
		return 0, 0, false
	}
	return st.Recv, st.Drop, true
}

// interfaceFlags are what -D says of an interface.
var interfaceFlags = []struct {
	flag int
	name string
}{{abi.IFF_UP, "Up"}, {abi.IFF_RUNNING, "Running"}, {abi.IFF_LOOPBACK, "Loopback"}}

// interfaces are those of the kernel, loopback interfaces last.
func (s *session) interfaces() ([]client.Interface, error) {
	list, err := s.env.Proc.Interfaces()
	if err != nil {
		return nil, failed(err, "getifaddrs")
	}
	var first, last []client.Interface
	for i := range list {
		if list[i].Flags&abi.IFF_LOOPBACK != 0 {
			last = append(last, list[i])
		} else {
			first = append(first, list[i])
		}
	}
	return append(first, last...), nil
}

// listInterfaces is -D.
func (s *session) listInterfaces() error {
	list, err := s.interfaces()
	if err != nil {
		return err
	}
	for i := range list {
		var on []string
		for _, f := range interfaceFlags {
			if list[i].Flags&f.flag != 0 {
				on = append(on, f.name)
			}
		}
		flags := ""
		if len(on) > 0 {
			flags = " [" + strings.Join(on, ", ") + "]"
		}
		fmt.Fprintf(s.env.Stdout, "%d.%s%s\n", i+1, list[i].Name, flags)
	}
	return nil
}

// chooseInterface is the interface of -i, or the first that is up.
func (s *session) chooseInterface() (string, error) {
	number, err := strconv.Atoi(s.device)
	if s.device != "" && err != nil {
		return s.device, nil
	}
	list, err := s.interfaces()
	if err != nil {
		return "", err
	}
	if s.device != "" {
		if number < 1 || number > len(list) {
			return "", fmt.Errorf("invalid adapter index %s", s.device)
		}
		return list[number-1].Name, nil
	}
	for i := range list {
		if list[i].Flags&abi.IFF_UP != 0 {
			return list[i].Name, nil
		}
	}
	return "", fmt.Errorf("no suitable device found")
}
