// Package all is the list of the utilities. A utility becomes part of every program by one
// line here.
package all

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/halt"
	"github.com/rumpctrl/rumpctrl/util/modstat"
	"github.com/rumpctrl/rumpctrl/util/sysctl"
)

// table has the utilities in alphabetical order.
var table = [...]*util.Utility{
	&halt.Utility,
	&modstat.Utility,
	&halt.Poweroff,
	&halt.Reboot,
	&sysctl.Utility,
}

// Utilities returns all utilities in alphabetical order.
func Utilities() []*util.Utility { return slices.Clone(table[:]) }

// Lookup returns the utility of a name, which may be one of its other names, or nil.
func Lookup(name string) *util.Utility {
	for _, u := range table {
		if u.Called(name) {
			return u
		}
	}
	return nil
}

// Set is the set of all utilities.
type Set struct{}

// Lookup is the function Lookup.
func (Set) Lookup(name string) *util.Utility { return Lookup(name) }
