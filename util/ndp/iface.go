package ndp

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// flagNames are the flags of an interface in the order in which they are shown.
var flagNames = []struct {
	name string
	bit  uint32
}{
	{"nud", abi.ND6_IFF_PERFORMNUD}, {"disabled", abi.ND6_IFF_IFDISABLED}, {"accept_rtadv", abi.ND6_IFF_ACCEPT_RTADV},
	{"override_rtadv", abi.ND6_IFF_OVERRIDE_RTADV}, {"auto_linklocal", abi.ND6_IFF_AUTO_LINKLOCAL},
	{"prefer_source", abi.ND6_IFF_PREFER_SOURCE},
}

// values are the numbers of an interface: how wide they are, and where they go.
var values = map[string]struct {
	bits int
	set  func(*abi.NdIfinfo, uint32)
}{
	"basereachable": {32, func(i *abi.NdIfinfo, v uint32) { i.Basereachable = v }},
	"retrans":       {32, func(i *abi.NdIfinfo, v uint32) { i.Retrans = v }},
	"curhlim":       {8, func(i *abi.NdIfinfo, v uint32) { i.Chlim = uint8(v) }},
}

// interfaceInfo changes settings of an interface, and shows them.
func (c *command) interfaceInfo(name string, words []string) int {
	var r abi.In6Ndireq
	if len(name) >= len(r.Ifname) {
		return c.env.Err(abi.ENXIO, "ioctl(SIOCGIFINFO_IN6)")
	}
	copy(r.Ifname[:], name)
	if err := c.getInfo(&r); err != nil {
		return c.env.Err(err, "ioctl(SIOCGIFINFO_IN6)")
	}
	if len(words) > 0 {
		// Numbers that are 0 stay as they are.
		flags := r.Ndi.Flags
		r.Ndi = abi.NdIfinfo{Flags: flags}
		for _, w := range words {
			if err := change(&r.Ndi, w); err != nil {
				return c.env.Errx("%v", err)
			}
		}
		if err := c.ioctl(abi.SIOCSIFINFO_IN6, r.Append(nil)); err != nil {
			return c.env.Err(err, "ioctl(SIOCSIFINFO_IN6)")
		}
		if err := c.getInfo(&r); err != nil {
			return c.env.Err(err, "ioctl(SIOCGIFINFO_IN6)")
		}
	}
	if r.Ndi.Initialized == 0 {
		return c.env.Errx("%s: not initialized yet", name)
	}
	c.printInfo(&r.Ndi)
	return util.ExitOK
}

// getInfo asks for the settings of the interface that r names.
func (c *command) getInfo(r *abi.In6Ndireq) error {
	b := r.Append(nil)
	if err := c.ioctl(abi.SIOCGIFINFO_IN6, b); err != nil {
		return err
	}
	return r.Decode(b)
}

// change takes an expression: "nud", "-nud", "retrans=1000".
func change(info *abi.NdIfinfo, word string) error {
	if name, text, ok := strings.Cut(word, "="); ok {
		v, known := values[name]
		if !known {
			return fmt.Errorf("%s: unknown variable", name)
		}
		n, err := strconv.ParseUint(text, 0, v.bits)
		if err != nil {
			return fmt.Errorf("syntax error in %s's value", name)
		}
		v.set(info, uint32(n))
		return nil
	}
	if _, known := values[word]; known {
		return fmt.Errorf("syntax error in %s field", word)
	}
	name, off := strings.CutPrefix(word, "-")
	for _, f := range flagNames {
		if f.name != name {
			continue
		}
		if info.Flags |= f.bit; off {
			info.Flags &^= f.bit
		}
		return nil
	}
	return fmt.Errorf("%s: unknown flag", name)
}

func (c *command) printInfo(i *abi.NdIfinfo) {
	out := c.env.Stdout
	fmt.Fprintf(out, "linkmtu=%d, maxmtu=%d, curhlim=%d, basereachable=%ds%dms, reachable=%ds, retrans=%ds%dms", i.Linkmtu, i.Maxmtu, i.Chlim,
		i.Basereachable/1000, i.Basereachable%1000, i.Reachable, i.Retrans/1000, i.Retrans%1000)
	if i.Randomid != [8]byte{} {
		fmt.Fprintf(out, "\nRandom seed(0): %x\nRandom seed(1): %x\nRandom ID:      %x", i.Randomseed0, i.Randomseed1, i.Randomid)
	}
	if i.Flags != 0 {
		fmt.Fprint(out, "\nFlags: ")
		for _, f := range flagNames {
			if i.Flags&f.bit != 0 {
				fmt.Fprint(out, f.name, " ")
			}
		}
	}
	fmt.Fprintln(out)
}

// order gives an order to neighbour discovery as a whole. Its ioctls want the name of an interface, whichever.
func (c *command) order(req uint32, name string) int {
	var r abi.In6Ifreq
	b := r.Append(nil)
	copy(b, "lo0")
	if err := c.ioctl(req, b); err != nil {
		return c.env.Err(err, "ioctl(%s)", name)
	}
	return util.ExitOK
}

// defaultInterface sets the interface that is used where none is said, "delete" for none; and shows it.
func (c *command) defaultInterface(args []string) int {
	var r abi.In6Ndifreq
	copy(r.Ifname[:], "lo0")
	if len(args) == 1 {
		if args[0] != "delete" {
			if r.Ifindex = uint64(c.index(args[0])); r.Ifindex == 0 {
				return c.env.Errx("invalid interface %s", args[0])
			}
		}
		if err := c.ioctl(abi.SIOCSDEFIFACE_IN6, r.Append(nil)); err != nil {
			return c.env.Err(err, "ioctl(SIOCSDEFIFACE_IN6)")
		}
	}
	b := r.Append(nil)
	if err := c.ioctl(abi.SIOCGDEFIFACE_IN6, b); err != nil {
		return c.env.Err(err, "ioctl(SIOCGDEFIFACE_IN6)")
	}
	if err := r.Decode(b); err != nil {
		return c.env.Err(err, "ioctl(SIOCGDEFIFACE_IN6)")
	}
	if r.Ifindex == 0 {
		fmt.Fprintln(c.env.Stdout, "No default interface.")
	} else {
		fmt.Fprintf(c.env.Stdout, "ND default interface = %s\n", c.ifname(int(r.Ifindex)))
	}
	return util.ExitOK
}
