package pax_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/sysproxy"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// flawed is a process for which a part of each file that it reads gives EIO.
type flawed struct {
	sysproxy.Transport
	from, to int64
}

func (f *flawed) Do(c *sysproxy.Call) error {
	if c.Num == abi.SYS_read {
		args := c.Arguments()
		at, err := client.New(f.Transport).Sys().Lseek(int(args[0]), 0, abi.SEEK_CUR)
		switch {
		case err != nil || at >= f.to:
		case at >= f.from:
			c.Err = abi.EIO
			return nil
		default:
			args[2] = min(args[2], uint64(f.from-at))
		}
	}
	return f.Transport.Do(c)
}

// flawedRun runs pax in a process that cannot read a part of the archive.
func flawedRun(t *testing.T, k *utiltest.Kernel, from, to int64, cmd string) (string, int) {
	t.Helper()
	p := client.New(&flawed{k.Process().Transport(), from, to})
	var out bytes.Buffer
	status := util.Run(context.Background(), all.Lookup("pax"), &util.Env{
		Args: utiltest.Words(cmd), Stdin: struct{ io.Reader }{strings.NewReader("")}, Stdout: &out, Stderr: &out,
		Getenv: func(string) string { return "" }, Proc: p, Set: all.Set{},
	})
	return out.String(), status
}

// makeFiles makes /src/0 to /src/9, with 3000 bytes each, and archives of them.
func makeFiles(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := boot(t)
	k.Check([]utiltest.Step{{Cmd: "rm -r /src/sub /src/one /src/link"}})
	for i := range 10 {
		k.Check([]utiltest.Step{{Cmd: fmt.Sprintf("dd of=/src/%d msgfmt=quiet", i), In: strings.Repeat("data", 750)}})
	}
	for _, format := range []string{"bcpio", "cpio", "sv4cpio", "sv4crc", "ustar"} {
		k.Check([]utiltest.Step{{Cmd: "pax -w -d -x " + format + " -f /src/" + format + " /src/0 /src/1 /src/2 /src/3 /src/4 /src/5 /src/6 /src/7 /src/8 /src/9",
			Out: removing}})
	}
	return k
}

const (
	eio     = "pax: Failed read on archive volume 1 (Input/output error)\n"
	attempt = "pax: Attempting to recover from an archive read failure.\n"
	trying  = "pax: Archive I/O error. Trying to recover.\n"
	invalid = "pax: Invalid header, starting valid header search.\n"
	early   = "pax: Premature end of file on archive read\n"
)

// TestReadFaults reads archives of which a part cannot be read, and holds -E against pax(1): what comes behind is found. The block of a
// file, up to which is stepped, has 4096 bytes on tmpfs.
func TestReadFaults(t *testing.T) {
	k := makeFiles(t)
	first, last := "src/0\nsrc/1\n", "src/3\nsrc/4\nsrc/5\nsrc/6\nsrc/7\nsrc/8\nsrc/9\n"
	for _, c := range []struct {
		to   int64
		cmd  string
		want string
	}{
		{6001, "-f /src/ustar", first + eio + attempt + trying + last},
		{6001, "-E 1 -f /src/ustar", first + eio + attempt + trying + last},
		{6001, "-E 0 -f /src/ustar", first + eio + early},
		{6001, "-O -f /src/cpio", first + eio + attempt + trying + last},
		{6001, "-f /src/sv4cpio", first + eio + attempt + trying + last},
		{6001, "-r -s /^src/dst/ -f /src/sv4crc", eio + attempt + "pax: dst/1 is not whole in the archive\n" + trying},
		{8193, "-E 2 -f /src/ustar", first + eio + attempt + trying + eio + attempt + last[len("src/3\n"):]},
		{1 << 40, "-O -E 2 -f /src/ustar", first + eio + attempt + trying + eio + attempt + eio + "pax: Archive read error limit (2) reached\n" +
			"pax: End of archive volume 1 reached\n" + early},
		{1 << 20, "-O -E none -f /src/ustar", first + strings.Replace(strings.Repeat(eio+attempt, 255), attempt, attempt+trying, 1) +
			"pax: End of archive volume 1 reached\n"},
	} {
		if got, status := flawedRun(t, k, 6000, c.to, "pax "+c.cmd); got != c.want || status != 1 {
			t.Errorf("%s:\n%s[%d]\nwant:\n%s[1]", c.cmd, got, status, c.want)
		}
	}
	k.Check([]utiltest.Step{
		{Cmd: "ls /dst", Out: "0\n3\n4\n5\n6\n7\n8\n9\n"},
		{Cmd: "cmp /src/3 /dst/3"},
		{Cmd: "pax -E -1 -f /src/ustar", Out: usageWith("pax: Error count value must be positive\n"), Status: 1},
		{Cmd: "pax -E many -f /src/ustar", Out: usageWith("pax: Error count value must be positive\n"), Status: 1},
		{Cmd: "pax -w -E 3 /src/1", Out: usageWith("pax: Invalid combination of options: -w -E\n"), Status: 1},
	})
	if got, status := flawedRun(t, k, 6000, 6001, "pax -wa -f /src/ustar /src/1"); got != "pax: Unable to append, archive header flaw\n" || status != 1 {
		t.Errorf("%s[%d]", got, status)
	}
}

// TestBadHeader reads archives with something else where a header should be: pax(1) searches for the next.
func TestBadHeader(t *testing.T) {
	k := makeFiles(t)
	for _, format := range []string{"bcpio", "cpio", "sv4cpio", "sv4crc", "ustar"} {
		good := words(t, k, "cat /src/"+format)
		second := bytes.Index(good, []byte("src/1\x00"))
		third := bytes.Index(good, []byte("src/2\x00"))
		size := third - second
		for what, data := range map[string][]byte{
			"a wrong header": append(append(good[:0:0], good...)[:size], append([]byte(strings.Repeat("x", 600)), good[size+600:]...)...),
			"bytes missing":  append(append(good[:0:0], good[:size+5]...), good[size+600:]...),
			"bytes between":  append(append(append(good[:0:0], good[:size]...), strings.Repeat("\x00x", 777)...), good[2*size:]...),
		} {
			got, status := k.Run(string(data), "pax")
			want := "src/0\n" + invalid + "src/2\nsrc/3\nsrc/4\nsrc/5\nsrc/6\nsrc/7\nsrc/8\nsrc/9\n"
			if got != want || status != 1 {
				t.Errorf("%s, %s:\n%s[%d]\nwant:\n%s[1]", format, what, got, status, want)
			}
		}
		got, status := k.Run("no header at all, but long enough to be one\n"+string(good), "pax", "src/9")
		if want := "pax: Cannot identify format. Searching...\nsrc/9\n"; got != want || status != 1 {
			t.Errorf("%s: %s[%d], want %s[1]", format, got, status, want)
		}
	}
}
