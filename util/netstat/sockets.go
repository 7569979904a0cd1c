package netstat

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/kinfo"
)

// tcpStates are the names of TCPS_*, and what they are cut to where columns are narrow.
var tcpStates = [abi.TCP_NSTATES][2]string{
	abi.TCPS_CLOSED: {"CLOSED", "CLOSED"}, abi.TCPS_LISTEN: {"LISTEN", "LISTEN"}, abi.TCPS_SYN_SENT: {"SYN_SENT", "SYNSEN"},
	abi.TCPS_SYN_RECEIVED: {"SYN_RECEIVED", "SYSRCV"}, abi.TCPS_ESTABLISHED: {"ESTABLISHED", "ESTABL"},
	abi.TCPS_CLOSE_WAIT: {"CLOSE_WAIT", "CLWAIT"}, abi.TCPS_FIN_WAIT_1: {"FIN_WAIT_1", "FWAIT1"}, abi.TCPS_CLOSING: {"CLOSING", "CLOSNG"},
	abi.TCPS_LAST_ACK: {"LAST_ACK", "LASTAK"}, abi.TCPS_FIN_WAIT_2: {"FIN_WAIT_2", "FWAIT2"}, abi.TCPS_TIME_WAIT: {"TIME_WAIT", "TMWAIT"},
}

// layout is how the columns of sockets are set.
type layout struct {
	width   int  // of an address with its port
	host    int  // of an address
	compact bool // with numbers and control blocks there is no room for more
}

func (c *command) layout(v6 bool) layout {
	switch {
	case !c.on['A']:
		return layout{width: 22, host: 16}
	case v6:
		return layout{width: 18, host: 12, compact: c.numericAddr()}
	case c.numericAddr():
		return layout{width: 21, host: 16, compact: true}
	}
	return layout{width: 18, host: 12}
}

// showSockets prints the sockets of a protocol.
func (c *command) showSockets(p *protocol) int {
	list, err := kinfo.Sockets(c.env.Proc, p.sockets)
	if err != nil {
		return c.env.Err(err, "sysctl: %s", p.sockets)
	}
	for i := range list {
		if peer, _ := kinfo.Inet(&list[i].D); c.on['a'] || known(peer) {
			c.title(c.socketTitle(p.family == abi.AF_INET6))
			c.printSocket(p, &list[i])
		}
	}
	return util.ExitOK
}

// known says whether an address is one: of IPv4, with a host's part by its class, too.
func known(a netip.Addr) bool {
	if !a.IsValid() || a.IsUnspecified() {
		return false
	}
	if a.Is6() {
		return true
	}
	b := a.As4()
	switch {
	case b[0] < 128:
		return b[1]|b[2]|b[3] != 0
	case b[0] < 192:
		return b[2]|b[3] != 0
	}
	return b[3] != 0
}

// socketTitle is the head of the sockets of a family.
func (c *command) socketTitle(v6 bool) string {
	name, state, l := "Internet", "State", c.layout(v6)
	gap := " "
	if v6 {
		name, state = "Internet6", "(state)"
	} else if l.compact {
		gap = ""
	}
	servers, pcb := "", ""
	if c.on['a'] {
		servers = " (including servers)"
	}
	if c.on['A'] {
		pcb = fmt.Sprintf("%-8s ", "PCB")
	}
	return fmt.Sprintf("Active %s connections%s\n%s%-5s %-6s %-6s %s%-*s %-*s %s\n", name, servers, pcb, "Proto", "Recv-Q", "Send-Q", gap,
		l.width, "Local Address", l.width, "Foreign Address", state)
}

// printSocket prints a socket.
func (c *command) printSocket(p *protocol, k *abi.KinfoPcb) {
	out, l := c.env.Stdout, c.layout(p.family == abi.AF_INET6)
	if c.on['A'] {
		fmt.Fprintf(out, "%8x ", k.Ppcbaddr)
	}
	gap := " "
	if l.compact {
		gap = ""
	}
	fmt.Fprintf(out, "%-5s %6d %6d%s", p.name, k.Rcvq, k.Sndq, gap)
	udp := strings.HasPrefix(p.name, "udp")
	for _, sa := range []*[264]byte{&k.S, &k.D} {
		a, port := kinfo.Inet(sa)
		text := c.address(a, port, udp, l)
		width := l.width
		if c.on['v'] {
			width = max(width, len(text))
		}
		fmt.Fprintf(out, " %-*.*s", width, width, text)
	}
	if strings.HasPrefix(p.name, "tcp") {
		fmt.Fprintf(out, " %s", stateText(k.Tstate, l.compact))
	}
	fmt.Fprintln(out)
}

func stateText(state int32, compact bool) string {
	if state < 0 || int(state) >= len(tcpStates) {
		return fmt.Sprint(state)
	}
	if compact {
		return tcpStates[state][1]
	}
	return tcpStates[state][0]
}

// address is an address with its port, the address cut to what there is room for unless -v is given.
func (c *command) address(a netip.Addr, port uint16, udp bool, l layout) string {
	host := "*"
	if a.IsValid() && !a.IsUnspecified() {
		host = hostaddr.Name(c.ctx, a, c.numericAddr())
	}
	if !c.on['v'] && len(host) > l.host {
		host = host[:l.host]
	}
	return host + "." + hostaddr.Service(port, udp, c.numericPort())
}
