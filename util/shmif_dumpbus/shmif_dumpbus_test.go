package shmif_dumpbus_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/shmif_dumpbus"
)

// sample is the beginning of a bus on which a kernel of the C implementation announced 1.2.3.4.
const sample = "../../ondisk/shmif/testdata/bus.sample"

const (
	header = "bus version 3, lock: 0, generation: 0, firstoff: 0xfffe0, lastoff: 0x0018\n"
	list   = "packet 0, offset 0x0030, length 0x002a, ts 1/020008\n"
)

func dumpbus(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errOut bytes.Buffer
	status = util.Run(context.Background(), &shmif_dumpbus.Utility, &util.Env{
		Args: append([]string{"shmif_dumpbus"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errOut,
		Getenv: func(string) string { return "" },
	})
	return out.String(), errOut.String(), status
}

// Oracle: shmif_dumpbus(1).
func TestList(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	old := filepath.Join(dir, "old")
	damaged := filepath.Join(dir, "damaged")
	raw, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(b []byte){
		other: func(b []byte) { b[0] = 0 }, old: func(b []byte) { b[4] = 2 }, damaged: func(b []byte) { b[32+24+2] = 9 },
	} {
		b := bytes.Clone(raw)
		change(b)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const usage = "usage: shmif_dumpbus [-h] [-p pcapfile] buspath\n"
	for _, c := range []struct {
		args           []string
		stdout, stderr string
		status         int
	}{
		{[]string{sample}, header + list, "", 0},
		{[]string{"-h", sample}, header, "", 0},
		{[]string{"-h", "-p", filepath.Join(dir, "none"), sample}, header, "", 0},
		{nil, "", usage, 1},
		{[]string{sample, sample}, "", usage, 1},
		{[]string{filepath.Join(dir, "nosuch")}, "", "shmif_dumpbus: open bus: No such file or directory\n", 1},
		{[]string{other}, "", "shmif_dumpbus: " + other + " not a shmif bus\n", 1},
		{[]string{old}, "", "shmif_dumpbus: bus version 2, program 3\n", 1},
		{[]string{"-p", filepath.Join(dir, "no/such"), sample}, header,
			"shmif_dumpbus: cannot open pcap dump file: No such file or directory\n", 1},
	} {
		if stdout, stderr, status := dumpbus(t, c.args...); stdout != c.stdout || stderr != c.stderr || status != c.status {
			t.Errorf("%q: %q, %q, %d", c.args, stdout, stderr, status)
		}
	}
	if _, stderr, status := dumpbus(t, damaged); status != 1 || !strings.HasPrefix(stderr, "shmif_dumpbus: "+damaged+": ") {
		t.Errorf("a damaged bus: %q, %d", stderr, status)
	}
}

// Oracle: tcpdump(8), which reads what -p writes, to a file and to standard output.
func TestPcap(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pcap")
	if stdout, _, status := dumpbus(t, "-p", file, sample); stdout != header+list || status != 0 {
		t.Errorf("%q, %d", stdout, status)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := dumpbus(t, "-p", "-", sample)
	if stdout != string(written) || stderr != header+list || status != 0 {
		t.Errorf("to standard output: %q, %q, %d", stdout, stderr, status)
	}
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed: nobody but this repository reads what -p writes")
	}
	cmd := exec.Command(tcpdump, "-tt", "-n", "-e", "-r", "-")
	cmd.Stdin = strings.NewReader(stdout)
	out, err := cmd.Output()
	// what follows the addresses is worded differently by its versions
	want := "1.020008 b2:a0:6f:1c:aa:79 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: "
	if err != nil || !strings.HasPrefix(string(out), want) || !strings.HasSuffix(string(out), " 1.2.3.4, length 28\n") {
		t.Errorf("tcpdump: %v\n%s\nwant %s", err, out, want)
	}
}
