package stat

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// devices knows the names of devices in the kernel's /dev, which it reads when it is first asked.
type devices struct {
	sys   *client.Sys
	names map[device]string
}

// device is a device number and S_IFBLK or S_IFCHR.
type device struct {
	dev uint64
	typ uint32
}

// unnamed is the name of a device that has none.
const unnamed = "???"

// name returns the name of a device below /dev: devname(3).
func (d *devices) name(dev uint64, typ uint32) string {
	if d.names == nil {
		d.names = make(map[device]string)
		for _, e := range fts.Walk(d.sys, []string{"/dev"}, &fts.Options{OneDevice: true}) {
			if e.Stat == nil || e.Type != abi.DT_BLK && e.Type != abi.DT_CHR {
				continue
			}
			key := device{e.Stat.Rdev, e.Stat.Mode & abi.S_IFMT}
			if _, had := d.names[key]; !had {
				d.names[key] = e.Path[len("/dev/"):]
			}
		}
	}
	if name, ok := d.names[device{dev, typ}]; ok {
		return name
	}
	return unnamed
}

func isDevice(f *file) bool {
	typ := f.st.Mode & abi.S_IFMT
	return typ == abi.S_IFBLK || typ == abi.S_IFCHR
}

// device is a device number, or the name: %d, %r.
func (p *printer) device(dev uint64, typ uint32, c *conversion) value {
	v := value{number: int64(dev)}
	switch {
	case c.form == 'S':
		v.text = p.devices.name(dev, typ)
	case c.sub == 'H':
		v.number = int64(util.Major(dev))
	case c.sub == 'L':
		v.number = int64(util.Minor(dev))
	}
	return v
}
