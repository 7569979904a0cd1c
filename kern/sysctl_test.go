package kern_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// query lists the nodes below a MIB by CTL_QUERY, as sysctl(8) does.
func query(t testing.TB, p *kerntest.P, mib ...int32) []abi.Sysctlnode {
	t.Helper()
	raw := kerntest.Ints(append(slices.Clone(mib), abi.CTL_QUERY)...)
	q := kerntest.Struct(&abi.Sysctlnode{Flags: abi.SYSCTL_VERSION})
	size := make([]byte, 8)
	p.Must(abi.SYS___sysctl, raw, len(mib)+1, nil, size, q, len(q))
	b := make([]byte, binary.LittleEndian.Uint64(size))
	if len(b) == 0 {
		return nil
	}
	p.Must(abi.SYS___sysctl, raw, len(mib)+1, b, size, q, len(q))
	nodes := make([]abi.Sysctlnode, len(b)/abi.SizeofSysctlnode)
	for i := range nodes {
		nodes[i].Decode(b[i*abi.SizeofSysctlnode:])
	}
	return nodes
}

// walk calls f for every node of the tree with its name and MIB.
func walk(t testing.TB, p *kerntest.P, f func(name string, mib []int32, n abi.Sysctlnode)) {
	var down func(prefix string, mib []int32)
	down = func(prefix string, mib []int32) {
		for _, n := range query(t, p, mib...) {
			name, below := prefix+abi.CString(n.Name[:]), append(slices.Clone(mib), n.Num)
			f(name, below, n)
			if n.Flags&abi.SYSCTL_TYPEMASK == abi.CTLTYPE_NODE {
				down(name+".", below)
			}
		}
	}
	down("", nil)
}

func lines(t testing.TB, name string) []string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// Oracle: transcript core-05: what sysctl -A lists on a kernel without factions. sysctl(8) prints names of its own for
// nodes that it leaves to other programs (kern.proc: use 'ps'), which are left out of the list here.
func TestSysctlNames(t *testing.T) {
	p := start(t)
	otherPrograms := []string{"kern.proc", "kern.file", "kern.proc2", "kern.proc_args", "kern.msgbuf", "kern.file2", "kern.evcnt",
		"kern.pool", "debug", "ddb", "vendor"}
	var got []string
	walk(t, p, func(name string, mib []int32, n abi.Sysctlnode) {
		leaf := n.Flags&abi.SYSCTL_TYPEMASK != abi.CTLTYPE_NODE || n.ChildClen() == 0
		if leaf && !slices.Contains(otherPrograms, name) {
			got = append(got, name)
		}
	})
	slices.Sort(got)
	want := lines(t, "testdata/sysctl-names.txt")
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("missing %q\nmore %q", difference(want, got), difference(got, want))
	}
}

func difference(a, b []string) (d []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			d = append(d, s)
		}
	}
	return d
}

// volatile are values of sysctl-values.txt that no two kernels share, or that say what ours does not do: the clock has no ticks and
// another name, what counts processes and random numbers.
var volatile = []string{"kern.hostname", "kern.urandom", "kern.arandom", "kern.hardclock_ticks", "kern.timecounter.choice",
	"kern.timecounter.hardware", "kern.uidinfo.proccnt", "kern.uidinfo.lwpcnt"}

// Oracle: sysctl-allserver.txt.
func TestSysctlValues(t *testing.T) {
	p := start(t)
	want := map[string]string{}
	for _, l := range lines(t, "testdata/sysctl-values.txt") {
		name, value, _ := strings.Cut(l, " = ")
		want[name] = value
	}
	compared := 0
	walk(t, p, func(name string, mib []int32, n abi.Sysctlnode) {
		w, ok := want[name]
		if !ok || slices.Contains(volatile, name) {
			return
		}
		b, errno := p.SysctlMIB(mib...)
		if errno != 0 {
			t.Errorf("%s: %v", name, errno)
			return
		}
		compared++
		if got := printValue(n.Flags&abi.SYSCTL_TYPEMASK, b); got != w {
			t.Errorf("%s = %q, want %q", name, got, w)
		}
	})
	if compared < 80 {
		t.Errorf("only %d values compared", compared)
	}
}

// printValue is a value as sysctl(8) prints it.
func printValue(typ uint32, b []byte) string {
	switch typ {
	case abi.CTLTYPE_INT:
		return strconv.Itoa(int(kerntest.Int(b)))
	case abi.CTLTYPE_QUAD:
		if v := binary.LittleEndian.Uint64(b); v != abi.RLIM_INFINITY {
			return strconv.FormatUint(v, 10)
		}
		return "unlimited"
	case abi.CTLTYPE_BOOL:
		return strconv.Itoa(int(b[0]))
	}
	return strings.TrimSuffix(abi.CString(b), "\n")
}

// frame is a line of a recorded session.
type frame struct {
	From, Kind, Type string
	Word             int
	Body             string
}

func frames(t testing.TB, name string) []frame {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []frame
	for s := bufio.NewScanner(f); s.Scan(); {
		var fr frame
		if err := json.Unmarshal(s.Bytes(), &fr); err != nil {
			t.Fatal(err)
		}
		list = append(list, fr)
	}
	return list
}

// recordedNodes are the nodes that the C kernel copied out, by name.
func recordedNodes(t testing.TB) map[string]abi.Sysctlnode {
	nodes := map[string]abi.Sysctlnode{}
	level := "" // a query of two numbers is one of kern
	for _, f := range frames(t, "testdata/sysctl-hostname.jsonl") {
		b, _ := hex.DecodeString(f.Body)
		switch {
		case f.From == "client" && f.Type == "syscall":
			if level = ""; binary.LittleEndian.Uint64(b[8:]) == 2 {
				level = "kern."
			}
		case f.Type == "copyout" && len(b) == 16+abi.SizeofSysctlnode:
			var n abi.Sysctlnode
			n.Decode(b[16:])
			nodes[level+abi.CString(n.Name[:])] = n
		}
	}
	return nodes
}

// Oracle: wire/sysctl-hostname.jsonl: number, flags with type and version, and size of every node that both kernels have. Ours
// differ where a constant cannot be written.
func TestSysctlNodesAsRecorded(t *testing.T) {
	p := start(t)
	want := recordedNodes(t)
	compared := 0
	walk(t, p, func(name string, _ []int32, n abi.Sysctlnode) {
		w, ok := want[name]
		if !ok {
			return
		}
		compared++
		if w.Num < 1024 && n.Num != w.Num || (n.Num < 1024) != (w.Num < 1024) {
			t.Errorf("%s has number %d, want %d", name, n.Num, w.Num)
		}
		if name == "kern.direct_select" {
			w.Flags = w.Flags&^uint32(abi.CTLFLAG_READWRITE) | abi.CTLFLAG_IMMEDIATE
		}
		if n.Flags != w.Flags || n.Size != w.Size {
			t.Errorf("%s has flags %#x size %d, want %#x and %d", name, n.Flags, n.Size, w.Flags, w.Size)
		}
		if w.Flags&abi.CTLFLAG_IMMEDIATE != 0 && name != "kern.direct_select" && n.Idata() != w.Idata() {
			t.Errorf("%s is %d, want %d", name, n.Idata(), w.Idata())
		}
	})
	if compared < 36 {
		t.Errorf("only %d nodes compared", compared)
	}
}

// recordedMemory answers what a recorded client answered, by address, and keeps what is copied out.
type recordedMemory struct {
	kerntest.Memory
	in  map[uint64][]byte
	out map[uint64][]byte
}

func (m *recordedMemory) CopyIn(addr uint64, p []byte) error {
	b, ok := m.in[addr]
	if !ok || len(b) < len(p) {
		return fmt.Errorf("CopyIn of %d bytes at %#x was not recorded", len(p), addr)
	}
	copy(p, b)
	return nil
}

func (m *recordedMemory) CopyOut(addr uint64, p []byte) error {
	m.out[addr] = bytes.Clone(p)
	return nil
}

// sysctlCall is a recorded call of __sysctl(2).
type sysctlCall struct {
	args []uint64
	mem  *recordedMemory
	out  map[uint64][]byte
	err  uint32
}

func sysctlCalls(t testing.TB, name string) (calls []sysctlCall) {
	var c *sysctlCall
	var asked uint64
	for _, f := range frames(t, name) {
		b, _ := hex.DecodeString(f.Body)
		word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
		switch {
		case f.Type == "syscall" && f.From == "client":
			c = nil
			if f.Word == abi.SYS___sysctl {
				calls = append(calls, sysctlCall{mem: &recordedMemory{in: map[uint64][]byte{}, out: map[uint64][]byte{}}, out: map[uint64][]byte{}})
				c = &calls[len(calls)-1]
				for i := range 6 {
					c.args = append(c.args, word(i))
				}
			}
		case c == nil:
		case f.Type == "copyin" && f.From == "server":
			asked = word(1)
		case f.Type == "copyin":
			if len(b) > len(c.mem.in[asked]) {
				c.mem.in[asked] = b
			}
		case f.Type == "copyout":
			c.out[word(1)] = b[16:]
		case f.Type == "syscall":
			c.err = binary.LittleEndian.Uint32(b)
		}
	}
	return calls
}

// Oracle: wire/sysctl-hostname.jsonl and sysctl-w.jsonl: the calls of sysctl(8) with the answers it gave. Replayed are those
// that do not depend on which components there are: random bytes, and the value's reading and writing.
func TestSysctlReplay(t *testing.T) {
	for _, name := range []string{"testdata/sysctl-hostname.jsonl", "testdata/sysctl-w.jsonl"} {
		k := kerntest.NewConfig(t, kern.Config{Hostname: "rump-05431.vm"})
		p := kerntest.Proc(t, k)
		replayed := 0
		for i, c := range sysctlCalls(t, name) {
			mib := c.mem.in[c.args[0]]
			if n := len(mib) / 4; kerntest.Int(mib[4*(n-1):]) == abi.CTL_QUERY {
				continue
			}
			replayed++
			_, errno := p.Syscall(c.mem, abi.SYS___sysctl, c.args)
			if uint32(errno) != c.err {
				t.Errorf("%s: call %d: %v, want error %d", name, i, errno, c.err)
			}
			random := kerntest.Int(mib[4:]) == abi.KERN_ARND
			for addr, want := range c.out {
				got := c.mem.out[addr]
				if len(got) != len(want) || !random && !bytes.Equal(got, want) {
					t.Errorf("%s: call %d copied out %q, want %q", name, i, got, want)
				}
			}
			if len(c.mem.out) != len(c.out) {
				t.Errorf("%s: call %d copied out to %v, want %v", name, i, slices.Collect(maps.Keys(c.mem.out)), slices.Collect(maps.Keys(c.out)))
			}
		}
		if replayed != 2 {
			t.Errorf("%s: %d calls replayed", name, replayed)
		}
		if strings.Contains(name, "-w") && k.Hostname() != "look_at_them_run" {
			t.Errorf("hostname %q", k.Hostname())
		}
	}
}

// mib is a MIB in the client's memory.
func mib(t testing.TB, p *kerntest.P, name string) []byte {
	t.Helper()
	nums, err := p.K.Sysctl().MIB(name)
	if err != nil {
		t.Fatal(err)
	}
	return kerntest.Ints(nums...)
}

// Oracle: sysctl(3): how old, oldlenp and ENOMEM go together.
func TestSysctlLengths(t *testing.T) {
	p := start(t)
	ostype := mib(t, p, "kern.ostype")
	size := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }
	length := size(99)
	p.Must(abi.SYS___sysctl, ostype, 2, nil, length, nil, 0)
	if n := binary.LittleEndian.Uint64(length); n != 7 {
		t.Errorf("length %d", n)
	}
	length = size(3)
	b := []byte("xxxxxxxxxx")
	p.Want(abi.ENOMEM, abi.SYS___sysctl, ostype, 2, b, length, nil, 0)
	if n := binary.LittleEndian.Uint64(length); n != 7 || string(b) != "Netxxxxxxx" {
		t.Errorf("length %d, %q", n, b)
	}
	length = size(10)
	p.Must(abi.SYS___sysctl, ostype, 2, b, length, nil, 0)
	if n := binary.LittleEndian.Uint64(length); n != 7 || string(b) != "NetBSD\x00xxx" {
		t.Errorf("length %d, %q", n, b)
	}
	p.Want(abi.ENOMEM, abi.SYS___sysctl, ostype, 2, b, nil, nil, 0)
	p.Want(0, abi.SYS___sysctl, ostype, 2, nil, nil, nil, 0)
	p.Want(abi.EFAULT, abi.SYS___sysctl, ostype, 2, 1, size(7), nil, 0)
	p.Want(abi.EFAULT, abi.SYS___sysctl, ostype, 2, b, 1, nil, 0)
	p.Want(abi.EFAULT, abi.SYS___sysctl, 1, 2, b, length, nil, 0)
	p.Want(abi.EINVAL, abi.SYS___sysctl, ostype, 0, b, length, nil, 0)
	p.Want(abi.EINVAL, abi.SYS___sysctl, ostype, abi.CTL_MAXNAME+1, b, length, nil, 0)
	// oldlenp is written after an error too.
	length = size(5)
	p.Want(abi.EPERM, abi.SYS___sysctl, ostype, 2, b, length, []byte("x"), 1)
	if n := binary.LittleEndian.Uint64(length); n != 5 {
		t.Errorf("length after an error %d", n)
	}
}

// Oracle: sysctl(3)'s ERRORS, and transcript core-05.
func TestSysctlErrors(t *testing.T) {
	p := start(t)
	for _, c := range []struct {
		want abi.Errno
		mib  []int32
	}{
		{abi.ENOENT, []int32{1, abi.KERN_MAXPROC}},
		{abi.ENOENT, []int32{99}},
		{abi.EINVAL, []int32{1}},
		{abi.ENOTDIR, []int32{1, abi.KERN_OSTYPE, 1}},
		{abi.EOPNOTSUPP, []int32{1, -4}},
		{abi.EOPNOTSUPP, []int32{1, -99}},
		{abi.EINVAL, []int32{1, abi.CTL_QUERY}},
		{abi.ENOENT, []int32{1, abi.CTL_QUERY, 1}},
		{abi.EPERM, []int32{1, abi.CTL_CREATE}},
		{abi.EPERM, []int32{1, abi.CTL_DESTROY}},
		{abi.EINVAL, []int32{abi.CTL_VENDOR, abi.CTL_CREATE}},
		{abi.EINVAL, []int32{1, abi.CTL_MMAP}},
		{abi.ESRCH, []int32{abi.CTL_PROC, 9999, abi.PROC_PID_CORENAME}},
		{abi.EOPNOTSUPP, []int32{1, abi.KERN_PROC2, 0, 0, 0, 0}},
		{abi.EOPNOTSUPP, []int32{1, abi.KERN_PROC, 0}},
		{abi.EOPNOTSUPP, []int32{1, abi.KERN_FILE}},
		{abi.EINVAL, []int32{1, abi.KERN_FILE2}},
		{abi.EINVAL, []int32{1, abi.KERN_PROC_ARGS, 1}},
		{abi.ENOTDIR, []int32{1, abi.KERN_ARND, 1}},
	} {
		if _, errno := p.SysctlMIB(c.mib...); errno != c.want {
			t.Errorf("%v: %v, want %v", c.mib, errno, c.want)
		}
	}
}

// Oracle: transcript core-05, sysctl(3), and the C kernel's permissions.
func TestSysctlWriting(t *testing.T) {
	p := start(t)
	size := make([]byte, 8)
	old := make([]byte, 256)
	write := func(name string, value string) abi.Errno {
		t.Helper()
		return p.SetSysctl(name, []byte(value))
	}
	long := strings.Repeat("x", 256)
	for _, c := range []struct {
		name, value string
		want        abi.Errno
		result      string
	}{
		{"kern.ostype", "Plan9\x00", abi.EPERM, "NetBSD"},
		{"kern.domainname", "example.org\x00", 0, "example.org"},
		{"kern.domainname", "example.net", 0, "example.net"},
		{"kern.domainname", "a\x00bc", 0, "a"},
		{"kern.domainname", long[:255], 0, long[:255]},
		{"kern.domainname", long, abi.EINVAL, long[:255]},
		{"kern.domainname", long + "x", abi.EINVAL, long[:255]},
		{"kern.domainname", "\x00", 0, ""},
		{"kern.timecounter.hardware", "sundial\x00", abi.EINVAL, "host"},
		{"kern.timecounter.hardware", "host\x00", 0, "host"},
		{"proc.curproc.corename", "a.out\x00", abi.EINVAL, "rumpdump"},
		{"proc.curproc.corename", "/tmp/my.core\x00", 0, "/tmp/my.core"},
		{"kern.module.autoload", "\x01", abi.EPERM, "\x00"},
		{"kern.pipe.maxbigpipes", "\x05\x00\x00\x00", 0, "\x05"},
		{"kern.pipe.maxbigpipes", "\x05\x00\x00", abi.EINVAL, "\x05"},
		{"kern.pipe.maxbigpipes", "\xff\xff\xff\xff", abi.EINVAL, "\x05"},
		{"proc.curproc.stopfork", "\x01\x00\x00\x00", abi.EOPNOTSUPP, "\x00"},
		{"proc.curproc.stopfork", "\x00\x00\x00\x00", 0, "\x00"},
		{"kern.arandom", "x", abi.EPERM, ""},
		{"hw.disknames", "x", abi.EPERM, ""},
	} {
		if errno := write(c.name, c.value); errno != c.want {
			t.Errorf("%s=%q: %v, want %v", c.name, c.value, errno, c.want)
		}
		if b, errno := p.Sysctl(c.name); errno != 0 || abi.CString(b) != abi.CString([]byte(c.result)) {
			t.Errorf("%s is %q after %q (%v)", c.name, b, c.value, errno)
		}
	}
	// Reading and writing in one call give the old value.
	binary.LittleEndian.PutUint64(size, 256)
	p.Must(abi.SYS___sysctl, mib(t, p, "kern.domainname"), 2, old, size, []byte("new"), 3)
	if s := abi.CString(old); s != "" || p.K.Domainname() != "new" {
		t.Errorf("old %q, new %q", s, p.K.Domainname())
	}
	p.Must(abi.SYS_setuid, 5)
	if errno := write("kern.hostname", "x"); errno != abi.EPERM {
		t.Errorf("a user sets the host's name: %v", errno)
	}
	if errno := write("proc.curproc.corename", "x.core"); errno != 0 {
		t.Errorf("a user sets its core's name: %v", errno)
	}
}

// Oracle: sysctl(7), proc.<pid>.rlimit: real limits, of any process by number, with setrlimit's rules.
func TestSysctlLimits(t *testing.T) {
	k := kerntest.New(t)
	p, other := kerntest.Proc(t, k), kerntest.Proc(t, k)
	quad := func(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
	if errno := p.SetSysctl("proc.curproc.rlimit.descriptors.soft", quad(20)); errno != 0 {
		t.Error(errno)
	}
	if l := p.Rlimit(abi.RLIMIT_NOFILE); l.Cur != 20 {
		t.Errorf("limit %v", l)
	}
	soft := []int32{abi.CTL_PROC, int32(other.PID), abi.PROC_PID_LIMIT, abi.PROC_PID_LIMIT_STACK, abi.PROC_PID_LIMIT_TYPE_SOFT}
	hard := slices.Clone(soft)
	hard[4] = abi.PROC_PID_LIMIT_TYPE_HARD
	set := func(mib []int32, v uint64) abi.Errno {
		_, errno := p.Call(abi.SYS___sysctl, kerntest.Ints(mib...), len(mib), nil, nil, quad(v), 8)
		return errno
	}
	if errno := set(soft, 1<<20); errno != 0 {
		t.Error(errno)
	}
	if b, errno := p.SysctlMIB(soft...); errno != 0 || binary.LittleEndian.Uint64(b) != 1<<20 {
		t.Errorf("%v %v", b, errno)
	}
	if l := other.Rlimit(abi.RLIMIT_STACK); l.Cur != 1<<20 {
		t.Errorf("other's limit %v", l)
	}
	if errno := set(soft, 1<<40); errno != abi.EINVAL {
		t.Errorf("soft above hard: %v", errno)
	}
	p.Must(abi.SYS_setuid, 5)
	if errno := set(hard, 1<<21); errno != abi.EPERM {
		t.Errorf("another user's process: %v", errno)
	}
	if _, errno := p.SysctlMIB(soft...); errno != 0 {
		t.Errorf("reading another's limit: %v", errno)
	}
	own := slices.Clone(hard)
	own[1] = abi.PROC_CURPROC
	if errno := set(own, 1<<30); errno != abi.EPERM {
		t.Errorf("raising the hard limit: %v", errno)
	}
}

// Oracle: sysctl(3): kern.arandom of any length up to 256; kern.urandom is an int.
func TestSysctlRandom(t *testing.T) {
	p := start(t)
	arandom := mib(t, p, "kern.arandom")
	read := func(n int) ([]byte, abi.Errno) {
		b := make([]byte, n)
		size := binary.LittleEndian.AppendUint64(nil, uint64(n))
		_, errno := p.Call(abi.SYS___sysctl, arandom, 2, b, size, nil, 0)
		return b, errno
	}
	a, _ := read(64)
	b, errno := read(64)
	if errno != 0 || bytes.Equal(a, b) || bytes.Equal(a, make([]byte, 64)) {
		t.Errorf("%x, %x, %v", a, b, errno)
	}
	if _, errno := read(256); errno != 0 {
		t.Error(errno)
	}
	if _, errno := read(257); errno != abi.E2BIG {
		t.Error(errno)
	}
	if b, errno := p.Sysctl("kern.urandom"); len(b) != 4 || errno != 0 {
		t.Errorf("%x %v", b, errno)
	}
}

// Oracle: dmesg(8) of NetBSD: the message buffer comes whole, zeroes where nothing has been written.
func TestSysctlMsgbuf(t *testing.T) {
	p := start(t)
	p.K.Logf("the last words\n")
	b, errno := p.Sysctl("kern.msgbuf")
	if errno != 0 || len(b) != 16352 || !bytes.HasSuffix(b, []byte("the last words\n")) || !bytes.Contains(b, []byte("NetBSD 7.99.34")) {
		t.Errorf("%d bytes, %v: %q", len(b), errno, bytes.TrimLeft(b, "\x00"))
	}
	p.K.Logf("%s", strings.Repeat("0123456789abcdef\n", 2000))
	b, _ = p.Sysctl("kern.msgbuf")
	if len(b) != 16352 || !bytes.HasSuffix(b, []byte("f\n0123456789abcdef\n")) || bytes.IndexByte(b, 0) >= 0 {
		t.Errorf("full: %q...", b[:40])
	}
}

// The tables of processes and files.
func TestSysctlTables(t *testing.T) {
	k := kerntest.New(t)
	p := kerntest.Proc(t, k)
	r, w := p.Pipe()
	p.Must(abi.SYS_fcntl, w, abi.F_SETFD, abi.FD_CLOEXEC)
	count := func(b []byte) (files []abi.KinfoFile) {
		for ; len(b) > 0; b = b[abi.SizeofKinfoFile:] {
			var f abi.KinfoFile
			f.Decode(b)
			files = append(files, f)
		}
		return files
	}
	b, errno := p.SysctlMIB(abi.CTL_KERN, abi.KERN_FILE2, abi.KERN_FILE_BYPID, int32(p.PID), abi.SizeofKinfoFile, 100)
	files := count(b)
	if errno != 0 || len(files) != 5 {
		t.Fatalf("%d descriptors, %v", len(files), errno)
	}
	if f := files[4]; f.Fd != int32(w) || f.Ftype != abi.DTYPE_PIPE || f.Flag != abi.FWRITE || f.Ofileflags != abi.FD_CLOEXEC || f.Pid != uint32(p.PID) {
		t.Errorf("%+v", f)
	}
	if f := files[3]; f.Fd != int32(r) || f.Count != 1 {
		t.Errorf("%+v", f)
	}
	for _, all := range []int32{0, -1} {
		if b, errno := p.SysctlMIB(abi.CTL_KERN, abi.KERN_FILE2, abi.KERN_FILE_BYPID, all, abi.SizeofKinfoFile, 100); errno != 0 || len(count(b)) < len(files) {
			t.Errorf("of all processes, %d: %d descriptors, %v", all, len(count(b)), errno)
		}
	}
	if _, errno := p.SysctlMIB(abi.CTL_KERN, abi.KERN_FILE2, abi.KERN_FILE_BYFILE, 1, abi.SizeofKinfoFile, 100); errno != abi.EINVAL {
		t.Errorf("by file with a pid: %v", errno)
	}
	b, _ = p.SysctlMIB(abi.CTL_KERN, abi.KERN_FILE2, abi.KERN_FILE_BYFILE, 0, abi.SizeofKinfoFile, 100)
	if files := count(b); len(files) != 3 || files[0].Count != 3 {
		t.Errorf("%d files: %+v", len(files), files)
	}
	args := func(what int32) (string, abi.Errno) {
		b, errno := p.SysctlMIB(abi.CTL_KERN, abi.KERN_PROC_ARGS, int32(p.PID), what)
		return string(b), errno
	}
	if s, errno := args(abi.KERN_PROC_ARGV); s != t.Name()+"\x00" || errno != 0 {
		t.Errorf("arguments %q, %v", s, errno)
	}
	if s, errno := args(abi.KERN_PROC_NARGV); s != "\x01\x00\x00\x00" || errno != 0 {
		t.Errorf("number of arguments %q, %v", s, errno)
	}
	if _, errno := args(abi.KERN_PROC_ENV); errno != abi.EOPNOTSUPP {
		t.Errorf("environment: %v", errno)
	}
	before, _ := p.Sysctl("kern.uidinfo.proccnt")
	p.Fork()
	after, _ := p.Sysctl("kern.uidinfo.proccnt")
	if after[0] != before[0]+1 {
		t.Errorf("processes: %d, then %d", before[0], after[0])
	}
	if n, _ := p.Sysctl("kern.uidinfo.lwpcnt"); n[0] != 1 {
		t.Errorf("threads %d", n[0])
	}
	k.UIDInfo(0).Locks.Add(3)
	if n, _ := p.Sysctl("kern.uidinfo.lockcnt"); n[0] != 3 {
		t.Errorf("locks %d", n[0])
	}
}

// Components add nodes and take them out again.
func TestSysctlCreate(t *testing.T) {
	p := start(t)
	s := p.K.Sysctl()
	var hits atomic.Int32
	var on atomic.Bool
	hits.Store(7)
	err := s.Create(
		kern.SysctlNode{Path: "net.test", Num: abi.CTL_CREATE, Desc: "a test"},
		kern.SysctlNode{Path: "net.test", Num: abi.CTL_CREATE}, // there already
		kern.SysctlNode{Path: "net.test.hits", Num: 5, Desc: "how often", Value: kern.SysctlIntVar(&hits, 0, 10)},
		kern.SysctlNode{Path: "net.test.on", Num: 3, Value: kern.SysctlBoolVar(&on)},
		kern.SysctlNode{Path: "net.test.secret", Num: abi.CTL_CREATE, Flags: abi.CTLFLAG_PRIVATE, Desc: "hidden", Value: kern.SysctlText("xyzzy")},
		kern.SysctlNode{Path: "net.test.table", Num: abi.CTL_CREATE, Value: kern.SysctlStruct(0, nil),
			Handler: func(r *kern.SysctlRequest) error { return r.Reply(kerntest.Ints(r.Name...)) }},
	)
	if err != nil {
		t.Fatal(err)
	}
	nums, _ := s.MIB("net.test")
	var names []string
	for _, n := range query(t, p, nums...) {
		names = append(names, abi.CString(n.Name[:]))
	}
	if want := []string{"on", "hits", "secret", "table"}; !slices.Equal(names, want) {
		t.Errorf("children %v, want %v", names, want)
	}
	if errno := p.SetSysctl("net.test.hits", kerntest.Ints(9)); errno != 0 || hits.Load() != 9 {
		t.Errorf("%v, %d", errno, hits.Load())
	}
	if errno := p.SetSysctl("net.test.hits", kerntest.Ints(11)); errno != abi.EINVAL || hits.Load() != 9 {
		t.Errorf("%v, %d", errno, hits.Load())
	}
	if errno := p.SetSysctl("net.test.on", []byte{1}); errno != 0 || !on.Load() {
		t.Errorf("%v, %v", errno, on.Load())
	}
	if errno := p.SetSysctl("net.test.on", []byte{2}); errno != abi.EINVAL {
		t.Errorf("%v", errno)
	}
	table, _ := s.MIB("net.test.table")
	if b, errno := p.SysctlMIB(append(table, 4, 5)...); errno != 0 || !bytes.Equal(b, kerntest.Ints(4, 5)) {
		t.Errorf("table gives %v, %v", b, errno)
	}
	p.Must(abi.SYS_setuid, 5)
	if _, errno := p.Sysctl("net.test.secret"); errno != abi.EPERM {
		t.Errorf("a user reads a private node: %v", errno)
	}
	if descs := describe(t, p, nums, nil); !maps.Equal(descs, map[string]string{"5": "how often", "3": "", strconv.Itoa(int(table[2])): ""}) {
		t.Errorf("descriptions %v", descs)
	}
	if err := s.Destroy("net.test"); err != nil {
		t.Error(err)
	}
	if _, err := s.MIB("net.test.hits"); err != abi.ENOENT {
		t.Errorf("destroyed and found: %v", err)
	}
	if err := s.Destroy("net.test"); err != abi.ENOENT {
		t.Errorf("destroyed again: %v", err)
	}
}

// What cannot be a node is refused, with the node's name in the error.
func TestSysctlCreateErrors(t *testing.T) {
	s := start(t).K.Sysctl()
	if err := s.Create(kern.SysctlNode{Path: "net.test", Num: abi.CTL_CREATE},
		kern.SysctlNode{Path: "net.test.hits", Num: 5, Value: kern.SysctlConst(1)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		node kern.SysctlNode
		want abi.Errno
	}{
		{kern.SysctlNode{Path: "nowhere.x"}, abi.ENOENT},
		{kern.SysctlNode{Path: "kern.ostype.x"}, abi.ENOTDIR},
		{kern.SysctlNode{Path: "net.test.hits", Num: 77, Value: kern.SysctlConst(1)}, abi.EEXIST},
		{kern.SysctlNode{Path: "net.test.more", Num: 5, Value: kern.SysctlConst(1)}, abi.EEXIST},
		{kern.SysctlNode{Path: "net.test.9", Num: 9}, abi.EINVAL},
		{kern.SysctlNode{Path: "net.test.a b", Num: 9}, abi.EINVAL},
		{kern.SysctlNode{Path: "net.test.", Num: 9}, abi.EINVAL},
		{kern.SysctlNode{Path: "net.test." + strings.Repeat("x", 32), Num: 9}, abi.EINVAL},
		{kern.SysctlNode{Path: "net.test.x", Num: -1}, abi.EINVAL},
		{kern.SysctlNode{Path: "proc.x", Num: 9}, abi.EINVAL},
	} {
		if err := s.Create(c.node); abi.ToErrno(err) != c.want {
			t.Errorf("%s: %v, want %v", c.node.Path, err, c.want)
		} else if !strings.Contains(err.Error(), c.node.Path) {
			t.Errorf("%s: %v", c.node.Path, err)
		}
	}
}

// describe asks for descriptions by CTL_DESCRIBE: number and text.
func describe(t testing.TB, p *kerntest.P, mib []int32, node *abi.Sysctlnode) map[string]string {
	t.Helper()
	raw := kerntest.Ints(append(slices.Clone(mib), abi.CTL_DESCRIBE)...)
	var q []byte
	if node != nil {
		q = kerntest.Struct(node)
	}
	b := make([]byte, 4096)
	size := binary.LittleEndian.AppendUint64(nil, uint64(len(b)))
	if _, errno := p.Call(abi.SYS___sysctl, raw, len(mib)+1, b, size, q, len(q)); errno != 0 {
		return map[string]string{"error": errno.Name()}
	}
	descs := map[string]string{}
	for b = b[:binary.LittleEndian.Uint64(size)]; len(b) > 0; {
		n := int(binary.LittleEndian.Uint32(b[8:]))
		descs[strconv.Itoa(int(kerntest.Int(b)))] = string(b[12 : 12+n-1])
		b = b[12+(n+3)&^3:]
	}
	return descs
}
