package replay

import (
	"fmt"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/rtmsg"
)

// isRouteList recognises the sysctls of net.route that list routes and interfaces.
func isRouteList(c *Call) bool {
	if c.Name() != "__sysctl" || c.Arg(2) == 0 {
		return false
	}
	name := mib(c)
	return len(name) == 6 && name[0] == abi.CTL_NET && name[1] == abi.PF_ROUTE
}

// routeMessages are the messages of such a list in their order, without what varies: times, counters and padding.
func routeMessages(c *Call) map[string]string {
	list := map[string]string{}
	i := 0
	for m, err := range rtmsg.All(c.out(c.Arg(2), 1<<20)) {
		if err != nil {
			list["the end"] = err.Error()
			break
		}
		list[fmt.Sprintf("message %d", i)] = routeMessage(slices.Clone(m))
		i++
	}
	return list
}

// routeMessage is one message in words.
func routeMessage(m []byte) string {
	var head string
	var mask int32
	fixed := len(m)
	switch rtmsg.Type(m) {
	case abi.RTM_IFINFO:
		var h abi.IfMsghdr
		if h.Decode(m) == nil {
			d := &h.Data
			head = fmt.Sprintf("RTM_IFINFO flags %#x index %d type %d addrlen %d hdrlen %d link %d mtu %d metric %d baud %d", h.Flags, h.Index,
				d.Type, d.Addrlen, d.Hdrlen, d.LinkState, d.Mtu, d.Metric, d.Baudrate)
			mask, fixed = h.Addrs, abi.SizeofIfMsghdr
		}
	case abi.RTM_NEWADDR:
		var h abi.IfaMsghdr
		if h.Decode(m) == nil {
			head = fmt.Sprintf("RTM_NEWADDR flags %#x metric %d index %d", h.Flags, h.Metric, h.Index)
			mask, fixed = h.Addrs, abi.SizeofIfaMsghdr
		}
	default:
		var h abi.RtMsghdr
		if h.Decode(m) == nil {
			h.Rmx.Expire, h.Rmx.Pksent, h.Use = 0, 0, 0
			head = fmt.Sprintf("type %d index %d flags %#x errno %d inits %#x metrics %v", h.Type, h.Index, h.Flags, h.Errno, h.Inits, h.Rmx)
			mask, fixed = h.Addrs, abi.SizeofRtMsghdr
		}
	}
	addrs, err := rtmsg.Parse(mask, m[fixed:])
	if head == "" || err != nil {
		return fmt.Sprintf("% x", m)
	}
	for i, sa := range addrs {
		if mask&(1<<i) != 0 {
			head += fmt.Sprintf(", %d: %x", i, sa)
		}
	}
	return head
}
