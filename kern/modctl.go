package kern

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// baseModules are the modules of a kernel without components.
var baseModules = []Module{
	{Name: "suser", Class: abi.MODULE_CLASS_SECMODEL},
}

// Modules lists what modstat(8) shows: the modules of the kernel and of its components, by name, each once.
func (k *Kernel) Modules() []Module {
	list := slices.Clone(baseModules)
	for _, c := range k.components {
		list = append(list, c.Modules...)
	}
	slices.SortFunc(list, func(a, b Module) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b Module) bool { return a.Name == b.Name })
}

// modstats are the structures of MODCTL_STAT, with each module's references counted.
func (k *Kernel) modstats() []byte {
	modules := k.Modules()
	refs := map[string]uint32{}
	for _, m := range modules {
		for _, r := range m.Requires {
			refs[r]++
		}
	}
	var out []byte
	for _, m := range modules {
		st := abi.Modstat{Source: abi.MODULE_SOURCE_KERNEL, Class: uint32(m.Class), Refcnt: refs[m.Name]}
		abi.PutCString(st.Name[:], m.Name)
		abi.PutCString(st.Required[:], strings.Join(m.Requires, ","))
		out = st.Append(out)
	}
	return out
}

func modctlSyscalls() []Syscall { return []Syscall{{abi.SYS_modctl, sysModctl}} }

// sysModctl is modctl(cmd, arg). All modules are built in: none can be loaded from a file or unloaded.
//
// Errors: EINVAL for an unknown command, EPERM, EFAULT; see modload, modunload and modexists.
func sysModctl(t *Thread, a *Args) (int64, error) {
	switch a.Int(0) {
	case abi.MODCTL_STAT:
		return 0, t.modstat(a[1])
	case abi.MODCTL_LOAD:
		return 0, t.modload(a[1])
	case abi.MODCTL_UNLOAD:
		return 0, t.modunload(a[1])
	case abi.MODCTL_EXISTS:
		return 0, t.modexists(a.Int(1))
	}
	return 0, abi.EINVAL
}

// modstat fills the buffer of the iovec at addr as far as it goes, and sets the iovec's length to that of the whole list.
func (t *Thread) modstat(addr uint64) error {
	var iov abi.Iovec
	if err := t.CopyInStruct(addr, &iov, abi.SizeofIovec); err != nil {
		return err
	}
	list := t.K.modstats()
	if n := min(uint64(len(list)), iov.Len); n > 0 {
		if err := t.Mem.CopyOut(iov.Base, list[:n]); err != nil {
			return err
		}
	}
	iov.Len = uint64(len(list))
	return t.CopyOutStruct(addr, &iov, abi.SizeofIovec)
}

// hasModule finds a module by its name or by the file that it would be loaded from: "tmpfs", "/stand/.../tmpfs.kmod".
func (k *Kernel) hasModule(name string) bool {
	name = strings.TrimSuffix(path.Base(name), ".kmod")
	return slices.ContainsFunc(k.Modules(), func(m Module) bool { return m.Name == name })
}

// modload loads nothing. Errors: EPERM, EEXIST for a module that is built in, ENOENT for any other.
func (t *Thread) modload(addr uint64) error {
	if !t.Cred().Root() {
		return abi.EPERM
	}
	var ml abi.ModctlLoad
	if err := t.CopyInStruct(addr, &ml, abi.SizeofModctlLoad); err != nil {
		return err
	}
	name, err := t.Mem.CopyInStr(ml.Filename, abi.PATH_MAX)
	if err != nil {
		return err
	}
	if t.K.hasModule(string(name)) {
		return abi.EEXIST
	}
	return abi.ENOENT
}

// modunload unloads nothing. Errors: EPERM, EBUSY for a module that is built in, ENOENT for any other.
func (t *Thread) modunload(addr uint64) error {
	if !t.Cred().Root() {
		return abi.EPERM
	}
	name, err := t.Mem.CopyInStr(addr, abi.MAXMODNAME)
	if err != nil {
		return err
	}
	if t.K.hasModule(string(name)) {
		return abi.EBUSY
	}
	return abi.ENOENT
}

// modexists tells whether modules can be loaded (how 0) or autoloaded (1): they cannot. Errors: EPERM, ENOSYS, EINVAL.
func (t *Thread) modexists(how int) error {
	switch {
	case how != 0 && how != 1:
		return abi.EINVAL
	case how == 0 && !t.Cred().Root():
		return abi.EPERM
	}
	return abi.ENOSYS
}
