package kern

import "github.com/rumpctrl/rumpctrl/abi"

// idSyscalls are the calls on a process's own number, users and groups.
func idSyscalls() []Syscall {
	return []Syscall{
		{abi.SYS_getpid, sysGetpid},
		{abi.SYS_getppid, func(t *Thread, _ *Args) (int64, error) { return int64(t.PPID()), nil }},
		{abi.SYS_getuid, sysGetuid},
		{abi.SYS_geteuid, func(t *Thread, _ *Args) (int64, error) { return int64(t.Cred().Euid), nil }},
		{abi.SYS_getgid, sysGetgid},
		{abi.SYS_getegid, func(t *Thread, _ *Args) (int64, error) { return int64(t.Cred().Egid), nil }},
		{abi.SYS_setuid, sysSetuid},
		{abi.SYS_seteuid, sysSeteuid},
		{abi.SYS_setreuid, sysSetreuid},
		{abi.SYS_setgid, sysSetgid},
		{abi.SYS_setegid, sysSetegid},
		{abi.SYS_setregid, sysSetregid},
		{abi.SYS_getgroups, sysGetgroups},
		{abi.SYS_setgroups, sysSetgroups},
		{abi.SYS_issetugid, sysIssetugid},
		{abi.SYS_utrace, sysUtrace},
	}
}

func sysGetpid(t *Thread, _ *Args) (int64, error) {
	t.SetRet1(uint64(t.PPID()))
	return int64(t.PID), nil
}

func sysGetuid(t *Thread, _ *Args) (int64, error) {
	c := t.Cred()
	t.SetRet1(uint64(c.Euid))
	return int64(c.Ruid), nil
}

func sysGetgid(t *Thread, _ *Args) (int64, error) {
	c := t.Cred()
	t.SetRet1(uint64(c.Egid))
	return int64(c.Rgid), nil
}

// keepID, as an id to be set, leaves the id as it is.
const keepID = ^uint32(0)

// ids are the real, effective and saved ids of a user or a group.
type ids struct{ real, eff, saved uint32 }

// idSources says, for each of the three ids, which present ids it may be set to without privilege.
type idSources struct{ real, eff, saved idMask }

// idMask is a set of the three ids.
type idMask uint8

const (
	fromReal idMask = 1 << iota
	fromEff
	fromSaved
)

// has says whether one of the ids in the mask is id.
func (m idMask) has(now ids, id uint32) bool {
	return m&fromReal != 0 && id == now.real || m&fromEff != 0 && id == now.eff || m&fromSaved != 0 && id == now.saved
}

// Which ids setuid(2), seteuid(2), setreuid(2), and those for groups, may be used with by everybody.
func setSources() idSources  { return idSources{fromReal, fromReal, fromReal} }
func seteSources() idSources { return idSources{eff: fromReal | fromSaved} }
func setreSources() idSources {
	const any = fromReal | fromEff | fromSaved
	return idSources{fromReal | fromEff, any, any}
}

// change gives the ids after setting those of want that are not keepID. Errors: EPERM.
func (now ids) change(want ids, allowed idSources, root bool) (ids, error) {
	ok := func(id uint32, from idMask) bool { return id == keepID || from.has(now, id) }
	if !root && !(ok(want.real, allowed.real) && ok(want.eff, allowed.eff) && ok(want.saved, allowed.saved)) {
		return now, abi.EPERM
	}
	set := func(old, id uint32) uint32 {
		if id == keepID {
			return old
		}
		return id
	}
	return ids{set(now.real, want.real), set(now.eff, want.eff), set(now.saved, want.saved)}, nil
}

// setreWant fills in what setreuid(2) leaves out: the saved id follows the effective one when the real one changes.
func (now ids) setreWant(real, eff uint32) ids {
	if real == keepID {
		real = now.real
	}
	if eff == keepID {
		eff = now.eff
	}
	w := ids{real, eff, eff}
	if real == now.real {
		w.saved = keepID
	}
	return w
}

func (c *Cred) uids() ids { return ids{c.Ruid, c.Euid, c.Svuid} }
func (c *Cred) gids() ids { return ids{c.Rgid, c.Egid, c.Svgid} }

// changeUIDs sets the users that want gives for the present ones. Errors: EPERM.
func (p *Proc) changeUIDs(want func(now ids) ids, allowed idSources) (int64, error) {
	return 0, p.changeCred(func(c *Cred) error {
		n, err := c.uids().change(want(c.uids()), allowed, c.Root())
		c.Ruid, c.Euid, c.Svuid = n.real, n.eff, n.saved
		return err
	})
}

// changeGIDs sets the groups that want gives for the present ones. Errors: EPERM.
func (p *Proc) changeGIDs(want func(now ids) ids, allowed idSources) (int64, error) {
	return 0, p.changeCred(func(c *Cred) error {
		n, err := c.gids().change(want(c.gids()), allowed, c.Root())
		c.Rgid, c.Egid, c.Svgid = n.real, n.eff, n.saved
		return err
	})
}

// changeCred replaces the process's credentials by a copy that f has changed.
func (p *Proc) changeCred(f func(c *Cred) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.Cred()
	c := *old
	if err := f(&c); err != nil {
		return err
	}
	if c.uids() != old.uids() || c.gids() != old.gids() {
		p.sugid = true
	}
	p.SetCred(&c)
	return nil
}

func sysSetuid(t *Thread, a *Args) (int64, error) {
	return t.changeUIDs(func(ids) ids { return ids{a.Uint(0), a.Uint(0), a.Uint(0)} }, setSources())
}

func sysSeteuid(t *Thread, a *Args) (int64, error) {
	return t.changeUIDs(func(ids) ids { return ids{keepID, a.Uint(0), keepID} }, seteSources())
}

func sysSetreuid(t *Thread, a *Args) (int64, error) {
	return t.changeUIDs(func(now ids) ids { return now.setreWant(a.Uint(0), a.Uint(1)) }, setreSources())
}

func sysSetgid(t *Thread, a *Args) (int64, error) {
	return t.changeGIDs(func(ids) ids { return ids{a.Uint(0), a.Uint(0), a.Uint(0)} }, setSources())
}

func sysSetegid(t *Thread, a *Args) (int64, error) {
	return t.changeGIDs(func(ids) ids { return ids{keepID, a.Uint(0), keepID} }, seteSources())
}

func sysSetregid(t *Thread, a *Args) (int64, error) {
	return t.changeGIDs(func(now ids) ids { return now.setreWant(a.Uint(0), a.Uint(1)) }, setreSources())
}

func sysGetgroups(t *Thread, a *Args) (int64, error) {
	groups, n := t.Cred().Groups, a.Int(0)
	if n == 0 {
		return int64(len(groups)), nil
	}
	if n < len(groups) {
		return 0, abi.EINVAL
	}
	b := make([]byte, 0, 4*len(groups))
	for _, g := range groups {
		b = le.AppendUint32(b, g)
	}
	if len(b) == 0 {
		return 0, nil
	}
	return int64(len(groups)), t.Mem.CopyOut(a[1], b)
}

func sysSetgroups(t *Thread, a *Args) (int64, error) {
	n := a.Int(0)
	if n < 0 || n > abi.NGROUPS {
		return 0, abi.EINVAL
	}
	b := make([]byte, 4*n)
	if n > 0 {
		if err := t.Mem.CopyIn(a[1], b); err != nil {
			return 0, err
		}
	}
	groups := make([]uint32, n)
	for i := range groups {
		groups[i] = le.Uint32(b[4*i:])
	}
	return 0, t.changeCred(func(c *Cred) error {
		if !c.Root() {
			return abi.EPERM
		}
		c.Groups = groups
		t.sugid = true
		return nil
	})
}

func sysIssetugid(t *Thread, _ *Args) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sugid {
		return 1, nil
	}
	return 0, nil
}
