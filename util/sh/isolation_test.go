package sh_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util"
)

// secret is what the host's files and environment hold in TestIsolation. Nothing of it may show.
const secret = "hostsecret"

// isolation is what a shell usually takes from its system. @DIR@ is a directory of the host with a file "marker", a script
// "script" and an executable "hostcommand", all of which would print the secret; @PID@ is the host's process. Oracle: the
// result is what a kernel gives that has nothing but /dev and /tmp.
var isolation = []struct {
	name, script string
	want         result
}{
	{"input", `cat <@DIR@/marker`, result{"", "sh: cannot open @DIR@/marker: No such file or directory\n", 2}},
	{"input of the same name", `echo kernel >marker; cat marker <marker`, result{"kernel\n", "", 0}},
	{"output", `echo x >@DIR@/new`, result{"", "sh: cannot create @DIR@/new: No such file or directory\n", 2}},
	{"output of the same name", `mkdir @DIR@ 2>/dev/null; echo x >/marker; echo y >>/marker; cat /marker`, result{"x\ny\n", "", 0}},
	{"both", `: <>@DIR@/marker`, result{"", "sh: cannot open @DIR@/marker: No such file or directory\n", 2}},
	{"descriptors of the host", `echo x >&7; cat <&9`, result{"", "sh: 7: Bad file descriptor\nsh: 9: Bad file descriptor\n", 2}},
	{"names of files", `echo @DIR@/* /etc/p* /u*; set -- *; echo $#`, result{"@DIR@/* /etc/p* /u*\n2\n", "", 0}},
	{"test", `for t in e f d r x s L O; do test -$t @DIR@/marker || echo -n $t; done`, result{"efdrxsLO", "", 0}},
	{"comparison of files", `test @DIR@/marker -ef @DIR@/marker; echo $?`, result{"1\n", "", 0}},
	{"cd", `cd @DIR@; pwd`, result{"/\n", "sh: cd: @DIR@: No such file or directory\n", 0}},
	{"CDPATH", `CDPATH=@DIR@/..:@DIR@; cd sub; echo $?`, result{"2\n", "sh: cd: sub: No such file or directory\n", 0}},
	{"pwd", `pwd; pwd -P; echo $PWD`, result{"/\n/\n/\n", "", 0}},
	{"dot", `. @DIR@/script; echo no`, result{"", "sh: @DIR@/script: No such file or directory\n", 2}},
	{"dot by PATH", `PATH=@DIR@:$PATH; . script; echo no`, result{"", "sh: script: No such file or directory\n", 2}},
	{"a command by PATH", `PATH=@DIR@:$PATH; hostcommand; echo $?`, result{"127\n", "sh: hostcommand: not found\n", 0}},
	{"a command by its path", `@DIR@/hostcommand`, result{"", "sh: @DIR@/hostcommand: No such file or directory\n", 127}},
	{"commands of the host", `for c in gcc python3 ssh sudo; do command -v $c; done`, result{"", "", 127}},
	{"exec", `exec @DIR@/hostcommand`, result{"", "sh: @DIR@/hostcommand: No such file or directory\n", 127}},
	{"command -v", `PATH=@DIR@; command -v hostcommand; type hostcommand; hash hostcommand; which hostcommand`,
		result{"", "sh: hostcommand: not found\nsh: hash: hostcommand: not found\nsh: hostcommand: not found\n", 127}},
	{"an interpreter of the host", `echo '#!@DIR@/hostcommand' >/tmp/s; cp /tmp/s /tmp/x; @X@ /tmp/x; /tmp/x`,
		result{"", "sh: /tmp/x: hostcommand: not found\n", 126}},
	{"sh", `PATH=@DIR@; sh -c 'echo $0 in; hostcommand'; sh @DIR@/script`,
		result{"sh in\n", "sh: hostcommand: not found\nsh: @DIR@/script: No such file or directory\n", 127}},
	{"tilde", `echo ~ ~root ~+ ~nobody | cat; x=~root:~; echo $x`, result{"/ ~root ~+ ~nobody\n~root:/\n", "", 0}},
	{"tilde of the kernel", `mkdir /etc; echo root:x:0:0::/tmp:/bin/sh >/etc/passwd; echo ~root ~root/x`, result{"/tmp /tmp/x\n", "", 0}},
	{"the environment", `echo $HOME $USER $LOGNAME $SECRET $TMPDIR $SHELL $ENV $PS1; export -p`,
		result{"/\nexport HOME=/\nexport PATH=/sbin:/usr/sbin:/bin:/usr/bin\nexport TERM=vt100\nexport TZ=UTC\n", "", 0}},
	{"variables by default", `echo ${UID-none} ${EUID-none} ${HOSTNAME-none} ${RANDOM-none} ${SECONDS-none}`,
		result{"none none none none none\n", "", 0}},
	{"process numbers", `[ $$ != @PID@ ] && [ $PPID != @PPID@ ] && kill -0 $$; kill -0 @PID@; kill @PPID@`,
		result{"", "sh: kill: @PID@: No such process\nsh: kill: @PPID@: No such process\n", 1}},
	{"here-documents", "cat <<E | cat\n$(cat marker)\nE", result{"\n", "cat: marker: No such file or directory\n", 0}},
	{"process substitution", `eval 'cat <(echo x)'`, result{"", "sh: line 1: syntax error: `<` must be followed by a word\n", 2}},
	{"umask", `umask 0; umask`, result{"0000\n", "", 0}},
	{"limits", `ulimit -n 5; ulimit -n`, result{"5\n", "", 0}},
	{"times", `times`, result{"", "sh: times: a rump kernel does not count processor time\n", 1}},
	{"traps text", `trap 'cat @DIR@/marker' EXIT`, result{"", "cat: @DIR@/marker: No such file or directory\n", 0}},
	{"an alias", `alias h=@DIR@/hostcommand; h`, result{"", "sh: @DIR@/hostcommand: No such file or directory\n", 127}},
	{"background", `@DIR@/hostcommand & wait $!; echo $?`, result{"127\n", "sh: @DIR@/hostcommand: No such file or directory\n", 0}},
	{"read", `read x <@DIR@/marker; echo "[$x]"`, result{"[]\n", "sh: cannot open @DIR@/marker: No such file or directory\n", 0}},
	{"the terminal", `test -t 0 || test -t 1 || test -t 2 || echo none`, result{"none\n", "", 0}},
	{"set and unset PATH", `unset PATH; hostcommand; ls /tmp; PATH=; . script`,
		result{"", "sh: hostcommand: not found\nsh: script: No such file or directory\n", 2}},
}

// TestIsolation runs scripts in a directory and an environment of the host that must neither show nor change.
func TestIsolation(t *testing.T) {
	dir := hostDirectory(t)
	t.Chdir(dir)
	for name, value := range map[string]string{
		"HOME": dir, "PATH": dir, "TMPDIR": dir, "SECRET": secret, "USER": secret, "ENV": filepath.Join(dir, "script"),
		"CDPATH": dir, "SHELL": secret, "PS1": secret, "TERM": "vt100", "TZ": "UTC",
		"LANG": "", "LC_ALL": "", "LC_CTYPE": "", "LC_TIME": "", "BLOCKSIZE": "", "COLUMNS": "", "RUMP_SERVER": "",
	} {
		t.Setenv(name, value)
	}
	before := listing(t, dir)
	words := strings.NewReplacer("@DIR@", dir, "@PID@", strconv.Itoa(os.Getpid()), "@PPID@", strconv.Itoa(os.Getppid()),
		"@X@", "makeexecutable")
	for _, c := range isolation {
		t.Run(c.name, func(t *testing.T) {
			k := newKernel(t)
			got := shellEnv(t, newProcess(t, k), &util.Env{
				Args: []string{"sh", "-c", words.Replace(c.script)}, Getenv: os.Getenv, Set: executableMaker{},
			})
			compare(t, got, result{words.Replace(c.want.out), words.Replace(c.want.err), c.want.status})
			if strings.Contains(got.out+got.err, secret) {
				t.Errorf("the host shows: %+v", got)
			}
		})
	}
	if after := listing(t, dir); !slices.Equal(before, after) {
		t.Errorf("the host's directory has changed:\n%q\nbefore:\n%q", after, before)
	}
	if wd, err := os.Getwd(); err != nil || wd != dir {
		t.Errorf("the host's working directory is %q (%v), want %q", wd, err, dir)
	}
}

// hostDirectory returns a directory of the host with all that a shell could take for its own.
func hostDirectory(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("#!/bin/sh\necho %s\necho %[1]s >%s/touched\n", secret, dir)
	for name, mode := range map[string]os.FileMode{"marker": 0o644, "script": 0o644, "hostcommand": 0o755} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// listing returns what is below a directory of the host.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		list = append(list, fmt.Sprint(path, fi.Mode(), fi.Size()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestHostFiles checks that no other file of the package, and of those that its builtins are from, can reach the host than those whose subject the host is.
func TestHostFiles(t *testing.T) {
	host := []string{"history.go", "host.go", "host_other.go", "host_unix.go", "terminal.go"}
	// What the others may import of the standard library does nothing but compute.
	pure := []string{"bufio", "bytes", "context", "errors", "fmt", "io", "io/fs", "maps", "math", "path", "regexp", "slices",
		"strconv", "strings", "sync", "unicode/utf8"}
	ours := []string{"abi", "client", "util", "util/echo", "util/printf", "util/pwd", "util/test"}
	for _, name := range ours {
		pure = append(pure, "github.com/rumpctrl/rumpctrl/"+name)
	}
	pure = append(pure, "mvdan.cc/sh/v3/syntax", "mvdan.cc/sh/v3/pattern")
	var files []string
	for _, dir := range []string{".", "../echo", "../printf", "../pwd", "../test"} { // of the builtins
		list, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(list), err)
		}
		files = append(files, list...)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || slices.Contains(host, path.Clean(file)) {
			continue
		}
		for _, imported := range imports(t, file) {
			if !slices.Contains(pure, imported) {
				t.Errorf("%s imports %s", file, imported)
			}
		}
	}
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, path)
	}
	return list
}
