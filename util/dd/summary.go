package dd

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/util"
)

// counts are the statistics of a copy.
type counts struct {
	inFull, inPart   uint64 // input blocks
	outFull, outPart uint64 // output blocks
	sparse           uint64 // output blocks that became holes; they count as full too
	truncated        uint64 // records that were too long or did not end
	odd              uint64 // blocks of an odd length that were swapped
	bytes            uint64 // written
	short            bool   // the last record was shorter than cbs
}

// clock is the time of a copy, in milliseconds and never none of them.
type clock int64

func elapsed(d time.Duration) clock { return clock(max(d.Milliseconds(), 1)) }

func (c clock) String() string { return fmt.Sprintf("%d.%03d", c/1000, c%1000) }

// rate is bytes a second. The product does not overflow below 2^64 bytes.
func (c clock) rate(bytes uint64) uint64 {
	ms := uint64(c)
	return bytes/ms*1000 + bytes%ms*1000/ms
}

// The summaries of msgfmt=.
const (
	formatPosix = "%I+%i records in\n%O+%o records out\n"
	formatOdd   = "%w odd length swab %W\n"
	formatTrunc = "%t truncated %T\n"
	formatHoles = "%p sparse output %P\n"
	formatTime  = "%b bytes transferred in %s secs (%e bytes/sec)\n"
	formatHuman = "%b bytes (%B) transferred in %s secs (%e bytes/sec - %E)\n"
)

// summary is what dd says at its end for a msgfmt.
func (st *counts) summary(msgfmt string, t clock) string {
	last := formatTime
	switch msgfmt {
	case "quiet":
		return ""
	case "human":
		last = formatHuman
	case "", "posix":
	default:
		return st.format(msgfmt, t)
	}
	f := formatPosix
	for _, part := range []struct {
		n uint64
		f string
	}{{st.odd, formatOdd}, {st.truncated, formatTrunc}, {st.sparse, formatHoles}} {
		if part.n > 0 {
			f += part.f
		}
	}
	return st.format(f+last, t)
}

// specifiers has what may follow a percent sign in msgfmt=.
var specifiers = [256]func(st *counts, t clock) string{
	'b': func(st *counts, _ clock) string { return decimal(st.bytes) },
	'B': func(st *counts, _ clock) string { return humanBytes(st.bytes) },
	'e': func(st *counts, t clock) string { return decimal(t.rate(st.bytes)) },
	'E': func(st *counts, t clock) string { return humanBytes(t.rate(st.bytes)) + "/sec" },
	'i': func(st *counts, _ clock) string { return decimal(st.inPart) },
	'I': func(st *counts, _ clock) string { return decimal(st.inFull) },
	'o': func(st *counts, _ clock) string { return decimal(st.outPart) },
	'O': func(st *counts, _ clock) string { return decimal(st.outFull) },
	's': func(_ *counts, t clock) string { return t.String() },
	'p': func(st *counts, _ clock) string { return decimal(st.sparse) },
	't': func(st *counts, _ clock) string { return decimal(st.truncated) },
	'w': func(st *counts, _ clock) string { return decimal(st.odd) },
	'P': func(st *counts, _ clock) string { return blocks(st.sparse) },
	'T': func(st *counts, _ clock) string { return blocks(st.truncated) },
	'W': func(st *counts, _ clock) string { return blocks(st.odd) },
	'%': func(*counts, clock) string { return "%" },
}

func decimal(n uint64) string { return fmt.Sprint(n) }

// humanBytes is a number of bytes with a unit: humanize_number(3).
func humanBytes(n uint64) string {
	s, _ := util.Humanize{Decimal: true, Suffix: "B"}.Format(int64(min(n, math.MaxInt64)), 7)
	return s
}

// blocks is the noun for n of them.
func blocks(n uint64) string {
	if n == 1 {
		return "block"
	}
	return "blocks"
}

// checkFormat says what is wrong with a msgfmt.
func checkFormat(f string) error {
	for i := 0; i+1 < len(f); i++ {
		if f[i] != '%' {
			continue
		}
		i++
		if specifiers[f[i]] == nil {
			return util.Messagef("unknown specifier '%c' in msgfmt string", f[i])
		}
	}
	return nil
}

// format replaces the specifiers of a format that checkFormat likes. A lone percent sign at
// the end is dropped.
func (st *counts) format(f string, t clock) string {
	var b strings.Builder
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			b.WriteByte(f[i])
			continue
		}
		if i++; i < len(f) {
			b.WriteString(specifiers[f[i]](st, t))
		}
	}
	return b.String()
}
