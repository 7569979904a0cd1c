package rtadvd

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/kern/net/membus"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
)

// Oracle: rtadvd(8): SIGHUP reads the configuration again, and one that is wrong leaves the old as it is; SIGUSR1 writes the state to a file.
func TestReload(t *testing.T) {
	k, err := rump.New(rump.Config{Components: rump.With("rumpvfs", "rumpnet_netinet6", "rumpnet_shmif"), Buses: new(membus.Buses)})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	p, err := k.Process("rtadvd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	conf := func(text string) {
		if err := p.WriteFile("/conf", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		p.CreateInterface("shmif0"), p.SetLinkstr("shmif0", "mem:link"), p.AddAddress("shmif0", netip.MustParsePrefix("2001:db8:1::1/64")),
		p.Sysctl().SetInt64("net.inet6.ip6.forwarding", 1), p.Mkdir("/var", 0o755), p.Mkdir("/var/run", 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	env := &util.Env{Args: []string{"rtadvd"}, Stdout: io.Discard, Stderr: &out, Proc: p}
	d := &daemon{env: env, proc: p, options: &options{conf: "/conf", interfaces: []string{"shmif0", "nif0"}}}
	conf("shmif0:chlim#9:\n")
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	if len(d.routers) != 1 || d.routers[0].conf.hopLimit != 9 || len(d.routers[0].conf.prefixes) != 1 {
		t.Fatalf("%+v", d.routers)
	}
	now := time.Now()
	conf("shmif0:chlim#7:maxinterval#1:\n")
	d.reload(now)
	if got := d.routers[0].conf.hopLimit; got != 9 || !strings.Contains(out.String(), "maxinterval (1) on shmif0 is invalid") {
		t.Errorf("a wrong file: hop limit %d\n%s", got, out.String())
	}
	conf("shmif0:chlim#7:\n")
	d.reload(now)
	if r := d.routers[0]; r.conf.hopLimit != 7 || r.next.Sub(now) != minDelay {
		t.Errorf("a new file: hop limit %d, next in %v", r.conf.hopLimit, r.next.Sub(now))
	}
	d.advertise(now.Add(time.Minute))
	d.dump(now)
	b, err := p.ReadFile(dumpFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"shmif0:\n  Status: UP\n", "RA(out/in/inconsistent): 1/0/0", "CurHopLimit: 7\n", "    2001:db8:1::/64(KERNEL, vltime: 2592000, pltime: 604800, flags: LA)\n",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the dump lacks %q:\n%s", want, b)
		}
	}
}
