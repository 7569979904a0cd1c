package df

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// fileSystem is the one of transcript fs-01: 30719 fragments of 512 bytes, 5% kept for the super-user.
func fileSystem(free uint64) abi.Statvfs {
	st := abi.Statvfs{Bsize: 4096, Frsize: 512, Blocks: 30719, Bfree: free, Bresvd: 1535, Files: 7678, Ffree: 7677}
	abi.PutCString(st.Mntonname[:], "/mnt")
	abi.PutCString(st.Mntfromname[:], "/fsimg")
	return st
}

// TestFormats holds the formats against transcripts core-02 and fs-01.
func TestFormats(t *testing.T) {
	tmpfs := abi.Statvfs{Frsize: 4096, Blocks: 131073, Bfree: 131072}
	abi.PutCString(tmpfs.Mntonname[:], "/tmp")
	abi.PutCString(tmpfs.Mntfromname[:], "tmpfs")
	for _, c := range []struct {
		options string
		st      abi.Statvfs
		want    string
	}{
		{"", fileSystem(30718), "/fsimg            30719          1      29183   0% /mnt\n"},
		{"", fileSystem(84), "/fsimg            30719      30635      -1451 104% /mnt\n"},
		{"h", fileSystem(30718), "/fsimg              15M       512B        14M   0% /mnt\n"},
		{"i", fileSystem(30718), "/fsimg            30719          1      29183   0%        1     7677    0% /mnt\n"},
		{"h", fileSystem(84), "/fsimg              15M        15M      -726K 104% /mnt\n"},
		{"", tmpfs, "tmpfs           1048584          8    1048576   0% /tmp\n"},
	} {
		var out bytes.Buffer
		d := &lister{env: &util.Env{Args: []string{"df"}, Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" }}}
		for i := range len(c.options) {
			d.setOption(c.options[i])
		}
		d.print([]abi.Statvfs{c.st})
		_, got, _ := strings.Cut(out.String(), "\n")
		if got != c.want {
			t.Errorf("-%s: %q, want %q", c.options, got, c.want)
		}
	}
}

// TestPercent checks the rounding, the sign, and numbers whose product with 100 overflows.
func TestPercent(t *testing.T) {
	for _, c := range []struct {
		used, total int64
		want        string
	}{
		{0, 0, "100"}, {1, 3, "33"}, {2, 3, "66"}, {30635, 29184, "104"}, {0, 5, "0"}, {-1, 3, "-33"}, {1 << 62, 1<<62 + 1<<61, "66"},
	} {
		if got := percent(c.used, c.total); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.used, c.total, got, c.want)
		}
	}
}

// TestInUnits checks units above and below the size of a block.
func TestInUnits(t *testing.T) {
	for _, c := range []struct {
		n    int64
		size uint64
		unit int64
		want int64
	}{{10, 4096, 512, 80}, {10, 512, 1024, 5}, {-3, 512, 1024, -1}, {7, 512, 512, 7}, {7, 0, 512, 0}} {
		if got := inUnits(c.n, c.size, c.unit); got != c.want {
			t.Errorf("%d of %d in %d: %d, want %d", c.n, c.size, c.unit, got, c.want)
		}
	}
}
