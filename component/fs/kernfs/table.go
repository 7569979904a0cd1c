package kernfs

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// entry is what a file says, and what is done with what is written to it.
type entry struct {
	name   string
	read   func(t *kern.Thread) ([]byte, error)
	write  func(t *kern.Thread, p []byte) error // nil for a file that cannot be written
	atBoot bool                                 // its times are those of the boot
}

// entries are the files, in the order in which they are listed.
var entries = [...]entry{
	{name: "boottime", read: boottime, atBoot: true},
	{name: "copyright", read: func(*kern.Thread) ([]byte, error) { return []byte(copyright), nil }},
	{name: "hostname", read: hostname, write: setHostname},
	{name: "hz", read: hz},
	{name: "msgbuf", read: func(t *kern.Thread) ([]byte, error) { return t.K.Msgbuf.Bytes(), nil }},
	{name: "pagesize", read: pagesize},
	{name: "physmem", read: physmem},
	{name: "time", read: clock},
	{name: "version", read: version},
}

// copyright is this kernel's.
const copyright = "Copyright (c) 2026 The rumpctrl authors.\nAll rights reserved.\n"

// line is a line of text, as most files have one.
func line(format string, args ...any) ([]byte, error) {
	return fmt.Appendf(nil, format+"\n", args...), nil
}

func boottime(t *kern.Thread) ([]byte, error) { return line("%d", t.K.BootTime().Unix()) }

func hostname(t *kern.Thread) ([]byte, error) { return line("%s", t.K.Hostname()) }

// setHostname sets the host's name: up to a NUL, without a newline at its end. Errors: EINVAL.
func setHostname(t *kern.Thread, p []byte) error {
	p, _, _ = bytes.Cut(p, []byte{0})
	return t.K.SetHostname(string(bytes.TrimSuffix(p, []byte("\n"))))
}

// clock is the time of day in seconds and microseconds.
func clock(t *kern.Thread) ([]byte, error) {
	now := t.K.Now()
	return line("%d %d", now.Unix(), now.Nanosecond()/1000)
}

func hz(t *kern.Thread) ([]byte, error) {
	b, err := t.K.Sysctl().Value(t, "kern.clockrate")
	if err != nil {
		return nil, err
	}
	var c abi.Clockinfo
	if err := c.Decode(b); err != nil {
		return nil, err
	}
	return line("%d", c.Hz)
}

// number is an int or a quad of sysctl(7).
func number(t *kern.Thread, path string) (uint64, error) {
	b, err := t.K.Sysctl().Value(t, path)
	if err != nil {
		return 0, err
	}
	if len(b) == 4 {
		return uint64(binary.LittleEndian.Uint32(b)), nil
	}
	return binary.LittleEndian.Uint64(b), nil
}

func pagesize(t *kern.Thread) ([]byte, error) {
	n, err := number(t, "hw.pagesize")
	if err != nil {
		return nil, err
	}
	return line("%d", n)
}

// physmem is the kernel's memory in pages.
func physmem(t *kern.Thread) ([]byte, error) {
	size, err := number(t, "hw.pagesize")
	if err != nil {
		return nil, err
	}
	n, err := number(t, "hw.physmem64")
	if err != nil {
		return nil, err
	}
	return line("%d", n/size)
}

// version is kern.version, which ends with a newline.
func version(t *kern.Thread) ([]byte, error) {
	b, err := t.K.Sysctl().Value(t, "kern.version")
	return bytes.TrimSuffix(b, []byte{0}), err
}
