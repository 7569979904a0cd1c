// Package rnd is component rumpdev_rnd: the devices random and urandom, which give random bytes without end (rnd(4)).
// The host's generator is behind both; it never runs dry, so that neither ever waits.
package rnd

import (
	"crypto/rand"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpdev_rnd",
		Needs:  []string{"rumpdev", "rumpvfs"},
		Doc:    "/dev/random and /dev/urandom",
		Attach: attach,
	}
}

// The device numbers of the original.
const (
	major    = 256
	minRnd   = 0
	minURnd  = 1
	nodeMode = abi.S_IFCHR | 0o644
)

func attach(k *kern.Kernel) error {
	if err := k.AttachDevice("rnd", major, -1, driver{}); err != nil {
		return err
	}
	return k.AddDevNodes(
		kern.DevNode{Name: "random", Mode: nodeMode, Dev: kern.Makedev(major, minRnd)},
		kern.DevNode{Name: "urandom", Mode: nodeMode, Dev: kern.Makedev(major, minURnd)},
	)
}

type driver struct{}

// Open opens either device. Errors: ENXIO.
func (driver) Open(_ *kern.Thread, dev uint64, _ uint32) (kern.Ops, error) {
	if m := kern.Minor(dev); m != minRnd && m != minURnd {
		return nil, abi.ENXIO
	}
	return random{}, nil
}

// random is an open random or urandom.
type random struct{}

var (
	_ kern.Device = driver{}
	_ kern.Reader = random{}
	_ kern.Writer = random{}
)

func (random) Close(*kern.Thread, *kern.File) error { return nil }

// Read fills p with random bytes.
func (random) Read(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) { return rand.Read(p) }

// Write takes what the writer thinks is random; the generator has enough without it.
func (random) Write(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) { return len(p), nil }
