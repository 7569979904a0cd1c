package vfstest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// runIntegrity has many processes at the same files. Oracle: POSIX "Thread Interactions with Regular File Operations": each call
// sees all of another or nothing of it.
func runIntegrity(t *testing.T, c *Config) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, *proc)
	}{
		{"blocks are written whole", writesAreWhole},
		{"appends do not mix", appendsDoNotMix},
		{"truncated tails stay zero", tailsStayZero},
		{"one creates", oneCreates},
		{"one removes", oneRemoves},
		{"links are counted", linksAreCounted},
	} {
		t.Run(part.name, func(t *testing.T) {
			if part.name == "links are counted" && c.lacks(HardLinks) {
				t.Skip("lacks hard links")
			}
			k, dir := c.Boot(t)
			part.run(t, newProc(t, k, dir))
		})
	}
}

// together runs f in n processes at once and waits for them.
func together(t *testing.T, p *proc, n int, f func(p *proc, i int)) {
	dir := cwd(t, p)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		q := newProc(t, p.K, dir)
		all.Go(func() {
			<-start
			f(q, i)
		})
	}
	close(start)
	all.Wait()
}

// writesAreWhole has writers fill blocks with their own letter while readers look: a block is of one letter.
func writesAreWhole(t *testing.T, p *proc) {
	const blocks, size, rounds = 4, 20000, 60
	if e := p.writeFile("f", bytes.Repeat([]byte("0"), blocks*size)); e != 0 {
		t.Fatal(e)
	}
	together(t, p, 6, func(q *proc, i int) {
		fd, e := q.open("f", abi.O_RDWR, 0)
		if e != 0 {
			t.Errorf("open: %v", e)
			return
		}
		for round := range rounds {
			off := int64((round + i) % blocks * size)
			if i%2 == 0 {
				letter := []byte{byte('a' + i)}
				if n, e := q.pwrite(fd, bytes.Repeat(letter, size), off); e != 0 || n != size {
					t.Errorf("pwrite: %d, %v", n, e)
				}
				continue
			}
			got, e := q.pread(fd, size, off)
			if e != 0 || len(got) != size || strings.Trim(string(got), string(got[:1])) != "" {
				t.Errorf("a block of %d bytes is mixed, %v", len(got), e)
				return
			}
		}
	})
}

// appendsDoNotMix has processes append lines to one file: all lines arrive, each whole, those of a process in order.
func appendsDoNotMix(t *testing.T, p *proc) {
	const procs, lines = 5, 80
	if e := p.writeFile("log", nil); e != 0 {
		t.Fatal(e)
	}
	line := func(i, n int) string { return fmt.Sprintf("%d %d %s\n", i, n, strings.Repeat("x", n*7%300)) }
	together(t, p, procs, func(q *proc, i int) {
		fd, e := q.open("log", abi.O_WRONLY|abi.O_APPEND, 0)
		if e != 0 {
			t.Errorf("open: %v", e)
			return
		}
		for n := range lines {
			s := line(i, n)
			if got, e := q.write(fd, []byte(s)); e != 0 || got != len(s) {
				t.Errorf("write: %d, %v", got, e)
			}
		}
	})
	all, e := p.readFile("log")
	if e != 0 {
		t.Fatal(e)
	}
	var next [procs]int
	for s := range strings.Lines(string(all)) {
		var i, n int
		if _, err := fmt.Sscanf(s, "%d %d", &i, &n); err != nil || i >= procs || n != next[i] || s != line(i, n) {
			t.Fatalf("a broken line: %.40q", s)
		}
		next[i]++
	}
	for i, n := range next {
		if n != lines {
			t.Errorf("process %d: %d lines of %d", i, n, lines)
		}
	}
}

// tailsStayZero has one process write and cut a file while others read: they see what was written, or zeroes.
func tailsStayZero(t *testing.T, p *proc) {
	if e := p.writeFile("f", nil); e != 0 {
		t.Fatal(e)
	}
	together(t, p, 4, func(q *proc, i int) {
		fd, e := q.open("f", abi.O_RDWR, 0)
		if e != 0 {
			t.Errorf("open: %v", e)
			return
		}
		for round := range 60 {
			if i == 0 {
				q.pwrite(fd, bytes.Repeat([]byte("x"), 9000), 100)
				q.ftruncate(fd, int64(round*97%5000))
				q.ftruncate(fd, 9100)
				continue
			}
			got, e := q.pread(fd, 10000, 0)
			if rest := strings.Trim(strings.TrimRight(string(got), "\x00"), "x"); e != 0 || strings.Trim(rest, "\x00") != "" {
				t.Errorf("the file has something that nobody wrote, %v", e)
				return
			}
		}
	})
}

// oneCreates has processes make the same names with O_EXCL: each is made by one of them.
func oneCreates(t *testing.T, p *proc) {
	const names = 40
	var made [names]atomic.Int32
	together(t, p, 4, func(q *proc, _ int) {
		for n := range names {
			fd, e := q.open(fmt.Sprint("f", n), abi.O_WRONLY|abi.O_CREAT|abi.O_EXCL, 0o644)
			switch e {
			case 0:
				made[n].Add(1)
				q.close(fd)
			case abi.EEXIST:
			default:
				t.Errorf("open: %v", e)
			}
		}
	})
	for n := range made {
		if m := made[n].Load(); m != 1 {
			t.Errorf("file %d was made %d times", n, m)
		}
	}
}

// oneRemoves has processes remove the same names, files and directories: each is removed by one of them.
func oneRemoves(t *testing.T, p *proc) {
	const names = 40
	for n := range names {
		if e := p.writeFile(fmt.Sprint("f", n), nil); e != 0 {
			t.Fatal(e)
		}
		if e := p.mkdir(fmt.Sprint("d", n)); e != 0 {
			t.Fatal(e)
		}
	}
	before, e := p.stat(".")
	if e != 0 {
		t.Fatal(e)
	}
	var removed atomic.Int32
	together(t, p, 4, func(q *proc, _ int) {
		for n := range names {
			for _, e := range []abi.Errno{q.unlink(fmt.Sprint("f", n)), q.rmdir(fmt.Sprint("d", n))} {
				switch e {
				case 0:
					removed.Add(1)
				case abi.ENOENT:
				default:
					t.Errorf("removing: %v", e)
				}
			}
		}
	})
	if n := removed.Load(); n != 2*names {
		t.Errorf("%d removed of %d", n, 2*names)
	}
	if st, e := p.stat("."); e != 0 || st.Nlink != before.Nlink-names {
		t.Errorf("the directory has %d links, had %d with %d directories, %v", st.Nlink, before.Nlink, names, e)
	}
}

// linksAreCounted has processes make, rename and remove links of one file: the count is right at the end.
func linksAreCounted(t *testing.T, p *proc) {
	if e := p.writeFile("f", nil); e != 0 {
		t.Fatal(e)
	}
	together(t, p, 5, func(q *proc, i int) {
		for n := range 60 {
			name, other := fmt.Sprintf("l%d.%d", i, n), fmt.Sprintf("l%d.%d", (i+1)%5, n)
			if e := q.do(abi.SYS_link, "f", name); e != 0 && e != abi.EEXIST {
				t.Errorf("link: %v", e)
			}
			switch n % 3 {
			case 1:
				q.unlink(name)
			case 2:
				if e := q.rename(name, other); e != 0 && e != abi.ENOENT {
					t.Errorf("rename: %v", e)
				}
			}
		}
	})
	list, e := p.readdir(".")
	if e != 0 {
		t.Fatal(e)
	}
	st, e := p.stat("f")
	if e != 0 {
		t.Fatal(e)
	}
	links := len(slices.DeleteFunc(list, func(d entry) bool { return d.ino != st.Ino }))
	if int(st.Nlink) != links {
		t.Errorf("%d links, the directory has %d names of the file", st.Nlink, links)
	}
}
