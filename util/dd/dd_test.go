package dd_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// summary is what dd says of a copy.
func summary(in, out, bytes string) string {
	return in + " records in\n" + out + " records out\n" + bytes + " bytes transferred in <time>\n"
}

// TestTranscript holds dd against transcripts core-02, core-08 and core-09.
func TestTranscript(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "dd of=/t", In: "one\n\n\n\ttab\nlast", Out: summary("0+1", "0+1", "15")},
		{Cmd: "dd if=/t bs=1 skip=5 count=4", Out: "\n\tta" + summary("4+0", "4+0", "4")},
		{Cmd: "dd if=/t of=/u conv=ucase", Out: summary("0+1", "0+1", "15")},
		{Cmd: "cat /u", Out: "ONE\n\n\n\tTAB\nLAST"},
		{Cmd: "dd if=/t of=/u bs=2 seek=2 conv=notrunc", Out: summary("7+1", "7+1", "15")},
		{Cmd: "cat /u", Out: "ONE\none\n\n\n\ttab\nlast"},
		{Cmd: "dd if=/t of=/v ibs=3 obs=7", Out: summary("5+0", "2+1", "15")},
		{Cmd: "dd if=/t of=/w conv=swab", Out: "0+1 records in\n0+1 records out\n1 odd length swab block\n15 bytes transferred in <time>\n"},
		{Cmd: "cat /w", Out: "no\ne\n\nt\tbal\nsat"},
		{Cmd: "dd if=/t of=/x bs=8 conv=sync", Out: summary("1+1", "2+0", "16")},
		{Cmd: "ls -l /x", Out: "-rw-r--r--  1 0  0  16 <date> /x\n"},
		{Cmd: "dd if=/nope", Out: "dd: /nope: No such file or directory\n", Status: 1},
		{Cmd: "dd bs=0", Out: "dd: block size 0 is less than 1.\n", Status: 1},
		{Cmd: "dd nonsense=1", Out: "dd: unknown operand nonsense\n", Status: 1},
		{Cmd: "dd if=/dev/zero of=/big bs=64k count=16", Out: summary("16+0", "16+0", "1048576")},
		{Cmd: "ls -l /big", Out: "-rw-r--r--  1 0  0  1048576 <date> /big\n"},
		{Cmd: "dd if=/dev/zero bs=4 count=1", Out: "\x00\x00\x00\x00" + summary("1+0", "1+0", "4")},
	})
}

// TestOperands holds what the transcripts have not against dd(1).
func TestOperands(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "dd -x", Out: "dd: unknown option -- x\ndd: usage: dd [operand ...]\n", Status: 1},
		{Cmd: "dd -- of=/a msgfmt=quiet", In: "0123456789"},
		{Cmd: "dd if=/a iseek=3 ibs=2 count=1 msgfmt=quiet", Out: "67"},
		{Cmd: "dd skip=2 bs=3 msgfmt=quiet", In: "0123456789", Out: "6789"},
		{Cmd: "dd skip=4 bs=3", In: "0123456789", Out: "dd: skip reached end of input\n", Status: 1},
		{Cmd: "dd seek=1 msgfmt=quiet", In: "x", Out: "dd: stdout: Illegal seek\n", Status: 1},
		{Cmd: "dd of=/a bs=1 seek=4 msgfmt=quiet", In: "AB"},
		{Cmd: "cat /a", Out: "0123AB"},
		{Cmd: "dd of=/new oflag=sync msgfmt=quiet", In: "x", Out: "dd: /new: No such file or directory\n", Status: 1},
		{Cmd: "dd of=/new oflag=creat,excl msgfmt=quiet", In: "x"},
		{Cmd: "dd of=/new oflag=creat,excl msgfmt=quiet", In: "x", Out: "dd: /new: File exists\n", Status: 1},
		{Cmd: "dd of=/new oflag=append conv=notrunc msgfmt=quiet", In: "y"},
		{Cmd: "cat /new", Out: "xy"},
		{Cmd: "dd if=/a of=/o obs=4 conv=osync", Out: summary("0+1", "2+0", "8")},
		{Cmd: "dd if=/a of=/o ibs=3 obs=3 conv=osync", Out: summary("2+0", "2+0", "6")},
		{Cmd: "dd of=/p obs=1 progress=2", In: "abcde", Out: "..\n" + summary("0+1", "5+0", "5")},
		{Cmd: "dd count=0 of=/p", In: "abc", Out: summary("0+0", "0+0", "0")},
		{Cmd: "ls -l /p", Out: "-rw-r--r--  1 0  0  0 <date> /p\n"},
		{Cmd: "dd conv=block cbs=3", In: "abcd\ne", Out: "abce  0+1 records in\n0+1 records out\n2 truncated blocks\n6 bytes transferred in <time>\n"},
		{Cmd: "dd conv=unblock cbs=4 msgfmt=%b%%", In: "a   b", Out: "dd: stdin: short input record\na\nb\n4%"},
		{Cmd: "dd ibs=2 obs=2 conv=sync,swab msgfmt=quiet", In: "abc", Out: "ba\x00c"},
		{Cmd: "dd if=/dev bs=1 conv=noerror msgfmt=quiet", Out: "dd: /dev: Is a directory\n", Status: 1},
		{Cmd: "dd iflag=directory if=/a msgfmt=quiet", Out: "dd: directory set for iflag but makes no sense\ndd: /a: Not a directory\n", Status: 1},
		{Cmd: "dd bs=9223372036854775807 skip=2", Out: "dd: block size 9223372036854775807 is greater than 4294967295.\n", Status: 1},
		{Cmd: "dd if=/a bs=1m skip=9223372036854775807", Out: "dd: /a: Invalid argument\n", Status: 1},
	})
}

// TestSparse checks that blocks of zeroes become holes, but for the last.
func TestSparse(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "dd if=/dev/zero of=/t/s bs=64k count=4 conv=sparse", Out: "4+0 records in\n4+0 records out\n" +
			"3 sparse output blocks\n262144 bytes transferred in <time>\n"},
		{Cmd: "ls -l /t/s", Out: "-rw-r--r--  1 0  0  262144 <date> /t/s\n"},
		{Cmd: "dd of=/t/d obs=4 conv=sparse", In: "abcd\x00\x00\x00\x00efgh\x00\x00", Out: "0+1 records in\n3+1 records out\n" +
			"1 sparse output block\n14 bytes transferred in <time>\n"},
		{Cmd: "cat /t/d", Out: "abcd\x00\x00\x00\x00efgh\x00\x00"},
	})
}

// TestFull fills a file system: transcript fs-01 has the form.
func TestFull(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{{Cmd: "mkdir /t"}, {Cmd: "mount_tmpfs -s 1m tmpfs /t"}})
	got, status := k.Run("", "dd", "if=/dev/zero", "of=/t/big", "bs=64k")
	if status != 1 || !strings.HasPrefix(got, "dd: /t/big: No space left on device\n") || !strings.Contains(got, " bytes transferred in ") {
		t.Errorf("%s[%d]", got, status)
	}
	k.Check([]utiltest.Step{
		{Cmd: "rm /t/big"},
		{Cmd: "mount -u -r /t"},
		{Cmd: "dd of=/t/x", In: "x", Out: "dd: /t/x: Read-only file system\n", Status: 1},
	})
}

// TestLargeBlock copies blocks that take several calls.
func TestLargeBlock(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	text := strings.Repeat("0123456789abcdef", 3<<20/16)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "dd of=/t/f obs=3m", In: text, Out: summary("6144+0", "1+0", "3145728")},
		{Cmd: "dd if=/t/f of=/t/g bs=2m", Out: summary("1+1", "1+1", "3145728")},
	})
	if got, _ := k.Run("", "cat", "/t/g"); got != text {
		t.Errorf("%d bytes came back, not the same", len(got))
	}
}

// TestInterrupt checks that the summary comes when dd is interrupted, even while it waits for its input.
func TestInterrupt(t *testing.T) {
	k := utiltest.New(t)
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	defer w.Close()
	go func() {
		w.Write([]byte("abc"))
		w.Write([]byte("d")) // dd has the first by the time that it takes this
		cancel()
	}()
	var out bytes.Buffer
	status := k.RunStreams(ctx, r, io.Discard, &out, "dd", "of=/f", "bs=3")
	got := utiltest.Normal(out.String())
	if status != 130 || !strings.HasPrefix(got, "1+") || !strings.Contains(got, "bytes transferred in <time>\n") {
		t.Errorf("%s[%d]", got, status)
	}
}
