package posix_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/null"
	"github.com/rumpctrl/rumpctrl/component/fs/overlay"
	"github.com/rumpctrl/rumpctrl/component/fs/tmpfs"
	"github.com/rumpctrl/rumpctrl/component/fs/union"
	"github.com/rumpctrl/rumpctrl/component/net/local"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest/posix"
)

// boot makes a kernel that has what the checks and the file systems need.
func boot(t testing.TB) *kerntest.P {
	return kerntest.Proc(t, kerntest.New(t, rumpvfs.Component(), rumpnet.Component(), local.Component(), tmpfs.Component(),
		layerfs.Component(), null.Component(), overlay.Component(), union.Component()))
}

func mountTmpfs(p *kerntest.P, dir string, size int64, flags int) {
	a := abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, RootMode: 0o755, SizeMax: size}
	p.Must(abi.SYS___mount50, "tmpfs", dir, flags, kerntest.Struct(&a), abi.SizeofTmpfsArgs)
}

func unmount(p *kerntest.P, dir string) { p.Must(abi.SYS_unmount, dir, 0) }

// rumpfs is the root file system. There is only one: what is mounted besides is a tmpfs.
func rumpfs() posix.FS {
	return posix.FS{
		Name:    "rumpfs",
		Boot:    func(t testing.TB) (*kern.Kernel, string) { return boot(t).K, "/" },
		Mount:   mountTmpfs,
		Unmount: unmount,
	}
}

// over is a file system that mount puts over a tmpfs on /mnt. What is mounted besides is a tmpfs.
func over(name string, mount func(p *kerntest.P)) posix.FS {
	fs := rumpfs()
	fs.Name = name
	fs.Boot = func(t testing.TB) (*kern.Kernel, string) {
		p := boot(t)
		p.Must(abi.SYS_mkdir, "/mnt", 0o755)
		mountTmpfs(p, "/mnt", 0, 0)
		mount(p)
		return p.K, "/mnt"
	}
	return fs
}

func tmpFS() posix.FS { return over("tmpfs", func(*kerntest.P) {}) }

func overlayFS() posix.FS {
	return over("overlay", func(p *kerntest.P) {
		a := abi.LayerArgs{Target: p.Mem.Map([]byte("/mnt\x00"))}
		p.Must(abi.SYS___mount50, "overlay", "/mnt", 0, kerntest.Struct(&a), abi.SizeofLayerArgs)
	})
}

// unionFS is a union of the tmpfs, below which there is an empty one.
func unionFS() posix.FS {
	return over("union", func(p *kerntest.P) {
		p.Must(abi.SYS_mkdir, "/low", 0o755)
		mountTmpfs(p, "/low", 0, 0)
		a := abi.UnionArgs{Target: p.Mem.Map([]byte("/low\x00")), Mntflags: abi.UNMNT_BELOW}
		p.Must(abi.SYS___mount50, "union", "/mnt", 0, kerntest.Struct(&a), abi.SizeofUnionArgs)
	})
}

// mountNull mounts a null layer of a directory on another.
func mountNull(p *kerntest.P, target, dir string) {
	a := abi.NullArgs{La: abi.LayerArgs{Target: p.Mem.Map(append([]byte(target), 0))}}
	p.Must(abi.SYS___mount50, "null", dir, 0, kerntest.Struct(&a), abi.SizeofNullArgs)
}

// nullFS is a null layer over a tmpfs.
func nullFS() posix.FS {
	return posix.FS{
		Name: "null",
		Boot: func(t testing.TB) (*kern.Kernel, string) {
			p := boot(t)
			for _, dir := range []string{"/low", "/up", "/small"} {
				p.Must(abi.SYS_mkdir, dir, 0o755)
			}
			mountTmpfs(p, "/low", 0, 0)
			mountNull(p, "/low", "/up")
			return p.K, "/up"
		},
		Mount: func(p *kerntest.P, dir string, size int64, flags int) {
			mountTmpfs(p, "/small", size, flags)
			if flags&abi.MNT_UPDATE == 0 {
				mountNull(p, "/small", dir)
			}
		},
		Unmount: func(p *kerntest.P, dir string) {
			unmount(p, dir)
			unmount(p, "/small")
		},
	}
}

// TestConformance runs the checks in every file system that has all features, and compares the figures with those of docs/conformance.md.
// Oracle: pjdfstest, with the exceptions of exceptions.txt.
func TestConformance(t *testing.T) {
	var names []string
	var results []posix.Result
	checks := 0
	all := []posix.FS{rumpfs(), tmpFS(), nullFS(), overlayFS(), unionFS()}
	for _, fs := range all {
		t.Run(fs.Name, func(t *testing.T) {
			r := posix.Run(t, fs)
			names, results, checks = append(names, fs.Name), append(results, r), checks+r.Total().Checks
		})
	}
	// With -run parts are left out, and the figures are others.
	if !t.Failed() && checks == len(all)*allChecks {
		checkPage(t, names, results)
	}
}

// allChecks are those of a file system.
const allChecks = 12403
