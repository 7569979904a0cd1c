package df

import (
	"fmt"
	"io"
	"math/big"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
)

// leastWidth is that of the column of file systems.
const leastWidth = 12

// print prints the file systems in the format that the options choose.
func (d *lister) print(list []abi.Statvfs) int {
	if d.all {
		for i := range list {
			printAll(d.env.Stdout, &list[i])
		}
		return util.ExitOK
	}
	if len(list) == 0 {
		return util.ExitOK
	}
	unit := d.blockSize()
	if d.posix {
		if unit.Bytes != 512 && unit.Bytes != 1024 {
			return d.env.Errx("non-standard block size incompatible with -P")
		}
		fmt.Fprintf(d.env.Stdout, "Filesystem %s Used Available Capacity Mounted on\n", unit.Header)
		for i := range list {
			printPosix(d.env.Stdout, &list[i], unit.Bytes)
		}
		return util.ExitOK
	}
	width := leastWidth
	for i := range list {
		width = max(width, len(mount.FromName(&list[i])))
	}
	d.printHeader(unit, width)
	for i := range list {
		d.printRow(&list[i], unit.Bytes, width)
	}
	return util.ExitOK
}

// blockSize returns the unit: what -g, -k and -m say, or BLOCKSIZE.
func (d *lister) blockSize() util.BlockSize {
	switch {
	case d.human && !d.posix:
		return util.BlockSize{Bytes: 1, Header: "Size"}
	case d.unit == 1<<10 && d.posix:
		return util.BlockSize{Bytes: d.unit, Header: "1024-blocks"}
	case d.unit == 1<<10:
		return util.BlockSize{Bytes: d.unit, Header: "1K-blocks"}
	case d.unit == 1<<20:
		return util.BlockSize{Bytes: d.unit, Header: "1M-blocks"}
	case d.unit == 1<<30:
		return util.BlockSize{Bytes: d.unit, Header: "1G-blocks"}
	}
	return d.env.BlockSize()
}

// amounts are the numbers of a file system. Available blocks may be negative: those that are kept for the
// super-user may be in use.
type amounts struct {
	total, used, available int64
}

func blocksOf(st *abi.Statvfs) amounts {
	return amounts{
		total:     int64(st.Blocks),
		used:      int64(st.Blocks - st.Bfree),
		available: int64(st.Bfree - st.Bresvd),
	}
}

// capacity is how full a file system is for an ordinary user.
func (a amounts) capacity() string { return percent(a.used, a.used+a.available) }

// percent is used of total in per cent, rounded towards zero; what has no room at all is full.
func percent(used, total int64) string {
	if total == 0 {
		return "100"
	}
	var p big.Int
	p.Mul(big.NewInt(used), big.NewInt(100))
	return p.Quo(&p, big.NewInt(total)).String()
}

// inUnits turns a number of blocks into another unit.
func inUnits(n int64, blockSize uint64, unit int64) int64 {
	size := int64(blockSize)
	if size != 0 && size < unit {
		return n / (unit / size)
	}
	return n * (size / unit)
}

func printPosix(w io.Writer, st *abi.Statvfs, unit int64) {
	a := blocksOf(st)
	fmt.Fprintf(w, "%s %d %d %d %s%% %s\n", mount.FromName(st), inUnits(a.total, st.Frsize, unit),
		inUnits(a.used, st.Frsize, unit), inUnits(a.available, st.Frsize, unit), a.capacity(), mount.OnName(st))
}

// printHeader prints the line above the columns.
func (d *lister) printHeader(unit util.BlockSize, width int) {
	name := width - (len(unit.Header) - 10)
	fmt.Fprintf(d.env.Stdout, "%-*.*s %s       Used      Avail %%Cap", name, name, "Filesystem", unit.Header)
	if d.inodes {
		fmt.Fprint(d.env.Stdout, "    iUsed   iAvail %iCap")
	}
	fmt.Fprintln(d.env.Stdout, " Mounted on")
}

// printRow prints a line of the columns.
func (d *lister) printRow(st *abi.Statvfs, unit int64, width int) {
	w, a := d.env.Stdout, blocksOf(st)
	fmt.Fprintf(w, "%-*s ", width, mount.FromName(st))
	if d.human {
		size := int64(st.Frsize)
		fmt.Fprintf(w, "    %6s     %6s     %6s", human(a.total*size), human(a.used*size), human(a.available*size))
	} else {
		fmt.Fprintf(w, "%10d %10d %10d", inUnits(a.total, st.Frsize, unit), inUnits(a.used, st.Frsize, unit),
			inUnits(a.available, st.Frsize, unit))
	}
	fmt.Fprintf(w, " %3s%%", a.capacity())
	if d.inodes {
		used := int64(st.Files - st.Ffree)
		full := percent(used, int64(st.Files))
		if st.Files == 0 && used == 0 {
			full = "  0"
		}
		fmt.Fprintf(w, " %8d %8d %4s%%", used, int64(st.Ffree), full)
	}
	fmt.Fprintf(w, " %s\n", mount.OnName(st))
}

// human is a number of bytes with a unit, in four columns, or five if it is negative.
func human(n int64) string {
	size := 5
	if n < 0 {
		size++
	}
	s, _ := util.Humanize{Decimal: true, Bytes: true, NoSpace: true}.Format(n, size)
	return s
}

// printAll prints what statvfs(2) tells: -G.
func printAll(w io.Writer, st *abi.Statvfs) {
	fmt.Fprintf(w, "%10s (%-12s): %7d block size %12d frag size\n",
		mount.OnName(st), mount.FromName(st), st.Bsize, st.Frsize)
	fmt.Fprintf(w, "%10d total blocks %10d free blocks  %10d available\n",
		int64(st.Blocks), int64(st.Bfree), int64(st.Bavail))
	fmt.Fprintf(w, "%10d total files  %10d free files %12x filesys id\n", int64(st.Files), int64(st.Ffree), st.Fsid)
	fmt.Fprintf(w, "%10s fstype  %#15x flag  %17d filename length\n", mount.TypeName(st), st.Flag, st.Namemax)
	fmt.Fprintf(w, "%10d owner %17d syncwrites %12d asyncwrites\n\n", st.Owner, st.Syncwrites, st.Asyncwrites)
}
