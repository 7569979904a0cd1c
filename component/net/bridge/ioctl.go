package bridge

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

var le = binary.LittleEndian

// command is a BRDG* command of SIOCSDRVSPEC and SIOCGDRVSPEC.
type command struct {
	size int  // of the structure that ifd_data points to
	get  bool // SIOCGDRVSPEC's: the structure is copied out again
	do   func(b *bridge, t *kern.Thread, arg []byte) error
}

// commands are those of brconfig(8). BRDGGIFS and BRDGRTS, whose ifd_data is the list itself, are lists.
var commands = map[uint64]command{
	abi.BRDGADD:     {abi.SizeofIfbreq, false, (*bridge).addMember},
	abi.BRDGDEL:     {abi.SizeofIfbreq, false, (*bridge).deleteMember},
	abi.BRDGGIFFLGS: {abi.SizeofIfbreq, true, (*bridge).getMember},
	abi.BRDGSIFFLGS: {abi.SizeofIfbreq, false, (*bridge).setMemberFlags},
	abi.BRDGSCACHE:  {abi.SizeofIfbrparam, false, (*bridge).setCache},
	abi.BRDGGCACHE:  {abi.SizeofIfbrparam, true, answer(func(b *bridge) uint32 { n, _ := b.table.parameters(); return uint32(n) })},
	abi.OBRDGGIFS:   {abi.SizeofIfbifconf, true, (*bridge).oldMembers},
	abi.OBRDGRTS:    {abi.SizeofIfbaconf, true, (*bridge).oldAddresses},
	abi.BRDGSADDR:   {abi.SizeofIfbareq, false, (*bridge).setAddress},
	abi.BRDGSTO:     {abi.SizeofIfbrparam, false, (*bridge).setTimeout},
	abi.BRDGGTO:     {abi.SizeofIfbrparam, true, answer(func(b *bridge) uint32 { _, d := b.table.parameters(); return uint32(d / time.Second) })},
	abi.BRDGDADDR:   {abi.SizeofIfbareq, false, (*bridge).deleteAddress},
	abi.BRDGFLUSH:   {abi.SizeofIfbreq, false, (*bridge).flush},
	abi.BRDGGPRI:    {abi.SizeofIfbrparam, true, constant(stpPriority)},
	abi.BRDGSPRI:    {abi.SizeofIfbrparam, false, unchanged(stpPriority)},
	abi.BRDGGHT:     {abi.SizeofIfbrparam, true, constant(stpHello)},
	abi.BRDGSHT:     {abi.SizeofIfbrparam, false, unchanged(stpHello)},
	abi.BRDGGFD:     {abi.SizeofIfbrparam, true, constant(stpForward)},
	abi.BRDGSFD:     {abi.SizeofIfbrparam, false, unchanged(stpForward)},
	abi.BRDGGMA:     {abi.SizeofIfbrparam, true, constant(stpMaxAge)},
	abi.BRDGSMA:     {abi.SizeofIfbrparam, false, unchanged(stpMaxAge)},
	abi.BRDGSIFPRIO: {abi.SizeofIfbreq, false, (*bridge).setMemberPriority},
	abi.BRDGSIFCOST: {abi.SizeofIfbreq, false, (*bridge).setMemberCost},
	abi.BRDGGFILT:   {abi.SizeofIfbrparam, true, constant(0)},
	abi.BRDGSFILT:   {abi.SizeofIfbrparam, false, unchanged(0)},
}

var lists = map[uint64]func(b *bridge) []byte{
	abi.BRDGGIFS: (*bridge).memberList,
	abi.BRDGRTS:  (*bridge).addressList,
}

// The spanning tree protocol's parameters, as bridge(4) has them before anybody changes them. Nobody can: the protocol is not there.
const (
	stpPriority, stpHello, stpForward, stpMaxAge = 0x8000, 2, 15, 20
	stpPortPriority, stpPathCost                 = 0x80, 55
)

// Ioctl serves SIOCSDRVSPEC and SIOCGDRVSPEC. Errors: EINVAL for a command that is unknown, or a structure of the wrong size; the commands'.
func (b *bridge) Ioctl(t *kern.Thread, _ *ifnet.Interface, cmd uint32, data []byte) error {
	if cmd != abi.SIOCSDRVSPEC && cmd != abi.SIOCGDRVSPEC {
		return abi.ENOTTY
	}
	var req abi.Ifdrv
	if err := req.Decode(data); err != nil {
		return err
	}
	get := cmd == abi.SIOCGDRVSPEC
	if f := lists[req.Cmd]; f != nil && get {
		n, err := copyList(t, req.Data, req.Len, req.Len == 0, f(b), listSizes[req.Cmd])
		req.Len = n
		if err != nil {
			return err
		}
		return req.Encode(data)
	}
	c, known := commands[req.Cmd]
	if !known || c.get != get || req.Len != uint64(c.size) {
		return abi.EINVAL
	}
	arg := make([]byte, c.size)
	if err := t.Mem.CopyIn(req.Data, arg); err != nil {
		return err
	}
	if err := c.do(b, t, arg); err != nil {
		return err
	}
	if !get {
		return nil
	}
	return t.Mem.CopyOut(req.Data, arg)
}

// listSizes are the sizes of the records of lists.
var listSizes = map[uint64]int{abi.BRDGGIFS: abi.SizeofIfbreq, abi.BRDGRTS: abi.SizeofIfbareq}

// copyList copies as many whole records out as there is room for; with ask it says only how much room they need.
func copyList(t *kern.Thread, addr, room uint64, ask bool, list []byte, size int) (uint64, error) {
	if ask {
		return uint64(len(list)), nil
	}
	n := min(uint64(len(list)), room) / uint64(size) * uint64(size)
	return n, t.Mem.CopyOut(addr, list[:n])
}

func constant(v uint32) func(*bridge, *kern.Thread, []byte) error {
	return answer(func(*bridge) uint32 { return v })
}

func answer(value func(*bridge) uint32) func(*bridge, *kern.Thread, []byte) error {
	return func(b *bridge, _ *kern.Thread, arg []byte) error {
		le.PutUint32(arg, value(b))
		return nil
	}
}

// unchanged takes a parameter that nothing would read only with the value that it has. Errors: EOPNOTSUPP.
func unchanged(v uint32) func(*bridge, *kern.Thread, []byte) error {
	return func(_ *bridge, _ *kern.Thread, arg []byte) error {
		if le.Uint32(arg) != v {
			return abi.EOPNOTSUPP
		}
		return nil
	}
}

// named is the interface of a name as it stands in a structure. Errors: ENOENT.
func (b *bridge) named(raw [abi.IFNAMSIZ]byte) (*ifnet.Interface, error) {
	name, _, _ := bytes.Cut(raw[:], []byte{0})
	ifp := b.ifp.Net.ByName(string(name))
	if ifp == nil {
		return nil, abi.ENOENT
	}
	return ifp, nil
}

// member decodes a struct ifbreq and finds the member that it names. Errors: ENOENT.
func (b *bridge) member(arg []byte) (req abi.Ifbreq, m *member, err error) {
	if err := req.Decode(arg); err != nil {
		return req, nil, err
	}
	ifp, err := b.named(req.Ifsname)
	if err != nil {
		return req, nil, err
	}
	if m = b.find(ifp); m == nil {
		return req, nil, abi.ENOENT
	}
	return req, m, nil
}

func (b *bridge) addMember(_ *kern.Thread, arg []byte) error {
	var req abi.Ifbreq
	if err := req.Decode(arg); err != nil {
		return err
	}
	ifp, err := b.named(req.Ifsname)
	if err != nil {
		return err
	}
	return b.add(ifp)
}

func (b *bridge) deleteMember(_ *kern.Thread, arg []byte) error {
	_, m, err := b.member(arg)
	if err != nil {
		return err
	}
	b.remove(m.ifp)
	return nil
}

// request is the member as a struct ifbreq.
func (m *member) request() *abi.Ifbreq {
	req := &abi.Ifbreq{
		Ifsflags: m.flags.Load(), Priority: stpPortPriority, PathCost: stpPathCost, Portno: uint8(m.ifp.Index),
	}
	copy(req.Ifsname[:abi.IFNAMSIZ-1], m.ifp.Name)
	return req
}

func (b *bridge) getMember(_ *kern.Thread, arg []byte) error {
	_, m, err := b.member(arg)
	if err != nil {
		return err
	}
	return m.request().Encode(arg)
}

// setMemberFlags is brconfig's learn and discover. Errors: EOPNOTSUPP for stp, EINVAL for flags that are none.
func (b *bridge) setMemberFlags(_ *kern.Thread, arg []byte) error {
	req, m, err := b.member(arg)
	switch {
	case err != nil:
		return err
	case req.Ifsflags&abi.IFBIF_STP != 0:
		return abi.EOPNOTSUPP
	case req.Ifsflags&^uint32(abi.IFBIF_LEARNING|abi.IFBIF_DISCOVER) != 0:
		return abi.EINVAL
	}
	m.flags.Store(req.Ifsflags)
	return nil
}

func (b *bridge) setMemberPriority(_ *kern.Thread, arg []byte) error {
	req, _, err := b.member(arg)
	if err == nil && req.Priority != stpPortPriority {
		return abi.EOPNOTSUPP
	}
	return err
}

func (b *bridge) setMemberCost(_ *kern.Thread, arg []byte) error {
	req, _, err := b.member(arg)
	if err == nil && req.PathCost != stpPathCost {
		return abi.EOPNOTSUPP
	}
	return err
}

// maxCache bounds how many addresses a bridge may be told to keep.
const maxCache = 1 << 16

func (b *bridge) setCache(_ *kern.Thread, arg []byte) error {
	n := le.Uint32(arg)
	if n > maxCache {
		return abi.EINVAL
	}
	b.table.setLimit(int(n))
	return nil
}

func (b *bridge) setTimeout(_ *kern.Thread, arg []byte) error {
	b.table.setTimeout(time.Duration(le.Uint32(arg)) * time.Second)
	return nil
}

// setAddress is brconfig's static, and its deletable opposite. Errors: ENOENT for an interface that is no member, EINVAL for a group's address.
func (b *bridge) setAddress(_ *kern.Thread, arg []byte) error {
	var req abi.Ifbareq
	if err := req.Decode(arg); err != nil {
		return err
	}
	ifp, err := b.named(req.Ifsname)
	if err != nil {
		return err
	}
	m := b.find(ifp)
	switch {
	case m == nil:
		return abi.ENOENT
	case req.Dst[0]&1 != 0:
		return abi.EINVAL
	case req.Flags&abi.IFBAF_TYPEMASK == abi.IFBAF_STATIC:
		b.table.setStatic(m, req.Dst)
	default:
		b.table.setDynamic(m, req.Dst, time.Now())
	}
	return nil
}

func (b *bridge) deleteAddress(_ *kern.Thread, arg []byte) error {
	var req abi.Ifbareq
	if err := req.Decode(arg); err != nil {
		return err
	}
	if !b.table.remove(req.Dst) {
		return abi.ENOENT
	}
	return nil
}

// flush drops what was learnt; with IFBF_FLUSHALL everything.
func (b *bridge) flush(_ *kern.Thread, arg []byte) error {
	var req abi.Ifbreq
	if err := req.Decode(arg); err != nil {
		return err
	}
	all := req.Ifsflags&abi.IFBF_FLUSHALL != 0
	b.table.forget(func(e *entry) bool { return all || !e.static })
	return nil
}

// memberList is the list of members, each a struct ifbreq.
func (b *bridge) memberList() []byte {
	var list []byte
	for _, m := range b.list() {
		list = m.request().Append(list)
	}
	return list
}

// addressList is the list of addresses, each a struct ifbareq, whose ifba_expire is how many seconds are left.
func (b *bridge) addressList() []byte {
	var list []byte
	now := time.Now()
	for _, e := range b.table.all(now) {
		req := abi.Ifbareq{Dst: e.mac, Flags: abi.IFBAF_DYNAMIC}
		copy(req.Ifsname[:abi.IFNAMSIZ-1], e.member.ifp.Name)
		if e.static {
			req.Flags = abi.IFBAF_STATIC
		} else if !e.expire.IsZero() {
			req.Expire = int64(e.expire.Sub(now).Round(time.Second) / time.Second)
		}
		list = req.Append(list)
	}
	return list
}

// oldMembers and oldAddresses are the same lists as programs before NetBSD 7 ask for them: the structure has the array's address.
func (b *bridge) oldMembers(t *kern.Thread, arg []byte) error {
	var c abi.Ifbifconf
	if err := c.Decode(arg); err != nil {
		return err
	}
	n, err := copyList(t, c.Ifbicu, uint64(c.Len), c.Len == 0, b.memberList(), abi.SizeofIfbreq)
	c.Len = uint32(n)
	if err != nil {
		return err
	}
	return c.Encode(arg)
}

func (b *bridge) oldAddresses(t *kern.Thread, arg []byte) error {
	var c abi.Ifbaconf
	if err := c.Decode(arg); err != nil {
		return err
	}
	n, err := copyList(t, c.Ifbacu, uint64(c.Len), c.Len == 0, b.addressList(), abi.SizeofIfbareq)
	c.Len = uint32(n)
	if err != nil {
		return err
	}
	return c.Encode(arg)
}
