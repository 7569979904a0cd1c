package replay

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestDiff checks that the comparison sees what it must see and passes over what may vary; the oracle is the mask table.
func TestDiff(t *testing.T) {
	layouts, err := LoadLayouts("../../abi/netbsd-amd64.json")
	if err != nil {
		t.Fatal(err)
	}
	stat := func(change func(*abi.Stat)) *Call {
		st := abi.Stat{Mode: abi.S_IFREG | 0o644, Nlink: 1, Size: 20, Ino: 7}
		change(&st)
		return &Call{Num: abi.SYS___stat50, Args: words(0x1000, 0x2000), Out: []Chunk{{Addr: 0x2000, Data: st.Append(nil)}}, Done: true}
	}
	same := func(*abi.Stat) {}
	withErrno := func(c *Call, e abi.Errno) *Call { c.Errno, c.Out = e, nil; return c }
	for _, c := range []struct {
		name      string
		rec, got  *Call
		wantStart string
	}{
		{"equal", stat(same), stat(same), ""},
		{"inode", stat(same), stat(func(s *abi.Stat) { s.Ino = 8 }), ""},
		{"time", stat(same), stat(func(s *abi.Stat) { s.Mtim.Sec = 8 }), ""},
		{"mode", stat(same), stat(func(s *abi.Stat) { s.Mode = 0 }), "memory: struct stat st_mode"},
		{"size", stat(same), stat(func(s *abi.Stat) { s.Size = 21 }), "memory: struct stat st_size"},
		{"errno", stat(same), withErrno(stat(same), abi.ENOENT), "errno 2"},
		{"nothing copied out", stat(same), &Call{Num: abi.SYS___stat50, Done: true}, "memory: "},
		{"value", &Call{Num: abi.SYS_open, Ret: 3}, &Call{Num: abi.SYS_open, Ret: 4}, "returned 0x4"},
		{"pid", &Call{Num: abi.SYS_getpid, Ret: 3}, &Call{Num: abi.SYS_getpid, Ret: 4}, ""},
	} {
		cmp := &Comparer{Layouts: layouts}
		cmp.Begin()
		diffs := cmp.Diff(c.rec, c.got)
		switch {
		case c.wantStart == "" && len(diffs) > 0:
			t.Errorf("%s: %q", c.name, diffs)
		case c.wantStart != "" && (len(diffs) == 0 || !strings.HasPrefix(diffs[0], c.wantStart)):
			t.Errorf("%s: %q, want %q", c.name, diffs, c.wantStart)
		}
	}
}

func words(v ...uint64) []byte {
	var b []byte
	for _, w := range v {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}
