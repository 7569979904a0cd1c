package route

import (
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
)

// stats are the counters of struct rtstat.
type stats struct {
	badredirect, dynamic, newgateway, unreach, wildcard atomic.Uint64
}

// Stats are the table's counters, net.route.stats.
func (t *Table) Stats() abi.Rtstat {
	s := &t.stats
	return abi.Rtstat{
		Badredirect: s.badredirect.Load(), Dynamic: s.dynamic.Load(), Newgateway: s.newgateway.Load(),
		Unreach: s.unreach.Load(), Wildcard: s.wildcard.Load(),
	}
}
