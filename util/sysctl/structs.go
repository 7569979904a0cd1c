package sysctl

import (
	"fmt"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// get reads a value of one size, or of a multiple of it if many, for a node with a form of its own. If there is
// nothing more to print it returns nil: the value is not to be had, or its bytes were asked for and are out.
func (t *tool) get(n *client.SysctlNode, size int, many bool) []byte {
	b, err := t.tree.Value(n)
	if err != nil {
		t.unreadable(n.Path, err)
		return nil
	}
	if len(b) != size && !(many && len(b)%size == 0) {
		t.complain("%s: !returned size wrong!", n.Path)
		return nil
	}
	if t.hex > 0 || t.raw {
		t.structure(n, b, value)
		return nil
	}
	return b
}

// printLabelled prints "name: text", or the text alone with -n.
func (t *tool) printLabelled(path, format string, args ...any) {
	if t.quiet {
		return
	}
	if t.bare == 0 {
		t.printf("%s: ", path)
	}
	t.printf(format+"\n", args...)
}

// printAssigned prints "name = text", or the text alone with -n.
func (t *tool) printAssigned(path, format string, args ...any) {
	if t.quiet {
		return
	}
	if t.bare == 0 {
		t.printf("%s%s", path, t.eq)
	}
	t.printf(format+"\n", args...)
}

func printClockrate(t *tool, n *client.SysctlNode) {
	var c abi.Clockinfo
	if b := t.get(n, abi.SizeofClockinfo, false); b != nil && c.Decode(b) == nil {
		t.printLabelled(n.Path, "tick = %d, tickadj = %d, hz = %d, profhz = %d, stathz = %d",
			c.Tick, c.Tickadj, c.Hz, c.Profhz, c.Stathz)
	}
}

func printBoottime(t *tool, n *client.SysctlNode) {
	var tv abi.Timeval
	b := t.get(n, abi.SizeofTimeval, false)
	if b == nil || tv.Decode(b) != nil {
		return
	}
	switch t.bare {
	case 0:
		t.printAssigned(n.Path, "%s", time.Unix(tv.Sec, 0).In(t.env.Location()).Format(time.ANSIC))
	case 1:
		t.printAssigned(n.Path, "%d", tv.Sec)
	default:
		t.printAssigned(n.Path, "%d.%06d", tv.Sec, tv.Usec)
	}
}

func printConsdev(t *tool, n *client.SysctlNode) {
	b := t.get(n, 8, false)
	if b == nil {
		return
	}
	dev := decodeNumber(b)
	if name := t.deviceName(dev); name != "" && t.bare < 2 {
		t.printAssigned(n.Path, "%s", name)
		return
	}
	t.printAssigned(n.Path, "0x%x", dev)
}

// deviceName returns the name of a character device in the kernel's /dev, or "".
func (t *tool) deviceName(dev uint64) string {
	list, err := t.env.Proc.ReadDir("/dev")
	if err != nil {
		return ""
	}
	for _, e := range list {
		var st abi.Stat
		if err := t.env.Proc.Sys().Lstat("/dev/"+e.Name(), &st); err == nil &&
			st.Mode&abi.S_IFMT == abi.S_IFCHR && st.Rdev == dev {
			return e.Name()
		}
	}
	return ""
}

func printLoadavg(t *tool, n *client.SysctlNode) {
	var l abi.Loadavg
	b := t.get(n, abi.SizeofLoadavg, false)
	if b == nil || l.Decode(b) != nil || l.Fscale == 0 {
		return
	}
	var avg [3]float64
	for i, v := range l.Ldavg {
		avg[i] = float64(v) / float64(l.Fscale)
	}
	t.printLabelled(n.Path, "%.2f %.2f %.2f", avg[0], avg[1], avg[2])
}

func printDrivers(t *tool, n *client.SysctlNode) {
	b := t.get(n, abi.SizeofKinfoDrivers, true)
	if b == nil {
		return
	}
	var list []string
	for ; len(b) > 0; b = b[abi.SizeofKinfoDrivers:] {
		var d abi.KinfoDrivers
		if d.Decode(b) != nil {
			return
		}
		list = append(list, fmt.Sprintf("[%d %d %s]", d.Cmajor, d.Bmajor, abi.CString(d.Name[:])))
	}
	t.printAssigned(n.Path, "%s", strings.Join(list, ", "))
}

// cpTimes is the size of one processor's times.
const cpTimes = abi.CPUSTATES * 8

// printCPTime prints the sum of the processors' times; with -A each processor's too.
func printCPTime(t *tool, n *client.SysctlNode) {
	b, err := t.cpu(n, cpTimes)
	if err != nil {
		t.unreadable(n.Path, err)
		return
	}
	if len(b) == 0 || len(b)%cpTimes != 0 {
		t.complain("%s: !returned size wrong!", n.Path)
		return
	}
	if !t.all || len(n.MIB) > 2 {
		t.printTimes(n, n.Path, b[:cpTimes])
		return
	}
	sum := make([]byte, cpTimes)
	for i := range b {
		if i%8 == 0 {
			at := i % cpTimes
			v, _ := encodeNumber(abi.CTLTYPE_QUAD, decodeNumber(sum[at:at+8])+decodeNumber(b[i:i+8]))
			copy(sum[at:], v)
		}
	}
	t.printTimes(n, n.Path, sum)
	for i := 0; i*cpTimes < len(b); i++ {
		t.printTimes(n, fmt.Sprintf("%s%s%d", n.Path, client.Separator(n.Path), i), b[i*cpTimes:][:cpTimes])
	}
}

// cpu reads one value of a processor, or with -A that of all: the kernel goes by the room it is given.
func (t *tool) cpu(n *client.SysctlNode, size int) ([]byte, error) {
	if len(n.MIB) == 2 && t.all {
		count, err := t.tree.Int("hw.ncpu")
		if err != nil {
			return nil, err
		}
		size *= min(max(count, 1), 1<<16)
	}
	b := make([]byte, size)
	got, err := t.env.Proc.Sys().Sysctl(n.MIB, b, nil)
	return b[:min(got, size)], err
}

// printTimes prints the times of one processor, or the sum.
func (t *tool) printTimes(n *client.SysctlNode, path string, b []byte) {
	if t.hex > 0 || t.raw {
		named := *n
		named.Path = path
		t.structure(&named, b, value)
		return
	}
	at := func(state int) uint64 { return decodeNumber(b[8*state : 8*state+8]) }
	t.printLabelled(path, "user = %d, nice = %d, sys = %d, intr = %d, idle = %d",
		at(abi.CP_USER), at(abi.CP_NICE), at(abi.CP_SYS), at(abi.CP_INTR), at(abi.CP_IDLE))
}

// printCPID prints the processors' identifiers: one, all on a line, or with -A each on one.
func printCPID(t *tool, n *client.SysctlNode) {
	b := t.get(n, 8, true)
	if b == nil {
		return
	}
	var list []string
	for i := 0; 8*i < len(b); i++ {
		id := decodeNumber(b[8*i : 8*i+8])
		switch {
		case len(n.MIB) > 2:
			t.printAssigned(n.Path, "%d", id)
			return
		case t.all:
			t.printAssigned(fmt.Sprintf("%s%s%d", n.Path, client.Separator(n.Path), i), "%d", id)
		default:
			list = append(list, fmt.Sprintf("%d = %d", i, id))
		}
	}
	if !t.all {
		t.printLabelled(n.Path, "%s", strings.Join(list, ", "))
	}
}
