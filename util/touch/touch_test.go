package touch_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: touch [-acfhm] [-d human-datetime] [-r file] [-t [[CC]YY]MMDDhhmm[.SS]] file ...\n"

// boot returns a kernel with a tmpfs on /t that has a file and a link.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "dd of=/t/f msgfmt=quiet", In: "x"},
		{Cmd: "ln -s f /t/link"},
		{Cmd: "ln -s nope /t/dead"},
	})
	return k
}

// times returns the access and modification time of a file, in UTC.
func times(t *testing.T, k *utiltest.Kernel, path string) string {
	t.Helper()
	var st abi.Stat
	if err := k.Process().Sys().Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(st.Atim.Sec, 0).UTC()
	mt := time.Unix(st.Mtim.Sec, 0).UTC()
	return at.Format(time.DateTime) + " " + mt.Format(time.DateTime)
}

// TestTimes holds the ways to give a time against touch(1).
func TestTimes(t *testing.T) {
	k := boot(t)
	for _, c := range []struct{ cmd, file, want string }{
		{"touch -t 200001020304.05 /t/f", "/t/f", "2000-01-02 03:04:05 2000-01-02 03:04:05"},
		{"touch -a -t 7001020304 /t/f", "/t/f", "1970-01-02 03:04:00 2000-01-02 03:04:05"},
		{"touch -m -t 6801020304 /t/f", "/t/f", "1970-01-02 03:04:00 2068-01-02 03:04:00"},
		{"touch -r /t/f /t/new", "/t/new", "1970-01-02 03:04:00 2068-01-02 03:04:00"},
		{"touch 0607080999 /t/f", "/t/f", "1999-06-07 08:09:00 1999-06-07 08:09:00"},
		{"touch -h -t 200501020304 /t/link", "/t/link", "2005-01-02 03:04:00 2005-01-02 03:04:00"},
		{"touch --date=2006-11-17 /t/link", "/t/f", "2006-11-17 00:00:00 2006-11-17 00:00:00"},
		{"touch -d '1 Jan 2001 10:00' -fam /t/f", "/t/f", "2001-01-01 10:00:00 2001-01-01 10:00:00"},
		{"touch -d 2006-11-17 --reference /t/new /t/f", "/t/f", "1970-01-02 03:04:00 2068-01-02 03:04:00"},
	} {
		if out, status := k.Run("", utiltest.Words(c.cmd)...); out != "" || status != 0 {
			t.Errorf("$ %s\n%s[%d]", c.cmd, out, status)
		}
		if got := times(t, k, c.file); got != c.want {
			t.Errorf("$ %s\n%s: %s, want %s", c.cmd, c.file, got, c.want)
		}
	}
}

// TestZone reads a time in the zone of the environment.
func TestZone(t *testing.T) {
	k := boot(t)
	k.Vars["TZ"] = "Etc/GMT+3"
	k.Check([]utiltest.Step{{Cmd: "touch -t 200001020304 /t/f"}})
	if got, want := times(t, k, "/t/f"), "2000-01-02 06:04:00 2000-01-02 06:04:00"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestNow checks that the current time is the kernel's, and which files are made.
func TestNow(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{
		{Cmd: "touch -t 200001020304 /t/f"},
		{Cmd: "touch -a /t/f"},
		{Cmd: "touch -c /t/nope"},
		{Cmd: "touch -h /t/nope2"},
		{Cmd: "touch /t/a /t/dead"},
		{Cmd: "ls -l /t/a", Out: "-rw-r--r--  1 0  0  0 <date> /t/a\n"},
		{Cmd: "ls /t", Out: "a\ndead\nf\nlink\nnope\n"},
	})
	var st abi.Stat
	var now abi.Timespec
	sys := k.Process().Sys()
	if err := sys.ClockGettime(abi.CLOCK_REALTIME, &now); err != nil {
		t.Fatal(err)
	}
	if err := sys.Stat("/t/f", &st); err != nil {
		t.Fatal(err)
	}
	if st.Mtim.Sec != 946782240 || st.Atim.Sec <= st.Mtim.Sec || st.Atim.Sec > now.Sec {
		t.Errorf("times are %v and %v; it is %v", st.Atim, st.Mtim, now)
	}
}

// TestErrors holds messages against touch(1).
func TestErrors(t *testing.T) {
	const form = "touch: out of range or illegal time specification: [[CC]YY]MMDDhhmm[.SS]\n"
	long := strings.Repeat("x", 256)
	steps := []utiltest.Step{
		{Cmd: "touch", Out: usage, Status: 1},
		{Cmd: "touch -z /t/f", Out: "touch: unknown option -- z\n" + usage, Status: 1},
		{Cmd: "touch -d never /t/f", Out: "touch: Could not parse `never'\n", Status: 1},
		{Cmd: "touch -r /t/nope /t/f", Out: "touch: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "touch 13010000 /t/f", Out: "touch: out of range or illegal time specification: MMDDhhmm[yy]\n", Status: 1},
		{Cmd: "touch /t/no/f /t/" + long + " /t/after", Out: "touch: /t/no/f: No such file or directory\ntouch: /t/" + long + ": File name too long\n", Status: 1},
		{Cmd: "ls /t/after", Out: "/t/after\n"},
		{Cmd: "mount -u -r /t"},
		{Cmd: "touch /t/f /t/b", Out: "touch: /t/f: Read-only file system\ntouch: /t/b: Read-only file system\n", Status: 1},
	}
	for _, text := range []string{"x", "01010000.6", "01010000.62", "13010000", "00010000", "02300000", "01012400", "01010060", "0101000", "010100", "20000101000000"} {
		steps = append(steps, utiltest.Step{Cmd: "touch -t " + text + " /t/f", Out: form, Status: 1})
	}
	k := boot(t)
	k.Check(steps)
	if !strings.HasPrefix(times(t, k, "/t/f"), "20") {
		t.Error("the file was changed")
	}
}

// TestUser touches the file of somebody else: who may write it may set both times to now, and no others.
func TestUser(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{{Cmd: "touch -t 200001020304 /t/f"}, {Cmd: "chmod 666 /t/f"}})
	for _, c := range []struct{ cmd, want string }{
		{"touch -t 200101010000 /t/f", "touch: /t/f: Operation not permitted\n"},
		{"touch /t/f", ""},
		{"touch -a /t/f", ""},
		{"touch /t/g", "touch: /t/g: Permission denied\n"},
	} {
		var out bytes.Buffer
		status := k.RunAs(context.Background(), 7, nil, &out, &out, utiltest.Words(c.cmd)...)
		if out.String() != c.want || (status == 0) != (c.want == "") {
			t.Errorf("$ %s\n%s[%d]\nwant %s", c.cmd, &out, status, c.want)
		}
	}
	if strings.Contains(times(t, k, "/t/f"), "2000") {
		t.Error("the times were not set")
	}
}
