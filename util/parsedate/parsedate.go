// Package parsedate reads dates and times as people write them: "2006-11-17 10:12pm", "last friday", "one week ago".
// What it knows is what parsedate(3) of NetBSD's manual lists.
//
// A text is split into tokens (token.go), which are taken off from the left an item at a time: a date, a time,
// a zone, a day of the week, or an amount relative to the rest. The order of the items is free.
//
// Start reading at [Parse].
package parsedate

import (
	"errors"
	"time"
)

// Errors of Parse.
var (
	errSyntax = errors.New("no date")
	errTwice  = errors.New("two dates, times, zones or days")
	errRange  = errors.New("out of range")
)

// Bounds of what relative items may add up to, either way.
const (
	maxMonths  = 12 * 10_000
	maxSeconds = 10_000 * 366 * 86400
)

// date is what has been read.
type date struct {
	tokens []token

	year, month, day     int
	hour, minute, second int
	zone                 *time.Location
	weekday, ordinal     int
	months, seconds      int // relative

	hasDate, hasTime, hasZone, hasDay, hasRelative bool
}

// Parse reads a text. What it leaves out is taken from now, in now's zone: the date is today's, the time midnight unless
// there are relative items alone, which count from this moment. A month that is too short for a day runs over into the next.
// Parts of a second are dropped.
func Parse(text string, now time.Time) (time.Time, error) {
	tokens, err := scan(text)
	if err != nil {
		return time.Time{}, err
	}
	d := &date{tokens: tokens, year: now.Year(), month: int(now.Month()), day: now.Day(), zone: now.Location()}
	for len(d.tokens) > 0 {
		if err := d.item(); err != nil {
			return time.Time{}, err
		}
	}
	return d.resolve(now)
}

// resolve returns the moment.
func (d *date) resolve(now time.Time) (time.Time, error) {
	t := now.Truncate(time.Second)
	if d.hasDate || d.hasTime || d.hasDay || !d.hasRelative {
		t = time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, d.zone)
		if t.Day() != d.day && d.hasDate {
			return time.Time{}, errRange
		}
	}
	t = time.Unix(t.Unix()+int64(d.seconds), 0).In(t.Location())
	t = t.AddDate(0, d.months, 0)
	if d.hasDay && !d.hasDate {
		weeks := d.ordinal
		if weeks > 0 {
			weeks--
		}
		t = t.AddDate(0, 0, (d.weekday-int(t.Weekday())+7)%7+7*weeks)
	}
	return t.In(now.Location()), nil
}

// peek returns the kind of the i-th token from here, or end.
func (d *date) peek(i int) kind {
	if i >= len(d.tokens) {
		return end
	}
	return d.tokens[i].kind
}

// value returns the value of the i-th token from here.
func (d *date) value(i int) int { return d.tokens[i].value }

// skip takes n tokens off.
func (d *date) skip(n int) { d.tokens = d.tokens[n:] }

// item takes an item off.
func (d *date) item() error {
	switch d.peek(0) {
	case number, ordinal:
		return d.numberItem()
	case signed:
		if d.peek(1) == unitMonths || d.peek(1) == unitSeconds {
			return d.relative(d.value(0), 1)
		}
	case epoch:
		t := time.Unix(int64(d.value(0)), 0).UTC()
		d.year, d.month, d.day = t.Year(), int(t.Month()), t.Day()
		d.hour, d.minute, d.second = t.Clock()
		d.zone = time.UTC
		d.skip(1)
		return errors.Join(once(&d.hasDate), once(&d.hasTime), once(&d.hasZone))
	case unitMonths, unitSeconds:
		return d.relative(1, 0)
	case monthName:
		return d.monthItem()
	case dayName:
		return d.dayItem(1, 0)
	case zoneName, zoneSummer:
		return d.zoneItem()
	case clock:
		d.hour, d.minute, d.second = d.value(0), 0, 0
		d.skip(1)
		return once(&d.hasTime)
	}
	return errSyntax
}

// once notes that there is an item of a sort, which there may be one of.
func once(has *bool) error {
	if *has {
		return errTwice
	}
	*has = true
	return nil
}

// numberItem takes off an item that begins with a number.
func (d *date) numberItem() error {
	n := d.value(0)
	switch next := d.peek(1); {
	case next == unitMonths || next == unitSeconds:
		return d.relative(n, 1)
	case next == dayName:
		return d.dayItem(n, 1)
	case d.peek(0) == ordinal:
		return errSyntax
	case next == colon || next == meridian:
		return d.timeItem()
	case next == slash && d.peek(2) == number:
		return d.slashItem()
	case next == signed && d.peek(2) == signed && d.value(1) < 0 && d.value(2) < 0:
		return d.setDate(n, -d.value(1), -d.value(2), 3)
	case next == monthName:
		return d.dayMonthItem()
	}
	d.skip(1)
	return d.plainNumber(n)
}
