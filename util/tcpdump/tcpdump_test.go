package tcpdump_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/ondisk/pcap"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/tcpdump"
	"github.com/rumpctrl/rumpctrl/util/tcpdump/frametest"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// capture is the corpus as a file, from 2026-11-21 09:00:00 on, 1.5 seconds between frames.
func capture(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	w, err := pcap.NewWriter(&b, 65535, pcap.LinkEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frametest.Corpus() {
		at := time.Unix(1795251600, 123000).Add(time.Duration(i) * 1500 * time.Millisecond)
		if err := w.Write(&pcap.Packet{Time: at, Len: len(f.Data), Data: f.Data}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// run runs tcpdump on a kernel's process, apart from what a test of the text is about.
func run(ctx context.Context, t testing.TB, k *utiltest.Kernel, stdin string, stderr io.Writer, args ...string) (stdout string, status int) {
	t.Helper()
	var out bytes.Buffer
	status = util.Run(ctx, &tcpdump.Utility, &util.Env{
		Args: append([]string{"tcpdump"}, args...), Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: stderr,
		Getenv: func(name string) string { return map[string]string{"TZ": "UTC"}[name] }, Proc: k.Process(),
	})
	return out.String(), status
}

// Oracle: tcpdump(8) on the same file: times, dumps, expressions, counts; the text of packets is compared in package dissect.
func TestReadAgainstTcpdump(t *testing.T) {
	oracle, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed: the output is not compared with it")
	}
	k := utiltest.New(t)
	file := capture(t)
	for _, args := range []string{
		"-n tcp src port 5001", "-n -t udp", "-n -tt udp", "-n -ttt udp", "-n -tttt udp", "-n -ttttt udp", "-n -t -x icmp", "-n -t -xx arp and less 59", "-n -t -X tcp src port 5001",
		"-n -t -XX ip6 and udp", "-n -t -A udp port 1234", "-n -t -AA udp port 5678", "-n -t -c 3 icmp6", "-n -t -e -x ether proto 0x88b6",
		"-n -t -S -v src port 5001 and not ip6 and len <= 85",
	} {
		compare(t, k, oracle, file, args)
	}
	for snaplen, args := range map[string][]string{ // packets whose ends were cut off
		"20": {"-n -t arp", "-n -t ip", "-n -t -e tcp"},
		"60": {"-n -t arp and arp[7] < 9", "-n -t -e ip and udp and not port 53", "-n -t tcp src port 5001 and tcp[13] != 16", "-n -t -vv igmp"},
		"80": {"-n -t -v icmp6[0] = 135", "-n -t -e icmp6[0] = 3", "-n -t -x tcp src port 5001", "-n -t ip6 and udp", "-n -t icmp[0] = 3"},
	} {
		cut, status := run(context.Background(), t, k, file, io.Discard, "-r", "-", "-w", "-", "-s", snaplen)
		if status != 0 {
			t.Fatal("not written")
		}
		for _, args := range args {
			compare(t, k, oracle, cut, args)
		}
	}
}

// compare compares what is printed of a file with tcpdump's.
func compare(t *testing.T, k *utiltest.Kernel, oracle, file, args string) {
	t.Helper()
	cmd := exec.Command(oracle, append([]string{"-r", "-"}, strings.Fields(args)...)...)
	cmd.Stdin, cmd.Env = strings.NewReader(file), []string{"TZ=UTC"}
	want, err := cmd.Output()
	if err != nil {
		t.Errorf("tcpdump %s: %v", args, err)
		return
	}
	var stderr bytes.Buffer
	got, status := run(context.Background(), t, k, file, &stderr, append([]string{"-r", "-"}, strings.Fields(args)...)...)
	if got != string(want) || status != 0 {
		t.Errorf("tcpdump %s: %d\n%s", args, status, firstDifference(got, string(want)))
	}
	if want := "reading from file -, link-type EN10MB (Ethernet)\n"; stderr.String() != want {
		t.Errorf("%q, want %q", stderr.String(), want)
	}
}

// firstDifference is the first line that differs.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return fmt.Sprintf("line %d: %q, want %q", i, g[i], w[min(i, len(w)-1)])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// watched is a stream on which one can wait for a text.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func newWatched() *watched { return &watched{more: make(chan struct{}, 1)} }

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
	return w.text.Write(b)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (w *watched) await(text string) {
	for !strings.Contains(w.String(), text) {
		<-w.more
	}
}

// boot is a kernel with the packet filter and the Ethernet shmif0, which has the address 10.1.1.1.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpnet_netinet", "rumpnet_shmif", "rumpdev_bpf", "rumpvfs")
	k.Check([]utiltest.Step{
		{Cmd: "ifconfig shmif0 create"},
		{Cmd: "ifconfig shmif0 linkstr " + t.TempDir() + "/bus"},
	})
	return k
}

// result is what a capture has printed.
type result struct {
	stdout string
	status int
}

// listen begins a capture, and returns when it listens.
func listen(ctx context.Context, t *testing.T, k *utiltest.Kernel, stderr *watched, args ...string) <-chan result {
	t.Helper()
	done := make(chan result, 1)
	go func() {
		out, status := run(ctx, t, k, "", stderr, args...)
		done <- result{out, status}
	}()
	stderr.await("listening on ")
	return done
}

// Oracle: tcpdump(8): a capture on lo0 (DLT_NULL) with an expression, and the summary at its end.
func TestCapture(t *testing.T) {
	k := boot(t)
	stderr := newWatched()
	done := listen(context.Background(), t, k, stderr, "-n", "-t", "-c", "2", "-i", "lo0", "-s", "1000", "icmp[icmptype]", "=", "icmp-echo", "or", "icmp")
	if out, status := k.Run("", "ping", "-c", "1", "127.0.0.1"); status != 0 {
		t.Fatal(out)
	}
	r := <-done
	if n := strings.Count(r.stdout, "IP 127.0.0.1 > 127.0.0.1: ICMP echo "); n != 2 || strings.Count(r.stdout, "\n") != 2 || r.status != 0 {
		t.Errorf("%d\n%s", r.status, r.stdout)
	}
	want := "tcpdump: verbose output suppressed, use -v or -vv for full protocol decode\n" +
		"listening on lo0, link-type NULL (BSD loopback), capture size 1000 bytes\n2 packets captured\n"
	if got := stderr.String(); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, " received by filter\n0 packets dropped by kernel\n") {
		t.Errorf("%s", got)
	}
}

// TestInterrupt: SIGINT, which ends the context, ends a capture with its summary.
func TestInterrupt(t *testing.T) {
	k := boot(t)
	stderr, ctx := newWatched(), context.Background()
	ctx, cancel := context.WithCancel(ctx)
	done := listen(ctx, t, k, stderr, "-i", "lo0", "-v")
	cancel()
	r := <-done
	want := "tcpdump: listening on lo0, link-type NULL (BSD loopback), capture size 262144 bytes\n\n" +
		"0 packets captured\n0 packets received by filter\n0 packets dropped by kernel\n"
	if got := stderr.String(); got != want || r.stdout != "" || r.status != 0 {
		t.Errorf("%d, %q\n%q, want\n%q", r.status, r.stdout, got, want)
	}
}

// TestWrite: what -w writes into a file of the kernel -r reads; - is standard output, and what other programs read.
func TestWrite(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{{Cmd: "ifconfig shmif0 inet 10.1.1.1/24"}})
	stderr := newWatched()
	done := listen(context.Background(), t, k, stderr, "-p", "-i", "shmif0", "-c", "1", "-w", "/capture", "arp[24:4]", "=", "0x0a010109")
	k.Run("", "ping", "-c", "1", "-w", "1", "10.1.1.9")
	if r := <-done; r.stdout != "" || r.status != 0 {
		t.Errorf("%d: %s", r.status, r.stdout)
	}
	var errs bytes.Buffer
	got, status := run(context.Background(), t, k, "", &errs, "-n", "-t", "-r", "/capture")
	if !strings.HasPrefix(got, "ARP, Request who-has 10.1.1.9 tell 10.1.1.1, length 28\n") || status != 0 {
		t.Errorf("%d: %s%s", status, got, errs.String())
	}
	for _, each := range []string{"-S", "-U"} {
		copied, status := run(context.Background(), t, k, capture(t), &errs, "-r", "-", "-w", "-", "-s", "70", each, "tcp")
		if status != 0 {
			t.Fatal(errs.String())
		}
		rd, err := pcap.NewReader(strings.NewReader(copied))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; ; n++ {
			p, err := rd.Next()
			if err == io.EOF {
				break
			}
			if err != nil || len(p.Data) > 70 || p.Len < len(p.Data) {
				t.Fatalf("%+v, %v", p, err)
			}
		}
		if n != 15 || rd.Snaplen() != 70 {
			t.Errorf("%d packets, snaplen %d", n, rd.Snaplen())
		}
	}
}

// Oracle: tcpdump(8): lists, and what cannot be done.
func TestOthers(t *testing.T) {
	k := boot(t)
	file := capture(t)
	for _, c := range []struct {
		args, in, want string
		status         int
	}{
		{"-D", "", "1.shmif0\n2.lo0 [Up, Running, Loopback]\n", 0},
		{"-i lo0 -L", "", "Data link types for lo0 (use option -y to set):\n  NULL (BSD loopback)\n", 0},
		{"-i 1 -L", "", "Data link types for shmif0 (use option -y to set):\n  EN10MB (Ethernet)\n", 0},
		{"-L", "", "Data link types for lo0 (use option -y to set):\n  NULL (BSD loopback)\n", 0},
		{"-i lo0 -y null -L", "", "Data link types for lo0 (use option -y to set):\n  NULL (BSD loopback)\n", 0},
		{"-i shmif0 -d arp", "", "(000) ldh [12]\n(001) jneq #2054,1\n(002) ret #262144\n(003) ret #0\n", 0},
		{"-i nosuch0", "", "tcpdump: BIOCSETIF: nosuch0: Device not configured\n", 1},
		{"-i 9", "", "tcpdump: invalid adapter index 9\n", 1},
		{"-i lo0 -y EN10MB", "", "tcpdump: EN10MB is not one of the DLTs supported by this device\n", 1},
		{"-i lo0 -y PPP", "", "tcpdump: invalid data link type PPP\n", 1},
		{"-c 0", "", "tcpdump: invalid packet count 0\n", 1},
		{"-s 262145", "", "tcpdump: invalid snaplen 262145\n", 1},
		{"-r - -L", file, "tcpdump: -L and -y are about interfaces, not about files\n", 1},
		{"-r /nope", "", "tcpdump: /nope: No such file or directory\n", 1},
		{"-r -", "", "tcpdump: -: truncated dump file\n", 1},
		{"-r -", "what is this? It is no pcap file.", "tcpdump: -: unknown file format\n", 1},
		{"-i lo0 ip and", "", "tcpdump: syntax error: the expression ends at character 7 of 'ip and'\n", 1},
		{"-i lo0 -w /no/such", "", "tcpdump: /no/such: No such file or directory\n", 1},
		{"-z", "", "tcpdump: unknown option -- z\nusage: tcpdump " + tcpdump.Utility.Usage[0] + "\n", 1},
	} {
		var out bytes.Buffer
		stdout, status := run(context.Background(), t, k, c.in, &out, strings.Fields(c.args)...)
		if got := stdout + out.String(); got != c.want || status != c.status {
			t.Errorf("tcpdump %s: %d, %q, want %q", c.args, status, got, c.want)
		}
	}
	if out, status := run(context.Background(), t, k, file[:len(file)-1], io.Discard, "-r", "-", "-n", "-q"); status != 1 || strings.Count(out, "\n") < 100 {
		t.Errorf("a file that was cut short: %d, %d lines", status, strings.Count(out, "\n"))
	}
	without := utiltest.New(t, "rumpnet_netinet", "rumpvfs")
	var out bytes.Buffer
	if _, status := run(context.Background(), t, without, "", &out, "-i", "lo0"); status != 1 || !strings.HasPrefix(out.String(), "tcpdump: /dev/bpf: ") {
		t.Errorf("without the packet filter: %d, %s", status, out.String())
	}
}

// TestNames: without -n ports have names.
func TestNames(t *testing.T) {
	k := utiltest.New(t)
	out, _ := run(context.Background(), t, k, capture(t), io.Discard, "-r", "-", "-t", "-q", "dst", "port", fmt.Sprint(53), "and", "ip")
	if !strings.Contains(out, ".domain: UDP, length 29\n") {
		t.Errorf("%s", out)
	}
}
