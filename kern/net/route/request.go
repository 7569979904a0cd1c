package route

import (
	"net/netip"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// requests are the messages that programs may send, beside the error for all others, EOPNOTSUPP. Each returns the answer: the request again, or
// what a route is like. Config held.
var requests = map[uint8]func(t *Table, r *request) ([]byte, error){
	abi.RTM_ADD:    (*Table).requestAdd,
	abi.RTM_DELETE: (*Table).requestDelete,
	abi.RTM_CHANGE: (*Table).requestChange,
	abi.RTM_LOCK:   (*Table).requestLock,
	abi.RTM_GET:    (*Table).requestGet,
}

// echo is the request as its own answer.
func (r *request) echo() []byte { return finish(int(r.Type), &r.RtMsghdr, &r.addrs) }

// report is an answer that describes a route: with its interface when the request has RTA_IFP or RTA_IFA.
func (r *request) report(e *Entry, a addrs) []byte {
	h := e.header(&a)
	if r.Addrs&(abi.RTA_IFP|abi.RTA_IFA) != 0 && e.If != nil {
		a.addInterface(e)
		h.Addrs = a.mask()
	} else {
		h.Index = r.Index
	}
	h.Pid, h.Seq, h.Use, h.Inits = r.Pid, r.Seq, r.Use, r.Inits
	return finish(int(r.Type), &h, &a)
}

// requestGet is RTM_GET: the route to an address, or with a netmask just that route. With RTF_LLDATA, or without RTF_UP as old programs do it, the link-level address
// of a neighbour.
//
// Errors: ESRCH.
func (t *Table) requestGet(r *request) ([]byte, error) {
	e, err := t.requested(r)
	if err != nil {
		return nil, err
	}
	if f := r.flags(); (f&abi.RTF_LLDATA != 0 || f&abi.RTF_UP == 0) && e.Dst.Addr() != r.dst {
		return t.reportNeighbor(r, e), nil
	}
	return r.report(e, routeAddrs(e)), nil
}

// requested is the route that a request is about. Errors: ESRCH, EINVAL.
func (t *Table) requested(r *request) (*Entry, error) {
	p, masked, err := r.prefix()
	if err != nil {
		return nil, err
	}
	e := t.Lookup(r.dst, r.scope)
	if masked {
		e = t.Exact(p, r.scope)
	}
	if e == nil {
		return nil, abi.ESRCH
	}
	return e, nil
}

// requestAdd is RTM_ADD: a route, or with a link-level gateway an entry of a table of neighbours.
//
// Errors: EINVAL without a gateway, EEXIST, ENETUNREACH for a gateway that is on no network of ours, EAFNOSUPPORT for one of another family than the
// destination.
func (t *Table) requestAdd(r *request) ([]byte, error) {
	gateway := r.addrs[abi.RTAX_GATEWAY]
	if gateway == nil {
		return nil, abi.EINVAL
	}
	if ifp, ok := t.neighborInterface(r, gateway); ok {
		return r.echo(), t.addNeighbor(r, ifp, gateway)
	}
	p, _, err := r.prefix()
	if err != nil {
		return nil, err
	}
	a, ifp, err := t.source(r, r.flags())
	if err != nil {
		return nil, err
	}
	e := &Entry{Dst: p, Scope: r.scope, Flags: abi.RTF_UP | r.flags(), If: ifp, Addr: a, Tag: r.addrs[abi.RTAX_TAG]}
	if err := e.setGateway(gateway); err != nil {
		return nil, err
	}
	if a.Family == abi.AF_LINK {
		if better := addrOn(ifp, r.addrs[abi.RTAX_DST]); better != nil {
			e.Addr = better
		}
	}
	e.setMetrics(r)
	return r.echo(), t.Add(e)
}

// source finds the address that a route comes from, and its interface: by RTA_IFP and RTA_IFA where they are given, otherwise by the
// gateway. Errors: ENETUNREACH.
func (t *Table) source(r *request, flags uint32) (a *ifnet.Addr, ifp *ifnet.Interface, err error) {
	dst, gateway := r.addrs[abi.RTAX_DST], r.addrs[abi.RTAX_GATEWAY]
	if sa := r.addrs[abi.RTAX_IFP]; family(sa) == abi.AF_LINK {
		if l := t.linkAddrOf(sa); l != nil {
			ifp = l.If
		}
	}
	hint := gateway
	if sa := r.addrs[abi.RTAX_IFA]; sa != nil {
		a, hint = t.addrOf(sa), sa
	}
	if hint == nil {
		hint = dst
	}
	switch {
	case a != nil:
	case ifp != nil:
		a = addrOn(ifp, hint)
	case gateway != nil:
		a = t.addrTowards(flags, dst, gateway)
	default:
		a = t.addrTowards(flags, hint, hint)
	}
	if a == nil {
		return nil, nil, abi.ENETUNREACH
	}
	if ifp == nil {
		ifp = a.If
	}
	return a, ifp, nil
}

// setGateway takes an RTA_GATEWAY. Errors: EAFNOSUPPORT for another family than the destination's or AF_LINK.
func (e *Entry) setGateway(sa []byte) (err error) {
	e.Gateway, e.GatewayScope, e.GatewayLink = netip.Addr{}, 0, nil
	if family(sa) == abi.AF_LINK && e.Flags&abi.RTF_GATEWAY == 0 {
		if _, name, lladdr, err := ifnet.LinkSockaddr(sa); err == nil && len(name)+len(lladdr) > 0 {
			e.GatewayLink = trimmed(sa)
		}
		return nil
	}
	e.Gateway, e.GatewayScope, err = ParseSockaddr(sa)
	if err != nil || e.Gateway.Is4() != e.Dst.Addr().Is4() {
		return abi.EAFNOSUPPORT
	}
	return nil
}

// requestDelete is RTM_DELETE. Errors: ESRCH; for link-level entries ENOENT and EINVAL.
func (t *Table) requestDelete(r *request) ([]byte, error) {
	if gateway := r.addrs[abi.RTAX_GATEWAY]; family(gateway) == abi.AF_LINK && r.flags()&abi.RTF_LLDATA != 0 {
		return r.echo(), t.deleteNeighbor(r, gateway)
	}
	p, _, err := r.prefix()
	if err != nil {
		return nil, err
	}
	e, err := t.Delete(p, r.scope)
	if err != nil {
		return nil, err
	}
	return r.report(e, routeAddrs(e)), nil
}

// preserved are the flags that RTM_CHANGE leaves as they are.
const preserved = abi.RTF_UP | abi.RTF_GATEWAY | abi.RTF_HOST | abi.RTF_DONE | abi.RTF_MASK

// requestChange is RTM_CHANGE: another gateway, interface, metrics or flags.
//
// Errors: ESRCH, ETOOMANYREFS for a network route without its netmask, ENETUNREACH, EAFNOSUPPORT.
func (t *Table) requestChange(r *request) ([]byte, error) {
	old, err := t.requestedExactly(r)
	if err != nil {
		return nil, err
	}
	e := old.copy()
	a, ifp, err := t.source(r, e.Flags)
	if err != nil {
		return nil, err
	}
	gateway := r.addrs[abi.RTAX_GATEWAY]
	if gateway != nil {
		if err := e.setGateway(gateway); err != nil {
			return nil, err
		}
		t.limitMTU(e)
	}
	if gateway != nil || r.addrs[abi.RTAX_IFP] != nil || r.addrs[abi.RTAX_IFA] != nil {
		e.Addr, e.If = a, ifp
	}
	if tag := r.addrs[abi.RTAX_TAG]; tag != nil {
		e.Tag = tag
	}
	e.setMetrics(r)
	e.Flags = r.flags()&^preserved | e.Flags&preserved
	e.setLocks(r)
	t.Replace(e)
	return r.echo(), nil
}

// requestLock is RTM_LOCK: which metrics the protocols may not change. Errors: ESRCH, ETOOMANYREFS.
func (t *Table) requestLock(r *request) ([]byte, error) {
	old, err := t.requestedExactly(r)
	if err != nil {
		return nil, err
	}
	e := old.copy()
	e.setLocks(r)
	t.Replace(e)
	return r.echo(), nil
}

// requestedExactly is the route whose destination and netmask a request gives. Errors: ESRCH, ETOOMANYREFS without the netmask that the route has.
func (t *Table) requestedExactly(r *request) (*Entry, error) {
	e, err := t.requested(r)
	switch {
	case err != nil:
		return nil, err
	case e.Dst.Addr() != r.dst:
		return nil, abi.ESRCH
	case r.addrs[abi.RTAX_NETMASK] == nil && e.maskSockaddr() != nil:
		return nil, abi.ETOOMANYREFS
	}
	return e, nil
}

// limitMTU lowers a route's MTU to that of the route to its gateway, unless it is locked.
func (t *Table) limitMTU(e *Entry) {
	if e.Flags&abi.RTF_GATEWAY == 0 || e.Locks&abi.RTV_MTU != 0 {
		return
	}
	if gw := t.Lookup(e.Gateway, e.GatewayScope); gw != nil && e.Metrics.Mtu > gw.Metrics.Mtu {
		e.Metrics.Mtu = gw.Metrics.Mtu
	}
}

// copy is an Entry to change and put in the place of this one.
func (e *Entry) copy() *Entry {
	c := &Entry{
		Dst: e.Dst, Scope: e.Scope, Flags: e.Flags, Gateway: e.Gateway, GatewayScope: e.GatewayScope, GatewayLink: e.GatewayLink,
		If: e.If, Addr: e.Addr, Metrics: e.Metrics, Locks: e.Locks, Tag: e.Tag, Expire: e.Expire,
	}
	c.Use.Store(e.Use.Load())
	return c
}

// metrics are the numbers that a program may set, by their RTV_* bits.
var metrics = []struct {
	bit int32
	of  func(*abi.RtMetrics) *uint64
}{
	{abi.RTV_RPIPE, func(m *abi.RtMetrics) *uint64 { return &m.Recvpipe }},
	{abi.RTV_SPIPE, func(m *abi.RtMetrics) *uint64 { return &m.Sendpipe }},
	{abi.RTV_SSTHRESH, func(m *abi.RtMetrics) *uint64 { return &m.Ssthresh }},
	{abi.RTV_RTT, func(m *abi.RtMetrics) *uint64 { return &m.Rtt }},
	{abi.RTV_RTTVAR, func(m *abi.RtMetrics) *uint64 { return &m.Rttvar }},
	{abi.RTV_HOPCOUNT, func(m *abi.RtMetrics) *uint64 { return &m.Hopcount }},
	{abi.RTV_MTU, func(m *abi.RtMetrics) *uint64 { return &m.Mtu }},
}

// setMetrics takes the metrics that a request says it sets.
func (e *Entry) setMetrics(r *request) {
	for _, m := range metrics {
		if r.Inits&m.bit != 0 {
			*m.of(&e.Metrics) = *m.of(&r.Rmx)
		}
	}
	if r.Inits&abi.RTV_EXPIRE != 0 {
		e.Expire = time.Time{}
		if r.Rmx.Expire != 0 {
			e.Expire = time.Unix(r.Rmx.Expire, 0)
		}
	}
}

// setLocks takes which of the metrics that a request names are locked.
func (e *Entry) setLocks(r *request) {
	named := uint64(uint32(r.Inits))
	e.Locks = e.Locks&^named | r.Rmx.Locks&named
}

// header is the structure of a message about the route, with these sockaddrs.
func (e *Entry) header(a *addrs) abi.RtMsghdr {
	h := abi.RtMsghdr{Flags: int32(e.Flags), Addrs: a.mask(), Use: int32(e.Use.Load()), Rmx: e.Metrics}
	if e.If != nil {
		h.Index = e.If.Index
	}
	h.Rmx.Locks, h.Rmx.Expire = e.Locks, 0
	if !e.Expire.IsZero() {
		h.Rmx.Expire = e.Expire.Unix()
	}
	return h
}
