package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// realServer is the program itself, without the tests in it.
func realServer(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "rump_server")
	build := exec.Command("go", "build", "-o", path, "github.com/rumpctrl/rumpctrl/cmd/rump_server")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// BenchmarkStart is the time from executing rump_server until it has returned and a client's first call is answered,
// by what the kernel is made of.
func BenchmarkStart(b *testing.B) {
	server := realServer(b)
	for name, args := range map[string][]string{
		"base": nil, "vfs": {"-lrumpvfs"}, "tmpfs": {"-lrumpvfs", "-lrumpfs_tmpfs"},
	} {
		b.Run(name, func(b *testing.B) {
			for i := range b.N {
				dir := b.TempDir()
				cmd := exec.Command(server, append(args, "unix://csock")...)
				cmd.Dir = dir
				b.StartTimer()
				d := startDaemon(b, dir, cmd)
				p := d.process(b)
				if _, err := p.Sys().Getpid(); err != nil {
					b.Fatal(i, err)
				}
				b.StopTimer()
				if err := p.Sys().Reboot(0, ""); err != nil {
					b.Fatal(err)
				}
				d.wait(b)
			}
		})
	}
}

// BenchmarkIdle reports what a server costs that does nothing: resident memory, threads, and the time that it
// computes in a second, without clients and with 100 of them.
func BenchmarkIdle(b *testing.B) {
	server := realServer(b)
	for _, clients := range []int{0, 100} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			dir := b.TempDir()
			cmd := exec.Command(server, "-lrumpvfs", "unix://csock")
			cmd.Dir = dir
			d := startDaemon(b, dir, cmd)
			for range clients {
				if _, err := d.process(b).Stat("/dev/null"); err != nil {
					b.Fatal(err)
				}
			}
			d.settle(b)
			before := d.cpu(b)
			for range b.N {
				time.Sleep(time.Second)
			}
			b.ReportMetric(10*float64(d.cpu(b)-before)/float64(b.N), "ms-computed/s")
			b.ReportMetric(float64(d.status(b, "VmRSS")), "kB-resident")
			b.ReportMetric(float64(d.status(b, "RssAnon")), "kB-anonymous")
			b.ReportMetric(float64(d.status(b, "Threads")), "threads")
		})
	}
}

// settle waits until the server computes nothing between two looks, 100 ms apart.
func (d *daemon) settle(b *testing.B) {
	for last := -1; ; time.Sleep(100 * time.Millisecond) {
		now := d.cpu(b)
		if now == last {
			return
		}
		last = now
	}
}

// cpu is the time that the server has computed, in ticks of 10 ms: fields utime and stime of proc(5).
func (d *daemon) cpu(b *testing.B) int {
	b.Helper()
	return d.stat(b, 14) + d.stat(b, 15)
}

// status is a number of /proc/PID/status.
func (d *daemon) status(b *testing.B, name string) int {
	b.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(d.pid) + "/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n"+name+":")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return n
}
