package vfstest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// runRenameRace has processes rename at once. Oracle: rename(2): a directory is never moved into itself, and there is always a
// file under a name that is replaced.
func runRenameRace(t *testing.T, c *Config) {
	t.Run("a tree stays a tree", func(t *testing.T) {
		k, dir := c.Boot(t)
		renameTree(t, newProc(t, k, dir))
	})
	t.Run("replacing leaves no gap", func(t *testing.T) {
		k, dir := c.Boot(t)
		renameNoGap(t, newProc(t, k, dir))
	})
	t.Run("a file is never lost", func(t *testing.T) {
		k, dir := c.Boot(t)
		renameKeeps(t, newProc(t, k, dir))
	})
}

// renameTree moves directories about: each that was made is still there, once, with the right parent and link count.
func renameTree(t *testing.T, p *proc) {
	const dirs = 8
	if e := p.mkdir("tree"); e != 0 {
		t.Fatal(e)
	}
	p.Must(abi.SYS_chdir, "tree")
	for i := range dirs {
		if e := p.mkdir(fmt.Sprint("d", i)); e != 0 {
			t.Fatal(e)
		}
	}
	procs := make([]*proc, 4)
	fds := make([][]int, len(procs))
	for i := range procs {
		procs[i], fds[i] = newProc(t, p.K, cwd(t, p)), []int{abi.AT_FDCWD}
		for d := range dirs {
			fds[i] = append(fds[i], mustOpen(t, procs[i], fmt.Sprint("d", d)))
		}
	}
	var moved atomic.Int32
	var all sync.WaitGroup
	for i, q := range procs {
		all.Go(func() { moved.Add(moveAbout(t, q, fds[i], i)) })
	}
	all.Wait()
	if moved.Load() == 0 {
		t.Error("nothing was ever moved")
	}
	seen := map[string]int{}
	checkTree(t, p, ".", seen)
	for i := range dirs {
		if n := seen[fmt.Sprint("d", i)]; n != 1 {
			t.Errorf("directory d%d is there %d times", i, n)
		}
	}
}

// moveAbout moves any directory from any open directory to any other and returns how often that could be done.
func moveAbout(t *testing.T, p *proc, fds []int, seed int) (moved int32) {
	rng := rand.New(rand.NewPCG(uint64(seed), 7))
	for range 2000 {
		from, to := fds[rng.IntN(len(fds))], fds[rng.IntN(len(fds))]
		if rng.IntN(3) == 0 {
			from = abi.AT_FDCWD
		}
		name := fmt.Sprint("d", rng.IntN(len(fds)-1))
		switch e := p.do(abi.SYS_renameat, from, name, to, name); e {
		case 0:
			moved++
		case abi.ENOENT, abi.EINVAL, abi.ENOTEMPTY:
		default:
			t.Errorf("renameat: %v", e)
		}
	}
	return moved
}

// checkTree counts the directories below path and checks their parents and link counts.
func checkTree(t *testing.T, p *proc, path string, seen map[string]int) {
	list, e := p.readdir(path)
	if e != 0 {
		t.Fatalf("readdir %s: %v", path, e)
	}
	here, e := p.stat(path)
	if e != 0 || int(here.Nlink) != len(list)+2 {
		t.Errorf("%s has %d links and %d directories, %v", path, here.Nlink, len(list), e)
	}
	for _, d := range list {
		seen[d.name]++
		sub := path + "/" + d.name
		if up, e := p.stat(sub + "/.."); e != 0 || up.Ino != here.Ino {
			t.Errorf("the parent of %s is %d, not %d, %v", sub, up.Ino, here.Ino, e)
		}
		checkTree(t, p, sub, seen)
	}
}

// renameNoGap replaces a file again and again while others open it: it is always there, and always whole.
func renameNoGap(t *testing.T, p *proc) {
	if e := p.writeFile("f", []byte("contents")); e != 0 {
		t.Fatal(e)
	}
	var writing atomic.Int32
	writing.Store(2)
	together(t, p, 5, func(q *proc, i int) {
		if i < 2 {
			defer writing.Add(-1)
			for range 150 {
				temp := fmt.Sprint("temp", i)
				if e := q.writeFile(temp, []byte("contents")); e != 0 {
					t.Errorf("create: %v", e)
				}
				if e := q.rename(temp, "f"); e != 0 {
					t.Errorf("rename: %v", e)
				}
			}
			return
		}
		for writing.Load() > 0 {
			if got, e := q.readFile("f"); e != 0 || string(got) != "contents" {
				t.Errorf("the file gave %q, %v", got, e)
				return
			}
		}
	})
	if st, e := p.stat("f"); e != 0 || st.Nlink != 1 {
		t.Errorf("%d links, %v", st.Nlink, e)
	}
}

// renameKeeps has processes pass files on from name to name, in two directories: no file is lost or doubled when no
// name is replaced.
func renameKeeps(t *testing.T, p *proc) {
	const files = 16
	for _, d := range []string{"x", "y"} {
		if e := p.mkdir(d); e != 0 {
			t.Fatal(e)
		}
	}
	for i := range files {
		if e := p.writeFile(fmt.Sprint("x/", i), []byte(fmt.Sprint(i))); e != 0 {
			t.Fatal(e)
		}
	}
	together(t, p, 4, func(q *proc, seed int) {
		rng := rand.New(rand.NewPCG(uint64(seed), 9))
		for range 300 {
			n := rng.IntN(files)
			from, to := fmt.Sprint("x/", n), fmt.Sprint("y/", n)
			if rng.IntN(2) == 0 {
				from, to = to, from
			}
			if e := q.rename(from, to); e != 0 && e != abi.ENOENT {
				t.Errorf("rename: %v", e)
			}
		}
	})
	for i := range files {
		a, ea := p.readFile(fmt.Sprint("x/", i))
		b, eb := p.readFile(fmt.Sprint("y/", i))
		if (ea == 0) == (eb == 0) || string(a)+string(b) != fmt.Sprint(i) {
			t.Errorf("file %d: %q, %v in x; %q, %v in y", i, a, ea, b, eb)
		}
	}
}
