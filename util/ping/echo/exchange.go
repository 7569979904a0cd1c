package echo

import (
	"context"
	"fmt"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// Exchange sends packets at their pace and takes what is received, until it is enough. Its fields are set before Run; Send and Take are called
// by Run on its own goroutine.
type Exchange struct {
	// Count is how many answers are enough, 0 for no end; as many packets are sent, and Preload of them at once first.
	Count, Preload int
	// Interval is the time between packets.
	Interval time.Duration
	// Deadline is when Run ends in any case, counted from its beginning; 0 for never.
	Deadline time.Duration
	// Patience is how long to wait for the last answers; 0 is twice as long as the slowest took, at least ten intervals.
	Patience time.Duration
	// Flood sends the next packet as soon as the last is answered, Once ends with the first answer.
	Flood, Once bool
	// Size and Control are the largest packet, and the control messages, to receive.
	Size, Control int

	Send func(seq uint16, now time.Time)
	Take func(p *Packet)
	// Flush is called before waiting; its error ends Run.
	Flush func() error

	Sent, Received, Repeats int
	Times                   Times

	pace     Pace
	seen     Seen
	begin    time.Time
	tx, rx   span
	caughtUp bool // the last packet sent has been answered
}

// span is a time from the first to the last event.
type span struct{ first, last time.Time }

func (s *span) add(t time.Time) {
	if s.first.IsZero() {
		s.first = t
	}
	s.last = t
}

// rate is events a second.
func (s *span) rate(n int) float64 { return float64(n) / max(s.last.Sub(s.first).Seconds(), 0.0001) }

// Run does it. ctx's end ends it.
func (x *Exchange) Run(ctx context.Context, sys *client.Sys, fd int) {
	x.pace.Interval, x.begin = x.Interval, time.Now()
	done := make(chan struct{})
	packets := Receive(sys, fd, x.Size, x.Control, done)
	defer func() {
		close(done)
		sys.Shutdown(fd, abi.SHUT_RD) //nolint:errcheck // it only ends the receiver
	}()
	for range x.Preload {
		x.send()
	}
	for !x.enough() {
		wait, stop := x.sendDue()
		if stop || x.Flush() != nil {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case p, ok := <-packets:
			if !ok {
				return
			}
			x.Take(&p)
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		timer.Stop()
	}
}

// enough says whether all answers that were asked for have come.
func (x *Exchange) enough() bool {
	return x.Count > 0 && x.Received >= x.Count || x.Received > 0 && x.Once
}

// sendDue sends the packet that is due, and says how long to wait for the next, or for the last answers.
func (x *Exchange) sendDue() (wait time.Duration, stop bool) {
	left := time.Duration(1<<63 - 1)
	if x.Deadline > 0 {
		left = x.Deadline - time.Since(x.begin)
	}
	if left <= 0 {
		return 0, true
	}
	if x.Count == 0 || x.Sent < x.Count {
		if x.pace.Due(time.Now()) || x.caughtUp && x.Flood {
			x.send()
		}
		return min(max(time.Until(x.pace.Next()), 0), left), false
	}
	wait = x.Patience
	if wait == 0 {
		wait = max(2*x.Times.Most(), 10*x.Interval)
	}
	wait -= time.Since(x.tx.last)
	return min(wait, left), wait <= 0
}

func (x *Exchange) send() {
	now, seq := time.Now(), uint16(x.Sent)
	x.seen.Clear(seq)
	x.caughtUp = false
	x.Sent++
	x.tx.add(now)
	x.pace.Sent(now)
	x.Send(seq, now)
}

// Answered counts an answer, and says whether it is not the first to its packet.
func (x *Exchange) Answered(seq uint16, at time.Time) (dup bool) {
	x.caughtUp = x.caughtUp || seq == uint16(x.Sent-1)
	x.rx.add(at)
	if x.seen.Mark(seq) {
		x.Repeats++
		return true
	}
	x.Received++
	return false
}

// Counts is the line of statistics about how many packets there were, with its end.
func (x *Exchange) Counts() string {
	text := fmt.Sprintf("%d packets transmitted, %d packets received, ", x.Sent, x.Received)
	if x.Repeats > 0 {
		text += fmt.Sprintf("+%d duplicates, ", x.Repeats)
	}
	switch {
	case x.Sent == 0:
	case x.Received > x.Sent:
		text += "-- somebody's duplicating packets!"
	default:
		text += fmt.Sprintf("%.1f%% packet loss", float64(x.Sent-x.Received)*100/float64(x.Sent))
	}
	return text + "\n"
}

// Rates are how many packets were sent and received a second.
func (x *Exchange) Rates() (sent, received float64) {
	return x.tx.rate(x.Sent), x.rx.rate(x.Received)
}
