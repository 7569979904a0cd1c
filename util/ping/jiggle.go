package ping

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// jiggle shows a flood: a dot for each packet sent, taken back for each answer. Little is written at a time.
type jiggle struct {
	out     io.Writer
	pending int // dots to write, or to take back
	shown   int
	at      time.Time
}

// jiggleEvery is how often a flood is shown.
const jiggleEvery = 200 * time.Millisecond

// jiggleBy counts a packet sent (+1) or answered (-1).
func (s *session) jiggleBy(delta int) {
	j := &s.jiggle
	if s.has('q') || j.shown+j.pending+delta < 0 {
		return
	}
	j.pending += delta
	if s.lastTx.Sub(j.at) > jiggleEvery {
		j.flush(false)
		j.at = s.lastTx
	}
}

// flush writes what is pending; with newline it ends the line of dots, if there is one.
func (j *jiggle) flush(newline bool) {
	if j.pending > 0 {
		fmt.Fprint(j.out, strings.Repeat(".", j.pending))
	} else {
		fmt.Fprint(j.out, strings.Repeat("\b", -j.pending))
	}
	j.shown += j.pending
	j.pending = 0
	if newline && j.shown != 0 {
		fmt.Fprintln(j.out)
		j.shown = 0
	}
}
