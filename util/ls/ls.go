// Package ls is ls(1): it lists files and what is in directories.
//
// The options become a config, list.go goes through arguments and directories, format.go makes rows of
// the files and print.go sets them out. The tree is the kernel's; whether the output is a terminal, its width and
// the time zone are the host's.
//
// Start reading at run.
package ls

import (
	"context"
	"strconv"
	"time"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// Utility is ls.
var Utility = util.Utility{
	Name:    "ls",
	Section: 1,
	Doc:     "list directory contents",
	Usage:   []string{"[-1AaBbCcdFfghikLlMmnOoPpqRrSsTtuWwXx] [file ...]"},
	Options: []util.Option{
		{Letter: '1', Doc: "Print one entry a line: the default unless the output is a terminal."},
		{Letter: 'A', Doc: "List names that begin with a dot too, but not . and ..: always so for the super-user."},
		{Letter: 'a', Doc: "List names that begin with a dot too."},
		{Letter: 'B', Doc: "Print characters that are not graphic in octal."},
		{Letter: 'b', Doc: "Print characters that are not graphic as in C, or in octal."},
		{Letter: 'C', Doc: "Print columns, sorted down: the default if the output is a terminal."},
		{Letter: 'c', Doc: "Sort by and print the time of the last change of status."},
		{Letter: 'd', Doc: "List directories themselves, not what is in them."},
		{Letter: 'F', Doc: "Mark directories with /, programs with *, links with @, sockets with =, fifos with | and whiteouts with %."},
		{Letter: 'f', Doc: "Do not sort; implies -a."},
		{Letter: 'g', Doc: "As -l, without the owner."},
		{Letter: 'h', Doc: "Print sizes with units."},
		{Letter: 'i', Doc: "Print inode numbers."},
		{Letter: 'k', Doc: "Print blocks in kilobytes."},
		{Letter: 'L', Doc: "Follow symbolic links."},
		{Letter: 'l', Doc: "Print the long format."},
		{Letter: 'M', Doc: "Print sizes with commas."},
		{Letter: 'm', Doc: "Print names across the page, separated by commas."},
		{Letter: 'n', Doc: "As -l, with numbers for owner and group."},
		{Letter: 'O', Doc: "List only what is not a directory."},
		{Letter: 'o', Doc: "Print file flags in the long format."},
		{Letter: 'P', Doc: "Print full pathnames."},
		{Letter: 'p', Doc: "Mark directories with /."},
		{Letter: 'q', Doc: "Print ? for characters that cannot be printed: the default if the output is a terminal."},
		{Letter: 'R', Doc: "List directories recursively."},
		{Letter: 'r', Doc: "Reverse the order."},
		{Letter: 'S', Doc: "Sort by size, largest first."},
		{Letter: 's', Doc: "Print how many blocks each file has."},
		{Letter: 'T', Doc: "Print complete times in the long format."},
		{Letter: 't', Doc: "Sort by time, newest first."},
		{Letter: 'u', Doc: "Sort by and print the time of the last access."},
		{Letter: 'W', Doc: "List whiteouts."},
		{Letter: 'w', Doc: "Print all characters as they are: the default unless the output is a terminal."},
		{Letter: 'X', Doc: "Do not cross mount points with -R."},
		{Letter: 'x', Doc: "Print columns, sorted across."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to list instead of the working directory."}},
	Main:     run,
}

// config is what the options ask for.
type config struct {
	layout layout
	naming naming
	order  order
	time   byte // 'c', 'u' or 0: of the last modification

	dots      bool // -a, -A
	dotDirs   bool // -a
	unsorted  bool // -f
	reverse   bool // -r
	plainDirs bool // -d
	recursive bool // -R
	follow    bool // -L
	oneDevice bool // -X
	whiteouts bool // -W
	leaves    bool // -O
	fullPath  bool // -P

	inodes    bool // -i
	blocks    bool // -s
	human     bool // -h
	commas    bool // -M
	kilobytes bool // -k
	markAll   bool // -F
	markDirs  bool // -p
	fileFlags bool // -o
	numeric   bool // -n
	fullTime  bool // -T
	noOwner   bool // -g, which the next overrules
	withOwner bool // -l

	groupOnly bool
	width     int   // of the page, in columns
	blockUnit int64 // bytes
	utf8      bool
	zone      *time.Location
	now       int64 // seconds since the Epoch
}

// letters has what each option does to the config.
var letters = [...]func(c *config){
	'1': func(c *config) { c.layout = single },
	'A': func(c *config) { c.dots = true },
	'a': func(c *config) { c.dots, c.dotDirs = true, true },
	'B': func(c *config) { c.naming = octal },
	'b': func(c *config) { c.naming = escape },
	'C': func(c *config) { c.layout = down },
	'c': func(c *config) { c.time = 'c' },
	'd': func(c *config) { c.plainDirs, c.recursive = true, false },
	'F': func(c *config) { c.markAll = true },
	'f': func(c *config) { c.unsorted, c.dots, c.dotDirs = true, true, true },
	'g': func(c *config) { c.layout, c.noOwner = long, true },
	'h': func(c *config) { c.human, c.kilobytes, c.commas = true, false, false },
	'i': func(c *config) { c.inodes = true },
	'k': func(c *config) { c.kilobytes, c.human = true, false },
	'L': func(c *config) { c.follow = true },
	'l': func(c *config) { c.layout, c.withOwner = long, true },
	'M': func(c *config) { c.commas, c.human = true, false },
	'm': func(c *config) { c.layout = stream },
	'n': func(c *config) { c.layout, c.numeric = long, true },
	'O': func(c *config) { c.leaves = true },
	'o': func(c *config) { c.fileFlags = true },
	'P': func(c *config) { c.fullPath = true },
	'p': func(c *config) { c.markDirs = true },
	'q': func(c *config) { c.naming = question },
	'R': func(c *config) { c.recursive = true },
	'r': func(c *config) { c.reverse = true },
	'S': func(c *config) { c.order = bySize },
	's': func(c *config) { c.blocks = true },
	'T': func(c *config) { c.fullTime = true },
	't': func(c *config) { c.order = byTime },
	'u': func(c *config) { c.time = 'u' },
	'W': func(c *config) { c.whiteouts = true },
	'w': func(c *config) { c.naming = raw },
	'X': func(c *config) { c.oneDevice = true },
	'x': func(c *config) { c.layout = across },
}

func run(_ context.Context, env *util.Env) int {
	c := config{width: 80, utf8: env.UTF8(), zone: env.Location(), now: time.Now().Unix()}
	if util.IsTerminal(env.Stdout) {
		c.layout, c.naming = down, question
		if columns, _, ok := util.TerminalSize(env.Stdout); ok {
			c.width = columns
		}
	}
	g := env.Getopt()
	for g.Next() {
		if int(g.Letter) >= len(letters) || letters[g.Letter] == nil {
			return env.UsageError()
		}
		letters[g.Letter](&c)
	}
	c.groupOnly = c.noOwner && !c.withOwner
	if columns := env.Getenv("COLUMNS"); columns != "" {
		c.width, _ = strconv.Atoi(columns) // without columns there is one
	}
	c.blockUnit = 1024
	if !c.kilobytes {
		c.blockUnit = env.BlockSize().Bytes
	}
	args := g.Args()
	if len(args) == 0 {
		args = []string{"."}
	}
	l := &lister{config: c, env: env, walk: c.walk()}
	return l.run(args)
}

// walk returns how files are to be looked for.
func (c *config) walk() *fts.Options {
	attributes := c.inodes || c.layout == long || c.blocks || c.markAll || c.order != byName
	o := &fts.Options{
		Follow:          c.follow,
		FollowArguments: c.layout != long && !c.plainDirs && !c.markAll,
		OneDevice:       c.oneDevice,
		NoStat:          !attributes,
		Dots:            c.dotDirs,
		Whiteouts:       c.whiteouts,
	}
	o.Compare = c.compare()
	return o
}
