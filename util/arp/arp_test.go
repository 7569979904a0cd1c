package arp_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// pair returns two kernels on one Ethernet, 10.1.1.1 and 10.1.1.2.
func pair(t *testing.T) (one, two *utiltest.Kernel) {
	t.Helper()
	bus := t.TempDir() + "/bus"
	boot := func(addr string) *utiltest.Kernel {
		k := utiltest.New(t, "rumpfs_tmpfs", "rumpnet_netinet", "rumpnet_shmif")
		k.Check([]utiltest.Step{
			{Cmd: "ifconfig shmif0 create"},
			{Cmd: "ifconfig shmif0 linkstr " + bus},
			{Cmd: "ifconfig shmif0 inet " + addr + "/24"},
		})
		return k
	}
	return boot("10.1.1.1"), boot("10.1.1.2")
}

const own = "? (10.1.1.2) at <mac> on shmif0 permanent\n"

// Oracle: the transcript net-03.
func TestTranscript(t *testing.T) {
	_, two := pair(t)
	if out, status := two.Run("", "ping", "-q", "-c", "1", "10.1.1.1"); status != 0 {
		t.Fatal(out)
	}
	two.Check([]utiltest.Step{
		{Cmd: "arp -an", Out: own + "? (10.1.1.1) at <mac> on shmif0\n"},
		{Cmd: "arp -d 10.1.1.1"},
		{Cmd: "arp -an", Out: own},
		{Cmd: "arp -s 10.1.1.77 02:00:00:00:00:77"},
		{Cmd: "arp -n 10.1.1.77", Out: "? (10.1.1.77) at <mac> on shmif0 permanent\n"},
	})
	if out, _ := two.Run("", "arp", "-n", "10.1.1.77"); !strings.Contains(out, " at 02:00:00:00:00:77 on ") {
		t.Errorf("%q", out)
	}
}

// Oracle: arp(8): entries that are temporary or published, files of entries, -v, and deletions.
func TestEntries(t *testing.T) {
	one, two := pair(t)
	two.Check([]utiltest.Step{
		{Cmd: "arp -v -s 10.1.1.5 2:0:0:0:0:5 temp", Out: "10.1.1.5 (2:0:0:0:0:5) added\n"},
		{Cmd: "arp -n 10.1.1.5", Out: "? (10.1.1.5) at <mac> on shmif0\n"},
		{Cmd: "arp -s 10.1.1.6 2:0:0:0:0:6 pub proxy"},
		{Cmd: "arp -s 10.1.1.9 2:0:0:0:0:9 pub"},
		{Cmd: "arp -s 10.1.1.7 2:0:0:0:0:7 trail ifscope shmif0", Out: "arp: 10.1.1.7: Sending trailers is no longer supported\n"},
		{Cmd: "arp -f -", In: "# hosts\n10.1.1.8 2:0:0:0:0:8 temp\n\n10.1.1.3\n10.1.1.4 2:0:0:0:0:4 # four\n", Out: "arp: bad line: 10.1.1.3\n", Status: 1},
		{Cmd: "sh -c 'echo 10.1.1.3 2:0:0:0:0:3 > /hosts'"},
		{Cmd: "arp -v -f /hosts", Out: "10.1.1.3 (2:0:0:0:0:3) added\n"},
		{Cmd: "arp -f /nope", Out: "arp: Cannot open /nope: No such file or directory\n", Status: 1},
		{Cmd: "arp -a -n", Out: own + "? (10.1.1.3) at <mac> on shmif0 permanent\n? (10.1.1.4) at <mac> on shmif0 permanent\n" +
			"? (10.1.1.5) at <mac> on shmif0\n? (10.1.1.6) at <mac> on shmif0 permanent published (proxy only)\n" +
			"? (10.1.1.7) at <mac> on shmif0 permanent\n? (10.1.1.8) at <mac> on shmif0\n" +
			"? (10.1.1.9) at <mac> on shmif0 permanent published (proxy only)\n"},
		{Cmd: "arp -d 10.1.1.7 proxy", Out: "arp: delete: can't locate 10.1.1.7\n", Status: 1},
		{Cmd: "arp -v -d 10.1.1.6 proxy", Out: "10.1.1.6 (10.1.1.6) deleted\n"},
		{Cmd: "arp -d 10.1.1.6", Out: "arp: writing to routing socket: No such file or directory\n", Status: 1},
	})
	for host, want := range map[string]string{"10.1.1.9": "at 02:00:00:00:00:09 on", "10.1.1.44": "at (incomplete) on"} {
		one.Run("", "ping", "-q", "-c", "1", "-w", "1", host) // two answers for its published host
		if out, status := one.Run("", "arp", "-n", host); status != 0 || !strings.Contains(out, want) {
			t.Errorf("%q lacks %q", out, want)
		}
	}
	two.Check([]utiltest.Step{
		{Cmd: "arp -d -a"},
		{Cmd: "arp -a -n", Out: own},
	})
}

// Oracle: arp(8) and the messages of its source.
func TestRefused(t *testing.T) {
	_, two := pair(t)
	usage := "Usage: arp [-n] hostname\n       arp [-nv] -a\n       arp [-v] -d [-a|hostname [proxy]]\n" +
		"       arp [-v] -s hostname ether_addr [temp] [pub [proxy]]\n       arp [-v] -f filename\n"
	two.Check([]utiltest.Step{
		{Cmd: "arp", Out: usage, Status: 1},
		{Cmd: "arp -d -s 10.1.1.1", Out: usage, Status: 1},
		{Cmd: "arp -d -a 10.1.1.1", Out: usage, Status: 1},
		{Cmd: "arp -d 10.1.1.1 foo", Out: usage, Status: 1},
		{Cmd: "arp -s 10.1.1.1", Out: usage, Status: 1},
		{Cmd: "arp -z", Out: "arp: unknown option -- z\n" + usage, Status: 1},
		{Cmd: "arp 10.1.1.44", Out: "arp: 10.1.1.44 (10.1.1.44) -- no entry\n", Status: 1},
		{Cmd: "arp -n 'no host'", Out: "arp: no host: Unknown host\n", Status: 1},
		{Cmd: "arp -s 10.1.1.5 zz:0", Out: "arp: invalid link-level address 'zz:0'\n", Status: 1},
		{Cmd: "arp -s 10.1.1.5 2:0:0:0:0:5 often", Out: "arp: often: unknown keyword\n", Status: 1},
		{Cmd: "arp -s 10.1.1.5 2:0:0:0:0:5 ifscope nope0", Out: "arp: cannot get link address for nope0\n", Status: 1},
		{Cmd: "arp -s 10.1.1.5 2:0:0:0:0:5 ifscope", Out: "arp: missing interface for ifscope\n", Status: 1},
		{Cmd: "arp -s 10.1.1.5 2:0", Out: "arp: writing to routing socket: Invalid argument\n", Status: 1},
		{Cmd: "arp -s 10.1.1.2 2:0:0:0:0:2", Out: "arp: writing to routing socket: File exists\n", Status: 1},
		{Cmd: "arp -d 10.1.1.2", Out: "arp: writing to routing socket: No such file or directory\n", Status: 1},
		{Cmd: "arp -s 8.8.8.8 2:0:0:0:0:2", Status: 1,
			Out: "arp: writing to routing socket: No such process\narp: 8.8.8.8: No such process\n"},
	})
}
