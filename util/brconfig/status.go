package brconfig

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// bitName is the name of a flag.
type bitName struct {
	bit  uint32
	name string
}

var (
	interfaceFlags = []bitName{
		{abi.IFF_UP, "UP"}, {abi.IFF_BROADCAST, "BROADCAST"}, {abi.IFF_DEBUG, "DEBUG"}, {abi.IFF_LOOPBACK, "LOOPBACK"},
		{abi.IFF_POINTOPOINT, "POINTOPOINT"}, {abi.IFF_NOTRAILERS, "NOTRAILERS"}, {abi.IFF_RUNNING, "RUNNING"},
		{abi.IFF_NOARP, "NOARP"}, {abi.IFF_PROMISC, "PROMISC"}, {abi.IFF_ALLMULTI, "ALLMULTI"}, {abi.IFF_OACTIVE, "OACTIVE"},
		{abi.IFF_SIMPLEX, "SIMPLEX"}, {abi.IFF_LINK0, "LINK0"}, {abi.IFF_LINK1, "LINK1"}, {abi.IFF_LINK2, "LINK2"},
		{abi.IFF_MULTICAST, "MULTICAST"},
	}
	memberFlags  = []bitName{{abi.IFBIF_LEARNING, "LEARNING"}, {abi.IFBIF_DISCOVER, "DISCOVER"}, {abi.IFBIF_STP, "STP"}}
	addressFlags = []bitName{{abi.IFBAF_STATIC, "STATIC"}}
)

// stpStates are the names of BSTP_IFSTATE_*.
var stpStates = [...]string{
	abi.BSTP_IFSTATE_DISABLED: "disabled", abi.BSTP_IFSTATE_LISTENING: "listening", abi.BSTP_IFSTATE_LEARNING: "learning",
	abi.BSTP_IFSTATE_FORWARDING: "forwarding", abi.BSTP_IFSTATE_BLOCKING: "blocking",
}

// flagText is "flags=43<UP,BROADCAST,RUNNING>".
func flagText(v uint32, names []bitName) string {
	var on []string
	for _, n := range names {
		if v&n.bit != 0 {
			on = append(on, n.name)
		}
	}
	return fmt.Sprintf("flags=%x<%s>", v, strings.Join(on, ","))
}

// status shows the bridge.
func (c *config) status() error {
	out := c.env.Stdout
	fmt.Fprintf(out, "%s: %s\n\tConfiguration:\n", c.bridge, flagText(c.flags, interfaceFlags))
	if err := c.showConfig("\t\t"); err != nil {
		return err
	}
	fmt.Fprintf(out, "\tInterfaces:\n")
	if err := c.showMembers("\t\t"); err != nil {
		return err
	}
	size, err := c.number(abi.BRDGGCACHE)
	if err != nil {
		return failed(err, "unable to get address cache size")
	}
	timeout, err := c.number(abi.BRDGGTO)
	if err != nil {
		return failed(err, "unable to get address timeout")
	}
	fmt.Fprintf(out, "\tAddress cache (max cache: %d, timeout: %d):\n", size, timeout)
	return c.showAddresses("\t\t")
}

func (c *config) showConfig(prefix string) error {
	var values [4]uint32
	for i, p := range []struct {
		cmd  uint64
		mask uint32
		what string
	}{
		{abi.BRDGGPRI, 0xffff, "bridge priority"}, {abi.BRDGGHT, 0xff, "hellotime"}, {abi.BRDGGFD, 0xff, "forward delay"}, {abi.BRDGGMA, 0xff, "max age"},
	} {
		v, err := c.number(p.cmd)
		if err != nil {
			return failed(err, "unable to get %s", p.what)
		}
		values[i] = v & p.mask
	}
	fmt.Fprintf(c.env.Stdout, "%spriority %d hellotime %d fwddelay %d maxage %d\n", prefix, values[0], values[1], values[2], values[3])
	filter, err := c.number(abi.BRDGGFILT)
	if err != nil {
		filter = 0 // a bridge that was built without filtering
	}
	state := "disabled"
	if filter&abi.IFBF_FILT_USEIPF != 0 {
		state = "enabled"
	}
	fmt.Fprintf(c.env.Stdout, "%sipfilter %s flags 0x%x\n", prefix, state, filter)
	return nil
}

func (c *config) showMembers(prefix string) error {
	list, err := c.list(abi.BRDGGIFS, abi.SizeofIfbreq)
	if err != nil {
		return failed(err, "unable to get interface list")
	}
	for raw := range slices.Chunk(list, abi.SizeofIfbreq) {
		var r abi.Ifbreq
		if err := r.Decode(raw); err != nil {
			return err
		}
		fmt.Fprintf(c.env.Stdout, "%s%s %s\n%s\tport %d priority %d", prefix, abi.CString(r.Ifsname[:]), flagText(r.Ifsflags, memberFlags),
			prefix, r.Portno, r.Priority)
		if r.Ifsflags&abi.IFBIF_STP != 0 {
			state := fmt.Sprintf("<unknown state %d>", r.State)
			if int(r.State) < len(stpStates) {
				state = stpStates[r.State]
			}
			fmt.Fprintf(c.env.Stdout, " path cost %d %s", r.PathCost, state)
		}
		fmt.Fprintln(c.env.Stdout)
	}
	return nil
}

func (c *config) showAddresses(prefix string) error {
	list, err := c.list(abi.BRDGRTS, abi.SizeofIfbareq)
	if err != nil {
		return failed(err, "unable to get address cache")
	}
	for raw := range slices.Chunk(list, abi.SizeofIfbareq) {
		var a abi.Ifbareq
		if err := a.Decode(raw); err != nil {
			return err
		}
		fmt.Fprintf(c.env.Stdout, "%s%s %s %d %s\n", prefix, etherText(a.Dst), abi.CString(a.Ifsname[:]), a.Expire,
			flagText(uint32(a.Flags), addressFlags))
	}
	return nil
}
