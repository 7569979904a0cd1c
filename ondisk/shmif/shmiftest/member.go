// Package shmiftest is a second implementation of a shmif bus's member, for tests: written from docs/shmif.md alone, as the C
// implementation's members are, a byte at a time and with nothing of package shmif. What both agree on is the format.
package shmiftest

import (
	"encoding/binary"
	"runtime"
	"sync/atomic"
)

const (
	dataSize = 1<<20 - 32
	magic    = 0xca11d054
)

// Memory is a mapped bus file.
type Memory interface {
	Bytes() []byte
	Word(off int) *atomic.Uint32
}

// Member is a plain member of a bus.
type Member struct {
	mem    Memory
	sender uint64
	wake   func() // writes the version word through the descriptor

	next uint32
	gen  uint64
}

// Join makes a member with a sender number; it sees the frames that come after. wake is called after each Send.
func Join(mem Memory, sender uint64, wake func()) *Member {
	m := &Member{mem: mem, sender: sender, wake: wake}
	m.Lock()
	defer m.Unlock()
	if m.u32(0) == 0 {
		m.put32(0, magic)
		m.put32(16, dataSize)
	}
	m.next, m.gen = m.after(m.u32(20)), m.u64(8)
	return m
}

// Lock takes the bus's lock, however long that takes.
func (m *Member) Lock() {
	for !m.mem.Word(24).CompareAndSwap(0, 1) {
		runtime.Gosched()
	}
}

// Unlock gives it back.
func (m *Member) Unlock() { m.mem.Word(24).Store(0) }

func (m *Member) u32(off int) uint32       { return m.mem.Word(off).Load() }
func (m *Member) put32(off int, v uint32)  { m.mem.Word(off).Store(v) }
func (m *Member) u64(off int) uint64       { return binary.NativeEndian.Uint64(m.mem.Bytes()[off:]) }
func (m *Member) put64(off int, v uint64)  { binary.NativeEndian.PutUint64(m.mem.Bytes()[off:], v) }
func (m *Member) after(off uint32) uint32  { return (off + 24 + m.length(off)) % dataSize }
func (m *Member) at(i uint32) *byte        { return &m.mem.Bytes()[32+i%dataSize] }
func (m *Member) length(off uint32) uint32 { return binary.NativeEndian.Uint32(m.read(off, 4)) }

func (m *Member) read(off, n uint32) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = *m.at(off + uint32(i))
	}
	return b
}

// Send puts a frame on the bus and wakes the others.
func (m *Member) Send(frame []byte) {
	m.Lock()
	at := m.after(m.u32(20))
	packet := make([]byte, 24, 24+len(frame))
	binary.NativeEndian.PutUint32(packet, uint32(len(frame)))
	binary.NativeEndian.PutUint64(packet[16:], m.sender)
	packet = append(packet, frame...)
	end := at + uint32(len(packet))
	m.moveFirst(at, end)
	for i, b := range packet {
		*m.at(at + uint32(i)) = b
	}
	if end >= dataSize {
		m.put64(8, m.u64(8)+1)
	}
	m.put32(20, at)
	m.Unlock()
	m.wake()
}

// moveFirst moves first past the frames in [at, end), which may lie beyond the ring's end.
func (m *Member) moveFirst(at, end uint32) {
	first := m.u32(16)
	for at <= first && first < end {
		step := 24 + m.length(first%dataSize)
		first += step
	}
	if end > dataSize {
		first %= dataSize
		for first < end-dataSize {
			first = first + 24 + m.length(first)
		}
	}
	if first > dataSize {
		first %= dataSize
	}
	m.put32(16, first)
}

// Receive returns the next frame of another member; nil when there is none. skipped says that frames were overwritten before
// they could be read.
func (m *Member) Receive() (frame []byte, skipped bool) {
	m.Lock()
	defer m.Unlock()
	for {
		end := m.after(m.u32(20))
		gen := m.u64(8)
		if m.gen == gen && m.next == end {
			return nil, skipped
		}
		if m.overtaken(gen, end) {
			skipped = true
			m.next, m.gen = m.u32(16)%dataSize, gen
			if m.next >= end {
				m.gen--
			}
		}
		n := m.length(m.next)
		sender := binary.NativeEndian.Uint64(m.read(m.next+16, 8))
		frame := m.read(m.next+24, n)
		if uint64(m.next)+24+uint64(n) >= dataSize {
			m.gen++
		}
		m.next = (m.next + 24 + n) % dataSize
		if sender != m.sender && n >= 14 {
			return frame, skipped
		}
	}
}

// overtaken says that the next offset is not between first and the end any more. Positions are counted on two rings in a row.
func (m *Member) overtaken(gen uint64, end uint32) bool {
	first, last := m.u32(16)%dataSize, end+dataSize
	if first < end {
		first += dataSize
	}
	pos := m.next
	switch gen - m.gen {
	case 0:
		pos += dataSize
	case 1:
	default:
		return true
	}
	return pos < first || pos > last
}
