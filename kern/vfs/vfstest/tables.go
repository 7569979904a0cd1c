package vfstest

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

//go:embed tables/*.txt
var tableFiles embed.FS

// runner runs the steps of one case.
type runner struct {
	t     *testing.T
	cfg   *Config
	k     *kern.Kernel
	dir   string
	root  *proc
	users map[string]*proc
	vars  map[string]string
	marks map[string]stamps
	// word is the command that runs.
	word string
}

// runTables runs every case of the tables in a directory of its own on one kernel.
func runTables(t *testing.T, c *Config) {
	cases, err := readTables(tableFiles, "tables/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	k, dir := c.Boot(t)
	root := newProc(t, k, dir)
	for i, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if c.lacks(tc.needs...) {
				t.Skipf("lacks one of %v", tc.needs)
			}
			if why := c.Differs[tc.name]; why != "" {
				t.Skip("differs: " + why)
			}
			caseDir := fmt.Sprintf("%s/case%d", strings.TrimSuffix(dir, "/"), i)
			makeCaseDir(t, root, c, caseDir)
			newRunner(t, c, k, caseDir).run(&tc)
		})
	}
}

// runInlineTable runs the cases of a table one after the other in dir itself.
func runInlineTable(t *testing.T, c *Config, k *kern.Kernel, dir, table string) {
	cases, err := parseTable(strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range cases {
		if !c.lacks(tc.needs...) {
			t.Run(tc.name, func(t *testing.T) { newRunner(t, c, k, dir).run(&tc) })
		}
	}
}

// newRunner makes a runner with a process of root in dir.
func newRunner(t *testing.T, c *Config, k *kern.Kernel, dir string) *runner {
	r := &runner{t: t, cfg: c, k: k, dir: dir, users: map[string]*proc{}, vars: map[string]string{"CASE": dir},
		marks: map[string]stamps{}}
	r.root = r.newProc()
	return r
}

// newProc makes a process of root, with no umask.
func (r *runner) newProc() *proc {
	p := newProc(r.t, r.k, r.dir)
	p.Must(abi.SYS_umask, 0)
	return p
}

// makeCaseDir makes a directory in which everybody may write.
func makeCaseDir(t *testing.T, p *proc, c *Config, path string) {
	if e := p.mkdir(path); e != 0 {
		t.Fatalf("mkdir %s: %v", path, e)
	}
	if c.lacks(Owners) {
		return
	}
	if e := p.do(abi.SYS_chmod, path, 0o777); e != 0 {
		t.Fatalf("chmod %s: %v", path, e)
	}
}

// run makes the steps; the first that gives something else ends the case.
func (r *runner) run(c *tableCase) {
	for i := range c.steps {
		s := &c.steps[i]
		p, err := r.proc(s.as)
		if err != nil {
			r.t.Fatalf("line %d: %s: %v", s.line, s.text, err)
		}
		got, e := r.step(p, s)
		if e == errUsage {
			r.t.Fatalf("line %d: %s: not a command", s.line, s.text)
		}
		if bad := r.differs(s, got, e); bad != "" {
			r.t.Fatalf("line %d: %s: %s (%s)", s.line, s.text, bad, c.oracle)
		}
		if s.save != "" {
			r.vars[s.save] = got
		}
	}
}

// step runs one command.
func (r *runner) step(p *proc, s *step) (string, abi.Errno) {
	words := make([]string, len(s.words))
	for i, w := range s.words {
		words[i] = r.expand(w)
	}
	r.word = words[0]
	if num, ok := directCalls()[r.word]; ok {
		return r.callDirect(p, num, words[1:])
	}
	if f := composed()[r.word]; f != nil {
		return f(r, p, words[1:])
	}
	return "", errUsage
}

// differs says what a step gave instead of what it should; nothing when that is right.
func (r *runner) differs(s *step, got string, e abi.Errno) string {
	want := r.expand(s.want)
	switch {
	case isErrno(want) && e == 0:
		return fmt.Sprintf("succeeded with %q", got)
	case isErrno(want) && e.Name() != want, !isErrno(want) && e != 0:
		return fmt.Sprintf("%s (%v)", e.Name(), e)
	case !isErrno(want) && want != "ok" && got != want:
		return fmt.Sprintf("gave %q", got)
	}
	return ""
}

// isErrno says whether a word is the name of an error.
func isErrno(word string) bool {
	for e := abi.Errno(1); e <= abi.ELAST; e++ {
		if e.Name() == word {
			return true
		}
	}
	return false
}

// expand puts in variables and the file system's limits.
func (r *runner) expand(word string) string {
	limit := r.cfg.nameMax()
	word = strings.NewReplacer("{max}", strings.Repeat("m", limit), "{over}", strings.Repeat("m", limit+1),
		"{nmax}", strconv.Itoa(limit)).Replace(word)
	name, rest, _ := strings.Cut(word, "/")
	if v, ok := r.vars[strings.TrimPrefix(name, "$")]; ok && strings.HasPrefix(name, "$") {
		return v + word[len(name):len(word)-len(rest)] + rest
	}
	return word
}

// proc is the process of a user, "UID[:GID[,GROUP...]]", made when first asked for.
func (r *runner) proc(user string) (*proc, error) {
	if user == "" {
		return r.root, nil
	}
	if p := r.users[user]; p != nil {
		return p, nil
	}
	uid, groups, err := parseUser(user)
	if err != nil {
		return nil, err
	}
	p := r.newProc()
	if e := p.become(uid, groups...); e != 0 {
		return nil, fmt.Errorf("becoming %s: %w", user, e)
	}
	r.users[user] = p
	return p, nil
}

// parseUser reads "UID[:GID[,GROUP...]]"; the group is as the user without one.
func parseUser(user string) (uid int, groups []int, err error) {
	name, list, ok := strings.Cut(user, ":")
	if uid, err = strconv.Atoi(name); err != nil {
		return 0, nil, err
	}
	if !ok {
		return uid, []int{uid}, nil
	}
	for _, g := range strings.Split(list, ",") {
		n, err := strconv.Atoi(g)
		if err != nil {
			return 0, nil, err
		}
		groups = append(groups, n)
	}
	return uid, groups, nil
}
