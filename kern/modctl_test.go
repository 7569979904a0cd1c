package kern_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Oracle: modstat-allserver.txt: reference counts by who requires whom. wire/files-modstat.jsonl: the structures.
func TestModstat(t *testing.T) {
	k := kerntest.New(t, &kern.Component{Name: "a", Modules: []kern.Module{
		{Name: "cgd", Class: abi.MODULE_CLASS_DRIVER, Requires: []string{"dk_subr"}},
		{Name: "dk_subr", Class: abi.MODULE_CLASS_MISC},
	}}, &kern.Component{Name: "b", Modules: []kern.Module{
		{Name: "raid", Class: abi.MODULE_CLASS_DRIVER, Requires: []string{"dk_subr", "cgd"}},
		{Name: "dk_subr", Class: abi.MODULE_CLASS_MISC},
	}})
	p := kerntest.Proc(t, k)
	b := make([]byte, 10*abi.SizeofModstat)
	iov := kerntest.Struct(&abi.Iovec{Base: p.Mem.Map(b), Len: uint64(len(b))})
	p.Must(abi.SYS_modctl, abi.MODCTL_STAT, iov)
	var got abi.Iovec
	if got.Decode(iov); got.Len != 4*abi.SizeofModstat {
		t.Fatalf("%d bytes", got.Len)
	}
	want := []struct {
		name, required string
		class, refs    uint32
	}{
		{"cgd", "dk_subr", abi.MODULE_CLASS_DRIVER, 1},
		{"dk_subr", "", abi.MODULE_CLASS_MISC, 2},
		{"raid", "dk_subr,cgd", abi.MODULE_CLASS_DRIVER, 0},
		{"suser", "", abi.MODULE_CLASS_SECMODEL, 0},
	}
	for i, w := range want {
		var st abi.Modstat
		st.Decode(b[i*abi.SizeofModstat:])
		if abi.CString(st.Name[:]) != w.name || abi.CString(st.Required[:]) != w.required || st.Class != w.class || st.Refcnt != w.refs ||
			st.Source != abi.MODULE_SOURCE_KERNEL {
			t.Errorf("module %d: %+v", i, st)
		}
	}
	if recorded := recordedModstat(t, "suser"); !bytes.Equal(b[3*abi.SizeofModstat:4*abi.SizeofModstat], recorded) {
		t.Errorf("suser differs from the recorded one:\n%x\n%x", b[3*abi.SizeofModstat:4*abi.SizeofModstat], recorded)
	}
	// Too little room: what fits, and the length of all.
	small := kerntest.Struct(&abi.Iovec{Base: p.Mem.Map(make([]byte, 5)), Len: 5})
	p.Must(abi.SYS_modctl, abi.MODCTL_STAT, small)
	if got.Decode(small); got.Len != 4*abi.SizeofModstat {
		t.Errorf("%d bytes", got.Len)
	}
}

// recordedModstat is a module's structure as the C kernel sent it.
func recordedModstat(t *testing.T, name string) []byte {
	for _, f := range frames(t, "testdata/files-modstat.jsonl") {
		if f.Type != "copyout" || len(f.Body) < 2*abi.SizeofModstat {
			continue
		}
		b, _ := hex.DecodeString(f.Body)
		for b = b[16:]; len(b) >= abi.SizeofModstat; b = b[abi.SizeofModstat:] {
			if abi.CString(b) == name {
				return b[:abi.SizeofModstat]
			}
		}
	}
	t.Fatalf("%s was not recorded", name)
	return nil
}

// Oracle: modctl(2): nothing can be loaded or unloaded, with an errno that says why.
func TestModctlErrors(t *testing.T) {
	p := start(t)
	load := func(name string) []byte {
		return kerntest.Struct(&abi.ModctlLoad{Filename: p.Mem.Map([]byte(name + "\x00"))})
	}
	p.Want(abi.EEXIST, abi.SYS_modctl, abi.MODCTL_LOAD, load("suser"))
	p.Want(abi.EEXIST, abi.SYS_modctl, abi.MODCTL_LOAD, load("/stand/modules/suser/suser.kmod"))
	p.Want(abi.ENOENT, abi.SYS_modctl, abi.MODCTL_LOAD, load("zfs"))
	p.Want(abi.EFAULT, abi.SYS_modctl, abi.MODCTL_LOAD, kerntest.Struct(&abi.ModctlLoad{}))
	p.Want(abi.EFAULT, abi.SYS_modctl, abi.MODCTL_LOAD, 1)
	p.Want(abi.EBUSY, abi.SYS_modctl, abi.MODCTL_UNLOAD, "suser")
	p.Want(abi.ENOENT, abi.SYS_modctl, abi.MODCTL_UNLOAD, "zfs")
	p.Want(abi.EFAULT, abi.SYS_modctl, abi.MODCTL_UNLOAD, 1)
	p.Want(abi.ENOSYS, abi.SYS_modctl, abi.MODCTL_EXISTS, 0)
	p.Want(abi.ENOSYS, abi.SYS_modctl, abi.MODCTL_EXISTS, 1)
	p.Want(abi.EINVAL, abi.SYS_modctl, abi.MODCTL_EXISTS, 2)
	p.Want(abi.EINVAL, abi.SYS_modctl, 99, 0)
	p.Want(abi.EFAULT, abi.SYS_modctl, abi.MODCTL_STAT, 1)
	p.Want(abi.EFAULT, abi.SYS_modctl, abi.MODCTL_STAT, kerntest.Struct(&abi.Iovec{Base: 1, Len: 100}))
	p.Must(abi.SYS_setuid, 5)
	p.Want(abi.EPERM, abi.SYS_modctl, abi.MODCTL_LOAD, load("suser"))
	p.Want(abi.EPERM, abi.SYS_modctl, abi.MODCTL_UNLOAD, "suser")
	p.Want(abi.EPERM, abi.SYS_modctl, abi.MODCTL_EXISTS, 0)
}
