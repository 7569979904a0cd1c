package netstat

import (
	"fmt"
	"time"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// screen is after how many lines the head is printed again.
const screen = 21

// traffic is what has gone through interfaces.
type traffic struct {
	ipackets, ibytes, ierrors, opackets, obytes, oerrors, collisions, drops uint64
}

func (t *traffic) add(ifp *client.Interface) {
	d := &ifp.Data
	t.ipackets += d.Ipackets
	t.ibytes += d.Ibytes
	t.ierrors += d.Ierrors
	t.opackets += d.Opackets
	t.obytes += d.Obytes
	t.oerrors += d.Oerrors
	t.collisions += d.Collisions
	t.drops += d.Iqdrops
}

// since is the traffic after old.
func (t traffic) since(old traffic) traffic {
	return traffic{
		t.ipackets - old.ipackets, t.ibytes - old.ibytes, t.ierrors - old.ierrors, t.opackets - old.opackets,
		t.obytes - old.obytes, t.oerrors - old.oerrors, t.collisions - old.collisions, t.drops - old.drops,
	}
}

// measure counts the traffic of the interface of -I, or else the first, and of all.
func (c *command) measure() (name string, one, all traffic, err error) {
	list, err := c.env.Proc.Interfaces()
	if err != nil {
		return "", one, all, err
	}
	for i := range list {
		all.add(&list[i])
		if list[i].Name == c.ifname || c.ifname == "" && name == "" {
			name = list[i].Name
			one.add(&list[i])
		}
	}
	return name, one, all, nil
}

// watch prints the traffic every so many seconds, at first that since the kernel booted.
func (c *command) watch() int {
	tick := time.NewTicker(time.Duration(c.wait) * time.Second)
	defer tick.Stop()
	var oldOne, oldAll traffic
	for line := 0; ; line++ {
		name, one, all, err := c.measure()
		if err != nil {
			return c.env.Err(err, "sysctl")
		}
		if name == "" {
			return c.env.Errx("%s: unknown interface", c.ifname)
		}
		if line%screen == 0 {
			c.trafficTitle(name)
			oldOne, oldAll = traffic{}, traffic{}
		}
		fmt.Fprintf(c.env.Stdout, "%s  %s\n", c.trafficText(one.since(oldOne)), c.trafficText(all.since(oldAll)))
		oldOne, oldAll = one, all
		if c.env.Flush() != nil {
			return util.ExitFailure
		}
		select {
		case <-c.ctx.Done():
			return util.ExitOK
		case <-tick.C:
		}
	}
}

// trafficTitle prints the head.
func (c *command) trafficTitle(name string) {
	who, what := "%5.5s in %5s%5.5s out %5s %5s", fmt.Sprintf("%8s %5s %8s %5s %5s", "packets", "errs", "packets", "errs", "colls")
	if c.on['b'] {
		who, what = "%7.7s in %8s %6.6s out %5s", fmt.Sprintf("%10s %8s %10s %5s", "bytes", "", "bytes", "")
	}
	heads := [2]string{}
	for i, n := range []string{name, "total"} {
		args := []any{n, "", n, "", ""}
		if c.on['b'] {
			args = args[:4]
		}
		heads[i] = fmt.Sprintf(who, args...)
		if c.on['d'] {
			heads[i] += fmt.Sprintf(" %5s", "")
		}
	}
	if c.on['d'] {
		what += " drops"
	}
	fmt.Fprintf(c.env.Stdout, "%s  %s\n%s  %s\n", heads[0], heads[1], what, what)
}

// trafficText is the traffic in columns.
func (c *command) trafficText(t traffic) string {
	text := fmt.Sprintf("%8d %5d %8d %5d %5d", t.ipackets, t.ierrors, t.opackets, t.oerrors, t.collisions)
	if c.on['b'] {
		text = fmt.Sprintf("%10s %8s %10s %5s", c.bytes(t.ibytes), "", c.bytes(t.obytes), "")
	}
	if c.on['d'] {
		text += fmt.Sprintf(" %5d", t.drops)
	}
	return text
}
