package sysctl

import (
	"path"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// special is how nodes are printed and set that have a form of their own.
type special struct {
	pattern string                                                  // of the path, as path.Match has it
	use     string                                                  // another program that prints it, with "' or '" between two
	print   func(t *tool, n *client.SysctlNode)                     // nil: only other programs do
	set     func(t *tool, n *client.SysctlNode, value string) error // nil: cannot be set
}

// specials has the nodes that are special, the first entry that matches counts. Those of nodes that are above
// others count while there are none below.
var specials = [...]special{
	{pattern: "/kern/clockrate", print: printClockrate},
	{pattern: "/kern/boottime", print: printBoottime},
	{pattern: "/kern/consdev", print: printConsdev},
	{pattern: "/kern/cp_time", print: printCPTime},
	{pattern: "/kern/cp_time/[0-9]*", print: printCPTime},
	{pattern: "/kern/cp_id", print: printCPID},
	{pattern: "/kern/cp_id/[0-9]*", print: printCPID},
	{pattern: "/kern/drivers", print: printDrivers},
	{pattern: "/kern/coredump/setid/mode", print: printMode, set: setMode},
	{pattern: "/vm/loadavg", print: printLoadavg},
	{pattern: "/net/inet*/ip*/anonportalgo/reserve", print: printPorts, set: setPorts},
	{pattern: "/proc/*/rlimit/*/*", print: printLimit, set: setLimit},

	{pattern: "/kern/evcnt", use: "vmstat -e"},
	{pattern: "/kern/vnode", use: "pstat"},
	{pattern: "/kern/proc", use: "ps"},
	{pattern: "/kern/proc2", use: "ps"},
	{pattern: "/kern/proc_args", use: "ps"},
	{pattern: "/kern/file", use: "pstat"},
	{pattern: "/kern/file2", use: "pstat"},
	{pattern: "/kern/ntptime", use: "ntpdc -c kerninfo"},
	{pattern: "/kern/msgbuf", use: "dmesg"},
	{pattern: "/kern/sysvipc_info", use: "ipcs"},
	{pattern: "/kern/intr/list", use: "intrctl"},
	{pattern: "/kern/intr/affinity", use: "intrctl"},
	{pattern: "/kern/intr/intr", use: "intrctl"},
	{pattern: "/kern/intr/nointr", use: "intrctl"},
	{pattern: "/vm/vmmeter", use: "vmstat' or 'systat"},
	{pattern: "/vm/uvmexp", use: "vmstat' or 'systat"},
	{pattern: "/vm/uvmexp2", use: "vmstat' or 'systat"},
	{pattern: "/vfs/nfs/nfsstats", use: "nfsstat"},
	{pattern: "/net/inet/tcp/ident", use: "identd"},
	{pattern: "/net/inet6/tcp6/ident", use: "identd"},
	{pattern: "/net/inet6/icmp6/nd6_[dp]rlist", use: "ndp"},
	{pattern: "/net/key/dumps[ap]", use: "setkey"},
	{pattern: "/net/*/*/pcblist", use: "netstat' or 'sockstat"},
	{pattern: "/net/inet/*/stats", use: "netstat"},
	{pattern: "/net/inet6/*/stats", use: "netstat"},
	{pattern: "/net/bpf/stats", use: "netstat"},
	{pattern: "/net/bpf/peers", use: "netstat"},
	{pattern: "/net/inet*/tcp*/deb*", use: "trpt"},
	{pattern: "/net/ns/spp/deb*", use: "trsp"},
	{pattern: "/hw/diskstats", use: "iostat"},
	{pattern: "/net/*"},
	{pattern: "/debug"},
	{pattern: "/ddb"},
	{pattern: "/vendor"},
}

// findSpecial returns the entry for a node, or nil.
func findSpecial(name string) *special {
	name = strings.TrimLeft(name, "./")
	name = "/" + strings.ReplaceAll(name, client.Separator(name), "/")
	for i := range specials {
		if ok, _ := path.Match(specials[i].pattern, name); ok {
			return &specials[i]
		}
	}
	return nil
}

// printSpecial prints a node by its entry.
func (t *tool) printSpecial(s *special, n *client.SysctlNode) {
	if s.print != nil {
		s.print(t, n)
		return
	}
	t.printOther(n, s.use)
}

// printOther prints the bytes of a node if they were asked for, or says who prints it.
func (t *tool) printOther(n *client.SysctlNode, use string) {
	if !t.curious() || t.mib {
		return
	}
	if n.Type() != abi.CTLTYPE_NODE && (t.hex > 0 || t.raw) {
		if b, err := t.tree.Value(n); err == nil && len(b) > 0 {
			t.structure(n, b, value)
			return
		}
	}
	switch {
	case use != "":
		t.complain("%s: use '%s' to view this information", n.Path, use)
	case n.MIB[0] == abi.CTL_NET:
		t.complain("%s: use 'netstat' to view this information", n.Path)
	case n.MIB[0] == abi.CTL_DEBUG:
		t.complain("%s: missing 'options DEBUG' from kernel?", n.Path)
	case n.MIB[0] == abi.CTL_DDB:
		t.complain("%s: missing 'options DDB' from kernel?", n.Path)
	case n.MIB[0] == abi.CTL_VENDOR:
		t.complain("%s: no vendor extensions installed", n.Path)
	}
}
