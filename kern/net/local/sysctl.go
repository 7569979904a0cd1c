package local

import (
	"cmp"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// createSysctls makes net.local, with the lists of sockets that sockstat(1) reads.
func (d *Domain) createSysctls() error {
	nodes := []kern.SysctlNode{
		{Path: "net.local", Num: abi.PF_LOCAL, Desc: "PF_LOCAL related settings"},
	}
	for _, s := range []struct {
		name, typ string
		num       int32
	}{{"stream", "SOCK_STREAM", abi.SOCK_STREAM}, {"dgram", "SOCK_DGRAM", abi.SOCK_DGRAM}, {"seqpacket", "SOCK_SEQPACKET", abi.SOCK_SEQPACKET}} {
		path := "net.local." + s.name
		nodes = append(nodes, kern.SysctlNode{Path: path, Num: s.num, Desc: s.typ + " settings"},
			kern.SysctlNode{Path: path + ".pcblist", Num: abi.CTL_CREATE,
				Desc: s.typ + " protocol control block list", Value: kern.SysctlStruct(0, nil),
				Handler: func(r *kern.SysctlRequest) error { return d.pcblist(r, int(s.num)) }})
	}
	return d.k.Sysctl().Create(nodes...)
}

// pcblist is net.local.<type>.pcblist.<0>.<0>.<size>.<count>: a struct kinfo_pcb for each of at most count sockets. Errors: EINVAL.
func (d *Domain) pcblist(r *kern.SysctlRequest, typ int) error {
	if len(r.Name) != 4 || r.Name[2] != abi.SizeofKinfoPcb || r.Name[3] < 0 {
		return abi.EINVAL
	}
	if r.HasNew() {
		return abi.EPERM
	}
	list := d.all()
	slices.SortFunc(list, func(a, b *pcb) int { return cmp.Compare(a.ino, b.ino) })
	var out []byte
	count := int(r.Name[3])
	for _, p := range list {
		if p.typ != typ || p.so.Load() == nil || count == 0 {
			continue
		}
		out = p.kinfo().Append(out)
		count--
	}
	return r.Reply(out)
}

// kinfo describes the socket. There are no addresses in this kernel: what stands for one is the socket's number.
func (p *pcb) kinfo() *abi.KinfoPcb {
	so := p.so.Load()
	ki := &abi.KinfoPcb{Pcbaddr: p.ino, Sockaddr: so.Number(), Family: abi.AF_LOCAL, Type: uint32(p.typ), Protocol: uint32(so.Proto),
		Rcvq: uint64(p.q.Bytes()), Inode: p.ino}
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	copy(ki.S[:], p.name())
	if peer := p.peer.Load(); peer != nil {
		copy(ki.D[:], peer.name())
		ki.Conn = peer.ino
	}
	if p.vnode != nil {
		ki.Vnode = p.ino
	}
	ki.Sostate = p.state()
	return ki
}

// The bits of so_state that sockstat(1) and netstat(1) look at.
const (
	ssIsConnected  = 0x002
	ssIsConnecting = 0x004
	ssCantSendMore = 0x010
	ssCantRcvMore  = 0x020
)

// state is the socket's so_state; called with d.mu held.
func (p *pcb) state() uint32 {
	var s uint32
	switch {
	case p.connecting.Load():
		s |= ssIsConnecting
	case p.peer.Load() != nil:
		s |= ssIsConnected
	}
	if p.cantSend.Load() {
		s |= ssCantSendMore
	}
	if p.q.Ended() {
		s |= ssCantRcvMore
	}
	return s
}
