// Package all is the list of the utilities. A utility becomes part of every program by one
// line here.
package all

import "github.com/rumpctrl/rumpctrl/util"

// table has the utilities in alphabetical order.
var table = [...]*util.Utility{}

// Utilities returns all utilities in alphabetical order.
func Utilities() []*util.Utility { return append([]*util.Utility(nil), table[:]...) }

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
