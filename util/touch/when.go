package touch

import (
	"strconv"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/parsedate"
)

// The errors here have the texts of messages.
const illegal = "out of range or illegal time specification: "

// now returns the kernel's time, in the user's zone.
func (t *toucher) now() (time.Time, error) {
	var ts abi.Timespec
	if err := t.sys.ClockGettime(abi.CLOCK_REALTIME, &ts); err != nil {
		return time.Time{}, util.Messagef("clock_gettime: %s", err)
	}
	return time.Unix(ts.Sec, int64(ts.Nsec)).In(t.env.Location()), nil
}

// set sets both times to one.
func (t *toucher) set(when time.Time) {
	ts := abi.Timespec{Sec: when.Unix()}
	t.times, t.given = [2]abi.Timespec{ts, ts}, true
}

// setHuman sets the times to what a text says: -d.
func (t *toucher) setHuman(text string) error {
	now, err := t.now()
	if err != nil {
		return err
	}
	when, err := parsedate.Parse(text, now)
	if err != nil {
		return util.Messagef("Could not parse `%s'", text)
	}
	t.set(when)
	return nil
}

// setReference sets the times to those of a file: -r.
func (t *toucher) setReference(file string) error {
	var st abi.Stat
	if err := t.sys.Stat(file, &st); err != nil {
		return util.Messagef("%s: %s", file, err)
	}
	t.times, t.given = [2]abi.Timespec{st.Atim, st.Mtim}, true
	return nil
}

// setDigits sets the times to [[CC]YY]MMDDhhmm[.SS]: -t.
func (t *toucher) setDigits(text string) error {
	const form = illegal + "[[CC]YY]MMDDhhmm[.SS]"
	whole, seconds, dotted := strings.Cut(text, ".")
	if !dotted {
		seconds = "00"
	}
	p, ok := pairs(whole + seconds)
	if !ok || len(seconds) != 2 || len(p) < 5 || len(p) > 7 {
		return util.Messagef("%s", form)
	}
	now, err := t.now()
	if err != nil {
		return err
	}
	year := now.Year()
	switch len(p) {
	case 6:
		year = century(p[0])
	case 7:
		year = p[0]*100 + p[1]
	}
	when, ok := date(year, p[len(p)-5:], now.Location())
	if !ok {
		return util.Messagef("%s", form)
	}
	t.set(when)
	return nil
}

// obsolete tells whether the first of several operands is a time.
func obsolete(operand string) bool {
	_, ok := pairs(operand)
	return ok && (len(operand) == 8 || len(operand) == 10)
}

// setObsolete sets the times to MMDDhhmm[YY].
func (t *toucher) setObsolete(text string) error {
	now, err := t.now()
	if err != nil {
		return err
	}
	p, _ := pairs(text)
	year := now.Year()
	if len(p) == 5 {
		year = century(p[4])
	}
	when, ok := date(year, append(p[:4:4], 0), now.Location())
	if !ok {
		return util.Messagef("%sMMDDhhmm[yy]", illegal)
	}
	t.set(when)
	return nil
}

// pairs returns the numbers that pairs of digits are.
func pairs(s string) (list []int, ok bool) {
	if len(s)%2 != 0 {
		return nil, false
	}
	for i := 0; i < len(s); i += 2 {
		n, err := strconv.ParseUint(s[i:i+2], 10, 8)
		if err != nil {
			return nil, false
		}
		list = append(list, int(n))
	}
	return list, true
}

// century returns the year that two digits stand for.
func century(yy int) int {
	if yy < 69 {
		return 2000 + yy
	}
	return 1900 + yy
}

// date returns the time of a month, a day, an hour, a minute and a second, which may be a leap second.
func date(year int, p []int, zone *time.Location) (when time.Time, ok bool) {
	for i, most := range [...]int{12, 31, 23, 59, 61} {
		if p[i] > most {
			return time.Time{}, false
		}
	}
	day := time.Date(year, time.Month(p[0]), p[1], 0, 0, 0, 0, time.UTC)
	if p[0] < 1 || day.Day() != p[1] {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(p[0]), p[1], p[2], p[3], p[4], 0, zone), true
}
