package kern

import "github.com/rumpctrl/rumpctrl/abi"

func rebootSyscalls() []Syscall { return []Syscall{{abi.SYS_reboot, sysReboot}} }

// sysReboot is reboot(opt, bootstr): whatever opt says, the kernel is halted, as there is nothing that could boot it again. When
// the call returns, all is synced and unmounted, and nobody is served any more but the caller with this answer.
//
// Errors: EPERM; EFAULT for a bootstr that cannot be read with RB_STRING.
func sysReboot(t *Thread, a *Args) (int64, error) {
	if !t.Cred().Root() {
		return 0, abi.EPERM
	}
	if a.Int(0)&abi.RB_STRING != 0 {
		if _, err := t.Mem.CopyInStr(a[1], maxBootstr); err != nil {
			return 0, err
		}
	}
	t.K.haltExcept(1)
	return 0, nil
}

// maxBootstr bounds the string that a boot would be given, its NUL included.
const maxBootstr = 128
