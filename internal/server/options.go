package server

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"

	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
)

// options are the options of rump_server(1).
var options = []util.Option{
	{Letter: 'c', Arg: "ncpu", Doc: "Configure ncpu virtual processors; \"host\" is as many as the host has. The default is $RUMP_NCPU, or 2."},
	{Letter: 'd', Arg: "drivespec", Doc: "Map a host file into the kernel: key=PATH,hostpath=FILE,size=N[,offset=N][,type=blk|chr|reg]; size=host takes the file's size, disklabel=LETTER in place of size the partition's."},
	{Letter: 'l', Arg: "library", Doc: "Load a component: -lrumpfs_tmpfs. In any order, all that it needs must be given too; rump_wmd says what."},
	{Letter: 'm', Arg: "module", Doc: "Load a kernel module. Modules are machine code, which this kernel cannot run: the message names the component that has it built in."},
	{Letter: 'r', Arg: "total_ram", Doc: "Limit kernel memory, with suffix k, m or g. The default is $RUMP_MEMLIMIT, or no limit."},
	{Letter: 's', Doc: "Stay in the foreground."},
	{Letter: 'v', Doc: "Print the kernel's messages on standard error, as $RUMP_VERBOSE does."},
}

// usageText is the original's usage message after the name, which leaves out -r and -v.
const usageText = "[-s] [-c ncpu] [-d drivespec] [-l libs] [-m modules] bindurl"

// settings are what a command line and the environment say.
type settings struct {
	ncpu       string
	memlimit   string
	libraries  []string
	modules    []string
	drives     []rump.Drive
	foreground bool
	verbose    bool
	url        string
	private    bool // there is no URL: the kernel serves nobody
}

// parse reads the arguments. What is wrong with them has been said on stderr when it returns false.
func parse(name string, args []string, getenv func(string) string, stderr io.Writer) (*settings, bool) {
	s := &settings{ncpu: getenv("RUMP_NCPU"), memlimit: getenv("RUMP_MEMLIMIT"), verbose: envTrue(getenv("RUMP_VERBOSE"))}
	g := util.NewGetopt(name, stderr, options, args)
	for g.Next() {
		if !s.option(g.Letter, g.Arg, stderr) {
			return usage(name, stderr)
		}
	}
	if rest := g.Args(); len(rest) == 1 {
		s.url = rest[0]
		return s, true
	}
	return usage(name, stderr)
}

func usage(name string, stderr io.Writer) (*settings, bool) {
	fmt.Fprintf(stderr, "usage: %s %s\n", name, usageText)
	return nil, false
}

// envTrue is how the kernel reads RUMP_VERBOSE: set, and not a number that is zero.
func envTrue(v string) bool { return v != "" && v != "0" }

// option takes one option. It returns false when it cannot be used.
func (s *settings) option(letter byte, arg string, stderr io.Writer) bool {
	switch letter {
	case 'c':
		s.ncpu = arg
	case 'd':
		d, err := parseDrive(arg)
		if err != nil {
			fmt.Fprintln(stderr, err)
			return false
		}
		s.drives = append(s.drives, d)
	case 'l':
		s.libraries = append(s.libraries, arg)
	case 'm':
		s.modules = append(s.modules, arg)
	case 'r':
		s.memlimit = arg
	case 's':
		s.foreground = true
	case 'v':
		s.verbose = true
	default:
		return false
	}
	return true
}

// maxCPUs is the most virtual processors: MAXCPUS of a rump kernel.
const maxCPUs = 32

// parseNCPU reads a number of processors; none is 0, which is the kernel's default.
func parseNCPU(v string) (int, error) {
	switch v {
	case "":
		return 0, nil
	case "host":
		return min(runtime.NumCPU(), maxCPUs), nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxCPUs {
		return 0, fmt.Errorf("%q processors: a number from 1 to %d is needed, or \"host\"", v, maxCPUs)
	}
	return n, nil
}

// memUnits are the suffixes of RUMP_MEMLIMIT.
var memUnits = map[byte]int64{'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30}

// parseMemLimit reads a limit of memory in bytes; none is 0, which is no limit.
func parseMemLimit(v string) (int64, error) {
	if v == "" {
		return 0, nil
	}
	digits, unit := v, int64(1)
	if u := memUnits[v[len(v)-1]]; u != 0 {
		digits, unit = v[:len(v)-1], u
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n == 0 || n > math.MaxInt64/uint64(unit) {
		return 0, fmt.Errorf("%q bytes of memory: a number is needed, with k, m, g or nothing after it", v)
	}
	return int64(n) * unit, nil
}
