package kern

import "slices"

// baseSyscalls are the rows of a kernel without factions: processes, time, descriptors, sysctl, modules, reboot, pipes
// and readiness.
func baseSyscalls() []Syscall {
	return slices.Concat(
		descriptorSyscalls(),
		idSyscalls(),
		pgrpSyscalls(),
		limitSyscalls(),
		timeSyscalls(),
		timerSyscalls(),
		sysctlSyscalls(),
		modctlSyscalls(),
		rebootSyscalls(),
		readinessSyscalls(),
	)
}
