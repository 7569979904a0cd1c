package ed_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
	"github.com/rumpctrl/rumpctrl/util/ed"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// five is the file that most scripts edit.
const five = "one\ntwo\nthree\nfour\nfive\n"

// script is what ed -s does to the file /f with the lines of five.
type script struct {
	in   string // commands; those of lists end with ",p" if what counts is the text
	want string // what is printed
}

// checkScripts runs scripts, each on a new file.
func checkScripts(t *testing.T, scripts []script) {
	t.Helper()
	k := utiltest.New(t)
	p := k.Process()
	for _, s := range scripts {
		if err := p.WriteFile("/f", []byte(five), 0o644); err != nil {
			t.Fatal(err)
		}
		got, status := k.Run("H\n"+s.in, "ed", "-s", "/f")
		want := 0
		if i := strings.Index(s.want, "?\n"); i >= 0 {
			want = 2
		}
		if got != s.want || status != want {
			t.Errorf("%q\ngot  %q [%d]\nwant %q [%d]", s.in, got, status, s.want, want)
		}
	}
}

// fails is what a script prints that has an error in line n.
func fails(line, why string) string { return "?\nscript, line " + line + ": " + why + "\n" }

// TestAddresses holds addresses against ed(1), LINE ADDRESSING.
func TestAddresses(t *testing.T) {
	checkScripts(t, []script{
		{"p\n", "five\n"},
		{"1\n", "one\n"},
		{"1\n\n", "one\ntwo\n"},
		{"$-1p\n", "four\n"},
		{"$--p\n", "three\n"},
		{"$^^p\n", "three\n"},
		{"2\n+p\n++p\n", "two\nthree\nfive\n"},
		{"2;+1p\n", "two\nthree\n"},
		{"1\n2,+1p\n", "one\ntwo\n"},
		{"1 2p\n", "three\n"},
		{"1+ 2 1p\n", "four\n"},
		{".p\n", "five\n"},
		{",p\n", five},
		{"%p\n", five},
		{"4\n;p\n", "four\nfour\nfive\n"},
		{"1,2,3p\n", "two\nthree\n"},
		{"2,p\n", "two\n"},
		{"2;\n", "two\n"},
		{"1;/t/;//p\n", "two\nthree\n"},
		{"/o/\n", "one\n"}, // round the end
		{"2\n/o/\n//\n", "two\nfour\none\n"},
		{"?o?\n??\n", "four\ntwo\n"},
		{"/t[/]*w/\n", "two\n"},
		{"2kx\n1d\n'xp\n", "two\n"},
		{"2kx\n2m$\n'x=\n", "5\n"},
		{"2kx\n2d\nu\n'xp\n", "two\n"},
		{"0a\nzero\n.\n1p\n", "zero\n"},
		{"=\n.=\n1=\n/two/=\n", "5\n5\n1\n2\n"},
		{"6p\n", fails("2", "invalid address")},
		{"0p\n", fails("2", "invalid address")},
		{"-9p\n", fails("2", "invalid address")},
		{"3,2p\n", fails("2", "invalid address")},
		{"1.p\n", fails("2", "invalid address")},
		{",1p\n", fails("2", "invalid address")},
		{"99999999999999999999p\n", fails("2", "number out of range")},
		{"9999999999+9999999999p\n", fails("2", "invalid address")},
		{"'ap\n", fails("2", "invalid address")},
		{"'Ap\n", fails("2", "invalid mark character")},
		{"2kx\n2s/t/T/\n'xp\n", fails("4", "invalid address")},
		{"/x/\n", fails("2", "no match")},
		{"//\n", fails("2", "no previous pattern")},
		{"/[/\n", fails("2", "unbalanced brackets ([])")},
		{"/\\(/\n", fails("2", "parentheses not balanced")},
		{"/a\\\n/\n", fails("2", `trailing backslash (\)`)},
		{"1q\n", fails("2", "unexpected address")},
		{"\n", fails("2", "invalid address")},
	})
}

// TestEditing holds the commands that change lines against ed(1).
func TestEditing(t *testing.T) {
	checkScripts(t, []script{
		{"2a\nx\ny\n.\n.=\n1,4p\n", "4\none\ntwo\nx\ny\n"},
		{"2i\nx\n.\n.=\n,p\n", "2\none\nx\ntwo\nthree\nfour\nfive\n"},
		{"2,4c\nx\n.\n.=\n,p\n", "2\none\nx\nfive\n"},
		{"2,4c\n.\n.=\n,p\n", "1\none\nfive\n"},
		{"ap\nx\n.\n", "x\n"},
		{"a\nno end\n", ""},
		{"a\nno end", ""},
		{"2d\n.p\n$d\n.p\n", "three\nfour\n"},
		{"2,4dp\n", "five\n"},
		{",d\n=\n", "0\n"},
		{"2,4j\n.p\n1j\n,p\n", "twothreefour\none\ntwothreefour\nfive\n"},
		{"1\njn\n", "one\n1\tonetwo\n"},
		{"2,3m0\n.=\n,p\n", "2\ntwo\nthree\none\nfour\nfive\n"},
		{"2,3m$\n.=\n,p\n", "5\none\nfour\nfive\ntwo\nthree\n"},
		{"2,3m1\n.=\n,p\n", "3\n" + five},
		{"1\nm/four/p\n,p\n", "one\none\ntwo\nthree\nfour\none\nfive\n"},
		{"1,2t$\n.=\n,p\n", "7\n" + five + "one\ntwo\n"},
		{"1,3t2\n,p\n", "one\ntwo\none\ntwo\nthree\nthree\nfour\nfive\n"},
		{"1t0p\n", "one\n"},
		{"2,4m3\n", fails("2", "invalid destination")},
		{"2m9\n", fails("2", "invalid address")},
		{"0d\n", fails("2", "invalid address")},
		{"0i\n", fails("2", "invalid address")},
		{"j\n", fails("2", "invalid address")},
		{"dx\n", fails("2", "invalid command suffix")},
		{"Z\n", fails("2", "unknown command")},
		{"2kA\n", fails("2", "invalid mark character")},
		{"k", fails("1", "unexpected end-of-file")},
		{"x\n", fails("2", "crypt unavailable")},
	})
}

// TestUndo holds u against ed(1).
func TestUndo(t *testing.T) {
	checkScripts(t, []script{
		{"2d\nu\n.=\n,p\n", "5\n" + five},
		{"2d\nu\nu\n,p\n", "one\nthree\nfour\nfive\n"},
		{"1,2m$\nu\n,p\n", five},
		{",j\nu\n,p\n", five},
		{"1,3t.\nu\n,p\n", five},
		{"a\nx\ny\n.\nu\n$p\n", "five\n"},
		{"g/o/d\nu\n,p\n", five},
		{"g/o/s//0/\\\nm0\nu\n,p\n", five},
		{",s/e/\\\n/g\nu\n,p\n", five},
		{"2d\n3p\nu\n.p\n2p\n", "four\nfive\ntwo\n"}, // printing is no change
		{"r /f\nu\n=\n", "5\n"},
		{"2d\ng/o/u\n=\n", "4\n"}, // of the global command itself, which has done nothing
		{"g/t/d\\\nu\n,p\n", five},
		{"u\n", fails("2", "nothing to undo")},
		{"1d\ne /f\nu\n", fails("4", "nothing to undo")},
	})
}

// TestSubstitute holds s against ed(1).
func TestSubstitute(t *testing.T) {
	checkScripts(t, []script{
		{"1s/o/0/p\n", "0ne\n"},
		{"1s/n/[&]/\n.p\n", "o[n]e\n"},
		{"1s/n/\\&\\/\\n/p\n", "o&/ne\n"},
		{"1s/\\(o\\)\\(n\\)/\\2\\1\\3/p\n", "no3e\n"},
		{"3s/e/E/gp\n", "thrEE\n"},
		{"3s/e/E/2p\n", "threE\n"},
		{"3s/e/E/2n\n", "3\tthreE\n"},
		{"3s/e/\\\\/l\n", "thr\\\\e$\n"},
		{"3s/e/E", fails("1", "unexpected end-of-file")},
		{"3s/e/E\n", "thrEe\n"},
		{"3s/ree\n", "th\n"},
		{"3s,e,/,p\n", "thr/e\n"},
		{"3s,t\\,*,/,p\n", "/hree\n"},
		{"1s/n/a\\\nb/p\n,p\n", "be\noa\nbe\ntwo\nthree\nfour\nfive\n"},
		{"1,2s/o/\\\n/g\n.=\n,p\n", "4\n\nne\ntw\n\nthree\nfour\nfive\n"},
		{",s/e$/E/\n.p\n", "fivE\n"},
		{"1,4s/e$/E/\n.p\n", "threE\n"},
		{"1s/o/X/\n2s\n2p\n", "twX\n"},
		{"1s/o/X/\ns2\n", fails("3", "no match")},
		{"1s/e/X/\n3sg\n.p\n", "thrXX\n"},
		{"1s/e/X/\n3s2p\n", "threX\n"},
		{"1s/e/X/p\n3sp\n.p\n", "onX\nthrXe\n"},
		{"1s/e/X/\n/th/\n4s/u/v/\n/f/\nsr\n.p\n", "three\nfive\nvive\n"},
		{"1s/o/<&>/\n2s//%/p\n", "tw<o>\n"},
		{"1s/^/> /p\n1s/$/ </p\n", "> one\n> one <\n"},
		{"1s/x*/-/2p\n", "o-ne\n"},
		{"1s/one//p\n", "\n"},
		{"3s/\\(.\\)\\1/<\\1>/p\n", "thr<e>\n"},
		{"5s/\\<./F/p\n", "Five\n"},
		{"1s/x*/-/g\n", fails("2", "infinite substitution loop")},
		{"s\n", fails("2", "no previous substitution")},
		{"s/a/%/\n", fails("2", "no previous substitution")},
		{"s/q/x/\n", fails("2", "no match")},
		{"s/\n", fails("2", "invalid pattern delimiter")},
		{"s a b \n", fails("2", "invalid pattern delimiter")},
		{"s/i/x/gz\n", fails("2", "invalid command suffix")},
		{"s/i/x/\nsx\n", fails("3", "invalid pattern delimiter")},
		{"s/i/x/\nsgx\n", fails("3", "invalid command suffix")},
		{"s/\\(i\\1\\)/x/\n", fails("2", "invalid backreference number")},
	})
}

// TestGlobal holds g, v, G and V against ed(1).
func TestGlobal(t *testing.T) {
	checkScripts(t, []script{
		{"g/o/\n", "one\ntwo\nfour\n"},
		{"g/o/p\n.=\n", "one\ntwo\nfour\n4\n"},
		{"v/o/p\n", "three\nfive\n"},
		{"2,3g/o/n\n", "2\ttwo\n"},
		{"g/o/s//0/g\\\np\n", "0ne\ntw0\nf0ur\n"},
		{"g/./m0\n,p\n", "five\nfour\nthree\ntwo\none\n"},
		{"g/./t.\n=\n", "10\n"},
		{"g/o/d\n,p\n", "three\nfive\n"},
		{"g/t/.,+1d\n,p\n", "one\nfour\nfive\n"},
		{"g/t/a\\\nx\\\n.\\\np\n", "x\nx\n"},
		{"1g/./a\\\nx\n,p\n", "one\nx\ntwo\nthree\nfour\nfive\n"},
		{"1g/./s/n/a\\\nb/\n1,2p\n", "oa\nbe\n"},
		{"g/one/i\\\nx\\\n.\\\n+c\\\ny\n1,3p\n", "x\ny\ntwo\n"},
		{"g/nope/d\n=\n", "5\n"},
		{"g/o/s/x/y/\n.=\n", "4\n"}, // no match is no error
		{"g/o/kx\n'x=\n", "4\n"},
		{"g,o,p\n", "one\ntwo\nfour\n"},
		{"G/o/\ns/o/0/p\n&\n\n,p\n", "one\n0ne\ntwo\ntw0\nfour\n0ne\ntw0\nthree\nfour\nfive\n"},
		{"V/o/n\nd\n\n=\n", "3\tthree\n4\tfive\n4\n"},
		{"G/one/\na\\\nx\\\ny\n1,3p\n", "one\none\nx\ny\n"},
		{"G/o/\n&\n", "one\n" + fails("3", "no previous command")},
		{"G/o/\n", "one\n" + fails("2", "unexpected end-of-file")},
		{"g/o/g/x/p\n", fails("2", "cannot nest global commands")},
		{"g/o/Z\n", fails("2", "unknown command")},
		{"g o p\n", fails("2", "invalid pattern delimiter")},
		{"g\n", fails("2", "invalid pattern delimiter")},
		{"g/o/s/o/x\\\n", fails("2", "unexpected end-of-file")},
	})
}

// TestPrinting holds l, n, p and z against ed(1).
func TestPrinting(t *testing.T) {
	const long = "0123456789012345678901234567890123456789012345678901234567890123456789"
	checkScripts(t, []script{
		{"1,2n\n.=\n", "1\tone\n2\ttwo\n2\n"},
		{"1,2pn\n", "1\tone\n2\ttwo\n"},
		{"1lnp\n", "1\tone$\n"},
		{"a\n\a\b\f\t\v\\\r\x01\x7f\xe9\n.\nl\n", `\a\b\f\t\v\\\r\001\177\351` + "$\n"},
		{"a\n" + long + "abcd\n.\nl\n", long + "ab\\\ncd$\n"},
		{"1z2\n.=\n", "one\ntwo\nthree\n3\n"},
		{"1z1n\nzn\n", "1\tone\n2\ttwo\n3\tthree\n4\tfour\n"},
		{"1\nz\n", five},
		{"z\n", fails("2", "invalid address")},
	})
}

// TestRegexps checks that searches know basic and extended expressions.
func TestRegexps(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/f msgfmt=quiet", In: "aab\nab|b+\nxyxy\n"},
		{Cmd: "ed -s /f", In: "g/b+$/p\ng/\\(xy\\)\\1/p\n", Out: "ab|b+\nxyxy\n"},
		{Cmd: "ed -E -s /f", In: "g/a+b$|y$/p\ns/(x)(y)/\\2\\1/gp\n", Out: "aab\nxyxy\nyxyx\n"},
		{Cmd: "ed -E -s /f", In: "H\n/(/\n", Out: "?\nscript, line 2: parentheses not balanced\n", Status: 2},
	})
}

// TestFiles holds the commands for files against ed(1) and transcript core-08.
func TestFiles(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "ed -s", In: "a\nfirst line\nsecond line\n.\nw /edited\n1,$p\n$=\ns/second/2nd/\np\nwq\n", Out: "first line\nsecond line\n2\n2nd line\n"},
		{Cmd: "cat /edited", Out: "first line\n2nd line\n"},
		{Cmd: "ed /edited", In: "1,$p\nq\n", Out: "20\nfirst line\n2nd line\n"},
		{Cmd: "ed -s /edited", In: "z9\nq\n", Out: "?\n", Status: 2},
		{Cmd: "ed /edited", In: "1w /one\nW /one\nr /one\n=\nf\nf /two\nw\nq\n", Out: "20\n11\n20\n31\n5\n/edited\n/two\n51\n"},
		{Cmd: "cat /one", Out: "first line\nfirst line\n2nd line\n"},
		{Cmd: "ed", In: "r /one\n1d\nw\n", Out: "31\n20\n"},
		{Cmd: "ed /one", In: "e /edited\nf\nE\n=\n", Out: "20\n20\n/edited\n20\n2\n"},
		{Cmd: "ed -", In: "r /one\nd\nq\n"},
		{Cmd: "ed - -p > /one", In: "=\nP\n=\nP\n", Out: ">2\n>2\n>"},
		{Cmd: "ed -s -p '# ' - /one", In: "Q\n", Out: "# "},
		{Cmd: "ed /one", In: "P\nP\n", Out: "20\n*"},
		{Cmd: "ed /nope", In: "=\n", Out: "/nope: No such file or directory\n", Status: 2},
		{Cmd: "ed ''", Out: "?\n", Status: 2},
		{Cmd: "ed -s", In: "f\n", Out: "?\n", Status: 2},
		{Cmd: "ed -s", In: "H\nw\n", Out: "?\nscript, line 2: no current filename\n", Status: 2},
		{Cmd: "ed -s", In: "H\nr \n", Out: "?\nscript, line 2: invalid filename\n", Status: 2},
		{Cmd: "ed -s", In: "H\nf !x\n", Out: "?\nscript, line 2: invalid redirection\n", Status: 2},
		{Cmd: "ed -s", In: "H\nrx\n", Out: "?\nscript, line 2: unexpected command suffix\n", Status: 2},
		{Cmd: "ed -s", In: "H\nr /" + strings.Repeat("x", 1100) + "\n", Out: "?\nscript, line 2: filename too long\n", Status: 2},
		{Cmd: "ed -s", In: "H\nr /nope\n", Out: "/nope: No such file or directory\n?\nscript, line 2: cannot open input file\n", Status: 2},
		{Cmd: "ed -s", In: "H\nr /\n", Out: "Is a directory\n?\nscript, line 2: cannot read input file\n", Status: 2},
		{Cmd: "ed -s /one", In: "H\nw /nope/x\n", Out: "/nope/x: No such file or directory\n?\nscript, line 2: cannot open output file\n", Status: 2},
		{Cmd: "ed -s", In: "a\nx\n.\nw /a\\ b\\\\c\n"},
		{Cmd: "cat '/a b\\c'", Out: "x\n"},
		{Cmd: "ed -s", In: "a\nx\n.\nw /lo\\\nng\nf\n", Out: "/long\n"},
		{Cmd: "ed -s", In: "w /empty\n"},
		{Cmd: "ed /empty", In: "w\nq\n", Out: "0\n0\n"},
		{Cmd: "ed -z", Out: "ed: unknown option -- z\nUsage: ed [-] [-ESsx] [-p string] [name]\n", Status: 1},
		{Cmd: "ed -x", Out: "ed: -x: encryption is not supported\n", Status: 1},
	})
}

// TestEndings checks files without a newline at their end: text gets one, what is binary does not.
func TestEndings(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/text msgfmt=quiet", In: "a\nb"},
		{Cmd: "dd of=/bin msgfmt=quiet", In: "a\x00\nb"},
		{Cmd: "ed /text", In: "w\n", Out: "newline appended\n4\n4\n"},
		{Cmd: "ed /bin", In: "w\n,l\n", Out: "4\n4\na\\000$\nb$\n"},
		{Cmd: "ed /bin", In: "r /text\nw /both\n", Out: "4\nnewline inserted\n4\n9\n"},
		{Cmd: "ed /text", In: "0r /bin\nw /both\n", Out: "4\nnewline appended\n5\n9\n"},
		{Cmd: "ed /bin", In: "s/b/c/\n1s/\x00/&/p\nw\n", Out: "4\na\x00\n4\n"},
	})
}

// TestModified holds the warnings that changes are lost against ed(1).
func TestModified(t *testing.T) {
	const changed = "a\nx\n.\n"
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "ed", In: changed + "H\nq\n", Out: "?\nscript, line 5: warning: file modified\n", Status: 2},
		{Cmd: "ed", In: changed + "e /x\n", Out: "?\n", Status: 2},
		{Cmd: "ed", In: changed, Out: "?\n", Status: 2},
		{Cmd: "ed", In: changed + "Q\n"},
		{Cmd: "ed -s", In: changed + "q\n"},
		{Cmd: "ed", In: changed + "w /x\nq\n", Out: "2\n"},
		{Cmd: "ed", In: changed + "a\ny\n.\n1wq /x\n", Out: "2\n?\n", Status: 2},
		{Cmd: "ed", In: changed + "a\ny\n.\n1wQ /x\n", Out: "2\n"},
		{Cmd: "ed", In: "r /x\nq\n", Out: "2\n"},
		{Cmd: "ed /x", In: "r /x\nq\n", Out: "2\n2\n?\n", Status: 2},
		{Cmd: "ed /x", In: "1d\nu\nq\n", Out: "2\n?\n", Status: 2},
	})
}

// TestUtilities holds the commands behind exclamation marks against ed(1), with utilities in the place of programs.
func TestUtilities(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/f msgfmt=quiet", In: five},
		{Cmd: "ed /f", In: "!cat /f\n!!\nq\n", Out: "24\n" + five + "!\ncat /f\n" + five + "!\n"},
		{Cmd: "ed -s /f", In: "2!cat\n", Out: "?\n", Status: 2},
		{Cmd: "ed -s /f", In: "!cat %\n!cat \\%\n", Out: "cat /f\n" + five + "cat: %: No such file or directory\n"},
		{Cmd: "ed -s /f", In: "1r !cat /f\n=\n", Out: "10\n"},
		{Cmd: "ed -s /f", In: "1,2w !cat -n\n", Out: "     1\tone\n     2\ttwo\n"},
		{Cmd: "ed /f", In: "2,3w !dd of=/g msgfmt=quiet\ne !cat /g\nf\n", Out: "24\n10\n10\n/f\n"},
		{Cmd: "ed '!cat /g'", In: ",p\n", Out: "10\ntwo\nthree\n"},
		{Cmd: "ed -s", In: "!cat\nrest\nof it\n", Out: "rest\nof it\n"},
		{Cmd: "ed -s", In: "r !sh -c 'cat /f | cat -n'\n2p\n", Out: "     2\ttwo\n"},
		{Cmd: "ed -s", In: "!nope\n=\n", Out: "ed: nope: not found\n0\n"},
		{Cmd: "ed -s", In: "H\n!cat /f | cat\n", Out: "?\nscript, line 2: shell syntax: use sh -c\n", Status: 2},
		{Cmd: "ed -s", In: "H\n!!\n", Out: "?\nscript, line 2: no previous command\n", Status: 2},
		{Cmd: "ed -s", In: "H\n!cat %\n", Out: "?\nscript, line 2: no current filename\n", Status: 2},
		{Cmd: "ed -s -S", In: "H\n!cat /f\n", Out: "?\nscript, line 2: shell access restricted\n", Status: 2},
		{Cmd: "ed -s -S", In: "H\nr !cat /f\n", Out: "?\nscript, line 2: shell access restricted\n", Status: 2},
		{Cmd: "ed -s -S '!cat /f'", Out: "?\n", Status: 2},
	})
}

// terminal is a standard input that says that it is a terminal.
type terminal struct {
	io.Reader
	columns, rows int
}

func (terminal) IsTerminal() bool              { return true }
func (t terminal) Size() (c, r int, err error) { return t.columns, t.rows, nil }

// typed runs ed with somebody at a terminal of 20 columns and 5 rows.
func typed(k *utiltest.Kernel, in string, args ...string) (string, int) {
	var out bytes.Buffer
	status := k.RunStreams(context.Background(), terminal{strings.NewReader(in), 20, 5}, &out, &out, args...)
	return out.String(), status
}

// TestTerminal holds what is different at a terminal against ed(1): errors do not end the session, a warning is given
// once, and long lines wait to be read.
func TestTerminal(t *testing.T) {
	k := utiltest.New(t)
	for _, c := range []struct {
		args     string
		in, want string
		status   int
	}{
		{"ed", "Z\nh\nH\n/x/\nH\nZ\n", "?\nunknown command\nunknown command\n?\nno match\n?\n", 0},
		{"ed", "a\nx\n.\nq\nh\nq\n=\n", "?\nwarning: file modified\n", 0},
		{"ed /nope", "h\nf\na\nx\n.\nw\n", "/nope: No such file or directory\ncannot open input file\n/nope\n2\n", 0},
		{"ed ''", "h\n", "?\ninvalid filename\n", 0},
		{"ed -s", "a\n1\n2\n3\n4\n5\n6\n.\n1z\nz\n", "1\n2\n3\n4\n5\n6\n", 0},
		{"ed", "a\n" + strings.Repeat("x", 50) + "\n.\nl\n\n.=\nQ\n",
			"xxxxxxxxxxxx\\\nxxxxxxxxxxxx\\\nxxxxxxxxxxxx\\\nxxxxxxxxxxxx\\\n--More--xx$\n1\n", 0},
	} {
		if got, status := typed(k, c.in, utiltest.Words(c.args)...); got != c.want || status != c.status {
			t.Errorf("%s: %q\ngot  %q [%d]\nwant %q [%d]", c.args, c.in, got, status, c.want, c.status)
		}
	}
}

// session runs a utility in a process of its own, beside the test.
func session(ctx context.Context, p *client.Process, u *util.Utility, stdin io.Reader, out io.Writer) chan int {
	ended := make(chan int, 1)
	go func() {
		ended <- util.Run(ctx, u, &util.Env{
			Args: []string{"ed", "-p", "*"}, Stdin: stdin, Stdout: out, Stderr: out,
			Getenv: func(string) string { return "" }, Proc: p, Set: all.Set{},
		})
	}()
	return ended
}

// screen is an output that can be waited for.
type screen struct {
	mu      sync.Mutex
	text    string
	changed chan struct{}
}

func newScreen() *screen { return &screen{changed: make(chan struct{}, 1)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.text += string(p)
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

// wait waits until the output ends with what is wanted.
func (s *screen) wait(t *testing.T, want string) {
	t.Helper()
	for {
		s.mu.Lock()
		got := s.text
		s.mu.Unlock()
		if strings.HasSuffix(got, want) {
			return
		}
		select {
		case <-s.changed:
		case <-t.Context().Done():
			t.Fatalf("%q, want %q", got, want)
		}
	}
}

// TestInterrupt checks that an interrupt ends a command, be it the input of text, and not the session.
func TestInterrupt(t *testing.T) {
	k := utiltest.New(t)
	signals, out := make(chan os.Signal), newScreen()
	in, keyboard := io.Pipe()
	ended := session(t.Context(), k.Process(), ed.WithSignals(signals), in, out)
	out.wait(t, "*")
	signals <- os.Interrupt
	out.wait(t, "*\n?\n*")
	io.WriteString(keyboard, "H\n")
	out.wait(t, "*interrupt\n*")
	io.WriteString(keyboard, "a\nkept\n=") // who has read the last byte has done with what is before it
	signals <- os.Interrupt
	out.wait(t, "\n?\ninterrupt\n*")
	io.WriteString(keyboard, "\n")
	out.wait(t, "*1\n*")
	io.WriteString(keyboard, "!cat\n")
	io.WriteString(keyboard, "x\n")
	out.wait(t, "x\n")
	signals <- os.Interrupt
	keyboard.CloseWithError(io.EOF)
	if status := <-ended; status != 2 {
		t.Errorf("status %d", status)
	}
}

// TestHangUp checks that changes are saved when the session is ended from outside, and only changes.
func TestHangUp(t *testing.T) {
	k := utiltest.New(t)
	for _, c := range []struct{ in, want string }{
		{"=\n", "cat: /ed.hup: No such file or directory\n"},
		{"a\nprecious\n.\n=\n", "precious\n"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out := newScreen()
		in, keyboard := io.Pipe()
		ended := session(ctx, k.Process(), &ed.Utility, in, out)
		io.WriteString(keyboard, c.in)
		out.wait(t, "\n*")
		cancel()
		if status := <-ended; status != 2 {
			t.Errorf("status %d", status)
		}
		keyboard.Close()
		if got, _ := k.Run("", "cat", "/ed.hup"); got != c.want {
			t.Errorf("ed.hup has %q, want %q", got, c.want)
		}
	}
}

// broken is a standard stream that fails.
type broken struct{}

func (broken) Read([]byte) (int, error)  { return 0, errors.New("broken") }
func (broken) Write([]byte) (int, error) { return 0, errors.New("broken") }

// TestBrokenStreams checks that the session ends if there is nothing to read from or to print to.
func TestBrokenStreams(t *testing.T) {
	k := utiltest.New(t)
	var out bytes.Buffer
	if status := k.RunStreams(t.Context(), broken{}, &out, &out, "ed"); status != 2 || out.String() != "stdin: broken\n" {
		t.Errorf("%q [%d]", out.String(), status)
	}
	in := strings.NewReader("a\nx\n.\n,p\n,p\n")
	if status := k.RunStreams(t.Context(), in, broken{}, &out, "ed"); status != 3 {
		t.Errorf("status %d", status)
	}
}

// TestLarge edits a file of many lines, where the gap of the buffer and the search for a line have far to go.
func TestLarge(t *testing.T) {
	k := utiltest.New(t)
	const lines = 50_000
	if err := k.Process().WriteFile("/big", []byte(strings.Repeat("line\n", lines)), 0o644); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "ed /big", In: "g/i/s/n/&&/\\\nt.\n=\nv/nn/p\ng/^/d\n=\nu\nw\n", Out: "250000\n100000\n0\n600000\n"},
	})
}

// TestRoom checks that what is too large is refused and nothing is lost.
func TestRoom(t *testing.T) {
	k := utiltest.New(t)
	var out bytes.Buffer
	in := strings.NewReader("H\na\n1\n2\n.\n,t$\n,t$\n,t$\n")
	status := util.Run(t.Context(), ed.Limited(10, 100), &util.Env{
		Args: []string{"ed", "-s"}, Stdin: in, Stdout: &out, Stderr: &out,
		Getenv: func(string) string { return "" }, Proc: k.Process(),
	})
	if want := "?\nscript, line 8: out of memory\n"; out.String() != want || status != 2 {
		t.Errorf("%q [%d], want %q", out.String(), status, want)
	}
}

// FuzzEd checks that no script makes ed panic or go on for ever. There are no utilities to run.
func FuzzEd(f *testing.F) {
	for _, s := range []string{
		"a\nx\n.\n1,$p\n", "g/o/s//x/g\\\nm0\nu\n", "1;/t/;//p\n", "G/o/\ns/o/\\\n/\n&\n", "2,4j\nu\nu\nw /g\nr /g\n",
		",s/\\(.\\)\\1/&&/gp\nsr\ns2\n", "1z3n\nl\nkx\n'xt.\nf\\\nx\ne\n", "!x %\n!!\n", "g/./,t$\n",
	} {
		f.Add(s, five)
	}
	k := utiltest.New(f)
	p, small := k.Process(), ed.Limited(200, 4000)
	f.Fuzz(func(t *testing.T, commands, file string) {
		if len(commands) > 200 || len(file) > 200 {
			return
		}
		if err := p.WriteFile("/f", []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		status := util.Run(t.Context(), small, &util.Env{
			Args: []string{"ed", "-s", "/f"}, Stdin: terminal{strings.NewReader(commands), 80, 24}, Stdout: &out, Stderr: &out,
			Getenv: func(string) string { return "" }, Proc: p,
		})
		if status != 0 && status != 2 {
			t.Errorf("status %d", status)
		}
	})
}
