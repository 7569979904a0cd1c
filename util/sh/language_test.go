package sh_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
)

// TestLanguage runs the scripts of testdata/language.txt on kernels of their own: by -c, from standard input, and on a
// kernel behind a socket. The file tells the oracle.
func TestLanguage(t *testing.T) {
	for _, s := range readScripts(t, "testdata/language.txt") {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			compare(t, shell(t, newProcess(t, newKernel(t)), "", "-c", s.text), s.want)
		})
		t.Run(s.name+" from input", func(t *testing.T) {
			t.Parallel()
			compare(t, shell(t, newProcess(t, newKernel(t)), s.text), s.want)
		})
		t.Run(s.name+" on a server", func(t *testing.T) {
			t.Parallel()
			compare(t, shell(t, dial(t, newKernel(t)), "", "-c", s.text), s.want)
		})
	}
}

// dial serves a kernel on a socket and returns a process there.
func dial(t *testing.T, k *rump.Kernel) *client.Process {
	t.Helper()
	url, err := k.Listen("unix://" + filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := client.Dial(context.Background(), url, "sh")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// TestHalt ends kernels under their shells. Oracle: what a shell of the host does when nothing works any more, said
// once, with the status of the last command.
func TestHalt(t *testing.T) {
	const message = "sh: kernel has halted\n"
	for _, c := range []struct {
		name, script string
		want         result
	}{
		{"halt", "halt", result{"", message, 0}},
		{"and more", "echo a; halt; echo no; ls", result{"a\n", message, 0}},
		{"in a subshell", "(halt); ls; echo no", result{"", message, 0}},
		{"in a pipeline", "halt | cat; while :; do ls; done; echo no", result{"", message, 0}},
		{"in a substitution", "x=$(halt); x=$(echo no); echo no", result{"", message, 0}},
		{"with a trap", "trap 'echo bye' EXIT; halt", result{"bye\n", message, 0}},
		{"while a job waits", "mknod /tmp/p p; cat /tmp/p 2>/dev/null & halt; wait; echo no", result{"", message, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			compare(t, shell(t, newProcess(t, newKernel(t)), "", "-c", c.script), c.want)
		})
		t.Run(c.name+" on a server", func(t *testing.T) {
			t.Parallel()
			compare(t, shell(t, dial(t, newKernel(t)), "", "-c", c.script), c.want)
		})
		t.Run(c.name+" in a session", func(t *testing.T) {
			t.Parallel()
			got := shell(t, newProcess(t, newKernel(t)), "PS1=\n"+c.script+"\necho no\n", "-i")
			got.err = strings.TrimPrefix(got.err, "testhost:/# ")
			got.err = strings.TrimPrefix(got.err, "[1] 4\n")
			compare(t, got, c.want)
		})
	}
}

// TestScripts runs files of the kernel. Oracle: XCU 2.9.1.1, execve(2) and sh(1) of NetBSD.
func TestScripts(t *testing.T) {
	k := newKernel(t)
	p := newProcess(t, k)
	for name, text := range map[string]string{
		"plain":   "echo $0 $# $1 [$local] $exported; local=changed; cd /; exit 3\n",
		"errexit": "#!/bin/sh -e\nfalse\necho no\n",
		"cat":     "#! /bin/cat\ntext\n",
		"perl":    "#!/usr/bin/perl\n",
		"binary":  "\x7fELF\x00\n",
		"syntax":  "echo a\n)\n",
		"empty":   "",
	} {
		if err := p.WriteFile("/tmp/"+name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, script string
		want         result
	}{
		{"a script", "local=1; export exported=2; cd /tmp; ./plain a b; echo $? $local; pwd",
			result{"./plain 2 a [] 2\n3 1\n/tmp\n", "", 0}},
		{"an option", "/tmp/errexit; echo $?", result{"1\n", "", 0}},
		{"another utility", "/tmp/cat", result{"#! /bin/cat\ntext\n", "", 0}},
		{"no such interpreter", "/tmp/perl", result{"", "sh: /tmp/perl: perl: not found\n", 126}},
		{"a binary", "/tmp/binary", result{"", "sh: /tmp/binary: Exec format error\n", 126}},
		{"a directory", "/tmp", result{"", "sh: /tmp: Is a directory\n", 126}},
		{"bad syntax", "/tmp/syntax; echo $?",
			result{"a\n2\n", "sh: /tmp/syntax: line 2: syntax error: `)` can only be used to close a subshell\n", 0}},
		{"nothing", "false; /tmp/empty; echo $?", result{"0\n", "", 0}},
		{"sh", "sh /tmp/plain x; sh -c 'echo $0 $1' a b; echo 'echo $1' | sh -s in; sh -x -c :; sh /tmp/binary; echo $?",
			result{"/tmp/plain 1 x []\na b\nin\n126\n", "+ :\nsh: /tmp/binary: Exec format error\n", 0}},
		{"options of sh", "sh -ec 'false; echo no'; echo $?; sh -o nounset -c 'echo $x'; sh -nc 'echo no'; sh -z; sh -c; echo $?",
			result{"1\n2\n", "sh: x: parameter not set\n" +
				"sh: illegal option -z\n" + usage + "sh: -c requires an argument\n" + usage, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			compare(t, shell(t, newProcess(t, k), "", "-c", c.script), c.want)
		})
	}
}

const usage = `usage: sh [-aCefIinuvx] [-o option] [file [argument ...]]
       sh [-aCefIinuvx] [-o option] -c string [name [argument ...]]
       sh [-aCefIinuvx] [-o option] -s [argument ...]
`
