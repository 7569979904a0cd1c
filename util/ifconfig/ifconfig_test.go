package ifconfig_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/ifconfig"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const (
	lo0 = "lo0: flags=0x8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 33624\n\tinet6 ::1 prefixlen 128\n" +
		"\tinet6 <linklocal>%lo0 prefixlen 64 scopeid 0x1\n\tinet 127.0.0.1 netmask 0xff000000\n"
	down   = "shmif0: flags=0x8802<BROADCAST,SIMPLEX,MULTICAST> mtu 1500\n\taddress: <mac>\n"
	up     = "shmif0: flags=0x8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\taddress: <mac>\n\tlinkstr: BUS\n"
	local6 = "\tinet6 <linklocal>%shmif0 prefixlen 64 tentative scopeid 0x2\n"
	inet4  = "\tinet 1.2.3.4 netmask 0xffffff00 broadcast 1.2.3.255\n"
)

// withBus puts the path of a bus into steps.
func withBus(t *testing.T, steps []utiltest.Step) []utiltest.Step {
	bus := t.TempDir() + "/bus"
	for i := range steps {
		steps[i].Cmd = strings.ReplaceAll(steps[i].Cmd, "BUS", bus)
		steps[i].Out = strings.ReplaceAll(steps[i].Out, "BUS", bus)
	}
	return steps
}

// Oracle: the transcript net-01.
func TestTranscript(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet6", "rumpnet_shmif")
	k.Check(withBus(t, []utiltest.Step{
		{Cmd: "ifconfig", Out: lo0},
		{Cmd: "ifconfig -l", Out: "lo0\n"},
		{Cmd: "ifconfig -a", Out: lo0},
		{Cmd: "ifconfig shmif0", Out: "ifconfig: SIOCGIFFLAGS shmif0: Device not configured\n", Status: 1},
		{Cmd: "ifconfig shmif0 create"},
		{Cmd: "ifconfig shmif0", Out: down},
		{Cmd: "ifconfig shmif0 create", Out: "ifconfig: clone_command: File exists\nifconfig: exec_matches: File exists\n", Status: 1},
		{Cmd: "ifconfig shmif0 linkstr BUS"},
		{Cmd: "ifconfig shmif0 inet 1.2.3.4 netmask 0xffffff00"},
		{Cmd: "ifconfig shmif0", Out: up + local6 + inet4},
		{Cmd: "ifconfig shmif0 linkstr other", Out: "ifconfig: SIOCSLINKSTR: Device busy\n", Status: 1},
		{Cmd: "ifconfig shmif0 inet 1.2.3.5/24 alias"},
		{Cmd: "ifconfig shmif0 inet", Out: up + inet4 + "\tinet alias 1.2.3.5 netmask 0xffffff00 broadcast 1.2.3.255 tentative\n"},
		{Cmd: "ifconfig shmif0 inet 1.2.3.5 -alias"},
		{Cmd: "ifconfig shmif0 inet6 2001:db8::1 prefixlen 64"},
		{Cmd: "ifconfig shmif0", Out: up + local6 + "\tinet6 2001:db8::1 prefixlen 64 tentative\n" + inet4},
		{Cmd: "ifconfig shmif0 down"},
		{Cmd: "ifconfig shmif0", Out: down + "\tlinkstr: BUS\n\tinet6 <linklocal>%shmif0 prefixlen 64 detached scopeid 0x2\n" +
			"\tinet6 2001:db8::1 prefixlen 64 detached\n\tinet 1.2.3.4 netmask 0xffffff00 broadcast 1.2.3.255 detached\n"},
		{Cmd: "ifconfig shmif0 mtu 1400"},
		{Cmd: "ifconfig shmif0 mtu 9000000", Out: "ifconfig: SIOCSIFMTU: Invalid argument\n"},
		{Cmd: "ifconfig shmif0 metric 3"},
		{Cmd: "ifconfig shmif0 link", Out: "shmif0: flags=0x8802<BROADCAST,SIMPLEX,MULTICAST> metric 3 mtu 1400\n\taddress: <mac>\n\tlinkstr: BUS\n"},
		{Cmd: "ifconfig -lu", Out: "lo0\n"},
		{Cmd: "ifconfig -ld", Out: "shmif0\n"},
		{Cmd: "ifconfig -lb", Out: "shmif0\n"},
		{Cmd: "ifconfig -s shmif0"},
		{Cmd: "ifconfig -C", Out: "lo shmif\n"},
		{Cmd: "ifconfig shmif0 nosuchverb", Out: strings.Join(ifconfig.Utility.Usage, "\n") + "\n", Status: 1},
		{Cmd: "ifconfig nosuch0 create", Out: "ifconfig: clone_command: Invalid argument\nifconfig: exec_matches: Invalid argument\n", Status: 1},
		{Cmd: "ifconfig shmif0 destroy"},
		{Cmd: "ifconfig -l", Out: "lo0\n"},
	}))
}

// Oracle: ifconfig(8): words that nothing here stands behind are refused, wrong ones are no command line.
func TestRefused(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet", "rumpnet_shmif")
	use := strings.Join(ifconfig.Utility.Usage, "\n") + "\n"
	k.Check([]utiltest.Step{
		{Cmd: "ifconfig shmif0 create"},
		{Cmd: "ifconfig shmif0 vhid 1", Out: "ifconfig: vhid: carp(4): not supported\n", Status: 1},
		{Cmd: "ifconfig shmif0 ssid x", Out: "ifconfig: ssid: wireless networks: not supported\n", Status: 1},
		{Cmd: "ifconfig shmif0 mtu", Out: use, Status: 1},
		{Cmd: "ifconfig shmif0 mtu big", Out: use, Status: 1},
		{Cmd: "ifconfig -l -C", Out: use, Status: 1},
		{Cmd: "ifconfig -l shmif0", Out: use, Status: 1},
		{Cmd: "ifconfig shmif0 1.2.3.4/33", Out: use, Status: 1},
		{Cmd: "ifconfig shmif0 vlan 3", Out: "ifconfig: valid only with vlan(4) interfaces\n", Status: 1},
		{Cmd: "ifconfig shmif0 agrport x0", Out: "ifconfig: valid only with agr(4) interfaces\n", Status: 1},
		{Cmd: "ifconfig lo0 broadcast 1.2.3.4", Out: "ifconfig: not a broadcast interface\n", Status: 1},
		{Cmd: "ifconfig shmif0 inet 1.2.3.4 eui64", Status: 1,
			Out: "ifconfig: anycast, deprecated, pltime, vltime and eui64 are for inet6 addresses\n"},
		{Cmd: "ifconfig shmif0 media auto", Out: "ifconfig: SIOCGIFMEDIA: Inappropriate ioctl for device\n", Status: 1},
		{Cmd: "ifconfig -v lo0 link", Out: "lo0: flags=0x8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 33624\n" +
			"\tinput: 0 packets, 0 bytes\n\toutput: 0 packets, 0 bytes\n"},
	})
}

// Oracle: ifconfig(8): link-level addresses are added, made the active one, and deleted; the active one stays.
func TestLink(t *testing.T) {
	k := utiltest.New(t, "rumpnet_netinet", "rumpnet_shmif")
	show := func(active string, others ...string) string {
		s := "shmif0: flags=0x8802<BROADCAST,SIMPLEX,MULTICAST> mtu 1500\n\taddress: " + active + "\n"
		for _, o := range others {
			s += "\tlink " + o + "\n"
		}
		return s
	}
	k.Check([]utiltest.Step{
		{Cmd: "ifconfig shmif0 create"},
		{Cmd: "ifconfig shmif0 link 2:0:0:0:0:7"},
		{Cmd: "ifconfig shmif0 link", Out: show("<mac>", "<mac>")},
		{Cmd: "ifconfig shmif0 link 2:0:0:0:0:7 active"},
		{Cmd: "ifconfig shmif0 link 2:0:0:0:0:7 -alias", Out: "ifconfig: SIOCDLIFADDR: Device busy\n", Status: 1},
		{Cmd: "ifconfig shmif0 link 2", Out: strings.Join(ifconfig.Utility.Usage, "\n") + "\n", Status: 1},
	})
	if out, _ := k.Run("", "ifconfig", "shmif0"); !strings.Contains(out, "address: 02:00:00:00:00:07\n") {
		t.Errorf("%s", out)
	}
}
