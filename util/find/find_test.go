package find_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/find"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "Usage: find [-H | -L | -P] [-dEhsXx] [-f file] file [file ...] [expression]\n"

// tree makes /t.
func tree(t *testing.T) *utiltest.Kernel {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir -p /t/d/e /t/void"},
		{Cmd: "dd of=/t/a.c msgfmt=quiet", In: strings.Repeat("x", 513)},
		{Cmd: "dd of=/t/d/B.c msgfmt=quiet", In: "12345"},
		{Cmd: "touch /t/d/e/none"},
		{Cmd: "ln -s d /t/link"},
		{Cmd: "mkfifo /t/pipe"},
	})
	return k
}

// lines are the paths, each on a line.
func lines(paths ...string) string {
	if len(paths) == 0 {
		return ""
	}
	return strings.Join(paths, "\n") + "\n"
}

// TestWalk holds the options against find(1).
func TestWalk(t *testing.T) {
	k := tree(t)
	k.Check([]utiltest.Step{
		{Cmd: "find -s /t", Out: lines("/t", "/t/a.c", "/t/d", "/t/d/B.c", "/t/d/e", "/t/d/e/none", "/t/link", "/t/pipe", "/t/void")},
		{Cmd: "find -sd /t", Out: lines("/t/a.c", "/t/d/B.c", "/t/d/e/none", "/t/d/e", "/t/d", "/t/link", "/t/pipe", "/t/void", "/t")},
		{Cmd: "find -s /t/d -depth", Out: lines("/t/d/B.c", "/t/d/e/none", "/t/d/e", "/t/d")},
		{Cmd: "find /t/link", Out: lines("/t/link")},
		{Cmd: "find -sH /t/link", Out: lines("/t/link", "/t/link/B.c", "/t/link/e", "/t/link/e/none")},
		{Cmd: "find -L /t/link -name none", Out: lines("/t/link/e/none")},
		{Cmd: "find -h /t -name none", Out: lines("/t/d/e/none", "/t/link/e/none")},
		{Cmd: "find /t -follow -name none", Out: lines("/t/d/e/none", "/t/link/e/none")},
		{Cmd: "find -LP /t -name none", Out: lines("/t/d/e/none")},
		{Cmd: "find -f /t/void -f /t/pipe", Out: lines("/t/void", "/t/pipe")},
		{Cmd: "find -f /t/void /t/pipe ( -type p )", Out: lines("/t/pipe")},
		{Cmd: "mount_tmpfs tmpfs /t/void"},
		{Cmd: "touch /t/void/x"},
		{Cmd: "find /t -name x", Out: lines("/t/void/x")},
		{Cmd: "find -x /t -name x", Out: ""},
		{Cmd: "find /t -xdev -name x", Out: ""},
		{Cmd: "find /nope /t/pipe", Out: "find: /nope: No such file or directory\n/t/pipe\n", Status: 1},
		{Cmd: "touch '/t/d/e/a b'"},
		{Cmd: "find -sX /t/d/e", Out: "/t/d/e\nfind: /t/d/e/a b: illegal path\n/t/d/e/none\n", Status: 1},
	})
}

// TestPrimaries holds what is true of files against find(1).
func TestPrimaries(t *testing.T) {
	k := tree(t)
	p := k.Process()
	if err := p.WriteFile("/etc/passwd", []byte("jane:*:7:8::0:0:Jane:/:\n"), 0o644); err != nil {
		if err = p.MkdirAll("/etc", 0o755); err == nil {
			err = p.WriteFile("/etc/passwd", []byte("jane:*:7:8::0:0:Jane:/:\n"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := p.WriteFile("/etc/group", []byte("crew:*:8:\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "chown 7:8 /t/a.c"},
		{Cmd: "chown 9:9 /t/pipe"},
		{Cmd: "chmod 4711 /t/d/B.c"},
		{Cmd: "ln /t/a.c /t/d/two"},
	})
	if err := p.Sys().Chflags("/t/d/B.c", abi.UF_NODUMP|abi.UF_OPAQUE); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		expression string
		out        []string
	}{
		{"-name *.c", []string{"/t/a.c", "/t/d/B.c"}},
		{"-name ?", []string{"/t", "/t/d", "/t/d/e"}},
		{"-name [!a-z].c", []string{"/t/d/B.c"}},
		{"-name \\*.c", nil},
		{"-name t", []string{"/t"}},
		{"-iname b.C", []string{"/t/d/B.c"}},
		{"-path */d/*", []string{"/t/d/B.c", "/t/d/e", "/t/d/e/none", "/t/d/two"}},
		{"-regex /t/.\\.c", []string{"/t/a.c"}},
		{"-regex a.c", nil},
		{"-iregex .*/B\\.C", []string{"/t/d/B.c"}},
		{"-type f", []string{"/t/a.c", "/t/d/B.c", "/t/d/e/none", "/t/d/two"}},
		{"-type d", []string{"/t", "/t/d", "/t/d/e", "/t/void"}},
		{"-type l", []string{"/t/link"}},
		{"-type p", []string{"/t/pipe"}},
		{"-type b", nil},
		{"-type c", nil},
		{"-type s", nil},
		{"-type w", nil},
		{"-maxdepth 0", []string{"/t"}},
		{"-maxdepth 1 -type d", []string{"/t", "/t/d", "/t/void"}},
		{"-mindepth 3", []string{"/t/d/e/none"}},
		{"-empty", []string{"/t/d/e/none", "/t/void"}},
		{"-size 2", []string{"/t/a.c", "/t/d/two"}},
		{"-type f -size -1", []string{"/t/d/e/none"}},
		{"-size 5c", []string{"/t/d/B.c"}},
		{"-type f -size +5c", []string{"/t/a.c", "/t/d/two"}},
		{"-type f -links 2", []string{"/t/a.c", "/t/d/two"}},
		{"-user jane", []string{"/t/a.c", "/t/d/two"}},
		{"-user 7", []string{"/t/a.c", "/t/d/two"}},
		{"-user +7", []string{"/t/pipe"}},
		{"-group crew", []string{"/t/a.c", "/t/d/two"}},
		{"-group 9", []string{"/t/pipe"}},
		{"-type p -nouser", []string{"/t/pipe"}},
		{"-type f -nouser -name t*", nil},
		{"-type p -nogroup", []string{"/t/pipe"}},
		{"-perm 4711", []string{"/t/d/B.c"}},
		{"-perm -u+s", []string{"/t/d/B.c"}},
		{"-type f -perm -044 -empty", []string{"/t/d/e/none"}},
		{"-perm 711", nil},
		{"-flags nodump,opaque", []string{"/t/d/B.c"}},
		{"-flags nodump", nil},
		{"-flags -nodump", []string{"/t/d/B.c"}},
		{"-flags none -name *.c", []string{"/t/a.c"}},
		{"-fstype rumpfs -name a.c", []string{"/t/a.c"}},
		{"-fstype tmpfs", nil},
		{"-fstype local -name a.c", []string{"/t/a.c"}},
		{"-fstype rdonly", nil},
		{"-false", nil},
		{"-name d -prune -o -name *.c", []string{"/t/a.c", "/t/d"}},
		{"-name d -prune -o -name *.c -print", []string{"/t/a.c"}},
		{"! -type f ! -type d", []string{"/t/link", "/t/pipe"}},
		{"! ! -type p", []string{"/t/pipe"}},
		{"! ( -type f -o -type d -or -type l )", []string{"/t/pipe"}},
		{"-name a.c -a -type f -and -size 2", []string{"/t/a.c"}},
		{"-type p -o -type f -name a.c", []string{"/t/a.c", "/t/pipe"}},
		{"( -type p -o -type f ) -name a.c", []string{"/t/a.c"}},
	} {
		k.Check([]utiltest.Step{{Cmd: "find -s /t " + c.expression, Out: lines(c.out...)}})
	}
	k.Check([]utiltest.Step{
		{Cmd: "find -Es /t -regex '/t/(a|d/B).c'", Out: lines("/t/a.c", "/t/d/B.c")},
		{Cmd: "find -d /t/d -maxdepth 0", Out: lines("/t/d")},
	})
	out, _ := k.Run("", "stat", "-f", "%i", "/t/d/B.c")
	k.Check([]utiltest.Step{{Cmd: "find /t -inum " + strings.TrimSpace(out), Out: lines("/t/d/B.c")}})
}

// TestTimes holds the primaries of times against find(1): parts of a unit count whole.
func TestTimes(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{{Cmd: "mkdir /t"}, {Cmd: "touch /t/m /t/now"}})
	p := k.Process()
	var now abi.Timespec
	if err := p.Sys().ClockGettime(abi.CLOCK_REALTIME, &now); err != nil {
		t.Fatal(err)
	}
	ago := func(seconds int64) abi.Timespec { return abi.Timespec{Sec: now.Sec - seconds} }
	if err := p.Sys().Utimens("/t/m", ago(90), ago(100_000)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ expression, out string }{
		{"-amin 2", "/t/m"}, {"-amin +1", "/t/m"}, {"-amin -1", "/t/now"}, {"-amin 3", ""},
		{"-atime 1", "/t/m"}, {"-atime +1", ""},
		{"-mmin +1000", "/t/m"}, {"-mmin -2", "/t/now"},
		{"-mtime 2", "/t/m"}, {"-mtime +2", ""}, {"-mtime -1", "/t/now"}, {"-name m -mtime -2", "/t/m"},
		{"-cmin +2", ""}, {"-name m -cmin -2", "/t/m"}, {"-ctime +1", ""},
		{"-newer /t/m", "/t/now"}, {"-anewer /t/m", "/t/now"}, {"-newer /t/now", ""},
		{"-name now -cnewer /t/m", ""}, {"-name m -cnewer /t/now", "/t/m"},
		{"-since '1 day ago'", "/t/now"}, {"-name m -asince '1 hour ago'", "/t/m"}, {"-name m -csince '1 hour ago'", "/t/m"},
		{"-since '1 hour'", ""},
	} {
		out := ""
		if c.out != "" {
			out = c.out + "\n"
		}
		k.Check([]utiltest.Step{{Cmd: "find /t ! -type d " + c.expression, Out: out}})
	}
}

// TestOutput holds what is printed against find(1), and the format of -ls against the widths of its line.
func TestOutput(t *testing.T) {
	k := tree(t)
	k.Check([]utiltest.Step{
		{Cmd: "touch '/t/void/a b'"},
		{Cmd: "find /t/void -print0", Out: "/t/void\x00/t/void/a b\x00"},
		{Cmd: "find /t/void -printx", Out: "/t/void\n/t/void/a\\ b\n"},
		{Cmd: "find /t/pipe -print -print", Out: lines("/t/pipe", "/t/pipe")},
		{Cmd: "find /t/void -type f -fprint /list -o -fprint /others", Out: ""},
		{Cmd: "cat /list", Out: "/t/void/a b\n"},
		{Cmd: "cat /others", Out: "/t/void\n"},
		{Cmd: "find /t/void -fprint /nope/x", Out: "find: -fprint: /nope/x: cannot create file: No such file or directory\n", Status: 1},
		{Cmd: "mknod /t/dev c 3 12"},
	})
	var link, dev abi.Stat
	sys := k.Process().Sys()
	if err := errors.Join(sys.Lstat("/t/link", &link), sys.Lstat("/t/dev", &dev)); err != nil {
		t.Fatal(err)
	}
	owner := fmt.Sprintf("%-17d %-17d", 0, 0)
	k.Check([]utiltest.Step{
		{Cmd: "find /t/link -ls", Out: fmt.Sprintf("%7d %6d lrwxr-xr-x    1 %s         1 <date> /t/link -> d\n", link.Ino, link.Blocks, owner)},
		{Cmd: "find /t/dev -ls", Out: fmt.Sprintf("%7d %6d crw-r--r--    1 %s   3,   12 <date> /t/dev\n", dev.Ino, dev.Blocks, owner)},
		{Cmd: "touch -t 200001020304 /t/dev"},
	})
	if out, _ := k.Run("", "find", "/t/dev", "-ls"); !strings.Contains(out, " Jan  2  2000 /t/dev\n") {
		t.Errorf("an old file: %s", out)
	}
}

// TestExit holds -exit against find(1).
func TestExit(t *testing.T) {
	k := tree(t)
	k.Check([]utiltest.Step{
		{Cmd: "find -s /t ( -name a.c -o -name d ) -exit 3", Status: 3},
		{Cmd: "find -s /t -name a.c -print -exit", Out: lines("/t/a.c")},
		{Cmd: "find -s /t -exit -print", Out: lines("/t")},
		{Cmd: "find -s /t -name zz -exit 1"},
	})
}

// TestExec runs utilities, and nothing but utilities.
func TestExec(t *testing.T) {
	k := tree(t)
	k.Check([]utiltest.Step{
		{Cmd: "find -s /t -name *.c -exec wc -c {} ;", Out: "     513 /t/a.c\n       5 /t/d/B.c\n"},
		{Cmd: "find -s /t -name *.c -exec wc -c {} +", Out: "     513 /t/a.c\n       5 /t/d/B.c\n     518 total\n"},
		{Cmd: "find -s /t -type f -exec cmp -s {} /t/a.c ; -print", Out: lines("/t/a.c")},
		{Cmd: "find -s /t -name a.c -exec ls x{}y{} ;", Out: "ls: x/t/a.cy/t/a.c: No such file or directory\n"},
		{Cmd: "find -s /t -name a.c -exec l{} ;", Out: "find: l/t/a.c: No such file or directory\n"},
		{Cmd: "find /t -name B.c -execdir ls {} ;", Out: "B.c\n"},
		{Cmd: "find /t/d/B.c -execdir ls {} ;", Out: "B.c\n"},
		{Cmd: "find /t -name B.c -execdir wc -c {} ../a.c ;", Out: "       5 B.c\n     513 ../a.c\n     518 total\n"},
		{
			Cmd: "find -s /t -name *.c -ok wc -c {} ;", In: "y\nn\n",
			Out: "\"wc -c /t/a.c\"?      513 /t/a.c\n\"wc -c /t/d/B.c\"? ",
		},
		{Cmd: "find -s /t -name *.c -exec cat /nope {} +", Out: "cat: /nope: No such file or directory\n" + strings.Repeat("x", 513) + "12345", Status: 1},
		{Cmd: "find -s /t -name *.c -exec ls {} + -exit 4", Out: "/t/a.c\n", Status: 4},
	})
}

// TestManyPaths runs a utility more than once if there are more than 5,000 paths.
func TestManyPaths(t *testing.T) {
	k := utiltest.New(t)
	p := k.Process()
	if err := p.Mkdir("/m", 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 5001 {
		if err := p.WriteFile(fmt.Sprintf("/m/%d", i), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, status := k.Run("", "find", "/m", "-type", "f", "-exec", "wc", "-c", "{}", "+")
	if n := strings.Count(out, " total\n"); n != 1 || strings.Count(out, "\n") != 5002 || status != 0 {
		t.Errorf("%d totals, %d lines, status %d", n, strings.Count(out, "\n"), status)
	}
}

// TestHost looks for a command that the host has and the utilities have not.
func TestHost(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "marker")
	k := tree(t)
	for _, command := range []string{"/bin/sh", "/usr/bin/touch", "awk", "perl"} {
		k.Check([]utiltest.Step{
			{Cmd: "find /t/pipe -exec " + command + " " + marker + " ;", Out: "find: " + command + ": No such file or directory\n"},
		})
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a command of the host has run")
	}
}

// TestDelete holds -delete against find(1): what lies below an argument with a slash goes, the argument stays.
func TestDelete(t *testing.T) {
	k := tree(t)
	if err := k.Process().Sys().Chflags("/t/d/B.c", abi.UF_IMMUTABLE); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "find /t/d -name B.c -delete"},
		{Cmd: "find -s /t/d", Out: lines("/t/d", "/t/d/e", "/t/d/e/none")},
		{Cmd: "find -L /t -name none -delete"},
		{Cmd: "find -s /t -type d -rm", Out: "find: -delete: /t: relative path potentially not safe\n", Status: 1},
		{Cmd: "find -s /t", Out: lines("/t", "/t/a.c", "/t/link", "/t/pipe")},
		{Cmd: "find /t -delete -follow", Out: "find: -delete: insecure options got turned on\n", Status: 1},
		{Cmd: "find . -name pipe -rm"},
		{Cmd: "find /t -name pipe"},
	})
}

// TestMessages holds messages and statuses against find(1).
func TestMessages(t *testing.T) {
	k := tree(t)
	for _, c := range []struct{ args, message string }{
		{"/t -bogus", "-bogus: unknown option"},
		{"/t -name", "-name: requires additional arguments"},
		{"/t ( )", "(): empty inner expression"},
		{"/t ( -type f", "(: missing closing ')'"},
		{"/t (", "(: missing closing ')'"},
		{"/t -type f )", "): no beginning '('"},
		{"/t -type f ) -print", "): no beginning '('"},
		{"/t !", "!: no following expression"},
		{"/t ! -o -type f", "!: nothing between ! and -o"},
		{"/t -o -type f", "-o: no expression before -o"},
		{"/t -type f -o", "-o: no expression after -o"},
		{"/t ( -type f -o )", "-o: no expression after -o"},
		{"/t -type x", "-type: x: unknown type"},
		{"/t -size x", "-size: x: illegal numeric value"},
		{"/t -size 1k", "-size: 1k: illegal trailing character"},
		{"/t -size 99999999999999999999", "-size: 99999999999999999999: illegal numeric value"},
		{"/t -maxdepth x", "-maxdepth: x: illegal numeric value"},
		{"/t -user nobody", "-user: nobody: no such user"},
		{"/t -group nobody", "-group: nobody: no such group"},
		{"/t -perm zz", "-perm: Cannot set file mode `zz': Invalid argument"},
		{"/t -flags zz", "-flags: zz: illegal flags string"},
		{"/t -newer /nope", "/nope: No such file or directory"},
		{"/t -since zz", "-since: zz: illegal time"},
		{"/t -regex [", "regexp [: brackets ([ ]) not balanced"},
		{"/t -exec ls {}", `-exec: no terminating ";" or "+"`},
		{"/t -exec ;", "-exec: no utility"},
		{"/t -exec {} +", "-exec: no utility"},
		{"/t -ok ls {}", `-ok: no terminating ";" or "+"`},
		{"/t -ok ls {} +", `-ok: terminating "+" not permitted.`},
		{"/t -execdir ls {} +", `-execdir: no terminating ";"`},
	} {
		k.Check([]utiltest.Step{{Cmd: "find " + c.args, Out: "find: " + c.message + "\n", Status: 1}})
	}
	k.Check([]utiltest.Step{
		{Cmd: "find", Out: usage, Status: 1},
		{Cmd: "find -type f", Out: "find: unknown option -- t\n" + usage, Status: 1},
	})
}

// FuzzExpression gives find any expression: it ends, and does not panic. Nothing is executed, since there is no set of utilities.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{"-name *.c", "( -type f -o ! -size +3c ) -print0", "-exec ls {} ; -exec ls {} +", "-regex \\(a*\\)*b -exit 3"} {
		f.Add(seed)
	}
	k := utiltest.New(f)
	p := k.Process()
	if err := p.MkdirAll("/d/e", 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, expression string) {
		var out bytes.Buffer
		args := append([]string{"find", "/d"}, utiltest.Words(expression)...)
		util.Run(context.Background(), &find.Utility, &util.Env{
			Args: args, Stdin: strings.NewReader("n\n"), Stdout: &out, Stderr: io.Discard,
			Getenv: func(string) string { return "" }, Proc: p,
		})
	})
}
