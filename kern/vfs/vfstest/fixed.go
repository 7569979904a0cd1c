package vfstest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Fixed says how to get at a file system whose names are not users' to make, such as kernfs, and what is particular about it.
type Fixed struct {
	// Boot makes a kernel with the file system mounted, and says where.
	Boot func(t testing.TB) (k *kern.Kernel, dir string)
	// Type is its name, as statvfs(2) shows it.
	Type string
	// Dirs are its directories below the root directory.
	Dirs []string
	// Refused is what making, removing and renaming names gives.
	Refused abi.Errno
	// Differs are calls that give something else, by the name of the call, each with the error. "" as the error leaves the call out.
	Differs map[string]string
	// ByProcess says that each process sees files of its own.
	ByProcess bool
}

// RunFixed checks what all file systems have in common as far as it applies to one of fixed names: listing and looking up agree,
// whatever the buffer and the place where reading begins; what cannot be made or removed says so; all of it from many
// processes at once. It takes less than a second.
func RunFixed(t *testing.T, c Fixed) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, *Fixed, *proc, string)
	}{
		{"entries", fixedEntries},
		{"seek", fixedSeek},
		{"errors", fixedErrors},
		{"refused", fixedRefused},
		{"users", fixedUsers},
		{"concurrent", fixedConcurrent},
	} {
		t.Run(part.name, func(t *testing.T) {
			for _, dir := range append([]string{"."}, c.Dirs...) {
				k, at := c.Boot(t)
				part.run(t, &c, newProc(t, k, at), dir)
			}
		})
	}
	t.Run("statvfs", func(t *testing.T) { fixedStatvfs(t, &c) })
	t.Run("quotas", func(t *testing.T) {
		k, at := c.Boot(t)
		checkQuotas(t, newProc(t, k, at))
	})
}

// listing reads an open directory from its beginning with one size of buffer; names that come twice fail the test.
func listing(t *testing.T, p *proc, fd, size int) map[string]entry {
	t.Helper()
	if _, e := p.lseek(fd, 0, abi.SEEK_SET); e != 0 {
		t.Fatal(e)
	}
	all := map[string]entry{}
	for {
		list, e := p.getdents(fd, size)
		if e != 0 {
			t.Fatalf("getdents with %d bytes: %v", size, e)
		}
		if len(list) == 0 {
			return all
		}
		for _, d := range list {
			if _, twice := all[d.name]; twice {
				t.Errorf("%s is listed twice", d.name)
			}
			all[d.name] = d
		}
	}
}

// fixedEntries: what is listed is there, with the number and the type that the listing says. Oracle: getdents(2), stat(2).
func fixedEntries(t *testing.T, _ *Fixed, p *proc, dir string) {
	fd := mustOpen(t, p, dir)
	defer p.close(fd)
	all := listing(t, p, fd, 4096)
	for _, size := range []int{64, 100, 512} {
		if got := listing(t, p, fd, size); !maps.Equal(got, all) {
			t.Errorf("%s: with %d bytes %d entries, of %d", dir, size, len(got), len(all))
		}
	}
	for _, name := range []string{".", ".."} {
		if d, ok := all[name]; !ok || d.typ != abi.DT_DIR {
			t.Errorf("%s: %s is missing, or of type %d", dir, name, d.typ)
		}
	}
	for name, d := range all {
		st, e := p.lstat(dir + "/" + name)
		if e != 0 {
			t.Errorf("%s/%s: %v", dir, name, e)
			continue
		}
		if dir == "." && name == ".." {
			continue // is the directory below the mount
		}
		if st.Ino != d.ino {
			t.Errorf("%s/%s: number %d, listed with %d", dir, name, st.Ino, d.ino)
		}
		if typ := uint8(st.Mode >> 12); d.typ != typ && d.typ != abi.DT_UNKNOWN {
			t.Errorf("%s/%s: type %d, listed with %d", dir, name, typ, d.typ)
		}
	}
}

// fixedSeek: reading goes on from the offset after any entry. Oracle: getdents(2).
func fixedSeek(t *testing.T, _ *Fixed, p *proc, dir string) {
	fd := mustOpen(t, p, dir)
	defer p.close(fd)
	type place struct {
		off  int64
		next string
	}
	var places []place
	for {
		off, _ := p.lseek(fd, 0, abi.SEEK_CUR)
		list, e := p.getdents(fd, 64)
		if e != 0 {
			t.Fatal(e)
		}
		if len(list) == 0 {
			places = append(places, place{off, ""})
			break
		}
		places = append(places, place{off, list[0].name})
	}
	for _, at := range slices.Backward(places) {
		if _, e := p.lseek(fd, at.off, abi.SEEK_SET); e != 0 {
			t.Fatal(e)
		}
		list, e := p.getdents(fd, 64)
		got := ""
		if len(list) > 0 {
			got = list[0].name
		}
		if got != at.next || e != 0 {
			t.Errorf("%s: at %d %q, %v, want %q", dir, at.off, got, e, at.next)
		}
	}
}

// fixedErrors: names that are not there, too long, or of no directory. Oracles: open(2), getdents(2).
func fixedErrors(t *testing.T, _ *Fixed, p *proc, dir string) {
	fd := mustOpen(t, p, dir)
	defer p.close(fd)
	if _, e := p.getdents(fd, 8); e != abi.EINVAL {
		t.Errorf("%s: getdents with 8 bytes: %v", dir, e)
	}
	if _, e := p.read(fd, 8); e != abi.EISDIR {
		t.Errorf("%s: read: %v", dir, e)
	}
	for name, want := range map[string]abi.Errno{
		"nosuchname": abi.ENOENT, "nosuchname/x": abi.ENOENT, strings.Repeat("n", 256): abi.ENAMETOOLONG, " ": abi.ENOENT,
	} {
		if _, e := p.lstat(dir + "/" + name); e != want {
			t.Errorf("%s/%.20s: %v, want %v", dir, name, e, want)
		}
	}
	for name, d := range listing(t, p, fd, 4096) {
		if d.typ == abi.DT_REG || d.typ == abi.DT_CHR {
			if _, e := p.lstat(dir + "/" + name + "/x"); e != abi.ENOTDIR {
				t.Errorf("%s/%s/x: %v", dir, name, e)
			}
		}
	}
	if _, e := p.open(dir, abi.O_RDWR, 0); e != abi.EISDIR {
		t.Errorf("%s: opened for writing: %v", dir, e)
	}
}

// fixedRefused: names cannot be made nor taken away, not even by the superuser. Oracle: the pages of each call.
func fixedRefused(t *testing.T, c *Fixed, p *proc, dir string) {
	fd := mustOpen(t, p, dir)
	defer p.close(fd)
	var existing, subdir string
	for name := range listing(t, p, fd, 4096) {
		st, e := p.lstat(dir + "/" + name)
		switch {
		case name == "." || name == "..":
		case e != 0:
			t.Errorf("%s/%s: %v", dir, name, e)
		case st.Mode&abi.S_IFMT == abi.S_IFDIR:
			subdir = dir + "/" + name
		default:
			existing = dir + "/" + name
		}
	}
	fresh := dir + "/new"
	for _, call := range []struct {
		name string
		path string // what has to be there
		do   func() abi.Errno
	}{
		{"open", fresh, func() abi.Errno { _, e := p.open(fresh, abi.O_RDWR|abi.O_CREAT, 0o644); return e }},
		{"mkdir", fresh, func() abi.Errno { return p.mkdir(fresh) }},
		{"mkfifo", fresh, func() abi.Errno { return p.do(abi.SYS_mkfifo, fresh, 0o644) }},
		{"mknod", fresh, func() abi.Errno { return p.do(abi.SYS___mknod50, fresh, abi.S_IFCHR|0o644, 0x202) }},
		{"symlink", fresh, func() abi.Errno { return p.do(abi.SYS_symlink, "x", fresh) }},
		{"link", existing, func() abi.Errno { return p.do(abi.SYS_link, existing, fresh) }},
		{"unlink", existing, func() abi.Errno { return p.unlink(existing) }},
		{"rename", existing, func() abi.Errno { return p.rename(existing, fresh) }},
		{"rmdir", subdir, func() abi.Errno { return p.rmdir(subdir) }},
	} {
		want := c.Refused.Name()
		if differs, ok := c.Differs[call.name]; ok {
			want = differs
		}
		if call.path == "" || want == "" {
			continue
		}
		if e := call.do(); e.Name() != want {
			t.Errorf("%s in %s: %v, want %s", call.name, dir, e, want)
		}
	}
	if _, e := p.lstat(fresh); e != abi.ENOENT {
		t.Errorf("%s is there afterwards: %v", fresh, e)
	}
}

// fixedUsers: everybody sees what root sees, unless processes have their own.
func fixedUsers(t *testing.T, c *Fixed, p *proc, dir string) {
	fd := mustOpen(t, p, dir)
	defer p.close(fd)
	user := &proc{p.Fork()}
	if e := user.become(1000, 1000); e != 0 {
		t.Fatal(e)
	}
	own := mustOpen(t, user, dir)
	if got, want := listing(t, user, own, 4096), listing(t, p, fd, 4096); !c.ByProcess && !maps.Equal(got, want) {
		t.Errorf("%s: %d entries of %d", dir, len(got), len(want))
	}
	if e := user.mkdir(dir + "/new"); e != abi.EACCES {
		t.Errorf("mkdir in %s: %v", dir, e)
	}
}

// fixedConcurrent lists, looks up and opens everything from several processes.
func fixedConcurrent(t *testing.T, _ *Fixed, p *proc, dir string) {
	fd := mustOpen(t, p, dir)
	defer p.close(fd)
	want := listing(t, p, fd, 4096)
	procs := make([]*proc, 4)
	for i := range procs {
		procs[i] = &proc{p.Fork()}
	}
	var wg sync.WaitGroup
	errs := make(chan error, len(procs))
	for _, q := range procs {
		wg.Go(func() {
			for range 20 {
				for name := range want {
					if _, e := q.lstat(dir + "/" + name); e != 0 {
						errs <- fmt.Errorf("%s/%s: %w", dir, name, e)
						return
					}
					if fd, e := q.open(dir+"/"+name, abi.O_RDONLY|abi.O_NONBLOCK, 0); e == 0 {
						q.close(fd)
					}
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

// fixedStatvfs: the file system says what it is, and does not say that there is room. Oracle: statvfs(2).
func fixedStatvfs(t *testing.T, c *Fixed) {
	k, dir := c.Boot(t)
	st, e := newProc(t, k, dir).statvfs(".")
	if e != 0 {
		t.Fatal(e)
	}
	if name := abi.CString(st.Fstypename[:]); name != c.Type || st.Bfree != 0 || st.Bavail != 0 || st.Ffree != 0 ||
		st.Flag&abi.MNT_LOCAL == 0 || st.Namemax != 255 || st.Bsize == 0 {
		t.Errorf("type %s: %+v", name, st)
	}
	if on := abi.CString(st.Mntonname[:]); on != dir {
		t.Errorf("mounted on %s", on)
	}
}
