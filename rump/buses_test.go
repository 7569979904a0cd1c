package rump

import (
	"errors"
	"testing"

	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
)

// TestBuses: a kernel knows the buses that it was made with; one without sockets cannot have any.
func TestBuses(t *testing.T) {
	var buses membus.Buses
	k, err := New(Config{Components: With("rumpnet_shmif"), Buses: &buses})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Halt()
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	if membus.Of(k.Kernel()) != &buses {
		t.Error("the kernel has other buses")
	}
	var missing *kern.MissingError
	if _, err := New(Config{Components: []string{Base}, Buses: &buses}); !errors.As(err, &missing) {
		t.Errorf("buses without a network: %v", err)
	}
}
