package kern_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// components are some with their needs, in the order in which rump_wmd prints them.
func components() []*kern.Component {
	return []*kern.Component{
		{Name: "rumpdev_cgd", Needs: []string{"rumpkern_crypto", "rumpvfs", "rumpdev_disk", "rumpdev"}},
		{Name: "rumpfs_ffs", Needs: []string{"rumpdev", "rumpdev_disk", "rumpvfs"}},
		{Name: "rumpfs_tmpfs", Needs: []string{"rumpvfs"}},
		{Name: "rumpnet_npf", Needs: []string{"rumpnet_net", "rumpnet", "rumpdev_bpf"}},
		{Name: "rumpdev_disk", Needs: []string{"rumpdev"}},
		{Name: "rumpdev", Needs: nil},
		{Name: "rumpvfs"}, {Name: "rumpkern_crypto"}, {Name: "rumpnet"},
		{Name: "rumpnet_net", Needs: []string{"rumpnet"}}, {Name: "rumpdev_bpf", Needs: []string{"rumpdev"}},
	}
}

func names(list []*kern.Component) string {
	var s []string
	for _, c := range list {
		s = append(s, c.Name)
	}
	return strings.Join(s, " ")
}

// Oracle: the sets that rump_wmd of the C build prints.
func TestClosure(t *testing.T) {
	for wanted, want := range map[string]string{
		"rumpfs_ffs":   "rumpdev rumpdev_disk rumpvfs rumpfs_ffs",
		"rumpfs_tmpfs": "rumpvfs rumpfs_tmpfs",
		"rumpdev_cgd":  "rumpkern_crypto rumpvfs rumpdev_disk rumpdev rumpdev_cgd",
		"rumpvfs":      "rumpvfs",
	} {
		set, err := kern.Closure(components(), wanted)
		if err != nil || names(set) != want {
			t.Errorf("%s: %s, %v; want %s", wanted, names(set), err, want)
		}
	}
	if _, err := kern.Closure(components(), "rumpnosuch"); err == nil {
		t.Error("an unknown component was found")
	}
}

func TestOrder(t *testing.T) {
	order, err := kern.Order(components())
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, c := range order {
		at[c.Name] = i
	}
	for _, c := range components() {
		for _, n := range c.Needs {
			if at[n] > at[c.Name] {
				t.Errorf("%s comes after %s", n, c.Name)
			}
		}
	}
	if len(order) != len(components()) {
		t.Errorf("%d of %d components", len(order), len(components()))
	}
	var missing *kern.MissingError
	if _, err := kern.Order(components()[:5]); !errors.As(err, &missing) || missing.Component != "rumpdev_cgd" ||
		!slices.Equal(missing.Missing, []string{"rumpkern_crypto", "rumpvfs", "rumpdev"}) {
		t.Errorf("missing: %v", err)
	}
	if _, err := kern.Order([]*kern.Component{{Name: "a"}, {Name: "a"}}); err == nil {
		t.Error("given twice")
	}
	if _, err := kern.Order([]*kern.Component{{Name: "a", Needs: []string{"b"}}, {Name: "b", Needs: []string{"a"}}}); err == nil {
		t.Error("a circle was sorted")
	}
}

// Components start in order, and are stopped in reverse, also when one fails to start.
func TestBootAndHalt(t *testing.T) {
	var log []string
	part := func(name string, err error, needs ...string) *kern.Component {
		return &kern.Component{Name: name, Needs: needs, Attach: func(k *kern.Kernel) error {
			if err == nil {
				log = append(log, "+"+name)
				k.AtHalt(func() { log = append(log, "-"+name) })
			}
			return err
		}}
	}
	k := kerntest.New(t, part("b", nil, "a"), part("a", nil))
	k.Halt()
	k.Halt()
	<-k.Done()
	if got := strings.Join(log, " "); got != "+a +b -b -a" {
		t.Errorf("started and stopped %s", got)
	}
	if _, err := k.NewProc("late"); err != abi.ENXIO {
		t.Errorf("a process on a halted kernel: %v", err)
	}
	log = nil
	k, err := kern.New(kern.Config{Components: []*kern.Component{part("a", nil), part("bad", abi.EIO), part("c", nil)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); !errors.Is(err, abi.EIO) || !strings.Contains(err.Error(), "bad") {
		t.Errorf("boot: %v", err)
	}
	if got := strings.Join(log, " "); got != "+a -a" {
		t.Errorf("started and stopped %s", got)
	}
}

// A call that is brought twice, or that no kernel has, is found when the kernel is made.
func TestSyscallRows(t *testing.T) {
	row := func(num int) *kern.Component {
		return &kern.Component{Name: "c", Syscalls: []kern.Syscall{{Num: num, Handler: func(*kern.Thread, *kern.Args) (int64, error) { return 0, nil }}}}
	}
	for _, num := range []int{abi.SYS_read, -1, 100000} {
		if _, err := kern.New(kern.Config{Components: []*kern.Component{row(num)}}); err == nil {
			t.Errorf("system call %d was taken", num)
		}
	}
	k, err := kern.New(kern.Config{Components: []*kern.Component{row(abi.SYS_open)}})
	if err != nil || !slices.Contains(k.Syscalls(), abi.SYS_open) {
		t.Errorf("open: %v", err)
	}
}

// Oracle: the ABI's list of the calls that a rump kernel serves: each is served, or known to come with a faction, and none is both.
func TestEverySyscallIsAccountedFor(t *testing.T) {
	k, err := kern.New(kern.Config{})
	if err != nil {
		t.Fatal(err)
	}
	by := map[int][]string{}
	for _, n := range k.Syscalls() {
		by[n] = append(by[n], "kern")
	}
	for _, p := range kern.Pending() {
		by[p.Num] = append(by[p.Num], p.Component)
	}
	for s := range abi.Syscalls() {
		if s.Rump && len(by[s.Num]) != 1 {
			t.Errorf("%s is brought by %v", s.Name, by[s.Num])
		}
		if !s.Rump && len(by[s.Num]) > 0 {
			t.Errorf("%s is not a rump kernel's call", s.Name)
		}
	}
}

// Oracle: reboot(2): root halts, whatever the options; the caller gets its answer when all is done.
func TestReboot(t *testing.T) {
	stopped := false
	k := kerntest.New(t, &kern.Component{Name: "c", Attach: func(k *kern.Kernel) error {
		k.AtHalt(func() { stopped = true })
		return nil
	}})
	p, other := kerntest.Proc(t, k), kerntest.Proc(t, k)
	user := kerntest.Proc(t, k)
	user.Must(abi.SYS_setuid, 5)
	user.Want(abi.EPERM, abi.SYS_reboot, 0, nil)
	p.Want(abi.EFAULT, abi.SYS_reboot, abi.RB_STRING, 1)
	r, _ := other.Pipe()
	waiting := blocked(other, abi.SYS_read, uint64(r), other.Mem.Map(make([]byte, 1)), 1)
	m := &respondMemory{Memory: &p.Mem}
	if _, errno := p.Syscall(m, abi.SYS_reboot, []uint64{abi.RB_POWERDOWN | abi.RB_NOSYNC, 0}); errno != 0 {
		t.Error(errno)
	}
	if !stopped || !m.responded || k.Howto() != abi.RB_POWERDOWN|abi.RB_NOSYNC {
		t.Errorf("stopped %v, responded %v, howto %#x", stopped, m.responded, k.Howto())
	}
	if got := <-waiting; got.errno != abi.EINTR {
		t.Errorf("a blocked call got %v", got)
	}
	select {
	case <-k.Done():
	default:
		t.Error("not done")
	}
	if _, errno := other.Call(abi.SYS_getpid); errno != abi.ENXIO {
		t.Errorf("a call to a halted kernel: %v", errno)
	}
}

// respondMemory is the memory of a client that wants to be told.
type respondMemory struct {
	kern.Memory
	responded bool
}

func (m *respondMemory) Respond() { m.responded = true }

// Files are closed before the hooks of AtHalt run.
func TestHaltClosesFiles(t *testing.T) {
	m := &memFile{}
	closed := 0
	k := kerntest.New(t, &kern.Component{Name: "c", Attach: func(k *kern.Kernel) error {
		k.AtHalt(func() { closed = m.closed })
		return nil
	}})
	open(t, kerntest.Proc(t, k), m, readWrite)
	k.Halt()
	if closed != 1 {
		t.Errorf("closed %d times when the hook ran", closed)
	}
}

// A handler that panics fails its call alone, and leaves its stack in the message buffer.
func TestPanicFailsTheCall(t *testing.T) {
	k := kerntest.New(t, &kern.Component{Name: "c", Syscalls: []kern.Syscall{{Num: abi.SYS_open, Handler: func(*kern.Thread, *kern.Args) (int64, error) {
		panic("out of cheese")
	}}}})
	p := kerntest.Proc(t, k)
	p.Want(abi.EIO, abi.SYS_open, "/", 0)
	if b := string(k.Msgbuf.Bytes()); !strings.Contains(b, "open: panic: out of cheese") || !strings.Contains(b, "component_test.go") {
		t.Errorf("message buffer: %s", b)
	}
	p.Must(abi.SYS_getpid)
}

// Device numbers are NetBSD's: 12 bits of major, 20 of minor. Oracle: makedev(3), and wire/disk-disklabel.jsonl's st_rdev.
func TestDeviceNumbers(t *testing.T) {
	for _, c := range []struct {
		major, minor int
		dev          uint64
	}{{0, 0, 0}, {2, 2, 0x202}, {2, 12, 0x20c}, {41, 3, 0x2903}, {62, 3, 0x3e03}, {0xfff, 0xfffff, 0xffffffff}, {1, 0x12345, 0x12300145}} {
		if dev := kern.Makedev(c.major, c.minor); dev != c.dev || kern.Major(dev) != c.major || kern.Minor(dev) != c.minor {
			t.Errorf("%d, %d: %#x, %d, %d", c.major, c.minor, dev, kern.Major(dev), kern.Minor(dev))
		}
	}
}

// driver is a device without devices.
type driver struct{}

func (driver) Open(*kern.Thread, uint64, uint32) (kern.Ops, error) { return bare{}, nil }

func TestDeviceSwitch(t *testing.T) {
	k := kerntest.New(t)
	if err := k.AttachDevice("a", 5, -1, driver{}); err != nil {
		t.Fatal(err)
	}
	if err := k.AttachDevice("b", 5, 7, driver{}); err != abi.EEXIST {
		t.Errorf("a taken major: %v", err)
	}
	if err := k.AttachDevice("c", -1, 5, driver{}); err != nil {
		t.Error(err)
	}
	if _, err := k.Device(kern.Makedev(5, 1), false); err != nil {
		t.Error(err)
	}
	if _, err := k.Device(kern.Makedev(7, 1), true); err != abi.ENXIO {
		t.Errorf("no driver: %v", err)
	}
	var made []string
	k.AddDevNodes(kern.DevNode{Name: "early"})
	k.SetDevNodeMaker(func(n kern.DevNode) error { made = append(made, n.Name); return nil })
	k.AddDevNodes(kern.DevNode{Name: "late"})
	if !slices.Equal(made, []string{"early", "late"}) {
		t.Errorf("made %v", made)
	}
}

func TestMemoryLimit(t *testing.T) {
	k := kerntest.NewConfig(t, kern.Config{MemLimit: 100})
	if err := k.Mem.Alloc(60); err != nil {
		t.Error(err)
	}
	if err := k.Mem.Alloc(41); err != abi.ENOMEM || k.Mem.Used() != 60 {
		t.Errorf("%v, %d used", err, k.Mem.Used())
	}
	k.Mem.Free(60)
	if err := k.Mem.Alloc(100); err != nil || k.Mem.Limit() != 100 {
		t.Error(err)
	}
	p := kerntest.Proc(t, k)
	if b, _ := p.Sysctl("hw.physmem"); kerntest.Int(b) != 100 {
		t.Errorf("hw.physmem %d", kerntest.Int(b))
	}
}
