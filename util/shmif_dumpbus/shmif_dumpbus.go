// Package shmif_dumpbus is shmif_dumpbus(1): it lists the frames that a shmif bus still holds, or makes a pcap file of them.
//
// It needs no kernel: the bus is a file of the host, as is the pcap file, because that is where kernels share buses. Both names are
// the host's even in a shell on a kernel. The formats are packages ondisk/shmif and ondisk/pcap.
package shmif_dumpbus

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/ondisk/pcap"
	"github.com/rumpctrl/rumpctrl/ondisk/shmif"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is shmif_dumpbus(1).
var Utility = util.Utility{
	Name:    "shmif_dumpbus",
	Section: 1,
	Doc:     "examine shmif bus contents",
	Usage:   []string{"[-h] [-p pcapfile] buspath"},
	Options: []util.Option{
		{Letter: 'h', Doc: "Print the header of the bus alone."},
		{Letter: 'p', Arg: "pcapfile", Doc: "Write the frames to a pcap file of the host; - is the standard output, and the list goes to standard error."},
	},
	Operands: []util.Operand{{Name: "buspath", Doc: "The bus: a file of the host."}},
	NoKernel: true,
	Main:     run,
}

// snaplen is what the pcap file says of how much there may be of a frame.
const snaplen = 1518

func run(_ context.Context, env *util.Env) int {
	headerOnly, pcapFile := false, ""
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'h':
			headerOnly = true
		case 'p':
			pcapFile = g.Arg
		default:
			return env.UsageError()
		}
	}
	if len(g.Args()) != 1 {
		return env.UsageError()
	}
	path := g.Args()[0]
	bus, err := os.Open(path)
	if err != nil {
		return env.Err(hostError(err), "open bus")
	}
	defer bus.Close()
	list := env.Stdout
	if pcapFile == "-" {
		list = env.Stderr
	}
	rd, err := shmif.NewReader(bus)
	if err != nil {
		return env.Errx("%s", refusal(path, err))
	}
	printHeader(list, rd.Header())
	switch {
	case headerOnly:
		return util.ExitOK
	case pcapFile == "":
		err = dump(list, rd, path, nil)
	default:
		err = dumpTo(env, list, rd, path, pcapFile)
	}
	if err != nil {
		return env.Errx("%s", err)
	}
	return util.ExitOK
}

// hostError is an error of the host's files with NetBSD's text, where NetBSD has one.
func hostError(err error) error {
	for _, c := range []struct {
		is    error
		errno abi.Errno
	}{{fs.ErrNotExist, abi.ENOENT}, {fs.ErrPermission, abi.EACCES}, {fs.ErrExist, abi.EEXIST}} {
		if errors.Is(err, c.is) {
			return c.errno
		}
	}
	return err
}

// refusal says why a bus cannot be read.
func refusal(path string, err error) error {
	var version shmif.VersionError
	switch {
	case errors.Is(err, shmif.ErrNotBus):
		return util.Messagef("%s not a shmif bus", path)
	case errors.As(err, &version):
		return util.Messagef("bus version %d, program %d", uint32(version), shmif.Version)
	}
	return util.Messagef("%s: %s", path, hostError(err))
}

func printHeader(w io.Writer, h shmif.Header) {
	fmt.Fprintf(w, "bus version %d, lock: %d, generation: %d, firstoff: 0x%04x, lastoff: 0x%04x\n",
		h.Version, h.Lock, h.Gen, h.First, h.Last)
}

// dumpTo is dump into a pcap file. A file of the host is complete when it returns without an error.
func dumpTo(env *util.Env, list io.Writer, rd *shmif.Reader, path, name string) error {
	if name == "-" {
		return dump(list, rd, path, env.Stdout)
	}
	f, err := os.Create(name)
	if err != nil {
		return util.Messagef("cannot open pcap dump file: %s", hostError(err))
	}
	out := bufio.NewWriter(f)
	err = dump(list, rd, path, out)
	flushed, closed := out.Flush(), f.Close()
	if err == nil {
		err = errors.Join(flushed, closed)
	}
	return err
}

// dump lists the frames, the oldest first, and writes them to out unless that is nil. The errors are messages.
func dump(list io.Writer, rd *shmif.Reader, path string, out io.Writer) error {
	var w *pcap.Writer
	if out != nil {
		var err error
		if w, err = pcap.NewWriter(out, snaplen, pcap.LinkEthernet); err != nil {
			return err
		}
	}
	for i := 0; ; i++ {
		f, err := rd.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return refusal(path, err)
		}
		fmt.Fprintf(list, "packet %d, offset 0x%04x, length 0x%04x, ts %d/%06d\n", i, (f.Offset+shmif.FrameHeaderSize)%shmif.DataSize,
			f.Len, f.Time/time.Second, f.Time%time.Second/time.Microsecond)
		if w == nil {
			continue
		}
		p := pcap.Packet{Time: time.Unix(0, int64(f.Time)), Len: len(f.Data), Data: f.Data}
		if err := w.Write(&p); err != nil {
			return err
		}
	}
}
