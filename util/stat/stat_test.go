package stat_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// boot returns a kernel with a tmpfs on /t that has a file of each sort with known attributes.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir -p /t /etc"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "dd of=/t/f msgfmt=quiet", In: strings.Repeat("x", 1536)},
		{Cmd: "dd of=/etc/passwd msgfmt=quiet", In: "joe:*:5:6::/:\n"},
		{Cmd: "dd of=/etc/group msgfmt=quiet", In: "users:*:6:\n"},
		{Cmd: "mkdir /t/d"},
		{Cmd: "mknod -m 640 /t/c c 2 12"},
		{Cmd: "mknod -m 600 /t/b b 70 300"},
		{Cmd: "mkfifo /t/p"},
		{Cmd: "ln -s f /t/link"},
		{Cmd: "ln -s nope /t/dead"},
		{Cmd: "ln -s ../t/d/../f '/t/a b'"},
		{Cmd: "chown 5:6 /t/f"},
		{Cmd: "chmod 4751 /t/f"},
		{Cmd: "touch -a -t 200001020304.05 /t/f"},
		{Cmd: "touch -m -t 201211100908.07 /t/f"},
	})
	return k
}

// TestFormats holds conversions against stat(1).
func TestFormats(t *testing.T) {
	k := boot(t)
	for _, c := range []struct{ format, file, want string }{
		{"%z %HZ %Lz %Mz %8z|%-8z|%08z|%.6z|%Xz %#Xz %Oz %#Oz %+Dz % Dz", "/t/f", "1536 1536 2 0     1536|1536    |00001536|001536|600 0x600 3000 03000 +1536  1536\n"},
		{"%p %Hp %Mp %Lp %Sp %SHp %SMp %SLp %04OLp %.4Sp|%12Sp|%-12Sp|", "/t/f", "104751 10 4 751 -rwsr-x--x rws r-x --x 0751 -rws|  -rwsr-x--x|-rwsr-x--x  |\n"},
		{"%u %g %Su %Sg %5Su|%05u", "/t/f", "5 6 joe users   joe|00005\n"},
		{"%Su %Sg", "/t/d", "(0) (0)\n"},
		{"%a %Fa %.3Fa %.0Fa %.11Fa %24Fa|%-24Fm|%Xa", "/t/f", "946782245 946782245.000000000 946782245.000 946782245 946782245.00000000000 " +
			"     946782245.000000000|1352538487    .000000000|386ec025\n"},
		{"%Sa|%Sm|%25Sa|", "/t/f", "Jan  2 03:04:05 2000|Nov 10 09:08:07 2012|     Jan  2 03:04:05 2000|\n"},
		{"%l %f %#Xf %v%%%t%@%n", "/t/d", "2 0 0 0%\t1\n"},
		{"%r %Hr %Lr %Sr %Z %SZ", "/t/c", "524 2 12 zero 2,12 zero,zero\n"},
		{"%r %Hr,%Lr %Z %5Z %HT%T", "/t/b", "1066540 70,300 70,300    70,  300 Block Device\n"},
		{"%T %HT %LT", "/t/f", "* Regular File *\n"},
		{"%T %HT %LT", "/t/d", "/ Directory /\n"},
		{"%T %HT", "/t/p", "| Fifo File\n"},
		{"%N %HN %LN %SN", "/t/link", "/t/link /t link /t/link\n"},
		{"%HN %LN", "/t/d//", "/t d\n"},
		{"%HN %LN", "/t", "/ t\n"},
		{"%HN %LN", "t", ". t\n"},
		{"%N%SY|%Y|%T|%HT", "/t/link", "/t/link -> f|f|@|Symbolic Link\n"},
		{"%N%SY|%Y|", "/t/f", "/t/f||\n"},
		{"%#N%#SY %R%SR", "/t/a b", "/t/a\\sb -> ../t/d/../f /t/f -> /t/f\n"},
		{"%05T", "/t/d", "0000/\n"},
		{"", "/t/f", ""},
		{"plain", "/t/f", "plain\n"},
	} {
		if got, status := k.Run("", "stat", "-f", c.format, c.file); got != c.want || status != 0 {
			t.Errorf("%q of %s: %q[%d]\nwant %q", c.format, c.file, got, status, c.want)
		}
	}
}

const usage = "usage: stat [-FlLnqrsx] [-f format] [-t timefmt] [file ...]\n"

// TestStat holds the options against stat(1).
func TestStat(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "stat -l /t/f", Out: "-rwsr-x--x 1 joe users 1536 <date> /t/f\n"},
		{Cmd: "stat -l /t/b /t/link", Out: "brw------- 1 (0) (0) 70,300 <date> /t/b\nlrwxr-xr-x 1 (0) (0) 1 <date> /t/link -> f\n"},
		{Cmd: "stat -F /t/link", Out: "lrwxr-xr-x 1 (0) (0) 1 <date> /t/link@ -> f\n"},
		{Cmd: "stat -lLF /t/link", Out: "-rwsr-x--x 1 joe users 1536 <date> /t/link*\n"},
		{Cmd: "stat -Lf %HT /t/dead", Out: "Symbolic Link\n"},
		{Cmd: "stat -s -t %Y -f %a /t/f", Out: "stat: can't use format 's' with 'f'\n", Status: 1},
		{Cmd: "stat -Fx /t/f", Out: "stat: can't use format 'x' with -F\n", Status: 1},
		{Cmd: "stat -n -t %Y -f %Sm /t/f /t/f", Out: "20122012"},
		{Cmd: "stat -f %@ /t/f /t/d", Out: "1\n2\n"},
		{Cmd: "stat /t/nope /t/no/f", Out: "stat: /t/nope: lstat: No such file or directory\nstat: /t/no/f: lstat: No such file or directory\n", Status: 1},
		{Cmd: "stat -L /t/nope", Out: "stat: /t/nope: stat: No such file or directory\n", Status: 1},
		{Cmd: "stat -q /t/nope", Status: 1},
		{Cmd: "stat", Out: "stat: (stdin): lstat: Operation not supported\n", Status: 1},
		{Cmd: "stat -z", Out: "stat: unknown option -- z\n" + usage, Status: 1},
	})
}

// TestLayouts checks the lines, where rdev is what tmpfs has in recorded sessions, of -r, -s, -x and no option, as far as they are the same from run to run.
func TestLayouts(t *testing.T) {
	k := boot(t)
	for _, c := range []struct {
		options string
		want    []string
	}{
		{"", []string{" -rwsr-x--x 1 joe users 18446744073709551615 1536 \"Jan  2 03:04:05 2000\" \"Nov 10 09:08:07 2012\" \"", " 0 /t/f\n"}},
		{"-r", []string{" 0104751 1 5 6 18446744073709551615 1536 946782245 1352538487 ", " 0 /t/f\n"}},
		{"-s", []string{"st_dev=", " st_mode=0104751 st_nlink=1 st_uid=5 st_gid=6 st_rdev=18446744073709551615 st_size=1536 st_atime=946782245 st_mtime=1352538487 ", " st_flags=0\n"}},
		{"-x", []string{"  File: \"/t/f\"\n  Size: 1536         FileType: Regular File\n" +
			"  Mode: (0751/-rwsr-x--x)         Uid: (    5/     joe)  Gid: (    6/   users)\nDevice: ",
			"Links: 1\nAccess: Sun Jan  2 03:04:05 2000\nModify: Sat Nov 10 09:08:07 2012\nChange: "}},
	} {
		got, status := k.Run("", append(append([]string{"stat"}, strings.Fields(c.options)...), "/t/f")...)
		rest := got
		for _, part := range c.want {
			_, after, found := strings.Cut(rest, part)
			if !found || status != 0 {
				t.Errorf("stat %s: %s[%d]\nwant in it: %s", c.options, got, status, part)
			}
			rest = after
		}
	}
}

// TestBadFormats has formats that stat(1) refuses.
func TestBadFormats(t *testing.T) {
	k := boot(t)
	for _, c := range []struct{ format, bad string }{
		{"%", "%"}, {"%q", "%q"}, {"x%5.3", "%5.3"}, {"%Fz", "%Fz"}, {"%Si", "%Si"}, {"%Hi", "%Hi"}, {"%MN", "%MN"}, {"%MT", "%MT"},
		{"%XN", "%XN"}, {"%99999999999999999999z", "%99999999999999999999z"}, {"%.5000Fa", "%.5000Fa"}, {"%SZ", "%SZ"}, {"%-#D", "%-#D"},
	} {
		got, status := k.Run("", "stat", "-nf", c.format, "/t/f", "/t/f")
		if want := strings.Repeat("x", strings.Count(c.format, "x")) + "stat: " + c.bad + ": bad format\n"; got != want || status != 1 {
			t.Errorf("%q: %q[%d], want %q", c.format, got, status, want)
		}
	}
}

// TestReadlink holds readlink against readlink(1).
func TestReadlink(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "readlink /t/link /t/dead", Out: "f\nnope\n"},
		{Cmd: "readlink -n /t/link", Out: "f"},
		{Cmd: "readlink /t/f", Status: 1},
		{Cmd: "readlink -v /t/f", Status: 1},
		{Cmd: "readlink /t/nope", Status: 1},
		{Cmd: "readlink -v /t/nope", Out: "readlink: /t/nope: lstat: No such file or directory\n", Status: 1},
		{Cmd: "readlink -vq /t/nope", Status: 1},
		{Cmd: "readlink -vs /t/nope", Status: 1},
		{Cmd: "readlink -f '/t/a b' //t/./d", Out: "/t/f\n/t/d\n"},
		{Cmd: "readlink -fv /t/dead", Out: "readlink: realpath `/t/dead': No such file or directory\n", Status: 1},
		{Cmd: "readlink -z", Out: "readlink: unknown option -- z\nusage: readlink [-fnqsv] [file ...]\n", Status: 1},
	})
}

// TestInput looks at a standard input that is a file of the kernel.
func TestInput(t *testing.T) {
	k := boot(t)
	f, err := k.Process().Open("/t/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	status := k.RunStreams(context.Background(), f, &out, &out, "stat", "-f", "%N %HN %LN %R %z")
	if want := "(stdin) (stdin) (stdin) (stdin) 1536\n"; out.String() != want || status != 0 {
		t.Errorf("%s[%d], want %s", &out, status, want)
	}
}
