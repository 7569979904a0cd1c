package vfstest

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rumpctrl/rumpctrl/abi"
)

// runModel makes random calls and compares what they give with a model of a file system in a few lines of Go: each call's
// error, and after each the whole tree. The seed is the same every time unless -rapid.seed says otherwise.
// Oracle: the model, which follows open(2), rename(2), link(2), unlink(2), mkdir(2), rmdir(2), truncate(2) and write(2).
func runModel(t *testing.T, c *Config) {
	fixSeed(t)
	k, dir := c.Boot(t)
	p := newProc(t, k, dir)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := newModel(rt, c, p, fmt.Sprintf("%s/run%d", strings.TrimSuffix(dir, "/"), run))
		defer m.finish()
		rt.Repeat(m.actions())
	})
}

// fixSeed sets rapid's seed for this test where the command line has not, and has it leave no files behind: the seed says
// it all.
func fixSeed(t *testing.T) {
	for name, value := range map[string]string{"rapid.seed": "20161001", "rapid.nofailfile": "true"} {
		f := flag.Lookup(name)
		if f == nil {
			t.Fatalf("rapid has no flag %s any more", name)
		}
		old := f.Value.String()
		if old != f.DefValue {
			continue
		}
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := f.Value.Set(old); err != nil {
				t.Error(err)
			}
		})
	}
}

// modelNode is a file or a directory of the model.
type modelNode struct {
	entries map[string]*modelNode // a directory's
	data    []byte
	nlink   int
}

func (n *modelNode) isDir() bool { return n.entries != nil }

// above says whether n is d or a directory that d is in.
func (n *modelNode) above(d *modelNode) bool {
	if n == d {
		return true
	}
	for _, e := range n.entries {
		if e.isDir() && e.above(d) {
			return true
		}
	}
	return false
}

// openFile is a descriptor of the model.
type openFile struct {
	fd   int
	node *modelNode
}

// model is a file system as it should be, beside one that is.
type model struct {
	rt   *rapid.T
	cfg  *Config
	p    *proc
	root *modelNode
	open []openFile
}

func newModel(rt *rapid.T, c *Config, p *proc, dir string) *model {
	if e := p.mkdir(dir); e != 0 {
		rt.Fatalf("mkdir %s: %v", dir, e)
	}
	if e := p.do(abi.SYS_chdir, dir); e != 0 {
		rt.Fatalf("chdir %s: %v", dir, e)
	}
	return &model{rt: rt, cfg: c, p: p, root: &modelNode{entries: map[string]*modelNode{}}}
}

// finish closes what is open.
func (m *model) finish() {
	for _, f := range m.open {
		m.p.close(f.fd)
	}
}

// path draws a path of a few short names.
func (m *model) path(label string) string {
	names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(m.rt, label)
	return strings.Join(names, "/")
}

// find walks a path: the directory of its last name, and what that name refers to, if anything.
func (m *model) find(path string) (parent, n *modelNode, name string, e abi.Errno) {
	n = m.root
	names := strings.Split(path, "/")
	for i, s := range names {
		if n == nil {
			return nil, nil, "", abi.ENOENT
		}
		if !n.isDir() {
			return nil, nil, "", abi.ENOTDIR
		}
		parent, n, name = n, n.entries[s], names[i]
	}
	return parent, n, name, 0
}

// expect checks a call's error against those that it may have; none means that it must succeed.
func (m *model) expect(got abi.Errno, allowed []abi.Errno, what string, args ...any) bool {
	if len(allowed) == 0 && got == 0 || len(allowed) > 0 && slices.Contains(allowed, got) {
		return got == 0
	}
	m.rt.Fatalf("%s: %v, want one of %v", fmt.Sprintf(what, args...), got, allowed)
	return false
}

// fails is a list of one error, or of none.
func fails(e abi.Errno) []abi.Errno {
	if e == 0 {
		return nil
	}
	return []abi.Errno{e}
}

func (m *model) actions() map[string]func(*rapid.T) {
	all := map[string]func(){
		"mkdir": m.mkdir, "rmdir": m.rmdir, "unlink": m.unlink, "rename": m.rename, "truncate": m.truncate,
		"write": m.write, "open": m.openFile, "writeOpen": m.writeOpen, "readOpen": m.readOpen, "close": m.closeOpen,
		"": m.compare,
	}
	if !m.cfg.lacks(HardLinks) {
		all["link"] = m.link
	}
	steps := map[string]func(*rapid.T){}
	for name, f := range all {
		steps[name] = func(rt *rapid.T) {
			m.rt = rt
			f()
		}
	}
	return steps
}

func (m *model) mkdir() {
	path := m.path("path")
	parent, n, name, e := m.find(path)
	if e == 0 && n != nil {
		e = abi.EEXIST
	}
	if m.expect(m.p.mkdir(path), fails(e), "mkdir %s", path) {
		parent.entries[name] = &modelNode{entries: map[string]*modelNode{}}
	}
}

func (m *model) rmdir() {
	path := m.path("path")
	parent, n, name, e := m.find(path)
	switch {
	case e != 0:
	case n == nil:
		e = abi.ENOENT
	case !n.isDir():
		e = abi.ENOTDIR
	case len(n.entries) > 0:
		e = abi.ENOTEMPTY
	}
	if m.expect(m.p.rmdir(path), fails(e), "rmdir %s", path) {
		delete(parent.entries, name)
	}
}

func (m *model) unlink() {
	path := m.path("path")
	parent, n, name, e := m.find(path)
	switch {
	case e != 0:
	case n == nil:
		e = abi.ENOENT
	case n.isDir():
		e = abi.EPERM
	}
	if m.expect(m.p.unlink(path), fails(e), "unlink %s", path) {
		delete(parent.entries, name)
		n.nlink--
	}
}

func (m *model) link() {
	from, to := m.path("from"), m.path("to")
	_, n, _, e := m.find(from)
	if e == 0 && n == nil {
		e = abi.ENOENT
	}
	if e != 0 {
		m.expect(m.p.do(abi.SYS_link, from, to), fails(e), "link %s %s", from, to)
		return
	}
	parent, existing, name, e := m.find(to)
	allowed := fails(e)
	if n.isDir() {
		allowed = append(allowed, abi.EPERM)
	}
	if existing != nil {
		allowed = append(allowed, abi.EEXIST)
	}
	if m.expect(m.p.do(abi.SYS_link, from, to), allowed, "link %s %s", from, to) {
		parent.entries[name] = n
		n.nlink++
	}
}

func (m *model) rename() {
	from, to := m.path("from"), m.path("to")
	oldParent, n, oldName, e := m.find(from)
	if e == 0 && n == nil {
		e = abi.ENOENT
	}
	if e != 0 {
		m.expect(m.p.rename(from, to), fails(e), "rename %s %s", from, to)
		return
	}
	newParent, existing, newName, e := m.find(to)
	allowed := fails(e)
	if e == 0 && existing != n {
		allowed = renameErrors(n, newParent, existing)
	}
	if !m.expect(m.p.rename(from, to), allowed, "rename %s %s", from, to) {
		return
	}
	if existing == n && oldParent == newParent && oldName == newName {
		return
	}
	delete(oldParent.entries, oldName)
	newParent.entries[newName] = n
	if existing != nil {
		existing.nlink--
	}
}

// renameErrors are the reasons for which a rename fails.
func renameErrors(n, to, existing *modelNode) (errs []abi.Errno) {
	if n.isDir() && n.above(to) {
		errs = append(errs, abi.EINVAL)
	}
	switch {
	case existing == nil:
	case n.isDir() && !existing.isDir():
		errs = append(errs, abi.ENOTDIR)
	case !n.isDir() && existing.isDir():
		errs = append(errs, abi.EISDIR)
	case len(existing.entries) > 0:
		errs = append(errs, abi.ENOTEMPTY)
	}
	return errs
}

// size draws a length or an offset: small, around a page, around 64 KiB.
func (m *model) size(label string) int {
	base := rapid.SampledFrom([]int{0, 4096, 65536}).Draw(m.rt, label+" near")
	return max(0, base+rapid.IntRange(-40, 40).Draw(m.rt, label))
}

// resize is the data with a length.
func resize(data []byte, size int) []byte {
	if size <= len(data) {
		return slices.Clone(data[:size])
	}
	return append(slices.Clone(data), make([]byte, size-len(data))...)
}

// writeAt is the data with a part written.
func writeAt(data, part []byte, off int) []byte {
	if len(part) == 0 {
		return data
	}
	data = resize(data, max(len(data), off+len(part)))
	copy(data[off:], part)
	return data
}

func (m *model) truncate() {
	path, size := m.path("path"), m.size("size")
	_, n, _, e := m.find(path)
	switch {
	case e != 0:
	case n == nil:
		e = abi.ENOENT
	case n.isDir():
		e = abi.EISDIR
	}
	if m.expect(m.p.do(abi.SYS_truncate, path, 0, size), fails(e), "truncate %s %d", path, size) {
		n.data = resize(n.data, size)
	}
}

// data draws something to write.
func (m *model) data() []byte {
	b := rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(m.rt, "data")
	return bytes.Repeat(b, rapid.SampledFrom([]int{1, 16, 1000, 9000}).Draw(m.rt, "times"))
}

// creates opens a file for writing, in both worlds; nil when that fails as it should.
func (m *model) creates(path string) (fd int, n *modelNode) {
	parent, n, name, e := m.find(path)
	if e == 0 && n != nil && n.isDir() {
		e = abi.EISDIR
	}
	fd, got := m.p.open(path, abi.O_RDWR|abi.O_CREAT, 0o644)
	if !m.expect(got, fails(e), "open %s", path) {
		return -1, nil
	}
	if n == nil {
		n = &modelNode{nlink: 1}
		parent.entries[name] = n
	}
	return fd, n
}

func (m *model) write() {
	fd, n := m.creates(m.path("path"))
	if n == nil {
		return
	}
	defer m.p.close(fd)
	m.pwrite(fd, n)
}

func (m *model) pwrite(fd int, n *modelNode) {
	data, off := m.data(), m.size("offset")
	if got, e := m.p.pwrite(fd, data, int64(off)); e != 0 || got != len(data) {
		m.rt.Fatalf("pwrite of %d at %d: %d, %v", len(data), off, got, e)
	}
	n.data = writeAt(n.data, data, off)
}

func (m *model) openFile() {
	if len(m.open) >= 4 {
		m.rt.Skip("enough are open")
	}
	if fd, n := m.creates(m.path("path")); n != nil {
		m.open = append(m.open, openFile{fd, n})
	}
}

// anyOpen draws one of the open files.
func (m *model) anyOpen() int {
	if len(m.open) == 0 {
		m.rt.Skip("nothing is open")
	}
	return rapid.IntRange(0, len(m.open)-1).Draw(m.rt, "file")
}

func (m *model) writeOpen() {
	f := m.open[m.anyOpen()]
	m.pwrite(f.fd, f.node)
}

func (m *model) readOpen() {
	f := m.open[m.anyOpen()]
	m.compareOpen(f.fd, f.node, "an open file")
}

func (m *model) closeOpen() {
	i := m.anyOpen()
	if e := m.p.close(m.open[i].fd); e != 0 {
		m.rt.Fatalf("close: %v", e)
	}
	m.open = slices.Delete(m.open, i, i+1)
}

// compareOpen compares an open file with the model's.
func (m *model) compareOpen(fd int, n *modelNode, what string) {
	got, e := m.p.pread(fd, len(n.data)+1, 0)
	if e != 0 || !bytes.Equal(got, n.data) {
		m.rt.Fatalf("%s: %d bytes, %v; want %d bytes; first difference at %d", what, len(got), e, len(n.data), firstDiff(got, n.data))
	}
	st, e := m.p.fstat(fd)
	if e != 0 || st.Size != int64(len(n.data)) || int(st.Nlink) != n.nlink {
		m.rt.Fatalf("%s: size %d, %d links, %v; want %d, %d", what, st.Size, st.Nlink, e, len(n.data), n.nlink)
	}
}

func firstDiff(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// compare compares the whole trees.
func (m *model) compare() { m.compareTree(".", m.root) }

func (m *model) compareTree(path string, n *modelNode) {
	if !n.isDir() {
		fd, e := m.p.open(path, abi.O_RDONLY, 0)
		if e != 0 {
			m.rt.Fatalf("open %s: %v", path, e)
		}
		m.compareOpen(fd, n, path)
		m.p.close(fd)
		return
	}
	list, e := m.p.readdir(path)
	if e != 0 || len(list) != len(n.entries) {
		m.rt.Fatalf("%s lists %s, %v; want %d entries", path, names(list), e, len(n.entries))
	}
	for _, d := range list {
		sub := n.entries[d.name]
		if sub == nil {
			m.rt.Fatalf("%s has %s, and should not", path, d.name)
		}
		m.compareTree(path+"/"+d.name, sub)
	}
}
