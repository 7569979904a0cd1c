package date

import (
	"fmt"
	"strings"
	"time"
)

// mistake is what is wrong with a time, and at which character.
type mistake struct {
	what string
	at   int
}

// field is a part of the canonical form.
type field struct {
	name        string
	least, most int
}

// fields are those before the seconds, from the right to the left.
var fields = [...]field{{"Minute", 0, 59}, {"Hour", 0, 23}, {"Day", 1, 31}, {"Month", 1, 12}, {"Year", 0, 99}, {"Century", 19, 99}}

const (
	minute = iota
	hour
	day
	month
	year
	century
)

// canonical reads [[[[[CC]yy]mm]dd]HH]MM[.SS]. What is left out is as in now, but for the seconds, which are 0.
func canonical(text string, now time.Time) (time.Time, *mistake) {
	digits, seconds, bad := split(text)
	if bad != nil {
		return now, bad
	}
	v := [...]int{now.Minute(), now.Hour(), now.Day(), int(now.Month()), now.Year() % 100, now.Year() / 100}
	given := len(digits) / 2
	for i := given - 1; i >= 0; i-- {
		at := len(digits) - 2*i - 2
		v[i] = int(digits[at]-'0')*10 + int(digits[at+1]-'0')
		if i == century && v[i] < fields[i].least {
			return now, &mistake{"Year before 1900", at + 1}
		}
		if i != day && (v[i] < fields[i].least || v[i] > fields[i].most) {
			return now, &mistake{fields[i].name + " out of range", at + 1}
		}
		if i == year && given == year+1 {
			v[century] = 20
			if v[i] >= 69 {
				v[century] = 19
			}
		}
		if most := days(v[century]*100+v[year], v[month]); i == day && (v[i] < 1 || v[i] > most) {
			return now, &mistake{fmt.Sprintf("Day out of range (max %d)", most), at + 1}
		}
	}
	y := v[century]*100 + v[year]
	return time.Date(y, time.Month(v[month]), v[day], v[hour], v[minute], seconds, 0, now.Location()), nil
}

// days is how many days a month has.
func days(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// split returns the digits before the point and the seconds behind it.
func split(text string) (digits string, seconds int, bad *mistake) {
	dot := strings.IndexByte(text, '.')
	for i := range len(text) {
		switch {
		case text[i] == '.' && i != dot:
			return "", 0, &mistake{"Unexpected dot", i}
		case text[i] != '.' && (text[i] < '0' || text[i] > '9'):
			return "", 0, &mistake{"Expected digit", i}
		}
	}
	digits = text
	if dot >= 0 {
		digits = text[:dot]
		switch rest := text[dot+1:]; {
		case len(rest) > 2:
			return "", 0, &mistake{"Unexpected digit after seconds field", len(text) - 1}
		case len(rest) < 2:
			return "", 0, &mistake{"Expected digit in seconds field", len(text)}
		default:
			seconds = int(rest[0]-'0')*10 + int(rest[1]-'0')
		}
		if seconds > 61 {
			return "", 0, &mistake{"Seconds out of range", len(text) - 1}
		}
	}
	switch {
	case len(digits) > 2*len(fields):
		return "", 0, &mistake{"Too many digits", 2 * len(fields)}
	case len(digits)%2 != 0 || digits == "" && dot < 0:
		return "", 0, &mistake{"Not enough digits", len(digits)}
	}
	return digits, seconds, nil
}
