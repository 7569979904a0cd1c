package parsedate

import "time"

// setDate sets the date and takes the n tokens that said it. A year below 69 is of this century, one below 100 of the last.
func (d *date) setDate(year, month, day, n int) error {
	switch {
	case year < 69:
		year += 2000
	case year < 100:
		year += 1900
	}
	if year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 {
		return errRange
	}
	d.year, d.month, d.day = year, month, day
	d.skip(n)
	return once(&d.hasDate)
}

// slashItem takes off "10/1", "10/1/2000" or "2000/10/1".
func (d *date) slashItem() error {
	a, b := d.value(0), d.value(2)
	if d.peek(3) != slash || d.peek(4) != number {
		return d.setDate(d.year, a, b, 3)
	}
	c := d.value(4)
	if a >= 100 {
		return d.setDate(a, b, c, 5)
	}
	return d.setDate(c, a, b, 5)
}

// dayMonthItem takes off "20 Jun", "20 Jun 1994", "23jun2001" or "1-sep-06".
func (d *date) dayMonthItem() error {
	day, month := d.value(0), d.value(1)
	switch {
	case d.peek(2) == signed && d.value(2) < 0 && !d.unitAt(3):
		return d.setDate(-d.value(2), month, day, 3)
	case d.lone(2):
		return d.setDate(d.value(2), month, day, 3)
	}
	return d.setDate(d.year, month, day, 2)
}

// monthItem takes off "June 20" or "June 20, 1994".
func (d *date) monthItem() error {
	month := d.value(0)
	switch {
	case d.peek(1) != number:
		return errSyntax
	case d.peek(2) == comma && d.lone(3):
		return d.setDate(d.value(3), month, d.value(1), 4)
	}
	return d.setDate(d.year, month, d.value(1), 2)
}

// lone tells whether the i-th token is a number that does not begin another item.
func (d *date) lone(i int) bool {
	if d.peek(i) != number {
		return false
	}
	switch d.peek(i + 1) {
	case colon, slash, meridian, dayName, monthName, unitMonths, unitSeconds:
		return false
	}
	return true
}

func (d *date) unitAt(i int) bool { return d.peek(i) == unitMonths || d.peek(i) == unitSeconds }

// timeItem takes off "10pm", "10:01", "10:01:30.5", each with am or pm, or "12:21-0500".
func (d *date) timeItem() error {
	hms := [3]int{d.value(0)}
	d.skip(1)
	for i := 1; i < 3 && d.peek(0) == colon; i++ {
		if d.peek(1) != number {
			return errSyntax
		}
		hms[i] = d.value(1)
		d.skip(2)
	}
	if d.peek(0) == dot && d.peek(1) == number {
		d.skip(2)
	}
	if hms[1] > 59 || hms[2] > 59 || hms[0] > 23 {
		return errRange
	}
	d.hour, d.minute, d.second = hms[0], hms[1], hms[2]
	switch {
	case d.peek(0) == meridian:
		if d.hour < 1 || d.hour > 12 {
			return errRange
		}
		d.hour = d.hour%12 + d.value(0)
		d.skip(1)
	case d.peek(0) == signed && !d.unitAt(1):
		if err := d.setZone(d.value(0)/100*60 + d.value(0)%100); err != nil {
			return err
		}
		d.skip(1)
	}
	return once(&d.hasTime)
}

// setZone sets the zone to so many minutes east of Greenwich.
func (d *date) setZone(east int) error {
	if east < -24*60 || east > 24*60 {
		return errRange
	}
	d.zone = time.FixedZone("", east*60)
	return once(&d.hasZone)
}

// zoneItem takes off "EST", "EDT" or "EST dst".
func (d *date) zoneItem() error {
	east := d.value(0)
	summer := d.peek(0) == zoneSummer
	d.skip(1)
	if d.peek(0) == dst && !summer {
		summer = true
		d.skip(1)
	}
	if summer {
		east += 60
	}
	return d.setZone(east)
}

// dayItem takes off a day of the week, of which it is the nth from today on, and the n tokens before it.
func (d *date) dayItem(nth, n int) error {
	if nth < -maxMonths || nth > maxMonths {
		return errRange
	}
	d.ordinal, d.weekday = nth, d.value(n)
	d.skip(n + 1)
	if d.peek(0) == comma {
		d.skip(1)
	}
	return once(&d.hasDay)
}

// relative takes off count times a unit, the tokens before that, and "ago".
func (d *date) relative(count, tokens int) error {
	amount := count * d.value(tokens)
	if d.peek(tokens) == unitMonths {
		d.months += amount
	} else {
		d.seconds += amount
	}
	d.skip(tokens + 1)
	if d.peek(0) == ago {
		d.months, d.seconds = -d.months, -d.seconds
		d.skip(1)
	}
	if max(d.months, -d.months) > maxMonths || max(d.seconds, -d.seconds) > maxSeconds {
		return errRange
	}
	d.hasRelative = true
	return nil
}

// plainNumber is a number alone: the year if there is all but that, a date like 20061117, or a time like 10 or 1030.
func (d *date) plainNumber(n int) error {
	switch {
	case d.hasDate && d.hasTime && !d.hasRelative:
		d.hasDate = false
		return d.setDate(n, d.month, d.day, 0)
	case n > 10000:
		return d.setDate(n/10000, n/100%100, n%100, 0)
	case n < 100:
		n *= 100
	}
	if n/100 > 23 || n%100 > 59 {
		return errRange
	}
	d.hour, d.minute, d.second = n/100, n%100, 0
	return once(&d.hasTime)
}
