package pax_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestMtree holds -M against pax(1): what a specification has is written, with its attributes or those of the file, and made up if
// there is no such file.
func TestMtree(t *testing.T) {
	k := boot(t)
	if err := k.Process().Sys().Utimens("/src/one", abi.Timespec{Sec: 7}, abi.Timespec{Sec: 7}); err != nil {
		t.Fatal(err)
	}
	const spec = "# a specification\n/set type=dir uid=0 gid=0\n. mode=0755\nsrc optional\n one type=file mode=0600 uname=joe \\\n  gid=6 time=1000000000.000000000\n" +
		" link type=link link=elsewhere\n nope type=file optional\n..\n/set type=char mode=0620\nnew type=dir mode=0700 time=5.0\n" +
		" tty device=native,2,3\n sd0 type=block device=4099\n sym type=link link=a\\sb mode=0777\n fifo type=fifo\n..\n"
	const list = ".\n./src/one\n./src/link\n./new\n./new/tty\n./new/sd0\n./new/sym\n./new/fifo\n"
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /etc"},
		{Cmd: "dd of=/etc/passwd msgfmt=quiet", In: "joe:*:5:6::/:\n"},
		{Cmd: "pax -w -M -t -f /a", In: spec},
		{Cmd: "pax -f /a", Out: list},
		{Cmd: "pax -O -v -f /a ./src/* ./new/*", Out: "-rw-------  1 joe      6              4 <date> ./src/one\n" +
			"lrwxr-xr-x  1 0        0              0 <date> ./src/link -> elsewhere\n" +
			"crw--w----  1 0        0         2,   3 <date> ./new/tty\nbrw--w----  1 0        0        16,   3 <date> ./new/sd0\n" +
			"lrwxrwxrwx  1 0        0              0 <date> ./new/sym -> a b\nprw--w----  1 0        0              0 <date> ./new/fifo\n" +
			"pax: ustar vol 1, 8 files, 10240 bytes read, 0 bytes written in 1 secs (10240 bytes/sec)\n"},
		{Cmd: "stat -f %m /src/one", Out: "7\n"},
		{Cmd: "pax -rw -M -p e /dst", In: spec},
		{Cmd: "stat -f '%N %p %u %g %m' /dst/src/one /dst/new", Out: "/dst/src/one 100600 5 6 1000000000\n/dst/new 40700 0 0 5\n"},
		{Cmd: "cat /dst/src/one", Out: "one\n"},
		{Cmd: "ls -l /dst/new/tty", Out: "crw--w----  1 0  0  2, 3 <date> /dst/new/tty\n"},
	})
	k.Check([]utiltest.Step{
		{Cmd: "pax -w -M -f /b", In: ". type=dir\nsrc type=file\n", Out: "pax: line 2: ./src: type mismatch: specfile file, tree dir\n", Status: 1},
		{Cmd: "pax -w -M -f /b", In: ". type=dir\nnope type=file uid=0\n", Out: "pax: line 2: ./nope: mode not specified\n", Status: 1},
		{Cmd: "pax -w -M -f /b", In: ". type=dir\nnope type=char uid=0 gid=0 mode=0\n", Out: "pax: line 2: ./nope: device number not specified\n", Status: 1},
		{Cmd: "pax -w -M -f /b", In: ". type=dir\nnope type=file uid=0 gid=0 mode=0\n",
			Out: "pax: Unable to open ./nope to read (No such file or directory)\n", Status: 1},
		{Cmd: "pax -w -M -f /b", In: "src type=dir\n", Out: "pax: First node of specfile is not `.' directory\n", Status: 1},
		{Cmd: "pax -w -M -f /b /src", Out: "pax: The -M flag is only supported when reading file list from stdin\n", Status: 1},
		{Cmd: "pax -r -M -f /a", Out: usageWith("pax: Invalid combination of options: -r -M -f\n"), Status: 1},
	})
}
