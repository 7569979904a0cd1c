package netstat

import (
	"fmt"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/kinfo"
)

// socketTypes are the names of SOCK_*, as many letters as there is room for.
var socketTypes = [...]string{"#0", "stream", "dgram", "raw", "rdm", "seqpac"}

// showLocal prints the local sockets.
func (c *command) showLocal() int {
	for _, name := range []string{"net.local.stream.pcblist", "net.local.dgram.pcblist", "net.local.seqpacket.pcblist"} {
		list, err := kinfo.Sockets(c.env.Proc, name)
		if err != nil {
			return c.env.Err(err, "sysctl: %s", name)
		}
		for i := range list {
			c.title("Active UNIX domain sockets\n" + fmt.Sprintf("%-8s %-6s %-6s %-6s %8s %8s %8s %8s Addr\n",
				"Address", "Type", "Recv-Q", "Send-Q", "Inode", "Conn", "Refs", "Nextref"))
			c.printLocal(&list[i])
		}
	}
	return util.ExitOK
}

// printLocal prints a local socket, with its path or else that of the socket to which it is connected.
func (c *command) printLocal(k *abi.KinfoPcb) {
	typ := fmt.Sprintf("#%d", k.Type)
	if int64(k.Type) < int64(len(socketTypes)) {
		typ = socketTypes[k.Type]
	}
	name := ""
	if peer := kinfo.Path(&k.D); peer != "" {
		name = " -> " + peer
	} else if own := kinfo.Path(&k.S); own != "" {
		name = " " + own
	}
	fmt.Fprintf(c.env.Stdout, "%8x %-6s %6d %6d %8x %8x %8x %8x%s\n", k.Pcbaddr, typ, k.Rcvq, k.Sndq, k.Vnode, k.Conn, k.Refs, k.Nextref, name)
}
