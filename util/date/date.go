// Package date is date(1): it prints the kernel's date and time, or sets them.
//
// What is set stays the kernel's: the host's clock is not touched, and there is no utmp, log or time daemon to be told.
//
// Start reading at run; canonical.go has the form that a time to set is written in.
package date

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/parsedate"
)

// Utility is date.
var Utility = util.Utility{
	Name:    "date",
	Section: 1,
	Doc:     "display or set date and time",
	Usage:   []string{"Usage: date [-ajnu] [-d date] [-r seconds] [+format] [[[[[[CC]yy]mm]dd]HH]MM[.SS]]"},
	Options: []util.Option{
		{Letter: 'a', Doc: "Set the time slowly: the clock runs faster or slower until it is right."},
		{Letter: 'd', Arg: "date", Doc: "Print this date instead of the current one: \"next friday\", \"two hours ago\"."},
		{Letter: 'j', Doc: "Print the time that is given, and do not set it."},
		{Letter: 'n', Doc: "Set the time of this kernel alone: there are no others to be set."},
		{Letter: 'r', Arg: "seconds", Doc: "Print the time so many seconds after 1970 began, UTC; octal and hexadecimal as in C."},
		{Letter: 'u', Doc: "Print or set the time in UTC."},
	},
	Operands: []util.Operand{
		{Name: "+format", Doc: "Print this, with the conversions of strftime(3)."},
		{Name: "[[[[[CC]yy]mm]dd]HH]MM[.SS]", Doc: "Set the time to this: the rest is as it is now, seconds are 0."},
	},
	Main: run,
}

const formatDefault = "%a %b %e %H:%M:%S %Z %Y"

// clock prints or sets a time.
type clock struct {
	env          *util.Env
	zone         *time.Location
	slowly, only bool  // -a, -j
	when         int64 // what to print, in seconds
	given        bool
}

func run(_ context.Context, env *util.Env) int {
	c := &clock{env: env, zone: env.Location()}
	g := env.Getopt()
	for g.Next() {
		var err error
		switch g.Letter {
		case 'a':
			c.slowly = true
		case 'd':
			err = c.setWords(g.Arg)
		case 'j':
			c.only = true
		case 'n':
		case 'r':
			err = c.setSeconds(g.Arg)
		case 'u':
			c.zone = time.UTC
		default:
			return env.UsageError()
		}
		if err != nil {
			return env.Errx("%s", err)
		}
	}
	return c.operands(g.Args())
}

// operands takes a format and a time to set, in any order, and prints.
func (c *clock) operands(args []string) int {
	if !c.given {
		now, err := c.now()
		if err != nil {
			return c.env.Err(err, "time")
		}
		c.when = now.Unix()
	}
	format := formatDefault
	if len(args) > 0 && strings.HasPrefix(args[0], "+") {
		format, args = args[0][1:], args[1:]
	}
	if len(args) > 0 {
		if status := c.set(args[0]); status != util.ExitOK {
			return status
		}
		args = args[1:]
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "+") {
		format = args[0][1:]
	}
	fmt.Fprintln(c.env.Stdout, util.Strftime(format, time.Unix(c.when, 0).In(c.zone)))
	return util.ExitOK
}

// now is the kernel's time.
func (c *clock) now() (time.Time, error) {
	var tv abi.Timeval
	if err := c.env.Proc.Sys().Gettimeofday(&tv); err != nil {
		return time.Time{}, err
	}
	return time.Unix(tv.Sec, int64(tv.Usec)*int64(time.Microsecond)).In(c.zone), nil
}

// setWords takes the time to print from a text: -d.
func (c *clock) setWords(text string) error {
	now, err := c.now()
	if err != nil {
		return util.Messagef("time: %s", err)
	}
	t, err := parsedate.Parse(text, now)
	if err != nil {
		return util.Messagef("%s: Unrecognized date format", text)
	}
	c.when, c.given = t.Unix(), true
	return nil
}

// setSeconds takes the time to print from a number: -r.
func (c *clock) setSeconds(text string) error {
	n, err := strconv.ParseInt(text, 0, 64)
	switch {
	case text == "":
		return util.Messagef("<empty>: Invalid number")
	case errors.Is(err, strconv.ErrRange):
		return util.Messagef("%s: %s", text, abi.ERANGE)
	case err != nil || strings.Trim(text, "+-0123456789abcdefxABCDEFX") != "":
		return util.Messagef("%s: Invalid number", text)
	}
	c.when, c.given = n, true
	return nil
}

// set sets the kernel's time, unless with -j, and has it printed. It returns the exit status.
func (c *clock) set(text string) int {
	t, bad := canonical(text, time.Unix(c.when, 0).In(c.zone))
	if bad != nil {
		c.env.Warnx("%s in canonical time", bad.what)
		c.env.Warnx("%s", text)
		c.env.Warnx("%*s", bad.at+1, "^")
		return c.env.UsageError()
	}
	var err error
	call := "settimeofday"
	switch {
	case c.only:
	case c.slowly:
		call = "adjtime"
		err = c.env.Proc.Sys().Adjtime(&abi.Timeval{Sec: t.Unix() - c.when}, nil)
		if err == nil {
			return util.ExitOK
		}
	default:
		err = c.env.Proc.Sys().Settimeofday(abi.Timeval{Sec: t.Unix()})
	}
	if err != nil {
		return c.env.Err(err, "%s", call)
	}
	c.when = t.Unix()
	return util.ExitOK
}
