package find

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
	"github.com/rumpctrl/rumpctrl/util/parsedate"
)

// moment is one of the times of a file.
type moment func(*abi.Stat) abi.Timespec

// timePrimaries are the primaries that look at times.
func timePrimaries() map[string]primary {
	const (
		minute = 60
		day    = 24 * 60 * 60
	)
	table := make(map[string]primary)
	for _, t := range [...]struct {
		letter, newer, since, what string
		get                        moment
	}{
		{"a", "-anewer", "-asince", "last access", func(st *abi.Stat) abi.Timespec { return st.Atim }},
		{"c", "-cnewer", "-csince", "last change of attributes", func(st *abi.Stat) abi.Timespec { return st.Ctim }},
		{"m", "-newer", "-since", "last modification", func(st *abi.Stat) abi.Timespec { return st.Mtim }},
	} {
		table["-"+t.letter+"min"] = primary{arg: "n", stat: true, make: aged(t.get, minute),
			doc: "The " + t.what + " was n minutes ago, a part of one counted whole; with + or - more or less."}
		table["-"+t.letter+"time"] = primary{arg: "n", stat: true, make: aged(t.get, day),
			doc: "The " + t.what + " was n times 24 hours ago, a part of them counted whole; with + or - more or less."}
		table[t.newer] = primary{arg: "file", stat: true, make: newer(t.get), doc: "The " + t.what + " is later than the file's."}
		table[t.since] = primary{arg: "time", stat: true, make: since(t.get),
			doc: "The " + t.what + " is later than this, in words of parsedate(3)."}
	}
	return table
}

// clock asks the kernel what time it is.
func (f *finder) clock() error {
	var ts abi.Timespec
	if err := f.sys.ClockGettime(abi.CLOCK_REALTIME, &ts); err != nil {
		return util.Messagef("clock_gettime: %s", err)
	}
	f.now = ts.Sec
	return nil
}

// aged makes the tests of how long ago something was, in units that have begun. What is less than one unit ago is less than
// one: -n is n too.
func aged(get moment, unit int64) func(*parser, string) (test, error) {
	return func(p *parser, arg string) (test, error) {
		n, _, err := p.number(arg, "")
		if n.sign < 0 {
			n.n++
		}
		return func(e *fts.Entry) bool { return n.is((p.now - get(e.Stat).Sec + unit - 1) / unit) }, err
	}
}

// newer makes the comparisons with a file.
func newer(get moment) func(*parser, string) (test, error) {
	return func(p *parser, arg string) (test, error) {
		var st abi.Stat
		if err := p.sys.Stat(arg, &st); err != nil {
			return nil, util.Messagef("%s: %s", arg, err)
		}
		return after(get, get(&st)), nil
	}
}

// since makes the comparisons with a time in words.
func since(get moment) func(*parser, string) (test, error) {
	return func(p *parser, arg string) (test, error) {
		t, err := parsedate.Parse(arg, time.Unix(p.now, 0).In(p.env.Location()))
		if err != nil {
			return nil, util.Messagef("%s: %s: illegal time", p.name, arg)
		}
		return after(get, abi.Timespec{Sec: t.Unix()}), nil
	}
}

// after is true of files whose time is later.
func after(get moment, than abi.Timespec) test {
	return func(e *fts.Entry) bool {
		ts := get(e.Stat)
		return ts.Sec > than.Sec || ts.Sec == than.Sec && ts.Nsec > than.Nsec
	}
}
