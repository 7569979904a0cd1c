package sh

import (
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
)

// lookupVar returns the value of a variable or of a special parameter, and whether it is set. The parameters @ and
// * are another matter: see expansion.
func (s *shell) lookupVar(name string) (string, bool) {
	switch name {
	case "#":
		return strconv.Itoa(len(s.params)), true
	case "?":
		return strconv.Itoa(s.status), true
	case "-":
		return s.opts.letters(), true
	case "$":
		return strconv.Itoa(s.pid), true
	case "!":
		if s.jobs.last == 0 {
			return "", false
		}
		return strconv.Itoa(s.jobs.last), true
	case "0":
		return s.name, true
	case "PPID":
		return s.parentPID()
	}
	if name[0] >= '1' && name[0] <= '9' {
		n, err := strconv.Atoi(name)
		if err != nil || n > len(s.params) {
			return "", false
		}
		return s.params[n-1], true
	}
	return s.vars.get(name)
}

// parentPID returns the number of the parent of the shell's process, on the kernel.
func (s *shell) parentPID() (string, bool) {
	pid, err := s.proc.Sys().Getppid()
	return strconv.Itoa(pid), err == nil
}

// setVar makes an assignment.
func (s *shell) setVar(name, value string) error {
	if err := s.vars.set(name, value); err != nil {
		return err
	}
	if s.opts.on('a') {
		return s.vars.export(name)
	}
	return nil
}

// ifs returns IFS, or what stands for it while it is unset.
func (s *shell) ifs() string {
	if ifs, ok := s.vars.get("IFS"); ok {
		return ifs
	}
	return " \t\n"
}

// homeOf returns the home directory of a user by the kernel's /etc/passwd.
func (s *shell) homeOf(user string) (string, bool) {
	text, err := s.proc.ReadFile("/etc/passwd")
	if err != nil {
		return "", false
	}
	return passwdHome(string(text), user)
}

// hostName returns kern.hostname, the kernel's name.
func (s *shell) hostName() string {
	b := make([]byte, abi.MAXHOSTNAMELEN)
	n, err := s.proc.Sys().Sysctl([]int32{abi.CTL_KERN, abi.KERN_HOSTNAME}, b, nil)
	if err != nil {
		return ""
	}
	return abi.CString(b[:n])
}
