package socket

import (
	"math"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Options of older releases, which compat/sys/socket.h has.
const (
	soOtimestamp = 0x0400
	soOsndtimeo  = 0x1005
	soOrcvtimeo  = 0x1006
)

// option is an option of SOL_SOCKET. Its value has been read and has the right size when set is called.
type option struct {
	size int // of the value that is set, in bytes
	get  func(so *Socket) []byte
	set  func(t *kern.Thread, so *Socket, val []byte) error // nil for one that cannot be set
}

// options are those of SOL_SOCKET. What is not here is ENOPROTOOPT, SO_ACCEPTFILTER among it: there are no accept filters.
var options = map[int]option{
	abi.SO_DEBUG:       flag(abi.SO_DEBUG),
	abi.SO_KEEPALIVE:   flag(abi.SO_KEEPALIVE),
	abi.SO_DONTROUTE:   flag(abi.SO_DONTROUTE),
	abi.SO_USELOOPBACK: flag(abi.SO_USELOOPBACK),
	abi.SO_BROADCAST:   flag(abi.SO_BROADCAST),
	abi.SO_REUSEADDR:   flag(abi.SO_REUSEADDR),
	abi.SO_REUSEPORT:   flag(abi.SO_REUSEPORT),
	abi.SO_OOBINLINE:   flag(abi.SO_OOBINLINE),
	abi.SO_TIMESTAMP:   flag(abi.SO_TIMESTAMP),
	abi.SO_NOSIGPIPE:   flag(abi.SO_NOSIGPIPE),
	soOtimestamp:       flag(soOtimestamp),
	abi.SO_ACCEPTCONN:  {get: flag(abi.SO_ACCEPTCONN).get},

	abi.SO_LINGER:   {abi.SizeofLinger, (*Socket).getLinger, setLinger},
	abi.SO_SNDBUF:   number(func(so *Socket) *atomic.Int32 { return &so.Sndbuf }, setSndbuf),
	abi.SO_RCVBUF:   number(func(so *Socket) *atomic.Int32 { return &so.Rcvbuf }, setRcvbuf),
	abi.SO_SNDLOWAT: number(func(so *Socket) *atomic.Int32 { return &so.sndlowat }, setSndlowat),
	abi.SO_RCVLOWAT: number(func(so *Socket) *atomic.Int32 { return &so.rcvlowat }, setRcvlowat),
	abi.SO_SNDTIMEO: timeo(func(so *Socket) *atomic.Int64 { return &so.sndtimeo }),
	abi.SO_RCVTIMEO: timeo(func(so *Socket) *atomic.Int64 { return &so.rcvtimeo }),
	soOsndtimeo:     timeo(func(so *Socket) *atomic.Int64 { return &so.sndtimeo }),
	soOrcvtimeo:     timeo(func(so *Socket) *atomic.Int64 { return &so.rcvtimeo }),

	abi.SO_TYPE:       {get: func(so *Socket) []byte { return cint(so.Type) }},
	abi.SO_ERROR:      {get: (*Socket).getError},
	abi.SO_OVERFLOWED: {get: (*Socket).getOverflowed},
}

func cint(v int) []byte { return le.AppendUint32(nil, uint32(v)) }

// flag is an option that is a bit of so_options.
func flag(bit uint32) option {
	get := func(so *Socket) []byte {
		if so.Option(bit) {
			return cint(1)
		}
		return cint(0)
	}
	set := func(_ *kern.Thread, so *Socket, val []byte) error {
		old, on := so.Option(bit), le.Uint32(val) != 0
		so.setOption(bit, on)
		if err := so.optionSet(int(bit), int(int32(le.Uint32(val)))); err != nil {
			so.setOption(bit, old)
			return err
		}
		return nil
	}
	return option{4, get, set}
}

// optionSet tells the protocol of an option that has been set.
func (so *Socket) optionSet(name, value int) error {
	if w, ok := so.protocol.(OptionWatcher); ok {
		return w.SetSocketOption(name, value)
	}
	return nil
}

// number is an option that is a positive int.
func number(v func(so *Socket) *atomic.Int32, set func(t *kern.Thread, so *Socket, n int32) error) option {
	return option{4, func(so *Socket) []byte { return cint(int(v(so).Load())) },
		func(t *kern.Thread, so *Socket, val []byte) error {
			n := int32(le.Uint32(val))
			if n < 1 {
				return abi.EINVAL
			}
			return set(t, so, n)
		}}
}

// maxSpace is the largest buffer: kern.sbmax, less what mbufs take beside their data.
func (l *Layer) maxSpace() int32 {
	return int32(int64(l.vars.sbMax.Load()) * abi.MCLBYTES / (abi.MSIZE + abi.MCLBYTES))
}

// setSpace sets the sizes of both buffers; n is the one that changes and name its option. Errors: ENOBUFS.
func (so *Socket) setSpace(t *kern.Thread, name int, snd, rcv, n int32) error {
	if n > so.Layer.maxSpace() {
		return abi.ENOBUFS
	}
	oldSnd, oldRcv := so.Sndbuf.Load(), so.Rcvbuf.Load()
	if err := so.reserve(t, snd, rcv); err != nil {
		return err
	}
	if err := so.optionSet(name, int(n)); err != nil {
		return either(so.reserve(t, oldSnd, oldRcv), err)
	}
	return nil
}

func setSndbuf(t *kern.Thread, so *Socket, n int32) error {
	if err := so.setSpace(t, abi.SO_SNDBUF, n, so.Rcvbuf.Load(), n); err != nil {
		return err
	}
	so.NotifyWrite()
	return nil
}

func setRcvbuf(t *kern.Thread, so *Socket, n int32) error {
	return so.setSpace(t, abi.SO_RCVBUF, so.Sndbuf.Load(), n, n)
}

func setSndlowat(_ *kern.Thread, so *Socket, n int32) error {
	so.sndlowat.Store(min(n, so.Sndbuf.Load()))
	so.NotifyWrite()
	return so.optionSet(abi.SO_SNDLOWAT, int(n))
}

func setRcvlowat(_ *kern.Thread, so *Socket, n int32) error {
	so.rcvlowat.Store(min(n, so.Rcvbuf.Load()))
	so.NotifyRead()
	return so.optionSet(abi.SO_RCVLOWAT, int(n))
}

const microsPerTick = 1000000 / hz

// timeo is a timeout: a struct timeval, kept in ticks. Errors: EDOM for one that is negative or too long.
func timeo(v func(so *Socket) *atomic.Int64) option {
	get := func(so *Socket) []byte {
		n := v(so).Load()
		return (&abi.Timeval{Sec: n / hz, Usec: int32(n % hz * microsPerTick)}).Append(nil)
	}
	set := func(_ *kern.Thread, so *Socket, val []byte) error {
		var tv abi.Timeval
		if err := tv.Decode(val); err != nil {
			return err
		}
		if tv.Sec < 0 || tv.Usec < 0 || tv.Usec >= 1000000 || tv.Sec > (math.MaxInt32-int64(tv.Usec)/microsPerTick)/hz {
			return abi.EDOM
		}
		ticks := tv.Sec*hz + int64(tv.Usec)/microsPerTick
		if ticks == 0 && tv.Usec != 0 {
			ticks = 1
		}
		v(so).Store(ticks)
		return nil
	}
	return option{abi.SizeofTimeval, get, set}
}

func (so *Socket) getLinger() []byte {
	l := abi.Linger{Linger: so.linger.Load()}
	if so.Option(abi.SO_LINGER) {
		l.Onoff = 1
	}
	return l.Append(nil)
}

// setLinger takes a struct linger. Errors: EDOM for a time that is negative or too long.
func setLinger(_ *kern.Thread, so *Socket, val []byte) error {
	var l abi.Linger
	if err := l.Decode(val); err != nil {
		return err
	}
	if l.Linger < 0 || l.Linger > math.MaxUint16 {
		return abi.EDOM
	}
	so.linger.Store(l.Linger)
	so.setOption(abi.SO_LINGER, l.Onoff != 0)
	return so.optionSet(abi.SO_LINGER, int(l.Onoff))
}

func (so *Socket) getError() []byte {
	err := so.takeError()
	if err == nil {
		return cint(0)
	}
	return cint(int(abi.ToErrno(err)))
}

func (so *Socket) getOverflowed() []byte {
	if o, ok := so.protocol.(Overflower); ok {
		return cint(o.Overflowed())
	}
	return cint(0)
}

// setopt sets an option. Those of SOL_SOCKET that the layer does not know are the protocol's too.
//
// Errors: ENOPROTOOPT; EINVAL for a value of another size, or out of range.
func (so *Socket) setopt(t *kern.Thread, level, name int, val []byte) error {
	if o, ok := options[name]; ok && level == abi.SOL_SOCKET && o.set != nil {
		if len(val) != o.size {
			return abi.EINVAL
		}
		return o.set(t, so, val)
	}
	if p, ok := so.protocol.(Optioner); ok {
		return p.Setopt(t, level, name, val)
	}
	return abi.ENOPROTOOPT
}

// getopt is an option's value. Errors: ENOPROTOOPT, and the protocol's.
func (so *Socket) getopt(t *kern.Thread, level, name int) ([]byte, error) {
	if o, ok := options[name]; ok && level == abi.SOL_SOCKET {
		return o.get(so), nil
	}
	if p, ok := so.protocol.(Optioner); ok {
		return p.Getopt(t, level, name)
	}
	return nil, abi.ENOPROTOOPT
}

// maxOption is the longest value of an option.
const maxOption = abi.MCLBYTES

// sysSetsockopt is setsockopt(s, level, name, val, size).
func sysSetsockopt(t *kern.Thread, a *kern.Args) (int64, error) {
	size := a.Uint(4)
	if size > maxOption || size > 0 && a[3] == 0 {
		return 0, abi.EINVAL
	}
	return 0, withSocket(t, a.Int(0), func(f *kern.File, so *Socket) error {
		val := make([]byte, size)
		if size > 0 {
			if err := t.Mem.CopyIn(a[3], val); err != nil {
				return err
			}
		}
		err := so.setopt(t, a.Int(1), a.Int(2), val)
		if so.Option(abi.SO_NOSIGPIPE) {
			f.SetFlags(abi.O_NOSIGPIPE, 0)
		} else {
			f.SetFlags(0, abi.O_NOSIGPIPE)
		}
		return err
	})
}

// sysGetsockopt is getsockopt(s, level, name, val, where the size is).
func sysGetsockopt(t *kern.Thread, a *kern.Args) (int64, error) {
	var room uint32
	if a[3] != 0 {
		var b [4]byte
		if err := t.Mem.CopyIn(a[4], b[:]); err != nil {
			return 0, err
		}
		room = le.Uint32(b[:])
	}
	return 0, withSocket(t, a.Int(0), func(f *kern.File, so *Socket) error {
		so.setOption(abi.SO_NOSIGPIPE, f.Flags()&abi.O_NOSIGPIPE != 0)
		val, err := so.getopt(t, a.Int(1), a.Int(2))
		if err != nil || room == 0 {
			return err
		}
		val = val[:min(uint64(len(val)), uint64(room))]
		if len(val) > 0 {
			if err := t.Mem.CopyOut(a[3], val); err != nil {
				return err
			}
		}
		return t.Mem.CopyOut(a[4], cint(len(val)))
	})
}
