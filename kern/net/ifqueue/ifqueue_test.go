package ifqueue

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

func packets(n int) []*ifnet.Packet {
	var list []*ifnet.Packet
	for i := range n {
		list = append(list, ifnet.NewPacket(make([]byte, i+1)))
	}
	return list
}

// TestPut: a queue takes Limit packets, a closed one none. (Reading is tested where there are devices: component/net/tap, tun.)
func TestPut(t *testing.T) {
	var q Queue
	if q.First() != 0 || q.Poll(nil, abi.POLLIN|abi.POLLOUT) != abi.POLLOUT {
		t.Error("an empty queue is readable")
	}
	if err := q.Put(packets(Limit - 1)); err != nil {
		t.Error(err)
	}
	if err := q.Put(packets(3)); err != abi.ENOBUFS {
		t.Errorf("past the limit: %v", err)
	}
	if q.First() != 1 || len(q.pkts) != Limit || q.Poll(nil, abi.POLLIN) != abi.POLLIN {
		t.Errorf("%d packets are queued, the first has %d bytes", len(q.pkts), q.First())
	}
	if q.Purge(); q.First() != 0 {
		t.Error("purged, and something is there")
	}
	q.Close()
	if err := q.Put(packets(1)); err != abi.ENETDOWN || q.Poll(nil, abi.POLLIN) != abi.POLLHUP {
		t.Errorf("after Close: %v, poll %#x", err, q.Poll(nil, abi.POLLIN))
	}
}

func TestKnote(t *testing.T) {
	var q Queue
	if _, _, err := q.Knote(nil, abi.EVFILT_VNODE); err != abi.EINVAL {
		t.Errorf("another filter: %v", err)
	}
	for _, c := range []struct {
		filter uint32
		before bool
		after  int64
	}{{abi.EVFILT_READ, false, 5}, {abi.EVFILT_WRITE, true, 0}} {
		var q Queue
		_, event, err := q.Knote(nil, c.filter)
		if err != nil {
			t.Fatal(err)
		}
		if active, _, _, _ := event(0, 0); active != c.before {
			t.Errorf("filter %d before: %v", c.filter, active)
		}
		q.Put(packets(5)[4:])
		if active, data, _, flags := event(0, 0); !active || data != c.after || flags != 0 {
			t.Errorf("filter %d: %v, %d, %#x", c.filter, active, data, flags)
		}
		q.Close()
		if active, _, _, flags := event(0, 0); !active || flags != abi.EV_EOF {
			t.Errorf("filter %d at the end: %v, %#x", c.filter, active, flags)
		}
	}
}
