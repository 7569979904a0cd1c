package kerntest

import "github.com/rumpctrl/rumpctrl/abi"

// Read reads at most n bytes from a descriptor.
func (p *P) Read(fd, n int) (string, abi.Errno) {
	p.tb.Helper()
	b := make([]byte, n)
	got, errno := p.Call(abi.SYS_read, fd, b, n)
	if errno != 0 {
		return "", errno
	}
	return string(b[:got]), 0
}

// Write writes s to a descriptor and returns how much of it was written.
func (p *P) Write(fd int, s string) (int, abi.Errno) {
	p.tb.Helper()
	n, errno := p.Call(abi.SYS_write, fd, []byte(s), len(s))
	return int(n), errno
}

// Close closes a descriptor, which has to succeed.
func (p *P) Close(fd int) {
	p.tb.Helper()
	p.Must(abi.SYS_close, fd)
}

// Pipe makes a pipe: its reading and its writing end.
func (p *P) Pipe() (r, w int) {
	p.tb.Helper()
	ret, errno := p.Call2(abi.SYS_pipe)
	if errno != 0 {
		p.tb.Fatalf("pipe: %v", errno)
	}
	return int(ret[0]), int(ret[1])
}

// Sysctl reads the value of a node by its name.
func (p *P) Sysctl(name string) ([]byte, abi.Errno) {
	p.tb.Helper()
	mib, err := p.K.Sysctl().MIB(name)
	if err != nil {
		return nil, abi.ToErrno(err)
	}
	return p.SysctlMIB(mib...)
}

// SysctlMIB reads the value of a node by its numbers.
func (p *P) SysctlMIB(mib ...int32) ([]byte, abi.Errno) {
	p.tb.Helper()
	raw := Ints(mib...)
	size := make([]byte, 8)
	if _, errno := p.Call(abi.SYS___sysctl, raw, len(mib), nil, size, nil, 0); errno != 0 {
		return nil, errno
	}
	b := make([]byte, le.Uint64(size))
	_, errno := p.Call(abi.SYS___sysctl, raw, len(mib), b, size, nil, 0)
	return b[:min(le.Uint64(size), uint64(len(b)))], errno
}

// SetSysctl writes the value of a node by its name.
func (p *P) SetSysctl(name string, value []byte) abi.Errno {
	p.tb.Helper()
	mib, err := p.K.Sysctl().MIB(name)
	if err != nil {
		return abi.ToErrno(err)
	}
	_, errno := p.Call(abi.SYS___sysctl, Ints(mib...), len(mib), nil, nil, value, len(value))
	return errno
}

// Ints are ints as a client has them in memory.
func Ints(v ...int32) []byte {
	var b []byte
	for _, n := range v {
		b = le.AppendUint32(b, uint32(n))
	}
	return b
}
