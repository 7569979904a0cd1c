package rtadvd

import (
	"net/netip"
	"slices"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

func findInterface(list []client.Interface, name string) *client.Interface {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// interfacePrefixes are the prefixes of an interface's IPv6 addresses, link-local ones and hosts' left out.
func interfacePrefixes(ifp *client.Interface) (list []netip.Prefix) {
	for _, a := range ifp.Addrs {
		p := a.Prefix.Masked()
		if !p.Addr().Is6() || a.Prefix.Addr().IsLinkLocalUnicast() || p.Bits() <= 0 || p.IsSingleIP() || slices.Contains(list, p) {
			continue
		}
		list = append(list, p)
	}
	return list
}

// kernelPrefix is a prefix of the kernel's with the protocol's defaults.
func kernelPrefix(p netip.Prefix, origin string) *prefix {
	return &prefix{
		Prefix: p, origin: origin, valid: defaultValid, preferred: defaultPreferred,
		flags: abi.ND_OPT_PI_FLAG_ONLINK | abi.ND_OPT_PI_FLAG_AUTO,
	}
}

// update takes over what an interface is like now. changed says whether the prefixes are others.
func (r *router) update(ifp *client.Interface, now time.Time) (changed bool) {
	wasUp := r.up()
	r.ifp = ifp
	if r.up() && !wasUp {
		r.initial = 0
		r.next = now
	}
	if !r.conf.fromInterface {
		return false
	}
	has := interfacePrefixes(ifp)
	for _, p := range r.conf.prefixes {
		switch at := slices.Index(has, p.Prefix); {
		case at >= 0:
			changed = changed || !p.gone.IsZero()
			p.gone = time.Time{}
			has = slices.Delete(has, at, at+1)
		case p.gone.IsZero():
			p.gone, changed = now, true
		}
	}
	for _, p := range has {
		r.conf.prefixes = append(r.conf.prefixes, kernelPrefix(p, "DYNAMIC"))
	}
	return changed || len(has) > 0
}
