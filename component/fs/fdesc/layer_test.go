package fdesc_test

import (
	"fmt"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/null"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestBelowLayer: under a layer, too, a descriptor may be that of the directory in which it is looked up; no call waits for itself.
func TestBelowLayer(t *testing.T) {
	p := mounted(t, layerfs.Component(), null.Component())
	p.Must(abi.SYS_mkdir, "/n", 0o755)
	target := p.Mem.Map([]byte("/f\x00"))
	args := kerntest.Struct(&abi.NullArgs{La: abi.LayerArgs{Target: target}})
	p.Must(abi.SYS___mount50, "null", "/n", 0, args, len(args))
	fd := open(p, "/n/fd", abi.O_RDONLY)
	path := fmt.Sprintf("/n/fd/%d", fd)
	p.Must(abi.SYS___stat50, path, make([]byte, abi.SizeofStat))
	p.Want(abi.EPERM, abi.SYS_unlink, path)
	// The layer looks the name up once more below, and finds another node: descriptors have one for each lookup.
	p.Want(abi.ENOENT, abi.SYS_rmdir, path)
	p.Want(abi.ENOENT, abi.SYS_rename, path, "/n/fd/x")
	p.Must(abi.SYS_open, path, abi.O_RDONLY, 0)
}
