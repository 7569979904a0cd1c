package echo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Jiggle shows a flood: a dot for each packet sent, taken back for each answer. Little is written at a time.
type Jiggle struct {
	Out     io.Writer
	pending int // dots to write, or to take back
	shown   int
	at      time.Time
}

// jiggleEvery is how often a flood is shown.
const jiggleEvery = 200 * time.Millisecond

// Add counts a packet sent (+1) or answered (-1).
func (j *Jiggle) Add(delta int, now time.Time) {
	if j.shown+j.pending+delta < 0 {
		return
	}
	j.pending += delta
	if now.Sub(j.at) > jiggleEvery {
		j.Flush(false)
		j.at = now
	}
}

// Flush writes what is pending; with newline it ends the line of dots, if there is one.
func (j *Jiggle) Flush(newline bool) {
	if j.pending > 0 {
		fmt.Fprint(j.Out, strings.Repeat(".", j.pending))
	} else {
		fmt.Fprint(j.Out, strings.Repeat("\b", -j.pending))
	}
	j.shown += j.pending
	j.pending = 0
	if newline && j.shown != 0 {
		fmt.Fprintln(j.Out)
		j.shown = 0
	}
}
