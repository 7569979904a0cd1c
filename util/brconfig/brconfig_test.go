package brconfig_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// boot is a kernel with a bridge and the Ethernets shmif0, shmif1 (which are nowhere).
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpnet_netinet", "rumpnet_bridge", "rumpnet_shmif")
	k.Check([]utiltest.Step{
		{Cmd: "ifconfig shmif0 create"}, {Cmd: "ifconfig shmif1 create"}, {Cmd: "ifconfig bridge0 create"},
	})
	return k
}

// show is what brconfig shows of bridge0: its flags, members and addresses.
func show(flags, members, cache, addresses string) string {
	return "bridge0: flags=" + flags + "\n\tConfiguration:\n" +
		"\t\tpriority 32768 hellotime 2 fwddelay 15 maxage 20\n\t\tipfilter disabled flags 0x0\n" +
		"\tInterfaces:\n" + members + "\tAddress cache (max cache: " + cache + "):\n" + addresses
}

// Oracle: brconfig(8): its text and what each command does.
func TestCommands(t *testing.T) {
	k := boot(t)
	const (
		down     = "8002<BROADCAST,MULTICAST>"
		up       = "8043<UP,BROADCAST,RUNNING,MULTICAST>"
		both     = "flags=3<LEARNING,DISCOVER>\n"
		line     = "\t\t\tport %d priority 128\n"
		defaults = "100, timeout: 1200"
	)
	member := func(unit int, flags string) string { return fmt.Sprintf("\t\tshmif%d %s"+line, unit, flags, unit+2) }
	k.Check([]utiltest.Step{
		{Cmd: "brconfig bridge0", Out: show(down, "", defaults, "")},
		{Cmd: "brconfig -a", Out: show(down, "", defaults, "")},
		{Cmd: "brconfig bridge0 add shmif0 add shmif1 up"},
		{Cmd: "brconfig bridge0", Out: show(up, member(0, both)+member(1, both), defaults, "")},
		{Cmd: "brconfig bridge0 -learn shmif0 -discover shmif1 maxaddr 0x10 timeout 070"},
		{Cmd: "brconfig bridge0", Out: show(up, member(0, "flags=2<DISCOVER>\n")+member(1, "flags=1<LEARNING>\n"), "16, timeout: 56", "")},
		{Cmd: "brconfig bridge0 learn shmif0 discover shmif1 delete shmif0 down"},
		{Cmd: "brconfig bridge0", Out: show(down, member(1, both), "16, timeout: 56", "")},
		{Cmd: "brconfig bridge0 static shmif1 2:0:0:0:0:A static shmif1 2:0:0:0:0:b"},
		{Cmd: "brconfig bridge0 deladdr 2:0:0:0:0:b flush addr", Out: "\t<mac> shmif1 0 flags=1<STATIC>\n"},
		{Cmd: "brconfig bridge0", Out: show(down, member(1, both), "16, timeout: 56", "\t\t<mac> shmif1 0 flags=1<STATIC>\n")},
	})
	if out, _ := k.Run("", "brconfig", "bridge0", "addr"); !strings.HasPrefix(out, "\t02:00:00:00:00:0a shmif1 0 ") {
		t.Errorf("%s", out)
	}
	k.Check([]utiltest.Step{
		{Cmd: "brconfig bridge0 flushall addr"},
		{Cmd: "brconfig bridge0 hellotime 2 fwddelay 15 maxage 20 priority 32768 ifpriority shmif1 128 ifpathcost shmif1 55 -stp shmif1 -ipf"},
	})
}

// Oracle: brconfig(8) and the text of its source for wrong command lines; bridge(4)'s errors; what the kernel lacks it refuses.
func TestErrors(t *testing.T) {
	k := boot(t)
	steps := []utiltest.Step{
		{Cmd: "brconfig shmif0", Out: "shmif0 is not a bridge"},
		{Cmd: "brconfig bridge", Out: "bridge is not a bridge"},
		{Cmd: "brconfig bridge7", Out: "unable to get interface flags: Device not configured"},
		{Cmd: "brconfig bridge0 wash", Out: "unknown command: wash"},
		{Cmd: "brconfig bridge0 add", Out: "command add requires 1 argument"},
		{Cmd: "brconfig bridge0 static shmif0", Out: "command static requires 2 arguments"},
		{Cmd: "brconfig bridge0 add nosuch0", Out: "add nosuch0: No such file or directory"},
		{Cmd: "brconfig bridge0 delete shmif0", Out: "delete shmif0: No such file or directory"},
		{Cmd: "brconfig bridge0 learn shmif0", Out: "unable to get bridge flags: No such file or directory"},
		{Cmd: "brconfig bridge0 add lo0", Out: "add lo0: Invalid argument"},
		{Cmd: "brconfig bridge0 maxaddr x", Out: "maxaddr: invalid value: x"},
		{Cmd: "brconfig bridge0 maxaddr 0x", Out: "maxaddr: invalid value: 0x"},
		{Cmd: "brconfig bridge0 timeout 08", Out: "timeout: invalid value: 08"},
		{Cmd: "brconfig bridge0 hellotime 256", Out: "hellotime: invalid value: 256"},
		{Cmd: "brconfig bridge0 hellotime 3", Out: "hellotime 3: Operation not supported"},
		{Cmd: "brconfig bridge0 ifpriority shmif0 256", Out: "ifpriority: invalid value: 256"},
		{Cmd: "brconfig bridge0 deladdr 1:2:3", Out: "deladdr: invalid address: 1:2:3"},
		{Cmd: "brconfig bridge0 deladdr 1:2:3:4:5:006", Out: "deladdr: invalid address: 1:2:3:4:5:006"},
		{Cmd: "brconfig bridge0 static shmif0 2:0:0:0:0:0", Out: "static shmif0 2:0:0:0:0:0: No such file or directory"},
		{Cmd: "brconfig bridge0 ipf", Out: "ipf 1: Operation not supported"},
		{Cmd: "brconfig bridge0 add shmif0 stp shmif0", Out: "unable to set bridge flags: Operation not supported"},
		{Cmd: "brconfig bridge0 add shmif0", Out: "add shmif0: File exists"},
	}
	for i := range steps {
		steps[i].Out, steps[i].Status = "brconfig: "+steps[i].Out+"\n", 1
	}
	k.Check(steps)
	for _, cmd := range []string{"brconfig", "brconfig -a bridge0", "brconfig -x"} {
		out, status := k.Run("", strings.Fields(cmd)...)
		if status != 1 || !strings.Contains(out, "usage: brconfig -a\n       brconfig <bridge>\n") {
			t.Errorf("%s: %d, %s", cmd, status, out)
		}
	}
}

// TestLongList: more addresses than the first question has room for.
func TestLongList(t *testing.T) {
	k := boot(t)
	args := []string{"brconfig", "bridge0", "maxaddr", "2000", "add", "shmif0"}
	for i := range 1000 {
		args = append(args, "static", "shmif0", fmt.Sprintf("2:0:0:0:%x:%x", i>>8, i&0xff))
	}
	out, status := k.Run("", append(args, "addr")...)
	if n := strings.Count(out, "\n"); n != 1000 || status != 0 {
		t.Errorf("%d addresses, status %d", n, status)
	}
}
