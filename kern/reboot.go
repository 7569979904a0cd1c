package kern

import "github.com/rumpctrl/rumpctrl/abi"

func rebootSyscalls() []Syscall { return []Syscall{{abi.SYS_reboot, sysReboot}} }

// maxBootstr bounds the string that a boot would be given, its NUL included.
const maxBootstr = 128

// sysReboot is reboot(opt, bootstr): whatever opt says, the kernel is halted, as there is nothing that could boot it again. When
// the call returns, all is synced and unmounted, and nobody is served any more but the caller with this answer.
//
// Errors: EPERM; EFAULT for a bootstr that cannot be read with RB_STRING.
func sysReboot(t *Thread, a *Args) (int64, error) {
	if !t.Cred().Root() {
		return 0, abi.EPERM
	}
	opt := a.Uint(0)
	if opt&abi.RB_STRING != 0 {
		if _, err := t.Mem.CopyInStr(a[1], maxBootstr); err != nil {
			return 0, err
		}
	}
	t.K.howto.Store(opt)
	t.K.Logf("pid %d (%s) halts the kernel\n", t.PID, t.Name())
	t.K.halt(t)
	return 0, nil
}

// Howto is how reboot(2) was asked to halt the kernel, abi.RB_*: RB_NOSYNC is for file systems. 0 for Halt.
func (k *Kernel) Howto() uint32 { return k.howto.Load() }
