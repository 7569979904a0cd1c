package pax_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// ask is what pax(1) says when it is at the end of a volume.
func ask(n int) string {
	return fmt.Sprintf("\nATTENTION! pax archive volume change required.\nReady for archive volume: %d\n", n) + askName
}

const (
	askName = "Input archive name or \".\" to quit pax.\nArchive name > "
	limit   = "pax: User specified archive volume byte limit reached.\n"
)

// end is what it says before, if a volume that it reads ends.
func end(n int) string { return fmt.Sprintf("pax: End of archive volume %d reached\n", n) + ask(n+1) }

// TestVolumes writes archives of several volumes of every format with -B, and reads and appends to them: pax(1).
func TestVolumes(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 1500)
	for _, format := range []string{"bcpio", "cpio", "sv4cpio", "sv4crc", "tar", "ustar"} {
		t.Run(format, func(t *testing.T) {
			boot(t).Check([]utiltest.Step{
				{Cmd: "dd of=/src/big msgfmt=quiet", In: big},
				{Cmd: "pax -w -x " + format + " -b 5k -B 10k -f /v1 /src/sub /src/big /src/one", In: "/v2\n/v3\n",
					Out: removing + limit + ask(2) + limit + ask(3)},
				{Cmd: "stat -f %z /v1 /v2", Out: "10240\n10240\n"},
				{Cmd: "pax -f /v1", In: "/v2\n/v3\n", Out: "src/sub\nsrc/sub/two\nsrc/big\n" + end(1) + end(2) + "src/one\n"},
				{Cmd: "pax -r -f /v1 -s /^src/dst/", In: "/v2\n/v3\n", Out: end(1) + end(2)},
				{Cmd: "cmp /src/big /dst/big"},
				{Cmd: "pax -wa -f /v1 -s /one/1/ /src/one", In: "/v2\n/v3\n", Out: end(1) + end(2) + removing},
				{Cmd: "pax -f /v1 *1", In: "/v2\n/v3\n", Out: end(1) + end(2) + "src/1\n"},
				{Cmd: "pax -O -f /v1", Out: "src/sub\nsrc/sub/two\nsrc/big\npax: End of archive volume 1 reached\n" +
					"pax: Premature end of file on archive read\n", Status: 1},
			})
		})
	}
}

// TestVolumeNames holds the answers to the question for a name against pax(1), and the summary of each volume.
func TestVolumeNames(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "dd of=/src/big msgfmt=quiet", In: strings.Repeat("x", 4096)},
		{Cmd: "pax -w -v -b 2k -B 4k -f /v1 /src/big /src/one", In: "\n..\n/nope/v2\n/src\n/v2\n",
			Out: removing + "src/big\nsrc/one\n" + limit + "pax: ustar vol 1, 2 files, 0 bytes read, 4096 bytes written in 1 secs (4096 bytes/sec)\n" +
				ask(2) + "Empty file name, try again\n" + askName + "Illegal file name: .. try again\n" +
				askName + "pax: Failed open to write on /nope/v2 (No such file or directory)\nCannot open /nope/v2, try again\n" +
				askName + "pax: Failed open to write on /src (Is a directory)\nCannot open /src, try again\n" +
				askName + "pax: ustar vol 2, 0 files, 0 bytes read, 4096 bytes written in 1 secs (4096 bytes/sec)\n"},
		{Cmd: "pax -w -B 5k -b 5k -f /v1 /src/big", In: ".\n", Out: removing + limit + ask(2) + "Quitting pax!\n", Status: 1},
		{Cmd: "pax -w -B 5k -b 5k -f /v1 /src/big", Out: removing + limit + ask(2) + "Quitting pax!\n", Status: 1},
		{Cmd: "pax -w -O -B 5k -b 5k -f /v1 /src/big", Out: removing + limit, Status: 1},
		{Cmd: "pax -w -B 5k -b 5k -f /v1", In: "/src/big\n", Out: removing + limit +
			"pax: Fatal error, standard input is not there to ask for the next volume\n", Status: 1},
		{Cmd: "pax -w -B 1k -b 5k -f /v1 /src/one", Out: removing},
		{Cmd: "stat -f %z /v1", Out: "5120\n"},
	})
}

// TestVolumeFull writes an archive to a file system that has no room for it: pax(1) goes on with the next volume.
func TestVolumeFull(t *testing.T) {
	k := boot(t)
	big := strings.Repeat("0123456789abcdef", 40_000)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/src/big obs=64k msgfmt=quiet", In: big},
		{Cmd: "mkdir /small"},
		{Cmd: "mount_tmpfs -s 262144 tmpfs /small"},
		{Cmd: "pax -w -f /small/v1 /src/big", In: "/v2\n", Out: removing + "pax: End of archive volume 1 reached\n" + ask(2)},
		{Cmd: "pax -rz -f /small/v1", Out: "pax: Cannot uncompress the archive (gzip: invalid header)\n", Status: 1},
		{Cmd: "pax -r -f /small/v1 -s /^src/dst/", In: "/v2\n", Out: end(1)},
		{Cmd: "cmp /src/big /dst/big"},
	})
}

// TestVolumesCompressed writes volumes each of which is compressed by itself, the first to standard output.
func TestVolumesCompressed(t *testing.T) {
	k := boot(t)
	var out, msg bytes.Buffer
	k.Check([]utiltest.Step{{Cmd: "dd of=/src/big msgfmt=quiet", In: strings.Repeat("0123456789abcdef", 1000)}})
	if k.RunStreams(t.Context(), strings.NewReader("/v2\n"), &out, &msg, utiltest.Words("pax -wz -B 10k -b 5k /src/big")...) != 0 {
		t.Fatalf("%s", msg.String())
	}
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/v1 msgfmt=quiet", In: out.String()},
		{Cmd: "pax -rz -f /v1 -s /^src/dst/", In: "/v2\n", Out: end(1)},
		{Cmd: "cmp /src/big /dst/big"},
	})
}
