package vfs_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// TestStress has processes make, remove, rename, read and walk the same few names while file systems come and go below
// them. Whatever a call answers, nobody waits for ever, and when all have gone everything can be unmounted.
func TestStress(t *testing.T) {
	p := newProc(t)
	tree(p, "/tmp/a/", "/tmp/b/", "/tmp/m/")
	var all sync.WaitGroup
	var mounts atomic.Int32
	for seed := range 6 {
		q := p.Fork()
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(seed), 3))
			for range 600 {
				if randomCall(q, rng) {
					mounts.Add(1)
				}
			}
			q.Exit()
		})
	}
	all.Wait()
	if mounts.Load() == 0 {
		t.Error("nothing was ever mounted")
	}
	for mountNames(p)[len(mountNames(p))-1] != "/ rumpfs" {
		p.Must(abi.SYS_unmount, "/tmp/m", 0)
	}
	removeAll(t, p, "/tmp")
	if left := vfs.Of(p.K).Mounts(); len(left) != 1 {
		t.Errorf("%d file systems are still mounted", len(left))
	}
}

// randomCall makes a call on random names and says whether it has mounted something.
func randomCall(p *kerntest.P, rng *rand.Rand) bool {
	name := func() string {
		dirs := []string{"/tmp", "/tmp/a", "/tmp/b", "/tmp/m", "/tmp/m/d", "/tmp/a/../b", "/tmp/l"}
		return fmt.Sprintf("%s/%d", dirs[rng.IntN(len(dirs))], rng.IntN(4))
	}
	switch rng.IntN(16) {
	case 0:
		_, errno := p.Call(abi.SYS___mount50, "tmpfs", "/tmp/m", 0, nil, 0)
		p.Call(abi.SYS_mkdir, "/tmp/m/d", 0755)
		return errno == 0
	case 1:
		p.Call(abi.SYS_unmount, "/tmp/m", 0)
	case 2:
		p.Call(abi.SYS_unmount, "/tmp/m", abi.MNT_FORCE)
	case 3, 4:
		p.Call(abi.SYS_mkdir, name(), 0755)
	case 5:
		p.Call(abi.SYS_rmdir, name())
	case 6:
		p.Call(abi.SYS_unlink, name())
	case 7, 8:
		p.Call(abi.SYS_rename, name(), name())
	case 9:
		p.Call(abi.SYS_link, name(), name())
	case 10:
		p.Call(abi.SYS_symlink, "../tmp/a", "/tmp/l")
	case 11:
		p.Call(abi.SYS_chdir, name())
		p.Call(abi.SYS___getcwd, make([]byte, 1024), 1024)
		p.Call(abi.SYS_chdir, "/")
	case 12:
		p.Call(abi.SYS_getvfsstat, make([]byte, 8*abi.SizeofStatvfs), 8*abi.SizeofStatvfs, abi.ST_NOWAIT)
	case 13:
		if fd, errno := p.Call(abi.SYS_open, "/tmp/m", abi.O_RDONLY, 0); errno == 0 {
			p.Call(abi.SYS___getdents30, int(fd), make([]byte, 512), 512)
			p.Close(int(fd))
		}
	default:
		if fd, errno := p.Call(abi.SYS_open, name(), abi.O_RDWR|abi.O_CREAT, 0644); errno == 0 {
			p.Write(int(fd), "some text")
			p.Call(abi.SYS_pread, int(fd), make([]byte, 16), 16, 0, 0)
			p.Close(int(fd))
		}
	}
	return false
}
