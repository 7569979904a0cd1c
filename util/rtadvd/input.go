package rtadvd

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

// input takes a packet: RFC 4861, 6.1.
func (d *daemon) input(p *echo.Packet) {
	if len(p.Data) == 0 || p.Data[0] != abi.ND_ROUTER_SOLICIT && p.Data[0] != abi.ND_ROUTER_ADVERT {
		return // from before the socket's filter was set
	}
	from, _, _, ok := sockaddr.ParseInet(p.From)
	hops, ok2 := cmsg.Find(p.Control, abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT, 4)
	info, ok3 := cmsg.Find(p.Control, abi.IPPROTO_IPV6, abi.IPV6_PKTINFO, abi.SizeofIn6Pktinfo)
	if !ok || !ok2 || !ok3 {
		d.log(levelError, "failed to get receiving hop limit or interface")
		return
	}
	r := d.routerAt(int(binary.LittleEndian.Uint32(info[16:])))
	if r == nil {
		d.log(levelInfo, "received a packet from %s on an interface that is not advertised on", from)
		return
	}
	if n := int32(binary.LittleEndian.Uint32(hops)); n != hopLimit {
		d.log(levelInfo, "packet with invalid hop limit (%d) received from %s on %s", n, from, r.ifp.Name)
		return
	}
	m, err := parseMessage(p.Data)
	if err != nil {
		d.log(levelInfo, "%v from %s on %s", err, from, r.ifp.Name)
		return
	}
	if m.typ == abi.ND_ROUTER_SOLICIT {
		d.solicitation(r, &m, from, p.At)
	} else {
		d.other(r, &m, from, p.At)
	}
}

func (d *daemon) routerAt(index int) *router {
	for _, r := range d.routers {
		if r.ifp.Index == index {
			return r
		}
	}
	return nil
}

// solicitation answers a host that asks, RFC 4861, 6.2.6: all at once, if several do.
func (d *daemon) solicitation(r *router, m *message, from netip.Addr, now time.Time) {
	if from.IsUnspecified() && m.linked {
		d.log(levelInfo, "RS from unspecified src on %s has a link-layer address option", r.ifp.Name)
		return
	}
	d.log(levelDebug, "RS received from %s on %s", from, r.ifp.Name)
	r.solicited++
	r.waiting++
	r.solicit(now)
}

// other compares another router's advertisement with ours: RFC 4861, 6.2.7. Values that are unspecified agree with all.
func (d *daemon) other(r *router, m *message, from netip.Addr, now time.Time) {
	if !from.IsLinkLocalUnicast() {
		d.log(levelInfo, "src %s of an RA on %s is not link-local", from, r.ifp.Name)
		return
	}
	d.log(levelDebug, "RA received from %s on %s", from, r.ifp.Name)
	r.received++
	c, inconsistent := r.conf, false
	for _, v := range []struct {
		what         string
		theirs, ours uint32
		zero         bool // zero is unspecified
	}{
		{"CurHopLimit", uint32(m.hopLimit), uint32(c.hopLimit), true},
		{"M flag", uint32(m.flags & abi.ND_RA_FLAG_MANAGED), uint32(c.flags & abi.ND_RA_FLAG_MANAGED), false},
		{"O flag", uint32(m.flags & abi.ND_RA_FLAG_OTHER), uint32(c.flags & abi.ND_RA_FLAG_OTHER), false},
		{"ReachableTime", m.reachable, c.reachable, true},
		{"RetranceTimer", m.retrans, c.retrans, true},
		{"Link MTU", m.mtu, c.linkMTU, true},
	} {
		if v.theirs == v.ours || v.zero && (v.theirs == 0 || v.ours == 0) {
			continue
		}
		d.log(levelInfo, "%s inconsistent on %s: %d from %s, %d from us", v.what, r.ifp.Name, v.theirs, from, v.ours)
		inconsistent = true
	}
	for i := range m.prefixes {
		inconsistent = d.checkPrefix(r, &m.prefixes[i], from, now) || inconsistent
	}
	if inconsistent {
		r.inconsistent++
	}
}

// checkPrefix compares a prefix. Lifetimes that decrement may differ by the clock's skew and are not compared where none is given.
func (d *daemon) checkPrefix(r *router, theirs *advertised, from netip.Addr, now time.Time) (inconsistent bool) {
	if theirs.Addr().IsLinkLocalUnicast() {
		return false
	}
	var ours *prefix
	for _, p := range r.conf.prefixes {
		if p.Prefix == theirs.Prefix {
			ours = p
		}
	}
	if ours == nil {
		d.log(levelInfo, "prefix %s from %s on %s is not in our list", theirs.Prefix, from, r.ifp.Name)
		return false
	}
	valid, preferred := ours.lifetimes(now)
	for _, v := range []struct {
		what         string
		theirs, ours uint32
		decrements   bool
	}{
		{"preferred lifetime", theirs.preferred, preferred, !ours.preferredUntil.IsZero()},
		{"valid lifetime", theirs.valid, valid, !ours.validUntil.IsZero()},
	} {
		skew := int64(0)
		if v.decrements {
			if skew = r.conf.clockSkew; skew == 0 {
				continue
			}
		}
		if diff := int64(v.theirs) - int64(v.ours); diff > skew || diff < -skew {
			d.log(levelInfo, "%s for %s inconsistent on %s: %d from %s, %d from us", v.what, theirs.Prefix, r.ifp.Name, v.theirs, from, v.ours)
			inconsistent = true
		}
	}
	return inconsistent
}
