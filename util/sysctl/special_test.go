package sysctl_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

const st = abi.CTLTYPE_STRUCT

// quads are 64-bit numbers as a kernel has them in memory.
func quads(v ...uint64) []byte {
	var b []byte
	for _, n := range v {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

func ints(v ...int32) []byte {
	var b []byte
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// specialNodes is a kernel with nodes that have a form of their own.
func specialNodes() *fake {
	clock := abi.Clockinfo{Hz: 100, Tick: 10000, Tickadj: 40, Stathz: 1, Profhz: 1}
	boot := abi.Timeval{Sec: 1e9, Usec: 42}
	load := abi.Loadavg{Ldavg: [3]uint32{2048, 3072, 20}, Fscale: 2048}
	cons, wsdisk := abi.KinfoDrivers{Cmajor: 0, Bmajor: -1}, abi.KinfoDrivers{Cmajor: 2, Bmajor: 197}
	abi.PutCString(cons.Name[:], "cons")
	abi.PutCString(wsdisk.Name[:], "disk")
	ports := make([]byte, 8192)
	ports[0], ports[10] = 1, 0x81
	return newFake(
		node{path: "kern.clockrate", typ: st, size: abi.SizeofClockinfo, value: clock.Append(nil)},
		node{path: "kern.boottime", typ: st, size: abi.SizeofTimeval, value: boot.Append(nil)},
		node{path: "kern.consdev", typ: st, size: 8, value: quads(0x1234)},
		node{path: "kern.cp_time", typ: st, cut: true, value: quads(1, 2, 3, 4, 5, 10, 20, 30, 40, 50)},
		node{path: "kern.cp_id", typ: st, value: quads(0, 4)},
		node{path: "kern.drivers", typ: st, value: wsdisk.Append(cons.Append(nil))},
		node{path: "kern.coredump.setid.mode", typ: abi.CTLTYPE_INT, size: 4, value: ints(0o600)},
		node{path: "kern.proc", typ: abi.CTLTYPE_NODE},
		node{path: "kern.file", typ: st, value: ints(1)},
		node{path: "kern.mbuf.stats", typ: st, value: []byte("stats")},
		node{path: "kern.bad", typ: st, size: 4, err: abi.EIO},
		node{path: "vm.loadavg", typ: st, size: abi.SizeofLoadavg, value: load.Append(nil)},
		node{path: "vm.uvmexp", typ: st, value: ints(1)},
		node{path: "vfs.ffs.doclusterread", typ: abi.CTLTYPE_INT, size: 4, err: abi.EOPNOTSUPP},
		node{path: "net.inet.ip.anonportalgo.reserve", typ: st, size: 8192, value: ports},
		node{path: "net.inet.ip.stats", typ: st, value: ints(1)},
		node{path: "net.local.dgram.pcblist", typ: abi.CTLTYPE_NODE},
		node{path: "net.sdl", typ: abi.CTLTYPE_NODE},
		node{path: "debug", typ: abi.CTLTYPE_NODE},
		node{path: "ddb", typ: abi.CTLTYPE_NODE},
		node{path: "vendor", typ: abi.CTLTYPE_NODE},
		node{path: "emul", typ: abi.CTLTYPE_NODE},
		node{path: "hw.disknames", typ: abi.CTLTYPE_STRING},
		node{path: "hw.ncpu", typ: abi.CTLTYPE_INT, size: 4, value: ints(2)},
		node{path: "proc.curproc.rlimit.cputime.soft", typ: abi.CTLTYPE_QUAD, size: 8, value: quads(abi.RLIM_INFINITY)},
		node{path: "proc.curproc.rlimit.cputime.hard", typ: abi.CTLTYPE_QUAD, size: 8, value: quads(77)},
	)
}

// specialSteps are runs of sysctl, one after the other, with what they print.
var specialSteps = []struct {
	args, want string
	status     int
}{
	{"kern.clockrate", "kern.clockrate: tick = 10000, tickadj = 40, hz = 100, profhz = 1, stathz = 1\n", 0},
	{"-n kern.clockrate", "tick = 10000, tickadj = 40, hz = 100, profhz = 1, stathz = 1\n", 0},
	{"-x kern.clockrate", "kern.clockrate = 64000000102700002800000001000000...(4 more bytes)\n", 0},
	{"kern.boottime", "kern.boottime = Sun Sep  9 01:46:40 2001\n", 0},
	{"-e kern.boottime", "kern.boottime=Sun Sep  9 01:46:40 2001\n", 0},
	{"-n kern.boottime", "1000000000\n", 0},
	{"-nn kern.boottime", "1000000000.000042\n", 0},
	{"kern.consdev", "kern.consdev = 0x1234\n", 0},
	{"kern.cp_time", "kern.cp_time: user = 1, nice = 2, sys = 3, intr = 4, idle = 5\n", 0},
	{"-A kern.cp_time", "kern.cp_time: user = 11, nice = 22, sys = 33, intr = 44, idle = 55\n" +
		"kern.cp_time.0: user = 1, nice = 2, sys = 3, intr = 4, idle = 5\n" +
		"kern.cp_time.1: user = 10, nice = 20, sys = 30, intr = 40, idle = 50\n", 0},
	{"kern.cp_id", "kern.cp_id: 0 = 0, 1 = 4\n", 0},
	{"-A kern.cp_id", "kern.cp_id.0 = 0\nkern.cp_id.1 = 4\n", 0},
	{"kern.drivers", "kern.drivers = [0 -1 cons], [2 197 disk]\n", 0},
	{"kern.coredump.setid.mode", "kern.coredump.setid.mode = 0600 (rw------- )\n", 0},
	{"-x kern.coredump.setid.mode", "kern.coredump.setid.mode = 0x00000180\n", 0},
	{"-w kern.coredump.setid.mode=g+r,u-w", "kern.coredump.setid.mode: 0600 (rw------- ) -> 0440 (r--r----- )\n", 0},
	{"-w kern.coredump.setid.mode=zz", "sysctl: kern.coredump.setid.mode: 'zz' is an invalid mode\n", 1},
	{"kern.proc", "sysctl: kern.proc: use 'ps' to view this information\n", 1},
	{"-M kern.proc", "kern.proc (1.110): CTLTYPE_NODE, children 0/0, size 0, flags 0x0<READONLY>, ver=0\n", 0},
	{"kern.file", "sysctl: kern.file: use 'pstat' to view this information\n", 1},
	{"-x kern.file", "kern.file = 01000000\n", 0},
	{"-w kern.file=1", "sysctl: Cannot write `kern.file': Operation not supported\n", 1},
	{"kern.mbuf.stats", "sysctl: kern.mbuf.stats: this type is unknown to this program\n", 1},
	{"kern.mbuf", "", 0}, // what was not asked for by name is left out
	{"-A kern.mbuf", "sysctl: kern.mbuf.stats: this type is unknown to this program\n", 1},
	{"-r kern.mbuf.stats", "stats", 0},
	{"-b kern.mbuf.stats", "stats", 0},
	{"kern.bad", "sysctl: kern.bad: Input/output error\n", 1},
	{"vm.loadavg", "vm.loadavg: 1.00 1.50 0.01\n", 0},
	{"vm.uvmexp", "sysctl: vm.uvmexp: use 'vmstat' or 'systat' to view this information\n", 1},
	{"vfs.ffs.doclusterread", "sysctl: vfs.ffs.doclusterread: the value is not available (Operation not supported)\n", 1},
	{"net.inet.ip.anonportalgo.reserve", "net.inet.ip.anonportalgo.reserve = 0,80,87\n", 0},
	{"-w net.inet.ip.anonportalgo.reserve=5,0x10", "net.inet.ip.anonportalgo.reserve: 0,80,87 -> 5,16\n", 0},
	{"-w net.inet.ip.anonportalgo.reserve=x", "sysctl: Invalid port: x\n", 1},
	{"-w net.inet.ip.anonportalgo.reserve=65536", "sysctl: Port out of range: 65536\n", 1},
	{"net.inet.ip.stats", "sysctl: net.inet.ip.stats: use 'netstat' to view this information\n", 1},
	{"net.local.dgram.pcblist", "sysctl: net.local.dgram.pcblist: use 'netstat' or 'sockstat' to view this information\n", 1},
	{"/net/local/dgram/pcblist", "sysctl: /net/local/dgram/pcblist: use 'netstat' or 'sockstat' to view this information\n", 1},
	{"net.sdl", "sysctl: net.sdl: use 'netstat' to view this information\n", 1},
	{"debug", "sysctl: debug: missing 'options DEBUG' from kernel?\n", 1},
	{"ddb", "sysctl: ddb: missing 'options DDB' from kernel?\n", 1},
	{"vendor", "sysctl: vendor: no vendor extensions installed\n", 1},
	{"emul", "emul: no children\n", 0},
	{"hw.disknames", "hw.disknames: node contains no data\n", 0},
	{"proc.curproc.rlimit", "proc.curproc.rlimit.cputime.soft = unlimited\nproc.curproc.rlimit.cputime.hard = 77\n", 0},
	{"-w proc.curproc.rlimit.cputime.soft=5", "proc.curproc.rlimit.cputime.soft: unlimited -> 5\n", 0},
	{"-w proc.curproc.rlimit.cputime.hard=unlimited", "proc.curproc.rlimit.cputime.hard: 77 -> unlimited\n", 0},
	{"-w proc.curproc.rlimit.cputime.hard=much", "sysctl: proc.curproc.rlimit.cputime.hard: 'much' is not a valid limit\n", 1},
}

// TestSpecial has the nodes with a form of their own, as sysctl(8) prints them and sysctl-allserver.txt, a listing of the
// C kernel, has some of them.
func TestSpecial(t *testing.T) {
	f := specialNodes()
	for _, tt := range specialSteps {
		if got, status := f.run(t, tt.args); got != tt.want || status != tt.status {
			t.Errorf("$ sysctl %s\n%s[%d]\nwant:\n%s[%d]", tt.args, got, status, tt.want, tt.status)
		}
	}
}

// TestTypes has the plain forms of each type, and those of -x and -xx, whose dump is hexdump -C's.
func TestTypes(t *testing.T) {
	f := newFake(
		node{path: "t.int", typ: abi.CTLTYPE_INT, size: 4, value: ints(-1)},
		node{path: "t.unsigned", typ: abi.CTLTYPE_INT | abi.CTLFLAG_UNSIGNED, size: 4, value: ints(-1)},
		node{path: "t.hex", typ: abi.CTLTYPE_INT | abi.CTLFLAG_HEX, size: 4, value: ints(255)},
		node{path: "t.zero", typ: abi.CTLTYPE_INT | abi.CTLFLAG_HEX, size: 4, value: ints(0)},
		node{path: "t.bool", typ: abi.CTLTYPE_BOOL, size: 1, value: []byte{1}},
		node{path: "t.quad", typ: abi.CTLTYPE_QUAD, size: 8, value: quads(1 << 40)},
		node{path: "t.string", typ: abi.CTLTYPE_STRING, size: 4, value: []byte("abc\x00")},
		node{path: "t.long", typ: abi.CTLTYPE_STRING, value: []byte(strings.Repeat("x", 5000))},
		node{path: "t.hexstring", typ: abi.CTLTYPE_STRING | abi.CTLFLAG_HEX, size: 3, value: []byte("a\n\x00")},
		node{path: "t.hidden", typ: abi.CTLTYPE_INT | abi.CTLFLAG_HIDDEN, size: 4, value: ints(3)},
		node{path: "t.struct", typ: st, size: 20, value: []byte("0123456789abcdefghij")},
	)
	for _, tt := range []struct{ args, want string }{
		{"t.int", "t.int = -1\n"},
		{"-x t.int", "t.int = 0xffffffff\n"},
		{"t.unsigned", "t.unsigned = 4294967295\n"},
		{"t.hex", "t.hex = 0xff\n"},
		{"t.zero", "t.zero = 0\n"},
		{"t.bool", "t.bool = 1\n"},
		{"-x t.bool", "t.bool = 0x01\n"},
		{"t.quad", "t.quad = 1099511627776\n"},
		{"-x t.quad", "t.quad = 0x0000010000000000\n"},
		{"t.string", "t.string = abc\n"},
		{"-x t.string", "t.string = 61626300\n"},
		{"t.hexstring", "t.hexstring = \\x61\\x0a\n"},
		{"-n t.long", strings.Repeat("x", 5000) + "\n"},
		{"-r t.int", "\xff\xff\xff\xff"},
		{"-e t.int", "t.int=-1\n"},
		{"-q t.int", ""},
		{"t.hidden", "t.hidden = 3\n"},
		{"-xx t.string", "t.string = \n" +
			"0000000  61 62 63 00                                      | abc.             |\n0000004 bytes\n"},
		{"-nxx t.struct", "\n" +
			"0000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  | 0123456789abcdef |\n" +
			"0000010  67 68 69 6a                                      | ghij             |\n0000020 bytes\n"},
		{"-n t", "-1\n4294967295\n0xff\n0\n1\n1099511627776\nabc\n" + strings.Repeat("x", 5000) + "\n\\x61\\x0a\n"},
		{"-w t.int=0x7fffffff", "t.int: -1 -> 2147483647\n"},
		{"-w t.int=017", "t.int: 2147483647 -> 15\n"},
		{"-nw t.int=-2", "-2\n"},
		{"-qw t.int=3", ""},
		{"-w t.bool=0", "t.bool: 1 -> 0\n"},
		{"-w t.string=x", "t.string: abc -> x\n"},
		{"-xw t.string=y", "t.string: 7800 -> 7900\n"},
	} {
		if got, status := f.run(t, tt.args); got != tt.want || status != 0 {
			t.Errorf("$ sysctl %s\n%s[%d]\nwant:\n%s", tt.args, got, status, tt.want)
		}
	}
	for _, tt := range []struct{ args, want string }{
		{"-w t.int=x", "sysctl: x: not a number\n"},
		{"-w t.int=", "sysctl: : not a number\n"},
		{"-w t.int=0x1ffffffff", "sysctl: 0x1ffffffff: Result too large or too small\n"},
		{"-w t.quad=99999999999999999999", "sysctl: 99999999999999999999: Result too large or too small\n"},
		{"-w t.string=abcd", "sysctl: abcd: string too long\n"},
		{"t.int=1", "sysctl: Must specify -w to set variables\n"},
		{"-w t.nope=1", "sysctl: second level name 'nope' in 't.nope' is invalid\n"},
		{"-q t.nope", ""},
	} {
		if got, status := f.run(t, tt.args); got != tt.want || status != 1 {
			t.Errorf("$ sysctl %s\n%s[%d]\nwant:\n%s", tt.args, got, status, tt.want)
		}
	}
	if got, status := f.run(t, "-w t.nope?=1"); got != "" || status != 0 {
		t.Errorf("?= on a name that is not there: %q, %d", got, status)
	}
}
