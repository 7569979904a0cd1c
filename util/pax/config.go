package pax

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/parsedate"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// mode is what is to be done.
type mode int

const (
	list      mode = iota // say what is in an archive
	extract               // read files from it
	archive               // write a new one
	appending             // add to one
	copying               // copy files without one
)

// config is what the arguments ask for. The letters are those of pax(1).
type config struct {
	mode     mode
	name     string  // of the archive: -f; empty for a standard stream
	format   *format // -x; nil for the default
	block    int     // -b; 0 for the format's
	limit    int64   // -B; 0 for none
	faults   int     // -E; less than 0 for no limit
	gnu      bool    // GNU tar's long names are written, and read without a word
	noDirs   bool    // -o write_opt=nodir
	gzip     bool    // -z
	names    []string
	dir      string // where copies go
	patterns []string
	listed   []string   // tar -T
	excluded []*pattern // tar -X, --exclude

	owners *passwd.DB    // -N; nil for those of the kernel
	stamp  *abi.Timespec // --timestamp; nil for the times of the files

	onlyDir   bool // -d
	inverse   bool // -c
	first     bool // -n
	ask       bool // -i
	keep      bool // -k
	link      bool // -l
	zero      bool // -0
	verbose   int  // -v
	summary   bool // -V
	resetTime bool // -t
	absolute  bool // -A
	insecure  bool // --insecure
	toStdout  bool // tar -O
	mtree     bool // -M
	chroot    bool // tar --chroot
	toList    bool // -v names files on standard output
	oneVolume bool // -O
	noParents bool // directories that are missing are not made: cpio without -d

	follow, followArguments, oneDevice bool // -L, -H, -X

	newer, newerChange           bool // -u, -D
	newerRenamed, changedRenamed bool // -Z, -Y

	owner, perm, noAccess, noModified bool // -p o, p, a, m

	replace []*replacement // -s
	users   []string       // -U
	groups  []string       // -G
	times   []timeRange    // -T
}

// The sizes of blocks, pax(1).
const (
	recordSize = 512
	maxBlock   = 64512
)

// maxSize is the greatest number that parseSize reads.
const maxSize = 1 << 62

// parseSize reads a number with a factor "b", "k", "m" or "w", or a product of such: "2x10k". It reports false
// if it is none, or not greater than 0.
func parseSize(s string) (int64, bool) {
	total := int64(1)
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == 'x' || r == '*' }) {
		factor := int64(1)
		if i := strings.IndexByte("wbkm", part[len(part)-1]); i >= 0 {
			factor = [...]int64{4, 512, 1024, 1 << 20}[i]
			part = part[:len(part)-1]
		}
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n <= 0 || n > maxSize/factor || total > maxSize/(n*factor) {
			return 0, false
		}
		total *= n * factor
	}
	return total, s != "" && !strings.HasSuffix(s, "x") && !strings.HasSuffix(s, "*")
}

// setBlock sets the size of blocks.
func (c *config) setBlock(arg string, unit int64) error {
	n, ok := parseSize(arg)
	switch {
	case !ok:
		return util.Messagef("Invalid block size %s", arg)
	case n > maxBlock/unit:
		return util.Messagef("Block size is greater than the maximum %d", maxBlock)
	case n*unit%recordSize != 0:
		return util.Messagef("Block size is not a %d byte multiple.", recordSize)
	}
	c.block = int(n * unit)
	return nil
}

// setLimit sets the size of volumes.
func (c *config) setLimit(arg string) error {
	n, ok := parseSize(arg)
	switch {
	case !ok:
		return util.Messagef("Invalid write limit %s", arg)
	case n%recordSize != 0:
		return util.Messagef("Write limit is not a %d byte multiple", recordSize)
	}
	c.limit = n
	return nil
}

// setPreserve sets what -p says of attributes.
func (c *config) setPreserve(arg string) error {
	for i := range len(arg) {
		switch arg[i] {
		case 'a':
			c.noAccess = true
		case 'e':
			c.owner, c.perm, c.noAccess, c.noModified = true, true, false, false
		case 'm':
			c.noModified = true
		case 'o':
			c.owner = true
		case 'p':
			c.perm = true
		default:
			return util.Messagef("Invalid -p string: %c", arg[i])
		}
	}
	return nil
}

// setFormat sets the format of -x, or cpio's -H.
func (c *config) setFormat(name, letter, prog string) error {
	if c.format = lookupFormat(name); c.format != nil {
		return nil
	}
	var known []string
	for _, f := range formats {
		known = append(known, f.name)
	}
	return util.Messagef("Unknown -%s format: %s\n%s: Known -%s formats are: %s\n", letter, name, prog, letter, strings.Join(known, " "))
}

// setOptions sets what -o says: "name=value,...".
func (c *config) setOptions(arg string) error {
	if arg == "" {
		return util.Messagef("Invalid option name")
	}
	for part := range strings.SplitSeq(arg, ",") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok:
			return util.Messagef("Invalid options format")
		case name != "write_opt" || value != "nodir":
			return util.Messagef("Unknown tar format -o option/value pair %s=%s", name, value)
		}
		c.noDirs = true
	}
	return nil
}

// addReplacement adds a -s.
func (c *config) addReplacement(arg string) error {
	r, err := parseReplacement(arg)
	c.replace = append(c.replace, r)
	return err
}

// addTimes adds a -T.
func (c *config) addTimes(env *util.Env, arg string) error {
	t, err := parseTimes(arg, now(env))
	c.times = append(c.times, t)
	return err
}

// setOwners sets where the names of users and groups come from.
func (c *config) setOwners(env *util.Env, dir string) (err error) {
	if c.owners, err = passwd.NewIn(env.Proc.Sys(), dir); err != nil {
		return util.Messagef("Unable to use user and group databases in `%s'", dir)
	}
	return nil
}

// setTimestamp sets the time of modification that all members are to have: that of a file, a date, or seconds.
func (c *config) setTimestamp(env *util.Env, arg string) error {
	var st abi.Stat
	if env.Proc.Sys().Stat(arg, &st) == nil {
		c.stamp = &st.Mtim
		return nil
	}
	if t, err := parsedate.Parse(arg, now(env)); err == nil {
		c.stamp = &abi.Timespec{Sec: t.Unix()}
		return nil
	}
	n, err := strconv.ParseInt(arg, 0, 64)
	if err != nil {
		return util.Messagef("Invalid timestamp `%s'", arg)
	}
	c.stamp = &abi.Timespec{Sec: n}
	return nil
}
