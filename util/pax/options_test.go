package pax_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/pax"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestFormats writes, appends to, lists and extracts every format of pax(1), with special files and hard links.
func TestFormats(t *testing.T) {
	for _, format := range []string{"bcpio", "cpio", "sv4cpio", "sv4crc", "ustar"} {
		t.Run(format, func(t *testing.T) {
			boot(t).Check([]utiltest.Step{
				{Cmd: "mknod /src/fifo p"},
				{Cmd: "mknod /src/dev c 2 3"},
				{Cmd: "ln /src/one /src/zwei"},
				{Cmd: "pax -w -x " + format + " -f /a /src/sub /src/fifo", Out: removing},
				{Cmd: "pax -wa -f /a /src/one /src/zwei /src/dev /src/link", Out: removing},
				{Cmd: "pax -f /a", Out: "src/sub\nsrc/sub/two\nsrc/fifo\nsrc/one\nsrc/zwei\nsrc/dev\nsrc/link\n"},
				{Cmd: "pax -r -f /a -s /^src/dst/"},
				{Cmd: "ls -F /dst", Out: "dev\nfifo|\nlink@\none\nsub/\nzwei\n"},
				{Cmd: "cat /dst/one /dst/zwei /dst/sub/two /dst/link", Out: "one\none\ntwo\none\n"},
				{Cmd: "ls -l /dst/one /dst/zwei /dst/dev", Out: "crw-r--r--  1 0  0  2, 3 <date> /dst/dev\n" +
					"-rw-r--r--  2 0  0     4 <date> /dst/one\n-rw-r--r--  2 0  0     4 <date> /dst/zwei\n"},
			})
		})
	}
}

// TestOldTar holds the old format against tar(5): it has no special files, and may go without directories.
func TestOldTar(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "mknod /src/fifo p"},
		{Cmd: "pax -w -x tar -f /a /src", Out: removing + "pax: Tar cannot archive a fifo /src/fifo\n", Status: 1},
		{Cmd: "pax -f /a", Out: "src\nsrc/sub\nsrc/sub/two\nsrc/one\nsrc/link\n"},
		{Cmd: "pax -w -x tar -o write_opt=nodir -f /a /src/sub", Out: removing},
		{Cmd: "pax -f /a", Out: "src/sub/two\n"},
		{Cmd: "pax -wa -x cpio -f /a /src/one", Out: "pax: Cannot mix current archive format tar with cpio\n", Status: 1},
	})
}

// TestLongNames holds names and links that ustar has no room for against pax(1): 250 characters, divided at a slash.
func TestLongNames(t *testing.T) {
	k := boot(t)
	n99, n101 := strings.Repeat("a", 99), strings.Repeat("b", 101)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /src/" + n99},
		{Cmd: "dd of=/src/" + n99 + "/" + n99 + " msgfmt=quiet", In: "x"},
		{Cmd: "pax -w -f /a /src/" + n99, Out: removing},
		{Cmd: "pax -f /a", Out: "src/" + n99 + "\nsrc/" + n99 + "/" + n99 + "\n"},
		{Cmd: "dd of=/src/" + n101 + " msgfmt=quiet", In: "x"},
		{Cmd: "pax -w -f /a /src/" + n101, Out: removing + "pax: File name too long for ustar src/" + n101 + "\n", Status: 1},
		{Cmd: "pax -f /a", Out: "pax: Failed open to read on /a (No such file or directory)\n", Status: 1},
		{Cmd: "ln -s " + n101 + " /src/long"},
		{Cmd: "pax -w -f /a /src/long", Out: removing + "pax: Link name too long for ustar " + n101 + "\n", Status: 1},
		{Cmd: "tar -c -f /a -C /src long " + n101},
		{Cmd: "tar -t -f /a", Out: "long\n" + n101 + "\n"},
	})
}

// TestSelect holds patterns and -c, -d, -n, -U, -G, -T against pax(1).
func TestSelect(t *testing.T) {
	k := boot(t)
	sys := k.Process().Sys()
	old := abi.Timespec{Sec: 1_000_000_000}
	if err := sys.Utimens("/src/one", old, old); err != nil {
		t.Fatal(err)
	}
	if err := sys.Chown("/src/sub/two", 5, 6); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "pax -w -f /a /src", Out: removing},
		{Cmd: "pax -f /a src/sub", Out: "src/sub\nsrc/sub/two\n"},
		{Cmd: "pax -d -f /a src/sub", Out: "src/sub\n"},
		{Cmd: "pax -c -f /a src/sub", Out: "src\nsrc/one\nsrc/link\n"},
		{Cmd: "pax -f /a *n*", Out: "src/one\nsrc/link\n"},
		{Cmd: "pax -n -f /a *n* nope", Out: "src/one\npax: WARNING! These patterns were not matched:\nnope\n", Status: 1},
		{Cmd: "pax -U #5 -f /a", Out: "src/sub/two\n"},
		{Cmd: "pax -G #0 -f /a", Out: "src\nsrc/sub\nsrc/one\nsrc/link\n"},
		{Cmd: "pax -T ,200101010000 -f /a", Status: 0},
		{Cmd: "pax -T ,200201010000 -f /a", Out: "src/one\n"},
		{Cmd: "pax -T 200201010000 -w -f /b /src/one /src/link", Out: removing},
		{Cmd: "pax -f /b", Out: "src/link\n"},
		{Cmd: "pax -vf /b nope", Out: "pax: WARNING! These patterns were not matched:\nnope\n" +
			"pax: ustar vol 1, 1 files, 10240 bytes read, 0 bytes written in 1 secs (10240 bytes/sec)\n", Status: 1},
	})
}

// TestRename holds -s and -i against pax(1).
func TestRename(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "pax -w -f /a /src", Out: removing},
		{Cmd: "pax -r -f /a -s ,^src/one,dst/1,p -s ,^src/link,, -s ,.*,,", Out: "src/one >> dst/1\n"},
		{Cmd: "ls /dst", Out: "1\n"},
		{Cmd: "pax -f /a -s /s/S/g -s ',\\(.*\\)/o,\\1/&,'", Out: "Src\nSrc/Sub\nSrc/Sub/two\nSrc/one\nSrc/link\n"},
		{Cmd: "pax -ri -f /a src/one src/link", In: "/dst/new\n\n", Out: "\nATTENTION: pax interactive file rename operation.\n" +
			"-rw-r--r-- <date> src/one\nInput new name, or a \".\" to keep the old name, or a \"return\" to skip this file.\n" +
			"Input > Processing continues, name changed to: /dst/new\n" + removing +
			"\nATTENTION: pax interactive file rename operation.\n" +
			"lrwxr-xr-x <date> src/link\nInput new name, or a \".\" to keep the old name, or a \"return\" to skip this file.\nInput > Skipping file.\n"},
		{Cmd: "ls /dst", Out: "1\nnew\n"},
	})
}

// TestExisting holds -k, -u and -Z against pax(1).
func TestExisting(t *testing.T) {
	k := boot(t)
	old := abi.Timespec{Sec: 1_000_000_000}
	if err := k.Process().Sys().Utimens("/src/one", old, old); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "pax -w -f /a /src/one", Out: removing},
		{Cmd: "dd of=/src/one msgfmt=quiet", In: "newer"},
		{Cmd: "pax -rk -f /a"},
		{Cmd: "cat /src/one", Out: "newer"},
		{Cmd: "pax -ru -f /a"},
		{Cmd: "cat /src/one", Out: "newer"},
		{Cmd: "pax -r -Z -f /a"},
		{Cmd: "cat /src/one", Out: "newer"},
		{Cmd: "pax -wau -f /a /src/one", Out: removing},
		{Cmd: "pax -wau -f /a /src/one"},
		{Cmd: "pax -f /a", Out: "src/one\nsrc/one\n"},
		{Cmd: "rm /src/one"},
		{Cmd: "pax -rv -f /a", Out: "src/one\nsrc/one\npax: ustar vol 1, 2 files, 10240 bytes read, 0 bytes written in 1 secs (10240 bytes/sec)\n"},
		{Cmd: "cat /src/one", Out: "newer"},
		{Cmd: "ls -a /src", Out: ".\n..\nlink\none\nsub\n"},
	})
}

// TestCopy holds -rw against pax(1).
func TestCopy(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "ln /src/one /src/also"},
		{Cmd: "pax -rw /src /nope", Out: "pax: Cannot access destination directory /nope (No such file or directory)\n", Status: 1},
		{Cmd: "pax -rw /src /src/one", Out: "pax: Destination is not a directory /src/one\n", Status: 1},
		{Cmd: "pax -rw /dst", In: "/src/one\n/src/also\n/src/link\n"},
		{Cmd: "ls -l /dst/src/one /dst/src/also", Out: "-rw-r--r--  2 0  0  4 <date> /dst/src/also\n-rw-r--r--  2 0  0  4 <date> /dst/src/one\n"},
		{Cmd: "pax -rw0 /dst", In: "/src/sub\x00"},
		{Cmd: "cat /dst/src/sub/two", Out: "two\n"},
		{Cmd: "mkdir /src/to"},
		{Cmd: "pax -rwl /src/one /src/to"},
		{Cmd: "ls -l /src/one", Out: "-rw-r--r--  3 0  0  4 <date> /src/one\n"},
		{Cmd: "pax -rw /src/one /", Out: "pax: Unable to copy /src/one, file would overwrite itself\n", Status: 1},
		{Cmd: "pax -rw /src /src/to", Out: "pax: Unable to copy /src/to/src/one, file would overwrite itself\n" +
			"pax: Unable to copy /src/to into itself\n", Status: 1},
		{Cmd: "ls /src/to/src", Out: "also\nlink\none\nsub\n"},
		{Cmd: "pax -rw -L -s /link/file/ /src/link /dst"},
		{Cmd: "ls -F /dst/src/file", Out: "/dst/src/file\n"},
		{Cmd: "pax -rw /src/nope /dst", Out: "pax: Cannot access /src/nope (No such file or directory)\n", Status: 1},
	})
}

// TestAttributes holds -p against pax(1).
func TestAttributes(t *testing.T) {
	k := boot(t)
	sys := k.Process().Sys()
	old := abi.Timespec{Sec: 1_000_000_000}
	for _, step := range []func() error{
		func() error { return sys.Chown("/src/one", 5, 6) },
		func() error { return sys.Chmod("/src/one", 0o4777) },
		func() error { return sys.Chmod("/src/sub", 0o550) },
		func() error { return sys.Utimens("/src/one", old, old) },
		func() error { return sys.Utimens("/src/sub", old, old) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	k.Check([]utiltest.Step{
		{Cmd: "pax -w -f /a /src", Out: removing},
		{Cmd: "pax -r -f /a -s ,^src,dst/plain,"},
		{Cmd: "ls -lT /dst/plain/one", Out: "-rwxr-xr-x  1 0  0  4 <date> /dst/plain/one\n"},
		{Cmd: "pax -r -p e -f /a -s ,^src,dst/kept,"},
		{Cmd: "ls -l /dst/kept/one", Out: "-rwsrwxrwx  1 5  6  4 <date> /dst/kept/one\n"},
		{Cmd: "pax -r -p p -f /a -s ,^src,dst/perm,"},
		{Cmd: "ls -l /dst/perm/one", Out: "-rwxrwxrwx  1 0  0  4 <date> /dst/perm/one\n"},
		{Cmd: "pax -r -p am -f /a -s ,^src,dst/now,"},
		{Cmd: "pax -r -p x -f /a", Status: 1, Out: usageWith("pax: Invalid -p string: x\n")},
	})
	for name, want := range map[string]bool{"plain": true, "kept": true, "now": false} {
		for _, file := range []string{"/one", "/sub"} {
			var st abi.Stat
			if err := sys.Lstat("/dst/"+name+file, &st); err != nil || (st.Mtim.Sec == old.Sec) != want {
				t.Errorf("%s%s: %v %v", name, file, st.Mtim, err)
			}
		}
	}
}

// usageWith is a message with the usage of pax after it.
func usageWith(message string) string {
	return message + "usage: pax " + strings.Join(pax.Utility.Usage, "\n       pax ") + "\n"
}

// TestMisuse holds what is refused against pax(1).
func TestMisuse(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "pax -a", Out: usageWith(""), Status: 1},
		{Cmd: "pax -rl", Out: usageWith("pax: Invalid combination of options: -r -l\n"), Status: 1},
		{Cmd: "pax -w -b 513", Out: usageWith("pax: Block size is not a 512 byte multiple.\n"), Status: 1},
		{Cmd: "pax -w -b 1m", Out: usageWith("pax: Block size is greater than the maximum 64512\n"), Status: 1},
		{Cmd: "pax -w -B 513", Out: usageWith("pax: Write limit is not a 512 byte multiple\n"), Status: 1},
		{Cmd: "pax -w -B -1", Out: usageWith("pax: Invalid write limit -1\n"), Status: 1},
		{Cmd: "pax -B 1m", Out: usageWith("pax: Invalid combination of options: -B\n"), Status: 1},
		{Cmd: "pax -w -x zip", Out: usageWith("pax: Unknown -x format: zip\npax: Known -x formats are: bcpio cpio sv4cpio sv4crc tar ustar\n\n"), Status: 1},
		{Cmd: "pax -rw", Out: usageWith("pax: Destination directory was not supplied\n"), Status: 1},
		{Cmd: "pax -wa /src", Out: "pax: Cannot append to an archive obtained from a pipe.\n", Status: 1},
		{Cmd: "pax -w -f /src /src", Out: "pax: Failed open to write on /src (Is a directory)\n", Status: 1},
		{Cmd: "pax", In: "no archive", Out: "pax: Sorry, unable to determine archive format.\n", Status: 1},
		{Cmd: "pax -V", In: "no archive", Out: "pax: Sorry, unable to determine archive format.\n" +
			"pax: unknown format, 10 bytes skipped in 1 secs (10 bytes/sec)\n", Status: 1},
	})
}

// TestFrontEnds holds tar and cpio against their manual pages.
func TestFrontEnds(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "tar cf /a -C /src one sub -C sub two"},
		{Cmd: "tar tf /a", Out: "one\nsub\nsub/two\ntwo\n"},
		{Cmd: "tar xvf /a -C /dst one", Out: "one\ntar: ustar vol 1, 4 files, 10240 bytes read, 0 bytes written in 1 secs (10240 bytes/sec)\n"},
		{Cmd: "ls /dst", Out: "one\n"},
		{Cmd: "tar xOf /a sub/two", Out: "two\n"},
		{Cmd: "dd of=/skip msgfmt=quiet", In: "tw*\n"},
		{Cmd: "tar cXf /skip /a -C /src sub"},
		{Cmd: "tar tf /a", Out: "sub\n"},
		{Cmd: "tar czf /a -C /src one"},
		{Cmd: "tar tzf /a", Out: "one\n"},
		{Cmd: "cpio -o -v -O /c", In: "/src/one\n/src/sub\n", Out: "cpio: Removing leading / from absolute path names in the archive\nsrc/one\nsrc/sub\n1 blocks\n" +
			"cpio: bcpio vol 1, 2 files, 0 bytes read, 5120 bytes written in 1 secs (5120 bytes/sec)\n"},
		{Cmd: "cpio -itI /c", Out: "src/one\nsrc/sub\n"},
		{Cmd: "rm /src/one"},
		{Cmd: "cpio -i -I /c src/one"},
		{Cmd: "cat /src/one", Out: "one\n"},
		{Cmd: "cpio -pd /dst", In: "/src/one\n"},
		{Cmd: "cat /dst/src/one", Out: "one\n"},
		{Cmd: "cpio -p /dst/src", In: "/src/sub/two\n", Out: "cpio: Cannot create /dst/src/src/sub/two (No such file or directory)\n", Status: 1},
	})
}
