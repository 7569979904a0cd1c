package mknod

import (
	"fmt"
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// driver is a driver of the kernel and its major numbers, -1 for none.
type driver struct {
	name             string
	character, block int32
}

// drivers returns the drivers of the kernel: sysctl kern.drivers.
func drivers(p *client.Process) ([]driver, error) {
	b, err := p.Sysctl().Bytes("kern.drivers")
	if err != nil {
		return nil, err
	}
	return parseDrivers(b)
}

// parseDrivers reads an array of struct kinfo_drivers.
func parseDrivers(b []byte) ([]driver, error) {
	var list []driver
	for ; len(b) >= abi.SizeofKinfoDrivers; b = b[abi.SizeofKinfoDrivers:] {
		var d abi.KinfoDrivers
		if err := d.Decode(b); err != nil {
			return nil, err
		}
		list = append(list, driver{abi.CString(d.Name[:]), d.Cmajor, d.Bmajor})
	}
	return list, nil
}

// majorOf returns the major number of a driver for a type of device, or -1.
func majorOf(list []driver, name string, typ uint32) int32 {
	for _, d := range list {
		switch {
		case d.name != name:
		case typ == abi.S_IFBLK:
			return d.block
		default:
			return d.character
		}
	}
	return -1
}

// listDrivers prints the drivers of some names, or all: -l.
func listDrivers(env *util.Env, names []string) int {
	list, err := drivers(env.Proc)
	if err != nil {
		return env.Err(err, "kern.drivers")
	}
	io.WriteString(env.Stdout, describe(list, names))
	return util.ExitOK
}

// describe returns a line for each driver, or for those of some names in the order of these.
func describe(list []driver, names []string) string {
	var b strings.Builder
	if len(names) == 0 {
		for _, d := range list {
			fmt.Fprintln(&b, d)
		}
	}
	for _, name := range names {
		for _, d := range list {
			if d.name == name {
				fmt.Fprintln(&b, d)
			}
		}
	}
	return b.String()
}

func (d driver) String() string {
	line := d.name
	if d.character != -1 {
		line += fmt.Sprintf(" character major %d", d.character)
	}
	if d.block != -1 {
		line += fmt.Sprintf(" block major %d", d.block)
	}
	return line
}
