package netstat

import (
	"fmt"
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/kinfo"
)

// showBPFStats prints the statistics of bpf(4).
func (c *command) showBPFStats() int {
	b, err := c.env.Proc.Sysctl().Bytes("net.bpf.stats")
	var s abi.BpfStat
	if err == nil {
		err = s.Decode(b)
	}
	if err != nil {
		return c.env.Err(err, "net.bpf.stats")
	}
	fmt.Fprintf(c.env.Stdout, "bpf:\n\t%d total packets received\n\t%d total packets captured\n\t%d total packets dropped\n", s.Recv, s.Capt, s.Drop)
	return util.ExitOK
}

// showBPF prints the descriptors of bpf(4), those of -I's interface if it is given.
func (c *command) showBPF() int {
	node, err := c.env.Proc.Sysctl().Lookup("net.bpf.peers")
	if err != nil {
		return c.env.Err(err, "sysctlnametomib: net.bpf.peers")
	}
	mib := append(append([]int32(nil), node.MIB...), abi.SizeofBpfDExt, math.MaxInt32)
	b, err := c.env.Proc.Sysctl().Get(mib)
	if err != nil {
		return c.env.Err(err, "sysctl: net.bpf.peers")
	}
	fmt.Fprintln(c.env.Stdout, "Active BPF peers\nPID\tInt\tRecv     Drop     Capt     Flags  Bufsize  Comm")
	var d abi.BpfDExt
	for ; d.Decode(b) == nil; b = b[abi.SizeofBpfDExt:] {
		if c.ifname == "" || c.ifname == abi.CString(d.Ifname[:]) {
			name, ok := kinfo.Command(c.env.Proc, d.Pid)
			if !ok {
				name = "-"
			}
			fmt.Fprintln(c.env.Stdout, bpfText(&d, name))
		}
	}
	return util.ExitOK
}

// bpfText is a descriptor in columns.
func bpfText(d *abi.BpfDExt, command string) string {
	name := abi.CString(d.Ifname[:])
	if name == "" {
		name = "-"
	}
	flags := []byte("-----")
	if states := "IWT"; int(d.State) < len(states) {
		flags[0] = states[d.State]
	}
	for i, f := range []struct {
		on     bool
		letter byte
	}{{d.Promisc != 0, 'P'}, {d.Immediate != 0, 'R'}, {d.Seesent != 0, 'S'}, {d.Hdrcmplt != 0, 'H'}} {
		if f.on {
			flags[i+1] = f.letter
		}
	}
	return fmt.Sprintf("%-7d %-7s %-8d %-8d %-8d %s  %-8d %s", d.Pid, name, d.Rcount, d.Dcount, d.Ccount, flags, d.Bufsize, command)
}
