package brconfig

import (
	"encoding/binary"
	"net"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

var le = binary.LittleEndian

// command is what a word of the command line does with the arguments that follow it.
type command struct {
	args int
	run  func(c *config, name string, args []string) error
}

var commands = map[string]command{
	"add":        {1, member(abi.BRDGADD)},
	"delete":     {1, member(abi.BRDGDEL)},
	"up":         {0, flag(abi.IFF_UP, 0)},
	"down":       {0, flag(0, abi.IFF_UP)},
	"discover":   {1, memberFlag(abi.IFBIF_DISCOVER, 0)},
	"-discover":  {1, memberFlag(0, abi.IFBIF_DISCOVER)},
	"learn":      {1, memberFlag(abi.IFBIF_LEARNING, 0)},
	"-learn":     {1, memberFlag(0, abi.IFBIF_LEARNING)},
	"stp":        {1, memberFlag(abi.IFBIF_STP, 0)},
	"-stp":       {1, memberFlag(0, abi.IFBIF_STP)},
	"flush":      {0, flush(abi.IFBF_FLUSHDYN)},
	"flushall":   {0, flush(abi.IFBF_FLUSHALL)},
	"static":     {2, static},
	"deladdr":    {1, deleteAddress},
	"addr":       {0, func(c *config, _ string, _ []string) error { return c.showAddresses("\t") }},
	"maxaddr":    {1, parameter(abi.BRDGSCACHE, 32)},
	"timeout":    {1, parameter(abi.BRDGSTO, 32)},
	"hellotime":  {1, parameter(abi.BRDGSHT, 8)},
	"fwddelay":   {1, parameter(abi.BRDGSFD, 8)},
	"maxage":     {1, parameter(abi.BRDGSMA, 8)},
	"priority":   {1, parameter(abi.BRDGSPRI, 16)},
	"ifpriority": {2, memberNumber(abi.BRDGSIFPRIO, func(r *abi.Ifbreq, v uint8) { r.Priority = v })},
	"ifpathcost": {2, memberNumber(abi.BRDGSIFCOST, func(r *abi.Ifbreq, v uint8) { r.PathCost = v })},
	"ipf":        {0, filter(abi.IFBF_FILT_USEIPF, 0)},
	"-ipf":       {0, filter(0, abi.IFBF_FILT_USEIPF)},
}

func request(name string) *abi.Ifbreq {
	r := new(abi.Ifbreq)
	copy(r.Ifsname[:abi.IFNAMSIZ-1], name)
	return r
}

// member is a command about the interface that is named.
func member(cmd uint64) func(*config, string, []string) error {
	return func(c *config, name string, args []string) error {
		return failed(c.set(cmd, request(args[0]).Append(nil)), "%s %s", name, args[0])
	}
}

// flag changes the flags of the bridge, at the end.
func flag(set, clear uint32) func(*config, string, []string) error {
	return func(c *config, _ string, _ []string) error {
		c.flags = c.flags&^clear | set
		c.changed = true
		return nil
	}
}

// memberFlag changes the flags of a member.
func memberFlag(set, clear uint32) func(*config, string, []string) error {
	return func(c *config, _ string, args []string) error {
		raw := request(args[0]).Append(nil)
		if err := c.get(abi.BRDGGIFFLGS, raw); err != nil {
			return failed(err, "unable to get bridge flags")
		}
		var r abi.Ifbreq
		if err := r.Decode(raw); err != nil {
			return err
		}
		r.Ifsflags = r.Ifsflags&^clear | set
		return failed(c.set(abi.BRDGSIFFLGS, r.Append(nil)), "unable to set bridge flags")
	}
}

// flush forgets addresses.
func flush(which uint32) func(*config, string, []string) error {
	return func(c *config, name string, _ []string) error {
		r := abi.Ifbreq{Ifsflags: which}
		return failed(c.set(abi.BRDGFLUSH, r.Append(nil)), "%s", name)
	}
}

func static(c *config, name string, args []string) error {
	mac, ok := parseEther(args[1])
	if !ok {
		return util.Messagef("%s: invalid address: %s", name, args[1])
	}
	r := abi.Ifbareq{Dst: mac, Flags: abi.IFBAF_STATIC}
	copy(r.Ifsname[:abi.IFNAMSIZ-1], args[0])
	return failed(c.set(abi.BRDGSADDR, r.Append(nil)), "%s %s %s", name, args[0], args[1])
}

func deleteAddress(c *config, name string, args []string) error {
	mac, ok := parseEther(args[0])
	if !ok {
		return util.Messagef("%s: invalid address: %s", name, args[0])
	}
	r := abi.Ifbareq{Dst: mac}
	return failed(c.set(abi.BRDGDADDR, r.Append(nil)), "%s %s", name, args[0])
}

// parseEther reads an Ethernet address as ether_aton(3) does: six hexadecimal numbers of one or two digits, between colons.
func parseEther(s string) (mac [6]byte, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) != len(mac) {
		return mac, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 16, 8)
		if err != nil || len(p) > 2 {
			return mac, false
		}
		mac[i] = byte(n)
	}
	return mac, true
}

func etherText(mac [6]byte) string { return net.HardwareAddr(mac[:]).String() }

// number reads a number as strtoul(3) does with base 0, of at most so many bits.
func number(name, s string, bits int) (uint32, error) {
	digits, base := s, 10
	switch {
	case len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X"):
		digits, base = s[2:], 16
	case len(s) > 1 && s[0] == '0':
		digits, base = s[1:], 8
	}
	v, err := strconv.ParseUint(digits, base, bits)
	if err != nil {
		return 0, util.Messagef("%s: invalid value: %s", name, s)
	}
	return uint32(v), nil
}

// parameter sets a number of so many bits.
func parameter(cmd uint64, bits int) func(*config, string, []string) error {
	return func(c *config, name string, args []string) error {
		v, err := number(name, args[0], bits)
		if err != nil {
			return err
		}
		p := abi.Ifbrparam{Ifbrpu: v}
		return failed(c.set(cmd, p.Append(nil)), "%s %s", name, args[0])
	}
}

// memberNumber sets a number of a member.
func memberNumber(cmd uint64, put func(*abi.Ifbreq, uint8)) func(*config, string, []string) error {
	return func(c *config, name string, args []string) error {
		v, err := number(name, args[1], 8)
		if err != nil {
			return err
		}
		r := request(args[0])
		put(r, uint8(v))
		return failed(c.set(cmd, r.Append(nil)), "%s %s", name, args[0])
	}
}

// filter has packet filters look at packets, or not.
func filter(set, clear uint32) func(*config, string, []string) error {
	return func(c *config, name string, _ []string) error {
		flags, err := c.number(abi.BRDGGFILT)
		if err != nil {
			return failed(err, "%s", name)
		}
		p := abi.Ifbrparam{Ifbrpu: flags&^clear | set}
		return failed(c.set(abi.BRDGSFILT, p.Append(nil)), "%s %x", name, p.Ifbrpu)
	}
}

// number gets a parameter.
func (c *config) number(cmd uint64) (uint32, error) {
	arg := make([]byte, abi.SizeofIfbrparam)
	err := c.get(cmd, arg)
	return le.Uint32(arg), err
}
