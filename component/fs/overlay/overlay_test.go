package overlay_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/overlay"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs/layertest"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

func mount(p *kerntest.P, name, on string) abi.Errno {
	a := abi.LayerArgs{Target: p.Mem.Map(append([]byte(name), 0))}
	_, errno := p.Call(abi.SYS___mount50, "overlay", on, 0, kerntest.Struct(&a), abi.SizeofLayerArgs)
	return errno
}

// TestConformance runs the suite through the layer.
func TestConformance(t *testing.T) {
	layertest.Conformance(t, func(t testing.TB) (*kern.Kernel, string) {
		p := layertest.Boot(t, overlay.Component())
		p.Must(abi.SYS_mkdir, "/low/d", 0o755)
		if e := mount(p, "anything", "/low/d"); e != 0 {
			t.Fatal(e)
		}
		return p.K, "/low/d"
	})
}

// TestOverlay: the layer covers what it shows. Oracle: mount_overlay(8).
func TestOverlay(t *testing.T) {
	p := layertest.Boot(t, overlay.Component())
	p.Must(abi.SYS_mkdir, "/low/d", 0o755)
	p.Close(int(p.Must(abi.SYS_open, "/low/d/f", abi.O_CREAT|abi.O_RDWR, 0o644)))
	before := layertest.Stat(t, p, "/low/d/f")
	if e := mount(p, "/low/d", "/low/d"); e != 0 {
		t.Fatal(e)
	}
	after := layertest.Stat(t, p, "/low/d/f")
	if after.Ino != before.Ino || after.Dev == before.Dev {
		t.Errorf("inode %d, device %#x; before %d, %#x", after.Ino, after.Dev, before.Ino, before.Dev)
	}
	p.Must(abi.SYS_rename, "/low/d/f", "/low/d/g")
	p.Want(abi.EXDEV, abi.SYS_rename, "/low/d/g", "/low/g")
	p.Want(abi.EBUSY, abi.SYS_rmdir, "/low/d")
	p.Want(abi.EBUSY, abi.SYS_unmount, "/low", 0)
	p.Must(abi.SYS_unmount, "/low/d", 0)
	if got := layertest.Stat(t, p, "/low/d/g"); got.Dev != before.Dev {
		t.Errorf("device %#x, before %#x", got.Dev, before.Dev)
	}
	p.Want(abi.EINVAL, abi.SYS___mount50, "overlay", "/low/d", 0, nil, 0)
	p.Want(abi.EINVAL, abi.SYS___mount50, "overlay", "/low/d", 0, make([]byte, 8), 8)
}
