package util

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// layouts are the conversions of strftime(3) in the C locale that time.Format has, by their letter.
var layouts = [256]string{
	'A': "Monday", 'a': "Mon", 'B': "January", 'b': "Jan", 'c': "Mon Jan _2 15:04:05 2006", 'D': "01/02/06", 'd': "02",
	'e': "_2", 'F': "2006-01-02", 'H': "15", 'h': "Jan", 'I': "03", 'j': "002", 'M': "04", 'm': "01", 'p': "PM",
	'R': "15:04", 'r': "03:04:05 PM", 'S': "05", 'T': "15:04:05", 'v': "_2-Jan-2006", 'X': "15:04:05", 'x': "01/02/06",
	'Y': "2006", 'y': "06", 'Z': "MST", 'z': "-0700", '+': "Mon Jan _2 15:04:05 MST 2006",
}

// Strftime writes a time as strftime(3) does in the C locale. What is no conversion is written as it stands.
func Strftime(format string, t time.Time) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		if (format[i] == 'E' || format[i] == 'O') && i+1 < len(format) {
			i++ // another form, which the C locale does not have
		}
		if layout := layouts[format[i]]; layout != "" {
			b.WriteString(t.Format(layout))
		} else {
			b.WriteString(conversion(format[i], t))
		}
	}
	return b.String()
}

// conversion writes a time by a letter that has no layout.
func conversion(letter byte, t time.Time) string {
	weekday := int(t.Weekday())
	isoYear, isoWeek := t.ISOWeek()
	switch letter {
	case 'C':
		return fmt.Sprintf("%02d", t.Year()/100)
	case 'G':
		return strconv.Itoa(isoYear)
	case 'g':
		return fmt.Sprintf("%02d", isoYear%100)
	case 'k':
		return fmt.Sprintf("%2d", t.Hour())
	case 'l':
		return fmt.Sprintf("%2d", (t.Hour()+11)%12+1)
	case 'n':
		return "\n"
	case 's':
		return strconv.FormatInt(t.Unix(), 10)
	case 't':
		return "\t"
	case 'U':
		return fmt.Sprintf("%02d", (t.YearDay()+6-weekday)/7)
	case 'u':
		return strconv.Itoa((weekday+6)%7 + 1)
	case 'V':
		return fmt.Sprintf("%02d", isoWeek)
	case 'W':
		return fmt.Sprintf("%02d", (t.YearDay()+6-(weekday+6)%7)/7)
	case 'w':
		return strconv.Itoa(weekday)
	}
	return string(letter)
}
