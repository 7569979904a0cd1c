// Package layertest has the tests that null, umap and overlay mounts share: vfstest's suite through the layer, and what a layer is:
// one file in two places.
//
// Start reading with Layer.
package layertest

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/tmpfs"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest"
)

// Boot makes a kernel with the component of a layer, a tmpfs of a few megabytes on /low, and a directory /up.
func Boot(t testing.TB, layer *kern.Component) *kerntest.P {
	p := kerntest.Proc(t, kerntest.New(t, rumpvfs.Component(), tmpfs.Component(), layerfs.Component(), layer))
	p.Must(abi.SYS_mkdir, "/low", 0o755)
	p.Must(abi.SYS_mkdir, "/up", 0o755)
	MountTmpfs(p, "/low", 0)
	return p
}

// MountTmpfs mounts a tmpfs of a few megabytes, or changes the flags of one with MNT_UPDATE.
func MountTmpfs(p *kerntest.P, dir string, flags int) {
	a := abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, RootMode: 0o755, SizeMax: 2 << 20}
	p.Must(abi.SYS___mount50, "tmpfs", dir, flags, kerntest.Struct(&a), abi.SizeofTmpfsArgs)
}

// Conformance runs the suite in a layer over /low that boot mounts. Flags are tested by those of the tmpfs below: they hold
// through the layer.
func Conformance(t *testing.T, boot func(t testing.TB) (*kern.Kernel, string)) {
	vfstest.Run(t, vfstest.Config{
		Boot:      boot,
		BootSmall: boot,
		Remount: func(t testing.TB, k *kern.Kernel, _ string, flags int) {
			MountTmpfs(kerntest.Proc(t, k), "/low", flags|abi.MNT_UPDATE)
		},
	})
}
