package hexdump_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hexdump"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: hexdump [-bcCdovx] [-e fmt] [-f fmt_file] [-n length] [-s skip] [file ...]\n"

const sample = "Hello, world!\n\x00\x01\x7f\xffend"

// TestStyles holds the options against the layouts that hexdump(1) describes for them.
func TestStyles(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/f msgfmt=quiet", In: sample},
		{Cmd: "hexdump /f", Out: "0000000 6548 6c6c 2c6f 7720 726f 646c 0a21 0100\n" +
			"0000010 ff7f 6e65 0064                         \n" + "0000015\n"},
		{Cmd: "hexdump -x /f", Out: "0000000    6548    6c6c    2c6f    7720    726f    646c    0a21    0100\n" +
			"0000010    ff7f    6e65    0064                                        \n" + "0000015\n"},
		{Cmd: "hexdump -C /f", Out: "00000000  48 65 6c 6c 6f 2c 20 77  6f 72 6c 64 21 0a 00 01  |Hello, world!...|\n" +
			"00000010  7f ff 65 6e 64                                    |..end|\n" + "00000015\n"},
		{Cmd: "hexdump -b /f", Out: "0000000 110 145 154 154 157 054 040 167 157 162 154 144 041 012 000 001\n" +
			"0000010 177 377 145 156 144                                            \n" + "0000015\n"},
		{Cmd: "hexdump -c /f", Out: `0000000   H   e   l   l   o   ,       w   o   r   l   d   !  \n  \0 001` + "\n" +
			"0000010 177 377   e   n   d                                            \n" + "0000015\n"},
		{Cmd: "hexdump -d /f", Out: "0000000   25928   27756   11375   30496   29295   25708   02593   00256\n" +
			"0000010   65407   28261   00100                                        \n" + "0000015\n"},
		{Cmd: "hexdump -o /f", Out: "0000000  062510  066154  026157  073440  071157  062154  005041  000400\n" +
			"0000010  177577  067145  000144                                        \n" + "0000015\n"},
		{Cmd: "hexdump", In: "", Out: ""},
		{Cmd: "hexdump -C", In: "0123456789abcdef", Out: "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n00000010\n"},
	})
}

// TestRepeats has an asterisk for lines like the one before, but for a part of one.
func TestRepeats(t *testing.T) {
	k := utiltest.New(t)
	zeros := "0000000 0000 0000 0000 0000 0000 0000 0000 0000\n"
	k.Check([]utiltest.Step{
		{Cmd: "hexdump", In: strings.Repeat("\x00", 48), Out: zeros + "*\n0000030\n"},
		{Cmd: "hexdump", In: strings.Repeat("\x00", 33), Out: zeros + "*\n0000020 0000                                   \n0000021\n"},
		{Cmd: "hexdump -v", In: strings.Repeat("\x00", 32), Out: zeros + "0000010" + zeros[7:] + "0000020\n"},
		{Cmd: "hexdump", In: strings.Repeat("\x00", 32) + "a" + strings.Repeat("\x00", 15) + strings.Repeat("\x00", 16),
			Out: zeros + "*\n0000020 0061 0000 0000 0000 0000 0000 0000 0000\n0000030 0000" + zeros[12:] + "0000040\n"},
	})
}

// TestFormats holds format strings against the examples and the rules of hexdump(1).
func TestFormats(t *testing.T) {
	k := utiltest.New(t)
	for _, c := range []struct{ format, in, out string }{
		{`"%06.6_ao "  12/1 "%3_u "` + "\n" + `"\t\t" "%_p "` + "\n" + `"\n"`, "Hi\x00\n\x1b\x7f\x80",
			"000000   H   i nul  lf esc del  80                    \t\tH i . . . . .     \n"},
		{`"%07.7_Ax\n"` + "\n" + `"%07.7_ax  " 8/2 "%04x " "\n"`, "abcd", "0000000  6261 6463                              \n0000004\n"},
		{`1/1 "%d "`, "\xff\x01", "-1 1 "},
		{`2/1 "%d "`, "\xff\x01", "-1 1"},
		{`/2 "%d "`, "\xff\xff\x01\x00", "-1 1 "},
		{`"%d "`, "\xfe\xff\xff\xff", "-2 "},
		{`/8 "%d|"`, "\xfe\xff\xff\xff\xff\xff\xff\xff", "-2|"},
		{`/8 "%u|"`, "\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615|"},
		{`/1 "%#x " /1 "%#o " /1 "%X\n"`, "\x0a\x08\xab", "0xa 010 AB\n"},
		{`/4 "%f|"`, "\x00\x00\xc0\x3f", "1.500000|"},
		{`"%.2e|"`, "\x00\x00\x00\x00\x00\x00\xf8\x3f", "1.50e+00|"},
		{`/4 "%s|"`, "abcdef\x00g", "abcd|ef|"},
		{`"%.3s|"`, "abcdef", "abc|def|"},
		{`3 "x" "%c\n"`, "ab", "xxxa\nxxxb\n"},
		{`"%_ad:%_ao:%_ax " 8/1 "%c" "\n"`, "0123456789abcdef", "0:0:0 01234567\n8:10:8 89abcdef\n"},
		{`1/1 "100%% %02x" "\n"`, "A", "100% 41\n"},
		{`4/1 "%c" "\n" 4/1 "%02x" "\n"`, "abcdefg", "abcd\n656667  \n"},
		{`/1 "%c\a\q\\\v"`, "x", "x\aq\\\v"},
		{`"%_Ad bytes\n"`, "", ""},
		{`4/1 "%_p"` + "\n" + `"%_Ad\n"`, "abcd", "abcd4\n"},
		{`/1 "%_c" /1 "" "\n"`, "abcd", "a\nc\n"},
	} {
		if err := k.Process().WriteFile("/fmt", []byte("# a comment\n\n  "+c.format+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		k.Check([]utiltest.Step{{Cmd: "hexdump -f /fmt", In: c.in, Out: c.out}})
	}
	k.Check([]utiltest.Step{
		{Cmd: `hexdump -e '1/1 "%02x"' -e '"|" 1/1 "%_p" "\n"'`, In: "A", Out: "41|A\n"},
	})
}

// TestRange holds -n and -s against hexdump(1), over several files.
func TestRange(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/a msgfmt=quiet", In: "abcde"},
		{Cmd: "dd of=/b msgfmt=quiet", In: "fghij"},
		{Cmd: "hexdump -e '\"%_ax \" 16/1 \"%_p\" \"\\n\"' /a /b", Out: "0 abcdefghij\n"},
		{Cmd: "hexdump -C -n 3 /a", Out: "00000000  61 62 63                                          |abc|\n00000003\n"},
		{Cmd: "hexdump -C -s 3 -n 4 /a /b", Out: "00000003  64 65 66 67                                       |defg|\n00000007\n"},
		{Cmd: "hexdump -C -s 7 /a /b", Out: "00000007  68 69 6a                                          |hij|\n0000000a\n"},
		{Cmd: "hexdump -C -s 0x4", In: "abcde", Out: "00000004  65                                                |e|\n00000005\n"},
		{Cmd: "hexdump -C -s 010 /a /b", Out: "00000008  69 6a                                             |ij|\n0000000a\n"},
		{Cmd: "hexdump -n 0 /a"},
		{Cmd: "hexdump -s 1k /a", Out: "0000005\n"},
		{Cmd: "hexdump -c /nope /a", Out: "hexdump: /nope: No such file or directory\n0000000   a   b   c   d   e                                            \n0000005\n", Status: 1},
		{Cmd: "hexdump /", Out: "hexdump: /: Is a directory\n", Status: 1},
	})
	if out, _ := k.Run(strings.Repeat("x", 1<<20)+"y", "hexdump", "-s", "1m", "-e", `/1 "%_ad %c\n"`); out != "1048576 y\n" {
		t.Errorf("-s 1m: %q", out)
	}
}

// TestMessages holds messages against hexdump(1).
func TestMessages(t *testing.T) {
	k := utiltest.New(t)
	for _, c := range []struct{ options, message string }{
		{"-n -1", "-1: bad length value"},
		{"-s x", "x: bad skip value"},
		{"-s 1_0", "1_0: bad skip value"},
		{"-f /nope", "/nope: No such file or directory"},
		{`-e '"%d'`, `""%d": bad format`},
		{`-e 'x'`, `"x": bad format`},
		{`-e '1x "%d"'`, `"1x "%d"": bad format`},
		{`-e '99999999 "%d"'`, `"99999999 "%d"": bad format`},
		{`-e '2000000/1 "%d"'`, `"2000000/1 "%d"": bad format`},
		{`-e '"%9999d"'`, "%d: bad conversion character"},
		{`-e '"%z"'`, "%z: bad conversion character"},
		{`-e '"%"'`, "%: bad conversion character"},
		{`-e '"%_q"'`, "%_q: bad conversion character"},
		{`-e '"%_a"'`, "%_a: bad conversion character"},
		{`-e '"%*d"'`, "%*: bad conversion character"},
		{`-e '/3 "%d"'`, "d: bad byte count"},
		{`-e '/2 "%_c"'`, "_c: bad byte count"},
		{`-e '"%s"'`, "%s: requires a precision or a byte count"},
		{`-e '/2 "%d %d"'`, "byte count with multiple conversion characters"},
	} {
		k.Check([]utiltest.Step{{Cmd: "hexdump " + c.options, Out: "hexdump: " + c.message + "\n", Status: 1}})
	}
	k.Check([]utiltest.Step{{Cmd: "hexdump -z", Out: "hexdump: unknown option -- z\n" + usage, Status: 1}})
}

// TestReadError prints what there was before an error.
func TestReadError(t *testing.T) {
	k := utiltest.New(t)
	var out bytes.Buffer
	in := io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(errors.New("broken")))
	status := k.RunStreams(context.Background(), in, &out, &out, "hexdump", "-C")
	want := "hexdump: stdin: broken\n00000000  61 62                                             |ab|\n00000002\n"
	if out.String() != want || status != 1 {
		t.Errorf("%s[%d], want %s", &out, status, want)
	}
}

// FuzzFormat dumps by any format: it ends, and does not panic.
func FuzzFormat(f *testing.F) {
	for _, seed := range []string{`"%06.6_ao "  12/1 "%3_u "`, `"\t\t" "%_p " "\n"`, `3/2 "%-#08.5x|" /4 "%f" "%.3s"`, `"%_Ad"`} {
		f.Add(seed, []byte(sample))
	}
	f.Fuzz(func(_ *testing.T, format string, data []byte) {
		util.Run(context.Background(), &hexdump.Utility, &util.Env{
			Args: []string{"hexdump", "-v", "-e", format}, Stdin: bytes.NewReader(data), Stdout: io.Discard, Stderr: io.Discard,
		})
	})
}
