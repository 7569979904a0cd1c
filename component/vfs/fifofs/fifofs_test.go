package fifofs_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/component/vfs/fifofs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestFifo: fifos work with the component and without. Oracle: mkfifo(2).
func TestFifo(t *testing.T) {
	for name, components := range map[string][]*kern.Component{
		"with":    {rumpvfs.Component(), fifofs.Component()},
		"without": {rumpvfs.Component()},
	} {
		t.Run(name, func(t *testing.T) {
			p := kerntest.Proc(t, kerntest.New(t, components...))
			p.Must(abi.SYS_mkfifo, "/q", 0o600)
			fd := int(p.Must(abi.SYS_open, "/q", abi.O_RDWR, 0))
			p.Write(fd, "through")
			if s, e := p.Read(fd, 10); s != "through" || e != 0 {
				t.Errorf("read %q, %v", s, e)
			}
		})
	}
}
