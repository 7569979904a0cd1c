package pax_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const removing = "pax: Removing leading / from absolute path names in the archive\n"

// boot returns a kernel with the files of transcript core-12.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /src /dst"},
		{Cmd: "mount_tmpfs tmpfs /src"},
		{Cmd: "mount_tmpfs tmpfs /dst"},
		{Cmd: "mkdir -p /src/sub"},
		{Cmd: "dd of=/src/one msgfmt=quiet", In: "one\n"},
		{Cmd: "dd of=/src/sub/two msgfmt=quiet", In: "two\n"},
		{Cmd: "ln -s one /src/link"},
	})
	return k
}

// TestTranscript holds pax against transcript core-12.
func TestTranscript(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "pax -f /nope", Out: "pax: Failed open to read on /nope (No such file or directory)\n", Status: 1},
		{Cmd: "pax -w -x ustar -f /arch.tar /src", Out: removing},
		{Cmd: "pax -f /arch.tar", Out: "src\nsrc/sub\nsrc/sub/two\nsrc/one\nsrc/link\n"},
		{Cmd: "pax -vf /arch.tar", Out: "drwxr-xr-x  2 0        0              0 <date> src\n" +
			"drwxr-xr-x  2 0        0              0 <date> src/sub\n" +
			"-rw-r--r--  1 0        0              4 <date> src/sub/two\n" +
			"-rw-r--r--  1 0        0              4 <date> src/one\n" +
			"lrwxr-xr-x  1 0        0              0 <date> src/link -> one\n" +
			"pax: ustar vol 1, 5 files, 10240 bytes read, 0 bytes written in 1 secs (10240 bytes/sec)\n"},
		{Cmd: "pax -r -f /arch.tar -s ',^/src,/dst,'"},
		{Cmd: "ls -1R /dst"},
		{Cmd: "pax -rw /src /dst"},
		{Cmd: "ls -1R /dst", Out: "src\n\n/dst/src:\nlink\none\nsub\n\n/dst/src/sub:\ntwo\n"},
	})
}
