package kern

import (
	"crypto/rand"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// sysctlVars are the variables of the kernel that are nodes and nothing else.
type sysctlVars struct {
	hostname, domainname textVar
	timestepWarnings     atomic.Int32
}

// Hostname is kern.hostname.
func (k *Kernel) Hostname() string { return k.vars.hostname.get() }

// SetHostname sets kern.hostname. Errors: EINVAL for one of MAXHOSTNAMELEN bytes or more.
func (k *Kernel) SetHostname(name string) error {
	if len(name) >= abi.MAXHOSTNAMELEN {
		return abi.EINVAL
	}
	k.vars.hostname.set(name)
	return nil
}

// Domainname is kern.domainname.
func (k *Kernel) Domainname() string { return k.vars.domainname.get() }

// initSysctl makes the tree of a kernel without components.
func (k *Kernel) initSysctl() error {
	k.sysctl.init()
	if k.cfg.Hostname == "" {
		k.cfg.Hostname = fmt.Sprintf("rump-%05d", randomInt()%100000)
	}
	k.vars.hostname.set(k.cfg.Hostname)
	for _, nodes := range [][]SysctlNode{
		topNodes(), k.kernNodes(), timecounterNodes(k), poolNodes(), k.pipes.nodes(), k.uidNodes(), moduleNodes(),
		procTableNodes(), posixNodes(), k.hwNodes(), procNodes(), userNodes(), securityNodes(),
	} {
		if err := k.sysctl.Create(nodes...); err != nil {
			return err
		}
	}
	return nil
}

// randomInt is a random number that is not negative.
func randomInt() int {
	var b [8]byte
	rand.Read(b[:])
	return int(le.Uint64(b[:]) & math.MaxInt32)
}

const permanent = abi.CTLFLAG_PERMANENT

func topNodes() []SysctlNode {
	return []SysctlNode{
		{Path: "kern", Num: abi.CTL_KERN, Flags: permanent},
		{Path: "vm", Num: abi.CTL_VM, Flags: permanent},
		{Path: "vfs", Num: abi.CTL_VFS, Flags: permanent},
		{Path: "net", Num: abi.CTL_NET, Flags: permanent},
		{Path: "debug", Num: abi.CTL_DEBUG, Flags: permanent},
		{Path: "hw", Num: abi.CTL_HW, Flags: permanent},
		{Path: "machdep", Num: abi.CTL_MACHDEP, Flags: permanent},
		{Path: "user", Num: abi.CTL_USER, Flags: permanent},
		{Path: "ddb", Num: abi.CTL_DDB, Flags: permanent},
		{Path: "proc", Num: abi.CTL_PROC, Flags: permanent},
		{Path: "vendor", Num: abi.CTL_VENDOR, Flags: permanent | abi.CTLFLAG_READWRITE},
		{Path: "emul", Num: abi.CTL_EMUL, Flags: permanent},
		{Path: "security", Num: abi.CTL_SECURITY, Flags: permanent},
	}
}

// osVersion is the kernel's version as the original has it.
const osVersion = "NetBSD " + OSRelease + " (RUMP-ROAST)\n"

// osRevision is OSRelease as a number, __NetBSD_Version__.
const osRevision = 799003400

// rawPartition is the partition that is the whole disk: 'd'.
const rawPartition = 3

func (k *Kernel) kernNodes() []SysctlNode {
	return []SysctlNode{
		{Path: "kern.ostype", Num: abi.KERN_OSTYPE, Flags: permanent, Value: SysctlText("NetBSD")},
		{Path: "kern.osrelease", Num: abi.KERN_OSRELEASE, Flags: permanent, Value: SysctlText(OSRelease)},
		{Path: "kern.osrevision", Num: abi.KERN_OSREV, Flags: permanent, Value: SysctlConst(osRevision)},
		{Path: "kern.version", Num: abi.KERN_VERSION, Flags: permanent, Value: SysctlText(osVersion)},
		{Path: "kern.hostname", Num: abi.KERN_HOSTNAME, Flags: permanent, Value: k.vars.hostname.value(abi.MAXHOSTNAMELEN)},
		{Path: "kern.clockrate", Num: abi.KERN_CLOCKRATE, Value: SysctlStruct(abi.SizeofClockinfo, loadClockrate)},
		{Path: "kern.domainname", Num: abi.KERN_DOMAINNAME, Flags: permanent, Value: k.vars.domainname.value(abi.MAXHOSTNAMELEN)},
		{Path: "kern.rawpartition", Num: abi.KERN_RAWPARTITION, Flags: permanent, Value: SysctlConst(rawPartition)},
		{Path: "kern.msgbufsize", Num: abi.KERN_MSGBUFSIZE, Flags: permanent,
			Value: SysctlInt(func(*SysctlRequest) (int32, error) { return msgbufSize, nil }, nil)},
		{Path: "kern.msgbuf", Num: abi.KERN_MSGBUF, Flags: permanent, Value: &SysctlValue{Type: abi.CTLTYPE_INT, Size: 4, Load: loadMsgbuf}},
		{Path: "kern.urandom", Num: abi.KERN_URND, Value: &SysctlValue{Type: abi.CTLTYPE_INT, Size: 4, Load: loadUrandom}},
		{Path: "kern.hardclock_ticks", Num: abi.KERN_HARDCLOCK_TICKS, Value: SysctlInt(loadTicks, nil)},
		{Path: "kern.arandom", Num: abi.KERN_ARND, Value: &SysctlValue{Type: abi.CTLTYPE_INT, Size: 4}, Handler: arandom},
		{Path: "kern.evcnt", Num: abi.KERN_EVCNT, Flags: permanent, Value: SysctlStruct(0, nil), Handler: emptyTable},
	}
}

// hz is the rate of the clock of which the original counts the ticks.
const hz = 100

func loadClockrate(*SysctlRequest) ([]byte, error) {
	c := abi.Clockinfo{Hz: hz, Tick: 1000000 / hz, Tickadj: 40, Stathz: 1, Profhz: 1}
	return c.Append(nil), nil
}

func loadTicks(r *SysctlRequest) (int32, error) {
	return int32(r.T.K.Uptime() / (time.Second / hz)), nil
}

// loadMsgbuf gives the whole ring, oldest first: what has not been written yet is zero, which dmesg(8) skips.
func loadMsgbuf(r *SysctlRequest) ([]byte, error) {
	text := r.T.K.Msgbuf.Bytes()
	return append(make([]byte, msgbufSize-len(text), msgbufSize), text...), nil
}

func loadUrandom(*SysctlRequest) ([]byte, error) {
	b := make([]byte, 4)
	rand.Read(b)
	return b, nil
}

// maxArandom is the most that kern.arandom gives at once.
const maxArandom = 256

// arandom fills the room there is with random bytes. Errors: E2BIG, EPERM.
func arandom(r *SysctlRequest) error {
	switch {
	case len(r.Name) > 0:
		return abi.ENOTDIR
	case r.HasNew():
		return abi.EPERM
	case r.oldRoom > maxArandom:
		return abi.E2BIG
	}
	b := make([]byte, r.oldRoom)
	rand.Read(b)
	return r.Reply(b)
}

// emptyTable is a table of what this kernel has none of.
func emptyTable(r *SysctlRequest) error {
	if r.HasNew() {
		return abi.EPERM
	}
	return r.Reply(nil)
}

// timecounter is what kern.timecounter calls the clock, which is the host's.
const timecounter = "host"

func timecounterNodes(k *Kernel) []SysctlNode {
	hardware := SysctlString(16, func(*SysctlRequest) (string, error) { return timecounter, nil },
		func(_ *SysctlRequest, s string) error {
			if s != timecounter {
				return abi.EINVAL
			}
			return nil
		})
	return []SysctlNode{
		{Path: "kern.timecounter", Num: abi.CTL_CREATE, Flags: permanent},
		{Path: "kern.timecounter.choice", Num: abi.CTL_CREATE, Flags: permanent, Value: SysctlText(timecounter + "(q=1000, f=1000000000 Hz)")},
		{Path: "kern.timecounter.hardware", Num: abi.CTL_CREATE, Flags: permanent, Value: hardware},
		{Path: "kern.timecounter.timestepwarnings", Num: abi.CTL_CREATE, Flags: permanent,
			Value: SysctlIntVar(&k.vars.timestepWarnings, math.MinInt32, math.MaxInt32)},
	}
}

// poolNodes are what a kernel on a garbage-collected heap has none of, and the switch of an optimization that it has no need of.
func poolNodes() []SysctlNode {
	return []SysctlNode{
		{Path: "kern.pool", Num: abi.CTL_CREATE, Flags: permanent, Value: SysctlStruct(0, nil), Handler: emptyTable},
		{Path: "kern.direct_select", Num: abi.CTL_CREATE, Flags: permanent, Value: SysctlConst(0)},
	}
}

// moduleNodes describe the loading of modules from files, which this kernel does not do: they cannot be written.
func moduleNodes() []SysctlNode {
	off := &SysctlValue{Type: abi.CTLTYPE_BOOL, Size: 1, Load: func(*SysctlRequest) ([]byte, error) { return []byte{0}, nil }}
	return []SysctlNode{
		{Path: "kern.module", Num: abi.CTL_CREATE},
		{Path: "kern.module.autoload", Num: abi.CTL_CREATE, Value: off},
		{Path: "kern.module.verbose", Num: abi.CTL_CREATE, Value: off},
		{Path: "kern.module.path", Num: abi.CTL_CREATE, Value: SysctlText("/stand/amd64/" + OSRelease + "/modules")},
		{Path: "kern.module.autotime", Num: abi.CTL_CREATE, Value: SysctlConst(10)},
	}
}

// posixNodes describe the semaphores, which are not among the calls that a rump kernel serves.
func posixNodes() []SysctlNode {
	return []SysctlNode{
		{Path: "kern.posix", Num: abi.CTL_CREATE},
		{Path: "kern.posix.semmax", Num: abi.CTL_CREATE, Value: SysctlConst(128)},
		{Path: "kern.posix.semcnt", Num: abi.CTL_CREATE, Value: SysctlConst(0)},
	}
}

func (k *Kernel) hwNodes() []SysctlNode {
	mem := int64(physMem)
	if limit := k.Mem.Limit(); limit > 0 {
		mem = limit
	}
	ncpu := func() *SysctlValue {
		return SysctlInt(func(r *SysctlRequest) (int32, error) { return int32(r.T.K.NCPU()), nil }, nil)
	}
	return []SysctlNode{
		{Path: "hw.machine", Num: abi.HW_MACHINE, Flags: permanent, Value: SysctlText("amd64")},
		{Path: "hw.model", Num: abi.HW_MODEL, Flags: permanent, Value: SysctlText("rumpcore (virtual)")},
		{Path: "hw.ncpu", Num: abi.HW_NCPU, Flags: permanent, Value: ncpu()},
		{Path: "hw.byteorder", Num: abi.HW_BYTEORDER, Flags: permanent, Value: SysctlConst(1234)},
		{Path: "hw.physmem", Num: abi.HW_PHYSMEM, Flags: permanent, Value: SysctlConst(int32(uint32(min(mem, math.MaxUint32))))},
		{Path: "hw.pagesize", Num: abi.HW_PAGESIZE, Flags: permanent, Value: SysctlConst(pageSize)},
		{Path: "hw.disknames", Num: abi.HW_DISKNAMES, Flags: permanent, Value: SysctlString(0, nil, nil), Handler: emptyTable},
		{Path: "hw.iostats", Num: abi.HW_IOSTATS, Flags: permanent, Value: SysctlStruct(0, nil), Handler: emptyTable},
		{Path: "hw.machine_arch", Num: abi.HW_MACHINE_ARCH, Flags: permanent, Value: SysctlText("x86_64")},
		{Path: "hw.alignbytes", Num: abi.HW_ALIGNBYTES, Flags: permanent, Value: SysctlConst(7)},
		{Path: "hw.physmem64", Num: abi.HW_PHYSMEM64, Flags: permanent, Value: SysctlConstQuad(mem)},
		{Path: "hw.iostatnames", Num: abi.HW_IOSTATNAMES, Flags: permanent, Value: SysctlString(0, nil, nil), Handler: emptyTable},
		{Path: "hw.ncpuonline", Num: abi.HW_NCPUONLINE, Flags: permanent, Value: ncpu()},
	}
}

// userNodes are the limits of the utilities, which on NetBSD the C library knows; clients without one ask the kernel.
func userNodes() []SysctlNode {
	const path = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/pkg/bin:/usr/pkg/sbin:/usr/local/bin:/usr/local/sbin"
	nodes := []SysctlNode{{Path: "user.cs_path", Num: abi.USER_CS_PATH, Flags: permanent, Value: SysctlText(path)}}
	for _, n := range []struct {
		name  string
		num   int32
		value int32
	}{
		{"bc_base_max", abi.USER_BC_BASE_MAX, math.MaxInt32},
		{"bc_dim_max", abi.USER_BC_DIM_MAX, 65535},
		{"bc_scale_max", abi.USER_BC_SCALE_MAX, math.MaxInt32},
		{"bc_string_max", abi.USER_BC_STRING_MAX, math.MaxInt32},
		{"coll_weights_max", abi.USER_COLL_WEIGHTS_MAX, 2},
		{"expr_nest_max", abi.USER_EXPR_NEST_MAX, 32},
		{"line_max", abi.USER_LINE_MAX, 2048},
		{"re_dup_max", abi.USER_RE_DUP_MAX, 255},
		{"posix2_version", abi.USER_POSIX2_VERSION, 200112},
		{"posix2_c_bind", abi.USER_POSIX2_C_BIND, 1},
		{"posix2_c_dev", abi.USER_POSIX2_C_DEV, 0},
		{"posix2_char_term", abi.USER_POSIX2_CHAR_TERM, 0},
		{"posix2_fort_dev", abi.USER_POSIX2_FORT_DEV, 0},
		{"posix2_fort_run", abi.USER_POSIX2_FORT_RUN, 0},
		{"posix2_localedef", abi.USER_POSIX2_LOCALEDEF, 0},
		{"posix2_sw_dev", abi.USER_POSIX2_SW_DEV, 0},
		{"posix2_upe", abi.USER_POSIX2_UPE, 0},
		{"stream_max", abi.USER_STREAM_MAX, 20},
		{"tzname_max", abi.USER_TZNAME_MAX, 511},
		{"atexit_max", abi.USER_ATEXIT_MAX, -1},
	} {
		nodes = append(nodes, SysctlNode{Path: "user." + n.name, Num: n.num, Flags: permanent, Value: SysctlConst(n.value)})
	}
	return nodes
}

func securityNodes() []SysctlNode {
	return []SysctlNode{
		{Path: "security.models", Num: abi.CTL_CREATE},
		{Path: "security.models.suser", Num: abi.CTL_CREATE},
		{Path: "security.models.suser.name", Num: abi.CTL_CREATE, Value: SysctlText("Traditional NetBSD: Superuser")},
	}
}

// logStep tells of a step of the wall clock where kern.timecounter.timestepwarnings asks for it.
func (k *Kernel) logStep(from, to time.Time) {
	if k.vars.timestepWarnings.Load() != 0 {
		stamp := func(t time.Time) string {
			return strconv.FormatInt(t.Unix(), 10) + fmt.Sprintf(".%09d", t.Nanosecond())
		}
		k.Logf("Time stepped from %s to %s\n", stamp(from), stamp(to))
	}
}
