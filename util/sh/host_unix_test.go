//go:build unix

package sh_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
)

// TestHostCommand runs the command "host" with a PATH that has nothing but the scripts of this test, which themselves run
// no other program. Oracle: docs/shell.md; exit statuses as XCU 2.8.2.
func TestHostCommand(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"greet":  `echo "hello $1"; echo "warn $1" >&2`,
		"upper":  `while read -r l; do echo "<$l>"; done`,
		"fail":   `exit 3`,
		"die":    `kill -9 $$`,
		"showA":  `echo "A=$A B=$B HOME=$HOME"`,
		"where":  `pwd`,
		"ignore": `exit 0`,
		"spin":   `while :; do :; done`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for name, value := range map[string]string{"PATH": dir, "HOME": "/hosthome", "A": "a", "B": "b"} {
		t.Setenv(name, value)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, script string
		want         result
	}{
		{"streams", "host greet you", result{"hello you\n", "warn you\n", 0}},
		{"to the kernel", "host greet you >/tmp/o 2>/tmp/e; cat /tmp/e /tmp/o", result{"warn you\nhello you\n", "", 0}},
		{"from the kernel", "echo text >/tmp/f; host upper </tmp/f", result{"<text>\n", "", 0}},
		{"between utilities", "echo a | host upper | cat; host greet x 2>&1 | host upper", result{"<a>\n<hello x>\n<warn x>\n", "", 0}},
		{"from a here-document", "host upper <<E\na\nb\nE", result{"<a>\n<b>\n", "", 0}},
		{"input that nobody reads", "mknod /tmp/p p; exec 3<>/tmp/p; host ignore <&3; echo $?", result{"0\n", "", 0}},
		{"its environment", "export B=kernel; A=given host showA", result{"A=given B=b HOME=/hosthome\n", "", 0}},
		{"its directory", "cd /tmp; host where", result{wd + "\n", "", 0}},
		{"its status", "host fail; echo $?; host die; echo $?", result{"3\n137\n", "", 0}},
		{"not there", "host nosuch; echo $?; host ls; echo $?", result{"127\n127\n", "sh: host: nosuch: not found\nsh: host: ls: not found\n", 0}},
		{"a job that is killed", "host spin & kill %1; wait $!; echo $?", result{"143\n", "", 0}},
		{"nothing", "host", result{"", "usage: host command [argument ...]\n", 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := shellEnv(t, newProcess(t, newKernel(t)), &util.Env{
				Args: []string{"sh", "-c", c.script}, Getenv: os.Getenv, Set: all.Set{},
			})
			compare(t, got, c.want)
		})
	}
}
