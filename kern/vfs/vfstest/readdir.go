package vfstest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// runReadDir checks getdents(2): what it lists, in buffers of any size, from any place, and while the directory changes.
// Oracle: getdents(2), POSIX readdir.
func runReadDir(t *testing.T, c *Config) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, *Config, *proc)
	}{
		{"buffers", readDirBuffers},
		{"errors", readDirErrors},
		{"types", readDirTypes},
		{"seek", readDirSeek},
		{"remove while reading", readDirRemove},
		{"stable while changing", readDirStable},
		{"rename while reading", readDirRename},
		{"concurrent", readDirConcurrent},
	} {
		t.Run(part.name, func(t *testing.T) {
			k, dir := c.Boot(t)
			p := newProc(t, k, dir)
			makeCaseDir(t, p, c, "d")
			part.run(t, c, p)
		})
	}
}

// makeFiles makes n empty files d/PREFIX0 and on.
func makeFiles(t *testing.T, p *proc, prefix string, n int) {
	for i := range n {
		if e := p.writeFile(fmt.Sprintf("d/%s%d", prefix, i), nil); e != 0 {
			t.Fatalf("create: %v", e)
		}
	}
}

// listAll reads the rest of an open directory with buffers of one size and counts the names.
func listAll(t *testing.T, p *proc, fd, size int) map[string]int {
	seen := map[string]int{}
	for {
		list, e := p.getdents(fd, size)
		if e != 0 {
			t.Fatalf("getdents with %d bytes: %v", size, e)
		}
		if len(list) == 0 {
			return seen
		}
		for _, d := range list {
			seen[d.name]++
		}
	}
}

// mustOpen opens a directory.
func mustOpen(t *testing.T, p *proc, path string) int {
	fd, e := p.open(path, abi.O_RDONLY, 0)
	if e != 0 {
		t.Fatalf("open %s: %v", path, e)
	}
	return fd
}

// checkOnce checks that the names prefix0 to prefix(n-1) were each seen once.
func checkOnce(t *testing.T, seen map[string]int, prefix string, n int) {
	t.Helper()
	for i := range n {
		if name := fmt.Sprintf("%s%d", prefix, i); seen[name] != 1 {
			t.Errorf("%s was seen %d times", name, seen[name])
		}
	}
}

func readDirBuffers(t *testing.T, _ *Config, p *proc) {
	const n = 100
	makeFiles(t, p, "file", n)
	for _, size := range []int{512, 513, 600, 1024, 4096, 1 << 16} {
		fd := mustOpen(t, p, "d")
		seen := listAll(t, p, fd, size)
		checkOnce(t, seen, "file", n)
		if len(seen) != n+2 || seen["."] != 1 || seen[".."] != 1 {
			t.Errorf("%d bytes: %d names, with . %d times and .. %d times", size, len(seen), seen["."], seen[".."])
		}
		if list, e := p.getdents(fd, size); e != 0 || len(list) > 0 {
			t.Errorf("%d bytes: after the end: %d entries, %v", size, len(list), e)
		}
		p.close(fd)
	}
}

func readDirErrors(t *testing.T, _ *Config, p *proc) {
	makeFiles(t, p, "file", 1)
	dir := mustOpen(t, p, "d")
	if _, e := p.getdents(dir, 8); e != abi.EINVAL {
		t.Errorf("getdents with 8 bytes: %v, want EINVAL", e)
	}
	file := mustOpen(t, p, "d/file0")
	if _, e := p.getdents(file, 512); e != abi.EINVAL {
		t.Errorf("getdents of a file: %v, want EINVAL", e)
	}
	p.close(file)
	if _, e := p.getdents(file, 512); e != abi.EBADF {
		t.Errorf("getdents of a closed descriptor: %v, want EBADF", e)
	}
}

// readDirTypes checks d_type and d_fileno against stat(2).
func readDirTypes(t *testing.T, c *Config, p *proc) {
	r := &runner{cfg: c}
	kinds := map[string]uint8{"reg": abi.DT_REG, "dir": abi.DT_DIR, "lnk": abi.DT_LNK, "fifo": abi.DT_FIFO,
		"chr": abi.DT_CHR, "blk": abi.DT_BLK}
	made := 0
	for kind := range kinds {
		if c.lacks(kindNeeds(kind)...) {
			continue
		}
		if _, e := cmdMake(r, p, []string{kind, "d/" + kind}); e != 0 {
			t.Fatalf("making a %s: %v", kind, e)
		}
		made++
	}
	list, e := p.readdir("d")
	if e != 0 || len(list) != made {
		t.Fatalf("%d entries of %d, %v", len(list), made, e)
	}
	for _, d := range list {
		st, e := p.lstat("d/" + d.name)
		if e != 0 || st.Ino != d.ino {
			t.Errorf("%s: number %d, lstat says %d, %v", d.name, d.ino, st.Ino, e)
		}
		if d.typ != kinds[d.name] && d.typ != abi.DT_UNKNOWN {
			t.Errorf("%s: type %d, want %d", d.name, d.typ, kinds[d.name])
		}
	}
}

// readDirSeek checks that the offset of each entry's end leads back there.
func readDirSeek(t *testing.T, _ *Config, p *proc) {
	const n = 40
	makeFiles(t, p, "file", n)
	fd := mustOpen(t, p, "d")
	type place struct {
		off  int64
		next string
	}
	var places []place
	for {
		off, e := p.lseek(fd, 0, abi.SEEK_CUR)
		if e != 0 {
			t.Fatalf("lseek: %v", e)
		}
		list, e := p.getdents(fd, 512)
		if e != 0 {
			t.Fatalf("getdents: %v", e)
		}
		if len(list) == 0 {
			break
		}
		places = append(places, place{off, list[0].name})
	}
	slices.Reverse(places)
	for _, pl := range places {
		if _, e := p.lseek(fd, pl.off, abi.SEEK_SET); e != 0 {
			t.Fatalf("lseek to %d: %v", pl.off, e)
		}
		if list, e := p.getdents(fd, 512); e != 0 || len(list) == 0 || list[0].name != pl.next {
			t.Errorf("at %d: %v, %v; want %s first", pl.off, list, e, pl.next)
		}
	}
	if _, e := p.lseek(fd, 0, abi.SEEK_SET); e != 0 {
		t.Fatalf("lseek to the start: %v", e)
	}
	checkOnce(t, listAll(t, p, fd, 4096), "file", n)
}

// readDirRemove removes each name as it is read, as rm(1) does: nothing is left.
func readDirRemove(t *testing.T, _ *Config, p *proc) {
	makeFiles(t, p, "file", 200)
	fd := mustOpen(t, p, "d")
	for {
		list, e := p.getdents(fd, 512)
		if e != 0 {
			t.Fatalf("getdents: %v", e)
		}
		if len(list) == 0 {
			break
		}
		for _, d := range list {
			if d.name == "." || d.name == ".." {
				continue
			}
			if e := p.unlink("d/" + d.name); e != 0 {
				t.Errorf("unlink %s: %v", d.name, e)
			}
		}
	}
	if e := p.rmdir("d"); e != 0 {
		t.Errorf("rmdir: %v", e)
	}
}

// readDirStable has names come and go while others stay: those that stay are seen once.
func readDirStable(t *testing.T, _ *Config, p *proc) {
	const n = 150
	makeFiles(t, p, "gone", n)
	makeFiles(t, p, "stay", n)
	makeFiles(t, p, "late", n)
	fd := mustOpen(t, p, "d")
	seen := map[string]int{}
	rng := rand.New(rand.NewPCG(1, 2))
	for round := 0; ; round++ {
		list, e := p.getdents(fd, 512)
		if e != 0 {
			t.Fatalf("getdents: %v", e)
		}
		if len(list) == 0 {
			break
		}
		for _, d := range list {
			seen[d.name]++
		}
		for range 10 {
			p.unlink(fmt.Sprintf("d/gone%d", rng.IntN(n)))
			p.unlink(fmt.Sprintf("d/late%d", rng.IntN(n)))
			if round < 30 { // or it would never end
				p.writeFile(fmt.Sprintf("d/new%d.%d", round, rng.IntN(n)), nil)
			}
		}
	}
	checkOnce(t, seen, "stay", n)
}

// readDirRename replaces a file by another of the same name while the directory is read: the name is seen once.
func readDirRename(t *testing.T, _ *Config, p *proc) {
	const n = 60
	makeFiles(t, p, "file", n)
	fd := mustOpen(t, p, "d")
	seen := map[string]int{}
	for i := 0; ; i++ {
		list, e := p.getdents(fd, 512)
		if e != 0 {
			t.Fatalf("getdents: %v", e)
		}
		if len(list) == 0 {
			break
		}
		for _, d := range list {
			seen[d.name]++
		}
		if e := p.writeFile("temp", nil); e != 0 {
			t.Fatalf("create: %v", e)
		}
		if e := p.rename("temp", fmt.Sprintf("d/file%d", i%n)); e != 0 {
			t.Fatalf("rename: %v", e)
		}
	}
	checkOnce(t, seen, "file", n)
}

// readDirConcurrent reads the directory in some processes while others change it.
func readDirConcurrent(t *testing.T, c *Config, p *proc) {
	const n = 60
	makeFiles(t, p, "stay", n)
	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 2 {
		q := newProc(t, p.K, cwd(t, p))
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("d/w%d.%d", w, i%20)
				if q.writeFile(name, nil) == 0 && i%3 > 0 {
					q.unlink(name)
				}
			}
		})
	}
	for range 2 {
		q := newProc(t, p.K, cwd(t, p))
		readers.Go(func() {
			for range 20 {
				list, e := q.readdir("d")
				seen := map[string]int{}
				for _, d := range list {
					seen[d.name]++
				}
				if e != 0 {
					t.Errorf("readdir: %v", e)
				}
				checkOnce(t, seen, "stay", n)
			}
		})
	}
	readers.Wait()
	close(stop)
	writers.Wait()
}

// cwd is the process's working directory.
func cwd(t testing.TB, p *proc) string {
	dir, e := p.getcwd()
	if e != 0 {
		t.Fatalf("getcwd: %v", e)
	}
	return dir
}
