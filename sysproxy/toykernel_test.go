package sysproxy

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
)

// System calls of the toy kernel.
const (
	sysGetpid   = 20
	sysSum      = 100 + iota // adds its arguments
	sysCopyIn                // (addr, n): keeps the bytes as the process's data
	sysCopyStr               // (addr, max): keeps the string
	sysCopyOut               // (addr, n): writes the data
	sysWrite                 // (addr, n): CopyIn by Lend
	sysRead                  // (addr, n, commit): CopyOut by Reserve
	sysSwap                  // (addr, n): reads, writes the reverse, reads it again
	sysBlock                 // waits until done or sysRelease, having said so
	sysSulk                  // the same without saying so
	sysRelease               // lets one of them go
	sysAnon                  // (n): allocates, fills with 'A'
	sysPeek                  // (addr, n): CopyIn, answers EFAULT or the sum of the bytes
	sysReboot                // responds at once, returns when released
	sysRaise                 // (sig): to itself
	sysName                  // (addr, n): writes the process's name
	sysMany                  // (addr, n, k): k CopyOuts of n bytes, one after the other
	sysHalfRead              // (addr, n): Reserve without Commit, returns EIO
	sysStuck                 // waits for sysRelease and nothing else
	sysStat                  // (path, addr): what stat(2) moves: a string in, 152 bytes out
)

// toyKernel is a kernel for tests: what it does is plain to see here.
type toyKernel struct {
	mu     sync.Mutex
	pids   uint64
	alive  map[uint64]*toyProcess
	exited []uint64
	refuse abi.Errno // of NewProcess and Fork
	raise  func(p Process, sig int) error
}

func newToyKernel() *toyKernel { return &toyKernel{alive: make(map[uint64]*toyProcess)} }

func (k *toyKernel) add(name string, data []byte) (*toyProcess, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refuse != 0 {
		return nil, k.refuse
	}
	k.pids++
	p := &toyProcess{k: k, pid: k.pids, name: name, data: bytes.Clone(data), release: make(chan struct{})}
	k.alive[p.pid] = p
	return p, nil
}

func (k *toyKernel) NewProcess(name string) (Process, error) {
	p, err := k.add(name, nil)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// count returns how many processes live.
func (k *toyKernel) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.alive)
}

// find returns the process with a name.
func (k *toyKernel) find(name string) *toyProcess {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.alive {
		if p.nameNow() == name {
			return p
		}
	}
	return nil
}

type toyProcess struct {
	k       *toyKernel
	pid     uint64
	release chan struct{}
	inCall  atomic.Int32
	waiting atomic.Int32 // in sysBlock or sysSulk
	exits   atomic.Int32

	stat [152]byte

	mu   sync.Mutex
	name string
	data []byte
}

func (p *toyProcess) nameNow() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

func (p *toyProcess) Fork() (Process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := p.k.add(p.name, p.data)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (p *toyProcess) Exec(name string) error {
	if p.inCall.Load() != 0 {
		panic("exec while calls are in flight")
	}
	p.mu.Lock()
	p.name = name
	p.mu.Unlock()
	return nil
}

func (p *toyProcess) Exit() {
	p.exits.Add(1)
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	delete(p.k.alive, p.pid)
	p.k.exited = append(p.k.exited, p.pid)
}

func (p *toyProcess) Syscall(m Memory, num int, args []uint64) ([2]uint64, abi.Errno) {
	p.inCall.Add(1)
	defer p.inCall.Add(-1)
	if num == sysGetpid {
		return [2]uint64{p.pid, 1}, 0
	}
	h, ok := toyCalls[num]
	if !ok {
		return [2]uint64{}, abi.ENOSYS
	}
	if toySized[num] && max(args[1], args[2]) > maxToy {
		return [2]uint64{}, abi.EINVAL
	}
	v, err := h(p, m, args)
	return [2]uint64{v, 0}, abi.ToErrno(err)
}

// toySized are calls whose sizes the toy kernel takes for its own memory.
var toySized = map[int]bool{sysCopyIn: true, sysSwap: true, sysPeek: true, sysMany: true}

const maxToy = 4 << 20

func (p *toyProcess) keep(b []byte) {
	p.mu.Lock()
	p.data = append(p.data[:0], b...)
	p.mu.Unlock()
}

func (p *toyProcess) wait(m Memory) (uint64, error) {
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	select {
	case <-m.Done():
		return 0, abi.EINTR
	case <-p.release:
		return 1, nil
	}
}

func sumBytes(b []byte) uint64 {
	var n uint64
	for _, c := range b {
		n = n*31 + uint64(c)
	}
	return n
}

var toyCalls = map[int]func(p *toyProcess, m Memory, a []uint64) (uint64, error){
	sysSum: func(p *toyProcess, m Memory, a []uint64) (n uint64, err error) {
		for _, v := range a {
			n += v
		}
		return n, nil
	},
	sysCopyIn: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		b := make([]byte, a[1])
		if err := m.CopyIn(a[0], b); err != nil {
			return 0, err
		}
		p.keep(b)
		return a[1], nil
	},
	sysCopyStr: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		s, err := m.CopyInStr(a[0], int(a[1]))
		if err != nil {
			return 0, err
		}
		p.keep(s)
		return uint64(len(s)), nil
	},
	sysCopyOut: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		n := min(a[1], uint64(len(p.data)))
		return n, m.CopyOut(a[0], p.data[:n])
	},
	sysWrite: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		b, err := m.Lend(a[0], int(a[1]))
		if err != nil {
			return 0, err
		}
		p.keep(b)
		return uint64(len(b)), nil
	},
	sysRead: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		b, err := m.Reserve(a[0], int(a[1]))
		if err != nil {
			return 0, err
		}
		p.mu.Lock()
		n := copy(b, p.data)
		p.mu.Unlock()
		return uint64(n), m.Commit(a[0], b[:n])
	},
	sysSwap: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		b := make([]byte, a[1])
		if err := m.CopyIn(a[0], b); err != nil {
			return 0, err
		}
		for i := range b[:len(b)/2] {
			b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
		}
		if err := m.CopyOut(a[0], b); err != nil {
			return 0, err
		}
		again, err := m.Lend(a[0], len(b))
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(again, b) {
			return 0, abi.EIO
		}
		return sumBytes(again), nil
	},
	sysBlock: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		m.Block()
		return p.wait(m)
	},
	sysSulk: func(p *toyProcess, m Memory, a []uint64) (uint64, error) { return p.wait(m) },
	sysStuck: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		m.Block()
		p.waiting.Add(1)
		defer p.waiting.Add(-1)
		<-p.release
		return 1, nil
	},
	sysRelease: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		m.Block()
		select {
		case p.release <- struct{}{}:
		case <-m.Done():
			return 0, abi.EINTR
		}
		return 0, nil
	},
	sysAnon: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		addr, err := m.Anon(a[0])
		if err != nil {
			return 0, err
		}
		return addr, m.CopyOut(addr, bytes.Repeat([]byte("A"), int(min(a[0], maxToy))))
	},
	sysPeek: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		b := make([]byte, a[1])
		if err := m.CopyIn(a[0], b); err != nil {
			return 0, err
		}
		return sumBytes(b), nil
	},
	sysReboot: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		m.Respond()
		<-p.release
		return 7, abi.EIO
	},
	sysRaise: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		return 0, p.k.raise(p, int(a[0]))
	},
	sysName: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		name := p.nameNow()
		return uint64(len(name)), m.CopyOut(a[0], []byte(name))
	},
	sysMany: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		b := bytes.Repeat([]byte{7}, int(a[1]))
		for i := range a[2] {
			b[0] = byte(i)
			if err := m.CopyOut(a[0]+i*a[1], b); err != nil {
				return i, err
			}
		}
		return a[2], nil
	},
	sysStat: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		if _, err := m.CopyInStr(a[0], 1024); err != nil {
			return 0, err
		}
		return 0, m.CopyOut(a[1], p.stat[:])
	},
	sysHalfRead: func(p *toyProcess, m Memory, a []uint64) (uint64, error) {
		_, err := m.Reserve(a[0], int(a[1]))
		if err != nil {
			return 0, err
		}
		return 0, abi.EIO
	},
}
