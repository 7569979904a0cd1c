// Package du is du(1): it tells how much room files and trees of files of the kernel take up.
//
// Start reading at run.
package du

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// Utility is du.
var Utility = util.Utility{
	Name:    "du",
	Section: 1,
	Doc:     "display disk usage statistics",
	Usage:   []string{"[-H | -L | -P] [-a | -d depth | -s] [-cghikmnrx] [file ...]"},
	Options: []util.Option{
		{Letter: 'a', Doc: "Print each file too."},
		{Letter: 'c', Doc: "Print the sum of all operands at the end."},
		{Letter: 'd', Arg: "depth", Doc: "Print directories no deeper than this; the operands are 0 deep."},
		{Letter: 'g', Doc: "Count in gigabytes."},
		{Letter: 'H', Doc: "Follow symbolic links among the operands."},
		{Letter: 'h', Doc: "Print sizes with units."},
		{Letter: 'i', Doc: "Count inodes, not blocks."},
		{Letter: 'k', Doc: "Count in kilobytes."},
		{Letter: 'L', Doc: "Follow all symbolic links."},
		{Letter: 'm', Doc: "Count in megabytes."},
		{Letter: 'n', Doc: "Leave out what has the flag nodump."},
		{Letter: 'P', Doc: "Follow no symbolic links: the default."},
		{Letter: 'r', Doc: "Say which directories cannot be read: the default."},
		{Letter: 's', Doc: "Print the sum of each operand alone."},
		{Letter: 'x', Doc: "Stay on the file systems of the operands."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to measure instead of the working directory."}},
	Main:     run,
}

// statBlock is the unit of st_blocks.
const statBlock = 512

// maxDepth is the most that -d takes.
const maxDepth = math.MaxInt16

// inode is a file, by whatever name.
type inode struct{ dev, ino uint64 }

// measurer adds up what files take.
type measurer struct {
	env  *util.Env
	walk fts.Options

	files, total, human, inodes, noDump, summary bool // -a, -c, -h, -i, -n, -s

	depth      int   // directories that are deeper are not printed
	depthGiven bool  // by -d
	unit       int64 // in bytes; 0 is BLOCKSIZE's

	sums  []int64 // what is in the directory at each level, as far as it has been seen
	grand int64
	seen  map[inode]bool // files with several links
}

func run(_ context.Context, env *util.Env) int {
	m := &measurer{env: env, depth: math.MaxInt, seen: make(map[inode]bool)}
	g := env.Getopt()
	for g.Next() {
		if !m.option(g) {
			return env.UsageError()
		}
	}
	switch {
	case m.files && (m.summary || m.depthGiven), m.summary && m.depthGiven:
		return env.UsageError()
	case m.summary:
		m.depth = 0
	}
	if m.unit == 0 {
		m.unit = env.BlockSize().Bytes
	}
	args := g.Args()
	if len(args) == 0 {
		args = []string{"."}
	}
	return m.measure(args)
}

// option takes an option, and tells whether it is a good one.
func (m *measurer) option(g *util.Getopt) bool {
	switch g.Letter {
	case 'a':
		m.files = true
	case 'c':
		m.total = true
	case 'd':
		n, err := strconv.Atoi(g.Arg)
		if err != nil || n < 0 || n > maxDepth {
			m.env.Warnx("invalid argument to option d: %s", g.Arg)
			return false
		}
		m.depth, m.depthGiven = n, true
	case 'g':
		m.unit = 1 << 30
	case 'H', 'L', 'P':
		m.walk.Links(g.Letter)
	case 'h':
		m.human = true
	case 'i':
		m.inodes = true
	case 'k':
		m.unit = 1 << 10
	case 'm':
		m.unit = 1 << 20
	case 'n':
		m.noDump = true
	case 'r':
	case 's':
		m.summary = true
	case 'x':
		m.walk.OneDevice = true
	default:
		return false
	}
	return true
}

// measure walks the operands and returns the exit status.
func (m *measurer) measure(args []string) int {
	status := util.ExitOK
	m.walk.Ahead = !m.noDump // which may leave directories out
	for _, e := range fts.Walk(m.env.Proc.Sys(), args, &m.walk) {
		if m.noDump && e.Stat != nil && e.Stat.Flags&abi.UF_NODUMP != 0 {
			e.Skip()
			continue
		}
		switch e.Info {
		case fts.Dir, fts.Cycle:
		case fts.DirAfter:
			sum := m.count(e) + m.leave(e)
			m.add(e, sum)
			if e.Level <= m.depth {
				m.print(e.Path, sum)
			}
		case fts.Missing, fts.Unreadable:
			status = m.env.Err(e.Err, "%s", e.Path)
			m.add(e, m.leave(e))
		default:
			m.file(e)
		}
	}
	if m.total {
		m.print("total", m.grand)
	}
	return status
}

// file counts a file that is no directory, once if it has several names.
func (m *measurer) file(e *fts.Entry) {
	if e.Stat.Nlink > 1 {
		id := inode{e.Stat.Dev, e.Stat.Ino}
		if m.seen[id] {
			return
		}
		m.seen[id] = true
	}
	n := m.count(e)
	m.add(e, n)
	if m.files || e.Level == 0 {
		m.print(e.Path, n)
	}
}

// count returns what an entry counts for by itself, and counts it among all.
func (m *measurer) count(e *fts.Entry) int64 {
	n := e.Stat.Blocks
	if m.inodes {
		n = 1
	}
	m.grand += n
	return n
}

// add counts n for the directory that an entry is in.
func (m *measurer) add(e *fts.Entry, n int64) {
	for len(m.sums) <= e.Level {
		m.sums = append(m.sums, 0)
	}
	m.sums[e.Level] += n
}

// leave returns what is in a directory, and forgets it.
func (m *measurer) leave(e *fts.Entry) int64 {
	if len(m.sums) <= e.Level+1 {
		return 0
	}
	sum := m.sums[e.Level+1]
	m.sums[e.Level+1] = 0
	return sum
}

// humanWidth is the room of a number with a unit and C's NUL.
const humanWidth = 5

func (m *measurer) print(name string, n int64) {
	switch {
	case m.inodes:
		fmt.Fprintf(m.env.Stdout, "%d\t%s\n", n, name)
	case m.human:
		text, _ := util.Humanize{Decimal: true, NoSpace: true, Bytes: true}.Format(n*statBlock, humanWidth)
		fmt.Fprintf(m.env.Stdout, "%s\t%s\n", text, name)
	default:
		blocks := m.unit / statBlock
		fmt.Fprintf(m.env.Stdout, "%d\t%s\n", (n+blocks-1)/blocks, name)
	}
}
