package kern

import (
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
)

// UIDInfo counts what a user holds, as uidinfo of kauth(9). Processes and threads are not in it: they are counted where
// they are.
type UIDInfo struct {
	// Locks is the number of advisory locks.
	Locks atomic.Int64
	// Sbsize is the number of bytes in socket buffers.
	Sbsize atomic.Int64
}

// uidTable has the counts of all users that have held anything.
type uidTable struct {
	mu    sync.Mutex
	users map[uint32]*UIDInfo
}

// UIDInfo is what the user holds; always the same for a user.
func (k *Kernel) UIDInfo(uid uint32) *UIDInfo {
	k.uids.mu.Lock()
	defer k.uids.mu.Unlock()
	u := k.uids.users[uid]
	if u == nil {
		u = &UIDInfo{}
		if k.uids.users == nil {
			k.uids.users = map[uint32]*UIDInfo{}
		}
		k.uids.users[uid] = u
	}
	return u
}

// uidNodes are kern.uidinfo, of the caller's user.
func (k *Kernel) uidNodes() []SysctlNode {
	count := func(f func(uid uint32) int64) *SysctlValue {
		return SysctlQuad(func(r *SysctlRequest) (int64, error) { return f(r.T.Cred().Ruid), nil }, nil)
	}
	running := func(uid uint32) (procs, lwps int) {
		k.procs.mu.Lock()
		defer k.procs.mu.Unlock()
		return k.procs.countUser(uid)
	}
	return []SysctlNode{
		{Path: "kern.uidinfo", Num: abi.CTL_CREATE},
		{Path: "kern.uidinfo.proccnt", Num: abi.CTL_CREATE,
			Value: count(func(uid uint32) int64 { procs, _ := running(uid); return int64(procs) })},
		{Path: "kern.uidinfo.lwpcnt", Num: abi.CTL_CREATE,
			Value: count(func(uid uint32) int64 { _, lwps := running(uid); return int64(lwps) })},
		{Path: "kern.uidinfo.lockcnt", Num: abi.CTL_CREATE,
			Value: count(func(uid uint32) int64 { return k.UIDInfo(uid).Locks.Load() })},
		{Path: "kern.uidinfo.sbsize", Num: abi.CTL_CREATE,
			Value: count(func(uid uint32) int64 { return k.UIDInfo(uid).Sbsize.Load() })},
	}
}
