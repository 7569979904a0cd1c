package bench

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
)

// The tree of BenchmarkTree: files of 1 KiB in directories of a hundred.
const (
	treeDirs  = 100
	treeFiles = 100
	treeSize  = 1 << 10
)

// makeTree mounts a tmpfs at /tree and fills it.
func makeTree(b *testing.B, p *client.Process) {
	b.Helper()
	check(b, p.Mkdir("/tree", 0o755))
	utilityIn(b, p, "mount_tmpfs", "tmpfs", "/tree")
	data := []byte(strings.Repeat("x", treeSize))
	for d := range treeDirs {
		dir := fmt.Sprintf("/tree/d%02d", d)
		check(b, p.Mkdir(dir, 0o755))
		for f := range treeFiles {
			check(b, p.WriteFile(fmt.Sprintf("%s/file%02d", dir, f), data, 0o644))
		}
	}
}

// utilityIn runs a utility in this process.
func utilityIn(b *testing.B, p *client.Process, args ...string) {
	b.Helper()
	status := util.Run(context.Background(), all.Lookup(args[0]), &util.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		Getenv: func(string) string { return "" }, Proc: p, Set: all.Set{},
	})
	if status != 0 {
		b.Fatalf("%q: status %d", args, status)
	}
}

// treeCommands walk the tree: by names alone, with attributes, and with what the files hold.
var treeCommands = []struct{ name, command string }{
	{"find", "find /tree"},
	{"find-newer", "find /tree -newer /"},
	{"du", "du -s /tree"},
	{"pax-w", "pax -w /tree"},
}

// BenchmarkTree runs utilities over a tree of 10,000 files on tmpfs: through a unix socket to a kernel in another process, and by
// plain calls to a kernel in this one. The metric is how many times longer the former takes.
func BenchmarkTree(b *testing.B) {
	far := dial(b, "unix://"+peer(b, "kernel"))
	near, err := local(b).Process("bench")
	check(b, err)
	defer near.Close()
	makeTree(b, far)
	makeTree(b, near)
	for _, c := range treeCommands {
		args := strings.Fields(c.command)
		b.Run(c.name, func(b *testing.B) {
			var wire, plain time.Duration
			for b.Loop() {
				start := time.Now()
				utilityIn(b, far, args...)
				middle := time.Now()
				utilityIn(b, near, args...)
				wire += middle.Sub(start)
				plain += time.Since(middle)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(wire.Milliseconds())/float64(b.N), "ms-wire")
			b.ReportMetric(float64(plain.Milliseconds())/float64(b.N), "ms-local")
			b.ReportMetric(wire.Seconds()/plain.Seconds(), "wire/local")
		})
	}
}
