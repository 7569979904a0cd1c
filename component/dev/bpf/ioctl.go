package bpf

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

var le = binary.LittleEndian

// ioctls are the device's: bpf(4). Those with an unsigned number for an argument are in numbers.
var ioctls = map[uint32]func(b *descriptor, t *kern.Thread, data []byte) error{
	abi.FIONREAD:      (*descriptor).waiting,
	abi.BIOCFLUSH:     (*descriptor).flush,
	abi.BIOCPROMISC:   (*descriptor).setPromisc,
	abi.BIOCSETF:      (*descriptor).setFilter,
	abi.BIOCSETIF:     (*descriptor).setInterface,
	abi.BIOCGETIF:     (*descriptor).getInterface,
	abi.BIOCGDLTLIST:  (*descriptor).listDLT,
	abi.BIOCSRTIMEOUT: (*descriptor).setTimeout,
	abi.BIOCGRTIMEOUT: (*descriptor).getTimeout,
	abi.BIOCGSTATS:    (*descriptor).getStats,
	abi.BIOCGSTATSOLD: (*descriptor).getOldStats,
	abi.BIOCVERSION:   version,
}

// number is an ioctl whose argument is an unsigned int: get reads it, set changes it. b.mu held.
type number struct {
	get func(b *descriptor) (uint32, error)
	set func(b *descriptor, v uint32) (uint32, error) // and what the caller is told
}

var numbers = map[uint32]number{
	abi.BIOCGBLEN:     {get: func(b *descriptor) (uint32, error) { return uint32(b.size), nil }},
	abi.BIOCSBLEN:     {set: (*descriptor).setSize},
	abi.BIOCGDLT:      {get: (*descriptor).dlt},
	abi.BIOCSDLT:      {set: (*descriptor).setDLT},
	abi.BIOCIMMEDIATE: {set: setter(func(b *descriptor) *bool { return &b.immediate })},
	abi.BIOCGHDRCMPLT: {get: getter(func(b *descriptor) bool { return b.hdrcmplt })},
	abi.BIOCSHDRCMPLT: {set: setter(func(b *descriptor) *bool { return &b.hdrcmplt })},
	abi.BIOCGSEESENT:  {get: getter(func(b *descriptor) bool { return b.seesent })},
	abi.BIOCSSEESENT:  {set: setter(func(b *descriptor) *bool { return &b.seesent })},
	abi.BIOCGFEEDBACK: {get: getter(func(b *descriptor) bool { return b.feedback })},
	abi.BIOCSFEEDBACK: {set: setter(func(b *descriptor) *bool { return &b.feedback })},
}

func getter(field func(*descriptor) bool) func(*descriptor) (uint32, error) {
	return func(b *descriptor) (uint32, error) { return flag(field(b)), nil }
}

func setter(field func(*descriptor) *bool) func(*descriptor, uint32) (uint32, error) {
	return func(b *descriptor, v uint32) (uint32, error) {
		*field(b) = v != 0
		return v, nil
	}
}

// Ioctl serves the ioctls of bpf(4). SIOCGIFADDR is the interface's. Errors: EINVAL for those that it does not know, and theirs.
func (b *descriptor) Ioctl(t *kern.Thread, _ *kern.File, cmd uint32, data []byte) error {
	b.mu.Lock()
	b.stopTimer(abi.BPF_IDLE)
	b.mu.Unlock()
	if f := ioctls[cmd]; f != nil {
		return f(b, t, data)
	}
	n, known := numbers[cmd]
	if !known {
		return abi.EINVAL
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var v uint32
	var err error
	if n.get != nil {
		v, err = n.get(b)
	} else {
		v, err = n.set(b, le.Uint32(data))
	}
	le.PutUint32(data, v)
	return err
}

// waiting is FIONREAD: the bytes in both buffers.
func (b *descriptor) waiting(_ *kern.Thread, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	le.PutUint32(data, uint32(len(b.store)+len(b.hold)))
	return nil
}

// setSize is BIOCSBLEN. Errors: EINVAL for a descriptor that has an interface.
func (b *descriptor) setSize(v uint32) (uint32, error) {
	if b.ifp != nil {
		return v, abi.EINVAL
	}
	b.free()
	b.size = int(max(abi.BPF_MINBUFSIZE, min(v, uint32(b.dev.maxBuf.Load()))))
	return uint32(b.size), nil
}

func (b *descriptor) flush(*kern.Thread, []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reset()
	return nil
}

// setPromisc is BIOCPROMISC. Errors: EINVAL without an interface.
func (b *descriptor) setPromisc(*kern.Thread, []byte) error {
	b.dev.net.Config.Lock()
	defer b.dev.net.Config.Unlock()
	b.mu.Lock()
	ifp, before := b.ifp, b.promisc
	b.promisc = ifp != nil
	b.mu.Unlock()
	if ifp == nil {
		return abi.EINVAL
	}
	if !before {
		ifp.SetPromiscuous(1)
	}
	return nil
}

// setFilter is BIOCSETF: a program in the caller's memory, or none. What has been stored is dropped. Errors: EINVAL, EFAULT.
func (b *descriptor) setFilter(t *kern.Thread, data []byte) error {
	var arg abi.BpfProgram
	if err := arg.Decode(data); err != nil {
		return err
	}
	prog, err := fetchProgram(t, &arg)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.filter = prog
	b.reset()
	return nil
}

// fetchProgram reads and validates a program; nil for none.
func fetchProgram(t *kern.Thread, arg *abi.BpfProgram) (Program, error) {
	switch {
	case arg.Insns == 0 && arg.Len == 0:
		return nil, nil
	case arg.Insns == 0 || arg.Len > abi.BPF_MAXINSNS:
		return nil, abi.EINVAL
	}
	raw := make([]byte, int(arg.Len)*abi.SizeofBpfInsn)
	if err := t.Mem.CopyIn(arg.Insns, raw); err != nil {
		return nil, err
	}
	insns := make([]abi.BpfInsn, arg.Len)
	for i := range insns {
		if err := insns[i].Decode(raw[i*abi.SizeofBpfInsn:]); err != nil {
			return nil, err
		}
	}
	return Compile(insns)
}

// setInterface is BIOCSETIF; a name without a number means the first of its kind. Errors: ENXIO, ENOMEM.
func (b *descriptor) setInterface(_ *kern.Thread, data []byte) error {
	var req abi.Ifreq
	if err := req.Decode(data); err != nil {
		return err
	}
	name, _, _ := strings.Cut(string(req.Name[:]), "\x00")
	if !strings.ContainsAny(name, "0123456789") {
		name += "0"
	}
	b.dev.net.Config.Lock()
	defer b.dev.net.Config.Unlock()
	ifp := b.dev.net.ByName(name)
	if ifp == nil {
		return abi.ENXIO
	}
	return b.bind(ifp)
}

// getInterface is BIOCGETIF. Errors: EINVAL without an interface.
func (b *descriptor) getInterface(_ *kern.Thread, data []byte) error {
	ifp := b.iface()
	if ifp == nil {
		return abi.EINVAL
	}
	var req abi.Ifreq
	copy(req.Name[:abi.IFNAMSIZ-1], ifp.Name)
	return req.Encode(data)
}

func (b *descriptor) iface() *ifnet.Interface {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ifp
}

// dlt is BIOCGDLT. Errors: EINVAL without an interface.
func (b *descriptor) dlt() (uint32, error) {
	if b.ifp == nil {
		return 0, abi.EINVAL
	}
	return b.ifp.DLT, nil
}

// setDLT is BIOCSDLT: each interface has one type. Errors: EINVAL.
func (b *descriptor) setDLT(v uint32) (uint32, error) {
	if b.ifp == nil || b.ifp.DLT != v {
		return v, abi.EINVAL
	}
	return v, nil
}

// listDLT is BIOCGDLTLIST: the types that there are, or without room for them how many. Errors: EINVAL, ENOMEM, EFAULT.
func (b *descriptor) listDLT(t *kern.Thread, data []byte) error {
	ifp := b.iface()
	var list abi.BpfDltlist
	if err := list.Decode(data); err != nil {
		return err
	}
	switch {
	case ifp == nil:
		return abi.EINVAL
	case list.List != 0 && list.Len < 1:
		return abi.ENOMEM
	case list.List != 0:
		if err := t.Mem.CopyOut(list.List, le.AppendUint32(nil, ifp.DLT)); err != nil {
			return err
		}
	}
	list.Len = 1
	return list.Encode(data)
}

// maxTimeout bounds read timeouts, in seconds: what fits into a time.Duration.
const maxTimeout = 1 << 32

// setTimeout is BIOCSRTIMEOUT. Errors: EINVAL for what is no time.
func (b *descriptor) setTimeout(_ *kern.Thread, data []byte) error {
	var tv abi.Timeval
	if err := tv.Decode(data); err != nil {
		return err
	}
	if tv.Sec < 0 || tv.Sec > maxTimeout || tv.Usec < 0 || tv.Usec >= 1e6 {
		return abi.EINVAL
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timeout = time.Duration(tv.Sec)*time.Second + time.Duration(tv.Usec)*time.Microsecond
	return nil
}

func (b *descriptor) getTimeout(_ *kern.Thread, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	tv := abi.Timeval{Sec: int64(b.timeout / time.Second), Usec: int32(b.timeout % time.Second / time.Microsecond)}
	return tv.Encode(data)
}

func (b *descriptor) getStats(_ *kern.Thread, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := abi.BpfStat{Recv: b.recv, Drop: b.drop, Capt: b.capt}
	return s.Encode(data)
}

func (b *descriptor) getOldStats(_ *kern.Thread, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := abi.BpfStatOld{Recv: uint32(b.recv), Drop: uint32(b.drop)}
	return s.Encode(data)
}

func version(_ *descriptor, _ *kern.Thread, data []byte) error {
	v := abi.BpfVersion{Major: abi.BPF_MAJOR_VERSION, Minor: abi.BPF_MINOR_VERSION}
	return v.Encode(data)
}
