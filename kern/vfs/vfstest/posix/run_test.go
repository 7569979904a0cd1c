package posix_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/kern/vfs/vfstest/posix"
)

// TestNoticed: what is not as it must be is noticed, and so is an exception that is not needed. Oracle: doc.go, exceptions.go.
func TestNoticed(t *testing.T) {
	res, got := posix.RunText(t, tmpFS(), `== case
mkdir n0 0755
mkdir n0 0755
mkdir n0 0755 -> EEXIST|EISDIR
rmdir n1 -> EEXIST
stat n0 type,mode,nlink -> dir,0755,2
stat n0 mode -> 0700
- t = stat n0 mtime
- u = stat n0 nlink
- later
create n0/f 0644
stat n0 mtime -> >$t
stat n0 nlink -> >$u
stat n0 nlink -> !$u
stat n0 nlink,uid -> $u,0
as 5:6 create n0/g 0666 -> EACCES
as 5:6,7 umask 022 open n0/f O_RDONLY ; fstat 0 size -> 0
rmdir n1 -> EPERM
rmdir n2 -> EPERM
rmdir n3 -> EPERM
rmdir {null} -> EFAULT
- rmdir n3 -> EPERM
`, `== reason
source: nowhere
case 14 -> ENOENT
case 15 -> ENOTDIR
case 16
case 17 -> EINVAL
`)
	want := []string{
		"case 2 (line 3): mkdir n0 0755: gives EEXIST",
		"case 4 (line 5): rmdir n1 -> EEXIST: gives ENOENT",
		"case 6 (line 7): stat n0 mode -> 0700: gives 0755",
		"case 9 (line 13): stat n0 nlink -> >$u: gives 2",
		"case 10 (line 14): stat n0 nlink -> !$u: gives 2",
		"case 15 (line 19): rmdir n2 -> EPERM: gives ENOENT",
		"case 17: rmdir {null} -> EFAULT: gives EFAULT after all, in spite of exceptions.txt:6",
		"case 0 (line 22): - rmdir n3 -> EPERM: gives ENOENT",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	total := posix.Counts{Cases: 1, Checks: 17, Passed: 8, Differ: 1, LeftOut: 1}
	if res.Total() != total || total.Failed() != 7 {
		t.Errorf("%+v, %d failed; want %+v", res.Total(), res.Total().Failed(), total)
	}
	if why := res.Reasons["reason"]; why == nil || why.Checks != 2 || why.Source != "nowhere" {
		t.Errorf("reason %+v", why)
	}
}
