package pax_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/pax"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestOwners holds -N against pax(1): the names in an archive are those of another directory, those of -U are not.
func TestOwners(t *testing.T) {
	k := boot(t)
	if err := k.Process().Sys().Chown("/src/one", 5, 6); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "mkdir -p /etc /db /half"},
		{Cmd: "dd of=/etc/passwd msgfmt=quiet", In: "five:*:5:6::/:\n"},
		{Cmd: "dd of=/db/master.passwd msgfmt=quiet", In: "joe:*:5:6::0:0:Joe:/:/bin/sh\neve:*:7:7::0:0::/:\n"},
		{Cmd: "dd of=/db/group msgfmt=quiet", In: "staff:*:6:\nmore:*:8:\n"},
		{Cmd: "dd of=/half/group msgfmt=quiet", In: "staff:*:6:\n"},
		{Cmd: "pax -w -N /db -U five -f /a /src/one /src/sub", Out: removing},
		{Cmd: "pax -v -O -N /db -f /a", Out: "-rw-r--r--  1 joe      staff          4 <date> src/one\n" +
			"pax: ustar vol 1, 1 files, 10240 bytes read, 0 bytes written in 1 secs (10240 bytes/sec)\n"},
		{Cmd: "dd of=/db/master.passwd msgfmt=quiet", In: "joe:*:7:7::0:0::/:\n"},
		{Cmd: "dd of=/db/group msgfmt=quiet", In: "staff:*:8:\n"},
		{Cmd: "pax -r -p e -N /db -s ,^src,dst, -f /a"},
		{Cmd: "ls -ln /dst/one", Out: "-rw-r--r--  1 7  8  4 <date> /dst/one\n"},
		{Cmd: "pax -w -N /half /src", Out: usageWith("pax: Unable to use user and group databases in `/half'\n"), Status: 1},
		{Cmd: "pax -w -N /db -U joe /src", Out: usageWith("pax: Unable to find uid for user: joe\n"), Status: 1},
	})
}

// TestTimestamp holds --timestamp against pax(1): a file, a date and seconds. The times of the files themselves stay, with -t too.
func TestTimestamp(t *testing.T) {
	k := boot(t)
	sys := k.Process().Sys()
	old := abi.Timespec{Sec: 1_000_000_000}
	if err := sys.Utimens("/src/one", old, old); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]int64{"/src/one": old.Sec, "'2016-05-04 03:02:01'": 1462330921, "0x10": 16} {
		k.Check([]utiltest.Step{
			{Cmd: "pax -w -t --timestamp " + arg + " -f /a /src/one /src/sub", Out: removing},
			{Cmd: "pax -r -f /a -s ,^src,dst,"},
			{Cmd: "tar -c -f /a --timestamp " + arg + " -C /src sub"},
			{Cmd: "tar -x -f /a -C /dst sub/two"},
		})
		for path, want := range map[string]int64{"/dst/one": want, "/dst/sub/two": want, "/src/one": old.Sec} {
			var st abi.Stat
			if err := sys.Stat(path, &st); err != nil || st.Mtim.Sec != want {
				t.Errorf("%s: %s: %d %v, want %d", arg, path, st.Mtim.Sec, err, want)
			}
		}
		k.Check([]utiltest.Step{{Cmd: "rm -r /dst/one /dst/sub"}})
	}
	k.Check([]utiltest.Step{
		{Cmd: "pax -w --timestamp never /src", Out: usageWith("pax: Invalid timestamp `never'\n"), Status: 1},
	})
}

// TestLongOptions holds the long names of tar(1) and cpio(1) against their manual pages.
func TestLongOptions(t *testing.T) {
	long := "/src/" + strings.Repeat("l", 120)
	k := boot(t)
	k.Check([]utiltest.Step{
		{Cmd: "tar --create --verbose --file /a --directory /src one sub", Out: "one\nsub\nsub/two\n" +
			"tar: ustar vol 1, 3 files, 0 bytes read, 10240 bytes written in 1 secs (10240 bytes/sec)\n"},
		{Cmd: "tar --list --stats --file=/a", Out: "one\nsub\nsub/two\n" +
			"tar: ustar vol 1, 3 files, 10240 bytes read, 0 bytes written in 1 secs (10240 bytes/sec)\n"},
		{Cmd: "tar --get --preserve -f /a --exclude tw* --directory /dst"},
		{Cmd: "ls /dst /dst/sub", Out: "/dst:\none\nsub\n\n/dst/sub:\n"},
		{Cmd: "tar --create --gzip --no-recursion --file /a --absolute-paths /src/sub"},
		{Cmd: "tar tzPf /a", Out: "/src/sub\n"},
		{Cmd: "tar --create --strict --file /a " + long, Out: "tar: Cannot access " + long + " (No such file or directory)\n", Status: 1},
		{Cmd: "dd of=" + long + " msgfmt=quiet"},
		{Cmd: "tar --create --strict --file /a -C /src " + long[5:], Out: "tar: File name too long for ustar " + long[5:] + "\n", Status: 1},
		{Cmd: "pax -w --gnu --force-local -f /a:b " + long, Out: removing},
		{Cmd: "pax --gnu -f /a:b", Out: long[1:] + "\n"},
		{Cmd: "tar -c -f /a", Out: ""},
		{Cmd: "ls /a", Out: "ls: /a: No such file or directory\n", Status: 1},
		{Cmd: "cpio --create --file /c --format cpio", In: "/src/one\n/src/sub/two\n", Out: "cpio: Removing leading / from absolute path names in the archive\n"},
		{Cmd: "cpio --list --file /c --summary", Out: "src/one\nsrc/sub/two\n1 blocks\n" +
			"cpio: cpio vol 1, 2 files, 5120 bytes read, 0 bytes written in 1 secs (5120 bytes/sec)\n"},
		{Cmd: "dd of=/pats msgfmt=quiet", In: "*two\n"},
		{Cmd: "cpio --extract --list --nonmatching --pattern-file /pats --file /c", Out: "src/one\n"},
		{Cmd: "cpio -i6 -I /c --unconditional src/one"},
		{Cmd: "cpio --pass-through --make-directories --link /dst", In: "/src/sub/two\n"},
		{Cmd: "ls -l /dst/src/sub/two", Out: "-rw-r--r--  1 0  0  4 <date> /dst/src/sub/two\n"},
	})
}

// TestTarFiles holds -T against tar(1): names as they stand, from a file or standard input, with directories among them.
func TestTarFiles(t *testing.T) {
	usage := "usage: tar " + pax.Tar.Usage[0] + "\n"
	boot(t).Check([]utiltest.Step{
		{Cmd: "dd of=/src/o* msgfmt=quiet"},
		{Cmd: "tar cTf - /a", In: "-C /src\none\n-C\n/src/sub\ntwo\n"},
		{Cmd: "tar tf /a", Out: "one\ntwo\n"},
		{Cmd: "tar cf /a -C /src one o*"},
		{Cmd: "tar tfT /a -", In: "o*\n", Out: "o*\n"},
		{Cmd: "tar tf /a o*", Out: "one\no*\n"},
		{Cmd: "tar cfT /a /nope", Out: "tar: Unable to open file '/nope' for read\n" + usage, Status: 1},
		{Cmd: "tar cfT /a -", In: "one\n-C\n", Out: usage, Status: 1},
		{Cmd: "tar tOf /a", Out: "tar: The -O/-o options are only valid when writing or extracting an archive\n" + usage, Status: 1},
		{Cmd: "tar ctf /a", Out: usage, Status: 1},
		{Cmd: "tar ruf /a -C /src one"},
		{Cmd: "tar tf /a", Out: "one\no*\none\n"},
		{Cmd: "tar cf /a -C /src one link"},
		{Cmd: "ln -s /out /dst/in"},
		{Cmd: "mkdir /dst/out"},
		{Cmd: "tar x -f /a -s ,^,/in/, --chroot -C /dst one", Out: "tar: Removing leading / from absolute path names in the archive\n"},
		{Cmd: "ls /dst/out", Out: "one\n"},
	})
}
