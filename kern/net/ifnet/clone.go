package ifnet

import (
	"slices"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// RegisterCloner brings a kind of interfaces.
func (n *Net) RegisterCloner(c Cloner) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cloners = append(slices.Clone(n.cloners), c)
}

// Cloners lists them; the slice is shared: not to be changed.
func (n *Net) Cloners() []Cloner {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cloners
}

// cloner finds who makes interfaces of a name, and the unit that the name says. Errors: EINVAL.
func (n *Net) cloner(name string) (Cloner, int, error) {
	prefix, unit, err := splitName(name)
	if err != nil {
		return nil, 0, err
	}
	for _, c := range n.Cloners() {
		if c.Prefix() == prefix {
			return c, unit, nil
		}
	}
	return nil, 0, abi.EINVAL
}

// splitName takes "shmif0" apart: the letters before the first digit, and the number after, without leading zeroes.
func splitName(name string) (prefix string, unit int, err error) {
	i := slices.IndexFunc([]byte(name), func(c byte) bool { return '0' <= c && c <= '9' })
	if i <= 0 || len(name) >= abi.IFNAMSIZ {
		return "", 0, abi.EINVAL
	}
	unit, err = strconv.Atoi(name[i:])
	if err != nil || unit > 0x7fffffff || strconv.Itoa(unit) != name[i:] {
		return "", 0, abi.EINVAL
	}
	return name[:i], unit, nil
}

// Create makes an interface, "shmif0", with the cloner of its name: SIOCIFCREATE. Takes Config.
//
// Errors: EINVAL for a name that no cloner makes, EEXIST, the cloner's.
func (n *Net) Create(t *kern.Thread, name string) (*Interface, error) {
	n.Config.Lock()
	defer n.Config.Unlock()
	c, unit, err := n.cloner(name)
	if err != nil {
		return nil, err
	}
	if n.ByName(name) != nil {
		return nil, abi.EEXIST
	}
	return c.Create(t, n, unit)
}

// Destroy ends an interface: SIOCIFDESTROY. Takes Config. Errors: EINVAL for a name that no cloner makes, ENXIO without such an
// interface, EPERM for one that stays.
func (n *Net) Destroy(name string) error {
	n.Config.Lock()
	defer n.Config.Unlock()
	c, _, err := n.cloner(name)
	if err != nil {
		return err
	}
	ifp := n.ByName(name)
	if ifp == nil {
		return abi.ENXIO
	}
	if k, ok := c.(Keeper); ok {
		if err := k.Keep(ifp); err != nil {
			return err
		}
	}
	n.Detach(ifp)
	return nil
}

// clonerNames are the prefixes of all cloners, in the order in which they came: lo first.
func (n *Net) clonerNames() []string {
	var names []string
	for _, c := range n.Cloners() {
		names = append(names, c.Prefix())
	}
	return names
}
