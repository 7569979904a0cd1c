package ifconfig

import (
	"fmt"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// agrreq makes a request about an agr: its command, and the memory that it points to. It returns how much of that there is.
func (c *config) agrreq(req uint32, cmd int32, buf []byte, lend func(client.Lender, []byte) uint64) (int, error) {
	r := abi.Agrreq{Version: abi.AGRREQ_VERSION, Cmd: cmd, Buflen: uint64(len(buf))}
	var raw []byte
	err := c.ifreqData(req, func(l client.Lender) uint64 {
		if buf != nil {
			r.Buf = lend(l, buf)
		}
		raw = r.Append(nil)
		return l.InOut(raw)
	})
	if err != nil {
		return 0, err
	}
	if err := r.Decode(raw); err != nil {
		return 0, err
	}
	return int(min(r.Buflen, maxLinkstr)), nil
}

// agrPort adds a port to an agr, or removes it.
func agrPort(cmd int32) func(*config, []string) (action, error) {
	return func(c *config, args []string) (action, error) {
		if len(args[0]) >= abi.IFNAMSIZ {
			return nil, errUsage
		}
		return func() error {
			if err := c.needKind("agr"); err != nil {
				return err
			}
			_, err := c.agrreq(abi.SIOCSIFGENERIC, cmd, []byte(args[0]), client.Lender.In)
			return failed(err, "SIOCSETAGR")
		}, nil
	}
}

var agrFlags = []bitName{{abi.AGRPORTINFO_COLLECTING, "COLLECTING"}, {abi.AGRPORTINFO_DISTRIBUTING, "DISTRIBUTING"}}

// agrListHeader is where the ports begin in a struct agrportlist: after their number.
const agrListHeader = 4

// showAgr prints the ports of an agr. It asks again when there have come to be more than there was room for.
func (c *config) showAgr() error {
	if !c.isKind("agr") {
		return nil
	}
	for {
		n, err := c.agrreq(abi.SIOCGIFGENERIC, abi.AGRCMD_PORTLIST, nil, nil)
		if err != nil {
			return failed(err, "SIOCGETAGR")
		}
		buf := make([]byte, max(n, agrListHeader))
		_, err = c.agrreq(abi.SIOCGIFGENERIC, abi.AGRCMD_PORTLIST, buf, client.Lender.Out)
		if err == abi.E2BIG {
			continue
		}
		if err != nil {
			return failed(err, "SIOCGETAGR")
		}
		return c.printPorts(buf)
	}
}

func (c *config) printPorts(list []byte) error {
	ports := list[agrListHeader:]
	for range getInt(list) {
		var p abi.Agrportinfo
		if len(ports) < abi.SizeofAgrportinfo {
			return nil
		}
		if err := p.Decode(ports); err != nil {
			return err
		}
		ports = ports[abi.SizeofAgrportinfo:]
		fmt.Fprintf(c.env.Stdout, "\tagrport: %s, flags=0x%s\n", abi.CString(p.Ifname[:]), snprintb(uint64(uint32(p.Flags)), agrFlags))
	}
	return nil
}
