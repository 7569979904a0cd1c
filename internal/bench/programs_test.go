package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/rump"
)

// programs builds the commands once for a benchmark.
func programs(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	cmd := exec.Command("go", "build", "-o", dir+"/", "../../cmd/rumpctrl", "../../cmd/rump_server")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// server starts rump_server, which returns when clients can connect, and halts it in the end.
func server(b *testing.B, dir string, socket string) {
	b.Helper()
	if out, err := exec.Command(filepath.Join(dir, "rump_server"), "-lrumpvfs", "unix://"+socket).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

func utility(b *testing.B, dir, socket string, args ...string) {
	cmd := exec.Command(filepath.Join(dir, "rumpctrl"), args...)
	cmd.Env = []string{"RUMP_SERVER=unix://" + socket}
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

// BenchmarkExec is the yardstick of the two below: starting a program that does nothing.
func BenchmarkExec(b *testing.B) {
	path, err := exec.LookPath("true")
	if err != nil {
		b.Skip("there is no true(1) on this machine")
	}
	for b.Loop() {
		check(b, exec.Command(path).Run())
	}
}

// BenchmarkLs is a whole `ls -l /`: exec, connect, list, exit.
func BenchmarkLs(b *testing.B) {
	dir := programs(b)
	socket := filepath.Join(dir, "s")
	server(b, dir, socket)
	defer utility(b, dir, socket, "halt")
	for b.Loop() {
		utility(b, dir, socket, "ls", "-l", "/")
	}
}

// BenchmarkServer is rump_server -lrumpvfs from its exec until a client can connect, and its halt.
func BenchmarkServer(b *testing.B) {
	dir := programs(b)
	socket := filepath.Join(dir, "s")
	for b.Loop() {
		server(b, dir, socket)
		b.StopTimer()
		utility(b, dir, socket, "halt")
		b.StartTimer()
	}
}

// BenchmarkIdle measures what an idle rump_server -lrumpvfs holds after some use: resident memory, threads, and
// processor time used since it began.
func BenchmarkIdle(b *testing.B) {
	dir := programs(b)
	socket := filepath.Join(dir, "s")
	server(b, dir, socket)
	defer utility(b, dir, socket, "halt")
	for b.Loop() {
		utility(b, dir, socket, "ls", "-l", "/")
	}
	pid := findServer(socket)
	if pid == "" {
		b.Skip("there is no /proc on this machine")
	}
	b.ReportMetric(statusField(pid, "VmRSS:"), "KiB-resident")
	b.ReportMetric(statusField(pid, "Threads:"), "threads")
}

// findServer finds the process whose command line names the socket.
func findServer(socket string) string {
	dirs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, d := range dirs {
		cmdline, err := os.ReadFile(d)
		if err == nil && bytes.Contains(cmdline, []byte(socket)) && bytes.Contains(cmdline, []byte("rump_server")) {
			return filepath.Base(filepath.Dir(d))
		}
	}
	return ""
}

func statusField(pid, name string) float64 {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			var v float64
			fmt.Sscan(rest, &v)
			return v
		}
	}
	return 0
}

// BenchmarkKernel makes, boots and halts a kernel in this process; the metrics are memory and goroutines that one
// holds while it is idle, and those that an idle client of it adds.
func BenchmarkKernel(b *testing.B) {
	const n = 100
	for b.Loop() {
		k := local(b)
		k.Halt()
	}
	b.StopTimer()
	heap, routines := usage()
	kernels := make([]*rump.Kernel, n)
	for i := range kernels {
		kernels[i] = local(b)
	}
	heap1, routines1 := usage()
	b.ReportMetric((heap1-heap)/n, "B/kernel")
	b.ReportMetric((routines1-routines)/n, "goroutines/kernel")
	for range n {
		p, err := kernels[0].Process("idle")
		check(b, err)
		defer p.Close()
	}
	heap2, routines2 := usage()
	b.ReportMetric((heap2-heap1)/n, "B/process")
	b.ReportMetric((routines2-routines1)/n, "goroutines/process")
	runtime.KeepAlive(kernels)
}

func usage() (heap, goroutines float64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc), float64(runtime.NumGoroutine())
}
