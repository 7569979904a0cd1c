package ifnet

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// maxLent bounds what a driver's ioctl may read of its caller's memory, in bytes, and maxPieces in how many pieces.
const (
	maxLent   = 64 << 10
	maxPieces = 64
)

// lentMemory is the caller's memory as a driver's ioctl sees it, which runs with Config held and therefore must not wait for the caller:
// it has what has been fetched, and notes what is missing. Whoever asked for that then gets an error, and is called anew when it has been fetched. So
// a driver reads all that it needs before it changes anything.
type lentMemory struct {
	kern.Memory
	pieces  []lentPiece
	missing *lentPiece
}

type lentPiece struct {
	addr uint64
	data []byte
	n    int // for a string, the longest that it may be; data is nil
	str  bool
}

// install gives the memory to a thread, and what it returns gives the thread's own back.
func (m *lentMemory) install(t *kern.Thread) (restore func()) {
	own := t.Mem
	m.Memory = own
	t.Mem = m
	return func() { t.Mem = own }
}

// fetch reads what the last try has missed, without locks. It says whether there was such. Errors: EFAULT, E2BIG.
func (m *lentMemory) fetch(t *kern.Thread) (again bool, err error) {
	p := m.missing
	if p == nil {
		return false, nil
	}
	m.missing = nil
	room := maxLent
	for _, have := range m.pieces {
		room -= len(have.data)
	}
	if p.n > room || len(m.pieces) == maxPieces {
		return false, abi.E2BIG
	}
	if p.str {
		p.data, err = t.Mem.CopyInStr(p.addr, p.n)
	} else {
		p.data = make([]byte, p.n)
		err = t.Mem.CopyIn(p.addr, p.data)
	}
	m.pieces = append(m.pieces, *p)
	return true, err
}

// find is a piece that was fetched, or notes it as missing.
func (m *lentMemory) find(addr uint64, n int, str bool) ([]byte, error) {
	for _, p := range m.pieces {
		if p.addr == addr && p.n == n && p.str == str {
			return p.data, nil
		}
	}
	m.missing = &lentPiece{addr: addr, n: n, str: str}
	return nil, abi.EFAULT
}

// CopyIn, CopyInStr and Lend read what has been fetched.
func (m *lentMemory) CopyIn(addr uint64, p []byte) error {
	data, err := m.find(addr, len(p), false)
	copy(p, data)
	return err
}

func (m *lentMemory) CopyInStr(addr uint64, limit int) ([]byte, error) {
	return m.find(addr, limit, true)
}

func (m *lentMemory) Lend(addr uint64, n int) ([]byte, error) { return m.find(addr, n, false) }

// Anon would wait for the client.
func (m *lentMemory) Anon(uint64) (uint64, error) { return 0, abi.ENOMEM }
