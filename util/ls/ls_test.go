package ls_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// directory boots a kernel with the directory of transcript core-06.
func directory(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /d"},
		{Cmd: "mount_tmpfs tmpfs /d"},
		{Cmd: "mkdir -p /d/sub /d/.hidden"},
		{Cmd: "dd of=/d/a msgfmt=quiet", In: "abc\n"},
		{Cmd: "dd of=/d/bb msgfmt=quiet", In: "defg\n"},
		{Cmd: "ln -s a /d/sym"},
		{Cmd: "ln /d/a /d/hard"},
		{Cmd: "mknod /d/chr c 2 0"},
		{Cmd: "mknod /d/pipe p"},
	})
	return k
}

const names = ".hidden\na\nbb\nchr\nhard\npipe\nsub\nsym\n"

// TestTranscript holds ls against transcript core-06.
func TestTranscript(t *testing.T) {
	directory(t).Check([]utiltest.Step{
		{Cmd: "ls -1 /d", Out: names},
		{Cmd: "ls /d", Out: names},
		{Cmd: "ls -1a /d", Out: ".\n..\n" + names},
		{Cmd: "ls -1A /d", Out: names},
		{Cmd: "ls -1F /d", Out: ".hidden/\na\nbb\nchr\nhard\npipe|\nsub/\nsym@\n"},
		{Cmd: "ls -l /d", Out: "total 32\n" +
			"drwxr-xr-x  2 0  0     0 <date> .hidden\n" +
			"-rw-r--r--  2 0  0     4 <date> a\n" +
			"-rw-r--r--  1 0  0     5 <date> bb\n" +
			"crw-r--r--  1 0  0  2, 0 <date> chr\n" +
			"-rw-r--r--  2 0  0     4 <date> hard\n" +
			"prw-r--r--  1 0  0     0 <date> pipe\n" +
			"drwxr-xr-x  2 0  0     0 <date> sub\n" +
			"lrwxr-xr-x  1 0  0     1 <date> sym -> a\n"},
		{Cmd: "ls -ln /d/a /d/sym", Out: "-rw-r--r--  2 0  0  4 <date> /d/a\nlrwxr-xr-x  1 0  0  1 <date> /d/sym -> a\n"},
		{Cmd: "ls -1s /d/a", Out: "8 /d/a\n"},
		{Cmd: "ls -1R /d", Out: names + "\n/d/.hidden:\n\n/d/sub:\n"},
		{Cmd: "ls -1d /d", Out: "/d\n"},
		{Cmd: "ls -lS /d", Out: "total 32\n" +
			"-rw-r--r--  1 0  0     5 <date> bb\n" +
			"-rw-r--r--  2 0  0     4 <date> a\n" +
			"-rw-r--r--  2 0  0     4 <date> hard\n" +
			"lrwxr-xr-x  1 0  0     1 <date> sym -> a\n" +
			"drwxr-xr-x  2 0  0     0 <date> .hidden\n" +
			"crw-r--r--  1 0  0  2, 0 <date> chr\n" +
			"prw-r--r--  1 0  0     0 <date> pipe\n" +
			"drwxr-xr-x  2 0  0     0 <date> sub\n"},
		{Cmd: "ls -1r /d", Out: "sym\nsub\npipe\nhard\nchr\nbb\na\n.hidden\n"},
		{Cmd: "ls -C /d", Out: ".hidden a       bb      chr     hard    pipe    sub     sym\n"},
		{Cmd: "ls -m /d", Out: ".hidden, a, bb, chr, hard, pipe, sub, sym\n"},
		{Cmd: "ls -x /d", Out: ".hidden a       bb      chr     hard    pipe    sub     sym     \n"},
		{Cmd: "ls -1p /d", Out: ".hidden/\na\nbb\nchr\nhard\npipe\nsub/\nsym\n"},
		{Cmd: "ls -1h -l /d/bb", Out: "-rw-r--r--  1 0  0    5B <date> /d/bb\n"},
		{Cmd: "ls -1k -l /d/bb", Out: "-rw-r--r--  1 0  0  5 <date> /d/bb\n"},
		{Cmd: "ls -1T -l /d/bb", Out: "-rw-r--r--  1 0  0  5 <date> /d/bb\n"},
		{Cmd: "ls -1 /d/nope", Out: "ls: /d/nope: No such file or directory\n", Status: 1},
		{Cmd: "ls -1 /d/nope /d/a", Out: "ls: /d/nope: No such file or directory\n/d/a\n", Status: 1},
		{Cmd: "ls -lo /d/a", Out: "-rw-r--r--  2 0  0  - 4 <date> /d/a\n"},
		{Cmd: "ls -1q /d", Out: names},
		{Cmd: "ls -1Z /d", Out: "ls: unknown option -- Z\nusage: ls [-1AaBbCcdFfghikLlMmnOoPpqRrSsTtuWwXx] [file ...]\n", Status: 1},
	})
}

// TestOptions holds the options that the transcript has not against ls(1).
func TestOptions(t *testing.T) {
	k := directory(t)
	k.Check([]utiltest.Step{
		{Cmd: "ls -lg /d/a", Out: "-rw-r--r--  2 0  0  4 <date> /d/a\n"},
		{Cmd: "ls -g /d/a", Out: "-rw-r--r--  2 0  4 <date> /d/a\n"},
		{Cmd: "ls -P /d/sub /d/a", Out: "/d/a\n\n/d/sub:\n"},
		{Cmd: "ls -PO /d", Out: "/d/a\n/d/bb\n/d/chr\n/d/hard\n/d/pipe\n/d/sym\n"},
		{Cmd: "ls -OR /d /d/sub", Out: "a\nbb\nchr\nhard\npipe\nsym\n"},
		{Cmd: "ls /d/sub /d/.hidden", Out: "/d/.hidden:\n\n/d/sub:\n"},
		{Cmd: "ls -L /d/sym", Out: "/d/sym\n"},
		{Cmd: "ls -lL /d/sym", Out: "-rw-r--r--  2 0  0  4 <date> /d/sym\n"},
		{Cmd: "ln -s nowhere /d/sub/dead"},
		{Cmd: "ls -lL /d/sub", Out: "total 8\nlrwxr-xr-x  1 0  0  7 <date> dead -> nowhere\n"},
		{Cmd: "ls -1 /d/sub/dead", Out: "/d/sub/dead\n"},
		{Cmd: "ln -s .. /d/sub/up"},
		{Cmd: "ls -LR /d/sub", Out: "dead\nup\n\n/d/sub/up:\n" + names +
			"\n/d/sub/up/.hidden:\nls: sub: directory causes a cycle\n"},
		{Cmd: "ls -1f /d/sub", Out: ".\n..\ndead\nup\n"},
		{Cmd: "ls -s /d/a /d/pipe", Out: "8 /d/a\n0 /d/pipe\n"},
		{Cmd: "ls -ls /d/a", Out: "8 -rw-r--r--  2 0  0  4 <date> /d/a\n"},
		{Cmd: "dd if=/dev/zero of=/d/big bs=1234567 count=1 msgfmt=quiet"},
		{Cmd: "ls -lM /d/big /d/a", Out: "-rw-r--r--  2 0  0          4 <date> /d/a\n-rw-r--r--  1 0  0  1,234,567 <date> /d/big\n"},
		{Cmd: "ls -lh /d/big", Out: "-rw-r--r--  1 0  0  1.2M <date> /d/big\n"},
		{Cmd: "ls -lhk /d/big", Out: "-rw-r--r--  1 0  0  1234567 <date> /d/big\n"},
		{Cmd: "rm /d/big"},
	})
	k.Vars["BLOCKSIZE"] = "1K"
	k.Check([]utiltest.Step{{Cmd: "ls -s /d/a", Out: "4 /d/a\n"}, {Cmd: "ls -sk /d/a", Out: "4 /d/a\n"}})
	k.Vars["BLOCKSIZE"] = ""
	k.Vars["COLUMNS"] = "40"
	k.Check([]utiltest.Step{
		{Cmd: "ls -C /d", Out: ".hidden bb      hard    sub\na       chr     pipe    sym\n"},
		{Cmd: "ls -x /d", Out: ".hidden a       bb      chr     hard    \npipe    sub     sym     \n"},
		{Cmd: "ls -m /d", Out: ".hidden, a, bb, chr, hard, pipe, sub,\nsym\n"},
		{Cmd: "rm -r /d/sub"},
		{Cmd: "mkdir /d/sub"},
		{Cmd: "ls -Cs /d", Out: "total 32\n0 .hidden 8 bb      8 hard    0 sub\n8 a       0 chr     0 pipe    8 sym\n"},
	})
	k.Vars["COLUMNS"] = "10"
	k.Check([]utiltest.Step{{Cmd: "ls -C /d", Out: names}})
}

// TestNames holds names that cannot be printed against ls(1) and vis(3).
func TestNames(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir '/n' '/n/a b\n' '/n/\\' '/n/\xc3\xa9\x01'"},
		{Cmd: "ls /n", Out: "\\\na b\n\n\xc3\xa9\x01\n"},
		{Cmd: "ls -q /n", Out: "\\\na b?\n???\n"},
		{Cmd: "ls -B /n", Out: "\\\\\na\\040b\\012\n\\303\\251\\001\n"},
		{Cmd: "ls -b /n", Out: "\\\\\na\\sb\\n\n\\303\\251\\001\n"},
		{Cmd: "ls -bw /n", Out: "\\\na b\n\n\xc3\xa9\x01\n"},
	})
	k.Vars["LC_CTYPE"] = "en_US.UTF-8"
	k.Check([]utiltest.Step{{Cmd: "ls -q /n", Out: "\\\na b?\n\xc3\xa9?\n"}})
}

// terminal is a standard output that says it is one.
type terminal struct {
	bytes.Buffer
	columns int
}

func (t *terminal) IsTerminal() bool        { return true }
func (t *terminal) Size() (int, int, error) { return t.columns, 24, nil }

// TestTerminal checks that a terminal gets columns of its width, with question marks.
func TestTerminal(t *testing.T) {
	k := directory(t)
	k.Check([]utiltest.Step{{Cmd: "mkdir '/d/x\ty'"}})
	for _, c := range []struct {
		columns int
		want    string
	}{
		{80, ".hidden a       bb      chr     hard    pipe    sub     sym     x?y\n"},
		{24, ".hidden chr     sub\na       hard    sym\nbb      pipe    x?y\n"},
	} {
		out := &terminal{columns: c.columns}
		status := k.RunStreams(context.Background(), strings.NewReader(""), out, out, "ls", "/d")
		if out.String() != c.want || status != 0 {
			t.Errorf("%d columns: %q [%d], want %q", c.columns, out, status, c.want)
		}
	}
}

// TestSortTime holds the orders by time against ls(1): newest first, then by name.
func TestSortTime(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{{Cmd: "mkdir /t"}, {Cmd: "mount_tmpfs tmpfs /t"}, {Cmd: "mkdir /t/a /t/b /t/c"}})
	p := k.Process().Sys()
	for i, name := range []string{"/t/b", "/t/a", "/t/c"} {
		at := abi.Timespec{Sec: 1_000_000_000, Nsec: int64(10 - i)}
		mt := abi.Timespec{Sec: 1_000_000_000 + int64(i)}
		if name == "/t/c" {
			mt.Sec--
		}
		if err := p.Utimens(name, at, mt); err != nil {
			t.Fatal(err)
		}
	}
	k.Check([]utiltest.Step{
		{Cmd: "ls -t /t", Out: "a\nc\nb\n"},
		{Cmd: "ls -rt /t", Out: "b\nc\na\n"},
		{Cmd: "ls -tu /t", Out: "b\na\nc\n"},
		{Cmd: "ls -uc /t", Out: "a\nb\nc\n"},
	})
	got, _ := k.Run("", "ls", "-lT", "/t")
	if !strings.Contains(got, "Sep  9 01:46:41 2001 a\n") {
		t.Errorf("full time: %s", got)
	}
	got, _ = k.Run("", "ls", "-l", "/t")
	if !strings.Contains(got, " Sep  9  2001 a\n") {
		t.Errorf("old time: %s", got)
	}
	k.Vars["TZ"] = "Asia/Tokyo"
	if got, _ = k.Run("", "ls", "-lT", "/t"); !strings.Contains(got, "Sep  9 10:46:41 2001 a\n") {
		t.Errorf("time in Tokyo: %s", got)
	}
}

// TestOwners checks that names come from the kernel's files.
func TestOwners(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /etc"},
		{Cmd: "dd of=/etc/passwd msgfmt=quiet", In: "root:*:0:0::/:/bin/sh\n"},
		{Cmd: "dd of=/etc/group msgfmt=quiet", In: "wheel:*:0:root\n"},
		{Cmd: "ls -ld /etc/group", Out: "-rw-r--r--  1 root  wheel  15 <date> /etc/group\n"},
		{Cmd: "ls -nd /etc/group", Out: "-rw-r--r--  1 0  0  15 <date> /etc/group\n"},
	})
}

// TestDeep lists a tree that is deeper than a path can be long, and than descriptors go.
func TestDeep(t *testing.T) {
	k := utiltest.New(t)
	p := k.Process().Sys()
	const depth = 300
	name := strings.Repeat("n", 20)
	for range depth {
		if err := p.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := p.Chdir(name); err != nil {
			t.Fatal(err)
		}
	}
	got, status := k.Run("", "ls", "-R", "/"+name)
	if n := strings.Count(got, ":\n"); n != depth-1 || status != 0 {
		t.Errorf("%d directories, status %d, want %d; end: %q", n, status, depth-1, got[max(0, len(got)-200):])
	}
}

// TestManyFiles checks a directory that takes several calls to read.
func TestManyFiles(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{{Cmd: "mkdir /m"}, {Cmd: "mount_tmpfs tmpfs /m"}})
	p := k.Process().Sys()
	var want strings.Builder
	for i := range 3000 {
		name := fmt.Sprintf("file%08d", i)
		if err := p.Mkfifo("/m/"+name, 0o644); err != nil {
			t.Fatal(err)
		}
		want.WriteString(name + "\n")
	}
	if got, status := k.Run("", "ls", "/m"); got != want.String() || status != 0 {
		t.Errorf("%d bytes, status %d; want %d bytes", len(got), status, want.Len())
	}
	if got, status := k.Run("", "ls", "-F", "/m"); got != strings.ReplaceAll(want.String(), "\n", "|\n") || status != 0 {
		t.Errorf("-F: %d bytes, status %d", len(got), status)
	}
}
