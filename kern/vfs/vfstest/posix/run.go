package posix

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// FS is a file system to check.
type FS struct {
	// Name is its type, as statvfs(2) shows it.
	Name string
	// Boot makes a kernel with local sockets and the file system mounted, and says where.
	Boot func(t testing.TB) (k *kern.Kernel, dir string)
	// Mount mounts another one, which holds size bytes, on a directory; with MNT_UPDATE it changes the flags of that.
	Mount func(p *kerntest.P, dir string, size int64, flags int)
	// Unmount takes that away again.
	Unmount func(p *kerntest.P, dir string)
}

// runner runs the rows of one case.
type runner struct {
	t    *testing.T
	fs   *FS
	k    *kern.Kernel
	home string
	// sh is the process that the others are forked from: root's, in the directory of the last cd.
	sh   *kerntest.P
	vars map[string]string
	// sizes are those of the file systems that are mounted.
	sizes map[string]int64
	calls map[string]call
	// long puts in the longest name and path.
	long *strings.Replacer
}

// Run makes every check in a directory of its own case on one kernel. A check that gives something else than it must, and than an
// exception says, fails the test, and so does an exception that is not needed. It takes a few seconds.
func Run(t *testing.T, fs FS) Result {
	cases, err := readCases()
	if err != nil {
		t.Fatal(err)
	}
	exc, err := readExceptions()
	if err != nil {
		t.Fatal(err)
	}
	k, dir := fs.Boot(t)
	if typ := typeAt(t, k, dir); typ != fs.Name {
		t.Fatalf("%s is on a %s, not a %s", dir, typ, fs.Name)
	}
	res := newResult()
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, fault := range newRunner(t, &fs, k, path.Join(dir, fmt.Sprint("case", i))).run(&c, exc, res) {
				t.Error(fault)
			}
		})
	}
	for _, e := range exc.unused(fs.Name) {
		t.Errorf("exceptions.txt:%d: nothing that it applies to", e.line)
	}
	return res
}

// typeAt is the type of the file system that a path is on.
func typeAt(t *testing.T, k *kern.Kernel, path string) string {
	b := make([]byte, abi.SizeofStatvfs)
	kerntest.Proc(t, k).Must(abi.SYS_statvfs1, path, b, abi.ST_NOWAIT)
	var st abi.Statvfs
	if err := st.Decode(b); err != nil {
		t.Fatal(err)
	}
	return abi.CString(st.Fstypename[:])
}

// newRunner makes the directory of a case.
func newRunner(t *testing.T, fs *FS, k *kern.Kernel, home string) *runner {
	r := &runner{t: t, fs: fs, k: k, home: home, sh: kerntest.Proc(t, k), vars: map[string]string{}, sizes: map[string]int64{},
		calls: calls()}
	r.sh.Must(abi.SYS_umask, 0)
	r.sh.Must(abi.SYS_mkdir, home, 0o755)
	r.sh.Must(abi.SYS_chdir, home)
	r.long = longNames(r.sh)
	return r
}

// run makes the checks of a case, all of them whatever the others give, and says what was wrong.
func (r *runner) run(c *testCase, exc *exceptions, res Result) (faults []string) {
	n := res.of(c)
	n.Cases++
	for i := range c.rows {
		w := &c.rows[i]
		e := exc.find(r.fs.Name, c, w)
		if w.num > 0 {
			n.Checks++
		}
		if e != nil && e.want == nil {
			res.except(&n.LeftOut, e, w)
			continue
		}
		got := r.row(w)
		right := w.want == nil || r.matches(got, w.want)
		switch {
		case e != nil && right:
			faults = append(faults, fmt.Sprintf("%s %d: %s: gives %s after all, in spite of exceptions.txt:%d",
				c.name, w.num, w.text, got, e.line))
		case e != nil && r.matches(got, e.want):
			res.except(&n.Differ, e, w)
		case !right:
			faults = append(faults, fmt.Sprintf("%s %d (line %d): %s: gives %s", c.name, w.num, w.line, w.text, got))
		case w.num > 0:
			n.Passed++
		}
	}
	return faults
}

// row makes the calls of a row in a process of its own, or takes a step, and says what came of it.
func (r *runner) row(w *row) string {
	if f, ok := steps()[w.calls[0][0]]; ok && w.num == 0 {
		if err := f(r, w.calls[0][1:]); err != nil {
			r.t.Fatalf("line %d: %s: %v", w.line, w.text, err)
		}
		return "0"
	}
	kp, err := r.sh.Proc.Fork()
	if err != nil {
		r.t.Fatal(err)
	}
	defer kp.Exit()
	p := &process{P: kerntest.Wrap(r.t, kp)}
	p.become(&w.user)
	value, errno := "", abi.Errno(0)
	for _, words := range w.calls {
		f, ok := r.calls[words[0]]
		if !ok {
			r.t.Fatalf("line %d: %s: no call %s", w.line, w.text, words[0])
		}
		if value, errno, err = f(p, r.expand(words[1:])); err != nil {
			r.t.Fatalf("line %d: %s: %v", w.line, w.text, err)
		}
		if errno != 0 {
			return errno.Name()
		}
	}
	if w.keep != "" {
		r.vars[w.keep] = value
	}
	if value == "" {
		return "0"
	}
	return value
}

// become makes a process of root that of a user.
func (p *process) become(u *user) {
	if len(u.gids) > 0 {
		var list []int32
		for _, g := range u.gids {
			list = append(list, int32(g))
		}
		p.Must(abi.SYS_setgroups, len(list), kerntest.Ints(list...))
		p.Must(abi.SYS_setegid, u.gids[0])
	}
	if u.uid != nil {
		p.Must(abi.SYS_setuid, *u.uid)
	}
	p.Must(abi.SYS_umask, u.umask)
}

// matches says whether one of the alternatives of a want is what came.
func (r *runner) matches(got string, want []string) bool {
	return slices.ContainsFunc(want, func(w string) bool {
		op := ""
		for _, o := range []string{">", "<=", "!"} {
			if rest, ok := strings.CutPrefix(w, o); ok {
				op, w = o, rest
			}
		}
		words := strings.Split(w, ",")
		w = strings.Join(r.expand(words), ",")
		switch op {
		case ">", "<=":
			a, err1 := strconv.ParseInt(got, 10, 64)
			b, err2 := strconv.ParseInt(w, 10, 64)
			return err1 == nil && err2 == nil && a > b == (op == ">")
		case "!":
			return got != w
		}
		return got == w
	})
}

// expand puts in what has been kept and the longest names and paths.
func (r *runner) expand(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = r.long.Replace(w)
		if v, ok := r.vars[strings.TrimPrefix(w, "$")]; ok && strings.HasPrefix(w, "$") {
			out[i] = v
		}
	}
	return out
}

// longNames are the longest name and the longest path of a directory.
func longNames(sh *kerntest.P) *strings.Replacer {
	nameMax, pathMax := int(sh.Must(abi.SYS_pathconf, ".", abi.PC_NAME_MAX)), int(sh.Must(abi.SYS_pathconf, ".", abi.PC_PATH_MAX))
	long := strings.Repeat("p", nameMax/2)
	dirs := slices.Repeat([]string{long}, (pathMax-1)/(len(long)+1))
	last := strings.Repeat("l", pathMax-1-len(dirs)*(len(long)+1))
	return strings.NewReplacer("{max}", strings.Repeat("m", nameMax), "{maxdir}", strings.Join(dirs, "/"), "{maxlast}", last)
}

// step is something on the way to the checks.
type step func(r *runner, a []string) error

// steps are the words of steps that are no calls.
func steps() map[string]step {
	return map[string]step{
		"cd": stepCd, "later": stepLater, "mount": stepMount, "unmount": stepUnmount, "readonly": stepRemount(abi.MNT_RDONLY),
		"writable": stepRemount(0), "mkdirs": stepMkdirs, "rmtree": stepRmtree, "exhaust": stepExhaust,
	}
}

// stepCd: cd [DIRECTORY]. Without, back to where the case began.
func stepCd(r *runner, a []string) error {
	dir := r.home
	if len(a) > 0 {
		dir = a[0]
	}
	_, errno := r.sh.Call(abi.SYS_chdir, dir)
	return asError(errno)
}

// stepLater: later lets a second go by on the kernel's clock.
func stepLater(r *runner, _ []string) error {
	r.k.SetTime(r.k.Now().Add(time.Second))
	return nil
}

// stepMount: mount DIRECTORY SIZE, with a k or m.
func stepMount(r *runner, a []string) error {
	if len(a) != 2 || len(a[1]) < 2 {
		return fmt.Errorf("mount has a directory and a size")
	}
	unit := map[byte]int64{'k': 1 << 10, 'm': 1 << 20}[a[1][len(a[1])-1]]
	n, err := strconv.ParseInt(a[1][:len(a[1])-1], 10, 32)
	if err != nil || unit == 0 {
		return fmt.Errorf("%s is no size", a[1])
	}
	dir := path.Join(r.home, a[0])
	r.sizes[dir] = n * unit
	r.fs.Mount(r.sh, dir, n*unit, 0)
	return nil
}

func stepUnmount(r *runner, a []string) error {
	r.fs.Unmount(r.sh, path.Join(r.home, a[0]))
	return nil
}

func stepRemount(flags int) step {
	return func(r *runner, a []string) error {
		dir := path.Join(r.home, a[0])
		r.fs.Mount(r.sh, dir, r.sizes[dir], flags|abi.MNT_UPDATE)
		return nil
	}
}

// stepMkdirs: mkdirs PATH makes all directories of a path.
func stepMkdirs(r *runner, a []string) error {
	parts := strings.Split(r.expand(a)[0], "/")
	for i := range parts {
		if _, errno := r.sh.Call(abi.SYS_mkdir, strings.Join(parts[:i+1], "/"), 0o755); errno != 0 {
			return errno
		}
	}
	return nil
}

// stepRmtree: rmtree PATH removes all directories of a path, which must be empty.
func stepRmtree(r *runner, a []string) error {
	parts := strings.Split(r.expand(a)[0], "/")
	for i := range parts {
		if _, errno := r.sh.Call(abi.SYS_rmdir, strings.Join(parts[:len(parts)-i], "/")); errno != 0 {
			return errno
		}
	}
	return nil
}

// exhaustLimit is above the number of names that the file systems of the tables hold.
const exhaustLimit = 1 << 17

// stepExhaust: exhaust CALL makes a call, with numbers from 0 for {i}, until it fails.
func stepExhaust(r *runner, a []string) error {
	f, p := r.calls[a[0]], &process{P: r.sh}
	if f == nil {
		return fmt.Errorf("no call %s", a[0])
	}
	for i := range exhaustLimit {
		words := slices.Clone(a[1:])
		for j := range words {
			words[j] = strings.ReplaceAll(words[j], "{i}", strconv.Itoa(i))
		}
		if _, errno, err := f(p, words); errno != 0 || err != nil {
			return err
		}
	}
	return fmt.Errorf("did not fail %d times", exhaustLimit)
}

func asError(errno abi.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}
