// Package fstab reads the kernel's /etc/fstab: fstab(5).
//
// Start reading at [Read].
package fstab

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// Path is where the table is.
const Path = "/etc/fstab"

// maxSize is how much of it is read.
const maxSize = 1 << 20

// Entry is a line of the table.
type Entry struct {
	Spec    string // the device, or what the file system takes for one
	File    string // where it is mounted
	Type    string // of the file system
	Options string // separated by commas
	Access  string // the one of the options that is rw, rq, ro, sw or dp
	Freq    int    // days between dumps
	Pass    int    // of fsck; 0 is never
}

// Mountable tells whether the entry is a file system to be mounted, not swap space.
func (e *Entry) Mountable() bool { return e.Access == "rw" || e.Access == "ro" || e.Access == "rq" }

// Table is what is read. Bad has the numbers of the lines that make no sense.
type Table struct {
	Entries []Entry
	Bad     []int
}

// Find returns the first entry that is mounted on a directory or, if there is none, the first of a device.
func (t *Table) Find(name string) *Entry {
	if e := t.FindFile(name); e != nil {
		return e
	}
	for i := range t.Entries {
		if t.Entries[i].Spec == name {
			return &t.Entries[i]
		}
	}
	return nil
}

// FindFile returns the first entry that is mounted on a directory.
func (t *Table) FindFile(dir string) *Entry {
	for i := range t.Entries {
		if t.Entries[i].File == dir {
			return &t.Entries[i]
		}
	}
	return nil
}

// Read reads the table of the kernel that sys is on. Errors are those of open(2) and read(2).
func Read(sys *client.Sys) (*Table, error) {
	fd, err := sys.Open(Path, abi.O_RDONLY|abi.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer sys.Close(fd)
	var text []byte
	buf := make([]byte, 64<<10)
	for len(text) < maxSize {
		n, err := sys.Read(fd, buf)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return Parse(string(text)), nil
		}
		text = append(text, buf[:n]...)
	}
	return nil, abi.EFBIG
}

// accesses are the options that say what an entry is for; "xx" is for nothing.
const accesses = " rw rq ro sw dp xx "

// Parse reads the text of a table.
func Parse(text string) *Table {
	t := new(Table)
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		f := fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		e, ok := entry(f)
		switch {
		case !ok:
			t.Bad = append(t.Bad, n)
		case e.Access != "xx":
			t.Entries = append(t.Entries, e)
		}
	}
	return t
}

// entry reads the fields of a line, of which there are four at least.
func entry(f []string) (Entry, bool) {
	if len(f) < 4 {
		return Entry{}, false
	}
	e := Entry{Spec: f[0], File: f[1], Type: f[2], Options: f[3]}
	for opt := range strings.SplitSeq(e.Options, ",") {
		if len(opt) == 2 && strings.Contains(accesses, " "+opt+" ") {
			e.Access = opt
			break
		}
	}
	if len(f) > 4 {
		e.Freq, _ = strconv.Atoi(f[4])
	}
	if len(f) > 5 {
		e.Pass, _ = strconv.Atoi(f[5])
	}
	return e, e.Access != ""
}

// fields splits a line at blanks. A backslash makes part of a field of the character after it.
func fields(line string) []string {
	var list []string
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c == ' ' || c == '\t' || c == '\r' {
			if b.Len() > 0 {
				list = append(list, b.String())
				b.Reset()
			}
			continue
		}
		if c == '\\' && i+1 < len(line) {
			i++
			c = line[i]
		}
		b.WriteByte(c)
	}
	if b.Len() > 0 {
		list = append(list, b.String())
	}
	return list
}
