package posix_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/fs/null"
	"github.com/rumpctrl/rumpctrl/component/fs/tmpfs"
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
		layerfs.Component(), null.Component()))
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

func tmpFS() posix.FS {
	fs := rumpfs()
	fs.Name = "tmpfs"
	fs.Boot = func(t testing.TB) (*kern.Kernel, string) {
		p := boot(t)
		p.Must(abi.SYS_mkdir, "/mnt", 0o755)
		mountTmpfs(p, "/mnt", 0, 0)
		return p.K, "/mnt"
	}
	return fs
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
	for _, c := range []struct {
		name string
		fs   posix.FS
	}{{"rumpfs", rumpfs()}, {"tmpfs", tmpFS()}, {"null over tmpfs", nullFS()}} {
		if t.Run(c.fs.Name, func(t *testing.T) { results = append(results, posix.Run(t, c.fs)) }) {
			names = append(names, c.name)
		}
	}
	// A test with -run that leaves out parts has other figures.
	if checks := 0; !t.Failed() {
		for _, r := range results {
			checks += r.Total().Checks
		}
		if checks == 3*allChecks {
			checkPage(t, names, results)
		}
	}
}

// allChecks are those of a file system.
const allChecks = 12403
