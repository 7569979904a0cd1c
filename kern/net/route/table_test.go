package route_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// bare is a table that belongs to no kernel.
func bare() *route.Table { return route.New(ifnet.New(nil, nil)) }

// naive is the oracle for the table: a list that is searched from end to end.
type naive []*route.Entry

func (n naive) lookup(a netip.Addr, scope uint16) (best *route.Entry) {
	for _, e := range n {
		if e.Scope == scope && e.Dst.Contains(a) && (best == nil || e.Dst.Bits() > best.Dst.Bits()) {
			best = e
		}
	}
	return best
}

func (n naive) index(p netip.Prefix, scope uint16) int {
	return slices.IndexFunc(n, func(e *route.Entry) bool { return e.Dst == p && e.Scope == scope })
}

// randomPrefix draws from few addresses, so that prefixes are often nested and often equal.
func randomPrefix(r *rand.Rand) (netip.Prefix, uint16) {
	if r.IntN(2) == 0 {
		a := netip.AddrFrom4([4]byte{byte(r.IntN(2)) * 10, byte(r.IntN(3)), byte(r.IntN(256)), byte(r.IntN(4))})
		return netip.PrefixFrom(a, r.IntN(33)).Masked(), 0
	}
	if r.IntN(2) == 0 {
		var b [16]byte
		b[0], b[1], b[15] = 0xfe, 0x80, byte(r.IntN(4))
		return netip.PrefixFrom(netip.AddrFrom16(b), 32+r.IntN(97)).Masked(), uint16(1 + r.IntN(3))
	}
	var b [16]byte
	b[0], b[7], b[8], b[15] = 0x20, byte(r.IntN(256)), byte(r.IntN(2)), byte(r.IntN(4))
	return netip.PrefixFrom(netip.AddrFrom16(b), r.IntN(129)).Masked(), 0
}

// TestTable compares the table with a list, over random additions, deletions and lookups.
func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	table, list := bare(), naive(nil)
	for range 20000 {
		p, scope := randomPrefix(r)
		i := list.index(p, scope)
		switch r.IntN(3) {
		case 0:
			e := &route.Entry{Dst: p, Scope: scope}
			err := table.Add(e)
			if (err == nil) != (i < 0) || err != nil && err != abi.EEXIST {
				t.Fatalf("add %v: %v, there at %d", p, err, i)
			}
			if err == nil {
				list = append(list, e)
			}
		case 1:
			e, err := table.Delete(p, scope)
			if (err == nil) != (i >= 0) || err != nil && err != abi.ESRCH || i >= 0 && e != list[i] {
				t.Fatalf("delete %v: %v, there at %d", p, err, i)
			}
			if err == nil {
				list = slices.Delete(list, i, i+1)
			}
		default:
			if i >= 0 && r.IntN(2) == 0 {
				list[i] = &route.Entry{Dst: p, Scope: scope}
				table.Replace(list[i])
			}
			a, scope := randomPrefix(r)
			if got, want := table.Lookup(a.Addr(), scope), list.lookup(a.Addr(), scope); got != want {
				t.Fatalf("lookup %v %d: %+v, want %+v", a.Addr(), scope, got, want)
			}
		}
	}
	if got := len(table.Entries(abi.AF_UNSPEC)); got != len(list) {
		t.Errorf("%d entries, want %d", got, len(list))
	}
}

// TestOrder has the order of transcript net-04-route; and of the same address the longer prefix first, as rn_walktree of NetBSD goes.
func TestOrder(t *testing.T) {
	table := bare()
	want := []string{"0.0.0.0/0", "10.0.0.0/24", "10.0.0.0/8", "10.1.1.0/24", "10.1.1.1/32", "127.0.0.1/32", "192.168.5.0/24", "192.168.6.7/32", "::/0", "2001:db8::/64", "2001:db8::/32", "fe80::/64"}
	for _, i := range rand.New(rand.NewPCG(3, 4)).Perm(len(want)) {
		if err := table.Add(&route.Entry{Dst: netip.MustParsePrefix(want[i])}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, e := range table.Entries(abi.AF_UNSPEC) {
		got = append(got, e.Dst.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if n := len(table.Entries(abi.AF_INET6)); n != 4 {
		t.Errorf("%d of IPv6", n)
	}
}

// TestObserve has observers told what was there and what is.
func TestObserve(t *testing.T) {
	table := bare()
	var log []string
	table.Observe(func(old, new *route.Entry) {
		switch {
		case old == nil:
			log = append(log, "add "+new.Dst.String())
		case new == nil:
			log = append(log, "delete "+old.Dst.String())
		default:
			log = append(log, "change "+new.Dst.String())
		}
	})
	p := netip.MustParsePrefix("10.0.0.0/8")
	table.Add(&route.Entry{Dst: p})
	table.Add(&route.Entry{Dst: p})
	table.Replace(&route.Entry{Dst: p})
	table.Delete(p, 0)
	table.Delete(p, 0)
	if want := []string{"add 10.0.0.0/8", "change 10.0.0.0/8", "delete 10.0.0.0/8"}; !slices.Equal(log, want) {
		t.Errorf("%v, want %v", log, want)
	}
}

// TestReject has the errors of sys/net/if_loop.c of NetBSD.
func TestReject(t *testing.T) {
	for flags, want := range map[uint32]error{
		abi.RTF_UP:                         nil,
		abi.RTF_BLACKHOLE:                  nil,
		abi.RTF_REJECT:                     abi.ENETUNREACH,
		abi.RTF_REJECT | abi.RTF_HOST:      abi.EHOSTUNREACH,
		abi.RTF_REJECT | abi.RTF_BLACKHOLE: nil,
	} {
		if got := (&route.Entry{Flags: flags}).Reject(); got != want {
			t.Errorf("%#x: %v, want %v", flags, got, want)
		}
	}
}

// full is a table of n routes, half of them of IPv6, of the prefix lengths of the Internet's.
func full(n int) (*route.Table, []netip.Addr) {
	r := rand.New(rand.NewPCG(5, 6))
	table := bare()
	var addrs []netip.Addr
	for len(addrs) < n {
		var b [16]byte
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		a, bits := netip.AddrFrom16(b), 32+r.IntN(33)
		if len(addrs)%2 == 0 {
			a, bits = netip.AddrFrom4([4]byte(b[:4])), 8+r.IntN(17)
		}
		if table.Add(&route.Entry{Dst: netip.PrefixFrom(a, bits).Masked()}) == nil {
			addrs = append(addrs, a)
		}
	}
	return table, addrs
}

// BenchmarkLookup finds routes in a table of 10,000.
func BenchmarkLookup(b *testing.B) {
	table, addrs := full(10000)
	for name, family := range map[string]int{"v4": 0, "v6": 1} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				if table.Lookup(addrs[(2*i+family)%len(addrs)], 0) == nil {
					b.Fatal("no route")
				}
			}
		})
	}
}

// BenchmarkAddDelete changes a table of 10,000.
func BenchmarkAddDelete(b *testing.B) {
	table, _ := full(10000)
	p := netip.MustParsePrefix("10.11.12.13/32")
	b.ReportAllocs()
	for range b.N {
		if table.Add(&route.Entry{Dst: p}) != nil {
			b.Fatal("add")
		}
		table.Delete(p, 0)
	}
}
