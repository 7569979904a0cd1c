package sockstat

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/kinfo"
)

// filter is which sockets are wanted.
type filter struct {
	inet, inet6, local   bool
	connected, listening bool // of neither all
	ports                []portRange
}

// portRange are the ports from lo to hi.
type portRange struct{ lo, hi uint16 }

// family adds a family by its name.
func (f *filter) family(name string) bool {
	switch strings.ToLower(name) {
	case "inet":
		f.inet = true
	case "inet6":
		f.inet6 = true
	case "local", "unix":
		f.local = true
	default:
		return false
	}
	return true
}

// addPorts adds a service, or a list of ports and ranges of ports. Errors: EINVAL.
func (f *filter) addPorts(list string) error {
	if port, ok := hostaddr.Port(list); ok {
		f.ports = append(f.ports, portRange{port, port})
		return nil
	}
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		lo, err := strconv.ParseUint(first, 10, 16)
		if err != nil {
			return abi.EINVAL
		}
		hi, err := strconv.ParseUint(last, 10, 16)
		if err != nil {
			return abi.EINVAL
		}
		f.ports = append(f.ports, portRange{uint16(lo), uint16(hi)})
	}
	return nil
}

// complete adds the families that are meant when none is said: all, or with ports those that have such. It is false when local sockets
// are wanted by their ports.
func (f *filter) complete() bool {
	if !f.inet && !f.inet6 && !f.local {
		f.inet, f.inet6, f.local = true, true, f.ports == nil
	}
	return f.ports == nil || !f.local
}

// lists are the sysctls of the sockets of the families.
func (f *filter) lists() []string {
	var names []string
	if f.inet {
		names = append(names, "net.inet.tcp.pcblist", "net.inet.udp.pcblist", "net.inet.raw.pcblist")
	}
	if f.inet6 {
		names = append(names, "net.inet6.tcp6.pcblist", "net.inet6.udp6.pcblist", "net.inet6.raw6.pcblist")
	}
	if f.local {
		names = append(names, "net.local.stream.pcblist", "net.local.seqpacket.pcblist", "net.local.dgram.pcblist")
	}
	return names
}

// inpConnected is INP_CONNECTED, the ki_prstate of a socket with a peer: netinet/in_pcb.h.
const inpConnected = 2

// isConnected says whether a socket has, or had, a peer.
func isConnected(k *abi.KinfoPcb) bool {
	return k.Sostate&abi.SS_ISCONNECTED != 0 || k.Prstate >= inpConnected || k.Tstate > abi.TCPS_LISTEN || k.Conn != 0
}

// isListening says whether anybody may send to a socket, or connect to it.
func isListening(k *abi.KinfoPcb) bool {
	switch {
	case isConnected(k):
		return false
	case k.Tstate == abi.TCPS_LISTEN:
		return true
	case k.Family == abi.AF_LOCAL:
		return kinfo.Path(&k.S) != ""
	}
	_, port := kinfo.Inet(&k.S)
	return k.Type == abi.SOCK_RAW || k.Type == abi.SOCK_DGRAM && port != 0
}

// wants says whether a socket is to be shown.
func (f *filter) wants(k *abi.KinfoPcb) bool {
	if f.connected || f.listening {
		if !(f.connected && isConnected(k) || f.listening && isListening(k)) {
			return false
		}
	}
	return f.ports == nil || f.hasPort(&k.S) || f.hasPort(&k.D)
}

// hasPort says whether the port of an address is one of those that are wanted.
func (f *filter) hasPort(sa *[264]byte) bool {
	a, port := kinfo.Inet(sa)
	for _, r := range f.ports {
		if a.IsValid() && r.lo <= port && port <= r.hi {
			return true
		}
	}
	return false
}
